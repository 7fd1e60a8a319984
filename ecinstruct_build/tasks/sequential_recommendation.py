"""Sequential recommendation: from what a user bought, pick what they bought next; or looked at, in one visit.

Interactions are reduced to their k-core within each category; the last of a user's is the one to find, among
others that were reviewed in the same category, in the core or not, but never by this user anywhere.
Visits are short, and nobody knows whose they are: each stands alone, without a core, and the last product that is new
in it is the one to find, among others of the same marketplace. They have no category and are all in domain.
"""

import heapq
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pydantic import Field

from ecinstruct_build.answers import SHUFFLED_LETTER
from ecinstruct_build.chance import digest
from ecinstruct_build.drawing.draw import of_sources, only_titled, with_domain
from ecinstruct_build.drawing.interactions import Codes, Histories, Past, histories
from ecinstruct_build.drawing.sessions import Visit, Visited, Visits, fetch_pool, fetch_visits, places
from ecinstruct_build.drawing.shelf import Mix, Shelf, candidates, fetch_shelf, wrong_options
from ecinstruct_build.engine import Tables
from ecinstruct_build.example import Domain, Example, Origin
from ecinstruct_build.task import Drawn, LeakagePolicy, Request, Task, TaskSettings

NAME = "sequential_recommendation"

Funnel = defaultdict[str, int]


class SequentialSettings(TaskSettings):
    """Settings of sequential recommendation.

    Attributes
    ----------
    core
        Interactions that each user and product of a category has at least.
    min_history, max_history
        Products before the one to find: fewest, and most (the latest are kept).
    session_min_history
        Fewest products before the one to find in a visit. What holds for reviews does not for visits: ``core``,
        ``min_history``, ``strictly_later``, and ``ind`` and ``ood``, since visits have no category.
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
    session_min_history: int = Field(default=2, ge=1)
    strictly_later: bool = True
    negatives: int = Field(default=19, ge=1, le=25)
    core_share: float = Field(default=0.5, ge=0.0, le=1.0)
    spares: int = Field(default=281, ge=0)

    @property
    def mix(self) -> Mix:
        """How many wrong options an example needs, and what from."""
        return Mix(self.negatives + self.spares, self.core_share)

    def least_history(self, market: "Market") -> int:
        """Return the fewest products before the one to find."""
        return self.min_history if market.kind == "user" else self.session_min_history


@dataclass(frozen=True, order=True)
class Market:
    """Where histories are made and options come from.

    For reviews (kind ``user``) it is one category of one source, within which users are followed; for visits (kind
    ``session``) it is one marketplace of one source.
    """

    source: str
    category: str
    locale: str
    catalogue: str
    domain: Domain
    kind: Literal["session", "user"] = "user"


@dataclass(frozen=True, order=True)
class Shopper:
    """A drawn user of a market, or a drawn visit.

    Attributes
    ----------
    draw_key, market, user_id
        The digest that the user was drawn by; where; who (the visit's id).
    products
        Positions in the market's pool (every titled product reviewed in it, or of the marketplace), oldest first; the
        last is the one to find.
    visit
        What is known of a visit; what a user knows is fetched later.
    """

    draw_key: str
    market: Market
    user_id: str
    products: Codes = field(compare=False)
    visit: Visit | None = field(default=None, compare=False)

    @property
    def identity(self) -> str:
        """What makes the example, within its source."""
        return identity_of(self.market, self.user_id)


def identity_of(market: Market, user_id: str) -> str:
    """Return the identity of a user's example in a market, or of a visit's."""
    return f"{market.category if market.kind == 'user' else market.kind}|{market.locale}|{user_id}"


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


def draw_visits(found: Visits, market: Market, settings: SequentialSettings, request: Request) -> list[Shopper]:
    """Draw visits to a market that have a history long enough."""
    able = np.flatnonzero(found.history_lengths >= settings.session_min_history)
    session_ids = found.ids.take(pa.array(able)).to_pylist()
    keyed = (
        (digest(request.seed, NAME, f"{market.source}|{identity_of(market, session_id)}"), session_id, int(visit))
        for session_id, visit in zip(session_ids, able, strict=True)
    )
    return [
        Shopper(draw_key, market, session_id, found.products_of(visit, settings.max_history), found.visit(visit))
        for draw_key, session_id, visit in heapq.nsmallest(dict(request.domains)["ind"], keyed)
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


def to_example(
    shopper: Shopper, shelf: Shelf, reviews: Sequence[Origin], wrong: Codes, settings: SequentialSettings
) -> Example | str:
    """Turn a drawn user into an example, or return in a few words why not.

    Parameters
    ----------
    shopper, shelf
        The user, and the products of the pool.
    reviews
        The raw record of each of the user's products; of a visit, its own record for each.
    wrong
        Positions of candidates for wrong options.
    settings
        The task's settings.
    """
    titled = shelf.titles[shopper.products] >= 0
    history, target = shopper.products[:-1][titled[:-1]], shopper.products[-1]
    if not titled[-1] or len(history) < settings.least_history(shopper.market):
        return "titles empty after cleaning"
    if shelf.titles[target] in shelf.titles[history]:
        return "history holds the title to find"
    shown = np.append(history, target)
    wrong = wrong_options(wrong, shown, shelf)
    if len(wrong) < settings.negatives:
        return f"too few other products in the {'category' if shopper.market.kind == 'user' else 'marketplace'}"
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
        groups=(f"{shopper.market.kind}:{shopper.user_id}",),
        fields={"category": shopper.market.category.replace("_", " ")},
        context=tuple(shelf.items[history]),
        options=(shelf.options[target], *shelf.options[offered]),
        spare_options=tuple(shelf.options[spare]),
        answer=shelf.options[target].key,
        origins=tuple(dict.fromkeys(reviewed)),
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
    visits = [shopper.visit for shopper in shoppers if shopper.visit]
    users = [shopper.user_id for shopper in shoppers]
    past = Visited(visits) if visits else fetch_past(tables, market, users, pool)
    wrong = [
        candidates(
            len(pool),
            core,
            past.known(user),
            settings.mix,
            seed=seed,
            purpose=f"{NAME} options",
            identity=f"{market.source}|{shopper.identity}",
        )
        for user, shopper in enumerate(shoppers)
    ]
    named = np.unique(np.concatenate([*(shopper.products for shopper in shoppers), *wrong]))
    shelf = fetch_shelf(tables, market.catalogue, market.locale, pool, named)
    return [
        to_example(shopper, shelf, past.reviews(user, shopper.products), wrong[user], settings)
        for user, shopper in enumerate(shoppers)
    ]


def able_by_category(
    tables: Tables, settings: SequentialSettings, request: Request, funnel: Funnel
) -> Iterator[tuple[Market, pa.Array, Codes, list[Shopper]]]:
    """Yield each market of reviews with its pool, its core and the users drawn in it."""
    for market in markets(tables, settings, request):
        rows = interactions_of(tables, market)
        found = histories(rows, settings.core)
        funnel[f"first interactions with titled products ({market.domain})"] += rows.num_rows
        funnel[f"of them in the {settings.core}-core ({market.domain})"] += len(found.sequence)
        funnel[f"users with {settings.min_history} products or more before the last ({market.domain})"] += int(
            (found.lengths > settings.min_history).sum()
        )
        funnel[f"of them with a last product that came later ({market.domain})"] += int(
            able_users(found, settings).sum()
        )
        yield market, found.products, np.unique(found.sequence), draw_shoppers(found, market, settings, request)


def able_by_marketplace(
    tables: Tables, settings: SequentialSettings, request: Request, funnel: Funnel
) -> Iterator[tuple[Market, pa.Array, Codes, list[Shopper]]]:
    """Yield each marketplace of visits with its pool of products, those that were looked at, and the visits drawn."""
    least = settings.session_min_history
    for place in places(tables, settings) if request.ind else ():
        source, locale, catalogue = place
        market = Market(source, "", locale, catalogue, "ind", "session")
        pool = fetch_pool(tables, catalogue, locale)
        found = fetch_visits(tables, place, pool, least)
        funnel[f"visits to more than {least} products (ind)"] += len(found.ids)
        funnel[f"of them with {least} titled products or more before the last new one (ind)"] += int(
            (found.history_lengths >= least).sum()
        )
        yield market, pool, np.unique(found.sequence), draw_visits(found, market, settings, request)


def draw_examples(tables: Tables, settings: SequentialSettings, request: Request) -> Drawn:
    """Draw users and visits, by source and domain."""
    funnel: Funnel = defaultdict(int)
    pools: dict[Market, tuple[pa.Array, Codes]] = {}
    able: defaultdict[tuple[str, Domain], list[Shopper]] = defaultdict(list)
    for draw in (able_by_category, able_by_marketplace):
        for market, pool, core, shoppers in draw(tables, settings, request, funnel):
            pools[market] = pool, core
            able[market.source, market.domain] += shoppers
    chosen: defaultdict[Market, list[Shopper]] = defaultdict(list)
    for (_, domain), drawn in able.items():
        for shopper in heapq.nsmallest(dict(request.domains)[domain], drawn):
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
    summary="Read what a user bought, or looked at in a visit, in order, and pick what came next among twenty.",
    reads=("review", "session", "product"),
    primary="review",
    also=("session",),
    settings=SequentialSettings,
    answer=SHUFFLED_LETTER,
    draw=draw_examples,
    fields={"category": "the category that all products of the example are of; empty where they are of a visit"},
)
