"""Sequential recommendation: from what a user bought, pick what they bought next.

Interactions are reduced to their k-core within each category; the last of a user's is the one to find, among
others of the same category that the user never had to do with.
"""

import heapq
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pydantic import Field

from ecinstruct_build.answers import SHUFFLED_LETTER
from ecinstruct_build.chance import digest
from ecinstruct_build.draw import ProductKey, fetch_products, of_sources, only_titled, origin_of, with_domain
from ecinstruct_build.engine import Tables
from ecinstruct_build.example import Domain, Example, Item, Option, Origin
from ecinstruct_build.interactions import Histories, histories
from ecinstruct_build.task import Drawn, LeakagePolicy, Request, Task, TaskSettings
from ecinstruct_build.text import clean

NAME = "sequential_recommendation"


class SequentialSettings(TaskSettings):
    """Settings of sequential recommendation.

    Attributes
    ----------
    core
        Interactions that each user and product of a category has at least.
    min_history, max_history
        Products before the one to find: fewest, and most (the latest are kept).
    negatives
        Wrong options of an example.
    spares
        Further wrong options, to stand in for those that a split takes away.
    """

    leakage: LeakagePolicy = "trim"
    min_context: int = Field(default=2, ge=0)
    core: int = Field(default=5, ge=1)
    min_history: int = Field(default=4, ge=1)
    max_history: int = Field(default=50, ge=1)
    negatives: int = Field(default=19, ge=1, le=25)
    spares: int = Field(default=281, ge=0)


@dataclass(frozen=True, order=True)
class Market:
    """The part of the reviews within which users are followed: one category of one source."""

    source: str
    category: str
    locale: str
    catalogue: str
    domain: Domain


@dataclass(frozen=True, order=True)
class Shopper:
    """A drawn user of a market: by ``draw_key``, with product ids oldest first; the last is the one to find."""

    draw_key: str
    market: Market
    user_id: str
    products: tuple[str, ...]

    @property
    def identity(self) -> str:
        """What makes the example, within its source."""
        return identity_of(self.market, self.user_id)


@dataclass(frozen=True)
class Seen:
    """What drawn users of one market did.

    Attributes
    ----------
    products
        By user: every product that they reviewed anywhere in the source.
    origins
        By user and product: the first such review in the market.
    """

    products: Mapping[str, set[str]]
    origins: Mapping[tuple[str, str], Origin]


@dataclass(frozen=True)
class Shelf:
    """Titled products of one market: their list items, options and origins, by product id."""

    items: Mapping[str, Item]
    options: Mapping[str, Option]
    origins: Mapping[str, Origin]


def identity_of(market: Market, user_id: str) -> str:
    """Return the identity of a user's example in a market."""
    return f"{market.category}|{market.locale}|{user_id}"


def markets(tables: Tables, settings: SequentialSettings, request: Request) -> list[Market]:
    """Return the markets of the domains that are asked for, sorted."""
    review = of_sources(tables["review"], settings)
    names = ["source", "category", "locale", "catalogue"]
    found = with_domain(review.mutate(category=review.category.fill_null("")).select(*names).distinct(), settings)
    wanted = {domain for domain, number in request.domains if number > 0}
    rows = tables.fetch(found, by=names).to_pylist()
    return sorted(Market(**row) for row in rows if row["domain"] in wanted)


def interactions_of(tables: Tables, market: Market) -> pa.Table:
    """Return each user's first time with each titled product of a market: ``user_id, product_id, timestamp``."""
    review = tables["review"]
    rows = review.filter(
        review.source == market.source,
        review.category.fill_null("") == market.category,
        review.locale == market.locale,
        review.catalogue == market.catalogue,
    ).select("user_id", "product_id", "timestamp", "catalogue", "locale")
    firsts = only_titled(rows, tables).group_by(["user_id", "product_id"]).agg(timestamp=rows.timestamp.min())
    return tables.fetch(firsts, by=["user_id", "product_id"])


def draw_shoppers(found: Histories, market: Market, settings: SequentialSettings, request: Request) -> list[Shopper]:
    """Draw users of a market that have a history long enough."""
    wanted = dict(request.domains)[market.domain]
    able = np.flatnonzero(found.lengths > settings.min_history)
    user_ids = found.users.take(pa.array(able)).to_pylist()
    keyed = (
        (digest(request.seed, NAME, f"{market.source}|{identity_of(market, user_id)}"), user_id, int(position))
        for user_id, position in zip(user_ids, able, strict=True)
    )
    return [
        Shopper(draw_key, market, user_id, tuple(found.products_of(position, settings.max_history + 1)))
        for draw_key, user_id, position in heapq.nsmallest(wanted, keyed)
    ]


def fetch_seen(tables: Tables, market: Market, user_ids: Sequence[str]) -> Seen:
    """Fetch the ids of all reviews of drawn users, in and out of the market."""
    lent = tables.lend(pa.table({"user_id": pa.array(user_ids, pa.string())}))
    review = tables["review"].filter(tables["review"].source == market.source)
    names = ["user_id", "timestamp", "file", "line", "product_id", "category", "locale", "source"]
    rows = tables.fetch(review.semi_join(lent, "user_id").select(*names), by=names[:5])
    products: defaultdict[str, set[str]] = defaultdict(set)
    origins: dict[tuple[str, str], Origin] = {}
    for batch in rows.to_batches(max_chunksize=10_000):
        for row in batch.to_pylist():
            products[row["user_id"]].add(row["product_id"])
            if ((row["category"] or ""), row["locale"]) == (market.category, market.locale):
                origins.setdefault((row["user_id"], row["product_id"]), origin_of(row))
    return Seen(products, origins)


def fetch_shelf(tables: Tables, market: Market, product_ids: Iterable[str]) -> Shelf:
    """Fetch the products named; those without a title after cleaning are left out."""
    keys = (ProductKey(market.catalogue, product_id, market.locale) for product_id in product_ids)
    items: dict[str, Item] = {}
    options: dict[str, Option] = {}
    origins: dict[str, Origin] = {}
    for key, row in fetch_products(tables, keys).items():
        if title := clean(row["title"]):
            items[key.product_id] = Item(key.product_id, title)
            options[key.product_id] = Option(key=key.product_id, text=title, product_id=key.product_id)
            origins[key.product_id] = origin_of(row)
    return Shelf(items, options, origins)


def candidates(
    pool: Sequence[str], seen: set[str], settings: SequentialSettings, seed: int, identity: str
) -> list[str]:
    """Return products that may be wrong options for a user, in keyed order.

    The cost depends on the options wanted and what the user has seen, not on the size of the pool. There are a
    few more than needed, since some may turn out to have no title, or one that is taken.
    """
    needed = settings.negatives + settings.spares
    positions = draw_positions(len(pool), needed + needed // 4 + len(seen), seed, identity)
    return [pool[position] for position in positions.tolist() if pool[position] not in seen]


def draw_positions(size: int, count: int, seed: int, identity: str) -> NDArray[np.int64]:
    """Return about ``count`` or more distinct positions below ``size`` in keyed order; all of a small ``size``."""
    if size <= 4 * count:
        return np.argsort(_words(size, seed, identity), kind="stable")
    words = _words(count + count // 2, seed, identity)
    positions: NDArray[np.int64] = ((words * np.uint64(size)) >> np.uint64(32)).astype(np.int64)
    _, firsts = np.unique(positions, return_index=True)
    return positions[np.sort(firsts)]


def _words(count: int, seed: int, identity: str) -> NDArray[np.uint64]:
    """Return ``count`` numbers below 2**32 of an identity's own; a digest gives four."""
    digests = (digest(seed, f"{NAME} options", f"{identity}|{block}") for block in range(-(-count // 4)))
    return np.frombuffer(bytes.fromhex("".join(digests)), dtype=">u4")[:count].astype(np.uint64)


def to_example(
    shopper: Shopper, shelf: Shelf, seen: Seen, wrong: Iterable[str], settings: SequentialSettings
) -> Example | str:
    """Turn a drawn user into an example, or return in a few words why not.

    No two options have the same title, and none has the title of a product of the history: such an option
    could be told from the others without any knowledge of shopping.
    """
    *history, target = shopper.products
    context = [shelf.items[product] for product in history if product in shelf.items]
    if target not in shelf.items or len(context) < settings.min_history:
        return "titles empty after cleaning"
    taken = {item.text.casefold() for item in context}
    if shelf.items[target].text.casefold() in taken:
        return "history holds the title to find"
    taken.add(shelf.items[target].text.casefold())
    fresh = _new_titles((shelf.options[product] for product in wrong if product in shelf.options), taken)
    options = list(islice(fresh, settings.negatives + settings.spares))
    if len(options) < settings.negatives:
        return "too few other products in the category"
    offered = (shelf.options[target], *options[: settings.negatives])
    shown = [*(item.product_id for item in context), *(option.product_id for option in offered)]
    reviewed = [*(item.product_id for item in context), target]
    origins = [*(seen.origins[shopper.user_id, product] for product in reviewed), *(shelf.origins[p] for p in shown)]
    return Example(
        task=NAME,
        source=shopper.market.source,
        identity=shopper.identity,
        domain=shopper.market.domain,
        locale=shopper.market.locale,
        category=shopper.market.category,
        products=(),
        groups=(f"user:{shopper.user_id}",),
        fields={"category": shopper.market.category.replace("_", " ")},
        context=tuple(context),
        options=offered,
        spare_options=tuple(options[settings.negatives :]),
        answer=target,
        origins=tuple(dict.fromkeys(origins)),
    )


def _new_titles(options: Iterable[Option], taken: set[str]) -> Iterable[Option]:
    """Yield the options whose title was not there before."""
    for option in options:
        title = option.text.casefold()
        if title not in taken:
            taken.add(title)
            yield option


def build_market(
    tables: Tables,
    market: Market,
    shoppers: Sequence[Shopper],
    pool: Sequence[str],
    *,
    settings: SequentialSettings,
    seed: int,
) -> list[Example | str]:
    """Turn the drawn users of one market into examples, or reasons why not."""
    seen = fetch_seen(tables, market, sorted(shopper.user_id for shopper in shoppers))
    wrong = [
        candidates(pool, seen.products[shopper.user_id], settings, seed, f"{market.source}|{shopper.identity}")
        for shopper in shoppers
    ]
    named = {product for shopper in shoppers for product in shopper.products}
    named.update(product for products in wrong for product in products)
    shelf = fetch_shelf(tables, market, named)
    return [
        to_example(shopper, shelf, seen, products, settings) for shopper, products in zip(shoppers, wrong, strict=True)
    ]


def draw_examples(tables: Tables, settings: SequentialSettings, request: Request) -> Drawn:
    """Draw users, by source and domain."""
    funnel: defaultdict[str, int] = defaultdict(int)
    pools: dict[Market, pa.Array] = {}
    able: defaultdict[tuple[str, Domain], list[Shopper]] = defaultdict(list)
    for market in markets(tables, settings, request):
        rows = interactions_of(tables, market)
        found = histories(rows, settings.core)
        pools[market] = found.products
        able[market.source, market.domain] += draw_shoppers(found, market, settings, request)
        funnel[f"first interactions with titled products ({market.domain})"] += rows.num_rows
        funnel[f"of them in the {settings.core}-core ({market.domain})"] += len(found.sequence)
        funnel[f"users with {settings.min_history} products or more before the last ({market.domain})"] += int(
            (found.lengths > settings.min_history).sum()
        )
    chosen: defaultdict[Market, list[Shopper]] = defaultdict(list)
    for (_, domain), shoppers in able.items():
        for shopper in heapq.nsmallest(dict(request.domains)[domain], shoppers):
            chosen[shopper.market].append(shopper)
    made = [
        example
        for market, shoppers in chosen.items()
        for example in build_market(
            tables, market, shoppers, pools[market].to_pylist(), settings=settings, seed=request.seed
        )
    ]
    funnel["drawn"] = len(made)
    for reason in sorted(reason for reason in made if isinstance(reason, str)):
        funnel[reason] += 1
    examples = [example for example in made if isinstance(example, Example)]
    funnel["examples"] = len(examples)
    return Drawn(examples, dict(funnel))


TASK = Task(
    name=NAME,
    published_name="Sequential_Recommendation",
    summary="Read what a user bought, in order, and pick what they bought next among twenty products.",
    reads=("review", "product"),
    primary="review",
    settings=SequentialSettings,
    answer=SHUFFLED_LETTER,
    draw=draw_examples,
    fields={"category": "the category that all products of the example are of"},
)
