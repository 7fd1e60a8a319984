"""What a source is: a corpus's card, its files, and how a record of each becomes canonical rows.

A source lives in one file of ``sources/`` as a module-level ``SOURCE``. It says *what* records look like;
`ecinstruct_build.ingesting.ingest` does the reading, the quarantine and the counting.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import pyarrow as pa

from ecinstruct_build.tables import repeated

Format = Literal["jsonl", "python", "csv", "parquet"]
"""JSON lines; lines of Python literals; CSV; Parquet. The first three may be gzipped (``.gz``)."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Decoded records of one file, with their place in it.

    Attributes
    ----------
    source, file
        Adapter name; file path relative to the corpus's folder, with ``/``.
    groups
        Named groups of the file kind's pattern, such as ``category``.
    records
        Instances of the file kind's ``record`` struct.
    lines
        The 1-based line of each record.
    """

    source: str
    file: str
    groups: Mapping[str, str]
    records: Sequence[Any]
    lines: Sequence[int]

    def origin(self, count: int | None = None) -> dict[str, Any]:
        """Return the origin columns for one row a record."""
        rows = len(self.records) if count is None else count
        return {"source": repeated(self.source, rows), "file": repeated(self.file, rows), "line": self.lines}

    def origin_of(self, rows: Sequence[int]) -> dict[str, Any]:
        """Return the origin columns where row i came from record ``rows[i]`` (several rows a record)."""
        return {
            "source": repeated(self.source, len(rows)),
            "file": repeated(self.file, len(rows)),
            "line": [self.lines[row] for row in rows],
        }


@dataclass(frozen=True)
class FileKind:
    """One kind of upstream file.

    Attributes
    ----------
    pattern
        Regular expression that a file's path, relative to the corpus's folder, matches in full.
    format
        How records stand in the file.
    record
        A `msgspec.Struct` type. A record that does not convert to it is quarantined with msgspec's reason.
    tables
        The canonical tables that `convert` fills.
    convert
        Turns a batch into canonical rows, by table name. It must not fail on any record that ``record`` admits.
    encoding
        Text encoding (CSV, Python literals).
    columns
        Column names of a headerless CSV; empty = the first row names them.
    example
        An upstream file name, for people.
    """

    pattern: str
    format: Format
    record: type
    tables: tuple[str, ...]
    convert: Callable[[Batch], Mapping[str, pa.Table]]
    example: str
    encoding: str = "utf-8"
    columns: tuple[str, ...] = ()

    def match(self, file: str) -> Mapping[str, str] | None:
        """Return the named groups if ``file`` is of this kind, else None."""
        found = re.fullmatch(self.pattern, file)
        return {key: value or "" for key, value in found.groupdict().items()} if found else None


@dataclass(frozen=True)
class Source:
    """A corpus: its card and its kinds of file.

    Attributes
    ----------
    name, title, summary
        Adapter name (the module's), full name, one sentence.
    homepage, licence, citation
        Where it lives, its terms as stated upstream, how to cite it.
    redistributable
        Whether the licence lets its text be published again.
    files
        Its kinds of file; a path is of the first kind that matches it.
    """

    name: str
    title: str
    summary: str
    homepage: str
    licence: str
    redistributable: bool
    citation: str
    files: tuple[FileKind, ...]

    @property
    def tables(self) -> tuple[str, ...]:
        """The canonical tables that its files fill, sorted."""
        return tuple(sorted({table for kind in self.files for table in kind.tables}))

    def kind_of(self, file: str) -> tuple[FileKind, Mapping[str, str]] | None:
        """Return the kind of ``file`` with the pattern's groups, or None for a file that is none of ours."""
        for kind in self.files:
            groups = kind.match(file)
            if groups is not None:
                return kind, groups
        return None
