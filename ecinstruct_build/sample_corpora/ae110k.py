"""AE-110K: triples of a title, an attribute and its value in the title, in one text file."""

from pathlib import Path

from ecinstruct_build.sample_corpora.draws import Dice
from ecinstruct_build.sample_corpora.ledger import Entry
from ecinstruct_build.sample_corpora.text_files import LineFile
from ecinstruct_build.sample_corpora.vocabulary import CATEGORIES
from ecinstruct_build.sample_corpora.world import World, shelf_products

SOURCE = "ae110k"
FILE = "publish_data.txt"
CATEGORY = CATEGORIES.index("Sports_and_Outdoors")

_TAKEN, _ABSENT, _BROKEN = 0.7, 0.3, 0.01


def write(world: World, folder: Path) -> tuple[dict[str, int], list[Entry]]:
    """Write the file; returns its lines, and what was planted."""
    entries: list[Entry] = []
    seen: set[str] = set()
    with LineFile(folder / FILE) as lines:
        for shelf in range(world.shelves):
            dice = Dice(world.seed, "triples", str(shelf))
            for product in shelf_products(world, CATEGORY, shelf):
                title = _title(product.title, dice)
                if not dice.chance(_TAKEN) or title in seen:
                    continue
                seen.add(title)
                for name, value in (*product.attributes.items(), ("Brand Name", product.brand)):
                    if value not in title and not dice.chance(_ABSENT):
                        continue
                    line = f"{title}\x01 {name}\x01{value if value in title else 'NULL'}"
                    if dice.chance(_BROKEN):
                        line = line.rpartition("\x01")[0]
                        entry = Entry("malformed_line", SOURCE, FILE, lines.lines + 1, (), reason="truncated")
                        entries.append(entry)
                    lines.write([line.encode()])
        return {FILE: lines.lines}, entries


def _title(title: str, dice: Dice) -> str:
    """Return a title as sellers write it who want to be found."""
    before, after = (
        dice.pick(("New", "Hot Sale", "2019 New", "High Quality")),
        dice.pick(("Outdoor", "Gym", "Men Women")),
    )
    return f"{before} {title} {after}"
