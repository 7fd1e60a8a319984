"""Who bought what, when, and how they liked it: the purchases of one block of shelves.

Tastes make communities: nearly all that a shopper buys stands on one or two neighbouring shelves, with a preference
for some product types; a few stray purchases tie neighbouring blocks together, as they do in life.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from ecinstruct_build.sample_corpora.draws import stream
from ecinstruct_build.sample_corpora.products import Product
from ecinstruct_build.sample_corpora.world import World, shelf_products

DAY = 86_400
LONGEST_HISTORY = 60

_CASUAL = 0.08  # shoppers with fewer than five reviews
_MEAN_EXTRA = 7.0  # reviews beyond the fifth, on average
_TWO_SHELVES = 0.12
_STRAY = 0.02
_STAR_STEPS = np.array([0.08, 0.15, 0.27, 0.48])  # cumulative shares of one to four stars
_FIRST_DAY, _LAST_DAY = 15_340, 17_800  # 2012-01-01, 2018-09-26, counted from 1970


@dataclass(frozen=True)
class Purchases:
    """Rows of equal length, by product and then by day.

    Attributes
    ----------
    shelves
        The products that ``product`` counts in: those of the block, then those that strays go to.
    own
        How many of them are of the block.
    user, product, stars, day
        Shopper within the block, index into ``shelves``, 1 to 5, days since 1970.
    """

    shelves: tuple[Product, ...]
    own: int
    user: NDArray[np.int64]
    product: NDArray[np.int64]
    stars: NDArray[np.int64]
    day: NDArray[np.int64]


def purchases(
    world: World,
    category: int,
    block: int,
    *,
    total: int,
    purpose: str = "2018",
    days: tuple[int, int] = (_FIRST_DAY, _LAST_DAY),
) -> Purchases:
    """Return ``total`` purchases of the shoppers of a block.

    Parameters
    ----------
    purpose
        Names the period; another one gives other shoppers' choices.
    days
        First and last day of the period, days since 1970.
    """
    numbers = world.block_shelves(block)
    own = [shelf_products(world, category, number) for number in numbers]
    strays = shelf_products(world, category, world.block_shelves((block + 1) % world.blocks)[0])
    shelves = (*(product for shelf in own for product in shelf), *strays)
    home = np.repeat(np.arange(len(own)), [len(shelf) for shelf in own])
    types = [product.kind.name for product in shelves[: len(home)]]
    type_number = np.array([sorted(set(types)).index(name) for name in types])

    random = stream(world.seed, f"shoppers {purpose}", f"{category}/{block}")
    lengths = _lengths(random, total, len(home))
    users = len(lengths)
    scores = _tastes(random, users, home, type_number)
    order = np.argsort(-scores, axis=1, kind="stable")
    taken = np.arange(len(home))[None, :] < lengths[:, None]
    user = np.repeat(np.arange(users), lengths)
    product = order[taken]

    astray = random.random(total) < _STRAY
    product = np.where(astray, len(home) + (random.random(total) * len(strays)).astype(np.int64), product)
    quality = np.array([item.quality for item in shelves])[product]
    stars = 1 + np.searchsorted(_STAR_STEPS, random.random(total) ** (1.0 / quality), side="right")
    day = _days(random, lengths, days)
    by_product = np.lexsort((user, day, product))
    return Purchases(shelves, len(home), user[by_product], product[by_product], stars[by_product], day[by_product])


def _lengths(random: np.random.Generator, total: int, available: int) -> NDArray[np.int64]:
    """Return history lengths that add up to ``total``."""
    count = total  # more than enough, for every shopper has at least one
    draws = random.random((count, 2))
    usual = 5 + np.floor(-np.log1p(-draws[:, 1]) * _MEAN_EXTRA).astype(np.int64)
    casual = 1 + (draws[:, 1] * 4).astype(np.int64)
    lengths = np.minimum(np.where(draws[:, 0] < _CASUAL, casual, usual), min(LONGEST_HISTORY, available))
    ends = np.cumsum(lengths)
    users = int(np.searchsorted(ends, total)) + 1
    lengths = lengths[:users]
    lengths[-1] -= ends[users - 1] - total
    return lengths


def _tastes(
    random: np.random.Generator, users: int, home: NDArray[np.int64], type_number: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return a score for every shopper and product; the products with the highest scores are bought."""
    products = len(home)
    popularity = random.normal(0.0, 0.35, products)
    own_shelf = (random.random(users) * (home.max() + 1)).astype(np.int64)
    both = random.random(users) < _TWO_SHELVES
    fondness = random.normal(0.0, 1.0, (users, int(type_number.max()) + 1))
    luck = -np.log(-np.log(random.random((users, products)) * (1 - 2e-12) + 1e-12))
    elsewhere = np.where((home[None, :] != own_shelf[:, None]) & ~both[:, None], -60.0, 0.0)
    scores: NDArray[np.float64] = popularity[None, :] + fondness[:, type_number] + luck + elsewhere
    return scores


def _days(random: np.random.Generator, lengths: NDArray[np.int64], days: tuple[int, int]) -> NDArray[np.int64]:
    """Return the day of every purchase: a start for each shopper, then gaps of some weeks."""
    first, last = days
    total, users = int(lengths.sum()), len(lengths)
    start = first + (random.random(users) * (last - first) * 0.8).astype(np.int64)
    gaps = 1 + np.floor(-np.log1p(-random.random(total)) * 24).astype(np.int64)
    walked = np.cumsum(gaps)
    before = np.repeat(np.concatenate([[0], walked[np.cumsum(lengths)[:-1] - 1]]), lengths)
    day: NDArray[np.int64] = np.minimum(np.repeat(start, lengths) + walked - before, last)
    return day


@cache
def written_day(day: int) -> str:
    """Return a day as reviews write it: ``09 4, 2015``."""
    year, month, date = str(np.datetime64(day, "D")).split("-")
    return f"{month} {int(date)}, {year}"
