"""Columns that a recipe lets files lack and that none has: they are told, with the nearest name."""

import gzip
import json
import random
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from tiny_reviews import machine_at

from ecinstruct_build.ingesting.catalogue_settings import CatalogueSettings
from ecinstruct_build.ingesting.unseen import unseen_columns
from ecinstruct_build.progress import Silence
from ecinstruct_build.recipe import parse_recipe
from ecinstruct_build.stages.corpora import ingest
from ecinstruct_build.stages.unseen import note_unseen_columns
from sources.catalogue import configure

PRODUCT = {"id": "id", "title": "name.titel", "brand": "brand", "price": "prise"}


def unseen(path: Path, product: dict[str, str], *optional: str) -> dict[str, str]:
    settings = {"tables": [{"file": path.name, "product": product, "optional": optional}]}
    (kind,) = configure(CatalogueSettings.model_validate(settings)).files
    return unseen_columns(path, kind)


def test_of_json_every_record_is_asked_and_nested_names_too(tmp_path: Path) -> None:
    records: list[Any] = [{"id": 1, "name": {"title": "Bell"}}, [], {"brand": None}, {"price": 3}]
    lines = "".join(json.dumps(record) + "\n" for record in records)
    (tmp_path / "p.jsonl").write_text(f"{{\n{lines}")
    (tmp_path / "p.jsonl.gz").write_bytes(gzip.compress(lines.encode()))
    for name in ("p.jsonl", "p.jsonl.gz"):
        told = unseen(tmp_path / name, PRODUCT, "*")
        assert told == {"name.titel": " Did you mean 'name.title'?", "prise": " Did you mean 'price'?"}
    assert unseen(tmp_path / "p.jsonl", PRODUCT, "brand", "prise") == {"prise": " Did you mean 'price'?"}
    assert unseen(tmp_path / "p.jsonl", PRODUCT) == {}


def test_of_a_table_the_columns_are_asked(tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text("id,name,cost\n1,Bell,3\n")
    pq.write_table(pa.table({"id": [1], "name": [{"titel": "Bell"}], "cost": [3]}), tmp_path / "p.parquet")
    product = {"id": "id", "title": "nam", "price": "cost", "brand": "maker"}
    assert unseen(tmp_path / "p.csv", product, "*") == {"nam": " Did you mean 'name'?", "maker": ""}
    assert unseen(tmp_path / "p.parquet", PRODUCT, "*") == {"brand": "", "prise": ""}


def test_of_a_csv_the_header_alone_is_asked(tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text('\nid,"na\nme",brand\n')
    product = {"id": "id", "title": "na\nme", "brand": "maker"}
    assert unseen(tmp_path / "p.csv", product, "*") == {"maker": ""}  # though it has no record
    rows = "".join(f"{number},{random.Random(number).random()},x\n" for number in range(40_000))
    packed = gzip.compress(f"id,name,brand\n{rows}".encode())
    (tmp_path / "q.csv.gz").write_bytes(packed[: len(packed) * 3 // 4])  # read to its end, it would be refused
    product = {"id": "id", "title": "name", "brand": "maker"}
    assert unseen(tmp_path / "q.csv.gz", product, "*") == {"maker": ""}


def test_names_that_are_no_text_are_told_without_what_is_none(tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_bytes(b"id,titl\xe9,brand\n1,Bell,x\n")
    assert unseen(tmp_path / "p.csv", {"id": "id", "title": "title"}, "title") == {"title": " Did you mean 'titl '?"}


def test_what_none_of_the_files_has_is_noted(tmp_path: Path) -> None:
    folder = tmp_path / "raw" / "catalogue"
    folder.mkdir(parents=True)
    (folder / "p0.jsonl").write_text("")
    (folder / "p1.jsonl").write_text('{"id": 1, "title": "Bell"}\n')
    (folder / "p2.jsonl").write_text('{"id": 2, "title": "Horn", "brand": "Ostrey"}\n')
    product = {"id": "id", "title": "titel", "brand": "brand"}
    table = {"file": "p*.jsonl", "product": product, "optional": ["*"]}
    recipe = parse_recipe({"name": "shop", "sources": {"catalogue": {"tables": [table]}}, "tasks": {}}, "a test")
    notes: list[str] = []

    class Noting(Silence):
        def note(self, message: str) -> None:
            notes.append(message)

    for _ in ("built", "taken from the store"):
        notes.clear()
        note_unseen_columns(ingest(recipe, tmp_path / "raw", machine_at(tmp_path)).files, Noting())
        assert notes == ["no such column: catalogue/p*.jsonl has no 'titel'. Did you mean 'title'?"]
