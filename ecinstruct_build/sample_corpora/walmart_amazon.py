"""Walmart-Amazon: the listings of two shops and labelled pairs of them, in DeepMatcher's form."""

from pathlib import Path

from ecinstruct_build.sample_corpora.deepmatcher import write_folder
from ecinstruct_build.sample_corpora.ledger import Entry
from ecinstruct_build.sample_corpora.offers import open_shops
from ecinstruct_build.sample_corpora.vocabulary import CATEGORIES
from ecinstruct_build.sample_corpora.world import World

SOURCE = "walmart_amazon"
CATEGORY = CATEGORIES.index("Home_and_Kitchen")


def write(world: World, folder: Path) -> tuple[dict[str, int], list[Entry]]:
    """Write the five files; returns lines by file name, and what was planted."""
    return write_folder(open_shops(world, CATEGORY, SOURCE), folder, "", SOURCE, described=False)
