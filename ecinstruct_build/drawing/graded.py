"""What the three tasks on graded search results share: the judgements that count, and their products' titles.

The tasks draw from disjoint pools of queries, so that none of them asks about the queries of another.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ecinstruct_build.drawing.draw import ProductKey, fetch_products, first_rows, of_sources, origin_of
from ecinstruct_build.drawing.labels import count_labels
from ecinstruct_build.drawing.pools import Stretch, in_pool, same_words, same_words_column, take_share
from ecinstruct_build.engine import Tables
from ecinstruct_build.example import Example, Option, Origin
from ecinstruct_build.lazily import ibis, ir
from ecinstruct_build.task import Drawn, Request, TaskSettings
from ecinstruct_build.text import clean, plain

GRADES = ("E", "S", "C", "I")
"""Grades from best to worst: exact, substitute, complement, irrelevant."""

CLASSIFICATION_POOL = Stretch(start=0.0, stop=0.2)
SUBSTITUTE_POOL = Stretch(start=0.2, stop=0.4)
RANKING_POOL = Stretch(start=0.4, stop=1.0)  # a ranking uses a query up, a judgement does not


class GradedSettings(TaskSettings):
    """Settings of the tasks on graded search results. These tasks have no domain column: all is in domain.

    Attributes
    ----------
    locales
        Marketplaces to draw from; empty = every one.
    pool
        The stretch of the keyed hash of queries that the task owns. Whoever changes one task's stretch keeps it
        apart from those of the others.
    """

    locales: tuple[str, ...] = ("us",)
    pool: Stretch = Stretch()


@dataclass(frozen=True)
class Judged:
    """A drawn judgement with its text.

    Attributes
    ----------
    row
        Its short columns, as `judgements` has them.
    query, title
        As upstream has them, but for white space.
    origins
        The judgement's and the product's raw records.
    """

    row: Mapping[str, Any]
    query: str
    title: str
    origins: tuple[Origin, ...]

    @property
    def groups(self) -> tuple[str, ...]:
        """The query by its words, so that the same words under two ids count as one query."""
        return query_groups(self.row["locale"], self.query)


def query_groups(locale: str, query: str) -> tuple[str, ...]:
    """Return the groups of an example about a query, by its words when cleaned."""
    return (f"query:{locale}:{same_words(clean(query))}",)


def eligible(tables: Tables, settings: GradedSettings) -> ir.Table:
    """Return all judgements with a known grade of the sources and marketplaces."""
    rows = of_sources(tables["judgement"], settings)
    return rows.filter(rows.label.isin(GRADES)).mutate(domain=ibis.literal("ind"))


def _queries(rows: ir.Table, pool: Stretch) -> ir.Table:
    """Return ``locale``, ``query`` and ``words`` of the queries in a pool.

    Each text once: a query has some twenty judgements, and comparing words is most of the work.
    """
    queries = rows.select("locale", "query").distinct()
    queries = queries.mutate(words=same_words_column(queries["query"]))
    return queries.filter(in_pool(queries.locale + "|" + queries.words, "query", pool))


def judgements(rows: ir.Table, settings: GradedSettings) -> ir.Table:
    """Return the `eligible` judgements of the task's own queries, with the query's ``words``.

    There is one of each product for the same words; where a product has two grades for them, neither counts.
    """
    rows = rows.inner_join(_queries(rows, settings.pool), ["locale", "query"])
    key = ["source", "locale", "words", "product_id"]
    same = ibis.window(group_by=key)
    rows = rows.mutate(lowest=rows.label.min().over(same), highest=rows.label.max().over(same))
    rows = rows.filter(rows.lowest == rows.highest)
    shown = [*key, "query_id", "query", "label", "catalogue", "file", "line", "domain"]
    return first_rows(rows.select(*shown), key)


def titles_of(
    tables: Tables, rows: Sequence[Mapping[str, Any]]
) -> Iterator[tuple[Mapping[str, Any], str, Origin | None]]:
    """Yield each row with its product's title and the title's raw record.

    The title is "" if there is none, or none that can be read; the record is None if there is no product.
    """
    keys = [ProductKey(row["catalogue"], row["product_id"], row["locale"]) for row in rows]
    products = fetch_products(tables, keys)
    for row, key in zip(rows, keys, strict=True):
        product = products.get(key)
        title = plain(product["title"]) if product else ""
        yield row, title if clean(title) else "", origin_of(product) if product else None


def _judged(tables: Tables, rows: Sequence[Mapping[str, Any]], lost: Counter[str]) -> Iterator[Judged]:
    for row, title, origin in titles_of(tables, rows):
        query = plain(row["query"])
        if not clean(query):
            lost["judgements without a readable query"] += 1
        elif not title or origin is None:
            lost["judgements without a product title"] += 1
        else:
            yield Judged(row, query, title, (origin_of(row), origin))


def draw_judgements(
    tables: Tables,
    settings: GradedSettings,
    request: Request,
    purpose: str,
    *,
    positive: str = "",
    share: float | None = None,
) -> tuple[list[Judged], dict[str, int]]:
    """Draw judgements and fetch their text.

    Parameters
    ----------
    tables, settings, request
        What a task's ``draw`` is given.
    purpose
        The task's name.
    positive, share
        The grade that a given share of the draw has; a share of None draws as the rows come.

    Returns
    -------
    tuple
        The judgements, and the counts on the way to them.
    """
    every = eligible(tables, settings)
    pool = judgements(every, settings)
    flagged = pool.mutate(is_positive=pool.label == positive)
    key = ["locale", "query_id", "product_id"]
    taken = take_share(flagged, request, purpose, key, flag="is_positive", share=share)
    drawn = tables.fetch(taken, by=["source", *key]).to_pylist()
    lost: Counter[str] = Counter()
    found = list(_judged(tables, drawn, lost))
    labels = count_labels(tables, pool, pool.label)
    funnel = {
        "graded judgements": tables.count(every),
        "of this task's queries, one of each product": sum(labels.values()),
        **labels,
        "judgements drawn": len(drawn),
        **dict(sorted(lost.items())),
    }
    return found, funnel


def pair_example(task: str, judged: Judged, answer: str, options: tuple[Option, ...] = ()) -> Example:
    """Make an example with the fields ``query`` and ``product``."""
    row = judged.row
    return Example(
        task=task,
        source=row["source"],
        identity="|".join([row["locale"], row["query_id"], row["product_id"]]),
        domain="ind",
        locale=row["locale"],
        products=(row["product_id"],),
        fields={"query": judged.query, "product": judged.title},
        answer=answer,
        groups=judged.groups,
        options=options,
        origins=judged.origins,
    )


def drawn_of(examples: Sequence[Example], funnel: Mapping[str, int]) -> Drawn:
    """Close a funnel with the number of examples."""
    return Drawn(examples, {**funnel, "examples": len(examples)})
