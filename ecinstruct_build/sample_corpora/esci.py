"""Shopping Queries (ESCI): graded products for queries, in three locales, as two Parquet files and a CSV.

A query asks for a product type with an attribute. On its shelf, things of the type that have the attribute are exact,
those that lack it substitutes, things of the other types complements; things from elsewhere are irrelevant.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from ecinstruct_build.sample_corpora import planting
from ecinstruct_build.sample_corpora.draws import Dice
from ecinstruct_build.sample_corpora.ledger import TWINS, Entry, Kind
from ecinstruct_build.sample_corpora.planting import languages
from ecinstruct_build.sample_corpora.products import Product
from ecinstruct_build.sample_corpora.text_files import LineFile
from ecinstruct_build.sample_corpora.vocabulary import CATEGORIES
from ecinstruct_build.sample_corpora.world import World, shelf_products

SOURCE = "esci"
EXAMPLES = "shopping_queries_dataset_examples.parquet"
PRODUCTS = "shopping_queries_dataset_products.parquet"
SOURCES = "shopping_queries_dataset_sources.csv"

_QUERIES_PER_SHELF = 15
_LISTED = 0.8  # shelf products that this corpus knows under the same id
_LOCALES = {"es": "es", "jp": "jp"}
_TRANSLATED = 6  # products of a type listed abroad
_SMALL = 0.75  # queries that are in the small version
_WRONG = 0.03  # grades that another person would not give
# A title's draw falls below the edge of the defect that is planted in it, or of none.
_TITLE_EDGES: tuple[tuple[Kind, float], ...] = (
    ("mojibake", 0.012),
    ("invisible", 0.024),
    ("placeholder_title", 0.036),
    ("style_or_script", 0.042),
)
_ORIGINS = ("other", "negations", "behavioral", "parse_pattern")
_FORMS = (
    "{value} {type}",
    "{type} {value}",
    "{brand} {type}",
    "{type} for {use}",
    "best {type} {value}",
    "cheap {type} {value}",
    "{brand} {type} {value}",
)
# In a broad world, where so few words would soon make the same queries again, most name a model.
_BROAD_FORMS = (
    *_FORMS,
    "{model}",
    "{brand} {model}",
    "{model} {type}",
    "{model} {type} {value}",
    "{type} like {model}",
    "{model} or other {type}",
    "{brand} {model} {type}",
    "cheap {model}",
    "{model} for {use}",
    "{type} {model} {use}",
)
# The grades that a query's products have, with weights. Lists of the default lengths drawn from such queries are as
# long, and hold as many of each grade, as those that the original released.
_GRADES = (
    ("ES", 300), ("EI", 130), ("SI", 80), ("EC", 34), ("CI", 14), ("SC", 10),
    ("ESI", 240), ("ESC", 100), ("ECI", 11), ("SCI", 10), ("ESCI", 71),
)  # fmt: skip

# What part of the judgements that are left each grade has, in this order; the last one has them all.
_PARTS = {"I": 6, "E": 3, "S": 2, "C": 1}

_EXAMPLE_SCHEMA = pa.schema(
    [
        ("example_id", pa.int64()),
        ("query", pa.large_string()),
        ("query_id", pa.int64()),
        ("product_id", pa.large_string()),
        ("product_locale", pa.large_string()),
        ("esci_label", pa.large_string()),
        ("small_version", pa.int64()),
        ("large_version", pa.int64()),
        ("split", pa.large_string()),
    ]
)
_PRODUCT_SCHEMA = pa.schema(
    [
        (f"product_{name}", pa.large_string())
        for name in ("id", "title", "description", "bullet_point", "brand", "color", "locale")
    ]
)


@dataclass(frozen=True)
class _Query:
    """What somebody typed, and the grade of each product they were shown."""

    text: str
    locale: str
    graded: list[tuple[str, str]]


def write(world: World, folder: Path) -> tuple[dict[str, int], list[Entry]]:
    """Write the three files; returns rows by file name, and what was planted."""
    folder.mkdir(parents=True, exist_ok=True)
    writer = _Writer(world)
    with (
        pq.ParquetWriter(folder / EXAMPLES, _EXAMPLE_SCHEMA, compression="snappy") as examples,
        pq.ParquetWriter(folder / PRODUCTS, _PRODUCT_SCHEMA, compression="snappy") as products,
        LineFile(folder / SOURCES) as sources,
    ):
        sources.write([b"query_id,source"])
        for category in range(len(CATEGORIES)):
            for shelf in range(world.shelves):
                listings = list(_listings(world, category, shelf))
                planted = _spoil_titles(world, category, shelf, listings)
                products.write_table(pa.Table.from_pylist(listings, _PRODUCT_SCHEMA))
                writer.note_listings(listings, planted)
                rows, origins = writer.rows(category, shelf)
                examples.write_table(rows)
                sources.write(origins)
        return {EXAMPLES: writer.examples, PRODUCTS: writer.products, SOURCES: sources.lines}, writer.entries


class _Writer:
    """Numbers queries and examples, and keeps the ledger."""

    def __init__(self, world: World) -> None:
        self.entries: list[Entry] = []
        self.examples = 0
        self.products = 0
        self._world = world
        self._queries = 0

    def note_listings(self, listings: list[dict[str, Any]], planted: Mapping[int, list[Entry]]) -> None:
        """Count listings; keep note of those with markup, and of what was planted in each, by its place."""
        for place, listing in enumerate(listings):
            if "<" in (listing["product_description"] or ""):
                row = self.products + place + 1
                ids = (listing["product_id"], listing["product_locale"])
                self.entries.append(
                    Entry("html", SOURCE, PRODUCTS, row, ids, note="<b>, <br />", field="product_description")
                )
            for entry in planted.get(place, ()):
                self.entries.append(msgspec.structs.replace(entry, line=self.products + place + 1))
        self.products += len(listings)

    def rows(self, category: int, shelf: int) -> tuple[pa.Table, list[bytes]]:
        """Return a shelf's judgements, and the lines that say where its queries come from."""
        dice = Dice(self._world.seed, "queries", f"{category}/{shelf}")
        columns: dict[str, list[Any]] = {name: [] for name in _EXAMPLE_SCHEMA.names}
        origins = []
        for query in _queries(self._world, category, shelf, dice):
            self._queries += 1
            count = len(query.graded)
            columns["example_id"] += range(self.examples, self.examples + count)
            columns["query"] += [query.text] * count
            columns["query_id"] += [self._queries] * count
            columns["product_id"] += [product_id for product_id, _ in query.graded]
            columns["product_locale"] += [query.locale] * count
            columns["esci_label"] += [label for _, label in query.graded]
            columns["small_version"] += [int(dice.chance(_SMALL))] * count
            columns["large_version"] += [1] * count
            columns["split"] += ["train" if dice.chance(0.7) else "test"] * count
            self.examples += count
            origins.append(f"{self._queries},{dice.pick(_ORIGINS)}".encode())
        return pa.table(columns, schema=_EXAMPLE_SCHEMA), origins


@lru_cache(maxsize=8)
def _listed(world: World, category: int, shelf: int) -> list[tuple[str, Product]]:
    """Return the products that this corpus knows of a shelf, with their ids; some are known by another id."""
    dice = Dice(world.seed, "esci listings", f"{category}/{shelf}")
    products = []
    for product in shelf_products(world, category, shelf):
        own = f"B1{product.asin[2:]}"
        products.append((product.asin if dice.chance(_LISTED) else own, product))
    return products


def _listings(world: World, category: int, shelf: int) -> Iterator[dict[str, Any]]:
    dice = Dice(world.seed, "esci texts", f"{category}/{shelf}")
    listed = _listed(world, category, shelf)
    for product_id, product in listed:
        yield {
            "product_id": product_id,
            "product_title": product.title,
            "product_description": "\n".join(product.description) or None,
            "product_bullet_point": "\n".join(text for text in product.clean_features if text) or None,
            "product_brand": product.brand if dice.chance(0.95) else None,
            "product_color": product.color,
            "product_locale": "us",
        }
    for locale in _LOCALES:
        for product_id, product in _abroad(listed, locale):
            yield _translated(product_id, product, locale, dice)


def _spoil_titles(world: World, category: int, shelf: int, listings: list[dict[str, Any]]) -> dict[int, list[Entry]]:
    """Spoil some titles, and word some of those listed by another id anew; returns what was planted, by place."""
    dice = Dice(world.seed, "esci titles", f"{category}/{shelf}")
    planted: dict[int, list[Entry]] = {}
    for place, (product_id, product) in enumerate(_listed(world, category, shelf)):
        listing, found, field = listings[place], [], "product_title"
        here = (SOURCE, PRODUCTS, 0, (product_id, "us"))
        if product_id != product.asin:
            listing["product_title"], how = _reworded(product, dice)
            ids = (product_id, product.asin)
            found.append(Entry("family_twin", SOURCE, PRODUCTS, 0, ids, reason=how, field=field))
        draw, title, form = dice.unit(), listing["product_title"], None
        kind = next((kind for kind, edge in _TITLE_EDGES if draw < edge), None)
        if kind == "mojibake":
            title, note, form = planting.garble_title(title, dice)
        elif kind == "invisible":
            title, note = planting.hide_characters(title, dice)
        elif kind == "placeholder_title":
            title = note = dice.pick(planting.defects()["placeholder"])
        elif kind == "style_or_script":
            title, note = planting.dump_code(title, dice)
        if kind:
            found.append(Entry(kind, *here, reason=form, note=note, field=field))
        listing["product_title"] = title
        planted[place] = found
    return planted


def _reworded(product: Product, dice: Dice) -> tuple[str, str]:
    """Return the title of a product under its other id, and how it differs from the usual one."""
    draw = dice.below(6)
    if draw == 0:
        return product.title.upper(), TWINS[1]
    if draw == 1:
        return product.title.replace(",", " -").replace("(", "").replace(")", ""), TWINS[2]
    if draw == 2:
        return f"{product.title} by {product.brand}", TWINS[3]
    return product.title, TWINS[0]


def _abroad(listed: list[tuple[str, Product]], locale: str) -> list[tuple[str, Product]]:
    names = languages()["names"][locale]
    return [(product_id, product) for product_id, product in listed if product.kind.name in names][: 3 * _TRANSLATED]


def _translated(product_id: str, product: Product, locale: str, dice: Dice) -> dict[str, Any]:
    bank = languages()
    form = bank["listing"][locale]
    colors = bank["colors"][locale]
    color = colors.get(product.color or "", dice.pick(sorted(colors.values())))
    slots = {
        "brand": product.brand,
        "model": product.model,
        "name": bank["names"][locale][product.kind.name],
        "color": color,
    }
    return {
        "product_id": product_id,
        "product_title": form["title"].format_map(slots),
        "product_description": form["description"].format_map(slots),
        "product_bullet_point": "\n".join(form["bullets"]),
        "product_brand": product.brand,
        "product_color": color,
        "product_locale": locale,
    }


def _queries(world: World, category: int, shelf: int, dice: Dice) -> Iterator[_Query]:
    listed = _listed(world, category, shelf)
    elsewhere = _elsewhere(world, category, shelf, dice)
    forms = _BROAD_FORMS if world.is_broad else _FORMS
    grades = [grades for grades, weight in _GRADES for _ in range(weight)]
    for _ in range(_QUERIES_PER_SHELF):
        _, wanted = dice.pick(listed)
        attribute = dice.pick(list(wanted.attributes))
        value = wanted.attributes[attribute]
        form = dice.pick(forms)
        slots = {
            "value": value,
            "type": wanted.kind.name,
            "brand": wanted.brand,
            "model": wanted.model,
            "use": dice.pick(wanted.uses),
        }
        text = form.format_map(slots).lower().replace(" for for ", " for ")
        needs = {name: slots[name] for name in ("value", "brand", "model") if "{" + name + "}" in form}
        graded = [(product_id, _grade(product, wanted, needs, attribute)) for product_id, product in listed]
        yield _Query(text, "us", _shown(graded, elsewhere, dice.pick(grades), dice))
    for locale in _LOCALES:
        abroad = _abroad(listed, locale)
        if abroad and dice.chance(0.9):
            yield _query_abroad(abroad, locale, dice)


def _grade(product: Product, wanted: Product, needs: dict[str, str], attribute: str) -> str:
    if product.kind.name != wanted.kind.name:
        return "C"
    true = {"value": product.attributes.get(attribute), "brand": product.brand, "model": product.model}
    has = all(true[name] == value for name, value in needs.items())
    return "E" if has else "S"


def _shown(graded: list[tuple[str, str]], elsewhere: list[str], grades: str, dice: Dice) -> list[tuple[str, str]]:
    """Return 16 to 40 judgements of some grades, or as many as there are."""
    wanted = dice.between(16, 40)
    by_label = {label: [pair for pair in graded if pair[1] == label] for label in "ESC"}
    by_label["I"] = [(product_id, "I") for product_id in elsewhere]
    order = [label for label in _PARTS if label in grades]
    judged: list[tuple[str, str]] = []
    for label in order:
        room = wanted - len(judged)
        judged += dice.sample(by_label[label], room if label == order[-1] else max(2, room // _PARTS[label]))
    judged = dice.sample(judged, len(judged))
    return [(product_id, dice.pick(grades) if dice.chance(_WRONG) else label) for product_id, label in judged]


def _elsewhere(world: World, category: int, shelf: int, dice: Dice) -> list[str]:
    """Return ids of products of other shelves: the neighbouring one mostly, and one of another department."""
    places = [((category + 1) % len(CATEGORIES), shelf, 4 if world.shelves > 1 else 16)]
    if world.shelves > 1:
        places.append((category, world.neighbour(shelf), 12))
    return [
        product_id
        for department, number, count in places
        for product_id, _ in dice.sample(_listed(world, department, number), count)
    ]


def _query_abroad(abroad: list[tuple[str, Product]], locale: str, dice: Dice) -> _Query:
    bank = languages()
    name = dice.pick([product.kind.name for _, product in abroad])
    color = dice.pick(sorted(bank["colors"][locale]))
    graded = [
        (product_id, "C" if product.kind.name != name else "E" if product.color == color else "S")
        for product_id, product in abroad
    ]
    text = f"{bank['names'][locale][name]} {bank['colors'][locale][color]}"
    return _Query(text, locale, graded)
