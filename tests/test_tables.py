"""Columns become rows of a canonical table, or are refused."""

from typing import Any

import pyarrow as pa
import pytest

from ecinstruct_build.tables import TABLES, arrow_table, repeated

COLUMNS: dict[str, Any] = {
    "product_id": ["asin:B1", "asin:B2"],
    "locale": repeated("us", 2),
    "source": repeated("here", 2),
    "file": ["a.json", "a.json"],
    "line": pa.array([1, 2]),
}


def test_lists_and_arrow_arrays_make_the_same_rows() -> None:
    lists = {name: list(pa.array(values).to_pylist()) for name, values in COLUMNS.items()}
    table = arrow_table("product", COLUMNS)
    assert table.equals(arrow_table("product", lists))
    assert table.schema.equals(TABLES["product"].schema)
    assert table["locale"].to_pylist() == ["us", "us"]
    assert table["title"].to_pylist() == [None, None]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"colour": ["red", "red"]}, "no column colour"),
        ({"locale": pa.nulls(2, pa.string())}, "column locale of table product holds nulls"),
        ({"line": ["1", "2"]}, "1"),
        ({"line": pa.array(["1", "2"])}, "column line of table product is not of the table's type"),
        ({"title": ["one row only"]}, "length"),
    ],
)
def test_columns_that_do_not_fit_are_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises((ValueError, pa.ArrowTypeError, TypeError), match=message):
        arrow_table("product", COLUMNS | change)


def test_a_required_column_that_is_left_out_is_refused() -> None:
    columns = {name: values for name, values in COLUMNS.items() if name != "locale"}
    with pytest.raises(ValueError, match="column locale of table product holds nulls"):
        arrow_table("product", columns)
