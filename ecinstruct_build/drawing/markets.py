"""Markets: the two sides of a source's mapping of listings, with what it says of their pairs.

A source may hold several mappings at once, of listings with ids of different namespaces: each is a market of its own,
so that no listing is ever compared with one of another data set, or with itself in another form.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from ecinstruct_build.drawing.blocking import words_of
from ecinstruct_build.drawing.draw import ProductKey, fetch_products, of_sources
from ecinstruct_build.engine import Tables
from ecinstruct_build.task import TaskSettings
from ecinstruct_build.text import clean

Ids = tuple[str, str]
"""A left and a right listing, by product id."""


@dataclass(frozen=True)
class Market:
    """The two sides of one mapping.

    Attributes
    ----------
    source, catalogue, locale
        What all its rows have in common.
    rows
        The rows of the mapping by pair of ids. A pair that is stated both ways round stands once.
    titles
        Cleaned title of each listing that has one.
    lefts, rights
        Titled listings of the two sides, sorted.
    group
        A number for each listing, the same for listings linked by a chain of matches or of one parent.
    """

    source: str
    catalogue: str
    locale: str
    rows: Mapping[Ids, Sequence[Mapping[str, Any]]]
    titles: Mapping[str, str]
    lefts: Sequence[str]
    rights: Sequence[str]
    group: Mapping[str, int]

    @cached_property
    def matches(self) -> list[Ids]:
        """Pairs of different titled listings that upstream calls a match and nowhere else a non-match."""
        return [pair for pair, rows in self._titled() if all(row["is_match"] for row in rows)]

    @cached_property
    def non_matches(self) -> list[Ids]:
        """Pairs of titled listings that upstream calls a non-match, where no chain of matches says otherwise.

        Titles of the same words are left out: whatever tells such listings apart is not to be read in them.
        """
        return [
            pair
            for pair, rows in self._titled()
            if not any(row["is_match"] for row in rows) and self.group[pair[0]] != self.group[pair[1]]
            if words_of(self.titles[pair[0]]) != words_of(self.titles[pair[1]])
        ]

    def _titled(self) -> Iterable[tuple[Ids, Sequence[Mapping[str, Any]]]]:
        for (left, right), rows in self.rows.items():
            if left != right and left in self.titles and right in self.titles:
                yield (left, right), rows


def open_markets(tables: Tables, settings: TaskSettings) -> list[Market]:
    """Fetch the mappings, ids only, with the titles of the listings that they name."""
    order = ["source", "catalogue", "locale", "left_id", "right_id", "is_match", "file", "line"]
    rows = tables.fetch(of_sources(tables["match"], settings).select(*order), by=order).to_pylist()
    markets: defaultdict[tuple[str, ...], list[Mapping[str, Any]]] = defaultdict(list)
    for row in rows:
        sides = (_namespace(row["left_id"]), _namespace(row["right_id"]))
        markets[row["source"], row["catalogue"], row["locale"], *sides].append(row)
    return [_open_market(tables, names[0], names[1], names[2], markets[names]) for names in sorted(markets)]


def _namespace(product_id: str) -> str:
    return product_id.partition(":")[0]


def _open_market(tables: Tables, source: str, catalogue: str, locale: str, rows: Sequence[Mapping[str, Any]]) -> Market:
    by_pair: defaultdict[Ids, list[Mapping[str, Any]]] = defaultdict(list)
    for row in rows:
        left, right = row["left_id"], row["right_id"]
        by_pair[(right, left) if (right, left) in by_pair else (left, right)].append(row)
    named = sorted({listing for pair in by_pair for listing in pair})
    keys = (ProductKey(catalogue, listing, locale) for listing in named)
    found = {key.product_id: row for key, row in fetch_products(tables, keys, ("title", "parent_id")).items()}
    titles = {listing: title for listing, row in found.items() if (title := clean(row["title"]))}
    return Market(
        source,
        catalogue,
        locale,
        by_pair,
        titles,
        sorted({left for left, _ in by_pair if left in titles}),
        sorted({right for _, right in by_pair if right in titles}),
        linked(named, [*_stated(by_pair), *_siblings(found)]),
    )


def _stated(by_pair: Mapping[Ids, Sequence[Mapping[str, Any]]]) -> list[Ids]:
    return [pair for pair, members in by_pair.items() if any(row["is_match"] for row in members)]


def _siblings(found: Mapping[str, Mapping[str, Any]]) -> list[Ids]:
    """Pair each listing that has a parent with the first one of that parent."""
    first: dict[str, str] = {}
    with_parent = [(row["parent_id"], listing) for listing, row in sorted(found.items()) if row["parent_id"]]
    return [(first.setdefault(parent, listing), listing) for parent, listing in with_parent]


def linked(listings: Sequence[str], matches: Sequence[Ids]) -> dict[str, int]:
    """Give listings that are linked by a chain of matches the same number, and others different ones."""
    from scipy import sparse  # noqa: PLC0415 (most commands can do without SciPy)

    position = {listing: number for number, listing in enumerate(listings)}
    ends = np.array([(position[left], position[right]) for left, right in matches], dtype=np.int64).reshape(-1, 2)
    shape = (len(listings), len(listings))
    graph = sparse.coo_array((np.ones(len(ends), dtype=np.int8), (ends[:, 0], ends[:, 1])), shape=shape)
    _, labels = sparse.csgraph.connected_components(graph, directed=False)
    return dict(zip(listings, labels.tolist(), strict=True))
