"""The first row of a CSV: what it names is read from where it stands, or the file is refused in one clear sentence."""

import csv
import gzip
import io
import random
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from accounted import FAST
from configured import FIXTURES, files_of, source_of
from hypothesis import given
from hypothesis import strategies as st
from ingesting import Ingested, ingest, ingest_bytes, plain_source

from ecinstruct_build.errors import UserError
from ecinstruct_build.ingesting.catalogue_settings import CatalogueSettings
from ecinstruct_build.registry import SOURCES
from ecinstruct_build.source import FileKind, Source
from sources.catalogue import configure

CSV = plain_source("csv")
COLUMNS = ("id", "title", "note")
ROWS = (("1", "one", "x"), ("2", "two", "y"))


def written(columns: list[str], delimiter: str = ",", start: bytes = b"") -> bytes:
    """Write the rows under a header of these columns; one that is none of them is empty."""
    cells = [[dict(zip(COLUMNS, row, strict=True)).get(column, "") for column in columns] for row in ROWS]
    return start + b"".join(delimiter.join(line).encode() + b"\n" for line in (columns, *cells))


def read(done: Ingested) -> list[tuple[str, str | None]]:
    return [(row["product_id"], row["title"]) for row in done.tables["product"]]


@given(st.permutations(COLUMNS), st.sampled_from([b"", b"\xef\xbb\xbf", b"\n", b"\r\n\n", b",,\n"]))
def test_columns_are_told_by_name_wherever_they_stand(columns: list[str], start: bytes) -> None:
    done = ingest_bytes(written(columns, start=start), CSV)
    assert read(done) == [("item:1", "one"), ("item:2", "two")]


def test_names_may_be_quoted_and_have_blanks_around_them() -> None:
    done = ingest_bytes(b'\xef\xbb\xbf"id", title ,"no\nte"\n1,one,x\n', CSV)
    assert read(done) == [("item:1", "one")]


@pytest.mark.parametrize("columns", [["id", "title", "title"], ["id", "title", "id"], ["id", " id", "title"]])
def test_a_column_that_is_read_must_not_be_named_twice(columns: list[str]) -> None:
    with pytest.raises(UserError, match=r"names the column (id|title) more than once.* Rename or remove"):
        ingest_bytes(written(columns), CSV)


def test_what_is_not_read_may_be_named_twice_or_not_at_all() -> None:
    assert read(ingest_bytes(written(["", "id", "note", "title", "note", ""]), CSV)) == [
        ("item:1", "one"),
        ("item:2", "two"),
    ]


@pytest.mark.parametrize(
    "header",
    [
        b"",
        b"\n\n",
        b"title,note",
        b"ID,title",
        b"id;title",
        b"id\ttitle",
        b"identity,title",
        b'"id,title',
        b"\xff,\xfe",
    ],
)
def test_a_header_without_the_id_is_refused_in_one_printable_sentence(header: bytes) -> None:
    with pytest.raises(UserError, match=r"lacks the column id \(it has: |is empty: its first row must name") as caught:
        ingest_bytes(header + b"\n1,one\n2,two\n" if header.strip() else header, CSV)
    assert str(caught.value).isprintable()


def test_a_header_of_many_columns_is_not_quoted_in_full() -> None:
    with pytest.raises(UserError) as caught:
        ingest_bytes(",".join(f"column {number}" for number in range(10_000)).encode() + b"\n", CSV)
    assert len(str(caught.value)) < 2000


def test_a_parquet_file_with_a_column_twice_is_refused_like_a_csv() -> None:
    sink = io.BytesIO()
    table = pa.table([pa.array([1]), pa.array(["a"]), pa.array(["b"])], names=["id", "title", "title"])
    pq.write_table(table, sink)
    with pytest.raises(UserError, match="names the column title more than once"):
        ingest_bytes(sink.getvalue(), plain_source("parquet"))


def test_of_a_catalogue_the_columns_that_the_recipe_names_are_read() -> None:
    product = {"id": "sku", "title": "name", "brand": "maker"}
    table = {"file": "*.csv", "optional": ["maker"], "product": product}
    source = configure(CatalogueSettings.model_validate({"tables": [table]}))
    assert ingest_bytes(b"sku,name,memo,memo\n1,Pen,a,b\n", source, "items.csv").counts.ingested == 1
    with pytest.raises(UserError, match="names the column maker more than once"):
        ingest_bytes(b"sku,name,maker,maker\n1,Pen,a,b\n", source, "items.csv")


# Every CSV of every source, from its fixtures.


@dataclass(frozen=True)
class Headed:
    """A fixture with a header, as text."""

    source: Source
    kind: FileKind
    file: str
    rows: Sequence[Sequence[str]]

    def read(
        self, rows: Sequence[Sequence[str]], start: str = "", delimiter: str = ""
    ) -> dict[str, list[dict[str, Any]]]:
        """Return the rows by table, with lists in order, so that the order of columns shows in none of them."""
        text = io.StringIO()
        writer = csv.writer(text, delimiter=delimiter or self.kind.delimiter, lineterminator="\n")
        writer.writerows(rows)
        data = start.encode() + text.getvalue().encode(self.kind.encoding, "surrogateescape")
        with tempfile.TemporaryDirectory(dir=FAST) as place:
            path = Path(place, "data")
            path.write_bytes(data)
            tables = ingest(path, self.source, self.file).tables
        return {
            name: [{key: _unordered(value) for key, value in row.items() if key != "excerpt"} for row in found]
            for name, found in tables.items()
        }


def _unordered(value: Any) -> Any:
    return sorted(map(str, value)) if isinstance(value, list) else value


@cache
def headed(name: str, file: str) -> Headed | None:
    source = source_of(name)
    found = source.kind_of(file)
    if found is None or found[0].format != "csv" or found[0].columns:
        return None
    path = FIXTURES / name / file
    data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    text = data.decode(found[0].encoding, "surrogateescape").removeprefix("\ufeff")
    rows = [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=found[0].delimiter) if row]
    return Headed(source, found[0], file, rows)


ALL = [(name, file) for name in SOURCES.names() for file in files_of(name) if headed(name, file)]


@pytest.fixture(params=ALL, ids=lambda which: f"{which[0]}-{which[1]}")
def fixture(request: pytest.FixtureRequest) -> Headed:
    found = headed(*request.param)
    assert found is not None
    return found


def picked(rows: Sequence[Sequence[str]], order: Sequence[int]) -> list[list[str]]:
    """Return the rows with the cells of these places; a row that is too short or too long stays so."""
    return [[row[place] for place in order] if len(row) == len(rows[0]) else list(row) for row in rows]


def test_the_columns_of_any_source_may_stand_in_any_order(fixture: Headed) -> None:
    order = random.Random(fixture.file).sample(range(len(fixture.rows[0])), len(fixture.rows[0]))
    assert fixture.read(picked(fixture.rows, order)) == fixture.read(fixture.rows)


def test_a_mark_at_the_start_and_blanks_in_the_header_of_any_source_change_nothing(fixture: Headed) -> None:
    header = [f" {name}  " for name in fixture.rows[0]]
    assert fixture.read([header, *fixture.rows[1:]], start="\ufeff") == fixture.read(fixture.rows)


def test_a_needed_column_of_any_source_must_be_there_under_its_name(fixture: Headed) -> None:
    header = list(fixture.rows[0])
    for name in fixture.kind.needed_columns:
        for other in (f"{name}_", f"{name}\u00a0x", "", name.swapcase()):
            changed = [other if column == name else column for column in header]
            if name not in changed:
                with pytest.raises(UserError, match="lacks the column"):
                    fixture.read([changed, *fixture.rows[1:]])
        without = [place for place, column in enumerate(header) if column != name]
        with pytest.raises(UserError, match=r"lacks the column|is empty"):
            fixture.read(picked(fixture.rows, without))


def test_no_column_that_is_read_of_any_source_may_stand_twice(fixture: Headed) -> None:
    header = fixture.rows[0]
    for place, name in enumerate(header):
        rows = picked(fixture.rows, [*range(len(header)), place])
        if fixture.kind.read_columns is None or name in fixture.kind.read_columns:
            with pytest.raises(UserError, match="more than once"):
                fixture.read(rows)


def test_a_column_of_any_source_under_another_name_is_as_good_as_absent(fixture: Headed) -> None:
    if fixture.kind.read_columns is None:
        return  # those read every column under whatever name
    header, *rows = (row for row in fixture.rows if len(row) == len(fixture.rows[0]))
    for place, name in enumerate(header):
        if name not in fixture.kind.needed_columns:
            renamed = fixture.read([[*header[:place], f"{name}2", *header[place + 1 :]], *rows])
            without = fixture.read(picked([header, *rows], [one for one in range(len(header)) if one != place]))
            for table in fixture.kind.tables:
                assert unplaced(renamed[table]) == unplaced(without[table])


def unplaced(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return rows without their lines, which move where a cell that spans lines is gone."""
    return [{name: value for name, value in row.items() if name != "line"} for row in rows]


def test_another_delimiter_is_no_header_of_any_source(fixture: Headed) -> None:
    for delimiter in {",", ";", "\t", "|"} - {fixture.kind.delimiter}:
        if len(fixture.rows[0]) > 1:
            with pytest.raises(UserError, match="lacks the column"):
                fixture.read(fixture.rows, delimiter=delimiter)
