"""Turn a catalogue's records into canonical rows, as the recipe describes their columns."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from ecinstruct_build.drawing.paragraphs import product_paragraphs
from ecinstruct_build.ingesting.catalogue_cells import Cells
from ecinstruct_build.ingesting.catalogue_columns import (
    AMAZON_NAMESPACE,
    AnswersColumn,
    Constant,
    IdColumn,
    PriceColumn,
    region_of,
)
from ecinstruct_build.ingesting.catalogue_parts import ProductColumns
from ecinstruct_build.ingesting.catalogue_settings import TableSettings
from ecinstruct_build.ingesting.fields import category_name, price_or_none, title_or_none
from ecinstruct_build.ingesting.locating import evidences
from ecinstruct_build.source import Batch, Inadmissible
from ecinstruct_build.tables import TABLES, arrow_table

Row = dict[str, Any]
Rows = list[tuple[str, Row]]
"""Rows of one record, each with its table's name; without the origin columns."""

_PLACED = {"review": ("review_id", "user_id"), "question": ("question_id",), "session": ("session_id",)}
"""Ids that are the record's place where upstream has none."""


@dataclass(frozen=True)
class Plan:
    """How the records of one kind of file are read.

    Attributes
    ----------
    table
        What its columns mean.
    namespace, locale, usual_locale, category, catalogue
        Settled for this kind of file: the usual locale is for empty cells, and ``catalogue`` is the source whose
        product rows describe its products.
    empty, demanded
        See `ecinstruct_build.ingesting.catalogue_cells.Cells`.
    parts
        The mappings but ``product``, each with the columns that it names: a record in which they are all empty has
        none of it, where there are several mappings.
    """

    table: TableSettings
    namespace: str
    locale: Constant
    usual_locale: Constant
    category: Constant | None
    catalogue: str
    empty: frozenset[str]
    demanded: frozenset[str]
    parts: tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True, slots=True)
class _Reading:
    """A record while it is read: its cells, the plan, and what all its rows share."""

    plan: Plan
    cells: Cells
    common: Mapping[str, Any]

    def product_id(self, own: IdColumn | None) -> str:
        """Return the key of the product that a part is of."""
        product = self.plan.table.product
        column = own or (product.id if product else None)
        if column is None:
            raise ValueError("the settings name no product")
        return self.cells.required_key(column)

    def person(self, text: str | None) -> str | None:
        """Return a user's key; shops number their users alike."""
        if text is None or self.plan.namespace == AMAZON_NAMESPACE:
            return text
        return f"{self.plan.namespace}:{text.strip()}"


def admit_record(plan: Plan, record: Mapping[str, Any]) -> Rows:
    """Return the rows that a record gives.

    Raises
    ------
    Inadmissible
        If a cell is not what the plan says; the reason names the column.
    """
    cells = Cells(record, plan.namespace, plan.empty, plan.demanded)
    locale, category = _locale(plan, cells), _constant(plan.category, cells)
    reading = _Reading(plan, cells, {"locale": locale, "category": category_name(category)})
    rows: Rows = []
    if plan.table.product is not None:
        rows += _product(reading, plan.table.product)
    several = len(plan.parts) + plan.table.describes > 1
    for name, columns in plan.parts:
        if not several or cells.holds(columns):
            rows += _PARTS[name](reading)
    return rows


def convert_rows(tables: Sequence[str], catalogue: str, batch: Batch) -> Mapping[str, pa.Table]:
    """Gather the rows of a batch's records by table."""
    found: dict[str, list[Row]] = {table: [] for table in tables}
    places: dict[str, list[int]] = {table: [] for table in tables}
    for place, rows in enumerate(batch.records):
        for table, row in rows:
            for name in _PLACED.get(table, ()):
                row[name] = row.get(name) or batch.place_of(place)
            found[table].append(row)
            places[table].append(place)
    return {table: _arrow(table, found[table], places[table], catalogue, batch) for table in tables}


def _arrow(table: str, rows: Sequence[Row], places: Sequence[int], catalogue: str, batch: Batch) -> pa.Table:
    names = [column.name for column in TABLES[table].columns]
    columns = {name: [row.get(name) for row in rows] for name in names}
    if "catalogue" in columns:
        columns["catalogue"] = [catalogue] * len(rows)
    return arrow_table(table, {**columns, **batch.origin_of(places)})


def _constant(constant: Constant | None, cells: Cells) -> str | None:
    if constant is None or constant.value:
        return constant.value if constant else None
    text = cells.text(constant.column)
    return text.split(constant.separator)[0] if text and constant.separator else text


def _locale(plan: Plan, cells: Cells) -> str:
    text = _constant(plan.locale, cells) or _constant(plan.usual_locale, cells)
    code = region_of(cells.required(text, plan.locale.column))
    if code is None:
        raise Inadmissible(f"{plan.locale.column} is not a two-letter country code")
    return code


def _product(reading: _Reading, columns: ProductColumns) -> Rows:
    """Return the product's row, if the record describes one, with its attributes."""
    cells, product_id = reading.cells, reading.product_id(None)
    if not columns.describes:
        return []
    description = [text for column in columns.description for text in cells.texts_of(column)]
    row = {
        "product_id": product_id,
        "parent_id": cells.key(columns.parent_id) if columns.parent_id else None,
        "title": title_or_none(cells.text(columns.title)),
        "description": "\n".join(description) or None,
        "features": cells.texts(columns.features) or None,
        "brand": cells.text(columns.brand),
        "categories": cells.texts(columns.categories) or None,
        "price": _price(cells, columns.price),
        "main_category": cells.text(columns.main_category),
        **reading.common,
    }
    return [("product", row), *(("attribute", labelled) for labelled in _attributes(reading, row))]


def _price(cells: Cells, column: PriceColumn | None) -> str | None:
    price = price_or_none(cells.text(column.column)) if column else None
    if price is None or column is None or not column.currency or not price.replace(",", "").replace(".", "").isdigit():
        return price
    space = " " if column.currency.isalnum() else ""
    return f"{column.currency}{space}{price}"


def _attributes(reading: _Reading, product: Mapping[str, Any]) -> Iterator[Row]:
    """Yield a row for each attribute that the record gives a value, or says to be absent."""
    table, cells = reading.plan.table, reading.cells
    labels = [(name, values) for name, column in sorted(table.attributes.items()) if (values := cells.texts(column))]
    if not labels:
        return
    absent = {word.strip().casefold() for word in table.absent}
    names = ("title", "description", "features", "price", "brand")
    paragraphs = product_paragraphs(*(product[name] for name in names))
    for name, values in labels:
        given = [value for value in values if value.strip().casefold() not in absent]
        found = evidences(given, paragraphs)
        value = found[0]["value"] if found else next(iter(given), None)
        about = {"product_id": product["product_id"], **reading.common}
        yield {**about, "attribute": name, "value": value, "evidences": found}


def _relations(reading: _Reading) -> Rows:
    columns = reading.plan.table.relations
    named = [(kind, reading.cells.keys(column)) for kind, column in (columns.by_kind() if columns else ())]
    if not any(others for _, others in named):
        return []
    about = {"product_id": reading.product_id(None), **reading.common}
    return [("relation", {**about, "other_id": other, "kind": kind}) for kind, others in named for other in others]


def _same_as(reading: _Reading) -> Rows:
    column = reading.plan.table.same_as
    others = reading.cells.keys(column) if column else []
    if not others:
        return []
    own = reading.product_id(None)
    # Listings name each other, as a rule: one order makes that the same pair.
    pairs = (sorted((own, other)) for other in others if other != own)
    return [_match_row(reading, *pair, is_match=True) for pair in pairs]


def _match_row(reading: _Reading, left: str, right: str, *, is_match: bool) -> tuple[str, Row]:
    return "match", {"left_id": left, "right_id": right, "is_match": is_match, "locale": reading.common["locale"]}


def _match(reading: _Reading) -> Rows:
    columns, cells = reading.plan.table.match, reading.cells
    if columns is None:
        return []
    is_match = True if columns.is_match is None else cells.flag(columns.is_match)
    if is_match is None:
        raise Inadmissible(f"{columns.is_match.column if columns.is_match else ''} is empty")
    return [_match_row(reading, reading.product_id(columns.left), cells.required_key(columns.right), is_match=is_match)]


def _review(reading: _Reading) -> Rows:
    columns, cells = reading.plan.table.review, reading.cells
    if columns is None:
        return []
    product_id, user = reading.product_id(columns.product), reading.person(cells.text(columns.user))
    when = cells.required(cells.seconds(columns.time), columns.time.column) if columns.time else None
    known = user is not None and when is not None
    row = {
        "review_id": f"{user}|{product_id}|{when}" if known else None,
        "product_id": product_id,
        "user_id": user,
        "rating": cells.rating(columns.rating),
        "title": cells.text(columns.title),
        "text": cells.text(columns.text),
        "timestamp": when or 0,
        "helpful": cells.count(columns.helpful),
        "verified": cells.flag(columns.verified) if columns.verified else None,
        **reading.common,
    }
    return [("review", row)]


def _judgement(reading: _Reading) -> Rows:
    columns, cells = reading.plan.table.judgement, reading.cells
    if columns is None:
        return []
    query = cells.required(cells.text(columns.query), columns.query)
    label = cells.word(columns.label.column, columns.label.grades)
    row = {
        "query_id": cells.text(columns.query_id) or " ".join(query.split()),
        "query": query,
        "product_id": reading.product_id(columns.product),
        "label": cells.required(label, columns.label.column),
        "subset": columns.subset,
        "locale": reading.common["locale"],
    }
    return [("judgement", row)]


def _question(reading: _Reading) -> Rows:
    columns, cells = reading.plan.table.question, reading.cells
    if columns is None:
        return []
    kind = "descriptive"
    if columns.kind is not None:
        words = {**dict.fromkeys(columns.kind.yesno, "yesno"), **dict.fromkeys(columns.kind.descriptive, "descriptive")}
        kind = cells.required(cells.word(columns.kind.column, words), columns.kind.column)
    row = {
        "question_id": cells.text(columns.id),
        "product_id": reading.product_id(columns.product),
        "question": cells.required(cells.text(columns.question), columns.question),
        "kind": kind,
        "answerable": cells.flag(columns.answerable) if columns.answerable else None,
        "snippets": cells.texts(columns.snippets),
        "answers": _answers(cells, columns.answers, kind) if columns.answers else [],
        **reading.common,
    }
    return [("question", row)]


def _answers(cells: Cells, columns: AnswersColumn, kind: str) -> list[Row]:
    """Return the answers with their votes; votes of plain texts stand in columns of the record."""
    found = cells.value(columns.column)
    if not isinstance(found, list | tuple) or not all(isinstance(one, Mapping) for one in found):
        votes = {"helpful": cells.count(columns.helpful), "total": cells.count(columns.total)}
        return [{"text": text, "kind": kind, **votes} for text in cells.texts(columns)]
    answers = []
    for one in found:
        inner = Cells(one, cells.namespace, cells.empty, ())
        if text := inner.text(columns.text):
            votes = {"helpful": inner.count(columns.helpful), "total": inner.count(columns.total)}
            answers.append({"text": text, "kind": kind, **votes})
    return answers


def _session(reading: _Reading) -> Rows:
    columns, cells = reading.plan.table.session, reading.cells
    if columns is None:
        return []
    products = cells.path(columns.products)
    if not products:
        raise Inadmissible(f"{columns.products.column} is empty")
    row = {"session_id": cells.text(columns.id), "product_ids": products, "locale": reading.common["locale"]}
    return [("session", row)]


_PARTS = {
    "relations": _relations,
    "same_as": _same_as,
    "review": _review,
    "judgement": _judgement,
    "match": _match,
    "question": _question,
    "session": _session,
}
