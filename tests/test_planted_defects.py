"""The defects planted in the sample corpora are found: recall and precision by kind, through the whole pipeline."""

from collections import defaultdict
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from building import SmallBuild

from ecinstruct_build.engine import EngineSettings
from ecinstruct_build.example import Example
from ecinstruct_build.pipeline import run_stages
from ecinstruct_build.progress import Silence
from ecinstruct_build.recipe import load_recipe
from ecinstruct_build.sample_corpora.ledger import Entry, decode
from ecinstruct_build.stages.built import Built
from ecinstruct_build.stages.examples import read_examples
from ecinstruct_build.stages.machine import Machine
from ecinstruct_build.store import Store

Line = tuple[str, str, int]


@pytest.fixture(scope="module")
def ledger(small_world: Path) -> dict[str, list[Entry]]:
    by_kind = defaultdict(list)
    for entry in decode((small_world / "ledger.jsonl").read_bytes()):
        by_kind[entry.kind].append(entry)
    return by_kind


@pytest.fixture(scope="module")
def everything(small_world: Path, tmp_path_factory: pytest.TempPathFactory) -> Built:
    """All reviews and questions that the small world has to offer, drawn and judged."""
    quotas = [
        f"tasks.{task}.quota.{quota}"
        for task in ("sentiment_analysis", "answerability_prediction")
        for quota in ("train=100000", "test_ood=100000")
    ]
    recipe = load_recipe("sample", [*quotas, "tasks.answerability_prediction.pool.stop=1.0"])
    kept = {name: recipe.tasks[name] for name in ("sentiment_analysis", "answerability_prediction")}
    work = tmp_path_factory.mktemp("everything")
    machine = Machine(Store(work), EngineSettings(threads=2), jobs=1, progress=Silence())
    return run_stages(recipe.model_copy(update={"tasks": kept}), small_world, machine)


def lines_of(entries: list[Entry]) -> set[Line]:
    return {(entry.source, entry.file, entry.line) for entry in entries}


def side_lines(build: SmallBuild, name: str) -> set[Line]:
    tables = [pq.read_table(file.stage.folder / f"{name}.parquet").to_pylist() for file in build.built.files]
    return {(row["source"], row["file"], row["line"]) for rows in tables for row in rows}


def examples_of(built: Built, task: str) -> dict[Line, Example]:
    examples = read_examples(built.drawn[task])
    return {(one.source, one.file, one.line): example for example in examples for one in example.origins}


def test_every_malformed_line_is_quarantined_and_no_other(
    small_build: SmallBuild, ledger: dict[str, list[Entry]]
) -> None:
    planted = lines_of(ledger["malformed_line"])
    assert len(planted) > 50
    assert side_lines(small_build, "quarantine") == planted


def test_every_repeated_line_is_collapsed_and_no_other(small_build: SmallBuild, ledger: dict[str, list[Entry]]) -> None:
    planted = lines_of(ledger["exact_duplicate_line"])
    assert len(planted) > 50
    assert side_lines(small_build, "collapsed") == planted


def test_contradicting_relations_become_no_example(small_build: SmallBuild, ledger: dict[str, list[Entry]]) -> None:
    pairs = {frozenset(f"asin:{asin}" for asin in entry.ids[:2]) for entry in ledger["contradicting_relation"]}
    drawn = {
        frozenset(example.products) for example in read_examples(small_build.built.drawn["product_relation_prediction"])
    }
    assert pairs
    assert not pairs & drawn


def test_foreign_texts_are_rejected_and_english_ones_are_not(everything: Built, ledger: dict[str, list[Entry]]) -> None:
    planted = lines_of(ledger["foreign_language"])
    counts = {"found": 0, "missed": 0, "wrong": 0, "right": 0}
    for task in everything.drawn:
        foreign = {row["example_id"] for row in everything.checked.verdicts(task) if row["check"] == "language"}
        for line, example in examples_of(everything, task).items():
            rejected = example.example_id in foreign
            names = ("found", "missed") if line in planted else ("wrong", "right")
            counts[names[0] if rejected else names[1]] += 1
    print(f"foreign language: {counts}")
    assert counts["found"] + counts["missed"] > 30
    assert counts["found"] >= 0.95 * (counts["found"] + counts["missed"])
    assert counts["wrong"] <= 0.02 * (counts["wrong"] + counts["right"])


def test_near_duplicate_reviews_do_not_both_stay(everything: Built, ledger: dict[str, list[Entry]]) -> None:
    examples = examples_of(everything, "sentiment_analysis")
    rejected = {row["example_id"] for row in everything.checked.verdicts("sentiment_analysis")}
    pairs = [
        (examples[entry.source, entry.file, entry.line], examples[entry.source, entry.partner.file, entry.partner.line])
        for entry in ledger["near_duplicate"]
        if entry.partner
        and (entry.source, entry.file, entry.line) in examples
        and (entry.source, entry.partner.file, entry.partner.line) in examples
    ]
    found = sum(one.example_id in rejected or other.example_id in rejected for one, other in pairs)
    print(f"near duplicates: {found} of {len(pairs)}")
    assert len(pairs) > 20
    assert found >= 0.9 * len(pairs)


def test_no_markup_is_left_in_what_is_shown(everything: Built, ledger: dict[str, list[Entry]]) -> None:
    planted = lines_of(ledger["html"])
    shown = [
        str(example.fields)
        for task in everything.drawn
        for line, example in examples_of(everything, task).items()
        if line in planted
    ]
    assert len(shown) > 20
    marks = ("<b>", "<br", "&#", "&amp;", "&quot;", "</")
    assert [text for text in shown if any(mark in text for mark in marks)] == []
