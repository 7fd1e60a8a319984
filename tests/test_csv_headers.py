"""The first row of a CSV: what it names is read from where it stands, or the file is refused in one clear sentence."""

import io

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ingesting import Ingested, ingest_bytes, plain_source

from ecinstruct_build.errors import UserError
from ecinstruct_build.ingesting.catalogue_settings import CatalogueSettings
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
