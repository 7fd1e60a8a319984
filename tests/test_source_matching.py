"""The corpora of labelled pairs: Abt-Buy, Walmart-Amazon, and any folder in DeepMatcher's form."""

import csv
from pathlib import Path
from typing import Any

import pytest
import source_fixtures
from ingesting import Ingested, ingest, ingest_bytes

from ecinstruct_build.registry import SOURCES

ORIGIN = {"source", "file", "line"}


def ingested(source: str, file: str) -> Ingested:
    return ingest(source_fixtures.FOLDER / source / file, SOURCES.get(source), file)


def stated(row: dict[str, Any]) -> dict[str, Any]:
    """The row without its origin and its nulls."""
    return {key: value for key, value in row.items() if value is not None and key not in ORIGIN}


def pairs(done: Ingested) -> list[tuple[int, str, str, bool]]:
    return [(row["line"], row["left_id"], row["right_id"], row["is_match"]) for row in done.tables["match"]]


def test_abt_is_read_in_its_encoding() -> None:
    done = ingested("abt_buy", "Abt.csv")
    kettle, teapot, lamp, nameless = map(stated, done.tables["product"])
    assert kettle == {
        "product_id": "abt:11",
        "title": "Brackwater Steel Kettle - BK300",
        "description": "Steel Kettle - BK300/ 3 l/ Keeps 178° F/ “Quiet” Whistle",
        "price": "$1,250.00",
        "locale": "us",
    }
    assert teapot == {
        "product_id": "abt:12",
        "title": "Café Teapot - TP2",
        "description": 'Teapot - TP2/ "Best" Glaze',
        "locale": "us",
    }
    assert lamp == {"product_id": "abt:13", "title": "Oak Desk Lamp - DL1", "price": "$39.00", "locale": "us"}
    assert "title" not in nameless
    assert done.quarantine == [(5, "Object missing required field `id`"), (6, "expected 4 cells, got 2")]


def test_a_copy_of_abt_in_utf_8_reads_the_same() -> None:
    content = source_fixtures.FILES["abt_buy"]["Abt.csv"].decode("cp1252").encode("utf-8")
    again = ingest_bytes(content, SOURCES.get("abt_buy"), "Abt.csv")
    assert again.tables["product"] == ingested("abt_buy", "Abt.csv").tables["product"]


def test_buy_has_manufacturers() -> None:
    done = ingested("abt_buy", "Buy.csv")
    kettle, pot, lamp = map(stated, done.tables["product"])
    assert (kettle["product_id"], kettle["brand"], kettle["price"]) == ("buy:20011646", "BRACKWATER", "$1199.50")
    assert (pot["title"], pot["brand"]) == ("Tea Pot, Café Series", "Pottery & Co")
    assert not {"brand", "price"} & set(lamp)


def test_abt_buys_mapping_names_matches_only() -> None:
    done = ingested("abt_buy", "abt_buy_perfectMapping.csv")
    assert pairs(done) == [
        (2, "abt:11", "buy:20011646", True),
        (3, "abt:12", "buy:20011647", True),
        (4, "abt:12", "buy:20011648", True),
    ]
    assert done.quarantine == [(5, "Object missing required field `idBuy`")]


def test_deepmatchers_rows_of_abt_buy_are_products_of_their_own() -> None:
    (kettle, teapot), (other, _) = (
        map(stated, ingested("abt_buy", f"deepmatcher/table{side}.csv").tables["product"]) for side in "AB"
    )
    assert kettle == {
        "product_id": "abt_buy_a:0",
        "title": "brackwater steel kettle bk300",
        "description": "steel kettle bk300 3 l quiet whistle",
        "price": "1250.0",
        "locale": "us",
    }
    assert teapot["product_id"] == "abt_buy_a:1"
    assert other["product_id"] == "abt_buy_b:0"
    assert ingested("abt_buy", "deepmatcher/tableA.csv").quarantine == [(4, "the row has no id")]


def test_labelled_pairs_are_matches_and_non_matches() -> None:
    done = ingested("abt_buy", "deepmatcher/train.csv")
    assert pairs(done) == [
        (2, "abt_buy_a:0", "abt_buy_b:0", True),
        (3, "abt_buy_a:0", "abt_buy_b:1", False),
        (4, "abt_buy_a:1", "abt_buy_b:1", True),
    ]
    assert {row["catalogue"] for row in done.tables["match"]} == {"abt_buy"}
    assert [line for line, _ in done.quarantine] == [5, 6, 7]
    assert done.quarantine[0][1] == "Invalid enum value 2 - at `$.label`"


def test_pyjedais_ground_truth_is_counted_only() -> None:
    done = ingested("abt_buy", "pyjedai_gt.csv")
    assert (done.counts.ingested, dict(done.counts.rows)) == (2, {})
    assert [line for line, _ in done.quarantine] == [4, 5]


def test_walmarts_model_numbers_become_features() -> None:
    done = ingested("walmart_amazon", "exp_data/tableA.csv")
    kettle, lamp, nameless = map(stated, done.tables["product"])
    assert kettle == {
        "product_id": "walmart_amazon_a:0",
        "title": "brackwater steel kettle 3 l",
        "brand": "brackwater",
        "categories": ["kitchen - kettles"],
        "price": "49.88",
        "features": ["modelno: bk300"],
        "locale": "us",
    }
    assert lamp["title"] == "oak desk lamp , 13 in"
    assert not {"features", "price"} & set(lamp)
    assert "title" not in nameless
    assert done.quarantine == [(5, "expected 6 cells, got 3")]
    assert pairs(ingested("walmart_amazon", "exp_data/train.csv")) == [
        (2, "walmart_amazon_a:0", "walmart_amazon_b:0", True),
        (3, "walmart_amazon_a:1", "walmart_amazon_b:0", False),
    ]


def test_columns_of_any_deepmatcher_folder_find_their_place() -> None:
    dark, pale = map(stated, ingested("deepmatcher", "Structured/Beer/exp_data/tableA.csv").tables["product"])
    assert dark == {
        "product_id": "deepmatcher_Structured%2FBeer_a:0",
        "title": "Millrace Dark",
        "features": ["Brew_Factory_Name: Millrace Brewery", "Style: Porter", "ABV: 5.20 %"],
        "locale": "us",
    }
    assert pale["features"] == ["Brew_Factory_Name: Tidewater", "ABV: -"]
    (train,) = map(stated, ingested("deepmatcher", "our toys/tableB.csv").tables["product"])
    assert train == {
        "product_id": "deepmatcher_our%20toys_b:T1",
        "title": "Train",
        "description": "Eight parts",
        "brand": "Sprig",
        "price": "9.50",
        "categories": ["Toys"],
        "features": ["name: Wooden train set", "age: 3+"],
        "locale": "us",
    }


def test_columns_that_differ_in_capitals_only_are_two_columns() -> None:
    done = ingested("deepmatcher", "our toys/tableA.csv")
    first, second = map(stated, done.tables["product"])
    assert (first["product_id"], first["title"]) == ("deepmatcher_our%20toys_a:t1", "Wooden Train")
    assert first["features"] == ["ID: 9", "NAME: Train, wooden"]
    assert (second["title"], second["features"]) == ("Kite", ["ID: 9"])
    assert done.quarantine == [(2, "the id is blank or holds blanks")]


@pytest.mark.parametrize(
    ("one", "other"),
    [("toys", "Toys"), ("x_a", "x"), ("a:1_b", "a"), ("Structured/Beer", "Dirty/Beer"), ("a%20b", "a b")],
)
def test_rows_of_two_folders_never_share_a_key(one: str, other: str, tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_bytes(b"id,name\n1,x\n1_a:1,x\n1_b:1,x\n")
    keys = [
        {
            row["product_id"]
            for table in ("tableA", "tableB")
            for row in ingest(path, SOURCES.get("deepmatcher"), f"{folder}/{table}.csv").tables["product"]
        }
        for folder in (one, other)
    ]
    assert len(keys[0]) == len(keys[1]) == 6
    assert not keys[0] & keys[1]


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize(
    ("file", "namespace", "count"),
    [
        ("Abt.csv", "abt", 1081),
        ("Buy.csv", "buy", 1092),
        ("deepmatcher/tableA.csv", "abt_buy_a", 1081),
        ("deepmatcher/tableB.csv", "abt_buy_b", 1092),
    ],
)
def test_real_abt_buy_listings(real_corpora: Path, file: str, namespace: str, count: int) -> None:
    rows = rows_of(real_corpora / "abt_buy" / file)
    done = ingest(real_corpora / "abt_buy" / file, SOURCES.get("abt_buy"), file)
    products = done.tables["product"]
    assert len(products) == len(rows) == count
    assert not done.quarantine
    assert [row["product_id"] for row in products] == [f"{namespace}:{row['id']}" for row in rows]
    for column, upstream in (("title", "name"), ("description", "description"), ("brand", "manufacturer")):
        assert [row[column] for row in products] == [row.get(upstream) or None for row in rows]
    assert [row["price"] for row in products] == [row["price"] or None for row in rows]


@pytest.mark.parametrize(
    ("split", "count", "matches"), [("train", 5743, 616), ("valid", 1916, 206), ("test", 1916, 206)]
)
def test_real_abt_buy_pairs(real_corpora: Path, split: str, count: int, matches: int) -> None:
    file = f"deepmatcher/{split}.csv"
    rows = rows_of(real_corpora / "abt_buy" / file)
    done = ingest(real_corpora / "abt_buy" / file, SOURCES.get("abt_buy"), file)
    assert len(rows) == count
    assert sum(row["label"] == "1" for row in rows) == matches
    assert [(left, right, match) for _, left, right, match in pairs(done)] == [
        (f"abt_buy_a:{row['ltable_id']}", f"abt_buy_b:{row['rtable_id']}", row["label"] == "1") for row in rows
    ]


def test_real_ground_truth_of_pyjedai_names_other_rows(real_corpora: Path) -> None:
    folder = real_corpora / "abt_buy"
    truth = [line.split("|") for line in (folder / "pyjedai_gt.csv").read_text(encoding="utf-8").split()[1:]]
    done = ingest(folder / "pyjedai_gt.csv", SOURCES.get("abt_buy"), "pyjedai_gt.csv")
    assert done.counts.ingested == len(truth) == 1076
    assert not done.counts.rows
    abt, buy = rows_of(folder / "Abt.csv"), rows_of(folder / "Buy.csv")
    alike = [set(abt[int(a)]["name"].lower().split()) & set(buy[int(b)]["name"].lower().split()) for a, b in truth]
    assert sum(len(words) > 1 for words in alike) < len(truth) / 5
