"""OA-Mine: titles of one department with every value marked, and the texts of the same products."""

import json
from pathlib import Path
from typing import Any

from ecinstruct_build.sample_corpora.draws import Dice
from ecinstruct_build.sample_corpora.ledger import Entry
from ecinstruct_build.sample_corpora.products import Product
from ecinstruct_build.sample_corpora.text_files import LineFile
from ecinstruct_build.sample_corpora.vocabulary import CATEGORIES
from ecinstruct_build.sample_corpora.world import World, shelf_products

SOURCE = "oa_mine"
CATEGORY = CATEGORIES.index("Home_and_Kitchen")

_ANNOTATED = 0.6
_BROKEN_LINE = 25  # of every file that has so many


def write(world: World, folder: Path) -> tuple[dict[str, int], list[Entry]]:
    """Write annotations and texts, a file of each for every shelf; returns lines by file, and what was planted."""
    counts: dict[str, int] = {}
    entries: list[Entry] = []
    for shelf in range(world.shelves):
        dice = Dice(world.seed, "marked titles", str(shelf))
        products = shelf_products(world, CATEGORY, shelf)
        name = f"{_file_name(products[0].shelf)}_{shelf}.jsonl"
        with LineFile(folder / "annotations" / name) as marked, LineFile(folder / "raw" / name) as texts:
            for product in products:
                if dice.chance(_ANNOTATED):
                    line = json.dumps(_annotation(product)).encode()
                    if marked.lines + 1 == _BROKEN_LINE:
                        line = line[: len(line) // 2]
                        place = (SOURCE, f"annotations/{name}", marked.lines + 1, (product.asin,))
                        entries.append(Entry("malformed_line", *place, reason="truncated"))
                    marked.write([line])
                texts.write([json.dumps(_text(product)).encode()])
            counts |= {f"annotations/{name}": marked.lines, f"raw/{name}": texts.lines}
    return counts, entries


def _annotation(product: Product) -> dict[str, Any]:
    values = {"Brand": product.brand, "Item Type": product.kind.name, **product.attributes}
    entities = []
    for label, value in values.items():
        start = product.title.find(value)
        if start >= 0:
            entities.append({"startOffset": start, "endOffset": start + len(value), "label": label, "value": value})
    return {"asin": product.asin, "title": product.title, "entities": entities}


def _text(product: Product) -> dict[str, Any]:
    return {
        "asin": product.asin,
        "title": product.title,
        "bullet_point": [text for text in product.clean_features if text],
        "description": " ".join(text for text in product.clean_description if text),
    }


def _file_name(shelf: str) -> str:
    return shelf.lower().replace(" & ", "_").replace(" ", "_")
