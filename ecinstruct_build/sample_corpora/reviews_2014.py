"""Amazon Review Data 2014: one category's 5-core reviews and metadata, written as Python literals.

It tells of the same shelves as 2018 (one namespace of ids), in earlier years and by earlier shoppers.
"""

from json.encoder import encode_basestring_ascii as quoted
from pathlib import Path
from typing import Any

from ecinstruct_build.sample_corpora import planting
from ecinstruct_build.sample_corpora.draws import Dice, stream
from ecinstruct_build.sample_corpora.ledger import Entry, Place
from ecinstruct_build.sample_corpora.products import Product
from ecinstruct_build.sample_corpora.prose import DRAWS, Speaker
from ecinstruct_build.sample_corpora.relations import Links, shelf_links
from ecinstruct_build.sample_corpora.shoppers import DAY, purchases, written_day
from ecinstruct_build.sample_corpora.text_files import LineFile
from ecinstruct_build.sample_corpora.vocabulary import CATEGORIES, categories
from ecinstruct_build.sample_corpora.world import World, shelf_products, user_id

SOURCE = "amazon_reviews_2014"
CATEGORY = CATEGORIES.index("Home_and_Kitchen")

_SHARE = 0.5  # reviews for each review of 2018 in the same category
_DAYS = (13_880, 15_330)  # 2008-01-02, 2011-12-22
_EARLIER_USERS = 50_000  # numbers of shoppers who were gone by 2012
_REPEATED, _BROKEN = 0.01, 0.004


def write_reviews(world: World, folder: Path) -> tuple[dict[str, int], list[Entry]]:
    """Write ``reviews_<C>_5.json.gz``; returns lines by file name, and what was planted."""
    file = f"reviews_{CATEGORIES[CATEGORY]}_5.json.gz"
    entries: list[Entry] = []
    with LineFile(folder / file) as lines:
        for block in range(world.blocks):
            written, planted = _review_block(world, block, file, lines.lines)
            lines.write(written)
            entries += planted
        return {file: lines.lines}, entries


def write_metadata(world: World, folder: Path) -> tuple[dict[str, int], list[Entry]]:
    """Write ``meta_<C>.json.gz``; returns lines by file name, and what was planted."""
    file = f"meta_{CATEGORIES[CATEGORY]}.json.gz"
    entries: list[Entry] = []
    with LineFile(folder / file) as lines:
        for shelf in range(world.shelves):
            dice = Dice(world.seed, "metadata 2014", str(shelf))
            written = []
            pages = zip(shelf_products(world, CATEGORY, shelf), shelf_links(world, CATEGORY, shelf), strict=True)
            for place, (product, links) in enumerate(pages):
                record = _record(product, links, dice)
                line = repr(record).encode("utf-8")
                if dice.chance(_BROKEN):
                    reason = dice.pick(("truncated", "missing_id"))
                    key = f"'asin': '{product.asin}', ".encode()
                    line = planting.break_line(line, reason, number=b"", key=key, text=b"")
                    entries.append(
                        Entry("malformed_line", SOURCE, file, lines.lines + place + 1, (product.asin,), reason=reason)
                    )
                written.append(line)
            lines.write(written)
        return {file: lines.lines}, entries


def _review_block(world: World, block: int, file: str, before: int) -> tuple[list[bytes], list[Entry]]:
    total = max(1, int(world.block_reviews(block) * _SHARE))
    bought = purchases(world, CATEGORY, block, total=total, purpose="2014", days=_DAYS)
    random = stream(world.seed, "review words 2014", str(block))
    draws, extras = random.random((total, DRAWS)).tolist(), random.random((total, 4)).tolist()
    speakers = [Speaker(product, is_particular=world.is_broad) for product in bought.shelves]
    lines, repeated, entries = [], [], []
    rows = zip(
        bought.user.tolist(),
        bought.product.tolist(),
        bought.stars.tolist(),
        bought.day.tolist(),
        draws,
        extras,
        strict=True,
    )
    for row, (user, product, stars, day, draw, extra) in enumerate(rows):
        text, summary = speakers[product].write(stars, draw)
        reviewer, item = user_id(world, CATEGORY, block, _EARLIER_USERS + user), bought.shelves[product].asin
        total_votes = int(extra[0] * 30) if extra[0] < 0.4 else 0
        lines.append(
            f'{{"reviewerID": "{reviewer}", "asin": "{item}", "reviewerName": "Customer {user + 1}", '
            f'"helpful": [{int(total_votes * extra[1])}, {total_votes}], "reviewText": {quoted(text)}, '
            f'"overall": {stars}.0, "summary": {quoted(summary)}, "unixReviewTime": {day * DAY}, '
            f'"reviewTime": "{written_day(day)}"}}'.encode("ascii")
        )
        if extra[2] < _REPEATED:
            repeated.append((row, (item, reviewer, str(day * DAY))))
    for number, (row, ids) in enumerate(repeated):
        lines.append(lines[row])
        where = before + total + number + 1
        entries.append(Entry("exact_duplicate_line", SOURCE, file, where, ids, Place(file, before + row + 1, ids)))
    return lines, entries


def _record(product: Product, links: Links, dice: Dice) -> dict[str, Any]:
    department = categories()[CATEGORY]
    record: dict[str, Any] = {"asin": product.asin}
    if product.description:
        record["description"] = " ".join(text for text in product.clean_description if text)
    if not dice.chance(0.02):
        record["title"] = product.title
    if not dice.chance(0.05):
        record["price"] = product.cents / 100
    record["imUrl"] = f"http://images.example.com/I/{product.asin[2:]}._SX300_.jpg"
    related = {
        "also_bought": links.also_buy,
        "also_viewed": links.also_view,
        "bought_together": links.also_buy[:2],
        "buy_after_viewing": links.also_view[:3],
    }
    if named := {kind: others for kind, others in related.items() if others}:
        record["related"] = named
    record["salesRank"] = {department.display: dice.between(20, 900_000)}
    if dice.chance(0.6):
        record["brand"] = product.brand
    record["categories"] = [
        [department.display, product.shelf, product.kind.name],
        [department.display, "Kitchen & Dining", product.kind.name],
    ]
    return record
