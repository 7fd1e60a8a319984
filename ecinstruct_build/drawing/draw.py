"""What the tasks share when they draw: sources, domains, keyed draws, and the products that rows name.

Everything relational here is an Ibis expression over ids and short columns, the same on every engine; the
text of products is fetched last, for the products that were drawn.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import pyarrow as pa

from ecinstruct_build.chance import digest_column
from ecinstruct_build.engine import Tables
from ecinstruct_build.example import Origin
from ecinstruct_build.lazily import ibis, ir
from ecinstruct_build.task import Request, TaskSettings


class ProductKey(NamedTuple):
    """What names one description of a product: the source that describes it, its id, its marketplace."""

    catalogue: str
    product_id: str
    locale: str


def of_sources(rows: ir.Table, settings: TaskSettings) -> ir.Table:
    """Return the rows of the sources and marketplaces that the settings name; all of them where they name none."""
    if settings.sources:
        rows = rows.filter(rows.source.isin(settings.sources))
    return rows.filter(rows.locale.isin(settings.locales)) if settings.locales else rows


def domain_of(rows: ir.Table, settings: TaskSettings) -> ir.StringValue:
    """Return the domain of each row by its column ``category``: ``ind``, ``ood``, or "" for neither.

    Rows without a category, and all rows of a table that has no such column, count as of the category "".
    """
    category = rows.category.fill_null("") if "category" in rows.columns else ibis.literal("")
    outside = settings.out_of_domain(category)
    branches = [] if outside is None else [(outside, "ood")]
    branches.append((settings.in_domain(category), "ind"))
    return ibis.cases(*branches, else_="")


def with_domain(rows: ir.Table, settings: TaskSettings) -> ir.Table:
    """Add the column ``domain`` (see `domain_of`) and leave out the rows that are in neither domain."""
    labelled = rows.mutate(domain=domain_of(rows, settings))
    return labelled.filter(labelled.domain != "")


def take(
    rows: ir.Table, request: Request, purpose: str, identity: Sequence[str], stratum: str | None = None
) -> ir.Table:
    """Draw rows by chance: as many of each source and domain as the request says.

    A draw of n is part of every larger draw, and no source's draw depends on what other sources hold.

    Parameters
    ----------
    rows
        Rows with the columns ``source`` and ``domain``.
    request
        The seed, and how many rows of each source to draw in and out of domain.
    purpose
        What is drawn, such as the task's name.
    identity
        Columns, strings without nulls, that with ``source`` tell the rows apart.
    stratum
        A column whose values are to be drawn equally often, as far as each lasts; None draws as the rows come.

    Returns
    -------
    ir.Table
        The drawn rows with the further columns ``place``, 0 for the first drawn of its source and domain and so
        on, and ``eligible``, the number of rows that could have been drawn (see `eligible_by_domain`).
    """
    wanted = {domain: number for domain, number in request.domains if number > 0}
    rows = rows.filter(rows.domain.isin(sorted(wanted)) if wanted else ibis.literal(value=False))
    text = rows.source
    for name in identity:
        text = text + ibis.literal("|") + rows[name]
    keyed = rows.mutate(draw_key=digest_column(request.seed, purpose, text))
    order = ["draw_key", *identity]
    if stratum is not None:
        within = ibis.window(group_by=["source", "domain", stratum], order_by=order)
        keyed = keyed.mutate(draw_round=ibis.row_number().over(within))
        order = ["draw_round", *order]
    # Counted on the way, since counting on its own would run the whole expression a second time.
    placed = keyed.mutate(
        place=ibis.row_number().over(ibis.window(group_by=["source", "domain"], order_by=order)),
        eligible=keyed.count().over(ibis.window(group_by=["source", "domain"])),
    )
    limit = ibis.ifelse(placed.domain == "ind", request.ind, request.ood)
    return placed.filter(placed.place < limit).select(*rows.columns, "place", "eligible")


def first_rows(rows: ir.Table, key: Sequence[str]) -> ir.Table:
    """Keep, for each value of the columns ``key``, the row that stands first in upstream's files.

    Rows are compared by the columns ``file`` and ``line``. Hand in short columns: the engine sorts them.
    """
    order = ibis.window(group_by=list(key), order_by=["file", "line"])
    ranked = rows.mutate(row_rank=ibis.row_number().over(order))
    return ranked.filter(ranked.row_rank == 0).select(*rows.columns)


def first_product_rows(tables: Tables) -> ir.Table:
    """Return the row of each product that counts, without its text.

    Returns
    -------
    ir.Table
        ``catalogue, product_id, locale`` (a key), ``category``, ``file``, ``line``, and ``titled``: whether the
        row has a title that is not blank.
    """
    product = tables["product"]
    short = product.select(
        catalogue=product.source,
        product_id=product.product_id,
        locale=product.locale,
        category=product.category,
        file=product.file,
        line=product.line,
        titled=(product.title.strip() != "").fill_null(False),  # noqa: FBT003
    )
    return first_rows(short, ProductKey._fields)


def titled_products(tables: Tables) -> ir.Table:
    """Return ``catalogue, product_id, locale, category`` of every product that has a title."""
    rows = first_product_rows(tables)
    return rows.filter(rows.titled).select(*ProductKey._fields, "category")


def only_titled(rows: ir.Table, tables: Tables, column: str = "product_id") -> ir.Table:
    """Keep the rows whose product, named by ``column``, has a title in the rows' ``catalogue`` and ``locale``."""
    titled = titled_products(tables)
    return rows.semi_join(
        titled,
        [
            rows.catalogue == titled.catalogue,
            rows[column] == titled.product_id,
            rows.locale == titled.locale,
        ],
    )


def fetch_products(
    tables: Tables, keys: Iterable[ProductKey], columns: Sequence[str] = ("title",)
) -> dict[ProductKey, dict[str, Any]]:
    """Fetch columns of the ``product`` rows that describe the products named.

    Parameters
    ----------
    tables
        The canonical tables.
    keys
        The products; duplicates are welcome.
    columns
        Columns of ``product``; text comes as upstream wrote it.

    Returns
    -------
    dict
        For each product that has a row, in order of key: the columns asked for, with ``source``, ``file`` and
        ``line`` of the row (see `origin_of`).
    """
    wanted = sorted(set(keys))
    if not wanted:
        return {}
    names = [(name, pa.string()) for name in ("source", "product_id", "locale")]
    arrays = [pa.array(values, pa.string()) for values in zip(*wanted, strict=True)]
    lent = tables.lend(pa.Table.from_arrays(arrays, schema=pa.schema(names)))
    key = [name for name, _ in names]
    shown = list(dict.fromkeys([*key, *columns, "file", "line"]))
    rows = tables["product"].semi_join(lent, key).select(*shown)
    found = tables.fetch(first_rows(rows, key), by=key).to_pylist()
    return {ProductKey(row["source"], row["product_id"], row["locale"]): row for row in found}


def origin_of(row: Mapping[str, Any]) -> Origin:
    """Return where a fetched row's raw record stands."""
    return Origin(row["source"], row["file"], row["line"])


def count_by_domain(tables: Tables, rows: ir.Table, what: str) -> dict[str, int]:
    """Count rows by their column ``domain``, for a task's funnel: ``{"reviews (ind)": 5123}``."""
    counted = rows.group_by("domain").agg(rows=rows.count())
    return {f"{what} ({row['domain']})": row["rows"] for row in tables.fetch(counted, by=["domain"]).to_pylist()}


def eligible_by_domain(drawn: pa.Table, what: str) -> dict[str, int]:
    """Sum up, for a task's funnel, how many rows `take` could have drawn: ``{"reviews (ind)": 5123}``.

    Parameters
    ----------
    drawn
        Fetched rows of `take` with the columns ``source``, ``domain`` and ``eligible``.
    what
        What the rows are.
    """
    totals = drawn.group_by(["source", "domain"]).aggregate([("eligible", "max")]).to_pylist()
    domains = sorted({row["domain"] for row in totals})
    return {
        f"{what} ({domain})": sum(row["eligible_max"] for row in totals if row["domain"] == domain)
        for domain in domains
    }
