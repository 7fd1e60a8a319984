"""Abt-Buy: the listings of two shops with the pairs that match, and DeepMatcher's labelled pairs of the same."""

from collections.abc import Sequence
from pathlib import Path

from ecinstruct_build.sample_corpora.deepmatcher import write_folder
from ecinstruct_build.sample_corpora.ledger import Entry
from ecinstruct_build.sample_corpora.offers import Offer, Shops, open_shops
from ecinstruct_build.sample_corpora.text_files import LineFile
from ecinstruct_build.sample_corpora.vocabulary import CATEGORIES
from ecinstruct_build.sample_corpora.world import World

SOURCE = "abt_buy"
CATEGORY = CATEGORIES.index("Electronics")

_BROKEN_EVERY = 41
_ENCODING = "cp1252"


def write(world: World, folder: Path) -> tuple[dict[str, int], list[Entry]]:
    """Write the three files of the zip and the folder ``deepmatcher``; returns lines by file, and what was planted."""
    shops = open_shops(world, CATEGORY, SOURCE)
    counts, entries = write_folder(shops, folder, "deepmatcher/", SOURCE, described=True)
    counts["Abt.csv"], broken = _write_shop(folder / "Abt.csv", _abt(shops.left))
    entries += [Entry("malformed_line", SOURCE, "Abt.csv", line, (), reason="missing_id") for line in broken]
    counts["Buy.csv"], broken = _write_shop(folder / "Buy.csv", _buy(shops.right))
    entries += [Entry("malformed_line", SOURCE, "Buy.csv", line, (), reason="missing_id") for line in broken]
    counts["abt_buy_perfectMapping.csv"] = _write_mapping(folder / "abt_buy_perfectMapping.csv", shops)
    return counts, entries


def _write_shop(path: Path, rows: Sequence[str]) -> tuple[int, list[int]]:
    """Write a shop's table; now and then a line of no id comes in between."""
    broken = []
    with LineFile(path) as lines:
        for number, row in enumerate(rows):
            if number and number % _BROKEN_EVERY == 0:
                lines.write([b',"A listing that has lost its number",,' + b"," * rows[0].count(",manufacturer")])
                broken.append(lines.lines)
            lines.write([row.encode(_ENCODING)])
        return lines.lines, broken


def _abt(offers: Sequence[Offer]) -> list[str]:
    rows = ["id,name,description,price"]
    for offer in offers:
        price = f"${offer.cents / 100:,.2f}" if offer.number % 2 else ""
        price = f'"{price}"' if "," in price else price
        rows.append(f"{_abt_id(offer)},{_quoted(offer.title)},{_quoted(offer.description)},{price}")
    return rows


def _buy(offers: Sequence[Offer]) -> list[str]:
    rows = ["id,name,description,manufacturer,price"]
    for offer in offers:
        maker = offer.product.brand.upper()
        price = f"${offer.cents / 100:.2f}" if offer.number % 3 else ""
        texts = ",".join(map(_quoted, (offer.title, offer.description, maker)))
        rows.append(f"{_buy_id(offer)},{texts},{price}")
    return rows


def _write_mapping(path: Path, shops: Shops) -> int:
    with LineFile(path) as lines:
        lines.write([b'"idAbt","idBuy"'])
        matches = (pair for pair in shops.pairs if pair.is_match)
        lines.write(f'"{_abt_id(pair.left)}","{_buy_id(pair.right)}"'.encode() for pair in matches)
        return lines.lines


def _abt_id(offer: Offer) -> int:
    return 500 + 7 * offer.number


def _buy_id(offer: Offer) -> int:
    return 20_000_000 + 13 * offer.number


def _quoted(text: str) -> str:
    doubled = text.replace('"', '""')
    return f'"{doubled}"' if text else ""
