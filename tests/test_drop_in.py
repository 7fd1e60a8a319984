"""A new source, a new task and a new template are there by being dropped in: no other file is edited."""

import json
import shutil
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from building import run_command, shard_digests
from conftest import ROOT

pytestmark = pytest.mark.slow

SOURCE = '''
"""Corner shop: the stock list of a made-up corner shop."""

import msgspec

from ecinstruct_build.source import Batch, FileKind, Source
from ecinstruct_build.tables import arrow_table


class Line(msgspec.Struct):
    sku: str
    name: str
    maker: str


def convert(batch: Batch):
    rows = batch.records
    columns = {
        "product_id": [f"corner:{row.sku}" for row in rows],
        "title": [row.name for row in rows],
        "brand": [row.maker for row in rows],
        "locale": ["us"] * len(rows),
    }
    return {"product": arrow_table("product", {**columns, **batch.origin()})}


SOURCE = Source(
    name="corner_shop",
    title="Corner shop",
    summary="The stock list of a corner shop.",
    homepage="none",
    licence="CC0-1.0",
    redistributable=True,
    citation="none",
    files=(FileKind(r"stock\\.jsonl", "jsonl", Line, ("product",), convert, "stock.jsonl"),),
)
'''

TASK = '''
"""Brand prediction: who makes the product?"""

from ecinstruct_build.answers import FREE_TEXT
from ecinstruct_build.chance import digest_column
from ecinstruct_build.example import Example, Origin
from ecinstruct_build.task import Drawn, Request, Task, TaskSettings


def draw(tables, settings: TaskSettings, request: Request) -> Drawn:
    product = tables["product"]
    keyed = product.mutate(draw_key=digest_column(request.seed, "brand_prediction", product.product_id))
    rows = tables.fetch(keyed.order_by("draw_key").limit(request.ind), ["draw_key"]).to_pylist()
    return Drawn(
        [
            Example(
                task="brand_prediction",
                source=row["source"],
                identity=row["product_id"],
                domain="ind",
                locale=row["locale"],
                products=(row["product_id"],),
                fields={"title": row["title"]},
                answer=row["brand"],
                origins=(Origin(row["source"], row["file"], row["line"]),),
            )
            for row in rows
        ]
    )


TASK = Task(
    name="brand_prediction",
    published_name="Brand_Prediction",
    summary="Name the maker of a product.",
    reads=("product",),
    primary="product",
    settings=TaskSettings,
    answer=FREE_TEXT,
    draw=draw,
    fields={"title": "the product's name"},
)
'''

RECIPE = """
name = "corner"
[checks.duplicates]
action = "off"
[checks.language]
action = "off"
[checks.shape]
action = "flag"
[sources.corner_shop]
[tasks.brand_prediction]
quota = { train = 20, validation = 3, test = 3 }
"""


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A copy of the project with a source, a task and its templates dropped in, and raw files for them."""
    house = tmp_path / "house"
    for package in ("ecinstruct_build", "sources", "quality", "templates", "recipes"):
        shutil.copytree(ROOT / package, house / package, ignore=shutil.ignore_patterns("__pycache__"))
    (house / "sources" / "corner_shop.py").write_text(SOURCE)
    (house / "ecinstruct_build" / "tasks" / "brand_prediction.py").write_text(TASK)
    templates = house / "templates" / "brand_prediction"
    templates.mkdir()
    (templates / "input.jinja").write_text("Product: {{ title }}")
    words = [
        "Who makes it?",
        "Name the maker.",
        "State the brand.",
        "Which firm is it from?",
        "Tell me the brand name.",
        "Give its maker.",
    ]
    instructions = [
        f'[[instruction]]\nid = "{name}"\ntext = "{text}"\nheld_out = {str(name == "five").lower()}\n'
        for name, text in zip(("seed", "one", "two", "three", "four", "five"), words, strict=True)
    ]
    (templates / "instructions.toml").write_text("".join(instructions))
    stock = [{"sku": f"s{n}", "name": f"Jar of number {n} jam", "maker": f"Maker {n % 4}"} for n in range(40)]
    (tmp_path / "raw" / "corner_shop").mkdir(parents=True)
    (tmp_path / "raw" / "corner_shop" / "stock.jsonl").write_text("".join(json.dumps(row) + "\n" for row in stock))
    (tmp_path / "corner.toml").write_text(RECIPE)
    return house


def build(house: Path, out: str) -> Path:
    place = house.parent
    options = ["--raw", "raw", "--out", out, "--work", "work", "--jobs", "1", "--quiet"]
    run_command("build", "corner.toml", *options, cwd=place, env={"PYTHONPATH": str(house)})
    return place / out


def test_a_source_a_task_and_a_template_are_there_by_being_dropped_in(house: Path) -> None:
    env = {"PYTHONPATH": str(house)}
    assert "corner_shop" in run_command("sources", "list", "--json", cwd=house, env=env).stdout
    assert "maker of a product" in run_command("tasks", "show", "brand_prediction", cwd=house, env=env).stdout
    path = "data/brand_prediction/train-00000-of-00001.parquet"
    before = build(house, "before")
    rows = pq.read_table(before / path).to_pylist()
    assert len(rows) == 20
    assert all(row["output"].startswith("Maker ") and row["input"].startswith("Product: Jar") for row in rows)
    (house / "templates" / "brand_prediction" / "input_short.jinja").write_text("{{ title }}?")
    after = build(house, "after")
    assert shard_digests(before)[path] != shard_digests(after)[path]
    variants = {row["template_id"].split("/")[1] for row in pq.read_table(after / path).to_pylist()}
    assert len(variants) == 2
