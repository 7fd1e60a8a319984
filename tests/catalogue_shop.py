"""A shop's catalogue in one CSV, made of words of our own: products, what goes with them, and a review of each."""

import csv
import random
from pathlib import Path

_KINDS = {
    "kettle": ("Kitchen", ["boils", "pours", "whistles"], ["steel", "enamel", "copper"]),
    "lantern": ("Camping", ["glows", "hangs", "folds"], ["brass", "plastic", "tin"]),
    "satchel": ("Bags", ["carries", "closes", "hangs"], ["canvas", "leather", "felt"]),
    "stool": ("Furniture", ["stands", "stacks", "turns"], ["oak", "beech", "pine"]),
    "blanket": ("Home", ["warms", "washes", "folds"], ["wool", "cotton", "linen"]),
    "trowel": ("Garden", ["digs", "lifts", "scrapes"], ["iron", "bronze", "ash"]),
}
_COLOURS = ["red", "blue", "green", "black", "amber", "ivory"]
_MAKERS = ["Brackwater", "Hollin", "Tarnfell", "Ostrey", "Quillan", "Merrow", "Pellow", "Skarn"]
_SERIES = ["Alder", "Birk", "Cairn", "Dale", "Esker", "Fell", "Garth", "Haugh", "Isle", "Keld", "Lynn", "Moss"]
_PRAISE = {
    1: ["broke within a week", "is worse than the one that it replaced", "arrived bent and was sent straight back"],
    2: ["works at times", "feels flimsy for what it cost", "needed a repair after a month of light use"],
    3: ["does its job and no more", "is fine for the price", "has a good side and a bad one"],
    4: ["has served us well since spring", "is nearly what I had hoped for", "needs only a better label"],
    5: ["is the best that I have owned", "delights me every single morning", "was worth every coin of it"],
}
_PLACES = ["in the shed", "by the stove", "on the landing", "at the allotment", "in the van", "near the window"]
_TIMES = ["on weekdays", "after supper", "in the rain", "at dawn", "every other Sunday", "in winter"]


def rows(count: int, seed: int = 0) -> list[dict[str, str]]:
    """Return ``count`` rows; each is one listing with a review."""
    rng = random.Random(seed)
    listings = [_listing(rng, number) for number in range(count)]
    for number, row in enumerate(listings):
        others = [f"P-{other:04}" for other in rng.sample(range(count), 4) if other != number]
        row["bought with"], row["viewed with"] = "|".join(others[:2]), "|".join(others[2:])
        row["same as"] = ""
    for number in range(0, count - 1, 5):
        first, second = listings[number], listings[number + 1]
        for column in ("department", "maker", "colour", "material", "kind", "details"):
            second[column] = first[column]
        second["name"] = f"{first['maker']} {first['kind']}, {first['colour']}, {first['series']} {first['model']}"
        first["same as"] = second["sku"]
    return listings


def _listing(rng: random.Random, number: int) -> dict[str, str]:
    kind = rng.choice(sorted(_KINDS))
    department, verbs, materials = _KINDS[kind]
    material, colour, maker = rng.choice(materials), rng.choice(_COLOURS), rng.choice(_MAKERS)
    series, model, stars = rng.choice(_SERIES), rng.randrange(100, 999), rng.choice([1, 2, 3, 4, 4, 5, 5])
    words = rng.sample(_PLACES, 2) + rng.sample(_TIMES, 2)
    review = f"This {colour} {kind} {rng.choice(_PRAISE[stars])}. We keep it {words[0]} and use it {words[2]}, "
    return {
        "sku": f"P-{number:04}",
        "name": f"{maker} {series} {model} {material.title()} {kind.title()}",
        "maker": maker,
        "series": series,
        "model": str(model),
        "kind": kind,
        "department": department,
        "details": f"A {colour} {kind} of {material} that {rng.choice(verbs)} {rng.choice(_PLACES)}, made by {maker}.",
        "price": f"{rng.randrange(5, 90)}.50",
        "colour": colour if rng.random() < 0.8 else "n/a" if rng.random() < 0.5 else "",
        "material": material,
        "stars": str(stars),
        "review": review + f"though my neighbour keeps hers {words[1]} and uses it {words[3]}.",
        "customer": str(rng.randrange(1000, 1000 + 3 * 40)),
        "date": f"2024-{rng.randrange(1, 13):02}-{rng.randrange(1, 29):02}T{rng.randrange(24):02}:00:00Z",
    }


def write_shop(path: Path, count: int, seed: int = 0) -> None:
    """Write the rows as a CSV."""
    path.parent.mkdir(parents=True, exist_ok=True)
    listed = rows(count, seed)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(listed[0]))
        writer.writeheader()
        writer.writerows(listed)
