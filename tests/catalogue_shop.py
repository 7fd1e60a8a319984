"""A made-up shop, as a catalogue of one's own: three files as a shop has them, or one file that holds all.

Run as a script to write the shop of the docs again: ``python tests/catalogue_shop.py``.
"""

import csv
import io
import random
from collections.abc import Mapping, Sequence
from pathlib import Path

DOCS = Path(__file__).parent.parent / "docs" / "catalogue" / "raw" / "catalogue"

_KINDS: Mapping[str, tuple[str, str, list[str], list[str]]] = {
    "kettle": ("Kitchen", "mug", ["boils a litre in four minutes", "pours without a drip"], ["steel", "enamel"]),
    "mug": ("Kitchen", "kettle", ["keeps tea warm for an hour", "stacks with its like"], ["stoneware", "enamel"]),
    "lantern": ("Camping", "tent", ["shines for a whole night", "hangs from any branch"], ["brass", "tin"]),
    "tent": ("Camping", "lantern", ["stands against a gale", "packs into a loaf-sized bag"], ["canvas", "nylon"]),
    "stool": ("Furniture", "cushion", ["bears a grown man's weight", "folds flat in one move"], ["oak", "beech"]),
    "cushion": ("Furniture", "stool", ["keeps its shape for years", "washes at sixty degrees"], ["wool", "linen"]),
}
_COLOURS = ["red", "blue", "green", "black", "amber", "ivory"]
_BRANDS = ["Brackwater", "Hollin", "Tarnfell", "Ostrey", "Quillan", "Merrow"]
_SERIES = ["Alder", "Birk", "Cairn", "Dale", "Esker", "Fell", "Garth", "Haugh", "Keld", "Moss"]
_PLACES = ["by the stove", "on the landing", "at the allotment", "in the van", "near the window", "on the veranda"]
_MOMENTS = ["on weekdays", "after supper", "in the rain", "at dawn", "every other Sunday", "all winter long"]
_FEELINGS = {
    1: ["broke within a week of coming here", "is worse than the old one", "arrived bent and went straight back"],
    2: ["works when it feels like it", "is flimsy for what it cost", "needed mending after a month"],
    3: ["does its job and nothing more", "is fine for what it cost", "has a good side and a bad one"],
    4: ["has served us well since spring", "is nearly what I had hoped for", "lacks only a better label"],
    5: ["is the best that I have owned", "delights me every single time", "was worth every coin of it"],
}
_ENDINGS = ["and my sister says the same", "and I would say so to anyone", "as the neighbours will confirm", "so there"]

_SEASON = 30  # products

Rows = list[dict[str, str]]


def products(count: int, seed: int = 0) -> Rows:
    """Return listings: some lack a colour, some say that they have none, some are listed twice."""
    rng = random.Random(f"products {seed}")
    rows = [_product(rng, number) for number in range(count)]
    for number, row in enumerate(rows):
        season = _season(rows, number)
        same_kind = [other["sku"] for other in season if other["kind"] == row["kind"] and other is not row]
        partners = [other["sku"] for other in season if other["kind"] == _KINDS[row["kind"]][1]]
        row["bought_with"] = "|".join(rng.sample(partners, min(2, len(partners))))
        row["seen_with"] = "|".join(rng.sample(same_kind, min(2, len(same_kind))))
        row["also_listed_as"] = f"{row['sku']}-B" if number % 3 == 0 else ""
    return [*rows, *(_second_listing(row) for row in rows if row["also_listed_as"])]


def _season(rows: Sequence[Mapping[str, str]], number: int) -> Sequence[Mapping[str, str]]:
    """Return the products that are on sale together with one: shoppers of one year see none of another."""
    start = number // _SEASON * _SEASON
    return rows[start : start + _SEASON]


def _product(rng: random.Random, number: int) -> dict[str, str]:
    kind = sorted(_KINDS)[number % len(_KINDS)]
    department, _, feats, materials = _KINDS[kind]
    brand, series, model = rng.choice(_BRANDS), rng.choice(_SERIES), rng.randrange(100, 1000)
    material, colour, chance = rng.choice(materials), rng.choice(_COLOURS), rng.random()
    thing = f"{colour} {kind}" if chance < 0.8 else kind
    return {
        "sku": f"{kind[0].upper()}{number:03}",
        "name": f"{brand} {series} {model} {material.title()} {kind.title()}",
        "brand": brand,
        "department": department,
        "kind": kind,
        "description": f"{_article(thing)} {thing} of {material} that {rng.choice(feats)} {rng.choice(_PLACES)}.",
        "colour": colour if chance < 0.8 else "none" if chance < 0.95 else "",
        "material": material,
        "price": f"{rng.randrange(5, 90)}.{rng.choice(['00', '50', '95'])}",
    }


def _article(word: str) -> str:
    return "An" if word[0] in "aeiou" else "A"


def _second_listing(row: Mapping[str, str]) -> dict[str, str]:
    brand, series, model, *words = row["name"].split()
    name = f"{' '.join(words)} by {brand}, model {series} {model}"
    return {**row, "sku": row["also_listed_as"], "name": name, "bought_with": "", "seen_with": "", "also_listed_as": ""}


def reviews(listed: Sequence[Mapping[str, str]], count: int, seed: int = 0) -> Rows:
    """Return reviews of listings, of ten marks each; the last lines hold what a shop's reviews hold at times."""
    rng = random.Random(f"reviews {seed}")
    rows = [_review(rng, rng.choice(listed)) for _ in range(count)]
    odd = {"sku": listed[0]["sku"], "customer": "1001", "date": "2024-02-30", "marks": "8", "review": "No such day."}
    return [*rows, odd, {**odd, "date": "2024-02-29", "marks": "eleven", "review": "No such mark."}]


def _review(rng: random.Random, row: Mapping[str, str]) -> dict[str, str]:
    stars = rng.choice([1, 1, 2, 2, 3, 3, 4, 4, 5, 5])
    first, second = rng.sample(_PLACES, 2)
    when, again = rng.sample(_MOMENTS, 2)
    words = (
        f"This {row['material']} {row['kind']} {rng.choice(_FEELINGS[stars])}. It stands {first} and is used {when}, "
    )
    return {
        "sku": row["sku"],
        "customer": str(rng.randrange(1000, 1300)),
        "date": f"2024-{rng.randrange(1, 13):02}-{rng.randrange(1, 29):02}",
        "marks": str(2 * stars - rng.randrange(2)),
        "review": words + f"or {second} {again}, {rng.choice(_ENDINGS)}.",
    }


def searches(listed: Sequence[Mapping[str, str]], each: int, seed: int = 0) -> Rows:
    """Return what shoppers searched for, with products that were found and how well each answers, in words."""
    rng = random.Random(f"searches {seed}")
    queries = {(row["kind"], row[of]): None for row in listed for of in ("material", "brand", "colour") if row[of]}
    rows: Rows = []
    for number, (kind, word) in enumerate(queries):
        if word != "none":
            season = _season(listed, number * _SEASON % len(listed))
            graded = {row["sku"]: _grade(row, kind, word) for row in rng.sample(season, len(season))}
            for grade in ("perfect", "instead", "alongside", "no"):
                found = [sku for sku, own in graded.items() if own == grade][:each]
                rows += [{"query": f"{word} {kind}".lower(), "sku": sku, "answers": grade} for sku in found]
    return rows


def _grade(row: Mapping[str, str], kind: str, word: str) -> str:
    if row["kind"] == kind:
        return "perfect" if word in row.values() else "instead"
    return "alongside" if row["kind"] == _KINDS[kind][1] else "no"


def as_csv(rows: Sequence[Mapping[str, str]]) -> str:
    """Return rows as a CSV with a header."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def three_files() -> dict[str, str]:
    """Return the files of the docs by name."""
    listed = products(180)
    plain = [{name: cell for name, cell in row.items() if name != "kind"} for row in listed]
    return {
        "products.csv": as_csv(plain),
        "reviews.csv": as_csv(reviews(listed, 400)),
        "searches.csv": as_csv(searches(listed[:180], 2)),
    }


def one_file(count: int, seed: int = 0) -> str:
    """Return one CSV of listings, each with a review."""
    listed = products(count, seed)
    rng = random.Random(f"one {seed}")
    return as_csv([{**row, **_review(rng, row)} for row in listed])


if __name__ == "__main__":
    DOCS.mkdir(parents=True, exist_ok=True)
    for file, content in three_files().items():
        (DOCS / file).write_text(content, encoding="utf-8")
