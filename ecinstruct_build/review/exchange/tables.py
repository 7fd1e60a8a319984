"""A sample as rows of a sheet: its columns, cells that are safe to open, and rows that came back."""

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path

from ecinstruct_build.errors import UserError, did_you_mean
from ecinstruct_build.review.exchange.cells import CELL_LIMIT, TEXTS, defused, shortened, texts_of, visible
from ecinstruct_build.review.exchange.guidelines import guideline_book
from ecinstruct_build.review.exchange.matching import Returned
from ecinstruct_build.review.sample import ReviewItem, ReviewSample

COLUMNS = (
    "number",
    "row digest",
    "sample id",
    "task",
    "split",
    "instruction",
    "input",
    "options",
    "output",
    "verdict",
    "note",
    "annotator",
)
"""Columns of a sheet, in order; an example that is shown first (1-shot settings) adds `SHOWN_FIRST`."""

SHOWN_FIRST = "shown first"
NEEDED = ("number", "row digest", "sample id", "verdict")
"""Columns that must come back."""

_HEADER_ROWS = 20  # of a sheet among whose first rows the names of the columns are looked for
_DIGEST, _SAMPLE = "row:", "sample:"  # digests with it in front look like no number, which a spreadsheet would round


def header_of(items: Sequence[ReviewItem]) -> tuple[str, ...]:
    """Return the columns of the sheet of some items."""
    shown = any(item.content.get("few_shot_example") for item in items)
    place = COLUMNS.index("input")
    return (*COLUMNS[:place], SHOWN_FIRST, *COLUMNS[place:]) if shown else COLUMNS


def cells_of(item: ReviewItem, sample: ReviewSample, annotator: str) -> dict[str, str]:
    """Return an item's cells by column, unshortened; control characters, which sheets refuse, are made visible."""
    cells = {
        "number": str(item.number),
        "row digest": _DIGEST + item.row,
        "sample id": _SAMPLE + sample.sample_id,
        "task": item.task,
        "split": item.split,
        **texts_of(item),
        "verdict": "",
        "note": "",
        "annotator": annotator,
    }
    return {column: visible(cell) for column, cell in cells.items()}


def pieces(text: str) -> list[str]:
    """Return a text in pieces that cells take, whatever its characters are."""
    size = CELL_LIMIT // 2
    return [text[begin : begin + size] for begin in range(0, len(text), size)]


def write_csv(sample: ReviewSample, items: Sequence[ReviewItem], annotator: str, path: Path) -> None:
    """Write a sheet as CSV (UTF-8 with a byte order mark, which spreadsheets ask for), and the guideline beside it.

    No cell begins as a formula does, nor does a piece of it that a spreadsheet would take for a cell where it splits at
    semicolons: an apostrophe stands before such a sign.
    """
    header = header_of(items)
    with path.open("w", encoding="utf-8-sig", newline="") as stream:
        writer = csv.writer(stream, quoting=csv.QUOTE_ALL)
        writer.writerow(header)
        for item in items:
            cells = cells_of(item, sample, annotator)
            where = f"on the page of 'ecinstruct browse' for {item.example_id}"
            writer.writerow([shortened(defused(cells[column]), where) for column in header])


def write_guideline(items: Sequence[ReviewItem], path: Path) -> None:
    """Write the guideline of some items' tasks as a page of Markdown."""
    path.write_text(guideline_book(sorted({item.task for item in items})), encoding="utf-8", newline="\n")


def read_csv(path: Path) -> list[Returned]:
    """Read a CSV file as spreadsheets write it back: with commas, semicolons or tabs, any line ends, any column order.

    Raises
    ------
    UserError
        If it is no such file or lacks a column.
    """
    text = _decoded(path)
    first = next((line for line in text.splitlines() if line.strip()), "")
    if first.lower().startswith("sep=") and len(first.strip()) == 5:
        text = text[text.index(first) + len(first) :].lstrip("\r\n")
    delimiter = max(",;\t", key=lambda sign: _header_width(text, sign))
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=False))
    except csv.Error as error:
        raise UserError(f"The file {path.name} cannot be read as CSV: {error}. Save it as CSV again.") from error
    return returned_of(rows, path.name)


def returned_of(rows: Sequence[Sequence[str]], origin: str) -> list[Returned]:
    """Return what the rows of a sheet say, under the names of the columns; empty rows are passed over.

    Raises
    ------
    UserError
        If there is nothing in it, or a column that is needed is not there or is there twice.
    """
    header: Mapping[str, int] | None = None
    seen: list[str] = []
    found = []
    for line, row in enumerate(rows, start=1):
        if not any(cell.strip() for cell in row):
            continue
        if header is None:
            names = [cell.strip().casefold() for cell in row]
            if not seen or len(set(NEEDED) & set(names)) > len(set(NEEDED) & set(seen)):
                seen = names
            if set(NEEDED) <= set(names):
                header = _columns(names, origin)
            elif line >= _HEADER_ROWS:
                break
        else:
            found.append(_returned(f"row {line}", {name: row[at] for name, at in header.items() if at < len(row)}))
    if header is None:
        raise UserError(_headless(seen, origin))
    return found


def _columns(names: Sequence[str], origin: str) -> dict[str, int]:
    twice = [name for name in (*NEEDED, "note", "annotator") if names.count(name) > 1]
    if twice:
        raise UserError(f"The file {origin} has the column '{twice[0]}' more than once. Nothing was taken in.")
    return {name: names.index(name) for name in (*NEEDED, "note", "annotator", *TEXTS) if name in names}


def _headless(seen: Sequence[str], origin: str) -> str:
    if not seen:
        return f"The file {origin} is empty. Nothing was taken in."
    missing = [name for name in NEEDED if name not in seen]
    named = ", ".join(f"'{name}'" for name in missing)
    hint = did_you_mean(missing[0], [name for name in seen if name and name not in COLUMNS])
    return (
        f"The file {origin} lacks the column{'s' * (len(missing) > 1)} {named}, so it cannot be told which items its "
        f"verdicts are about.{hint} Nothing was taken in."
    )


def _returned(place: str, cells: Mapping[str, str]) -> Returned:
    annotator = cells.get("annotator", "").strip()
    return Returned(
        place=place,
        sample_id=cells.get("sample id", "").strip().removeprefix(_SAMPLE),
        number=cells.get("number", "").strip(),
        row=cells.get("row digest", "").strip().removeprefix(_DIGEST),
        verdict=cells.get("verdict", ""),
        note=cells.get("note", ""),
        texts={name: cell for name, cell in cells.items() if name in TEXTS},
        annotator=annotator[1:] if annotator.startswith("'") and defused(annotator[1:]) == annotator else annotator,
    )


def _decoded(path: Path) -> str:
    data = path.read_bytes()
    encoding = "utf-16" if data.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        raise UserError(
            f"The file {path.name} is not in UTF-8, so its notes cannot be read for certain. Save it as "
            "'CSV UTF-8' (or as xlsx) and import that."
        ) from error


def _header_width(text: str, delimiter: str) -> int:
    """Return how many of the needed columns the first rows name if cells end at a sign."""
    rows = csv.reader(io.StringIO(text[:10_000], newline=""), delimiter=delimiter)
    try:
        heads = [{cell.strip().casefold() for cell in row} for row, _ in zip(rows, range(_HEADER_ROWS), strict=False)]
    except csv.Error:
        return 0
    return max((len(head & set(COLUMNS)) for head in heads), default=0)
