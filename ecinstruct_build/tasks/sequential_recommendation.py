"""Sequential recommendation: from what a user bought, pick what they bought next.

Interactions are reduced to their k-core within each category; the last of a user's is the one to find, among
others that were reviewed in the same category, in the core or not, but never by this user anywhere.
"""

import heapq
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pydantic import Field

from ecinstruct_build.answers import SHUFFLED_LETTER
from ecinstruct_build.chance import digest
from ecinstruct_build.drawing.draw import ProductKey, fetch_products, of_sources, only_titled, origin_of, with_domain
from ecinstruct_build.drawing.interactions import Codes, Histories, Past, histories
from ecinstruct_build.engine import Tables
from ecinstruct_build.example import Domain, Example, Item, Option, Origin
from ecinstruct_build.task import Drawn, LeakagePolicy, Request, Task, TaskSettings
from ecinstruct_build.text import clean, plain

NAME = "sequential_recommendation"

Objects = NDArray[np.object_]


class SequentialSettings(TaskSettings):
    """Settings of sequential recommendation.

    Attributes
    ----------
    core
        Interactions that each user and product of a category has at least.
    min_history, max_history
        Products before the one to find: fewest, and most (the latest are kept).
    strictly_later
        Whether the product to find must have come later than all others of the history: times are often whole days.
    negatives
        Wrong options of an example.
    core_share
        Share of wrong options from the core that targets come from; were there none, the most reviewed product
        would be the answer more often than not. The others come from all products of the category.
    spares
        Further wrong options, to stand in for those that a split takes away.
    """

    leakage: LeakagePolicy = "trim"
    min_context: int = Field(default=2, ge=0)
    core: int = Field(default=5, ge=1)
    min_history: int = Field(default=4, ge=1)
    max_history: int = Field(default=50, ge=1)
    strictly_later: bool = True
    negatives: int = Field(default=19, ge=1, le=25)
    core_share: float = Field(default=0.5, ge=0.0, le=1.0)
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
    """A drawn user of a market.

    Attributes
    ----------
    draw_key, market, user_id
        The digest that the user was drawn by; where; who.
    products
        Positions in the market's pool (every titled product reviewed in it), oldest first; the last is the one to
        find.
    """

    draw_key: str
    market: Market
    user_id: str
    products: Codes = field(compare=False)

    @property
    def identity(self) -> str:
        """What makes the example, within its source."""
        return identity_of(self.market, self.user_id)


@dataclass(frozen=True)
class Shelf:
    """The products of a pool that were fetched, by position in the pool.

    Attributes
    ----------
    titles
        A number for each title, whatever its case; -1 where there is none.
    items, options
        The product as an item of a history and as an option; None where there is no title.
    """

    titles: Codes
    items: Objects
    options: Objects


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


def able_users(found: Histories, settings: SequentialSettings) -> NDArray[np.bool_]:
    """Say of each user whether an example can be made of them."""
    enough: NDArray[np.bool_] = found.lengths > settings.min_history
    return enough & found.later if settings.strictly_later else enough


def draw_shoppers(found: Histories, market: Market, settings: SequentialSettings, request: Request) -> list[Shopper]:
    """Draw users of a market that have a history long enough, and a product that came after it."""
    wanted = dict(request.domains)[market.domain]
    able = np.flatnonzero(able_users(found, settings))
    user_ids = found.users.take(pa.array(able)).to_pylist()
    keyed = (
        (digest(request.seed, NAME, f"{market.source}|{identity_of(market, user_id)}"), user_id, int(position))
        for user_id, position in zip(user_ids, able, strict=True)
    )
    return [
        Shopper(draw_key, market, user_id, found.products_of(position, settings.max_history + 1))
        for draw_key, user_id, position in heapq.nsmallest(wanted, keyed)
    ]


def fetch_past(tables: Tables, market: Market, user_ids: Sequence[str], pool: pa.Array) -> Past:
    """Fetch the ids of all reviews of users in a source, in and out of the market."""
    lent = tables.lend(pa.table({"user_id": pa.array(user_ids, pa.string())}))
    review = tables["review"]
    rows = review.filter(review.source == market.source).mutate(
        inside=(review.category.fill_null("") == market.category) & (review.locale == market.locale)
    )
    names = ["user_id", "product_id", "timestamp", "inside", "source", "file", "line"]
    fetched = tables.fetch(rows.semi_join(lent, "user_id").select(*names), by=["file", "line"])
    return Past(fetched, user_ids, pool)


def fetch_shelf(tables: Tables, market: Market, pool: pa.Array, positions: Codes) -> Shelf:
    """Fetch the products at some positions of a pool; titles empty after cleaning count as none."""
    ids = pool.take(pa.array(positions)).to_pylist()
    rows = fetch_products(tables, (ProductKey(market.catalogue, product_id, market.locale) for product_id in ids))
    shelf = Shelf(np.full(len(pool), -1, dtype=np.int32), *(np.empty(len(pool), dtype=object) for _ in range(2)))
    numbers: dict[str, int] = {}
    for position, product_id in zip(positions.tolist(), ids, strict=True):
        row = rows[ProductKey(market.catalogue, product_id, market.locale)]
        title = plain(row["title"])
        if words := clean(title):
            shelf.titles[position] = numbers.setdefault(words.casefold(), len(numbers))
            record = asdict(origin_of(row))
            shelf.items[position] = Item(product_id, title, **record)
            shelf.options[position] = Option(key=product_id, text=title, product_id=product_id, **record)
    return shelf


def candidates(
    size: int, core: Codes, known: Codes, settings: SequentialSettings, *, seed: int, identity: str
) -> Codes:
    """Return positions in a pool that may be wrong options for a user, in keyed order.

    The cost depends on the options wanted and on what the user knows, not on the size of the pool. There are a
    few more than needed, since some may turn out to have no title, or one that is taken.
    """
    needed = settings.negatives + settings.spares
    count = needed + needed // 4 + len(known)
    anywhere = draw_positions(size, count, seed, identity)
    popular = core[draw_positions(len(core), count, seed, f"{identity}|core")]
    # Each is put where its share of the options before it is kept, so that the first n hold the shares too.
    places = [np.arange(1, len(popular) + 1) / max(settings.core_share, 1e-9)]
    places.append(np.arange(1, len(anywhere) + 1) / max(1 - settings.core_share, 1e-9))
    merged = np.concatenate([popular, anywhere])[np.argsort(np.concatenate(places), kind="stable")]
    _, firsts = np.unique(merged, return_index=True)
    positions = merged[np.sort(firsts)]
    return positions[~np.isin(positions, known)]


def draw_positions(size: int, count: int, seed: int, identity: str) -> Codes:
    """Return about ``count`` or more distinct positions below ``size`` in keyed order; all of a small ``size``."""
    # A generator of its own, keyed by the digest: numpy promises that its raw stream never changes.
    stream = np.random.Philox(key=int(digest(seed, f"{NAME} options", identity), 16))
    if size <= 4 * count:
        return np.argsort(stream.random_raw(size), kind="stable").astype(np.int32)
    high = stream.random_raw(count + count // 2) >> np.uint64(32)
    positions = ((high * np.uint64(size)) >> np.uint64(32)).astype(np.int32)
    _, firsts = np.unique(positions, return_index=True)
    return positions[np.sort(firsts)]


def wrong_options(wrong: Codes, shown: Codes, shelf: Shelf) -> Codes:
    """Keep the candidates that have a title, no two the same, and none that of a product shown already.

    Such an option could be told from the others without any knowledge of shopping.
    """
    fresh = wrong[(shelf.titles[wrong] >= 0) & ~np.isin(shelf.titles[wrong], shelf.titles[shown])]
    _, firsts = np.unique(shelf.titles[fresh], return_index=True)
    return fresh[np.sort(firsts)]


def to_example(
    shopper: Shopper, shelf: Shelf, reviews: Sequence[Origin], wrong: Codes, settings: SequentialSettings
) -> Example | str:
    """Turn a drawn user into an example, or return in a few words why not.

    Parameters
    ----------
    shopper, shelf
        The user, and the products of the pool.
    reviews
        The raw record of each of the user's products.
    wrong
        Positions of candidates for wrong options.
    settings
        The task's settings.
    """
    titled = shelf.titles[shopper.products] >= 0
    history, target = shopper.products[:-1][titled[:-1]], shopper.products[-1]
    if not titled[-1] or len(history) < settings.min_history:
        return "titles empty after cleaning"
    if shelf.titles[target] in shelf.titles[history]:
        return "history holds the title to find"
    shown = np.append(history, target)
    wrong = wrong_options(wrong, shown, shelf)
    if len(wrong) < settings.negatives:
        return "too few other products in the category"
    offered, spare = wrong[: settings.negatives], wrong[settings.negatives : settings.negatives + settings.spares]
    reviewed = [origin for origin, kept in zip(reviews, titled, strict=True) if kept]
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
        context=tuple(shelf.items[history]),
        options=(shelf.options[target], *shelf.options[offered]),
        spare_options=tuple(shelf.options[spare]),
        answer=shelf.options[target].key,
        origins=tuple(reviewed),
    )


def build_market(
    tables: Tables,
    market: Market,
    shoppers: Sequence[Shopper],
    pool: pa.Array,
    core: Codes,
    *,
    settings: SequentialSettings,
    seed: int,
) -> list[Example | str]:
    """Turn the drawn users of one market into examples, or reasons why not."""
    past = fetch_past(tables, market, [shopper.user_id for shopper in shoppers], pool)
    wrong = [
        candidates(
            len(pool), core, past.known(user), settings, seed=seed, identity=f"{market.source}|{shopper.identity}"
        )
        for user, shopper in enumerate(shoppers)
    ]
    named = np.unique(np.concatenate([*(shopper.products for shopper in shoppers), *wrong]))
    shelf = fetch_shelf(tables, market, pool, named)
    return [
        to_example(shopper, shelf, past.reviews(user, shopper.products), wrong[user], settings)
        for user, shopper in enumerate(shoppers)
    ]


def draw_examples(tables: Tables, settings: SequentialSettings, request: Request) -> Drawn:
    """Draw users, by source and domain."""
    funnel: defaultdict[str, int] = defaultdict(int)
    pools: dict[Market, tuple[pa.Array, Codes]] = {}
    able: defaultdict[tuple[str, Domain], list[Shopper]] = defaultdict(list)
    for market in markets(tables, settings, request):
        rows = interactions_of(tables, market)
        found = histories(rows, settings.core)
        pools[market] = found.products, np.unique(found.sequence)
        able[market.source, market.domain] += draw_shoppers(found, market, settings, request)
        funnel[f"first interactions with titled products ({market.domain})"] += rows.num_rows
        funnel[f"of them in the {settings.core}-core ({market.domain})"] += len(found.sequence)
        funnel[f"users with {settings.min_history} products or more before the last ({market.domain})"] += int(
            (found.lengths > settings.min_history).sum()
        )
        funnel[f"of them with a last product that came later ({market.domain})"] += int(
            able_users(found, settings).sum()
        )
    chosen: defaultdict[Market, list[Shopper]] = defaultdict(list)
    for (_, domain), shoppers in able.items():
        for shopper in heapq.nsmallest(dict(request.domains)[domain], shoppers):
            chosen[shopper.market].append(shopper)
    made = [
        example
        for market, shoppers in chosen.items()
        for example in build_market(tables, market, shoppers, *pools[market], settings=settings, seed=request.seed)
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
