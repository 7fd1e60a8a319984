"""Amazon Reviews 2023: reviews and metadata of every department as JSON lines.

It tells of the same shelves as 2018, in later years and by later shoppers. Variants of one model are sold under one
parent, the first of them: reviews name both, metadata only the parent.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ecinstruct_build.sample_corpora import planting
from ecinstruct_build.sample_corpora.draws import Dice, stream
from ecinstruct_build.sample_corpora.ledger import REASONS, Entry, Place
from ecinstruct_build.sample_corpora.products import Product
from ecinstruct_build.sample_corpora.prose import DRAWS, Speaker
from ecinstruct_build.sample_corpora.shoppers import DAY, purchases
from ecinstruct_build.sample_corpora.text_files import LineFile
from ecinstruct_build.sample_corpora.vocabulary import CATEGORIES, categories
from ecinstruct_build.sample_corpora.world import World, shelf_products, user_id

SOURCE = "amazon_reviews_2023"

_SHARE = 0.5  # reviews for each review of 2018 in the same category
_DAYS = (17_810, 19_600)  # 2018-10-06, 2023-08-31
_LATER_USERS = 70_000  # numbers of shoppers who came after 2018
_REPEATED, _BROKEN, _NO_TEXT = 0.01, 0.003, 0.008


def write_reviews(world: World, category: int, folder: Path) -> tuple[dict[str, int], list[Entry]]:
    """Write ``raw/review_categories/<C>.jsonl.gz``; returns lines by file name, and what was planted."""
    file = f"raw/review_categories/{CATEGORIES[category]}.jsonl.gz"
    entries: list[Entry] = []
    with LineFile(folder / file) as lines:
        for block in range(world.blocks):
            written, planted = _review_block(world, category, block, Place(file, lines.lines, ()))
            lines.write(written)
            entries += planted
        return {file: lines.lines}, entries


def write_metadata(world: World, category: int, folder: Path) -> tuple[dict[str, int], list[Entry]]:
    """Write ``raw/meta_categories/meta_<C>.jsonl.gz``; returns lines by file name, and what was planted."""
    file = f"raw/meta_categories/meta_{CATEGORIES[category]}.jsonl.gz"
    entries: list[Entry] = []
    with LineFile(folder / file) as lines:
        for shelf in range(world.shelves):
            dice = Dice(world.seed, "metadata 2023", f"{category}/{shelf}")
            products = shelf_products(world, category, shelf)
            parents = set(parents_of(products).values())
            for product in products:
                if product.asin not in parents:
                    continue
                line = json.dumps(_metadata(category, product, dice)).encode("ascii")
                place = Place(file, lines.lines + 1, (product.asin,))
                if dice.chance(_BROKEN):
                    line, entry = _break(line, place, b"parent_asin", b'"title": "', dice)
                    entries.append(entry)
                lines.write([line])
        return {file: lines.lines}, entries


def parents_of(products: tuple[Product, ...]) -> Mapping[str, str]:
    """Return the parent of each product of a shelf: the first variant of its model."""
    first: dict[str, str] = {}
    return {product.asin: first.setdefault(product.family, product.asin) for product in products}


def _review_block(world: World, category: int, block: int, before: Place) -> tuple[list[bytes], list[Entry]]:
    total = max(1, int(world.block_reviews(block) * _SHARE))
    bought = purchases(world, category, block, total=total, purpose="2023", days=_DAYS)
    random = stream(world.seed, "review words 2023", f"{category}/{block}")
    draws, extras = random.random((total, DRAWS)).tolist(), random.random((total, 5)).tolist()
    dice = Dice(world.seed, "review defects 2023", f"{category}/{block}")
    speakers, parents = (
        [Speaker(product, is_particular=world.is_broad) for product in bought.shelves],
        parents_of(bought.shelves),
    )
    lines, repeated, entries = [], [], []
    rows = zip(bought.user.tolist(), bought.product.tolist(), bought.stars.tolist(), bought.day.tolist(), strict=True)
    for row, (user, product, stars, day) in enumerate(rows):
        text, title = speakers[product].write(stars, draws[row])
        item, extra = bought.shelves[product].asin, extras[row]
        reviewer = "A" + user_id(world, category, block, _LATER_USERS + user)
        record = {
            "rating": float(stars),
            "title": title,
            "text": "" if extra[0] < _NO_TEXT else text.replace(". ", ".<br />", 1) if extra[0] > 0.98 else text,
            "images": [],
            "asin": item,
            "parent_asin": parents[item],
            "user_id": reviewer,
            "timestamp": day * DAY * 1000 + int(extra[1] * DAY) * 1000 + int(extra[2] * 1000),
            "helpful_vote": int(extra[3] * 40) if extra[3] < 0.2 else 0,
            "verified_purchase": extra[4] < 0.9,
        }
        place = Place(before.file, before.line + row + 1, (item, reviewer, str(record["timestamp"])))
        line = json.dumps(record).encode("ascii")
        if dice.chance(_BROKEN):
            line, entry = _break(line, place, b"rating", b'"text": "', dice)
            entries.append(entry)
        elif dice.chance(_REPEATED):
            repeated.append((row, place))
        lines.append(line)
    for number, (row, place) in enumerate(repeated):
        lines.append(lines[row])
        where = before.line + total + number + 1
        entries.append(Entry("exact_duplicate_line", SOURCE, before.file, where, place.ids, place))
    return lines, entries


def _break(line: bytes, place: Place, needed: bytes, text: bytes, dice: Dice) -> tuple[bytes, Entry]:
    """Return a line that cannot be read, and the entry that says so; ``needed`` is the member spoiled or left out."""
    reason = dice.pick(REASONS)
    start = line.index(b'"' + needed + b'": ')
    ends = [end for end in (line.find(b", ", start), line.find(b"}", start)) if end >= 0]
    member = line[start : min(ends)]
    key = member + b", " if member + b", " in line else b", " + member
    broken = planting.break_line(line, reason, number=member, key=key, text=text)
    return broken, Entry("malformed_line", SOURCE, place.file, place.line, place.ids, reason=reason)


def _metadata(category: int, product: Product, dice: Dice) -> dict[str, Any]:
    department = categories()[category]
    image = f"https://images.example.com/I/{product.asin[2:]}"
    price = dice.unit()
    return {
        "main_category": department.display if dice.chance(0.9) else None,
        "title": product.title,
        "average_rating": dice.between(20, 50) / 10,
        "rating_number": dice.between(1, 9000),
        "features": [text for text in product.clean_features if text],
        "description": [text for text in product.clean_description if text],
        "price": None if price < 0.3 else f"from {product.cents / 100}" if price < 0.33 else product.cents / 100,
        "images": [{"thumb": f"{image}.t.jpg", "large": f"{image}.jpg", "variant": "MAIN", "hi_res": None}],
        "videos": [],
        "store": product.brand,
        "categories": [department.display, product.shelf, product.kind.name],
        "details": {"Brand": product.brand, **product.attributes} if dice.chance(0.8) else {},
        "parent_asin": product.asin,
        "bought_together": None,
    }
