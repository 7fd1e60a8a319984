"""What a record is by a reading of its own: json, ast and csv, and a small check of types written for tests alone.

A verdict is True for a record that is surely well-formed, False for one that surely is not, and None where it takes a
closer reading to tell: a test then asks for no more than that the record is accounted for.
"""

import ast
import csv
import io
import json
import math
import re
import warnings
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from msgspec import inspect as described

from ecinstruct_build.source import FileKind

Verdict = bool | None

_WHOLE = re.compile(r"-?(?:0|[1-9][0-9]{0,17})")
_DECIMAL = re.compile(r"-?(?:0|[1-9][0-9]{0,17})(?:\.[0-9]{1,9})?")
_TIMES = {"timestamp", "sortTimestamp"}  # of a review that may have either, one must be there
_SURROGATE = re.compile("[\ud800-\udfff]")


class Pairs(list[tuple[str, Any]]):
    """A JSON object as it is written: its fields in order, duplicates too."""


class Doubtful(Exception):  # noqa: N818 - no error: it ends a reading
    """A reading that could go either way."""


def all_of(verdicts: Iterable[Verdict]) -> Verdict:
    """Return whether all hold, as far as that is sure."""
    found = list(verdicts)
    return False if False in found else None if None in found else True


def line_verdict(kind: FileKind, line: bytes) -> Verdict:
    """Judge a line that is not blank of a file of JSON lines or Python literals."""
    info = described.type_info(kind.record)
    try:
        value = _json(line) if kind.format == "jsonl" else _literal(line, kind.encoding)
    except (Doubtful, RecursionError, MemoryError):
        return None
    except (ValueError, SyntaxError, TypeError):
        return False
    return fits(info, value, kind.format)


def row_verdict(kind: FileKind, columns: Sequence[str], cells: Sequence[str]) -> Verdict:
    """Judge a row of a CSV: an empty cell is one that is not there."""
    if len(cells) != len(columns):
        return False
    if any(map(_SURROGATE.search, cells)):
        return None
    named = Pairs((name, cell) for name, cell in zip(columns, cells, strict=True) if cell)
    return fits(described.type_info(kind.record), named, "csv")


def csv_rows(text: str, delimiter: str) -> list[tuple[int, list[str]]]:
    """Return the rows of a CSV without broken quotes, each with the line where it starts; blank lines are none."""
    rows, start = [], 1
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    for cells in reader:
        if cells:
            rows.append((start, cells))
        start = reader.line_num + 1
    return rows


def fits(info: Any, value: Any, form: str) -> Verdict:
    """Judge whether a value is of a declared type, as `msgspec.inspect.type_info` describes it.

    Parameters
    ----------
    info, value
        The type, and the value; JSON objects are `Pairs`.
    form
        The file's format: cells of a CSV are text, whatever they mean.
    """
    match info:
        case described.StructType():
            return _struct(info, value, form)
        case described.UnionType():
            found = [fits(one, value, form) for one in info.types]
            return True if True in found else None if None in found else False
        case described.ListType() | described.TupleType():
            return _array(info, value, form)
        case described.DictType():
            pairs = _pairs(value)
            if pairs is None:
                return False
            keys = [fits(info.key_type, key, form) for key, _ in pairs]
            return all_of([*keys, *(fits(info.value_type, one, form) for _, one in pairs)])
        case described.AnyType():
            return True if _plain(value) else None
    return _scalar_cell(info, value) if form == "csv" else _scalar(info, value, form)


def _array(info: Any, value: Any, form: str) -> Verdict:
    if form == "csv" or isinstance(value, tuple | set | frozenset):
        return None
    if not isinstance(value, list) or isinstance(value, Pairs):
        return False
    if isinstance(info, described.ListType):
        return all_of(fits(info.item_type, one, form) for one in value)
    if len(value) != len(info.item_types):
        return False
    return all_of(fits(one, each, form) for one, each in zip(info.item_types, value, strict=True))


def _struct(info: described.StructType, value: Any, form: str) -> Verdict:
    pairs = _pairs(value)
    if pairs is None:
        return False
    given: dict[str, list[Any]] = {}
    for name, one in pairs:
        given.setdefault(name, []).append(one)
    timely = dict(given)
    found: list[Verdict] = []
    for field in info.fields:
        values = given.pop(field.encode_name, [])
        if not values:
            found.append(not field.required)
            continue
        *earlier, last = (fits(field.type, one, form) for one in values)
        # The last of several counts; a reader may look at the others, too.
        found += [last, *(True if one else None for one in earlier)]
    names = {field.encode_name for field in info.fields}
    if names >= _TIMES and not any(one is not None for name in _TIMES for one in timely.get(name, ())):
        found.append(False)
    found += [True if _plain(one) else None for values in given.values() for one in values]
    return all_of(found)


def _pairs(value: Any) -> list[tuple[Any, Any]] | None:
    if isinstance(value, Pairs):
        return value
    return list(value.items()) if isinstance(value, Mapping) else None


def _scalar(info: Any, value: Any, form: str) -> Verdict:
    match info:
        case described.NoneType():
            return value is None
        case described.BoolType():
            return isinstance(value, bool)
        case described.LiteralType():
            if isinstance(value, float):
                return None
            return any(type(value) is type(one) and value == one for one in info.values)
        case described.StrType():
            return _text(info, value, form) if isinstance(value, str) else None if isinstance(value, bytes) else False
        case described.IntType() | described.FloatType():
            return _number(info, value, form)
    raise ValueError(f"no test knows what {info} is")


def _number(info: Any, value: Any, form: str) -> Verdict:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None if value is not None and not isinstance(value, bool | str | bytes | list | dict | tuple) else False
    if isinstance(value, float) and (isinstance(info, described.IntType) or not math.isfinite(value)):
        return False if not math.isfinite(value) and form == "jsonl" else None
    low, high = info.ge, info.le
    if (low is not None and value < low) or (high is not None and value > high):
        return False
    return True if abs(value) < 2**31 or (low is not None and high is not None) else None


def _text(info: Any, text: str, form: str) -> Verdict:
    if _SURROGATE.search(text):
        return False if form == "jsonl" else None
    if len(text) < (info.min_length or 0):
        return False
    if info.min_length and info.pattern is None and text.isspace():
        return None  # a closer look at the record tells whether an id may be blank
    match info.pattern:
        case r"^\S+\Z":
            return bool(text) and not any(letter.isspace() for letter in text)
        case r"\S":
            return bool(text.strip())
        case _:
            return info.pattern is None or re.search(info.pattern, text) is not None


def _scalar_cell(info: Any, value: Any) -> Verdict:
    """Judge a cell of a CSV: numbers are written in digits, and there are no nulls but empty cells."""
    if not isinstance(value, str):
        return False
    match info:
        case described.NoneType():
            return None if value.lower() in {"null", "none"} else False
        case described.StrType():
            return _text(info, value, "csv")
        case described.IntType() | described.FloatType():
            pattern = _WHOLE if isinstance(info, described.IntType) else _DECIMAL
            if pattern.fullmatch(value):
                return _number(info, float(value) if "." in value else int(value), "csv")
            return None if any(letter.isdigit() for letter in value) else False
        case described.LiteralType() if all(isinstance(one, int) for one in info.values):
            if _WHOLE.fullmatch(value):
                return int(value) in info.values
            return None if any(letter.isdigit() for letter in value) else False
        case described.LiteralType():
            return value in info.values
        case described.BoolType():
            return True if value in {"true", "false"} else None
    return None


def _plain(value: Any) -> bool:
    """Say whether a value that nothing reads is one that every reader can skip."""
    waiting = [value]  # in place of calls within calls: nesting may be deeper than these may go
    while waiting:
        match one := waiting.pop():
            case Pairs():
                waiting += [part for pair in one for part in pair]
            case list():
                waiting += one
            case dict():
                waiting += [*one, *one.values()]
            case _ if not _plain_scalar(one):
                return False
    return True


def _plain_scalar(value: Any) -> bool:
    match value:
        case str():
            return not _SURROGATE.search(value)
        case bool() | None:
            return True
        case int():
            return abs(value) < 2**53
        case float():
            return math.isfinite(value)
    return False


def _json(line: bytes) -> Any:
    """Read strictly what RFC 8259 calls JSON, which is UTF-8."""

    def refuse(word: str) -> Any:
        raise ValueError(word)

    def whole(digits: str) -> int:
        if len(digits) > 4000:
            raise Doubtful
        return int(digits)

    return json.loads(line.decode(), parse_constant=refuse, parse_int=whole, object_pairs_hook=Pairs)


def _literal(line: bytes, encoding: str) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return ast.literal_eval(line.decode(encoding))
        except ValueError as error:
            if "Exceeds the limit" in str(error):
                raise Doubtful from error
            raise
