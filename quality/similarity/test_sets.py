"""Read test sets that people name by path: JSON lines (plain or gzip) and Parquet, one row at a time.

Whatever columns a test set has, what counts is its strings, however deep in lists and objects they stand. Published
sets of instructions lay out several texts in one string, as JSON (``{"query": "steel kettle", ...}``) or in lines
(``Query: steel kettle``, ``1. Halden kettle``): those texts count as strings of the row too, without their labels.
"""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
from isal import igzip, isal_zlib

from ecinstruct_build.errors import UserError

_LINES = (".jsonl", ".jsonl.gz", ".ndjson", ".ndjson.gz")
_PARQUET = (".parquet",)
_NAMED_ONLY = (".json", ".json.gz")  # read where a file is named, since folders hold other things of that ending
_LONGEST_LINE = 64 << 20
_BATCH_ROWS = 1024
_LAID_OUT = 2  # labels before a text, as in "1. Query: kettle"
# A bullet, a number or letter of a list, or a few words and a colon.
_LABEL = re.compile(r"\s{0,20}(?:[-*\u2022]\s|\(?(?:\d{1,4}|[A-Za-z])[.):](?=\s|$)|[^\W_][\w #()/-]{0,39}:(?=\s|$))")
_OPEN_GZIP: Any = igzip.IGzipFile
_GZIP_ERRORS: Any = (OSError, EOFError, igzip.BadGzipFile, isal_zlib.error)


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a test set.

    Attributes
    ----------
    file
        Its file, relative to the folder that the named file or folder is in.
    place
        ``line 12`` or ``row 12``, counted from 1.
    texts
        Its strings, and after each the texts that are laid out within it.
    """

    file: str
    place: str
    texts: Sequence[str]


def test_files(paths: Sequence[Path]) -> list[Path]:
    """Return the files that paths name, those in folders included, sorted, each once.

    Raises
    ------
    UserError
        If a path is not there, is a file of another kind, or a folder without a file to read.
    """
    return sorted({file for path in paths for file in _expanded(path)})


def read_rows(paths: Sequence[Path], columns: Sequence[str] = ()) -> Iterator[Row]:
    """Yield the rows of test sets, file after file, never holding more than a line or a batch of rows.

    Parameters
    ----------
    paths
        Files and folders.
    columns
        The columns to read; none means every column.

    Raises
    ------
    UserError
        As `test_files` does, and if a file cannot be read, a line is not JSON, or a file has none of the columns.
    """
    names = {file: file.relative_to(path.parent).as_posix() for path in paths for file in _expanded(path)}
    for file in test_files(paths):
        rows = _parquet_rows(file, columns) if file.name.endswith(_PARQUET) else _json_rows(file, columns)
        seen = False
        for place, values in rows:
            seen = seen or values is not None
            yield Row(names[file], place, list(_texts(values)))
        if columns and not seen:
            raise UserError(f"The test set {file} has no column called {' or '.join(map(repr, columns))}.")


def _expanded(path: Path) -> list[Path]:
    if path.is_dir():
        files = [file for file in path.rglob("*") if file.is_file() and file.name.endswith((*_LINES, *_PARQUET))]
        if not files:
            raise UserError(f"The folder {path}, named as a test set, holds no JSONL or Parquet file.")
        return files
    if not path.is_file():
        raise UserError(f"The test set {path} does not exist.")
    if not path.name.endswith((*_LINES, *_PARQUET, *_NAMED_ONLY)):
        raise UserError(f"The test set {path} is neither JSONL (.jsonl, .jsonl.gz) nor Parquet (.parquet).")
    return [path]


def _json_rows(file: Path, columns: Sequence[str]) -> Iterator[tuple[str, Any]]:
    for number, line in enumerate(_lines(file), start=1):
        if line.strip():
            yield f"line {number}", _selected(_decoded(line, file, number), columns)


def _lines(file: Path) -> Iterator[bytes]:
    opened: IO[bytes]
    try:
        opened = _OPEN_GZIP(file) if file.suffix == ".gz" else file.open("rb")
        with opened as stream:
            while line := stream.readline(_LONGEST_LINE):
                if len(line) == _LONGEST_LINE:
                    raise UserError(f"The test set {file} has a line of more than {_LONGEST_LINE >> 20} MiB.")
                yield line
    except _GZIP_ERRORS as error:
        raise UserError(f"The test set {file} cannot be read: {error}") from error


def _decoded(line: bytes, file: Path, number: int) -> Any:
    try:
        return msgspec.json.decode(line)
    except (msgspec.DecodeError, ValueError, RecursionError):
        pass
    try:
        return json.loads(line.rstrip())  # which takes NaN and a byte order mark, as many tools write them
    except json.JSONDecodeError as error:
        place = f"line {number}, column {error.pos + 1}"
        raise UserError(f"The test set {file} is not JSON lines: {place}: {error.msg}.") from error
    except (ValueError, RecursionError) as error:
        raise UserError(f"The test set {file} is not JSON lines: line {number}: {error}") from error


def _parquet_rows(file: Path, columns: Sequence[str]) -> Iterator[tuple[str, Any]]:
    try:
        with pq.ParquetFile(file) as parquet:
            schema = parquet.schema_arrow
            wanted = [
                field.name for field in schema if (not columns or field.name in columns) and _has_text(field.type)
            ]
            if columns and not wanted:
                return
            number = 0
            for batch in parquet.iter_batches(_BATCH_ROWS, columns=wanted):
                for values in batch.to_pylist():
                    number += 1
                    yield f"row {number}", values
    except (OSError, pa.ArrowException) as error:
        raise UserError(f"The test set {file} cannot be read: {error}") from error


def _has_text(kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind):
        return _has_text(kind.value_type)
    if pa.types.is_nested(kind):
        return any(_has_text(kind.field(number).type) for number in range(kind.num_fields))
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def _selected(value: Any, columns: Sequence[str]) -> Any:
    """Return the columns of a row that are to be read, or None if it has none of them."""
    if not columns:
        return value
    if not isinstance(value, dict):
        return None
    return {name: value[name] for name in columns if name in value} or None


def _texts(value: Any) -> Iterator[str]:
    """Yield the strings in a JSON value, each followed by the texts laid out within it, be it JSON within JSON."""
    pending = [value]
    while pending:
        for text in _strings(pending.pop()):
            yield text
            inner = _embedded(text)
            if inner is None:
                yield from _laid_out(text)
            else:
                pending.append(inner)


def _embedded(text: str) -> Any:
    """Return the JSON object, list or string that a text is, or None."""
    if text.lstrip()[:1] not in ("{", "[", '"'):
        return None
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, ValueError, RecursionError):
        return None


def _laid_out(text: str) -> Iterator[str]:
    """Yield the texts that labels lead in, with and without the lines that follow, and lines without a label."""
    lines = text.splitlines()
    part: list[str] = []
    for line in lines:
        values = _values(line)
        if values:
            yield from _joined(part)
            part = []
        part.append(values[-1] if values else line)
        yield from values or (lines[1:] and [line])
    yield from _joined(part)


def _joined(lines: Sequence[str]) -> Sequence[str]:
    return [" ".join(lines)] if len(lines) > 1 else []


def _values(line: str) -> list[str]:
    """Return what follows the first label of a line, and what follows the next; nothing if it has none."""
    values: list[str] = []
    end = 0
    while len(values) < _LAID_OUT and (label := _LABEL.match(line, end)):
        end = label.end()
        values.append(line[end:])
    return values


def _strings(value: Any) -> Iterator[str]:
    """Yield the strings in a JSON value, in order; not by recursion, since a line may nest as deep as it likes."""
    pending = [value]
    while pending:
        one = pending.pop()
        if isinstance(one, str):
            yield one
        elif isinstance(one, dict):
            pending.extend(reversed(one.values()))
        elif isinstance(one, list | tuple):
            pending.extend(reversed(one))
