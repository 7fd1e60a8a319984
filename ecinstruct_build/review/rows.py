"""The rows of a published dataset as a review knows them: once each, by a digest of their text."""

import hashlib
import json
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from ecinstruct_build.errors import UserError
from ecinstruct_build.registry import TASKS
from ecinstruct_build.splits import place_of, place_order

CONTENT = ("instruction", "input", "options", "output", "few_shot_example")
"""The columns that a reader judges."""

ROW_SCHEMA = pa.schema(
    [
        pa.field(name, pa.string(), nullable=False)
        for name in ("row", "example_id", "task", "split", "source", "template_id", "locale", "category")
    ]
)
"""What `read_rows` returns; ``split`` is the Hugging Face split or, where a row has none, its split and setting."""

_PLAIN = ("example_id", "task", "split", "setting", "source", "template_id", "locale", "category")
_BATCH_ROWS = 4096

Batch = dict[str, list[str]]


def row_digest(example_id: str, content: Mapping[str, str]) -> str:
    """Return the 32 hex digits that stand for an example in the words in which it was published."""
    texts = json.dumps([example_id, *(content[name] for name in CONTENT)], ensure_ascii=True)
    return hashlib.md5(texts.encode(), usedforsecurity=False).hexdigest()


def read_rows(dataset: Path) -> pa.Table:
    """Read what tells the rows of a published folder apart, without their text.

    Rows of one example with the same text are one row, in the split that comes first.

    Parameters
    ----------
    dataset
        The folder that holds ``data/``.

    Returns
    -------
    pyarrow.Table
        Rows of `ROW_SCHEMA`, ordered by task and ``row``, whatever their order in the files.

    Raises
    ------
    UserError
        If there are no shards, or one cannot be read or lacks a column.
    """
    found: dict[str, tuple[str, ...]] = {}
    modules = {task.published_name: task.name for task in TASKS}

    def order(values: tuple[str, ...]) -> tuple[tuple[int, str], tuple[str, ...]]:
        return place_order(values[3]), values

    def take(batch: Batch) -> None:
        for number, digest in enumerate(_digests(batch)):
            name, split = batch["task"][number], place_of(batch["split"][number], batch["setting"][number])
            own = (batch[column][number] for column in ("source", "template_id", "locale", "category"))
            values = (digest, batch["example_id"][number], modules.get(name, name), split, *own)
            if digest not in found or order(values) < order(found[digest]):
                found[digest] = values

    _each_batch(dataset, (*_PLAIN, *CONTENT), take)
    rows = sorted(found.values(), key=lambda values: (values[2], values[0]))
    columns = zip(*rows, strict=True) if rows else [[] for _ in ROW_SCHEMA]
    return pa.table([pa.array(column, pa.string()) for column in columns], schema=ROW_SCHEMA)


def read_contents(dataset: Path, rows: Collection[str]) -> dict[str, dict[str, str]]:
    """Read the text of some rows.

    Parameters
    ----------
    dataset
        As for `read_rows`.
    rows
        Digests of rows.

    Returns
    -------
    dict
        The columns of `CONTENT` of each row that is there.
    """
    wanted = frozenset(rows)
    found: dict[str, dict[str, str]] = {}

    def take(batch: Batch) -> None:
        for number, digest in enumerate(_digests(batch)):
            if digest in wanted:
                found[digest] = {name: batch[name][number] for name in CONTENT}

    _each_batch(dataset, ("example_id", *CONTENT), take)
    return found


def _digests(batch: Batch) -> list[str]:
    texts = zip(*(batch[name] for name in CONTENT), strict=True)
    return [
        row_digest(example_id, dict(zip(CONTENT, text, strict=True)))
        for example_id, text in zip(batch["example_id"], texts, strict=True)
    ]


def _each_batch(dataset: Path, columns: tuple[str, ...], take: Callable[[Batch], None]) -> None:
    """Hand over some columns of all rows, a batch at a time, with "" for nulls."""
    shards = sorted((dataset / "data").rglob("*.parquet"))
    if not shards:
        raise UserError(
            f"There is no published dataset in '{dataset}': no Parquet files in its data/. Make one with "
            "`make dataset`, or name the folder that holds data/."
        )
    for shard in shards:
        try:
            with pq.ParquetFile(shard) as file:
                if missing := [name for name in columns if name not in file.schema_arrow.names]:
                    raise UserError(f"'{shard}' has no column {', '.join(missing)}, which a review needs.")
                for batch in file.iter_batches(_BATCH_ROWS, columns=list(columns)):
                    take({name: _texts(batch[name]) for name in columns})
        except (OSError, pa.ArrowException) as error:
            raise UserError(f"'{shard}' cannot be read: {error}. Build the dataset again.") from None


def _texts(column: pa.Array) -> list[Any]:
    return [value or "" for value in column.to_pylist()]
