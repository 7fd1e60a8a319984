"""Values located in titles: AE-110K and OA-Mine in their own forms and as JSON lines."""

import json
from pathlib import Path
from typing import Any

import pytest
import source_fixtures
from hypothesis import example, given
from hypothesis import strategies as st
from ingesting import Ingested, ingest

from ecinstruct_build.ingesting.target_scores import locate, title_key
from ecinstruct_build.registry import SOURCES

ROD = "Tidewater Carbon Fishing Rod 2.1m  Light Spinning Rods Carbon 2018"


def ingested(source: str, file: str) -> Ingested:
    return ingest(source_fixtures.FOLDER / source / file, SOURCES.get(source), file)


def stated(row: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in row.items() if value is not None and key not in ("source", "file", "line")}


def spoken(row: dict[str, Any]) -> tuple[str, str | None, list[str], list[tuple[int, int]]]:
    """The attribute, its value, and what stands at its places, which the evidences must say too."""
    title = row["paragraphs"][0]["text"]
    places = [(evidence["begin"], evidence["end"]) for evidence in row["evidences"]]
    assert [evidence["value"] for evidence in row["evidences"]] == [title[begin:end] for begin, end in places]
    assert {evidence["pid"] for evidence in row["evidences"]} <= {0}
    return row["attribute"], row["value"], [title[begin:end] for begin, end in places], places


@pytest.mark.parametrize(
    ("title", "value", "expected"),
    [
        ("red cap, red band", "red", ["red", "red"]),
        ("Red cap, red band", "red", ["red"]),
        ("Red cap", "red", ["Red"]),
        ("Printed cap", "Print", ["Print"]),
        ("Printed cap with print", "print", ["print"]),
        ("Printed cap, Print", "Print", ["Print"]),
        ("cap", "  cap ", ["cap"]),
        ("3 pcs  per lot", "3 PCS per lot", ["3 pcs  per lot"]),
        ("#1-#5 cap", "#1-#5", ["#1-#5"]),
        ("size 1.5 (new)", "1.5 (", ["1.5 ("]),
        ("Maple Unisex cap", "M", []),
        ("Maple Unisex cap", "x", []),
        ("Women cap", "Men", []),
        ("Womens cap", "women", ["Women"]),
        ("SnowmobileSki Mask", "Ski Mask", ["Ski Mask"]),
        ("2018 cap 20302", "203", []),
        ("2018 cap 20302", "018", []),
        ("cap 0.125 l", "125", []),
        ("cap DG335b", "335", ["335"]),
        ("6.5cm cap", "6.5", ["6.5"]),
        ("cap - new", "-", []),
        ("cap", "hat", []),
        ("cap", " ", []),
        ("a cap" + " or a cap" * 20, "cap", ["cap"] * 10),
    ],
)
def test_values_are_found_as_they_stand(title, value, expected):
    places = locate(title, value)
    assert [title[begin:end] for begin, end in places] == expected
    assert list(places) == sorted(places)


def test_whole_words_win_over_parts_of_words():
    assert locate("Printing of a Print", "Print") == ((14, 19),)


@given(st.text(max_size=30), st.text(max_size=30), st.text(min_size=1, max_size=10))
@example("Straße ", "", "STRASSE")
def test_a_value_that_stands_in_the_title_is_found_and_every_place_holds_it(before, after, value):
    title = f"{before} {value} {after}"
    places = locate(title, value)
    assert bool(places) == any(map(str.isalnum, value))
    assert all(title[begin:end] == value.strip() for begin, end in places)


def test_locating_takes_time_in_proportion():
    assert locate("a " * 200_000, "a " * 90 + "b") == ()
    assert locate("ab " * 200_000, "b a") == ()
    assert len(locate("ab " * 200_000, "ab a")) == 10


def test_triples():
    done = ingested("ae110k", "publish_data.txt")
    key = title_key("ae110k", ROD)
    rows = done.tables["attribute"]
    assert stated(rows[0]) == {
        "product_id": key,
        "attribute": "Material",
        "value": "Carbon",
        "evidences": [
            {"value": "Carbon", "pid": 0, "begin": 10, "end": 16},
            {"value": "Carbon", "pid": 0, "begin": 55, "end": 61},
        ],
        "paragraphs": [{"source": "title", "text": ROD}],
        "catalogue": "ae110k",
        "locale": "us",
    }
    assert [spoken(row)[:3] for row in rows[1:]] == [
        ("Length", "2.1m", ["2.1m"]),
        ("Category", "Rod", ["Rod"]),
        ("Power", None, []),
        ("Brand Name", "Tidewater", ["Tidewater"]),
        ("Technique", "Light Spinning", ["Light Spinning"]),
        ("Hardness", "Medium", []),
        ("Pattern", "print", ["print"]),
    ]
    assert {row["product_id"] for row in rows[:-1]} == {key}
    assert done.quarantine == [(line, "not a title, an attribute and a value") for line in (8, 9, 10)]
    assert done.collapsed == [(12, 1)]
    assert stated(done.tables["product"][0]) == {"product_id": key, "title": ROD, "locale": "us"}
    assert done.tables["product"][-1]["title"] == "Café swimming cap, printed"


def test_json_lines_give_a_row_for_each_attribute():
    done = ingested("ae110k", "train.jsonl")
    rows = done.tables["attribute"]
    assert [spoken(row)[:3] for row in rows] == [
        ("Material", "Carbon", ["Carbon", "Carbon"]),
        ("Power", None, []),
        ("Feature", "Carbon Fishing", ["Carbon Fishing", "Light"]),
    ]
    assert {row["category"] for row in rows} == {"Fishing_Rod"}
    assert {row["product_id"] for row in rows} == {title_key("ae110k", ROD)}
    assert [line for line, _ in done.quarantine] == [2, 3, 4, 5]
    assert [row["title"] for row in done.tables["product"]] == [ROD, "A bare cap"]


def test_both_forms_of_a_corpus_name_a_product_alike_and_two_corpora_differently():
    products = {
        ingested("ae110k", file).tables["product"][0]["product_id"] for file in ("publish_data.txt", "train.jsonl")
    }
    assert products == {title_key("ae110k", ROD.replace("  ", " "))}
    assert title_key("oa_mine", ROD) not in products


def test_annotations_count_in_the_title():
    done = ingested("oa_mine", "annotations/ground_coffee.jsonl")
    rows = done.tables["attribute"]
    assert [spoken(row) for row in rows] == [
        ("Brand", "Brackwater", ["Brackwater"], [(0, 10)]),
        ("Roast", "Dark Roast", ["Dark Roast", "dark"], [(11, 21), (30, 34)]),
        ("Size", "12 oz", ["12 oz"], [(42, 47)]),
        ("Form", "beans", ["beans"], [(35, 40)]),
        ("Diet", "Vegan", [], []),
        ("Item", "Coffee", ["Coffee"], [(22, 28)]),
    ]
    assert {(row["product_id"], row["category"], row["catalogue"]) for row in rows} == {
        ("asin:B00COFFEE1", "ground_coffee", "oa_mine")
    }
    assert [line for line, _ in done.quarantine] == [2, 3]
    assert [row["product_id"] for row in done.tables["product"]] == ["asin:B00COFFEE1", "asin:B00COFFEE2"]


def test_product_texts_of_oa_mine():
    first, second = ingested("oa_mine", "raw/ground_coffee.jsonl").tables["product"]
    assert stated(first) == {
        "product_id": "asin:B00COFFEE1",
        "title": "Brackwater Dark Roast Coffee, dark beans, 12 oz",
        "description": "Beans from one farm.",
        "features": ["Roasted slowly"],
        "category": "ground_coffee",
        "locale": "us",
    }
    assert (second["title"], second["features"]) == (None, ["One only"])


def test_oa_mine_as_json_lines_is_keyed_by_title():
    row = ingested("oa_mine", "train.jsonl").tables["attribute"][0]
    assert row["product_id"].startswith("oa_mine:")
    assert spoken(row) == ("Brand", "Brackwater", ["Brackwater"], [(0, 10)])


@pytest.mark.parametrize("source", ["ae110k", "oa_mine"])
def test_small_samples_of_the_json_lines_are_not_read(source):
    assert SOURCES.get(source).kind_of("train_0.2.jsonl") is None


@pytest.mark.slow
@pytest.mark.parametrize(("file", "titles", "lost"), [("train.jsonl", 1568, 63), ("test.jsonl", 524, 23)])
def test_genuine_pieces(real_corpora: Path, file, titles, lost):
    unplaced = 0
    path = real_corpora / "ae110k" / file
    done = ingest(path, SOURCES.get("ae110k"), file)
    assert (done.counts.records, done.counts.ingested, len(done.tables["product"])) == (titles, titles, titles)
    raw = [json.loads(line) for line in path.read_text().splitlines()]
    expected = [
        (row["input"], name, set(values) - {"n/a"}) for row in raw for name, values in row["target_scores"].items()
    ]
    rows = done.tables["attribute"]
    assert len(rows) == len(expected)
    for row, (title, name, values) in zip(rows, expected, strict=True):
        attribute, value, found, _ = spoken(row)
        assert (attribute, row["paragraphs"][0]["text"]) == (name, title)
        assert (value is None) == (not values)
        missing = {value.strip().casefold() for value in values} - {value.casefold() for value in found}
        assert all(value.strip().casefold() in title.casefold() for value in missing)
        unplaced += len(missing)
    assert unplaced == lost
