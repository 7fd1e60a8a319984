"""The defects planted in the sample corpora are found: recall and precision by kind, through the whole pipeline."""

from collections.abc import Mapping
from pathlib import Path

import pytest
from building import SmallBuild
from rich.console import Console
from sharing import made_once

from ecinstruct_build.engine import EngineSettings
from ecinstruct_build.pipeline import run_stages
from ecinstruct_build.progress import Silence
from ecinstruct_build.recipe import load_recipe
from ecinstruct_build.reporting.planted.gathering import score_build, scores_json
from ecinstruct_build.reporting.planted.score import Score
from ecinstruct_build.reporting.planted.table import print_scores
from ecinstruct_build.sample_corpora.ledger import KINDS
from ecinstruct_build.stages.machine import Machine
from ecinstruct_build.store import Store

pytestmark = pytest.mark.slow

TEXT_TASKS = ("answer_generation", "answerability_prediction", "product_matching", "sentiment_analysis")
Scores = Mapping[tuple[str, str], Score]


@pytest.fixture(scope="module")
def texts(small_world: Path, tmp_path_factory: pytest.TempPathFactory) -> Scores:
    """Every review, question and match that the small world has to offer, drawn, judged and scored."""
    quotas = [f"tasks.{task}.quota.train=100000" for task in TEXT_TASKS]
    abroad = [f"tasks.{task}.quota.test_ood=100000" for task in TEXT_TASKS if task != "product_matching"]
    recipe = load_recipe("sample", [*quotas, *abroad])
    recipe = recipe.model_copy(update={"tasks": {name: recipe.tasks[name] for name in TEXT_TASKS}})

    def make(place: Path) -> list[Score]:
        machine = Machine(Store(place), EngineSettings(threads=2), jobs=1, progress=Silence())
        return score_build(run_stages(recipe, small_world, machine), small_world)

    return scored(made_once(tmp_path_factory, "planted_texts", make), "all texts")


@pytest.fixture(scope="module")
def everywhere(small_build: SmallBuild, tmp_path_factory: pytest.TempPathFactory) -> Scores:
    """A small build of all tasks, scored."""
    scores = made_once(
        tmp_path_factory, "planted_everywhere", lambda _: score_build(small_build.built, small_build.raw)
    )
    return scored(scores, "all tasks, a part of each")


def scored(scores: list[Score], title: str) -> Scores:
    print_scores(scores_json(scores), Console(width=140), title)
    return {(score.kind, score.form): score for score in scores}


def test_every_kind_of_the_ledger_is_scored(everywhere: Scores) -> None:
    assert {kind for kind, form in everywhere if not form} == set(KINDS)
    for score in everywhere.values():
        assert len(score.missed) <= score.reachable - score.found
        assert bool(score.missed) == (score.found < score.reachable)


@pytest.mark.parametrize("kind", ["malformed_line", "exact_duplicate_line"])
def test_every_bad_line_is_set_aside_and_no_other(everywhere: Scores, kind: str) -> None:
    score = everywhere[kind, ""]
    assert score.planted > 50
    assert (score.recall, score.precision) == (1.0, 1.0)


@pytest.mark.parametrize("kind", ["contradicting_relation", "empty_text", "unjoinable_label"])
def test_no_example_is_made_of_what_cannot_be_one(everywhere: Scores, kind: str) -> None:
    assert everywhere[kind, ""].reachable > 5
    assert everywhere[kind, ""].recall == 1.0


def test_products_of_two_departments_stand_on_one_side_of_the_split(everywhere: Scores) -> None:
    assert everywhere["cross_category", ""].reachable > 30
    assert everywhere["cross_category", ""].recall == 1.0


BOUNDS = {
    "html": (100, 1.0, 0.98),
    "mojibake": (50, 0.95, 0.95),
    "invisible": (40, 0.95, 0.95),
    "style_or_script": (40, 0.95, 0.95),
    "foreign_language": (80, 0.95, 0.85),
    "privacy": (60, 0.95, 0.95),
    "near_duplicate": (100, 0.9, 0.5),
    "contradicting_stars": (20, 0.8, 0.95),
    "boilerplate_answer": (10, 0.95, 0.95),
    "trivial_pair": (5, 1.0, 0.3),
    "text_across_corpora": (5, 0.95, 0.0),
}
"""Reachable, recall and precision: at least."""


@pytest.mark.parametrize("kind", BOUNDS)
def test_spoiled_texts_are_found_and_clean_ones_left_alone(texts: Scores, kind: str) -> None:
    reachable, recall, precision = BOUNDS[kind]
    score = texts[kind, ""]
    assert score.reachable >= reachable
    assert (score.recall or 0) >= recall, score.missed
    assert (score.precision or 0) >= precision


def test_wrongly_rejected_english_is_rare(texts: Scores) -> None:
    score = texts["foreign_language", ""]
    assert score.findings - score.right <= 0.02 * 5000  # some 6,000 examples are in English


def test_every_form_of_private_data_and_of_mojibake_is_found(texts: Scores) -> None:
    for (kind, form), score in texts.items():
        if kind in ("privacy", "mojibake") and form:
            assert score.reachable >= 5, (kind, form)
            assert (score.recall or 0) >= 0.9, (kind, form, score.missed)


def test_spoiled_titles_are_found_where_titles_are_shown(everywhere: Scores) -> None:
    for kind in ("placeholder_title", "mojibake", "invisible", "style_or_script", "html"):
        score = everywhere[kind, ""]
        assert score.reachable >= 10, kind
        assert (score.recall or 0) >= 0.95, score.missed
        assert score.precision is None or score.precision >= 0.95, kind


def test_variants_and_second_ids_are_one_family(everywhere: Scores) -> None:
    twins, variants = everywhere["family_twin", ""], everywhere["variant_family", ""]
    assert min(twins.reachable, variants.reachable) >= 30
    assert (twins.recall or 0) >= 0.95, twins.missed
    assert (variants.recall or 0) >= 0.75, variants.missed
    assert (twins.precision or 0) >= 0.9
