"""Products: a model of some brand, its variants, and how each listing is worded."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from ecinstruct_build.sample_corpora.draws import Dice
from ecinstruct_build.sample_corpora.ledger import Kind
from ecinstruct_build.sample_corpora.particulars import coined, particulars
from ecinstruct_build.sample_corpora.vocabulary import (
    Category,
    ProductType,
    ShelfPlan,
    attributes,
    speakable,
    words,
)

CSS_PRICE = (
    ".a-box-inner{background-color:#fff}#priceWidget .chosen{background-color:#fffbee;border-color:#e70}"
    "#priceWidget .other{color:gray}"
)
"""A style sheet that stands in for a price."""
CSS_PARAGRAPH = (
    ".aplus-v2 .module{background-color:#f6f6f6;margin:0 auto}.aplus-v2 ul li{list-style:disc;background-color:#fff}"
)
"""A style sheet that stands among a description's paragraphs."""
VARIANTS = (1, 1, 1, 1, 2, 2, 3)
"""Numbers of variants of a model on a shelf, each as likely."""

_REWORDED = 0.6  # variants that have a text of their own
_STATED = 0.75  # attributes that a text mentions
_VARIATION_STATED = 0.88  # models whose titles tell the variants apart
_MARKUP, _NOISE = 0.12, 0.07  # listings with tags in the description, or a bullet point that holds markup
_DUMPED = 0.015  # listings with a style sheet in the description
# A title's draw falls below the edge of what upstream has in its place, or of nothing.
_LOST_TITLES: tuple[tuple[Kind, float], ...] = (
    ("html", 0.012),
    ("style_or_script", 0.02),
    ("placeholder_title", 0.025),
)


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
    lost_title, title_defect
        What upstream's metadata has for a title where the title is lost (the beginning of a tag, a script, a
        placeholder), and the kind of defect that this is; "" and None where it is not.
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
    lost_title: str
    title_defect: Kind | None

    @property
    def color(self) -> str | None:
        """Its color, where it has one."""
        return self.attributes.get("Color")


@dataclass(frozen=True)
class _Wording:
    """How a listing says what it says.

    Attributes
    ----------
    groups
        The description's paragraphs, as lists of sentences.
    templates
        For each attribute that a bullet point tells, the template of that bullet point.
    bullets
        Other bullet points.
    noise
        A bullet point that holds markup, raw and as it reads, if there is one.
    markup
        Whether the description is written with tags.
    dumped
        Whether a style sheet follows the description.
    """

    groups: tuple[tuple[str, ...], ...]
    templates: Mapping[str, str]
    bullets: tuple[str, ...]
    noise: tuple[str, str] | None
    markup: bool
    dumped: bool

    def description(self) -> tuple[tuple[str, ...], tuple[str | None, ...]]:
        """Return the paragraphs raw, and as they read."""
        raw, clean = self._paragraphs()
        return ((*raw, CSS_PARAGRAPH), (*clean, None)) if self.dumped else (raw, clean)

    def _paragraphs(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        clean = tuple(" ".join(group) for group in self.groups)
        if not self.markup:
            return clean, clean
        escaped = [[sentence.replace("&", "&amp;") for sentence in group] for group in self.groups]
        return tuple(f"<b>{group[0]}</b><br />" + " <br />".join(group[1:]) for group in escaped), clean

    def features(self, facts: Mapping[str, str]) -> tuple[tuple[str, ...], tuple[str | None, ...]]:
        """Return the bullet points raw, and as they read."""
        told = (*(template.format(value=facts[name]) for name, template in self.templates.items()), *self.bullets)
        if self.noise is None:
            return told, told
        raw, clean = self.noise
        return (told[0], raw, *told[1:]), (told[0], clean or None, *told[1:])


class Model:
    """What the variants of one model share."""

    def __init__(
        self, department: Category, plan: ShelfPlan, kind: ProductType, dice: Dice, *, is_particular: bool = False
    ) -> None:
        self._department, self._plan, self._kind = department, plan, kind
        self._brand = dice.pick(department.brands)
        self._is_particular = is_particular
        name = coined(dice) if is_particular else dice.pick(_bank()["models"])
        self._name = f"{name} {dice.between(2, 99) * 10}"
        self._facts = {name: dice.pick(values) for name, values in kind.attributes.items()}
        self._varied = dice.pick([name for name, values in kind.attributes.items() if len(values) > 1] or [""])
        stated = [name for name in self._facts if name != self._varied and dice.chance(_STATED)]
        if self._varied and dice.chance(_VARIATION_STATED):
            stated.insert(dice.below(2), self._varied)
        self._stated = tuple(stated)
        low, high = kind.price
        self._cents = (low + dice.below(high - low)) * 100 + dice.pick((0, 49, 95, 99))
        self._quality = 0.65 + 0.9 * dice.unit()
        self._layout = dice.below(3)

    def variants(self, asins: list[str], where: str, dice: Dice) -> list[Product]:
        """Return a variant for each of ``asins``, or fewer: they differ in one attribute, and a little in price.

        Parameters
        ----------
        where
            Names the shelf, to tell apart families of the same name.
        """
        values = dice.sample(self._kind.attributes.get(self._varied, ()), len(asins)) or [""]
        wording = self._wording(dice)
        products: list[Product] = []
        for number, value in zip(asins, values, strict=False):
            if products and dice.chance(_REWORDED):
                wording = self._wording(dice)
            products.append(
                self._product(number, where, {**self._facts, **({self._varied: value} if value else {})}, wording, dice)
            )
        return products

    def _wording(self, dice: Dice) -> _Wording:
        bank = _bank()
        slots = {
            "brand": self._brand,
            "model": self._name,
            "type": self._kind.noun,
            "a_type": self._kind.a_noun,
            "use": dice.pick(self._plan.uses),
        }
        opening = dice.pick(bank["intro"]).format_map(slots)
        rest = tuple(line.format_map(slots) for line in dice.sample(bank["promise"], dice.between(1, 3)))
        own = particulars(slots, dice) if self._is_particular else ()
        told = [name for place, name in enumerate(self._stated) if place >= 2 or dice.chance(0.6)]
        raw, clean = dice.pick(bank["noise"])
        noisy, layout = dice.chance(_NOISE), dice.unit()
        return _Wording(
            groups=((), ((opening, *rest, *own[1:]),), ((opening,), (*rest, *own[1:])))[dice.below(3)],
            templates={name: dice.pick(attributes()[name]["feature"]) for name in told},
            bullets=(*(line.format_map(slots) for line in dice.sample(bank["bullet"], dice.between(1, 3))), *own[:1]),
            noise=(raw.format_map(slots), clean.format_map(slots)) if noisy else None,
            markup=layout < _MARKUP,
            dumped=layout >= 1 - _DUMPED,
        )

    def _product(self, number: str, where: str, facts: Mapping[str, str], wording: _Wording, dice: Dice) -> Product:
        description, clean_description = wording.description()
        features, clean_features = wording.features(facts)
        cents = self._cents + 100 * dice.between(0, 3)
        return Product(
            asin=number,
            category=self._department.name,
            shelf=self._plan.name,
            kind=self._kind,
            brand=self._brand,
            model=self._name,
            title=self._title(facts),
            attributes=facts,
            stated=self._stated,
            description=description,
            clean_description=clean_description,
            features=features,
            clean_features=clean_features,
            price=_price(cents, dice),
            cents=cents,
            family=f"{where}/{self._brand}/{self._name}/{self._kind.name}",
            uses=self._plan.uses,
            quality=self._quality,
            has_markup=wording.markup and bool(wording.groups),
            **_lost_title(dice.unit()),
        )

    def _title(self, facts: Mapping[str, str]) -> str:
        shown = [facts[name] for name in self._stated[:2]]
        if self._layout == 0:
            return ", ".join([f"{self._brand} {self._name} {self._kind.name}", *shown])
        if self._layout == 1:
            return " ".join([self._brand, *shown[:1], self._kind.name, *shown[1:], self._name])
        tail = f" ({shown[1]})" if len(shown) > 1 else ""
        return f"{self._brand} {self._kind.name} {self._name}" + "".join(f" - {value}" for value in shown[:1]) + tail


def _price(cents: int, dice: Dice) -> str:
    """Return a price as pages give it: mostly dollars, often nothing, now and then blanks or a style sheet."""
    draw = dice.unit()
    if draw < 0.3:
        return CSS_PRICE if draw < 0.03 else "\n  " if draw < 0.05 else ""
    return f"${cents // 100:,}.{cents % 100:02d}"


def _lost_title(draw: float) -> dict[str, Any]:
    """Return what stands in the title's place, and what is wrong with that, by one number in [0, 1)."""
    low = 0.0
    for kind, edge in _LOST_TITLES:
        if draw < edge:
            instead = _instead_of_titles(kind)
            return {"lost_title": instead[int((draw - low) / (edge - low) * len(instead))], "title_defect": kind}
        low = edge
    return {"lost_title": "", "title_defect": None}


@cache
def _instead_of_titles(kind: Kind) -> list[str]:
    bank: dict[str, list[str]] = words("defects")
    names = {"style_or_script": "page_script", "placeholder_title": "placeholder"}
    return bank[names[kind]] if kind in names else ['<span class="a-size-medium a-color-secondary"']


@cache
def _bank() -> dict[str, Any]:
    bank = words("products")
    phrases = {name: [speakable(line) for line in bank[name]] for name in ("models", "intro", "promise", "bullet")}
    return {**phrases, "noise": [(noise["raw"], noise["clean"]) for noise in bank["noise"]]}
