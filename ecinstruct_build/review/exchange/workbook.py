"""A sample as an Excel workbook: items with a drop-down for the verdict, the guideline, texts too long for a cell."""

import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import ParseError

from openpyxl import Workbook, load_workbook
from openpyxl.cell import Cell
from openpyxl.styles import Alignment, Font
from openpyxl.utils import get_column_letter
from openpyxl.utils.exceptions import InvalidFileException
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from ecinstruct_build.errors import UserError
from ecinstruct_build.review.exchange.cells import escaped, shortened
from ecinstruct_build.review.exchange.guidelines import guideline_book
from ecinstruct_build.review.exchange.matching import Returned
from ecinstruct_build.review.exchange.tables import NEEDED, cells_of, header_of, pieces, returned_of
from ecinstruct_build.review.sample import ReviewItem, ReviewSample
from ecinstruct_build.review.verdicts import VERDICTS

ITEMS, GUIDELINE, LONG = "items", "guideline", "long texts"
"""The sheets."""

_WIDTHS = {"instruction": 40, "input": 60, "options": 40, "output": 40, "verdict": 20, "note": 40}
_NARROW = 14
_WRAPPED = Alignment(wrap_text=True, vertical="top")
_UNPACKED = 512 * 2**20  # bytes that a workbook may unpack to
_MOST_ROWS = 2**20  # as many as a spreadsheet has; a file may claim any number
_MOST_COLUMNS = 64  # that are read: a row with one cell far to the right would be filled up to there


def write_xlsx(sample: ReviewSample, items: Sequence[ReviewItem], annotator: str, path: Path) -> None:
    """Write the workbook; every cell is text, whatever it begins with."""
    book = Workbook()
    sheet = book.active
    assert isinstance(sheet, Worksheet)  # noqa: S101 - a new workbook has one
    sheet.title = ITEMS
    header = header_of(items)
    rows = [cells_of(item, sample, annotator) for item in items]
    _put_row(sheet, 1, header)
    for line, cells in enumerate(rows, start=2):
        _put_row(sheet, line, [shortened(escaped(cells[column]), f"in the sheet '{LONG}'") for column in header])
        sheet.cell(line, 1).value = int(cells["number"])
    _dress(sheet, header, len(rows))
    _put_guideline(book.create_sheet(GUIDELINE), items)
    _put_long_texts(book, rows)
    book.save(path)


def read_xlsx(path: Path) -> list[Returned]:
    """Read a workbook that came back: the sheet that has the columns of a sample.

    Raises
    ------
    UserError
        If it is no workbook, unpacks to more than half a gibibyte, or has no such sheet.
    """
    try:
        with zipfile.ZipFile(path) as packed:
            if sum(part.file_size for part in packed.infolist()) > _UNPACKED:
                raise UserError(f"The file {path.name} unpacks to more than {_UNPACKED // 2**20} MiB; it is not read.")
        book = load_workbook(path, read_only=True)
        try:
            sheets: list[list[list[str]]] = [list(_rows(sheet)) for sheet in book.worksheets]
        finally:
            book.close()
    except (
        zipfile.BadZipFile, InvalidFileException, ParseError, KeyError, ValueError, TypeError, AttributeError, OSError,
        EOFError, IndexError, NotImplementedError, zlib.error,
    ) as error:  # fmt: skip
        raise UserError(
            f"The file {path.name} is no Excel workbook, or a damaged one. Save it as xlsx again, or import a CSV file."
        ) from error
    return returned_of(max(sheets, key=_likeness, default=()), path.name)


def _rows(sheet: Any) -> Iterator[list[str]]:
    if not hasattr(sheet, "reset_dimensions"):  # a sheet of charts
        return
    sheet.reset_dimensions()  # what the file says of its size may be wrong
    wide: Iterator[Sequence[Any]] = sheet.iter_rows(max_col=_MOST_COLUMNS, values_only=True)
    blank: list[str] = []
    for row in islice(wide, _MOST_ROWS):
        yield blank if row.count(None) == len(row) else ["" if value is None else str(value) for value in row]


def _likeness(rows: Sequence[Sequence[str]]) -> int:
    """Return how many of the needed columns the first rows of a sheet name."""
    heads = ({cell.strip().casefold() for cell in row} for row in rows[:20])
    return max((len(head & set(NEEDED)) for head in heads), default=0) * 10 + bool(rows)


def _put_row(sheet: Worksheet, line: int, texts: Sequence[str]) -> None:
    for place, text in enumerate(texts, start=1):
        if text:
            cell = sheet.cell(line, place)
            assert isinstance(cell, Cell)  # noqa: S101 - nothing is merged
            _put(cell, text)


def _put(cell: Cell, text: str) -> None:
    """Put text into a cell so that it is none but text, also after somebody edits it."""
    cell.value = text
    cell.data_type = "s"
    cell.alignment = _WRAPPED
    if text[0] in "=+-@":
        cell.quotePrefix = True


def _dress(sheet: Worksheet, header: Sequence[str], rows: int) -> None:
    """Give the sheet its drop-down, widths and a header that stays in sight."""
    for place, column in enumerate(header, start=1):
        sheet.column_dimensions[get_column_letter(place)].width = _WIDTHS.get(column, _NARROW)
        sheet.cell(1, place).font = Font(bold=True)
    sheet.freeze_panes = "B2"
    letter = get_column_letter(header.index("verdict") + 1)
    choice = DataValidation(
        type="list",
        formula1=f'"{",".join(one.label for one in VERDICTS)}"',
        allow_blank=True,
        showErrorMessage=True,
        errorTitle="Verdict",
        error="Choose one of the verdicts of the list; the sheet 'guideline' says what they mean.",
    )
    choice.add(f"{letter}2:{letter}{rows + 1}")
    sheet.add_data_validation(choice)


def _put_guideline(sheet: Worksheet, items: Sequence[ReviewItem]) -> None:
    sheet.column_dimensions["A"].width = 110
    for line, text in enumerate(guideline_book(sorted({item.task for item in items})).splitlines(), start=1):
        _put_row(sheet, line, [text])


def _put_long_texts(book: Workbook, rows: Sequence[Mapping[str, str]]) -> None:
    """Add a sheet with the whole of every text that was cut, in pieces that cells take."""
    long = [
        (cells["number"], column, escaped(piece))
        for cells in rows
        for column, text in cells.items()
        if shortened(escaped(text), "") != escaped(text)
        for piece in pieces(text)
    ]
    if not long:
        return
    sheet = book.create_sheet(LONG)
    sheet.column_dimensions["C"].width = 110
    for line, texts in enumerate([("item", "column", "text, in pieces from top to bottom"), *long], start=1):
        _put_row(sheet, line, texts)
