"""The tasks draw the same examples on Spark as on DuckDB."""

from pathlib import Path

import pytest
from handmade import opened
from shop_world import join, shop
from test_draw import NAMES, settings_of

from ecinstruct_build.engine import EngineName
from ecinstruct_build.example import examples_to_table
from ecinstruct_build.registry import TASKS
from ecinstruct_build.task import Drawn, Request, Task


def draw_all(folder: Path, engine: EngineName) -> dict[str, Drawn]:
    def drawn(task: Task) -> Drawn:
        return task.draw(tables, settings_of(task), Request(5, 12, 6))

    with opened(folder, join(shop(), shop("other", users=40)), shuffle=3, engine=engine) as tables:
        return {name: drawn(TASKS.get(name)) for name in NAMES}


@pytest.mark.spark
def test_both_engines_draw_the_same_examples(tmp_path: Path) -> None:
    pytest.importorskip("pyspark")
    here, there = (draw_all(tmp_path, engine) for engine in ("duckdb", "spark"))
    for name in NAMES:
        assert here[name].examples, name
        assert examples_to_table(there[name].examples).equals(examples_to_table(here[name].examples)), name
        assert there[name].funnel == here[name].funnel, name
