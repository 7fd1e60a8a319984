"""Amazon-M2: visits in order whatever form they come in, under an id made of what they hold."""

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import source_fixtures
from hypothesis import given
from hypothesis import strategies as st
from ingesting import Ingested, ingest

from ecinstruct_build.registry import SOURCES
from ecinstruct_build.source import Inadmissible
from sources.amazon_m2 import LOCALES, PrintedSession, read_printed

NAME = "amazon_m2"
SOURCE = SOURCES.get(NAME)
TRAIN, TEST = "sessions_train.csv", "sessions_test_task1_phase1.csv.gz"
PARQUET = "task2/public_test/sessions_test.parquet"


def ingested(file: str) -> Ingested:
    return ingest(source_fixtures.FOLDER / NAME / file, SOURCE, file)


def stated(row: dict[str, Any]) -> dict[str, Any]:
    """The row without its corpus, its file and its nulls."""
    return {key: value for key, value in row.items() if value is not None and key not in {"source", "file"}}


def visits(done: Ingested) -> list[tuple[str, list[str], int]]:
    return [(row["locale"], row["product_ids"], row["line"]) for row in done.tables["session"]]


def test_golden_sessions_of_a_csv() -> None:
    done = ingested(TRAIN)
    assert visits(done) == [
        ("gb", ["asin:B0KETTLEUK", "asin:B0TEAPOTUK", "asin:B0KETTLEUK", "asin:B0MUGSETUK"], 2),
        ("de", ["asin:B0TEEKANNE", "asin:B0KETTLEUK"], 4),
        ("jp", ["asin:B0YAKANJPX", "asin:B0CHAWANJP", "asin:B0YAKANJPX"], 5),
    ]
    assert {row["catalogue"] for row in done.tables["session"]} == {NAME}
    assert done.collapsed == [(6, 4)]
    assert done.quarantine == [
        (7, "prev_items names no product"),
        (8, "Invalid enum value 'PL' - at `$.locale`"),
        (9, "Object missing required field `prev_items`"),
    ]


def test_golden_sessions_of_parquet() -> None:
    done = ingested(PARQUET)
    assert visits(done) == [
        ("de", ["asin:B0TEEKANNE", "asin:B0KETTLEUK"], 1),
        ("es", ["asin:B0TETERAES"], 2),
        ("it", ["asin:B0MOKAITAL", "asin:B0TAZZINAX", "asin:B0MOKAITAL"], 7),
    ]
    assert done.collapsed == [(3, 1)]
    assert done.quarantine == [
        (4, "prev_items names no product"),
        (5, "Expected `str` matching regex '^\\\\S+\\\\Z' - at `$.prev_items[1]`"),
        (6, "Expected `array`, got `null` - at `$.prev_items`"),
    ]


def test_golden_products() -> None:
    done = ingested("products_train.csv")
    first, second, middle, untitled, last = map(stated, done.tables["product"])
    assert first == {
        "product_id": "asin:B0KETTLEUK",
        "title": "Brackwater steel kettle, 1.7 l",
        "description": "Boils fast.\nWhistles.",
        "brand": "Brackwater",
        "price": "24.99",
        "locale": "gb",
        "line": 2,
    }
    assert (second["product_id"], second["locale"], second["price"]) == ("asin:B0KETTLEUK", "de", "27.5")
    assert middle == {
        "product_id": "asin:B0TEEKANNE",
        "title": "Teekanne mit Sieb & Deckel",
        "description": "Für zwei Tassen.",
        "locale": "de",
        "line": 5,
    }
    assert untitled == {"product_id": "asin:B0TETERAES", "price": "0.0", "locale": "es", "line": 6}
    assert (last["product_id"], last["locale"]) == ("asin:B0YAKANJPX", "jp")
    assert done.quarantine == [
        (8, "Invalid enum value 'US' - at `$.locale`"),
        (9, "Object missing required field `id`"),
        (10, "expected 11 cells, got 3"),
    ]


def test_a_visit_keeps_its_id_in_every_file_and_form() -> None:
    ids = {
        file: {tuple(row["product_ids"]): row["session_id"] for row in ingested(file).tables["session"]}
        for file in (TRAIN, TEST, PARQUET)
    }
    both = ("asin:B0TEEKANNE", "asin:B0KETTLEUK")
    assert ids[TRAIN][both] == ids[TEST][both] == ids[PARQUET][both]
    assert ids[TRAIN][both].startswith("de-")


def test_other_visits_have_other_ids() -> None:
    rows = [row for file in (TRAIN, TEST, PARQUET) for row in ingested(file).tables["session"]]
    told = {(row["locale"], *row["product_ids"]): row["session_id"] for row in rows}
    assert len(set(told.values())) == len(told)


def test_every_marketplace_has_a_locale_of_its_own() -> None:
    assert LOCALES["UK"] == "gb"
    assert len(set(LOCALES.values())) == 6


@given(st.lists(st.from_regex(r"[0-9A-Z]{10}", fullmatch=True), min_size=1, max_size=300))
def test_what_numpy_prints_is_read_back(items: list[str]) -> None:
    assert read_printed(PrintedSession(str(np.array(items)), "UK")).prev_items == items


@pytest.mark.parametrize("text", ["", "[]", "nan", "['", "[' ' '']", "B0KETTLEUK"])
def test_text_without_a_product_is_refused(text: str) -> None:
    with pytest.raises(Inadmissible):
        read_printed(PrintedSession(text, "UK"))


def test_people_are_told_where_to_get_what_needs_an_account() -> None:
    remotes = {remote.file: remote for remote in SOURCE.remotes}
    assert "aicrowd.com" in remotes["sessions_train.csv"].steps
    assert not remotes["products_train.csv"].urls
    assert not remotes["products_train.csv"].alternative
    assert all(SOURCE.kind_of(file) for file in remotes)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("file", "rows", "public"),
    [
        ("task2_public_test_sessions_test.parquet", 34_688, "task2/public_test/sessions_test.parquet"),
        ("task3_test_phrase1_sessions_test.parquet", 56_421, "task3/test/phrase1_sessions_test.parquet"),
    ],
)
def test_the_real_sessions_are_read_in_full(real_corpora: Path, file: str, rows: int, public: str) -> None:
    path = real_corpora / NAME / file
    done = ingest(path, SOURCE, file)
    upstream = pq.read_table(path).to_pylist()
    distinct = Counter((row["locale"], *row["prev_items"]) for row in upstream)
    assert (done.counts.records, done.counts.quarantined) == (rows, 0)
    assert done.counts.ingested == len(distinct) == len({row["session_id"] for row in done.tables["session"]})
    assert done.counts.collapsed == rows - len(distinct)
    lengths = Counter(len(row["product_ids"]) for row in done.tables["session"])
    assert lengths == Counter(len(visit) - 1 for visit in distinct)
    remote = next(remote for remote in SOURCE.remotes if remote.file == public)
    assert remote.size == path.stat().st_size
