"""Read the cells of a catalogue's record as what the recipe says that they are.

A cell that is not what it should be makes the record inadmissible; the reason names the column and never the value.
"""

import json
import math
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from functools import cache, lru_cache
from typing import Any

from ecinstruct_build.ingesting.catalogue_columns import (
    AMAZON_NAMESPACE,
    JSON_CELL,
    FlagColumn,
    IdColumn,
    IdsColumn,
    ListColumn,
    RatingColumn,
    TimeColumn,
)
from ecinstruct_build.ingesting.fields import asin_key
from ecinstruct_build.source import Inadmissible

_LACKING: Any = object()
_EXACT = 2.0**53  # whole numbers from here on may not be what was written
_LARGEST = 2**31 - 1
_NUMBER_CHARACTERS = 40
_COMPACT_DATE = re.compile(r"\d{8}")
_COMMA = re.compile(r"-?\d+,\d+")
_EPOCH_UNITS = ((10**17, 10**9), (10**14, 10**6), (10**11, 10**3), (10**8, 1))  # from which number on, units a second


@dataclass(frozen=True, slots=True)
class Cells:
    """A record and how its cells are read.

    Attributes
    ----------
    record
        Values by column.
    namespace
        What product ids are prefixed with, where a column says nothing else.
    empty
        Cells that count as empty.
    demanded
        Columns that the record must have, if only as null.
    """

    record: Mapping[str, Any]
    namespace: str
    empty: Collection[str]
    demanded: Collection[str]

    def holds(self, columns: Sequence[str]) -> bool:
        """Say whether any of some columns is not empty."""
        return any(self.value(column) is not None for column in columns)

    def value(self, column: str) -> Any:
        """Return what stands in a column, or None for an empty cell; dots lead into nested objects."""
        found = self.record.get(column, _LACKING)
        if found is _LACKING and "." in column:
            found = _inside(self.record, _path(column))
        if found is _LACKING:
            if column in self.demanded:
                raise Inadmissible(f"there is no {column} in it")
            return None
        if isinstance(found, str):
            bare = found.strip()
            return None if not bare or bare in self.empty else found
        return None if isinstance(found, float) and math.isnan(found) else found

    def text(self, column: str) -> str | None:
        """Return a text as it is; a number as one writes it."""
        found = self.value(column) if column else None
        return None if found is None else _text(found, column)

    def texts(self, column: ListColumn | None) -> list[str]:
        """Return the texts of a list that are not blank."""
        return self.texts_of(column.column, column.separator) if column else []

    def texts_of(self, column: str, separator: str = "") -> list[str]:
        """Return the texts that are not blank of a column; without a separator a text is one."""
        found = self.value(column)
        if isinstance(found, str) and separator == JSON_CELL:
            try:
                found = json.loads(found)
            except (ValueError, RecursionError):
                raise Inadmissible(f"{column} is not a JSON list") from None
        elif isinstance(found, str) and separator:
            found = [part.strip() for part in found.split(separator)]
        if found is None:
            return []
        parts = found if isinstance(found, list | tuple) else [found]
        return [text for part in _flat(parts) for text in self._listed(part, column)]

    def _listed(self, part: Any, column: str) -> Iterator[str]:
        text = None if part is None else _text(part, column)
        if text is not None and text.strip() and text.strip() not in self.empty:
            yield text

    def key(self, column: IdColumn) -> str | None:
        """Return a product's key."""
        found = self.value(column.column)
        return None if found is None else self._key(_text(found, column.column), column.namespace)

    def required_key(self, column: IdColumn) -> str:
        """Return a product's key, without which the record cannot be used."""
        return str(self.required(self.key(column), column.column))

    def keys(self, column: IdsColumn) -> list[str]:
        """Return the products' keys of a list, each once."""
        texts = self.texts(column)
        return list(dict.fromkeys(self._key(text, column.namespace) for text in texts))

    def path(self, column: IdsColumn) -> list[str]:
        """Return the products' keys of a list in order, repeated ones too."""
        return [self._key(text, column.namespace) for text in self.texts(column)]

    def _key(self, text: str, namespace: str | None) -> str:
        namespace = namespace or self.namespace
        return asin_key(text) if namespace == AMAZON_NAMESPACE else f"{namespace}:{' '.join(text.split())}"

    @staticmethod
    def required(value: Any, column: str) -> Any:
        """Return a value that may not be empty."""
        if value is None:
            raise Inadmissible(f"{column} is empty")
        return value

    def rating(self, column: RatingColumn) -> float:
        """Return stars, 1 to 5."""
        found = self.value(column.column)
        known = found is None or isinstance(found, str | int | float | Decimal)
        stars = _stars(str(found), column.worst, column.best) if known and not isinstance(found, bool) else None
        if stars is None:
            raise Inadmissible(f"{column.column} is not a number from {column.worst:g} to {column.best:g}")
        return stars

    def count(self, column: str) -> int | None:
        """Return a number of votes."""
        value = self.value(column) if column else None
        found = _number(value)
        if value is not None and (found is None or found.denominator != 1 or not 0 <= found <= _LARGEST):
            raise Inadmissible(f"{column} is not a number of votes")
        return None if found is None else int(found)

    def flag(self, column: FlagColumn) -> bool | None:
        """Return whether a cell says yes."""
        found = self.value(column.column)
        if found is None or isinstance(found, bool):
            return found
        word = _text(found, column.column).strip().casefold()
        for answer, words in ((True, column.yes), (False, column.no)):
            if word in map(str.casefold, words):
                return answer
        raise Inadmissible(f"{column.column} is neither {' or '.join(column.yes)} nor {' or '.join(column.no)}")

    def word(self, column: str, words: Mapping[str, str]) -> str | None:
        """Return what a word stands for, whatever its case."""
        text = self.text(column)
        if text is None:
            return None
        wanted = text.strip().casefold()
        for word, meaning in words.items():
            if word.casefold() == wanted:
                return meaning
        raise Inadmissible(f"{column} is none of: {', '.join(sorted(words))}")

    def seconds(self, column: TimeColumn) -> int | None:
        """Return a time in seconds since 1970, UTC."""
        found = self.value(column.column)
        if found is None:
            return None
        try:
            return _seconds(found, column.format)
        except (ValueError, OverflowError, InvalidOperation):
            how = f"written as {column.format}" if column.format else "ISO 8601 or a number since 1970"
            raise Inadmissible(f"{column.column} is not a time, {how}") from None


@cache
def _path(column: str) -> tuple[str, ...]:
    return tuple(column.split("."))


def _inside(value: Any, path: Sequence[str]) -> Any:
    """Return what a path leads to; through a list of objects, what it leads to in each."""
    for step, name in enumerate(path):
        if isinstance(value, list | tuple):
            inner = [_inside(one, path[step:]) for one in value]
            return [one for one in inner if one is not _LACKING]
        if value is None:
            return None
        if not isinstance(value, Mapping) or name not in value:
            return _LACKING
        value = value[name]
    return value


def _flat(parts: Sequence[Any]) -> Iterator[Any]:
    """Yield what stands in a list, or in lists right inside it."""
    for part in parts:
        if isinstance(part, list | tuple):
            yield from part
        else:
            yield part


def _text(value: Any, column: str) -> str:  # noqa: PLR0911 - one for each type
    """Return a scalar as text; whole numbers without a point."""
    match value:
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case int() | Decimal():
            return str(value)
        case float() if value.is_integer():
            if abs(value) >= _EXACT:
                raise Inadmissible(f"{column} is too large a number to be exact; write it as text")
            return str(int(value))
        case float():
            return repr(value)
        case date() | time():
            return value.isoformat()
        case bytes():
            return _decoded(value, column)
        case _:
            raise Inadmissible(f"{column} holds a list or an object, not a text")


def _decoded(value: bytes, column: str) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        raise Inadmissible(f"{column} holds bytes that are no UTF-8 text") from None


def _number(value: Any) -> Fraction | None:
    """Return a number, from text too (with a decimal comma if need be), or None."""
    if isinstance(value, bool) or value is None:
        return None
    try:
        if isinstance(value, str):
            bare = value.strip()
            if len(bare) > _NUMBER_CHARACTERS:
                return None
            found = Decimal(bare.replace(",", ".") if _COMMA.fullmatch(bare) else bare)
        else:
            found = Decimal(str(value))
    except (InvalidOperation, ValueError):
        return None
    return Fraction(found) if found.is_finite() and abs(found.adjusted()) <= _NUMBER_CHARACTERS else None


@lru_cache(maxsize=4096)
def _stars(text: str, worst: float, best: float) -> float | None:
    """Return stars, 1 to 5, or None if the text is no number of the scale; few marks recur in millions of reviews."""
    found, low, high = _number(text), Fraction(str(worst)), Fraction(str(best))
    if found is None or not low <= found <= high:
        return None
    if low == 1 and high == 5:
        return float(found)
    return float(min(5, 1 + math.floor((found - low) * 5 / (high - low))))


def _seconds(value: Any, form: str) -> int:
    if isinstance(value, datetime):
        return _since_1970(value)
    if isinstance(value, date):
        return _since_1970(datetime(value.year, value.month, value.day, tzinfo=UTC))
    text = str(value).strip()
    if form:
        return _since_1970(datetime.strptime(text, form))  # noqa: DTZ007 - a time without an offset is UTC
    found = None if _COMPACT_DATE.fullmatch(text) else _number(value)
    if found is None:
        return _since_1970(datetime.fromisoformat(text))
    for limit, units in _EPOCH_UNITS:
        if abs(found) >= limit:
            return _since_1970(datetime.fromtimestamp(math.floor(found / units), UTC))
    raise ValueError("too small a number to be a time")


def _since_1970(moment: datetime) -> int:
    return math.floor((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
