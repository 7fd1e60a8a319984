"""The texts of an item as cells of a sheet: safe to open, cut where they must be, recognised when they come back."""

import re
import unicodedata
from collections.abc import Mapping

from ecinstruct_build.review.sample import ReviewItem

CELL_LIMIT = 32_767
"""Characters (UTF-16 code units) that a spreadsheet takes in a cell."""

TEXTS = {
    "shown first": "few_shot_example",
    "instruction": "instruction",
    "input": "input",
    "options": "options",
    "output": "output",
}
"""Columns that hold the text of an item, and which text."""

_SIGNS = r"[=+\-@\uff0b\uff0d\uff1d\uff20]"
_FORMULA = re.compile(rf"^(?=[\t\r\n])|(^|[;\t\r\n])(?={_SIGNS})")
_DEFUSED = re.compile(rf"(^|[;\s])'+(?={_SIGNS})|^'+")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")
_ESCAPE = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")  # how a workbook's XML writes characters by number
_ESCAPED = re.compile(r"_(?:x005F_)+", re.IGNORECASE)
_LINE_END = re.compile(r"_x000[AD]_", re.IGNORECASE)
# What a spreadsheet that opens a CSV file takes for a number, an amount, a date or a time, and writes its own way.
_MONTHS = "jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec"
_REWRITTEN = re.compile(rf"(?=\D*\d)(?:[\d\s.,:;/%+()$\u20ac\u00a3-]|e|am|pm|{_MONTHS}){{1,40}}", re.IGNORECASE)
_NUMBER = re.compile(r"[\d\s.,%+$\u20ac\u00a3-]*")


def texts_of(item: ReviewItem) -> dict[str, str]:
    """Return an item's texts by column, unshortened; control characters, which sheets refuse, are made visible."""
    return {column: visible(item.content.get(name, "")) for column, name in TEXTS.items()}


def visible(text: str) -> str:
    """Return a text with a visible sign for each control character but tabs and line ends."""
    return _CONTROL.sub(_picture, text)


def defused(text: str) -> str:
    """Return a text with an apostrophe wherever a spreadsheet would see the beginning of a formula."""
    return _FORMULA.sub(r"\1'", text)


def escaped(text: str) -> str:
    """Return a text of which nothing is taken for a character's number in a workbook."""
    return _ESCAPE.sub("_x005F_", text)


def shortened(text: str, where: str) -> str:
    """Return a text that fits into a cell, cut where it must be with a mark that says where the whole stands."""
    size = len(text.encode("utf-16-le")) // 2
    if size <= CELL_LIMIT:
        return text
    mark = f" [... cut here: {len(text):,} characters in all; the whole text is {where}]"
    room = CELL_LIMIT - len(mark.encode("utf-16-le")) // 2
    return text.encode("utf-16-le")[: 2 * room].decode("utf-16-le", "ignore") + mark


def altered(cells: Mapping[str, str], item: ReviewItem) -> str | None:
    """Return the first column whose text is another than the item's, or None.

    What spreadsheets change by themselves does not count (line ends, blanks, how numbers and dates are written), nor do
    the signs that `defused` and `escaped` put in, columns that are missing or empty, and texts too long for a cell.
    """
    for column, text in texts_of(item).items():
        cell = cells.get(column, "")
        if not cell.strip() or cell == text or any(shortened(put(text), "") != put(text) for put in (defused, escaped)):
            continue
        found, own = _core(cell), _core(text)
        if found != own and not _is_rewritten(found, own):
            return column
    return None


def _core(text: str) -> str:
    """Return what is left of a text without anything that a spreadsheet may change."""
    plain = _LINE_END.sub("\n", _ESCAPED.sub("_", unicodedata.normalize("NFC", text)))
    return " ".join(_DEFUSED.sub(r"\1", plain.strip()).split()).casefold()


def _is_rewritten(found: str, own: str) -> bool:
    """Tell whether a cell may be what a spreadsheet made of a number or a date; numbers must have the same digits."""
    if _NUMBER.fullmatch(found) and _NUMBER.fullmatch(own):
        return _digits(found) == _digits(own)
    return bool(_REWRITTEN.fullmatch(found) and _REWRITTEN.fullmatch(own))


def _digits(number: str) -> str:
    return "".join(filter(str.isdigit, number)).strip("0")


def _picture(match: re.Match[str]) -> str:
    code = ord(match[0])
    return chr(0x2400 + code) if code < 0x20 else "\N{REPLACEMENT CHARACTER}"
