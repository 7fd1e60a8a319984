"""WDC Products: pairs of offers of many shops, as JSON lines of the crawl of 2020 and as titles in Ditto's form."""

import json
from pathlib import Path
from typing import Any

from ecinstruct_build.sample_corpora.ledger import Entry, Place
from ecinstruct_build.sample_corpora.offers import Offer, Pair, open_shops
from ecinstruct_build.sample_corpora.text_files import LineFile
from ecinstruct_build.sample_corpora.vocabulary import CATEGORIES
from ecinstruct_build.sample_corpora.world import World

SOURCE = "wdc_products"
OFFERS = "wdcproducts80cc20rnd000un_train_small.json.gz"
DITTO = "all/train.txt.small"

_DEPARTMENTS = {
    OFFERS: CATEGORIES.index("Sports_and_Outdoors"),
    DITTO: CATEGORIES.index("Tools_and_Home_Improvement"),
}
_BROKEN_EVERY = 61


def write(world: World, folder: Path) -> tuple[dict[str, int], list[Entry]]:
    """Write a file of each form; returns lines by file name, and what was planted."""
    counts: dict[str, int] = {}
    entries: list[Entry] = []
    for file, department in _DEPARTMENTS.items():
        pairs = open_shops(world, department, f"{SOURCE} {file}").pairs
        seen: dict[bytes, int] = {}  # Ditto's form knows listings by their titles, which variants may share
        with LineFile(folder / file) as lines:
            for number, pair in enumerate(pairs, 1):
                line, place = _offers(pair) if file == OFFERS else _serialised(pair), lines.lines + 1
                if number % _BROKEN_EVERY == 0:
                    line = line[: len(line) // 2]
                    entries.append(Entry("malformed_line", SOURCE, file, place, (), reason="truncated"))
                elif line in seen:
                    first = Place(file, seen[line], ())
                    entries.append(Entry("exact_duplicate_line", SOURCE, file, place, (), first))
                seen.setdefault(line, place)
                lines.write([line])
            counts[file] = lines.lines
    return counts, entries


def _offers(pair: Pair) -> bytes:
    record: dict[str, Any] = {}
    for side, offer, shop in (("left", pair.left, 0), ("right", pair.right, 1)):
        record |= {
            f"id_{side}": 2 * offer.number + shop,
            f"brand_{side}": offer.product.brand,
            f"title_{side}": offer.title,
            f"description_{side}": offer.description or None,
            f"price_{side}": f"{offer.cents / 100:.2f}",
            f"priceCurrency_{side}": ("USD", "GBP")[shop],
            f"cluster_id_{side}": _cluster(offer),
        }
    pair_id = f"{record['id_left']}#{record['id_right']}"
    record |= {"pair_id": pair_id, "label": int(pair.is_match), "is_hard_negative": not pair.is_match}
    return json.dumps(record).encode("ascii")


def _cluster(offer: Offer) -> int:
    """Return the number that the offers of one product share."""
    return int(offer.product.asin[2:], 36) % 100_000_000


def _serialised(pair: Pair) -> bytes:
    sides = (f'COL title VAL "{offer.title}"@en {offer.product.shelf} | Shop"@en' for offer in (pair.left, pair.right))
    return "\t".join([*sides, str(int(pair.is_match))]).encode()
