"""Which product pages name which other products.

Within a shelf a pair of products has one relation or none: things of one type are alternatives (viewed together,
similar), things of different types are bought together. Contradictions and relations across departments are planted.
"""

from dataclasses import dataclass, field

import numpy as np

from ecinstruct_build.sample_corpora.draws import Dice, stream
from ecinstruct_build.sample_corpora.vocabulary import CATEGORIES
from ecinstruct_build.sample_corpora.world import World, asin, shelf_products

# Shares of pairs that are also_buy, also_view, similar: within one type, and across types.
_SAME_TYPE = np.array([0.03, 0.41, 0.60])
_OTHER_TYPE = np.array([0.30, 0.09, 0.02])
_BOTH_SIDES = 0.3  # pairs that each page of the two names
_CONTRADICTED = 0.006
_NEIGHBOURS = 2  # products of the neighbouring shelf that a page names as bought together
_ABROAD = 0.08  # pages that name a product of another department


@dataclass
class Links:
    """What one page names.

    Attributes
    ----------
    also_buy, also_view, similar
        Product ids.
    contradicting
        Ids that stand in both ``also_buy`` and ``also_view``.
    abroad
        Ids in ``also_buy`` that belong to another department.
    """

    also_buy: list[str] = field(default_factory=list)
    also_view: list[str] = field(default_factory=list)
    similar: list[str] = field(default_factory=list)
    contradicting: list[str] = field(default_factory=list)
    abroad: list[str] = field(default_factory=list)


def shelf_links(world: World, category: int, shelf: int) -> list[Links]:
    """Return what the pages of a shelf's products name, in the products' order."""
    products = shelf_products(world, category, shelf)
    identity = f"{category}/{shelf}"
    random = stream(world.seed, "relations", identity)
    left, right = np.triu_indices(len(products), 1)
    types = np.array([product.kind.name for product in products])
    same = (types[left] == types[right])[:, None]
    kinds = (random.random(len(left))[:, None] >= np.cumsum(np.where(same, _SAME_TYPE, _OTHER_TYPE), axis=1)).sum(
        axis=1
    )
    sides, contradicted = random.random(len(left)), random.random(len(left)) < _CONTRADICTED

    links = [Links() for _ in products]
    rows = zip(left.tolist(), right.tolist(), kinds.tolist(), sides.tolist(), contradicted.tolist(), strict=True)
    for one, other, kind, side, both in rows:
        named = [(one, other), (other, one)]
        pages = named if side < _BOTH_SIDES else [named[side < (1 + _BOTH_SIDES) / 2]]
        for page, target in pages:
            _name(links[page], products[target].asin, "contradicting" if both and kind == 3 else kind)
    _add_distant(world, category, shelf, links)
    return links


def _name(links: Links, target: str, kind: int | str) -> None:
    if kind == "contradicting":
        links.also_buy.append(target)
        links.also_view.append(target)
        links.contradicting.append(target)
    elif kind != 3:
        (links.also_buy, links.also_view, links.similar)[int(kind)].append(target)


def _add_distant(world: World, category: int, shelf: int, links: list[Links]) -> None:
    """Name some products of the neighbouring shelf, and plant a few of other departments."""
    dice = Dice(world.seed, "distant relations", f"{category}/{shelf}")
    smallest = world.shelf_size - world.shelf_size // 5
    for page in links:
        for _ in range(_NEIGHBOURS if world.shelves > 1 else 0):
            target = asin(world, category, world.neighbour(shelf), dice.below(smallest))
            if target not in page.also_buy:
                page.also_buy.append(target)
        if dice.chance(_ABROAD):
            other = (category + dice.between(1, len(CATEGORIES) - 1)) % len(CATEGORIES)
            page.abroad.append(asin(world, other, dice.below(world.shelves), dice.below(smallest)))
            page.also_buy.append(page.abroad[0])
