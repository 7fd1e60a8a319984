"""MAVE: attribute values with the spans of text that show them, as labels of 2018 products and as whole records.

Spans count in the paragraphs that MAVE's cleaning leaves of a product's metadata: title, description, feature, price,
brand, in that order, tags and scripts removed, blanks collapsed, links and style sheets dropped.
"""

from contextlib import ExitStack
from pathlib import Path
from typing import Any

import msgspec

from ecinstruct_build.sample_corpora import planting
from ecinstruct_build.sample_corpora.draws import Dice
from ecinstruct_build.sample_corpora.ledger import Entry
from ecinstruct_build.sample_corpora.products import CSS_PRICE, Product
from ecinstruct_build.sample_corpora.text_files import LineFile
from ecinstruct_build.sample_corpora.vocabulary import CATEGORIES, attributes
from ecinstruct_build.sample_corpora.world import World, shelf_products

SOURCE = "mave"
LABELS = "splits/PRODUCT/train/00_All"
"""Folder of the files that hold labels only."""
RECORDS = "splits/PRODUCT/eval/00_All"
"""Folder of the files whose records carry their paragraphs."""

_POSITIVE, _NEGATIVE = 0.42, 0.9  # shares of stated and of unstated attributes that were labelled
_WITH_TEXT = 0.2
_BROKEN, _UNJOINABLE = 0.003, 0.008
_BREAKS = ("truncated", "wrong_type", "missing_id")


def write(world: World, folder: Path) -> tuple[dict[str, int], list[Entry]]:
    """Write positives and negatives in both forms; returns lines by file name, and what was planted."""
    names = [f"{form}/mave_{sign}.jsonl" for form in (LABELS, RECORDS) for sign in ("positives", "negatives")]
    entries: list[Entry] = []
    with ExitStack() as stack:
        files = {name: stack.enter_context(LineFile(folder / name)) for name in names}
        for category in range(len(CATEGORIES)):
            for shelf in range(world.shelves):
                dice = Dice(world.seed, "mave", f"{category}/{shelf}")
                for product in shelf_products(world, category, shelf):
                    entries += _label(product, files, dice)
        return {name: file.lines for name, file in files.items()}, entries


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


def _label(product: Product, files: dict[str, LineFile], dice: Dice) -> list[Entry]:
    """Write the labels of a product's attributes, one a record."""
    form = RECORDS if dice.chance(_WITH_TEXT) else LABELS
    if product.lost_title:
        return []  # MAVE drops products without a title; labels of those with a placeholder are not made
    text = paragraphs(product)
    entries: list[Entry] = []
    for name, value in product.attributes.items():
        stated = name in product.stated
        evidences = _evidences(text, value)
        plain = bool(evidences) if stated else not _mentions_any(text, name, product)
        if not (dice.chance(_POSITIVE if stated else _NEGATIVE) and plain):
            continue
        record: dict[str, Any] = {"id": product.asin, "category": f"{product.kind.name}s".replace("ss", "s")}
        if form == RECORDS:
            record["paragraphs"] = text
        record["attributes"] = [{"key": name, "evidences": evidences if stated else []}]
        file = f"{form}/mave_{'positives' if stated else 'negatives'}.jsonl"
        line, planted = _maybe_spoiled(record, dice, file, files[file].lines + 1)
        files[file].write([line])
        entries += planted
    return entries


def _evidences(text: list[dict[str, str]], value: str) -> list[dict[str, Any]]:
    """Return the first place in each paragraph where ``value`` stands."""
    evidences = []
    for number, paragraph in enumerate(text):
        begin = paragraph["text"].find(value)
        if begin >= 0 and paragraph["source"] != "price":
            evidences.append({"value": value, "pid": number, "begin": begin, "end": begin + len(value)})
    return evidences


def _mentions_any(text: list[dict[str, str]], name: str, product: Product) -> bool:
    """Return whether any value that the attribute may take stands in the text, which would make "absent" false."""
    whole = " ".join(paragraph["text"] for paragraph in text).lower()
    values = (*product.kind.attributes[name], *attributes()[name]["values"])
    return any(value.lower() in whole for value in values)


def _maybe_spoiled(record: dict[str, Any], dice: Dice, file: str, line: int) -> tuple[bytes, list[Entry]]:
    asin, draw = record["id"], dice.unit()
    if draw < _BROKEN:
        reason = dice.pick(_BREAKS)
        broken = planting.break_line(
            msgspec.json.encode(record),
            reason,
            number=b'"category":' + msgspec.json.encode(record["category"]),
            key=f'"id":"{asin}",'.encode(),
            text=b"",
        )
        return broken, [Entry("malformed_line", SOURCE, file, line, (asin,), reason=reason)]
    if draw < _BROKEN + _UNJOINABLE and "paragraphs" not in record:
        stranger = f"B9{asin[2:]}"
        entry = Entry("unjoinable_label", SOURCE, file, line, (stranger,), note="no such product")
        return msgspec.json.encode({**record, "id": stranger}), [entry]
    return msgspec.json.encode(record), []
