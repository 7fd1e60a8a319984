"""Product matching: tell whether two listings are of the same product.

Matches come from upstream's mapping. The pairs that do not match are hard: each is a listing of a drawn match
with the listing of the other side that reads most like it and is not linked with it by any chain of matches.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby, islice
from operator import itemgetter
from typing import Any

import numpy as np
from pydantic import Field

from ecinstruct_build.answers import YES_NO
from ecinstruct_build.chance import choose, digest, uniform
from ecinstruct_build.drawing.blocking import most_similar, words_of
from ecinstruct_build.drawing.draw import ProductKey, fetch_products, of_sources, origin_of
from ecinstruct_build.engine import Tables
from ecinstruct_build.example import Example
from ecinstruct_build.task import Drawn, Request, Task, TaskSettings
from ecinstruct_build.text import clean, plain

NAME = "product_matching"

_TRIES = 50  # draws of a random listing before a match goes without


class MatchingSettings(TaskSettings):
    """Settings of product matching.

    Attributes
    ----------
    negatives_per_match
        Pairs that do not match, for each pair that does.
    neighbours
        Most similar listings looked at for each listing.
    random_share
        Share of the negatives that are drawn at random instead of by similarity.
    negatives_per_product
        Negatives that one listing stands in at most.
    """

    negatives_per_match: float = Field(default=1.0, ge=0.0)
    neighbours: int = Field(default=10, ge=1)
    random_share: float = Field(default=0.0, ge=0.0, le=1.0)
    negatives_per_product: int = Field(default=3, ge=1)


@dataclass(frozen=True)
class Pair:
    """A left and a right listing, by product id; ``by_chance`` says that a negative was not found by similarity."""

    left: str
    right: str
    is_match: bool
    by_chance: bool = False


@dataclass(frozen=True)
class Market:
    """The two sides of one source's mapping.

    Attributes
    ----------
    source, catalogue, locale
        What all its rows have in common.
    rows
        The rows of the mapping by pair of ids.
    titles
        Cleaned title of each listing that has one.
    lefts, rights
        Titled listings of the two sides, sorted.
    group
        A number for each listing, the same for listings linked by a chain of matches.
    """

    source: str
    catalogue: str
    locale: str
    rows: Mapping[tuple[str, str], Sequence[Mapping[str, Any]]]
    titles: Mapping[str, str]
    lefts: Sequence[str]
    rights: Sequence[str]
    group: Mapping[str, int]

    @property
    def matches(self) -> list[tuple[str, str]]:
        """Pairs of different titled listings that upstream calls a match and nowhere else a non-match."""
        return [
            pair
            for pair, rows in self.rows.items()
            if pair[0] != pair[1]
            and all(row["is_match"] for row in rows)
            and all(listing in self.titles for listing in pair)
        ]


@dataclass
class Negatives:
    """Draws the non-matches of a market one after another, none twice and no listing too often.

    Attributes
    ----------
    market, settings, seed
        Where from and how to draw.
    missed
        Non-matches asked for in vain so far.
    """

    market: Market
    settings: MatchingSettings
    seed: int
    missed: int = 0
    _near: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    _uses: Counter[str] = field(default_factory=Counter)
    _drawn: set[tuple[str, str]] = field(default_factory=set)

    def __post_init__(self) -> None:
        sides = {"left": self.market.lefts, "right": self.market.rights}
        for side, other in (("left", "right"), ("right", "left")):
            listings, others = sides[side], sides[other]
            found = most_similar(
                [self.market.titles[listing] for listing in listings],
                [self.market.titles[listing] for listing in others],
                self.settings.neighbours,
                [self.market.group[listing] for listing in listings],
                [self.market.group[listing] for listing in others],
            )
            for listing, positions in zip(listings, found, strict=True):
                self._near[side, listing] = [others[position] for position in positions]

    def draw(self, match: tuple[str, str], number: int) -> Pair | None:
        """Draw the non-match of the given number for a match, or None if no listings are left for it."""
        market = self.market
        identity = f"{market.source}|{market.locale}|{match[0]}|{match[1]}|{number}"
        sides = ("left", "right")
        if uniform(self.seed, f"{NAME} anchor", identity) < 0.5:
            sides = ("right", "left")
        by_chance = uniform(self.seed, f"{NAME} random", identity) < self.settings.random_share
        pair = None if by_chance else self._similar(match, sides)
        for kept in (*sides, ""):
            pair = pair or self._random(match, kept, identity)
        self.missed += pair is None
        return pair

    def _similar(self, match: tuple[str, str], sides: tuple[str, str]) -> Pair | None:
        for side in sides:
            anchor = match[side == "right"]
            for other in self._near[side, anchor]:
                left, right = (anchor, other) if side == "left" else (other, anchor)
                if self._free(left, right):
                    return self._use(left, right, by_chance=False)
        return None

    def _random(self, match: tuple[str, str], kept: str, identity: str) -> Pair | None:
        """Draw a pair that keeps the listing of one side of a match, or neither where that is used up."""
        for attempt in range(_TRIES):
            chosen = f"{identity}|{kept}|{attempt}"
            left = match[0] if kept == "left" else choose(self.market.lefts, self.seed, f"{NAME} left", chosen)
            right = match[1] if kept == "right" else choose(self.market.rights, self.seed, f"{NAME} right", chosen)
            if self._free(left, right):
                return self._use(left, right, by_chance=True)
        return None

    def _free(self, left: str, right: str) -> bool:
        most = self.settings.negatives_per_product
        return (
            self.market.group[left] != self.market.group[right]
            and not self._one_names_the_other(left, right)
            and (left, right) not in self._drawn
            and (right, left) not in self._drawn
            and self._uses[left] < most
            and self._uses[right] < most
        )

    def _one_names_the_other(self, left: str, right: str) -> bool:
        """Say whether one title holds every word of the other: such listings may match, whatever the mapping lacks."""
        words, others = (words_of(self.market.titles[listing]) for listing in (left, right))
        return words <= others or others <= words

    def _use(self, left: str, right: str, *, by_chance: bool) -> Pair:
        self._drawn.add((left, right))
        self._uses.update([left, right])
        return Pair(left, right, is_match=False, by_chance=by_chance)


def open_markets(tables: Tables, settings: MatchingSettings) -> list[Market]:
    """Fetch the mappings, ids only, with the titles of the listings that they name."""
    key = ["source", "catalogue", "locale"]
    order = [*key, "left_id", "right_id", "is_match", "file", "line"]
    rows = tables.fetch(of_sources(tables["match"], settings).select(*order), by=order).to_pylist()
    return [_open_market(tables, names, list(members)) for names, members in groupby(rows, key=itemgetter(*key))]


def _open_market(tables: Tables, names: tuple[str, str, str], rows: Sequence[Mapping[str, Any]]) -> Market:
    source, catalogue, locale = names
    by_pair: defaultdict[tuple[str, str], list[Mapping[str, Any]]] = defaultdict(list)
    for row in rows:
        by_pair[row["left_id"], row["right_id"]].append(row)
    named = sorted({listing for pair in by_pair for listing in pair})
    found = fetch_products(tables, (ProductKey(catalogue, listing, locale) for listing in named))
    titles = {key.product_id: title for key, row in found.items() if (title := clean(row["title"]))}
    return Market(
        source,
        catalogue,
        locale,
        by_pair,
        titles,
        sorted({left for left, _ in by_pair if left in titles}),
        sorted({right for _, right in by_pair if right in titles}),
        linked(named, [pair for pair, members in by_pair.items() if any(row["is_match"] for row in members)]),
    )


def linked(listings: Sequence[str], matches: Sequence[tuple[str, str]]) -> dict[str, int]:
    """Give listings that are linked by a chain of matches the same number, and others different ones."""
    from scipy import sparse  # noqa: PLC0415 (most commands can do without SciPy)

    position = {listing: number for number, listing in enumerate(listings)}
    ends = np.array([(position[left], position[right]) for left, right in matches], dtype=np.int64).reshape(-1, 2)
    shape = (len(listings), len(listings))
    graph = sparse.coo_array((np.ones(len(ends), dtype=np.int8), (ends[:, 0], ends[:, 1])), shape=shape)
    _, labels = sparse.csgraph.connected_components(graph, directed=False)
    return dict(zip(listings, labels.tolist(), strict=True))


def draw_pairs(negatives: Negatives) -> Iterator[Pair]:
    """Yield matches in keyed order, each followed by its non-matches, so that every beginning is balanced."""
    market, settings, seed = negatives.market, negatives.settings, negatives.seed
    identity = f"{market.source}|{market.locale}"
    matches = sorted(market.matches, key=lambda pair: (digest(seed, NAME, f"{identity}|{pair[0]}|{pair[1]}"), pair))
    drawn = 0
    for count, match in enumerate(matches, start=1):
        yield Pair(*match, is_match=True)
        due = round(count * settings.negatives_per_match, 6)  # six places, so that ten times 0.1 is 1
        while drawn + 1 <= due:
            if pair := negatives.draw(match, drawn):
                yield pair
            drawn += 1


def describe(row: Mapping[str, Any]) -> dict[str, str]:
    """Return what a listing says of its product: title, description, manufacturer, price, if it has them."""
    said = {
        "title": plain(row["title"]),
        "description": plain(row["description"]),
        "manufacturer": plain(row["brand"]),
        "price": plain(row["price"]),
    }
    if not any(digit in clean(said["price"]) for digit in "123456789"):
        said["price"] = ""  # upstream writes 0 where it does not know
    return {name: text for name, text in said.items() if clean(text)}


def to_example(market: Market, pair: Pair, rows: Mapping[str, Mapping[str, Any]]) -> Example:
    """Turn a pair, with the product rows by id, into an example."""
    left, right = rows[pair.left], rows[pair.right]
    stated = market.rows.get((pair.left, pair.right), ())
    return Example(
        task=NAME,
        source=market.source,
        identity=f"{market.locale}|{pair.left}|{pair.right}",
        domain="ind",
        locale=market.locale,
        products=(pair.left, pair.right),
        fields={"left": describe(left), "right": describe(right)},
        answer="yes" if pair.is_match else "no",
        origins=tuple(dict.fromkeys(origin_of(row) for row in (*stated, left, right))),
    )


def draw_examples(tables: Tables, settings: MatchingSettings, request: Request) -> Drawn:
    """Draw matches and non-matches from each source's mapping; the task has no domain but one."""
    examples: list[Example] = []
    funnel: Counter[str] = Counter()
    for market in open_markets(tables, settings):
        negatives = Negatives(market, settings, request.seed)
        pairs = list(islice(draw_pairs(negatives), request.ind))
        keys = (
            ProductKey(market.catalogue, listing, market.locale)
            for pair in pairs
            for listing in (pair.left, pair.right)
        )
        columns = ("title", "description", "brand", "price")
        rows = {key.product_id: row for key, row in fetch_products(tables, keys, columns).items()}
        examples += [to_example(market, pair, rows) for pair in pairs]
        funnel["pairs in the mapping"] += len(market.rows)
        funnel["matches with titles"] += len(market.matches)
        funnel["matches"] += sum(pair.is_match for pair in pairs)
        funnel["random non-matches"] += sum(pair.by_chance for pair in pairs)
        funnel["similar non-matches"] += sum(not pair.is_match and not pair.by_chance for pair in pairs)
        funnel["matches left without a non-match"] += negatives.missed
    return Drawn(examples, dict(funnel) | {"examples": len(examples)})


TASK = Task(
    name=NAME,
    published_name="Product_Matching",
    summary="Read two listings and say whether they are of the same product.",
    reads=("match", "product"),
    primary="match",
    settings=MatchingSettings,
    answer=YES_NO,
    draw=draw_examples,
    fields={
        "left": "the one listing: an object with title and, if known, description, manufacturer and price",
        "right": "the other listing, in the same form",
    },
)
