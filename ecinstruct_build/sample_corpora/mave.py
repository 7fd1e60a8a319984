"""MAVE: attribute values with the spans of text that show them, as labels of 2018 products and as whole records.

Spans count in the paragraphs that MAVE's cleaning leaves of a product's metadata: title, description, feature, price,
brand, in that order, tags and scripts removed, blanks collapsed, links and style sheets dropped.
"""

from pathlib import Path
from typing import Any

import msgspec

from ecinstruct_build.sample_corpora import planting
from ecinstruct_build.sample_corpora.draws import Dice
from ecinstruct_build.sample_corpora.ledger import REASONS, Entry
from ecinstruct_build.sample_corpora.metadata_2018 import broken_title
from ecinstruct_build.sample_corpora.text_files import LineFile
from ecinstruct_build.sample_corpora.vocabulary import CATEGORIES, attributes
from ecinstruct_build.sample_corpora.world import CSS_PRICE, Product, World, shelf_products

SOURCE = "mave"
LABELS = "splits/PRODUCT/train/00_All"
"""Folder of the files that hold labels only."""
RECORDS = "splits/PRODUCT/eval/00_All"
"""Folder of the files whose records carry their paragraphs."""

_POSITIVE, _NEGATIVE = 0.34, 0.9  # shares of stated and of unstated attributes that were labelled
_WITH_TEXT = 0.2
_BROKEN = 0.003
_UNJOINABLE = 0.008


def write(world: World, folder: Path) -> tuple[dict[str, int], list[Entry]]:
    """Write positives and negatives in both forms; returns lines by file name, and what was planted."""
    entries: list[Entry] = []
    counts = {}
    for form in (LABELS, RECORDS):
        for sign in ("positives", "negatives"):
            file = f"{form}/mave_{sign}.jsonl"
            with LineFile(folder / file) as lines:
                for category in range(len(CATEGORIES)):
                    for shelf in range(world.shelves):
                        _shelf(world, category, shelf, file, lines, entries)
                counts[file] = lines.lines
    return counts, entries


def paragraphs(product: Product) -> list[dict[str, str]]:
    """Return what MAVE's cleaning leaves of a product's metadata."""
    price = "" if product.price == CSS_PRICE else product.price.strip()
    fields = [
        ("title", [product.title]),
        ("description", product.clean_description),
        ("feature", product.clean_features),
        ("price", [price]),
        ("brand", [product.brand]),
    ]
    return [{"text": text, "source": source} for source, texts in fields for text in texts if text]


def _shelf(world: World, category: int, shelf: int, file: str, lines: LineFile, entries: list[Entry]) -> None:
    with_text, positive = file.startswith(RECORDS), "positives" in file
    dice = Dice(world.seed, f"mave {file}", f"{category}/{shelf}")
    written: list[bytes] = []
    for product in shelf_products(world, category, shelf):
        chosen = Dice(world.seed, "mave form", product.asin).chance(_WITH_TEXT)
        # A product whose title is lost has no text to count in.
        if chosen != with_text or broken_title(world, product):
            continue
        text = paragraphs(product)
        for name, evidences in _labels(world, product, text, positive=positive):
            record: dict[str, Any] = {"id": product.asin, "category": f"{product.kind.name}s".replace("ss", "s")}
            if with_text:
                record["paragraphs"] = text
            record["attributes"] = [{"key": name, "evidences": evidences}]
            line = lines.lines + len(written) + 1
            written.append(_maybe_spoiled(record, with_text, dice, file, line, entries))
    lines.write(written)


def _labels(
    world: World, product: Product, text: list[dict[str, str]], *, positive: bool
) -> list[tuple[str, list[dict[str, Any]]]]:
    dice = Dice(world.seed, "mave labels", f"{product.asin}/{positive}")
    found = []
    for name, value in product.attributes.items():
        if (name in product.stated) != positive:
            continue
        labelled = dice.chance(_POSITIVE if positive else _NEGATIVE)
        evidences = _evidences(text, value)
        if positive and evidences and labelled:
            found.append((name, evidences))
        elif not positive and labelled and not _mentions_any(text, name, product):
            found.append((name, []))
    return found


def _evidences(text: list[dict[str, str]], value: str) -> list[dict[str, Any]]:
    evidences = []
    for number, paragraph in enumerate(text):
        begin = paragraph["text"].find(value)
        if begin >= 0 and paragraph["source"] != "price":
            evidences.append({"value": value, "pid": number, "begin": begin, "end": begin + len(value)})
    return evidences


def _mentions_any(text: list[dict[str, str]], name: str, product: Product) -> bool:
    """Return whether any value that the attribute may take stands in the text, which would make "absent" false."""
    whole = " ".join(paragraph["text"] for paragraph in text).lower()
    values = {*product.kind.attributes[name], *attributes()[name]["values"]}
    return any(value.lower() in whole for value in values)


def _maybe_spoiled(
    record: dict[str, Any], with_text: bool, dice: Dice, file: str, line: int, entries: list[Entry]
) -> bytes:
    asin, draw = record["id"], dice.unit()
    if draw < _BROKEN:
        reason = dice.pick(REASONS[:3])
        entries.append(Entry("malformed_line", SOURCE, file, line, (asin,), reason=reason))
        encoded = msgspec.json.encode(record)
        category = b'"category":' + msgspec.json.encode(record["category"])
        return planting.break_line(encoded, reason, number=category, key=f'"id":"{asin}",'.encode(), text=b"")
    if draw < _BROKEN + _UNJOINABLE and not with_text:
        record = {**record, "id": f"B9{asin[2:]}"}
        entries.append(Entry("unjoinable_label", SOURCE, file, line, (record["id"],), note="no such product"))
    return msgspec.json.encode(record)
