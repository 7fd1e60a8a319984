"""Quotes, commas and line ends in any order: what the csv module reads as a whole is read the same, block by block."""

import csv
import io
import json
from collections.abc import Mapping

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st
from ingesting import Ingested, ingest_bytes

from ecinstruct_build.ingesting.readers import Limits
from ecinstruct_build.source import Batch, FileKind, Source
from ecinstruct_build.tables import arrow_table

COLUMNS = ("one", "two")
TEXTS = st.text('"",,\n\n \r;x', max_size=40)
PIECES = st.lists(
    st.sampled_from(
        ['"', '""', ",", "\n", "\r\n", "x", '"x"', '"x,y"', '"x\ny"', "x,y\n", '"', '\n"', '",', "é", "\x00"]
    ),
    max_size=40,
).map("".join)


def convert(batch: Batch) -> Mapping[str, pa.Table]:
    columns = {
        "product_id": [f"line:{line}" for line in batch.lines],
        "title": [json.dumps(record) for record in batch.records],
        "locale": ["us"] * len(batch.records),
        **batch.origin(),
    }
    return {"product": arrow_table("product", columns)}


KIND = FileKind(".*", "csv", dict[str, str], ("product",), convert, "items", columns=COLUMNS)
SOURCE = Source("plain", "", "", "", "", redistributable=True, citation="", files=(KIND,))


def independent(text: str) -> tuple[dict[int, dict[str, str]], set[int]] | None:
    """Return the rows of two cells by line, and the lines of other rows, by the csv module; None if it refuses."""
    rows, others, start = {}, set(), 1
    lines = io.StringIO(text, newline="\n").readlines()
    reader = csv.reader(lines, strict=True)
    try:
        for cells in reader:
            if len(cells) == len(COLUMNS):
                rows[start] = {name: cell for name, cell in zip(COLUMNS, cells, strict=True) if cell}
            elif not "".join(lines[start - 1 : reader.line_num]).isspace():
                others.add(start)
            start = reader.line_num + 1
    except csv.Error:
        return None
    return rows, others


def read(done: Ingested) -> dict[int, dict[str, str]]:
    return {row["line"]: json.loads(row["title"]) for row in done.tables.get("product", [])}


@settings(max_examples=50)
@given(
    TEXTS | PIECES, st.sampled_from([Limits(), Limits(block_bytes=1), Limits(block_bytes=7), Limits(block_bytes=16)])
)
def test_rows_are_those_of_the_csv_module_whatever_the_blocks(text: str, limits: Limits) -> None:
    done = ingest_bytes(text.encode(), SOURCE, limits=limits)
    assert done.counts.records == done.counts.ingested + done.counts.quarantined + done.counts.collapsed
    found = independent(text)
    if found is not None:
        rows, others = found
        first = dict(done.collapsed)
        assert {line for line, _ in done.quarantine} == others
        assert read(done).keys() | first.keys() == rows.keys()
        for line, cells in rows.items():
            assert read(done)[first.get(line, line)] == cells


@settings(max_examples=50)
@given(TEXTS | PIECES)
def test_broken_quotes_are_told_alike_whatever_the_blocks(text: str) -> None:
    whole, *cut = (ingest_bytes(text.encode(), SOURCE, limits=Limits(block_bytes=size)) for size in (1 << 20, 1, 5, 16))
    for done in cut:
        assert (read(done), done.quarantine, done.collapsed) == (read(whole), whole.quarantine, whole.collapsed)
