"""Query product ranking: put products in order of how well they answer a shopping query."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import reduce
from operator import add
from typing import Any

import pyarrow as pa
from pydantic import model_validator

from ecinstruct_build import chance
from ecinstruct_build.answers import RANKING
from ecinstruct_build.drawing.draw import origin_of, take
from ecinstruct_build.drawing.graded import (
    GRADES,
    RANKING_POOL,
    GradedSettings,
    drawn_of,
    eligible,
    judgements,
    query_groups,
    titles_of,
)
from ecinstruct_build.drawing.labels import count_labels
from ecinstruct_build.drawing.pools import Stretch
from ecinstruct_build.engine import Tables
from ecinstruct_build.example import Example, Option, Origin
from ecinstruct_build.lazily import ibis, ir
from ecinstruct_build.task import Drawn, Request, Task
from ecinstruct_build.text import clean, plain

NAME = "query_product_ranking"

_QUERY = ["source", "locale", "words"]
_CANDIDATES = 3  # products of one grade whose titles are fetched, should the first have none or one already listed


class QueryProductRankingSettings(GradedSettings):
    """Settings of query product ranking; see `GradedSettings`.

    Attributes
    ----------
    length_weights
        Weights of lists of 2, 3 and 4 products, among the lengths that a query's grades allow. On the small version of
        ESCI the default gives about 67, 29 and 5 lists in a hundred, as the original has.
    """

    pool: Stretch = RANKING_POOL
    length_weights: tuple[float, float, float] = (1.0, 3.0, 8.0)

    @model_validator(mode="after")
    def _some_length(self) -> QueryProductRankingSettings:
        if min(self.length_weights) < 0 or sum(self.length_weights) <= 0:
            raise ValueError("length_weights are three weights, none negative, that are not all zero")
        return self


def _queries(rows: ir.Table) -> ir.Table:
    """Return the queries that have products of two grades or more, with their ``grades``, such as ``ESI``."""
    has = {f"has_{grade}": (rows.label == grade).any() for grade in GRADES}
    queries = rows.group_by([*_QUERY, "domain"]).agg(**has)
    grades = [queries[f"has_{grade}"].ifelse(grade, "") for grade in GRADES]
    queries = queries.mutate(grades=reduce(add, grades)).drop(*has)
    return queries.filter(queries.grades.length() >= 2)


def _candidates(rows: ir.Table, queries: ir.Table, seed: int) -> ir.Table:
    """Return a few products of each grade of the queries, with their ``place`` in chance's order."""
    rows = rows.semi_join(queries, _QUERY)
    identity = rows.source + "|" + rows.locale + "|" + rows.words + "|" + rows.product_id
    keyed = rows.mutate(draw_key=chance.digest_column(seed, f"{NAME} product", identity))
    order = ibis.window(group_by=[*_QUERY, "label"], order_by=["draw_key", "product_id"])
    placed = keyed.mutate(place=ibis.row_number().over(order))
    return placed.filter(placed.place < _CANDIDATES)


def _length(identity: str, longest: int, settings: QueryProductRankingSettings, seed: int) -> int:
    """Return how many products chance puts in a query's list; the longest if the weights allow no other."""
    weights = settings.length_weights[: longest - 1]
    point = chance.uniform(seed, f"{NAME} length", identity) * sum(weights)
    for length, weight in enumerate(weights, start=2):
        if point < weight:
            return length
        point -= weight
    return longest


def _one_of_each_grade(
    candidates: Sequence[tuple[Mapping[str, Any], str, Origin | None]], grades: Sequence[str]
) -> list[tuple[Option, Mapping[str, Any], Origin]]:
    """Return, for each grade that has one, the first product whose title is not listed yet."""
    listed: set[str] = set()
    chosen = []
    for grade in grades:
        for row, title, origin in candidates:
            words = clean(title).casefold()
            if row["label"] == grade and origin is not None and words and words not in listed:
                listed.add(words)
                chosen.append((Option(row["product_id"], title, row["product_id"], grade), row, origin))
                break
    return chosen


def _example(
    candidates: Sequence[tuple[Mapping[str, Any], str, Origin | None]],
    settings: QueryProductRankingSettings,
    seed: int,
    lost: Counter[str],
) -> Example | None:
    """Make an example of one query's candidates; count what is left out in ``lost``."""
    first = min((row for row, _, _ in candidates), key=lambda row: (row["file"], row["line"]))
    query = plain(first["query"])
    if not clean(query):
        lost["queries without readable words"] += 1
        return None
    identity = "|".join(first[name] for name in _QUERY)
    products = _one_of_each_grade(candidates, chance.shuffle(GRADES, seed, f"{NAME} grades", identity))
    if len(products) < 2:
        lost["queries without two titled products of distinct grades"] += 1
        return None
    listed = products[: _length(identity, len(products), settings, seed)]
    options = sorted((option for option, _, _ in listed), key=lambda option: option.key)
    origins = dict.fromkeys(origin for _, row, title in listed for origin in (origin_of(row), title))
    return Example(
        task=NAME,
        source=first["source"],
        identity="|".join([first["locale"], first["words"], *(option.key for option in options)]),
        domain="ind",
        locale=first["locale"],
        products=(),
        fields={"query": query},
        answer=[option.key for option in sorted(options, key=lambda option: GRADES.index(option.grade))],
        groups=query_groups(first["locale"], query),
        options=tuple(options),
        origins=tuple(sorted(origins, key=lambda origin: (origin.source, origin.file, origin.line))),
    )


def _by_query(tables: Tables, rows: pa.Table) -> Iterator[list[tuple[Mapping[str, Any], str, Origin | None]]]:
    found: dict[tuple[str, ...], list[tuple[Mapping[str, Any], str, Origin | None]]] = {}
    for row, title, origin in titles_of(tables, rows.to_pylist()):
        found.setdefault(tuple(row[name] for name in _QUERY), []).append((row, title, origin))
    yield from found.values()


def draw(tables: Tables, settings: QueryProductRankingSettings, request: Request) -> Drawn:
    """Draw queries of the small version, then products of distinct grades for each."""
    every = eligible(tables, settings)
    rows = judgements(every.filter(every.subset == "small"), settings)
    queries = _queries(rows)
    drawn = tables.fetch(take(queries, request, NAME, ["locale", "words"]).select(*_QUERY), by=_QUERY)
    candidates = tables.fetch(
        _candidates(rows, tables.lend(drawn), request.seed), by=[*_QUERY, "label", "place", "product_id"]
    )
    lost: Counter[str] = Counter()
    labels = count_labels(tables, queries, queries.grades)
    made = (_example(group, settings, request.seed, lost) for group in _by_query(tables, candidates))
    examples = [example for example in made if example is not None]
    funnel = {
        "graded judgements": tables.count(every),
        "of this task's queries in the small version, one of each product": tables.count(rows),
        "queries with two grades or more": sum(labels.values()),
        **labels,
        "queries drawn": drawn.num_rows,
        **dict(sorted(lost.items())),
    }
    return drawn_of(examples, funnel)


TASK = Task(
    name=NAME,
    published_name="Query_Product_Ranking",
    summary="Rank two to four products, no two of the same grade, by how well they answer a query.",
    reads=("judgement", "product"),
    primary="judgement",
    settings=QueryProductRankingSettings,
    answer=RANKING,
    draw=draw,
    fields={"query": "the words searched for"},
)
