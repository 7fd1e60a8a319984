"""What the corpora of matched offers share: the same products in two shops, told apart only by their wording.

Pairs that match and pairs that do not are both labelled. What does not match is mostly a neighbour: a variant of the
same model, or the same kind of thing of another maker.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from ecinstruct_build.sample_corpora.draws import Dice
from ecinstruct_build.sample_corpora.products import Product
from ecinstruct_build.sample_corpora.world import World, shelf_products

_OFFERED, _IN_BOTH, _WORDED_ANEW = 0.7, 0.75, 0.85
_NEIGHBOURS = 3  # pairs that do not match, for each one that does


@dataclass(frozen=True, slots=True)
class Offer:
    """What one shop says of a product.

    Attributes
    ----------
    number
        Counts the offers of its shop, from 0.
    product
        What is sold.
    title, description
        In the shop's words; the description may be "".
    cents
        The shop's price.
    """

    number: int
    product: Product
    title: str
    description: str
    cents: int


@dataclass(frozen=True, slots=True)
class Pair:
    """An offer of each shop, and whether they are of one product."""

    left: Offer
    right: Offer
    is_match: bool


@dataclass(frozen=True)
class Shops:
    """Two shops' offers and labelled pairs of them, in an order of chance."""

    left: Sequence[Offer]
    right: Sequence[Offer]
    pairs: Sequence[Pair]


def open_shops(world: World, category: int, purpose: str, shelves: int | None = None) -> Shops:
    """Return two shops that sell things of a department.

    Parameters
    ----------
    purpose
        Names the corpus; another one words its offers in other ways.
    shelves
        How many of the department's shelves they sell from; None = all.
    """
    dice = Dice(world.seed, f"offers {purpose}", str(category))
    left: list[Offer] = []
    right: list[Offer] = []
    pairs: list[Pair] = []
    for shelf in range(min(world.shelves, shelves or world.shelves)):
        here = _Shelf(world, category, shelf, dice)
        here.fill(len(left), len(right))
        left += here.left
        right += here.right
        pairs += here.pairs()
    return Shops(left, right, dice.sample(pairs, len(pairs)))


class _Shelf:
    """The offers of one shelf in both shops."""

    def __init__(self, world: World, category: int, shelf: int, dice: Dice) -> None:
        self.left: list[Offer] = []
        self.right: list[Offer] = []
        self._dice = dice
        self._products = [product for product in shelf_products(world, category, shelf) if dice.chance(_OFFERED)]

    def fill(self, left: int, right: int) -> None:
        """List the products; ``left`` and ``right`` offers stand before them."""
        for product in self._products:
            description = " ".join(text for text in product.clean_description if text)
            self.left.append(Offer(left + len(self.left), product, product.title, description, product.cents))
            if self._dice.chance(_IN_BOTH):
                title = _worded_anew(product, self._dice) if self._dice.chance(_WORDED_ANEW) else product.title
                features = ". ".join(text for text in product.clean_features[:2] if text)
                cents = int(product.cents * (0.85 + 0.3 * self._dice.unit()))
                self.right.append(Offer(right + len(self.right), product, title, features, cents))

    def pairs(self) -> list[Pair]:
        """Return every match, each with some pairs of neighbours that do not match."""
        there = {offer.product.asin: offer for offer in self.right}
        found = []
        for left in self.left:
            if match := there.get(left.product.asin):
                found.append(Pair(left, match, is_match=True))
                others = [offer for offer in self.right if _is_other(offer.product, left.product)]
                others.sort(key=lambda offer: -_likeness(offer.product, left.product))
                found += [Pair(left, other, is_match=False) for other in others[:_NEIGHBOURS]]
        return found


def _is_other(one: Product, other: Product) -> bool:
    """Return whether titles tell two products apart: variants may differ in what they do not state."""
    return one.asin != other.asin and one.title != other.title


def _likeness(one: Product, other: Product) -> int:
    return 2 * (one.family == other.family) + (one.kind.name == other.kind.name) + (one.brand == other.brand)


def _worded_anew(product: Product, dice: Dice) -> str:
    """Return another shop's title for a product: the same facts in another order."""
    facts = [product.attributes[name] for name in product.stated]
    parts = [product.model, product.kind.name, *dice.sample(facts, len(facts))]
    if dice.chance(0.6):
        parts.insert(dice.below(2), product.brand)
    return " ".join(parts) if dice.chance(0.5) else " - ".join([" ".join(parts[:2]), ", ".join(parts[2:])])
