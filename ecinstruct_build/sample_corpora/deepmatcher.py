"""Folders in DeepMatcher's form: two tables of listings in small letters, and labelled pairs in three files."""

import re
from collections.abc import Sequence
from pathlib import Path

from ecinstruct_build.sample_corpora.ledger import Entry
from ecinstruct_build.sample_corpora.offers import Offer, Pair, Shops, open_shops
from ecinstruct_build.sample_corpora.text_files import LineFile
from ecinstruct_build.sample_corpora.vocabulary import CATEGORIES
from ecinstruct_build.sample_corpora.world import World

SOURCE = "deepmatcher"
FOLDER = "Structured/Phone-Parts/"
CATEGORY = CATEGORIES.index("Cell_Phones_and_Accessories")

_SPLITS = (("train", 0.6), ("valid", 0.2), ("test", 0.2))
_BROKEN_EVERY = 61


def write(world: World, folder: Path) -> tuple[dict[str, int], list[Entry]]:
    """Write one data set; returns lines by file name, and what was planted."""
    shops = open_shops(world, CATEGORY, SOURCE)
    return write_folder(shops, folder, FOLDER, SOURCE, described=False)


def write_folder(
    shops: Shops, folder: Path, place: str, source: str, *, described: bool
) -> tuple[dict[str, int], list[Entry]]:
    """Write ``tableA.csv``, ``tableB.csv``, ``train.csv``, ``valid.csv`` and ``test.csv``.

    Parameters
    ----------
    place
        The data set's folder within ``folder``, with its last ``/``.
    described
        Whether the tables have descriptions, as textual data sets do; others have category, brand and model number.

    Returns
    -------
    dict, list
        Lines by file name within ``folder``, and what was planted.
    """
    counts: dict[str, int] = {}
    for table, offers in (("tableA", shops.left), ("tableB", shops.right)):
        file = f"{place}{table}.csv"
        counts[file] = _write_table(folder / file, offers, described=described)
    entries: list[Entry] = []
    start = 0.0
    for split, share in _SPLITS:
        file = f"{place}{split}.csv"
        pairs = shops.pairs[int(start * len(shops.pairs)) : int((start + share) * len(shops.pairs) + 1e-6)]
        counts[file], broken = _write_pairs(folder / file, pairs)
        entries += [Entry("malformed_line", source, file, line, (), reason="wrong_type") for line in broken]
        start += share
    return counts, entries


def _write_table(path: Path, offers: Sequence[Offer], *, described: bool) -> int:
    columns = "id,name,description,price" if described else "id,title,category,brand,modelno,price"
    with LineFile(path) as lines:
        lines.write([columns.encode()])
        for offer in offers:
            texts = [offer.title, offer.description]
            if not described:
                texts = [offer.title, offer.product.shelf, offer.product.brand, offer.product.model]
            price = str(offer.cents / 100) if offer.number % 4 else ""
            lines.write([",".join([str(offer.number), *map(_plain, texts), price]).encode()])
        return lines.lines


def _write_pairs(path: Path, pairs: Sequence[Pair]) -> tuple[int, list[int]]:
    """Write labelled pairs; now and then a line with a label that is none comes in between."""
    broken = []
    with LineFile(path) as lines:
        lines.write([b"ltable_id,rtable_id,label"])
        for number, pair in enumerate(pairs, 1):
            if number % _BROKEN_EVERY == 0:
                lines.write([f"{pair.left.number},{pair.right.number},maybe".encode()])
                broken.append(lines.lines)
            lines.write([f"{pair.left.number},{pair.right.number},{int(pair.is_match)}".encode()])
        return lines.lines, broken


def _plain(text: str) -> str:
    """Return a text as DeepMatcher's tables have it: in small letters, without commas and quotes."""
    return re.sub(r"\s+", " ", re.sub(r"[,\"'()]", " ", text)).strip().lower()
