"""Amazon Review Data 2018: a category's metadata file, in the form of ``metaFiles`` or of ``metaFiles2``."""

import html
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ecinstruct_build.sample_corpora import planting
from ecinstruct_build.sample_corpora.draws import Dice
from ecinstruct_build.sample_corpora.ledger import OTHER_VARIATION, REASONS, Entry, Kind, Place
from ecinstruct_build.sample_corpora.products import CSS_PARAGRAPH, CSS_PRICE, Product
from ecinstruct_build.sample_corpora.relations import Links, shelf_links
from ecinstruct_build.sample_corpora.text_files import LineFile
from ecinstruct_build.sample_corpora.vocabulary import CATEGORIES, categories
from ecinstruct_build.sample_corpora.world import World, shelf_products

SOURCE = "amazon_reviews_2018"
SECOND_FORM = "Cell_Phones_and_Accessories"
"""The category whose metadata has the form of ``metaFiles2``."""
CROWDED = "Sports_and_Outdoors"
"""The category whose metadata repeats a third of its lines, as some of upstream's do."""

_VARIATIONS = {
    "Color": "colour", "Light Color": "colour", "Finish": "colour", "Size": "size", "Bed Size": "size",
    "Screen Size": "size", "Length": "size", "Blade Length": "size", "Thickness": "size", "Drive Size": "size",
    "Capacity": "size", "Number of Pieces": "quantity",
}  # fmt: skip
_REPEATED, _REPEATED_CROWDED = 0.012, 0.33
_BROKEN = 0.003
_ABROAD = 0.012  # products that another department's file lists as well
_IMAGES = "https://images.example.com/I"


def file_name(category: str) -> str:
    """Return a category's metadata file, relative to the source's folder."""
    return f"metaFiles2/meta_{category}.json.gz" if category == SECOND_FORM else f"meta_{category}.json.gz"


def write(world: World, category: int, folder: Path) -> tuple[dict[str, int], list[Entry]]:
    """Write the metadata of a category.

    Returns
    -------
    dict, list
        Lines by file name within ``folder``, and what was planted.
    """
    file = file_name(CATEGORIES[category])
    writer = _Writer(world, category, file)
    with LineFile(folder / file) as lines:
        for shelf in range(world.shelves):
            lines.write(writer.shelf(shelf))
        return {file: lines.lines}, writer.entries


class _Writer:
    """Makes the lines of a file shelf by shelf and keeps the ledger."""

    def __init__(self, world: World, category: int, file: str) -> None:
        self.entries: list[Entry] = []
        self._world = world
        self._category = category
        self._file = file
        self._line = 0
        self._second = CATEGORIES[category] == SECOND_FORM

    def shelf(self, shelf: int) -> list[bytes]:
        """Return the lines of a shelf's products, repeated and foreign ones last."""
        dice = Dice(self._world.seed, "metadata", f"{self._category}/{shelf}")
        products = shelf_products(self._world, self._category, shelf)
        links = shelf_links(self._world, self._category, shelf)
        first = self._line
        lines = []
        for product, link in zip(products, links, strict=True):
            line = self._product(product, link, dice)
            if dice.chance(_BROKEN):
                line = self._break(line, product, dice)
            lines.append(line)
        repeated = _REPEATED_CROWDED if CATEGORIES[self._category] == CROWDED else _REPEATED
        broken = {entry.line for entry in self.entries if entry.kind == "malformed_line"}
        for place, product in enumerate(products):
            if dice.chance(repeated) and first + place + 1 not in broken:
                self._line += 1
                lines.append(lines[place])
                self._note(
                    "exact_duplicate_line",
                    (product.asin,),
                    partner=Place(self._file, first + place + 1, (product.asin,)),
                )
        self._note_families(products, first)
        return lines + self._visitors(shelf, dice)

    def _product(self, product: Product, links: Links, dice: Dice) -> bytes:
        self._line += 1
        self._note_texts(product)
        for other in links.contradicting:
            self._note("contradicting_relation", (product.asin, other), note="also_buy and also_view", field="also_buy")
        for other in links.abroad:
            self._note("cross_category", (product.asin, other), note="relation", field="also_buy")
        record = _record(self._category, product, links, dice, second=self._second)
        return json.dumps(record).encode("ascii")

    def _note_texts(self, product: Product) -> None:
        """Keep note of what is wrong with a listing's own texts."""
        if product.has_markup:
            self._note("html", (product.asin,), note="<b>, <br />", field="description")
        for text in product.features:
            if "<" in text or "&lt;" in text:
                self._note("html", (product.asin,), note=text, field="feature")
        if product.title_defect:
            self._note(product.title_defect, (product.asin,), note=product.lost_title, field="title")
        for field, dump in (("price", CSS_PRICE), ("description", CSS_PARAGRAPH)):
            if dump in getattr(product, field):
                self._note("style_or_script", (product.asin,), note=dump, field=field)

    def _note_families(self, products: Sequence[Product], before: int) -> None:
        """Keep note of variants of one model, at the place of the first of them."""
        families: dict[str, list[int]] = {}
        for place, product in enumerate(products):
            families.setdefault(product.family, []).append(place)
        for places in families.values():
            facts = [products[place].attributes for place in places]
            varied = next((name for name in facts[0] if len({fact[name] for fact in facts}) > 1), None)
            stated = varied in products[places[0]].stated[:2]
            how = _VARIATIONS.get(varied or "", OTHER_VARIATION) if stated else "not in the title"
            if varied:
                ids = tuple(products[place].asin for place in places)
                note = f"{varied}: " + " | ".join(fact[varied] for fact in facts)
                line = before + places[0] + 1
                self.entries.append(
                    Entry("variant_family", SOURCE, self._file, line, ids, reason=how, note=note, field="title")
                )

    def _visitors(self, shelf: int, dice: Dice) -> list[bytes]:
        """Return lines of products that belong to another department."""
        lines = []
        other = (self._category + 1) % len(CATEGORIES)
        for product in shelf_products(self._world, other, shelf):
            if dice.chance(_ABROAD):
                self._line += 1
                self._note_texts(product)
                record = _record(other, product, Links(), dice, second=self._second)
                lines.append(json.dumps(record).encode("ascii"))
                self._note("cross_category", (product.asin,), note=f"product of {CATEGORIES[other]}", field="category")
        return lines

    def _break(self, line: bytes, product: Product, dice: Dice) -> bytes:
        reason = dice.pick(REASONS)
        # A line that cannot be read holds no other defect that could be found.
        self.entries = [entry for entry in self.entries if entry.line != self._line]
        self._note("malformed_line", (product.asin,), reason=reason)
        return planting.break_line(
            line,
            reason,
            number=b'"brand": ' + json.dumps(product.brand).encode(),
            key=f', "asin": "{product.asin}"'.encode(),
            text=b'"title": "',
        )

    def _note(
        self,
        kind: Kind,
        ids: tuple[str, ...],
        *,
        partner: Place | None = None,
        reason: str | None = None,
        note: str | None = None,
        field: str | None = None,
    ) -> None:
        self.entries.append(Entry(kind, SOURCE, self._file, self._line, ids, partner, reason, note, field))


def _record(category: int, product: Product, links: Links, dice: Dice, *, second: bool) -> dict[str, Any]:
    department = categories()[category]
    image = f"{_IMAGES}/{product.asin[2:]}"
    thumbs = [f"{image}{letter}._SX38_SY50_.jpg" for letter in "ab"]
    record: dict[str, Any] = {
        "category": [department.display, product.shelf, f"{product.kind.name}s".replace("ss", "s")],
        "tech1": "",
        "description": list(product.description),
        "fit": "",
        "title": product.lost_title or product.title,
        "also_buy": links.also_buy,
    }
    if not second:
        record["image"] = thumbs
    record |= {
        "tech2": "",
        "brand": product.brand,
        "feature": list(product.features),
        "rank": _rank(department.display, product, dice),
        "also_view": links.also_view,
        "details": {"Shipping Weight:": f"{dice.between(2, 90) / 10} pounds (", "ASIN:": product.asin},
        "main_cat": department.display
        if dice.chance(0.95)
        else f'<img src="{_IMAGES}/nav.png" alt="{html.escape(department.display)}"/>',
        "similar_item": _comparison(links.similar),
        "date": dice.pick(("", "", "May 15, 2015", "November 2, 2016")),
        "price": product.price,
        "asin": product.asin,
    }
    if second:
        record |= {"imageURL": thumbs, "imageURLHighRes": [f"{image}a.jpg"]}
    return record


def _rank(department: str, product: Product, dice: Dice) -> str | list[str]:
    form, number = dice.below(3), dice.between(12, 2_000_000)
    if form == 0:
        return []
    if form == 1:
        return f"{number:,} in {department} ("
    return [
        f">#{number:,} in {department} (See Top 100 in {department})",
        f">#{1 + number // 90:,} in {department} > {product.shelf}",
    ]


def _comparison(others: list[str]) -> str:
    """Return the comparison table of similar products, as a page's source shows it."""
    if not others:
        return ""
    cells = "\n\n".join(
        f'<th class="comparison_image_title_cell comparable_item{place}" role="columnheader" data-asin="{other}">'
        f'<a class="a-link-normal" href="/dp/{other}/ref=pd_cmp_{place}"><span>Compare</span></a></th>'
        for place, other in enumerate(others)
    )
    start = ' class="a-bordered a-spacing-none comparison_table">\n\n\n<tr class="comparison_table_image_row">'
    return f"{start}\n{cells}\n</tr>\n"
