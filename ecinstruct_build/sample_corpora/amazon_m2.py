"""Amazon-M2: visits of six marketplaces as a CSV of printed arrays, and the products, each in its market's language."""

import csv
import io
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from ecinstruct_build.sample_corpora.draws import Dice
from ecinstruct_build.sample_corpora.ledger import Entry, Place
from ecinstruct_build.sample_corpora.planting import languages
from ecinstruct_build.sample_corpora.products import Product
from ecinstruct_build.sample_corpora.text_files import LineFile
from ecinstruct_build.sample_corpora.vocabulary import CATEGORIES, words
from ecinstruct_build.sample_corpora.world import World, shelf_products

SOURCE = "amazon_m2"
PRODUCTS = "products_train.csv"
SESSIONS = "sessions_train.csv"

MARKETS: Mapping[str, str] = {"UK": "gb", "DE": "de", "JP": "jp", "ES": "es", "FR": "fr", "IT": "it"}
"""Upstream's marketplaces; the first is written in English."""
_PRODUCT_COLUMNS = ("id", "locale", "title", "price", "brand", "color", "size", "model", "material", "author", "desc")
_REVIEWS_PER_VISIT = 25  # of the same shelf in 2018, for each visit of each marketplace
_NO_PRICE = "40000000.07"
_FEWEST = 5  # products of a shelf that visits are made of
_LISTED, _PRICELESS, _BROKEN = 0.6, 0.1, 0.008


def write(world: World, folder: Path) -> tuple[dict[str, int], list[Entry]]:
    """Write products and visits; returns lines by file name, and what was planted."""
    entries: list[Entry] = []
    with LineFile(folder / PRODUCTS) as products, LineFile(folder / SESSIONS) as sessions:
        products.write([_row(_PRODUCT_COLUMNS)])
        sessions.write([b"prev_items,next_item,locale"])
        for market in MARKETS:
            for category in range(len(CATEGORIES)):
                for shelf in range(world.shelves):
                    dice = Dice(world.seed, "visits", f"{market}/{category}/{shelf}")
                    listed = _listed(world, market, category, shelf, dice)
                    entries += _write_products(products, market, listed, dice)
                    visits = world.reviews // world.shelves // _REVIEWS_PER_VISIT + 1
                    entries += _write_visits(sessions, market, listed, visits, dice)
        return {PRODUCTS: products.lines, SESSIONS: sessions.lines}, entries


def _listed(world: World, market: str, category: int, shelf: int, dice: Dice) -> list[Product]:
    """Return the products of a shelf that a marketplace sells."""
    names = {} if market == "UK" else _bank(market)["names"]
    return [
        product
        for product in shelf_products(world, category, shelf)
        if dice.chance(_LISTED) and (market == "UK" or product.kind.name in names)
    ]


def _write_products(file: LineFile, market: str, listed: Sequence[Product], dice: Dice) -> list[Entry]:
    entries = []
    for product in listed:
        title, color, text = _told(market, product, dice)
        price = _NO_PRICE if dice.chance(_PRICELESS) else f"{product.cents / 100:.2f}"
        identity = product.asin
        if dice.chance(_BROKEN):
            identity = ""
            ids = (product.asin, market)
            entries.append(Entry("malformed_line", SOURCE, PRODUCTS, file.lines + 1, ids, reason="missing_id"))
        size = product.attributes.get("Size", "")
        row = _row([identity, market, title, price, product.brand, color, size, product.model, "", "", text])
        file.write(row.split(b"\n"))
    return entries


def _write_visits(file: LineFile, market: str, listed: Sequence[Product], count: int, dice: Dice) -> list[Entry]:
    entries = []
    seen: dict[tuple[str, ...], Place] = {}
    for _ in range(count if len(listed) >= _FEWEST else 0):
        visit = [product.asin for product in dice.sample(listed, dice.between(3, 8))]
        if dice.chance(0.2):
            visit.insert(dice.below(len(visit)), visit[0])
        ids, line = tuple(visit), file.lines + 1
        if dice.chance(_BROKEN):
            cells, reason = [_printed(visit), visit[-1], "US"], "wrong_type"
            if dice.chance(0.5):
                cells, reason = ["[]", visit[-1], market], "missing_id"
            entries.append(Entry("malformed_line", SOURCE, SESSIONS, line, ids, reason=reason))
        else:
            cells = [_printed(visit[:-1]), visit[-1], market]
            if ids in seen:
                entries.append(Entry("exact_duplicate_line", SOURCE, SESSIONS, line, ids, seen[ids]))
            seen.setdefault(ids, Place(SESSIONS, line, ids))
        file.write(_row(cells).split(b"\n"))
    return entries


def _printed(visit: Sequence[str]) -> str:
    """Return what numpy prints of an array, which breaks long lines."""
    return str(np.array(visit, dtype=object))


def _told(market: str, product: Product, dice: Dice) -> tuple[str, str, str]:
    """Return title, color and description of a product in the language of a marketplace."""
    if market == "UK":
        return product.title, product.color or "", " ".join(text for text in product.clean_description if text)
    bank = _bank(market)
    color = bank["colors"].get(product.color or "") or dice.pick(sorted(bank["colors"].values()))
    slots = {
        "brand": product.brand,
        "model": product.model,
        "name": bank["names"][product.kind.name],
        "color": color,
    }
    return bank["listing"]["title"].format_map(slots), color, bank["listing"]["description"].format_map(slots)


@cache
def _bank(market: str) -> dict[str, Any]:
    locale = MARKETS[market]
    whole = languages() if locale in languages()["names"] else words("markets")
    return {part: whole[part][locale] for part in ("names", "colors", "listing")}


def _row(cells: Sequence[str]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(cells)
    return text.getvalue().removesuffix("\n").encode()
