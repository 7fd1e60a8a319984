"""WDC Products: offers without ids, titles with language tags, and clusters."""

import contextlib
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import source_fixtures
from hypothesis import given
from hypothesis import strategies as st
from ingesting import Ingested, ingest

from ecinstruct_build.registry import SOURCES
from ecinstruct_build.source import Inadmissible

ORIGIN = {"source", "file", "line"}
SERIALISED = "ditto_cameras/train.txt.small"


def ingested(file: str) -> Ingested:
    return ingest(source_fixtures.FOLDER / "wdc_products" / file, SOURCES.get("wdc_products"), file)


def stated(row: dict[str, Any]) -> dict[str, Any]:
    """The row without its origin and its nulls."""
    return {key: value for key, value in row.items() if value is not None and key not in ORIGIN}


def said(title: str, folder: Path) -> tuple[str | None, str | None]:
    """Title and description of a listing with this serialised title."""
    path = folder / "line.txt"
    path.write_text(f"COL title VAL {title}\tCOL title VAL other\t0\n", encoding="utf-8")
    row = ingest(path, SOURCES.get("wdc_products"), SERIALISED).tables["product"][0]
    return row["title"], row["description"]


def test_a_serialised_listing_is_one_product_in_however_many_pairs() -> None:
    done = ingested(SERIALISED)
    products, matches = done.tables["product"], done.tables["match"]
    assert [row["line"] for row in products] == [1, 1, 2, 3, 4, 6]
    kettle, other, lamp, foreign, tag_only, more = (row["product_id"] for row in products)
    assert [(row["line"], row["left_id"], row["right_id"], row["is_match"]) for row in matches] == [
        (1, kettle, other, True),
        (2, kettle, lamp, False),
        (3, other, foreign, True),
        (4, tag_only, lamp, False),
        (5, lamp, lamp, True),
        (6, more, kettle, True),
    ]
    assert {row["product_id"] for row in ingested("ditto_cameras/test.txt").tables["product"]} == {other, lamp}
    assert done.collapsed == [(10, 1)]
    assert done.quarantine == [
        (7, "expected two listings and a label, with tabs between them"),
        (8, "the label is neither 0 nor 1"),
        (9, "a listing does not begin with COL and VAL"),
    ]


def test_titles_lose_their_tags_and_the_rest_describes() -> None:
    kettle, other, lamp, foreign, tag_only, more = map(stated, ingested(SERIALISED).tables["product"])
    assert kettle["product_id"].startswith("wdc_ditto:")
    del kettle["product_id"]
    assert kettle == {
        "title": "Brackwater Kettle BK300, 3 l",
        "description": "BK300 | Pots & Pans",
        "category": "cameras",
        "locale": "us",
    }
    assert (other["title"], other["description"]) == (
        " Brackwater BK300 Kettle ",
        "Kettles - Page 4 | Kitchen Outlet",
    )
    assert (lamp["title"], lamp["description"]) == ('Lumen 13" Desk Lamp', "Oak | Lamp House")
    assert foreign["locale"] == "us"
    assert ("title" in tag_only, tag_only["description"]) == (False, "Lampenhaus")
    assert (more["title"], more["description"], more["price"]) == ("Brackwater kettle", "A kettle.", "49.88 EUR")
    assert more["features"] == ["specTableContent: Volume 3 l"]


@pytest.mark.parametrize("white", ["\\n", "\\t", "\N{NO-BREAK SPACE}"])
def test_white_space_before_a_literal_is_no_part_of_it(white: str, tmp_path: Path) -> None:
    line = f'{{"id_left": 1, "id_right": 2, "label": 0, "title_left": "{white} \\"Oak table\\"@en \\"Null\\""}}\n'
    (tmp_path / "line.json").write_text(line, encoding="utf-8")
    done = ingest(tmp_path / "line.json", SOURCES.get("wdc_products"), "cameras/test.json")
    assert stated(done.tables["product"][0]) == {"product_id": "wdc2017:1", "title": "Oak table"} | {
        name: done.tables["product"][0][name] for name in ("category", "locale")
    }


def test_the_folder_of_all_categories_is_none() -> None:
    assert {row["category"] for row in ingested("all/valid.txt.medium").tables["product"]} == {None}


def test_offers_of_2020_have_clusters_for_parents() -> None:
    done = ingested("wdcproducts80cc20rnd000un_train_small.json.gz")
    desk, table, lid = map(stated, done.tables["product"])
    assert desk == {
        "product_id": "wdc2020:501",
        "parent_id": "wdc2020_cluster:7",
        "title": "Lumen Oak Desk Lamp",
        "brand": "Lumen",
        "price": "39.90 GBP",
        "locale": "us",
    }
    assert (table["parent_id"], table["title"], table["price"]) == (
        "wdc2020_cluster:7",
        '"Lumen" table lamp, oak',
        "42.5",
    )
    assert "price" not in lid
    assert [(row["left_id"], row["right_id"], row["is_match"]) for row in done.tables["match"]] == [
        ("wdc2020:501", "wdc2020:502", True),
        ("wdc2020:501", "wdc2020:503", False),
    ]
    assert [line for line, _ in done.quarantine] == [3, 4]


def test_offers_of_2017_are_others_and_their_texts_lose_their_tags() -> None:
    done = ingested("cameras/train_small.json.gz")
    first, second, third = map(stated, done.tables["product"])
    assert first == {
        "product_id": "wdc2017:501",
        "parent_id": "wdc2017_cluster:7",
        "title": "Lumen Oak Lamp",
        "description": "An oak lamp.",
        "brand": "Lumen",
        "price": "GBP 39.90",
        "features": ["specTableContent: Height 40 cm"],
        "category": "cameras",
        "locale": "us",
    }
    assert second["description"] == "Lumen Oak Lamp | Lamp House"
    assert "features" not in third


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ('"Lamp"@en', ("Lamp", None)),
        ('"Lamp"', ("Lamp", None)),
        ("Lamp", ("Lamp", None)),
        ('"Lamp "oak" style"@en-GB', ('Lamp "oak" style', None)),
        ('"Screen 27" wide" 27 | Shop"', ('Screen 27" wide', "27 | Shop")),
        ('"Watch AB1200" AB1300 | Shop"', ("Watch AB1200", "AB1300 | Shop")),
        ('" Watch AB12 "Watches | Shop"', (" Watch AB12 ", "Watches | Shop")),
        ('"Case 3.5"', ("Case 3.5", None)),
        ('"Lamp", "Null" Price"', ("Lamp", "Price")),
        ('"Lamp" "Null"', ("Lamp", None)),
        ('"Null", "Lamp"', ("Lamp", None)),
        ('"Null"@en "Lamp"@en', ("Lamp", None)),
        ('"Null Island map"', ("Null Island map", None)),
        ('"The "Null" pointer"@en', ('The "Null" pointer', None)),
        (", Inc. lamp", (", Inc. lamp", None)),
        ('""@nl "Shop"@nl', (None, "Shop")),
        ('IL "@en " Lamp House"@en', ("IL ", "Lamp House")),
        ('"', (None, None)),
    ],
)
def test_the_first_literal_is_the_title(title: str, expected: tuple[str | None, str | None], tmp_path: Path) -> None:
    assert said(title, tmp_path) == expected


@given(st.text(alphabet='"@en- ,COLVAL\t1.', max_size=60))
def test_no_line_breaks_the_reading(line: str) -> None:
    kind = SOURCES.get("wdc_products").kind_of(SERIALISED)
    assert kind is not None
    assert kind[0].admit is not None
    with contextlib.suppress(Inadmissible):
        pair = kind[0].admit(line)
        assert pair.left.key.startswith("wdc_ditto:")
        assert not pair.left.said["title"] or '"@en' not in pair.left.said["title"]


REAL = {
    "cameras": {"test.txt": (1057, 288), "train.txt.small": (1409, 367), "valid.txt.small": (392, 97)},
    "computers": {"test.txt": (1098, 299), "train.txt.small": (2231, 557), "valid.txt.small": (536, 149)},
    "shoes": {"test.txt": (1084, 295), "train.txt.small": (1611, 422), "valid.txt.small": (404, 95)},
    "watches": {"test.txt": (1012, 274), "train.txt.small": (1756, 455), "valid.txt.small": (413, 102)},
}
"""Lines, and lines with the label 1, of each file."""


def test_real_pairs_are_all_there_and_each_listing_once_a_file(real_corpora: Path) -> None:
    keys: dict[str, str] = {}
    for category, files in REAL.items():
        for name, (count, matching) in files.items():
            file = f"ditto_{category}/{name}"
            lines = (real_corpora / "wdc_products" / file).read_text(encoding="utf-8").split("\n")[:-1]
            assert (len(lines), sum(line.endswith("\t1") for line in lines)) == (count, matching)
            done = ingest(real_corpora / "wdc_products" / file, SOURCES.get("wdc_products"), file)
            assert not done.quarantine
            assert done.counts.records == count
            assert done.counts.collapsed == count - len(set(lines))
            distinct = [line.split("\t") for line in dict.fromkeys(lines)]
            assert len(done.tables["match"]) == len(distinct)
            assert Counter(row["is_match"] for row in done.tables["match"])[True] == sum(
                label == "1" for *_, label in distinct
            )
            products = done.tables["product"]
            assert len(products) == len({side for left, right, _ in distinct for side in (left, right)})
            assert all(row["title"] and '"@' not in row["title"] for row in products)
            keys.update({row["product_id"]: row["title"] for row in products})
    assert len(keys) == 10651
