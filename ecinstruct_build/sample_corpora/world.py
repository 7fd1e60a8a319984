"""The shop world: which shelves there are, and the products that stand on each of them.

A shelf can be made alone, from (seed, category, shelf number); nothing else has to exist first. That is what lets
every file be written by its own process, in bounded memory, and still speak of the same products.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import cycle
from typing import Any

from ecinstruct_build.sample_corpora.draws import Dice
from ecinstruct_build.sample_corpora.vocabulary import (
    Category,
    ProductType,
    ShelfPlan,
    attributes,
    categories,
    speakable,
    words,
)

REVIEWS_PER_CATEGORY = 4000
SHELVES_PER_CATEGORY = 8
SHELF_GROWTH = 0.7  # above scale 1, shelves grow slower than reviews: shops get busier, too
CSS_PRICE = (
    ".a-box-inner{background-color:#fff}#priceWidget .chosen{background-color:#fffbee;border-color:#e70}"
    "#priceWidget .other{color:gray}"
)

_TITLE_LOST = 0.02
_NOISE = 0.07  # models with a bullet point that holds markup
_VARIATION_STATED = 0.88  # models whose titles tell the variants apart
_BASE36 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_ASINS = 36**8
_USERS = 36**12


@dataclass(frozen=True)
class World:
    """How large the world is.

    Attributes
    ----------
    seed, scale
        Together they decide every byte.
    """

    seed: int
    scale: float

    @property
    def shelves(self) -> int:
        """Shelves in each category."""
        growth = self.scale if self.scale <= 1 else self.scale**SHELF_GROWTH
        return max(1, round(SHELVES_PER_CATEGORY * growth))

    @property
    def reviews(self) -> int:
        """Reviews of 2018 in each category, before planted extra lines."""
        return max(40, round(REVIEWS_PER_CATEGORY * self.scale))

    @property
    def shelf_size(self) -> int:
        """The usual number of products on a shelf."""
        return max(12, min(50, self.reviews // self.shelves // 10))

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


@dataclass(frozen=True, slots=True)
class Product:
    """One listing.

    Attributes
    ----------
    asin, category, shelf, kind
        Its id, its department's file name, its shelf's name, its product type.
    brand, model, title
        As printed; ``title`` names the first attributes.
    attributes
        All that is true of it; ``stated`` are the names that its text mentions.
    description, features
        Paragraphs in upstream's raw form; ``clean_description`` and ``clean_features`` are the same read without
        markup, with None for a paragraph of which nothing is left.
    price, cents
        The price field as upstream writes it (dollars, blanks, or a style sheet), and the amount.
    family
        Variants of one model on one shelf share it.
    uses
        Occasions of use.
    quality
        Above 1 it earns better stars, below 1 worse.
    has_markup
        Whether ``description`` holds tags.
    title_lost
        Whether upstream's metadata has the beginning of a tag for a title.
    """

    asin: str
    category: str
    shelf: str
    kind: ProductType
    brand: str
    model: str
    title: str
    attributes: Mapping[str, str]
    stated: tuple[str, ...]
    description: tuple[str, ...]
    clean_description: tuple[str | None, ...]
    features: tuple[str, ...]
    clean_features: tuple[str | None, ...]
    price: str
    cents: int
    family: str
    uses: tuple[str, ...]
    quality: float
    has_markup: bool
    title_lost: bool

    @property
    def color(self) -> str | None:
        """Its color, where it has one."""
        return self.attributes.get("Color")


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
        model = _Model(department, plan, kind, dice)
        places = range(len(products), min(len(products) + dice.between(1, 4), size))
        products += model.variants(
            [asin(world, category, shelf, place) for place in places], f"{category}/{shelf}", dice
        )
    return tuple(products)


class _Model:
    """What the variants of one model share."""

    def __init__(self, department: Category, plan: ShelfPlan, kind: ProductType, dice: Dice) -> None:
        self.department, self.plan, self.kind = department, plan, kind
        bank = _wording()
        self.brand = dice.pick(department.brands)
        self.model = f"{dice.pick(bank['models'])} {dice.between(2, 99) * 10}"
        self.attributes = {name: dice.pick(values) for name, values in kind.attributes.items()}
        self.varied = dice.pick([name for name, values in kind.attributes.items() if len(values) > 1] or [""])
        stated = [name for name in self.attributes if name != self.varied and dice.chance(0.75)]
        if self.varied and dice.chance(_VARIATION_STATED):
            stated.insert(dice.below(2), self.varied)
        self.stated = tuple(stated)
        slots = {
            "brand": self.brand,
            "model": self.model,
            "type": kind.noun,
            "a_type": kind.a_noun,
            "use": dice.pick(plan.uses),
        }
        self.sentences = [
            dice.pick(bank["intro"]).format_map(slots),
            *(line.format_map(slots) for line in dice.sample(bank["promise"], dice.between(1, 3))),
        ]
        self.bullets = [line.format_map(slots) for line in dice.sample(bank["bullet"], dice.between(1, 3))]
        self.templates = {name: dice.pick(attributes()[name]["feature"]) for name in self.stated}
        self.in_features = [name for place, name in enumerate(self.stated) if place >= 2 or dice.chance(0.6)]
        low, high = kind.price
        self.cents = (low + dice.below(high - low)) * 100 + dice.pick((0, 49, 95, 99))
        self.quality = 0.65 + 0.9 * dice.unit()
        self.noise = dice.pick(bank["noise"]) if dice.chance(_NOISE) else None
        self.slots = slots
        self.layout = dice.below(3)
        self.markup = dice.chance(0.12)
        self.paragraphs = dice.between(0, 2)

    def variants(self, asins: list[str], where: str, dice: Dice) -> list[Product]:
        """Return a variant for each of ``asins``, or fewer: they differ in one attribute, and a little in price."""
        values = dice.sample(self.kind.attributes.get(self.varied, ()), len(asins)) or [""]
        varied = [{self.varied: value} if value else {} for value in values]
        return [
            self._product(number, where, {**self.attributes, **difference}, dice)
            for number, difference in zip(asins, varied, strict=False)
        ]

    def _product(self, number: str, where: str, facts: Mapping[str, str], dice: Dice) -> Product:
        description, clean_description = self._description()
        features = [self.templates[name].format(value=facts[name]) for name in self.in_features] + self.bullets
        clean: list[str | None] = list(features)
        if self.noise:
            raw, left = self.noise
            features.insert(1, raw.format_map(self.slots))
            clean.insert(1, left.format_map(self.slots) or None)
        cents = self.cents + 100 * dice.between(0, 3)
        return Product(
            asin=number,
            category=self.department.name,
            shelf=self.plan.name,
            kind=self.kind,
            brand=self.brand,
            model=self.model,
            title=self._title(facts),
            attributes=facts,
            stated=self.stated,
            description=description,
            clean_description=clean_description,
            features=tuple(features),
            clean_features=tuple(clean),
            price=_price(cents, dice),
            cents=cents,
            family=f"{where}/{self.brand}/{self.model}/{self.kind.name}",
            uses=self.plan.uses,
            quality=self.quality,
            has_markup=self.markup and bool(description),
            title_lost=dice.chance(_TITLE_LOST),
        )

    def _title(self, facts: Mapping[str, str]) -> str:
        shown = [facts[name] for name in self.stated[:2]]
        if self.layout == 0:
            return ", ".join([f"{self.brand} {self.model} {self.kind.name}", *shown])
        if self.layout == 1:
            return " ".join([self.brand, *shown[:1], self.kind.name, *shown[1:], self.model])
        tail = f" ({shown[1]})" if len(shown) > 1 else ""
        return f"{self.brand} {self.kind.name} {self.model}" + "".join(f" - {value}" for value in shown[:1]) + tail

    def _description(self) -> tuple[tuple[str, ...], tuple[str | None, ...]]:
        if not self.paragraphs:
            return (), ()
        groups = [self.sentences] if self.paragraphs == 1 else [self.sentences[:1], self.sentences[1:]]
        clean = tuple(" ".join(group) for group in groups)
        if not self.markup:
            return clean, clean
        escaped = [[sentence.replace("&", "&amp;") for sentence in group] for group in groups]
        return tuple(f"<b>{group[0]}</b><br />" + " <br />".join(group[1:]) for group in escaped), clean


@cache
def _wording() -> dict[str, Any]:
    bank = words("products")
    phrases = {name: [speakable(line) for line in bank[name]] for name in ("models", "intro", "promise", "bullet")}
    return {**phrases, "noise": [(noise["raw"], noise["clean"]) for noise in bank["noise"]]}


def _price(cents: int, dice: Dice) -> str:
    """Return a price as pages give it: mostly dollars, often nothing, now and then blanks or a style sheet."""
    draw = dice.unit()
    if draw < 0.3:
        return CSS_PRICE if draw < 0.03 else "\n  " if draw < 0.05 else ""
    return f"${cents // 100:,}.{cents % 100:02d}"


def _base36(number: int, digits: int) -> str:
    letters = []
    for _ in range(digits):
        number, digit = divmod(number, 36)
        letters.append(_BASE36[digit])
    return "".join(reversed(letters))
