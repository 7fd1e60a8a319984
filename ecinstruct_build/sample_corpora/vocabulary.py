"""The words of the sample world, read from the TOML files of ``words/``."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

CATEGORY_FILES = (
    "electronics",
    "home_and_kitchen",
    "sports_and_outdoors",
    "tools_and_home_improvement",
    "cell_phones_and_accessories",
)
CATEGORIES = (
    "Electronics",
    "Home_and_Kitchen",
    "Sports_and_Outdoors",
    "Tools_and_Home_Improvement",
    "Cell_Phones_and_Accessories",
)


@dataclass(frozen=True)
class ProductType:
    """A kind of thing that is sold.

    Attributes
    ----------
    name, noun, a_noun
        As in a title (``Yoga Mat``), in running text (``yoga mat``), with its article (``a yoga mat``).
    price
        Lowest and highest price in whole dollars.
    aspects
        What its reviewers talk about; keys of ``aspects``.
    attributes
        What it may be described by, with the values it may take.
    """

    name: str
    noun: str
    a_noun: str
    price: tuple[int, int]
    aspects: tuple[str, ...]
    attributes: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class ShelfPlan:
    """Things bought together: a name, occasions of use, three product types."""

    name: str
    uses: tuple[str, ...]
    types: tuple[ProductType, ...]


@dataclass(frozen=True)
class Category:
    """A department: upstream's file name for it, its display name, its brands and shelves."""

    name: str
    display: str
    brands: tuple[str, ...]
    shelves: tuple[ShelfPlan, ...]


def words(name: str) -> dict[str, Any]:
    """Return the parsed vocabulary file called ``name``."""
    return tomllib.loads(
        (files("ecinstruct_build.sample_corpora") / "words" / f"{name}.toml").read_text(encoding="utf-8")
    )


@cache
def attributes() -> dict[str, Any]:
    """Return what products are described by: values and phrases for each attribute name."""
    return words("attributes")


@cache
def categories() -> tuple[Category, ...]:
    """Return all departments, in the order of ``CATEGORIES``."""
    return tuple(_category(words(name)) for name in CATEGORY_FILES)


def speakable(template: str) -> str:
    """Return a template with slots that agree with their place: articles with the noun, capitals at the start."""
    template = re.sub(r"\b(an|a) \{type\}", "{a_type}", template)
    template = re.sub(r"\b(An|A) \{type\}", "{A_type}", template)
    return re.sub(r"(^|[.!?] )\{person\}", r"\1{Person}", template)


def _category(data: Mapping[str, Any]) -> Category:
    shelves = tuple(
        ShelfPlan(
            name=shelf["name"],
            uses=tuple(shelf["uses"]),
            types=tuple(_product_type(name, body) for name, body in shelf["types"].items()),
        )
        for shelf in data["shelf"]
    )
    return Category(data["category"], data["display"], tuple(data["brands"]), shelves)


def _product_type(name: str, data: Mapping[str, Any]) -> ProductType:
    values: dict[str, tuple[str, ...]] = {}
    for entry in data["attributes"]:
        attribute, _, own = entry.partition(":")
        pool = [value.strip() for value in own.split("|")] if own else attributes()[attribute]["values"]
        values[attribute] = tuple(pool)
    noun = _noun(name)
    article = "an" if re.match(r"[aeio]|HDMI|LED|e-", noun) else "a"
    low, high = data["price"]
    return ProductType(name, noun, f"{article} {noun}", (low, high), tuple(data["aspects"]), values)


def _noun(name: str) -> str:
    lowered = " ".join(
        word if word.isupper() or word in {"Wi-Fi", "Bluetooth", "Dutch", "French", "Ethernet"} else word.lower()
        for word in name.split()
    )
    is_pair = name.endswith("s") and not name.endswith(("ss", "Lens"))
    return f"pair of {lowered}" if is_pair else lowered
