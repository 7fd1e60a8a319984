"""The shop world: which shelves there are, and the products that stand on each of them.

A shelf can be made alone, from (seed, category, shelf number); nothing else has to exist first. That is what lets
every file be written by its own process, in bounded memory, and still speak of the same products.
"""

from dataclasses import dataclass
from functools import lru_cache
from itertools import cycle

from ecinstruct_build.sample_corpora.draws import Dice
from ecinstruct_build.sample_corpora.products import VARIANTS, Model, Product
from ecinstruct_build.sample_corpora.vocabulary import categories

REVIEWS_PER_CATEGORY = 4000
SHELVES_PER_CATEGORY = 8
SHELF_GROWTH = 0.7  # above scale 1, shelves grow slower than reviews: shops get busier, too
_BASE36 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_ASINS = 36**8
_USERS = 36**12


@dataclass(frozen=True)
class World:
    """How large the world is.

    Attributes
    ----------
    seed, scale, breadth
        Together they decide every byte. ``breadth`` multiplies the shelves, and with them products, queries and
        questions, for the same number of reviews; above 1, listings are worded more variously, too.
    """

    seed: int
    scale: float
    breadth: float = 1.0

    @property
    def shelves(self) -> int:
        """Shelves in each category."""
        growth = self.scale if self.scale <= 1 else self.scale**SHELF_GROWTH
        return max(1, round(SHELVES_PER_CATEGORY * growth * self.breadth))

    @property
    def reviews(self) -> int:
        """Reviews of 2018 in each category, before planted extra lines."""
        return max(40, round(REVIEWS_PER_CATEGORY * self.scale))

    @property
    def shelf_size(self) -> int:
        """The usual number of products on a shelf."""
        return max(12, min(50, self.reviews // self.shelves // 10))

    @property
    def is_broad(self) -> bool:
        """Whether there are so many products that listings need names of their own to be told apart."""
        return self.breadth > 1

    def neighbour(self, shelf: int) -> int:
        """Return the other shelf of a shelf's block, or the next one where there is none."""
        other = shelf ^ 1
        return other if other < self.shelves else (shelf + 1) % self.shelves

    @property
    def blocks(self) -> int:
        """Blocks of shelves in each category: neighbouring pairs, whose shoppers overlap."""
        return (self.shelves + 1) // 2

    def block_shelves(self, block: int) -> tuple[int, ...]:
        """Return the shelf numbers of a block."""
        return tuple(number for number in (2 * block, 2 * block + 1) if number < self.shelves)

    def block_reviews(self, block: int) -> int:
        """Return the number of reviews written by the shoppers of a block."""
        before = self.reviews * (2 * block) // self.shelves
        after = self.reviews * min(2 * block + 2, self.shelves) // self.shelves
        return after - before


def asin(world: World, category: int, shelf: int, place: int) -> str:
    """Return the id of a product by its place, without making it; different places have different ids."""
    number = (category * 100_000 + shelf) * 100 + place
    return "B0" + _base36((number * 1_743_501_234_565 + world.seed * 7_919 + 271_828_182_845) % _ASINS, 8)


def user_id(world: World, category: int, block: int, number: int) -> str:
    """Return a shopper's id by category, block and number within the block."""
    serial = (category * 100_000 + block) * 100_000 + number
    return "A" + _base36((serial * 2_928_361_527_404_190_067 + world.seed * 104_729 + 3_141_592_653) % _USERS, 12)


@lru_cache(maxsize=8)
def shelf_products(world: World, category: int, shelf: int) -> tuple[Product, ...]:
    """Return the products on a shelf: models of three types, each in a few variants.

    Parameters
    ----------
    category, shelf
        Numbers from 0; shelf number ``s`` follows plan ``s`` modulo the number of plans.
    """
    department = categories()[category]
    plan = department.shelves[shelf % len(department.shelves)]
    dice = Dice(world.seed, "shelf", f"{department.name}/{shelf}")
    spread = world.shelf_size // 5
    size = world.shelf_size + dice.between(-spread, spread)
    products: list[Product] = []
    kinds = cycle(plan.types)
    while len(products) < size:
        kind = next(kinds)
        model = Model(department, plan, kind, dice, is_particular=world.is_broad)
        places = range(len(products), min(len(products) + dice.pick(VARIANTS), size))
        products += model.variants(
            [asin(world, category, shelf, place) for place in places], f"{category}/{shelf}", dice
        )
    return tuple(products)


def _base36(number: int, digits: int) -> str:
    letters = []
    for _ in range(digits):
        number, digit = divmod(number, 36)
        letters.append(_BASE36[digit])
    return "".join(reversed(letters))
