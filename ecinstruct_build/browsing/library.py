"""The rows of a dataset's files: what tells them apart in memory, their texts read where they lie.

DuckDB reads the Parquet files; other formats are first written to one, in a temporary folder.
"""

import glob
import json
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from ecinstruct_build.audit.reading import read_published
from ecinstruct_build.errors import UserError
from ecinstruct_build.registry import TASKS
from ecinstruct_build.splits import PUBLISHED_SPLITS, place_of

NEEDED = ("instruction", "input", "output")
SEARCHED = ("input", "options", "output", "instruction")
"""The columns whose words are searched for."""

_KEPT_SEARCHES = 32


@dataclass(frozen=True)
class Facet:
    """A column by which rows are chosen.

    Attributes
    ----------
    names
        Its different values.
    codes
        Of each row, the place of its value in ``names``.
    """

    names: tuple[str, ...]
    codes: NDArray[np.int32]

    def mask(self, value: str) -> NDArray[np.bool_]:
        """Return which rows have a value."""
        code = self.names.index(value) if value in self.names else -1
        return np.asarray(self.codes == code)

    def counts(self, chosen: NDArray[np.bool_], things: NDArray[np.int64] | None = None) -> dict[str, int]:
        """Return how many of some rows have each value, without those that none has.

        Where ``things`` names what each row is about, each thing counts once for a value.
        """
        codes = self.codes[chosen]
        if things is not None:
            codes = np.unique(np.stack([codes.astype(np.int64), things[chosen]]), axis=1)[0]
        found = np.bincount(codes, minlength=len(self.names))
        return {name: int(count) for name, count in zip(self.names, found, strict=True) if count}


class Library:
    """The rows of one state of a dataset's files, numbered by task, split, file and place in it.

    Parameters
    ----------
    dataset
        A folder that holds shards, or any files in ECInstruct's columns; or one such file.

    Attributes
    ----------
    task, split, source
        By which rows are chosen; tasks by module name where they are ours, splits as on the Hub.
    example_ids
        Of each row, "" where the dataset has none.

    Raises
    ------
    UserError
        If there are no such files, or one cannot be read or lacks a column.
    """

    def __init__(self, dataset: Path) -> None:
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        files = _parquet_files(dataset) or [self._converted(dataset)]
        self._connection = duckdb.connect()
        self._files = [str(path) for path in files]
        try:
            self._columns = self._look()
            index = self._index()
        except duckdb.Error as error:
            raise UserError(_unreadable(dataset, error)) from error
        self.task = facet(index["task"])
        self.split = facet(index["split"], PUBLISHED_SPLITS)
        self.source = facet(index["source"])
        self.example_ids: list[str] = index["example_id"].to_pylist()
        self._file = index["file"].to_numpy()
        self._place = index["place"].to_numpy()
        self._offsets, self._numbers = _positions(self._file, self._place, len(files))
        self.search = lru_cache(_KEPT_SEARCHES)(self._search)

    def __len__(self) -> int:
        """Return how many rows there are."""
        return len(self.example_ids)

    def read(self, numbers: Sequence[int]) -> list[dict[str, str]]:
        """Return all columns of some rows as text, in their order; values that are no text as JSON."""
        found: dict[int, dict[str, str]] = {}
        for file in dict.fromkeys(int(self._file[number]) for number in numbers):
            places = {int(self._place[number]): number for number in numbers if self._file[number] == file}
            listed = ", ".join(str(place) for place in places)
            table = self._ask(
                f'SELECT * EXCLUDE (file_row_number), file_row_number AS "_place" FROM {_source([self._files[file]])} '  # noqa: S608 - numbers
                f"WHERE file_row_number IN ({listed})"
            )
            for row in table.to_pylist():
                number = places[row.pop("_place")]
                found[number] = {name: _text(value) for name, value in row.items()}
        return [found[number] for number in numbers if number in found]

    def _search(self, words: tuple[str, ...]) -> NDArray[np.bool_]:
        """Return which rows hold all of some words, in whatever case, each in any of the columns of `SEARCHED`."""
        columns = [_column(name) for name in SEARCHED if name in self._columns]
        holds = " OR ".join(f"contains(lower({column}), lower(?))" for column in columns)
        found = self._ask(
            f'SELECT "_file", file_row_number FROM {_source(self._files)} '  # noqa: S608 - our own columns
            f"WHERE {' AND '.join(f'({holds})' for _ in words)}",
            [word for word in words for _ in columns],
        )
        mask = np.zeros(len(self), dtype=np.bool_)
        file = self._file_codes(found["_file"])
        mask[self._numbers[self._offsets[file] + found["file_row_number"].to_numpy()]] = True
        return mask

    def _ask(self, query: str, values: Sequence[Any] = ()) -> Any:
        """Return the answer to a query; from any thread."""
        with self._connection.cursor() as cursor:
            try:
                return cursor.sql(query, params=list(values)).to_arrow_table()
            except duckdb.Error as error:
                raise UserError("The dataset was changed or damaged while it is shown. Load the page again.") from error

    def _look(self) -> set[str]:
        described = self._connection.execute(f"DESCRIBE SELECT * FROM {_source(self._files)}").fetchall()  # noqa: S608
        columns = {row[0] for row in described}
        if missing := [name for name in NEEDED if name not in columns]:
            raise UserError(
                f"The dataset's files lack the column{'s' * (len(missing) > 1)} {', '.join(missing)}. Samples are "
                f"shown from files in ECInstruct's columns: instruction, input, options, output and others."
            )
        return columns

    def _index(self) -> pa.Table:
        """Return what tells rows apart, in their order."""
        plain = ("task", "split", "setting", "source", "example_id")
        columns = [f"{_column(name) if name in self._columns else repr('')} AS {name}" for name in plain]
        table: Any = self._connection.sql(
            f'SELECT "_file", file_row_number AS place, {", ".join(columns)} FROM {_source(self._files)}'  # noqa: S608
        ).to_arrow_table()
        names = {task.published_name: task.name for task in TASKS}
        pairs = pc.binary_join_element_wise(table["split"], table["setting"], "\t").combine_chunks()
        splits = _mapped(pairs, lambda pair: place_of(*pair.split("\t", 1)))
        index = pa.table(
            {
                "file": self._file_codes(table["_file"]),
                "place": table["place"],
                "task": _mapped(table["task"].combine_chunks(), lambda name: names.get(name, name)),
                "split": splits,
                "rank": _mapped(splits, _rank),
                "source": table["source"],
                "example_id": table["example_id"],
            }
        )
        return index.sort_by([(name, "ascending") for name in ("task", "rank", "file", "place")]).combine_chunks()

    def _file_codes(self, names: pa.ChunkedArray) -> NDArray[np.int64]:
        return np.asarray(pc.index_in(names, value_set=pa.array(self._files)).to_numpy(), np.int64)

    def _converted(self, dataset: Path) -> Path:
        """Write a dataset that is not in Parquet as one Parquet file."""
        published = read_published(dataset)
        self._folder = tempfile.TemporaryDirectory(prefix="ecinstruct-")
        path = Path(self._folder.name) / "rows.parquet"
        pq.write_table(published.table, path, row_group_size=5_000)
        return path


def facet(column: pa.ChunkedArray, first: Sequence[str] = ()) -> Facet:
    """Return the facet of a column of text; names are in order, some before others."""
    places = {name: place for place, name in enumerate(first)}
    names = sorted(set(column.unique().to_pylist()), key=lambda name: (places.get(name, len(places)), name))
    codes = pc.index_in(column, value_set=pa.array(names, pa.string())).to_numpy().astype(np.int32)
    return Facet(tuple(names), codes)


def dataset_files(dataset: Path) -> list[Path]:
    """Return the files of a dataset in which rows may stand, by name."""
    if dataset.is_file():
        return [dataset]
    kinds = (".parquet", ".jsonl", ".json")
    return sorted(path for path in dataset.rglob("*") if path.suffix in kinds and not _is_hidden(path, dataset))


def _parquet_files(dataset: Path) -> list[Path]:
    """Return the shards in ``data/`` or, if there are none, every Parquet file."""
    files = [path for path in dataset_files(dataset) if path.suffix == ".parquet"]
    return [path for path in files if dataset / "data" in path.parents] or files


def _is_hidden(path: Path, folder: Path) -> bool:
    return any(part.startswith(".") for part in path.relative_to(folder).parts)


def _source(files: Sequence[str]) -> str:
    """Return files as a table of SQL, with the columns ``_file`` and ``file_row_number``."""
    listed = ", ".join(_quoted(glob.escape(file)) for file in files)
    # A folder called "task=x" makes no column.
    options = "union_by_name=true, hive_partitioning=false, filename='_file', file_row_number=true"
    return f"read_parquet([{listed}], {options})"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _column(name: str) -> str:
    return f"coalesce(CAST(\"{name}\" AS VARCHAR), '')"


def _mapped(column: pa.Array, change: Any) -> pa.Array:
    """Return a column of changed values, each different one changed once."""
    encoded = column.dictionary_encode()
    return pa.array([change(name) for name in encoded.dictionary.to_pylist()]).take(encoded.indices)


def _positions(
    file: NDArray[np.int64], place: NDArray[np.int64], files: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return where each file's rows begin when all are laid end to end, and the number of the row at each place."""
    offsets = np.concatenate([[0], np.cumsum(np.bincount(file, minlength=files))])[:-1].astype(np.int64)
    numbers = np.empty(len(file), dtype=np.int64)
    numbers[offsets[file] + place] = np.arange(len(file))
    return offsets, numbers


def _rank(split: str) -> str:
    place = PUBLISHED_SPLITS.index(split) if split in PUBLISHED_SPLITS else len(PUBLISHED_SPLITS)
    return f"{place} {split}"


def _text(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def _unreadable(dataset: Path, error: Exception) -> str:
    return f"The dataset in '{dataset}' cannot be read: {' '.join(str(error).split())[:300]}."
