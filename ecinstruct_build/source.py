"""What a source is: a corpus's card, its files, and how a record of each becomes canonical rows.

A source lives in one file of ``sources/`` as a module-level ``SOURCE``. It says *what* records look like;
`ecinstruct_build.ingesting.ingest` does the reading, the quarantine and the counting.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_origin

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pydantic import BaseModel, ConfigDict

from ecinstruct_build.tables import repeated

Format = Literal["jsonl", "python", "csv", "lines", "parquet"]
"""JSON lines; lines of Python literals; CSV; lines of text; Parquet. All but the last may be gzipped (``.gz``)."""

EVERYTHING = "*"
"""The glob that takes every file of a source (``*`` crosses folders)."""


class Inadmissible(ValueError):  # noqa: N818 - it says what a record is
    """A record cannot be admitted; the message says why in words that do not depend on its values."""


class SourceSettings(BaseModel):
    """What a recipe says of a source.

    Attributes
    ----------
    files
        Globs over the files in the source's folder; a name without wildcards must be there.
    categories
        Categories, as upstream's file names write them, whose files are read; empty = all. Files whose names bear no
        category are read in any case.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    files: tuple[str, ...] = (EVERYTHING,)
    categories: tuple[str, ...] = ()

    def of_records(self) -> dict[str, Any]:
        """Return, as JSON values, the settings that decide what becomes of a record, not those that choose files."""
        return self.model_dump(mode="json", exclude={"files", "categories"})


@dataclass(frozen=True, slots=True)
class Batch:
    """Decoded records of one file, or of several small ones, with their places.

    Attributes
    ----------
    source
        Adapter name.
    files
        The files, all of one kind, relative to the corpus's folder, with ``/``.
    groups
        What the name of each holds in the named groups of the kind's pattern, such as ``category``.
    records
        Instances of the file kind's ``record`` struct.
    lines
        The 1-based line of each record in its file.
    numbers
        Which of ``files`` each record is from, ascending. What a batch names once, such as a product that several
        records list, it names once a file.
    """

    source: str
    files: Sequence[str]
    groups: Sequence[Mapping[str, str]]
    records: Sequence[Any]
    lines: npt.NDArray[np.int64]
    numbers: npt.NDArray[np.int64]

    def origin(self) -> dict[str, Any]:
        """Return the origin columns for one row a record."""
        return self._origin(self.numbers, self.lines)

    def origin_of(self, rows: Sequence[int]) -> dict[str, Any]:
        """Return the origin columns where row i came from record ``rows[i]`` (several rows a record)."""
        places = np.asarray(rows, dtype=np.int64)
        return self._origin(self.numbers[places], self.lines[places])

    def named(self, group: str, rows: Sequence[int] | None = None) -> pa.Array:
        """Return what the name of each record's file, or of the file of each of ``rows``, holds in a named group.

        Null where a name does not hold the group, or nothing in it.
        """
        numbers = self.numbers if rows is None else self.numbers[np.asarray(rows, dtype=np.int64)]
        return by_file([groups.get(group) or None for groups in self.groups], numbers)

    def place_of(self, row: int) -> str:
        """Return the file and line of a record, as people write it."""
        return f"{self.files[self.numbers[row]]}:{self.lines[row]}"

    def _origin(self, numbers: npt.NDArray[np.int64], lines: npt.NDArray[np.int64]) -> dict[str, Any]:
        return {"source": repeated(self.source, len(lines)), "file": by_file(self.files, numbers), "line": lines}


def by_file(texts: Sequence[str | None], numbers: npt.NDArray[np.int64]) -> pa.Array:
    """Return as a column, for each of ``numbers``, the text of the file of that number."""
    if len(texts) == 1:
        return pa.nulls(len(numbers), pa.string()) if texts[0] is None else repeated(texts[0], len(numbers))
    return pa.array(texts, pa.string()).take(pa.array(numbers))


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
        A type that msgspec knows, as a rule a `msgspec.Struct`. A record that does not convert to it is quarantined
        with msgspec's reason. With the format ``lines`` it is `str`: the line without its end.
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
    admit
        Turns a decoded ``record`` into what `convert` gets, where msgspec cannot. It raises `Inadmissible` for a record
        to be quarantined. It is pickled: a function of a module, or a partial of one.
    delimiter
        What stands between the cells of a CSV.
    needed
        Columns that a CSV or Parquet file must have; None = those that ``record`` requires.
    optional
        Columns that a file may lack and is expected to have: where none of the kind has one, people are told.
    """

    pattern: str
    format: Format
    record: type
    tables: tuple[str, ...]
    convert: Callable[[Batch], Mapping[str, pa.Table]]
    example: str
    encoding: str = "utf-8"
    columns: tuple[str, ...] = ()
    admit: Callable[[Any], Any] | None = None
    delimiter: str = ","
    needed: tuple[str, ...] | None = None
    optional: tuple[str, ...] = ()

    @property
    def needed_columns(self) -> tuple[str, ...]:
        """The columns that a CSV or Parquet file must have."""
        if self.needed is not None:
            return self.needed
        return tuple(field.encode_name for field in msgspec.structs.fields(self.record) if field.required)

    @property
    def read_columns(self) -> tuple[str, ...] | None:
        """The columns of a CSV or Parquet file that mean something; None = every one that has a name."""
        if not issubclass(get_origin(self.record) or self.record, msgspec.Struct):
            return None
        return tuple(field.encode_name for field in msgspec.structs.fields(self.record))

    def advice(self, missing: Sequence[str], present: Sequence[str]) -> str:  # noqa: ARG002 - for kinds that know more
        """Say what to do about a file that has only the columns ``present``, without those ``missing``."""
        return f"It does not look like {self.example}; delete it and fetch it again, or put it elsewhere."

    def match(self, file: str) -> Mapping[str, str] | None:
        """Return the named groups if ``file`` is of this kind, else None."""
        found = re.fullmatch(self.pattern, file)
        return {key: value or "" for key, value in found.groupdict().items()} if found else None


@dataclass(frozen=True)
class Remote:
    """An upstream file, or an archive of several, and where it can be had.

    Attributes
    ----------
    file
        Where it is put, relative to the corpus's folder, with ``/``: upstream's own name.
    urls
        Where it can be fetched, the first choice first: ``https://...``, or ``hf://datasets/<owner>/<name>/<path>`` for
        the Hugging Face Hub (``<name>@<revision>`` for a revision). Empty if a person must fetch it: see ``steps``.
    size, sha256
        Bytes and digest, where upstream or a copy of upstream's own record states them; None = trusted on first use.
    holds
        For an archive: the files to unpack from it, as pairs of the member's name and the path to put it at.
    alternative
        Whether it is another form of what a further remote holds, or part of it: fetched only where a recipe or a
        person names it.
    steps
        What a person must do to get it, in full sentences; "" where ``urls`` are enough.
    """

    file: str
    urls: tuple[str, ...] = ()
    size: int | None = None
    sha256: str | None = None
    holds: tuple[tuple[str, str], ...] = ()
    alternative: bool = False
    steps: str = ""

    @property
    def yields(self) -> tuple[str, ...]:
        """The files that stand in the corpus's folder once it was fetched and unpacked."""
        return tuple(path for _, path in self.holds) or (self.file,)


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
    remotes
        Its upstream files and where they can be had.
    settings
        What a recipe may say of it.
    configure
        For a source whose files are described by the recipe: returns it as the settings describe it.
    """

    name: str
    title: str
    summary: str
    homepage: str
    licence: str
    redistributable: bool
    citation: str
    files: tuple[FileKind, ...]
    remotes: tuple[Remote, ...] = ()
    settings: type[SourceSettings] = SourceSettings
    configure: Callable[[Any], "Source"] | None = None

    def configured(self, settings: SourceSettings) -> "Source":
        """Return the source as a recipe's settings describe it."""
        return self.configure(settings) if self.configure else self

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
