"""Product relation prediction: tell how two products go together from their titles.

A pair is used when product pages give it exactly one of the three relations, whichever page says so: pages
that contradict each other leave nothing to learn.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any, Literal

import pyarrow as pa

from ecinstruct_build.answers import FIXED_LETTER
from ecinstruct_build.drawing.draw import (
    ProductKey,
    domain_of,
    eligible_by_domain,
    fetch_products,
    of_sources,
    origin_of,
    take,
    titled_products,
    with_domain,
)
from ecinstruct_build.engine import Tables
from ecinstruct_build.example import Example, Option
from ecinstruct_build.lazily import ibis, ir
from ecinstruct_build.task import Drawn, Request, Task, TaskSettings
from ecinstruct_build.text import clean, plain

NAME = "product_relation_prediction"

OPTIONS = (
    Option(key="also_buy", text="Shoppers who bought the first product also bought the second."),
    Option(key="also_view", text="Shoppers who looked at the first product also looked at the second."),
    Option(key="similar", text="The two products are similar to each other."),
)
KINDS = tuple(option.key for option in OPTIONS)

PAIR = ("source", "catalogue", "locale", "low_id", "high_id")
"""Columns that name a pair; ``low_id`` sorts before ``high_id``, whichever page names the other."""


class RelationSettings(TaskSettings):
    """Settings of product relation prediction.

    Attributes
    ----------
    balance
        ``uniform`` draws the three relations equally often, as far as each lasts; ``natural`` keeps upstream's
        distribution.
    """

    balance: Literal["natural", "uniform"] = "uniform"


def named_pairs(tables: Tables, settings: RelationSettings) -> ir.Table:
    """Return every statement of one of the three relations between two products, with the columns ``PAIR``."""
    relation = of_sources(tables["relation"], settings)
    stated = relation.filter(relation.kind.isin(KINDS), relation.product_id != relation.other_id)
    return stated.mutate(
        low_id=ibis.least(stated.product_id, stated.other_id),
        high_id=ibis.greatest(stated.product_id, stated.other_id),
    )


def eligible_pairs(tables: Tables, settings: RelationSettings) -> ir.Table:
    """Return the pairs with exactly one relation, ``PAIR`` with ``kind`` and ``domain``.

    Both products have a title, and they and every page that states the relation are of one and the same domain.
    """
    stated = named_pairs(tables, settings)
    stated = stated.mutate(domain=domain_of(stated, settings))
    pairs = stated.group_by(list(PAIR)).agg(
        kind=stated.kind.min(),
        last_kind=stated.kind.max(),
        domain=stated.domain.min(),
        last_domain=stated.domain.max(),
    )
    pairs = pairs.filter(pairs.kind == pairs.last_kind, pairs.domain == pairs.last_domain, pairs.domain != "")
    products = with_domain(titled_products(tables), settings).select(*ProductKey._fields, "domain")
    for side in ("low_id", "high_id"):
        named = products.rename({side: "product_id"})
        pairs = pairs.semi_join(named, ["catalogue", "locale", side, "domain"])
    return pairs.select(*PAIR, "kind", "domain")


def with_statements(tables: Tables, settings: RelationSettings, drawn: pa.Table) -> list[list[dict[str, Any]]]:
    """Return, for each drawn pair in order, the rows that state its relation, in upstream's order."""
    lent = tables.lend(drawn.select([*PAIR, "domain"]))
    rows = named_pairs(tables, settings).inner_join(lent, list(PAIR))
    order = [*PAIR, "file", "line", "product_id"]
    found = tables.fetch(rows.select(*order, "other_id", "kind", "category", "domain"), by=order).to_pylist()
    return [list(rows) for _, rows in groupby(found, key=itemgetter(*PAIR))]


def to_example(statements: Sequence[Mapping[str, Any]], products: Sequence[Mapping[str, Any]]) -> Example | None:
    """Turn a pair into an example, or None if a title is empty after cleaning or both are the same.

    Parameters
    ----------
    statements
        The rows that state the relation; the first decides which product comes first, and the category.
    products
        The rows of the first and of the second product.
    """
    first = statements[0]
    titles = [plain(product["title"]) for product in products]
    words = [clean(title).casefold() for title in titles]
    if not all(words) or words[0] == words[1]:
        return None
    origins = dict.fromkeys(origin_of(row) for row in (*statements, *products))
    return Example(
        task=NAME,
        source=first["source"],
        identity=f"{first['locale']}|{first['low_id']}|{first['high_id']}",
        domain=first["domain"],
        locale=first["locale"],
        category=first["category"] or "",
        products=(first["product_id"], first["other_id"]),
        fields={"product_1": titles[0], "product_2": titles[1]},
        options=OPTIONS,
        answer=first["kind"],
        origins=tuple(origins),
    )


def draw_examples(tables: Tables, settings: RelationSettings, request: Request) -> Drawn:
    """Draw pairs, by source and domain."""
    stratum = "kind" if settings.balance == "uniform" else None
    eligible = eligible_pairs(tables, settings)
    drawn = tables.fetch(take(eligible, request, NAME, ["locale", "low_id", "high_id"], stratum), by=PAIR)
    pairs = with_statements(tables, settings, drawn)
    keys = [
        [ProductKey(rows[0]["catalogue"], rows[0][side], rows[0]["locale"]) for side in ("product_id", "other_id")]
        for rows in pairs
    ]
    products = fetch_products(tables, (key for pair in keys for key in pair))
    made = [to_example(rows, [products[key] for key in pair]) for rows, pair in zip(pairs, keys, strict=True)]
    examples = [example for example in made if example is not None]
    funnel = {
        **eligible_by_domain(drawn, "pairs with exactly one relation"),
        "drawn": len(pairs),
        "title empty after cleaning, or the same twice": len(pairs) - len(examples),
        "examples": len(examples),
    }
    return Drawn(examples, funnel)


TASK = Task(
    name=NAME,
    published_name="Product_Relation_Prediction",
    summary="Say from two titles whether the products are bought together, viewed together, or similar.",
    reads=("relation", "product"),
    primary="relation",
    settings=RelationSettings,
    answer=FIXED_LETTER,
    draw=draw_examples,
    fields={"product_1": "title of the first product", "product_2": "title of the second product"},
)
