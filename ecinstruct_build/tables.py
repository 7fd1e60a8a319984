"""The canonical tables: what every source fills and every task reads.

Sources and tasks never meet; these schemas are all they share. Rows hold upstream's text untouched
(entities, markup and all): cleaning is late work, done only for what a task draws. Columns mean the
same thing whichever corpus filled them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pyarrow as pa


@dataclass(frozen=True)
class Column:
    """One column of a canonical table.

    Attributes
    ----------
    name, type
        Its Arrow name and type.
    meaning
        What it holds, with units; it becomes the reference page.
    required
        Whether null is refused.
    """

    name: str
    type: pa.DataType
    meaning: str
    required: bool = False


@dataclass(frozen=True)
class CanonicalTable:
    """A named list of columns with the sentence that says what a row is."""

    name: str
    row: str
    columns: tuple[Column, ...]

    @cached_property
    def schema(self) -> pa.Schema:
        """The Arrow schema: the table's own columns, then the origin columns."""
        return pa.schema(
            pa.field(column.name, column.type, nullable=not column.required) for column in (*self.columns, *ORIGIN)
        )


ORIGIN = (
    Column("source", pa.string(), "the corpus that the row came from, by adapter name", required=True),
    Column("file", pa.string(), "upstream file, relative to the corpus's folder", required=True),
    Column("line", pa.int64(), "1-based line (or row) of the record in that file", required=True),
)

PARAGRAPH = pa.struct([pa.field("source", pa.string()), pa.field("text", pa.string())])
EVIDENCE = pa.struct(
    [
        pa.field("value", pa.string()),
        pa.field("pid", pa.int32()),
        pa.field("begin", pa.int32()),
        pa.field("end", pa.int32()),
    ]
)
ANSWER = pa.struct(
    [
        pa.field("text", pa.string()),
        pa.field("kind", pa.string()),
        pa.field("helpful", pa.int32()),
        pa.field("total", pa.int32()),
    ]
)

_PRODUCT_ID = Column("product_id", pa.string(), "namespaced product key, such as `asin:B00ABC1234`", required=True)
_CATALOGUE = Column(
    "catalogue", pa.string(), "the source whose `product` rows describe the products named here", required=True
)
_CATEGORY = Column("category", pa.string(), "domain of the record, in upstream's file naming (`Home_and_Kitchen`)")
_LOCALE = Column("locale", pa.string(), "marketplace, ISO 3166 lower case (`us`, `es`, `jp`)", required=True)

PRODUCT = CanonicalTable(
    "product",
    "What one corpus says of one product in one locale; the first row of (source, product_id, locale) wins.",
    (
        _PRODUCT_ID,
        Column("parent_id", pa.string(), "namespaced key of the product that this one is a variant of"),
        Column("title", pa.string(), "product name; null where upstream has none or a broken one"),
        Column("description", pa.string(), "description paragraphs joined by a newline"),
        Column("features", pa.list_(pa.string()), "bullet points, in upstream's order"),
        Column("brand", pa.string(), "brand or manufacturer"),
        Column("categories", pa.list_(pa.string()), "category path from general to special"),
        Column("price", pa.string(), "price as upstream writes it, currency included; null where unreadable"),
        Column("main_category", pa.string(), "department, as upstream names it"),
        _CATEGORY,
        _LOCALE,
    ),
)
REVIEW = CanonicalTable(
    "review",
    "One review (or, without text, one rating) of a product by a user.",
    (
        Column("review_id", pa.string(), "key of (user, product, time)", required=True),
        _PRODUCT_ID,
        Column("user_id", pa.string(), "upstream's reviewer id", required=True),
        Column("rating", pa.float64(), "stars, 1 to 5", required=True),
        Column("title", pa.string(), "the review's headline"),
        Column("text", pa.string(), "the review; null for a bare rating"),
        Column("timestamp", pa.int64(), "seconds since 1970, UTC", required=True),
        Column("helpful", pa.int64(), "votes that found it helpful"),
        Column("verified", pa.bool_(), "whether the purchase is verified"),
        _CATEGORY,
        _CATALOGUE,
        _LOCALE,
    ),
)
RELATION = CanonicalTable(
    "relation",
    "One product page naming another product.",
    (
        _PRODUCT_ID,
        Column("other_id", pa.string(), "namespaced key of the product named", required=True),
        Column("kind", pa.string(), "also_buy, also_view, similar or bought_together", required=True),
        _CATEGORY,
        _CATALOGUE,
        _LOCALE,
    ),
)
JUDGEMENT = CanonicalTable(
    "judgement",
    "One person's grade of one product for one shopping query.",
    (
        Column("query_id", pa.string(), "upstream's query id", required=True),
        Column("query", pa.string(), "the words searched for", required=True),
        _PRODUCT_ID,
        Column("label", pa.string(), "E exact, S substitute, C complement, I irrelevant", required=True),
        Column("subset", pa.string(), "`small` (the harder queries) or `large` (the rest)", required=True),
        _CATALOGUE,
        _LOCALE,
    ),
)
MATCH = CanonicalTable(
    "match",
    "Two listings and whether they are the same product.",
    (
        Column("left_id", pa.string(), "namespaced key of the one listing", required=True),
        Column("right_id", pa.string(), "namespaced key of the other listing", required=True),
        Column("is_match", pa.bool_(), "whether they are the same product", required=True),
        _CATALOGUE,
        _LOCALE,
    ),
)
ATTRIBUTE = CanonicalTable(
    "attribute",
    "One attribute of one product: its values with the text that shows them, or its absence.",
    (
        _PRODUCT_ID,
        Column("attribute", pa.string(), "attribute name", required=True),
        Column("value", pa.string(), "the first evidence's value; null = absent"),
        Column("evidences", pa.list_(EVIDENCE), "every value: paragraph number, and [begin, end) in characters"),
        Column(
            "paragraphs",
            pa.list_(PARAGRAPH),
            "the text that evidences count in; null = the product's own paragraphs in standard order",
        ),
        _CATEGORY,
        _CATALOGUE,
        _LOCALE,
    ),
)
QUESTION = CanonicalTable(
    "question",
    "One shopper's question about a product, with review snippets and answers.",
    (
        Column("question_id", pa.string(), "upstream's question id", required=True),
        _PRODUCT_ID,
        Column("question", pa.string(), "the question", required=True),
        Column("kind", pa.string(), "yesno or descriptive", required=True),
        Column("answerable", pa.bool_(), "whether the snippets answer it (a classifier's word)"),
        Column("snippets", pa.list_(pa.string()), "review snippets, best first"),
        Column("answers", pa.list_(ANSWER), "people's answers with helpful votes out of total votes"),
        _CATEGORY,
        _CATALOGUE,
        _LOCALE,
    ),
)
SESSION = CanonicalTable(
    "session",
    "Products looked at in one visit, in order.",
    (
        Column("session_id", pa.string(), "key of the visit", required=True),
        Column("product_ids", pa.list_(pa.string()), "namespaced product keys in order", required=True),
        _CATALOGUE,
        _LOCALE,
    ),
)

TABLES: Mapping[str, CanonicalTable] = {
    table.name: table for table in (PRODUCT, REVIEW, RELATION, JUDGEMENT, MATCH, ATTRIBUTE, QUESTION, SESSION)
}


def repeated(text: str, count: int) -> pa.Array:
    """Return a column that holds ``text`` in each of ``count`` rows; several times as fast as a list of it."""
    return pa.repeat(pa.scalar(text, pa.string()), count)


def arrow_table(name: str, columns: Mapping[str, Iterable[Any]]) -> pa.Table:
    """Build rows of a canonical table from columns; a column left out is null.

    Parameters
    ----------
    name
        A key of ``TABLES``.
    columns
        Equally long columns by name, origin columns included; Arrow arrays of the column's type are taken as they are.

    Raises
    ------
    ValueError
        If a column is not one of the table's or an array of another type, or a required one is missing or holds nulls.
    """
    schema = TABLES[name].schema
    if unknown := set(columns) - set(schema.names):
        raise ValueError(f"table {name} has no column {', '.join(sorted(unknown))}")
    arrays = {
        key: values if isinstance(values, pa.Array) else pa.array(values, type=schema.field(key).type)
        for key, values in columns.items()
    }
    if mistyped := [key for key, array in arrays.items() if array.type != schema.field(key).type]:
        raise ValueError(f"column {', '.join(mistyped)} of table {name} is not of the table's type")
    length = len(next(iter(arrays.values()), ()))
    for field in schema:
        array = arrays.setdefault(field.name, pa.nulls(length, field.type))
        if array.null_count and not field.nullable:
            raise ValueError(f"column {field.name} of table {name} holds nulls")
    return pa.Table.from_arrays([arrays[field.name] for field in schema], schema=schema)
