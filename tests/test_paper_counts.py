"""The paper's recipe gives exactly as many rows as it asks for, and nothing about them is left unexplained."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from sharing import made_once

from ecinstruct_build.engine import EngineSettings
from ecinstruct_build.parity.compare import Parity, compare, read_facts
from ecinstruct_build.parity.measure import Dataset, measure
from ecinstruct_build.pipeline import build
from ecinstruct_build.progress import Silence
from ecinstruct_build.recipe import load_recipe
from ecinstruct_build.sample_corpora import write_sample_corpora
from ecinstruct_build.stages.machine import Machine
from ecinstruct_build.store import Store

TENTH = 10
SCALE, BREADTH = 4.0, 4.0


def paper_sizes() -> Mapping[str, Mapping[str, int]]:
    """The paper's rows of each task and split."""
    facts = read_facts()
    tasks = [name for name in facts["corpora"] if name != "from"]
    sizes = {name: dict(facts["counts"].get(name, facts["counts"]["each"])) for name in tasks}
    for name in tasks:
        sizes[name]["test_ood"] = facts["out_of_domain"]["test_ood"] if name in facts["out_of_domain"]["tasks"] else 0
    return sizes


def test_the_recipe_asks_for_the_papers_sizes() -> None:
    asked = {name: task.quota.model_dump() for name, task in load_recipe("ecinstruct").tasks.items()}
    assert asked == paper_sizes()
    totals = {split: sum(sizes[split] for sizes in asked.values()) for split in ("train", "validation", "test")}
    assert totals == {"train": 92_022, "validation": 9_253, "test": 9_253}
    assert sum(sizes["test_ood"] for sizes in asked.values()) == 6_000


@pytest.fixture(scope="module")
def tenth(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """The paper's recipe with a tenth of its quotas, built over corpora of a fitting size."""
    quotas = [
        f"tasks.{name}.quota.{split}={count // TENTH}"
        for name, sizes in paper_sizes().items()
        for split, count in sizes.items()
    ]

    def make(place: Path) -> Dataset:
        recipe = load_recipe("ecinstruct", quotas)
        raw = write_sample_corpora(place / "raw", SCALE, breadth=BREADTH, jobs=2, sources=list(recipe.sources)).out
        machine = Machine(Store(place / "work"), EngineSettings(threads=2), jobs=2, progress=Silence())
        build(recipe, raw, place / "dataset", machine)
        return measure(place / "dataset")

    return made_once(tmp_path_factory, "paper", make)


@pytest.fixture(scope="module")
def parity(tenth: Dataset) -> Parity:
    """How it stands to the original."""
    return compare(tenth, read_facts())


@pytest.mark.slow
def test_every_task_has_exactly_the_rows_that_are_asked_for(tenth: Dataset) -> None:
    published = {
        name: {split: found.rows[split] for split in ("train", "validation", "test", "test_ood")}
        for name, found in tenth.tasks.items()
    }
    assert published == {
        name: {split: count // TENTH for split, count in sizes.items()} for name, sizes in paper_sizes().items()
    }
    assert not any(account["shortfall"] for account in tenth.manifest["tasks"].values())


@pytest.mark.slow
def test_nothing_is_left_unexplained_and_all_but_the_counts_is_as_in_the_paper(parity: Parity) -> None:
    assert [line for line in parity.lines if line.verdict == "unexplained"] == []
    for line in parity.lines:
        if line.what.startswith("rows of ") and line.original != "0":
            assert line.reason == f"the recipe asks for {line.ours}", line


@pytest.mark.slow
def test_labels_that_are_not_as_the_corpora_have_them_are_found(tenth: Dataset) -> None:
    ranking, answers = "query_product_ranking", "answerability_prediction"
    found = {
        **tenth.tasks,
        ranking: replace(tenth.tasks[ranking], grades=Counter("CCCCCCCEEE" * 20), test_options=Counter({4: 100})),
        answers: replace(tenth.tasks[answers], labels={"test": Counter(yes=95, no=5), "test_ood": Counter(no=100)}),
    }
    lines = compare(replace(tenth, tasks=found), read_facts()).lines
    assert {(line.task, line.what) for line in lines if line.verdict == "unexplained"} == {
        (ranking, "list lengths of test"),
        (ranking, "labels of test"),
        (answers, "answers of test"),
        (answers, "answers of test_ood"),
    }
