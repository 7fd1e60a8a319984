"""A small shop, made up by rule, that feeds the tasks which read reviews, relations and matches."""

import random

from handmade import Row, table_rows

KINDS = ("kettle", "lamp", "drill", "tent", "scarf")
MAKERS = ("Hearth", "Lumen", "Borea", "Fjell")
FINISHES = ("red", "blue", "steel", "oak", "matt")
CATEGORIES = ("Kitchen", "Garden", "Tools")


def shop(source: str = "corpus", seed: int = 1, users: int = 60, products: int = 60) -> dict[str, list[Row]]:
    """Return products, reviews, relations and matches of one source; every third product is of each category."""
    chance = random.Random(f"{source}{seed}")
    catalogue = [_product(number, chance) for number in range(products)]
    tables = {
        "product": [*catalogue, *_listings(chance)],
        "review": _reviews(chance, users, products),
        "relation": _relations(chance, products),
        "match": [_match(number, number) for number in range(40)] + [_match(0, 1), _match(2, 1)],
    }
    return {name: table_rows(name, ({"source": source, **row} for row in rows)) for name, rows in tables.items()}


def join(*worlds: dict[str, list[Row]]) -> dict[str, list[Row]]:
    """Put the rows of several sources into one world."""
    return {name: [row for world in worlds for row in world[name]] for name in worlds[0]}


def _product(number: int, chance: random.Random) -> Row:
    title = f"{chance.choice(MAKERS)} {chance.choice(FINISHES)} {chance.choice(KINDS)} &amp; case, model {number}"
    return {
        "product_id": f"asin:{number:03}",
        "title": None if number % 13 == 12 else title,
        "category": CATEGORIES[number % 3],
    }


def _reviews(chance: random.Random, users: int, products: int) -> list[Row]:
    rows: list[Row] = []
    for user in range(users):
        bought = [number for number in range(products) if number % 3 == user % 3]
        for number in chance.sample(bought, chance.randint(3, 12)) + chance.sample(range(products), 2):
            rows.append(
                {
                    "review_id": f"{user}-{number}-{len(rows)}",
                    "product_id": f"asin:{number:03}",
                    "user_id": f"user-{user:03}",
                    "rating": float(chance.randint(1, 5)),
                    "text": None if chance.random() < 0.2 else " ".join(["good"] * chance.randint(6, 30)),
                    "timestamp": 1_400_000_000 + 86_400 * chance.randint(0, 40),
                    "category": CATEGORIES[number % 3],
                }
            )
    return rows


def _relations(chance: random.Random, products: int) -> list[Row]:
    rows = []
    for number in range(products):
        others = [other for other in range(products) if other % 3 == number % 3]
        for other in chance.sample(others, 6):
            kind = chance.choice(("also_buy", "also_buy", "also_view", "similar", "bought_together"))
            row = {"product_id": f"asin:{number:03}", "other_id": f"asin:{other:03}", "kind": kind}
            rows.append({**row, "category": CATEGORIES[number % 3]})
    return rows


def _listings(chance: random.Random) -> list[Row]:
    return [_listing(number, side, chance) for number in range(40) for side in ("left", "right")]


def _listing(number: int, side: str, chance: random.Random) -> Row:
    words = [MAKERS[number % 4], KINDS[number % 5], FINISHES[number // 10], f"mk{number}"]
    return {
        "product_id": f"{side}:{number:03}",
        "title": " ".join(chance.sample(words, 4)) + (" boxed" if side == "right" else ""),
        "description": "well made" if number % 2 else None,
        "brand": MAKERS[number % 4] if side == "left" else None,
        "price": str(number),
    }


def _match(left: int, right: int) -> Row:
    return {"left_id": f"left:{left:03}", "right_id": f"right:{right:03}", "is_match": True}
