"""Visits give the same examples on Spark as on DuckDB, and so do reviews where there are no visits."""

from pathlib import Path

import pytest
from handmade import Row, opened, table_rows

from ecinstruct_build.task import Request
from ecinstruct_build.tasks.sequential_recommendation import TASK, SequentialSettings

SETTINGS = SequentialSettings(negatives=3, spares=2, core=1, min_history=2)


def visits() -> dict[str, list[Row]]:
    names = [f"p{n:02}" for n in range(40)]
    place: Row = {"source": "m2", "locale": "jp"}
    sessions = [
        place | {"session_id": f"v{n}", "product_ids": [names[(n * 7 + step * step) % 40] for step in range(n % 6)]}
        for n in range(60)
    ]
    products = [place | {"product_id": name, "title": f"Thing {name}" if name[-1] != "7" else None} for name in names]
    return {"session": table_rows("session", sessions), "product": table_rows("product", products)}


def reviews() -> dict[str, list[Row]]:
    rows: list[Row] = [
        {"review_id": f"{n}", "product_id": f"p{n % 19}", "user_id": f"u{n % 5}", "rating": 4.0, "timestamp": n}
        for n in range(40)
    ]
    products = [{"product_id": f"p{n}", "title": f"Thing {n}"} for n in range(19)]
    return {"review": table_rows("review", rows), "product": table_rows("product", products)}


@pytest.mark.spark
@pytest.mark.parametrize("world", [visits(), reviews()], ids=["visits", "reviews"])
def test_both_engines_draw_the_same(world: dict[str, list[Row]], tmp_path: Path) -> None:
    drawn = []
    for engine, shuffle in (("duckdb", None), ("spark", 3)):
        with opened(tmp_path, world, shuffle, engine) as tables:
            drawn.append(TASK.draw(tables, SETTINGS, Request(4, 12, 0)))
    assert drawn[0] == drawn[1]
    assert drawn[0].examples
