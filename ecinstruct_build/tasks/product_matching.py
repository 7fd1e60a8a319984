"""Product matching: tell whether two listings are of the same product.

Matches come from upstream's mapping. The pairs that do not match are hard. Those that upstream itself calls
non-matches come first, above all those with a listing of the match that they accompany. Where upstream names matches
only, each is a listing of a drawn match with the listing of the other side that reads most like it and is not linked
with it by any chain of matches. Where it labels non-matches, the pairs that it does not label are unknown, and many of
those that read alike are matches: they are left alone.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from typing import Any, Literal

from pydantic import Field

from ecinstruct_build.answers import YES_NO
from ecinstruct_build.chance import choose, digest, uniform
from ecinstruct_build.drawing.blocking import most_similar, words_of
from ecinstruct_build.drawing.draw import ProductKey, fetch_products, origin_of
from ecinstruct_build.drawing.markets import Ids, Market, open_markets
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
    labelled_first
        Whether pairs that upstream itself calls non-matches come before unlabelled ones that read alike.
    similar_beside_labelled
        Whether unlabelled pairs that read alike serve where upstream's non-matches run out: many may be matches.
    neighbours
        Most similar listings looked at for each listing.
    random_share
        Share of the negatives that are drawn at random instead of by upstream's label or by similarity.
    negatives_per_product
        Negatives that one listing stands in at most.
    """

    negatives_per_match: float = Field(default=1.0, ge=0.0)
    labelled_first: bool = True
    similar_beside_labelled: bool = False
    neighbours: int = Field(default=10, ge=1)
    random_share: float = Field(default=0.0, ge=0.0, le=1.0)
    negatives_per_product: int = Field(default=3, ge=1)


Found = Literal["match", "labelled", "similar", "random"]
"""How a pair was found: as upstream's match or non-match, or as a non-match by similarity or by chance."""


@dataclass(frozen=True)
class Pair:
    """A left and a right listing, by product id, and how it was found: see `Found`."""

    left: str
    right: str
    found: Found

    @property
    def is_match(self) -> bool:
        """Whether they are the same product."""
        return self.found == "match"


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
    _uses: Counter[str] = field(default_factory=Counter)
    _drawn: set[Ids] = field(default_factory=set)

    @cached_property
    def _near(self) -> Mapping[tuple[str, str], list[str]]:
        """The listings of the other side that read most like each, by its side and id."""
        sides = {"left": self.market.lefts, "right": self.market.rights}
        near: dict[tuple[str, str], list[str]] = {}
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
                near[side, listing] = [others[position] for position in positions]
        return near

    @cached_property
    def _labelled(self) -> tuple[Mapping[str, Iterator[Ids]], Iterator[Ids]]:
        """Upstream's non-matches in keyed order: those of each listing, and all of them.

        Those whose titles share no word, which anyone can tell apart, are the last of all and stand under no listing;
        of the others, those with a listing of a match come later, to be there for that match. A pair that is not free
        once never is again, so that each is looked at once in each order.
        """
        market = self.market
        pairs = market.non_matches if self.settings.labelled_first else []
        keys = {pair: digest(self.seed, f"{NAME} labelled", f"{self._identity}|{pair[0]}|{pair[1]}") for pair in pairs}
        ordered = sorted(pairs, key=lambda pair: (keys[pair], pair))
        words = {listing: words_of(market.titles[listing]) for pair in pairs for listing in pair}
        unlike = {pair for pair in pairs if words[pair[0]].isdisjoint(words[pair[1]])}
        by_listing: defaultdict[str, list[Ids]] = defaultdict(list)
        for pair in ordered:
            if pair not in unlike:
                for listing in pair:
                    by_listing[listing].append(pair)
        matched = {listing for pair in market.matches for listing in pair}
        apart = sorted(ordered, key=lambda pair: (pair in unlike, not matched.isdisjoint(pair)))
        return {listing: iter(members) for listing, members in by_listing.items()}, iter(apart)

    @property
    def _identity(self) -> str:
        return f"{self.market.source}|{self.market.locale}"

    def draw(self, match: Ids, number: int) -> Pair | None:
        """Draw the non-match of the given number for a match, or None if no listings are left for it."""
        identity = f"{self._identity}|{match[0]}|{match[1]}|{number}"
        sides = ("left", "right")
        if uniform(self.seed, f"{NAME} anchor", identity) < 0.5:
            sides = ("right", "left")
        by_chance = uniform(self.seed, f"{NAME} random", identity) < self.settings.random_share
        pair = None if by_chance else self._stated(match, sides) or self._similar(match, sides)
        for kept in (*sides, ""):
            pair = pair or self._random(match, kept, identity)
        self.missed += pair is None
        return pair

    def _stated(self, match: Ids, sides: tuple[str, str]) -> Pair | None:
        """Take a pair that upstream calls a non-match, if possible one with a listing of the match."""
        by_listing, apart = self._labelled
        for side in sides:
            for left, right in by_listing.get(match[side == "right"], ()):
                if self._free(left, right):
                    return self._use(left, right, "labelled")
        for left, right in apart:
            if self._free(left, right):
                return self._use(left, right, "labelled")
        return None

    def _similar(self, match: Ids, sides: tuple[str, str]) -> Pair | None:
        """Take the free pair of a listing of the match that reads most alike, unless upstream labels non-matches."""
        settings = self.settings
        if settings.labelled_first and self.market.non_matches and not settings.similar_beside_labelled:
            return None
        for side in sides:
            anchor = match[side == "right"]
            for other in self._near[side, anchor]:
                left, right = (anchor, other) if side == "left" else (other, anchor)
                if self._apart(left, right) and self._free(left, right):
                    return self._use(left, right, "similar")
        return None

    def _random(self, match: Ids, kept: str, identity: str) -> Pair | None:
        """Draw a pair that keeps the listing of one side of a match, or neither where that is used up."""
        for attempt in range(_TRIES):
            chosen = f"{identity}|{kept}|{attempt}"
            left = match[0] if kept == "left" else choose(self.market.lefts, self.seed, f"{NAME} left", chosen)
            right = match[1] if kept == "right" else choose(self.market.rights, self.seed, f"{NAME} right", chosen)
            if self._apart(left, right) and self._free(left, right):
                return self._use(left, right, "random")
        return None

    def _free(self, left: str, right: str) -> bool:
        """Say whether a pair is still to be had; one that is not will never be again."""
        most = self.settings.negatives_per_product
        return (
            (left, right) not in self._drawn
            and (right, left) not in self._drawn
            and self._uses[left] < most
            and self._uses[right] < most
        )

    def _apart(self, left: str, right: str) -> bool:
        """Say whether a pair that nobody labelled can be called a non-match.

        It cannot if a chain of matches links it, or if the one title holds every word of the other: such listings may
        match, whatever the mapping lacks.
        """
        if self.market.group[left] == self.market.group[right]:
            return False
        words, others = (words_of(self.market.titles[listing]) for listing in (left, right))
        return not (words <= others or others <= words)

    def _use(self, left: str, right: str, found: Found) -> Pair:
        self._drawn.add((left, right))
        self._uses.update([left, right])
        return Pair(left, right, found)


def draw_pairs(negatives: Negatives) -> Iterator[Pair]:
    """Yield matches in keyed order, each followed by its non-matches, so that every beginning is balanced."""
    market, settings, seed = negatives.market, negatives.settings, negatives.seed
    identity = f"{market.source}|{market.locale}"
    matches = sorted(market.matches, key=lambda pair: (digest(seed, NAME, f"{identity}|{pair[0]}|{pair[1]}"), pair))
    drawn = 0
    for count, match in enumerate(matches, start=1):
        yield Pair(*match, "match")
        due = round(count * settings.negatives_per_match, 6)  # six places, so that ten times 0.1 is 1
        while drawn + 1 <= due:
            if pair := negatives.draw(match, drawn):
                yield pair
            drawn += 1


def describe(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a listing says of its product: title, description, manufacturer, price, features, if it has them."""
    said = {
        "title": plain(row["title"]),
        "description": plain(row["description"]),
        "manufacturer": plain(row["brand"]),
        "price": plain(row["price"]),
    }
    if not any(digit in clean(said["price"]) for digit in "123456789"):
        said["price"] = ""  # upstream writes 0 where it does not know
    features = [text for feature in row["features"] or () if clean(text := plain(feature))]
    return {name: text for name, text in said.items() if clean(text)} | ({"features": features} if features else {})


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
        columns = ("title", "description", "brand", "price", "features")
        rows = {key.product_id: row for key, row in fetch_products(tables, keys, columns).items()}
        examples += [to_example(market, pair, rows) for pair in pairs]
        funnel["pairs in the mapping"] += len(market.rows)
        funnel["matches with titles"] += len(market.matches)
        ways = Counter(pair.found for pair in pairs)
        funnel["matches"] += ways["match"]
        funnel["labelled non-matches"] += ways["labelled"]
        funnel["random non-matches"] += ways["random"]
        funnel["similar non-matches"] += ways["similar"]
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
        "left": "the one listing: an object with title and, if known, description, manufacturer, price and features",
        "right": "the other listing, in the same form",
    },
)
