"""The tasks draw the same examples on Spark as on DuckDB."""

from pathlib import Path

import pytest
from handmade import opened
from shop_world import join, shop
from test_draw import NAMES, settings_of

from ecinstruct_build.drawing.unmatched import unmatched
from ecinstruct_build.engine import EngineName
from ecinstruct_build.example import examples_to_table
from ecinstruct_build.registry import TASKS
from ecinstruct_build.task import Drawn, Request, Task

ENGINES: tuple[EngineName, ...] = ("duckdb", "spark")


def draw_all(folder: Path, engine: EngineName) -> dict[str, Drawn]:
    def drawn(task: Task) -> Drawn:
        return task.draw(tables, settings_of(task), Request(5, 12, 6))

    with opened(folder, join(shop(), shop("other", users=40)), shuffle=3, engine=engine) as tables:
        return {name: drawn(TASKS.get(name)) for name in NAMES}


@pytest.mark.spark
def test_both_engines_draw_the_same_examples(tmp_path: Path) -> None:
    pytest.importorskip("pyspark")
    here, there = (draw_all(tmp_path, engine) for engine in ENGINES)
    for name in NAMES:
        assert here[name].examples, name
        assert examples_to_table(there[name].examples).equals(examples_to_table(here[name].examples)), name
        assert there[name].funnel == here[name].funnel, name


@pytest.mark.spark
def test_both_engines_tell_the_same_of_what_nothing_matches(tmp_path: Path) -> None:
    pytest.importorskip("pyspark")
    told = []
    for engine in ENGINES:
        with opened(tmp_path, shop(), engine=engine) as tables:
            task = TASKS.get("sequential_recommendation")
            said = {"sources": ("corpus", "other"), "locales": ("uk", "us"), "ood": ("Tooles",)}
            told.append(unmatched(task, settings_of(task, **said), tables))
    assert told[0] == told[1]
    assert [line.partition(":")[0] for line in told[0]] == ["sources", "locales", "ood"]
