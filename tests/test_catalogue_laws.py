"""What holds for any catalogue: cells come back as they were written, and every record is accounted for."""

import csv
import io
import json
import random
import tomllib
from typing import Any

import pytest
from configured import FIXTURES, SETTINGS, files_of, source_of
from hypothesis import given, settings
from hypothesis import strategies as st
from ingesting import ingest, ingest_bytes

from ecinstruct_build.drawing.paragraphs import product_paragraphs
from ecinstruct_build.ingesting.catalogue_settings import CatalogueSettings
from ecinstruct_build.ingesting.locating import evidences, locate
from ecinstruct_build.source import Source
from sources.catalogue import configure

QUICK = settings(max_examples=40, deadline=None)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
CELLS = st.one_of(TEXT, st.sampled_from(['"', '""', ",", "\r\n", "a\nb", " ", "\x00", "\ufeff", "0042", "=1+1", ";"]))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)


def shop(table: dict[str, Any]) -> Source:
    return configure(CatalogueSettings.model_validate({"tables": [table], "namespace": "acme"}))


def blank(cell: str) -> bool:
    return not cell.strip()


@QUICK
@given(
    rows=st.lists(st.tuples(CELLS, CELLS, CELLS, CELLS), max_size=6, unique=True), delimiter=st.sampled_from(",;|\t")
)
def test_any_cells_that_the_csv_module_writes_are_read_back(rows: list[tuple[str, ...]], delimiter: str):
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=delimiter)
    writer.writerows([["id", "brand", "main", "more"], *rows])
    columns = {"id": "id", "title": "brand", "brand": "brand", "main_category": "main", "description": "more"}
    source = shop({"file": "p.csv", "delimiter": delimiter, "product": columns})
    done = ingest_bytes(text.getvalue().encode(), source, "p.csv")
    wanted = [row for row in rows if not blank(row[0])]
    said = ("product_id", "brand", "main_category", "description")
    read = [tuple(row[name] for name in said) for row in done.tables.get("product", [])]
    assert read == [
        (f"acme:{' '.join(row[0].split())}", *(None if blank(cell) else cell for cell in row[1:])) for row in wanted
    ]
    assert done.counts.ingested == len(wanted)
    assert {reason for _, reason in done.quarantine} <= {"id is empty"}


PARTS = {
    "product": {"id": "a", "title": "b", "features": "c", "price": "d", "parent_id": "e", "categories": "b"},
    "attributes": {"Size": "c", "Kind": {"column": "d", "separator": "json"}},
    "relations": {"also_buy": "e", "similar": {"column": "c", "separator": " "}},
    "same_as": "d",
    "review": {"rating": "c", "user": "d", "time": "e", "helpful": "b", "verified": "d", "text": "b"},
    "judgement": {"query": "b", "label": "c"},
    "match": {"right": "e", "is_match": "c"},
    "question": {"question": "b", "answers": {"column": "c", "helpful": "d"}, "snippets": "e", "answerable": "d"},
    "session": {"products": "e", "id": "d"},
}


@pytest.mark.parametrize("part", [name for name in PARTS if name != "product"])
@settings(max_examples=12, deadline=None)
@given(records=st.lists(st.dictionaries(st.sampled_from("abcde"), JSON, max_size=5), min_size=1, max_size=6))
def test_no_record_is_lost_whatever_it_holds(part: str, records: list[dict[str, Any]]):
    table = {"file": "x.jsonl", "optional": ["*"], "product": PARTS["product"], part: PARTS[part]}
    data = "".join(json.dumps(record) + "\n" for record in records).encode()
    counts = ingest_bytes(data, shop(table), "x.jsonl").counts
    assert counts.records == len(records) == counts.ingested + counts.quarantined + counts.collapsed
    values = {
        str(value) for record in records for value in record.values() if isinstance(value, str) and len(value) > 9
    }
    assert not [reason for reason in counts.reasons for value in values if value in reason]


def shuffled(value: Any, rng: random.Random) -> Any:
    if isinstance(value, dict):
        return {key: shuffled(value[key], rng) for key in rng.sample(sorted(value), len(value))}
    return value


@pytest.mark.parametrize("file", files_of("catalogue"))
def test_the_order_of_keys_does_not_matter(file: str):
    described = tomllib.loads((FIXTURES / "catalogue" / SETTINGS).read_text(encoding="utf-8"))
    path, written = FIXTURES / "catalogue" / file, []
    for seed in range(3):
        tables = [shuffled(table, random.Random(seed)) for table in described["tables"]]
        source = configure(CatalogueSettings.model_validate({**described, "tables": tables}))
        written.append(ingest(path, source, file).files)
    assert written[0] == written[1] == written[2] == ingest(path, source_of("catalogue"), file).files


@QUICK
@given(
    text=TEXT | st.sampled_from(["2.5 kg", "Bored, Red", "\u0130stanbul blue", "M5 5"]),
    value=TEXT,
    inside=st.booleans(),
)
def test_a_located_value_stands_there(text: str, value: str, inside: bool):
    for begin, end in locate(text, value, within_words=inside):
        found = text[begin:end]
        assert found.casefold().split() == value.casefold().split() or found.lower().split() == value.lower().split()


@pytest.mark.parametrize(
    ("text", "value", "places"),
    [
        ("A red hat", "red", [(2, 5)]),
        ("Bored of Red", "red", [(9, 12)]),
        ("A hatred", "red", []),
        ("2.5 kg or 5 kg", "5", [(10, 11)]),
        ("MX5 by Maker", "5", []),
        ("size 5.", "5", [(5, 6)]),
        ("stainless  steel", "Stainless Steel", [(0, 16)]),
        ("blue, light blue", "blue", [(0, 4), (12, 16)]),
        ("any", " ", []),
        ("\u0130 red", "RED", [(2, 5)]),
    ],
)
def test_values_are_sought_as_words_of_their_own(text: str, value: str, places: list[tuple[int, int]]):
    assert list(locate(text, value, within_words=False)) == places


def test_a_value_with_entities_is_found_in_the_mended_text():
    paragraphs = product_paragraphs("Salt &amp; pepper mill", None, None, None, None)
    assert [one["value"] for one in evidences(["salt &amp; pepper"], paragraphs)] == ["Salt & pepper"]
    assert evidences(["x" * 5000, "mil", ""], paragraphs) == []
