"""Columns that a recipe names and lets a file lack, and that no record of it has: as a rule they are misspelt."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec
import pyarrow.parquet as pq

from ecinstruct_build.errors import did_you_mean
from ecinstruct_build.ingesting.headers import plain_name
from ecinstruct_build.ingesting.lines import split_lines
from ecinstruct_build.ingesting.readers import Limits, read_blocks, read_header
from ecinstruct_build.source import FileKind

_LINES = 10_000  # that are looked at, so that a large file is not read twice over
_PRESENT = 1_000  # names to seek the nearest among; ids may be the keys of objects, and are no names


def unseen_columns(path: Path, kind: FileKind) -> dict[str, str]:
    """Return the optional columns that a file seems not to have, each with `did_you_mean` of those that it has.

    Of JSON the first 10,000 records are asked, until each column has been met: as a rule the first few.
    """
    unseen = dict.fromkeys(kind.optional)
    present: dict[str, None] = {}
    for names in _names(path, kind) if unseen else ():
        for name in names:
            unseen.pop(name, None)
            if len(present) < _PRESENT:
                present[name] = None
        if not unseen:
            break
    near = list(map(plain_name, present))
    return {column: did_you_mean(column, near) for column in unseen}


def _names(path: Path, kind: FileKind) -> Iterator[Iterable[str]]:
    """Yield the names of the columns of a table, or of each JSON record in turn."""
    if kind.format == "parquet":
        yield pq.read_schema(path).names
        return
    if kind.format == "csv":
        yield read_header(path, kind)
        return
    lines = (line for block in read_blocks(path, kind, Limits()) for line in split_lines(block.data))
    for line in islice(lines, _LINES):
        try:
            yield _paths(msgspec.json.decode(line), "")
        except (ValueError, RecursionError):
            continue  # it is quarantined


def _paths(value: Any, above: str) -> Iterator[str]:
    """Yield the names of what stands in an object, those of nested ones joined by dots."""
    if isinstance(value, list):
        for one in value:
            yield from _paths(one, above)
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            yield f"{above}{name}"
            yield from _paths(inner, f"{above}{name}.")
