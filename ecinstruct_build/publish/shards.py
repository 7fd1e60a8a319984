"""Write samples as Parquet shards whose bytes depend on the rows, their order and the libraries alone."""

import json
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ecinstruct_build.example import SAMPLE_SCHEMA
from ecinstruct_build.file_digests import digest_of
from ecinstruct_build.splits import ORIGINAL_SPLIT, PUBLISHED_SPLITS, Layout, published_split

MAX_SHARD_BYTES = 256 * 2**20
"""Bytes of text in one shard, before compression."""

ORIGINAL_LAYOUT_SPLIT = "train"
"""The only split of the original's layout; what a row is for stands in its ``split`` and ``setting`` columns."""

_ROW_GROUP_ROWS = 10_000
_ROW_GROUP_BYTES = 32 * 2**20  # of text: a viewer that shows a hundred rows reads a whole group
_PAGE_BATCH_ROWS = 1024
_WRITERS = 2  # threads, each with a row group in memory


@dataclass(frozen=True)
class Shard:
    """A published file.

    Attributes
    ----------
    path
        Relative to the dataset's folder, with ``/``.
    task
        The task whose rows it holds, or "" where it holds those of all.
    split
        The Hugging Face split that it is part of.
    rows, bytes
        Its rows and its size on disk.
    text_bytes
        Size of its rows before compression; see `text_bytes`.
    sha256
        Digest of its content.
    """

    path: str
    task: str
    split: str
    rows: int
    bytes: int
    text_bytes: int
    sha256: str


def write_shards(
    samples: Mapping[str, pa.Table], folder: Path, layout: Layout, max_shard_bytes: int = MAX_SHARD_BYTES
) -> list[Shard]:
    """Write all samples that a layout publishes.

    Parameters
    ----------
    samples
        Rows of `SAMPLE_SCHEMA` by task name, in the order in which they are to stand.
    folder
        The dataset's folder; files go to ``data/`` in it.
    layout
        ``huggingface`` writes ``data/<task>/<split>-<n>-of-<total>.parquet`` for each published split that has rows;
        ``ecinstruct`` writes every row of every task to ``data/train-<n>-of-<total>.parquet``.
    max_shard_bytes
        Text bytes (before compression) after which a new shard is begun; a longer row stands alone.

    Returns
    -------
    list of Shard
        In order of task, then split, then number.

    Raises
    ------
    ValueError
        If rows are not of the sample schema, hold nulls, or name a split or setting that does not exist.
    """
    tables = {task: _checked(task, samples[task]) for task in sorted(samples)}
    if layout == "ecinstruct":
        everything = pa.concat_tables(tables.values()) if tables else SAMPLE_SCHEMA.empty_table()
        splits = [("", ORIGINAL_LAYOUT_SPLIT, everything)]
    else:
        splits = [(task, split, rows) for task, table in tables.items() for split, rows in rows_by_split(table).items()]
    with ThreadPoolExecutor(_WRITERS) as pool:
        # The largest first, so that nobody waits long for the last one.
        written = {
            (task, split): pool.submit(_write_split, rows, folder, task, split, max_shard_bytes)
            for task, split, rows in sorted(splits, key=lambda one: -one[2].nbytes)
        }
        return [shard for task, split, _ in splits for shard in written[task, split].result()]


def write_shard(
    rows: pa.Table, folder: Path, path: str, task: str, split: str, *, sizes: npt.NDArray[np.int64] | None = None
) -> Shard:
    """Write one file with the features that `datasets` reads; its bytes depend on the rows and libraries alone.

    Every row group is one contiguous batch, because the borders of batches show in the bytes. ``sizes`` is what
    `text_bytes` returns for the rows, if that is known.
    """
    target = folder / path
    target.parent.mkdir(parents=True, exist_ok=True)
    features = {field.name: _feature(field.type) for field in rows.schema}
    schema = rows.schema.with_metadata({"huggingface": json.dumps({"info": {"features": features}})})
    sizes = text_bytes(rows) if sizes is None else sizes
    with pq.ParquetWriter(
        target,
        schema,
        compression="zstd",
        compression_level=3,
        write_batch_size=_PAGE_BATCH_ROWS,
        write_page_index=True,
        use_content_defined_chunking=True,
    ) as writer:
        for begin, end in _bounds(sizes, _ROW_GROUP_BYTES, _ROW_GROUP_ROWS):
            group = rows.slice(begin, end - begin).combine_chunks().replace_schema_metadata(schema.metadata)
            writer.write_table(group, row_group_size=_ROW_GROUP_ROWS)
    return Shard(path, task, split, rows.num_rows, target.stat().st_size, int(sizes.sum()), digest_of(target))


def rows_by_split(samples: pa.Table) -> dict[str, pa.Table]:
    """Return the rows of each published split that has any, in the order of `PUBLISHED_SPLITS`.

    Rows whose setting only the original's layout has are left out.

    Raises
    ------
    ValueError
        If a row names a split or setting that does not exist.
    """
    return {split: samples.filter(mask) for split, mask in _masks(samples).items()}


def first_rows(samples: pa.Table, split: str, most: int) -> pa.Table:
    """Return the first rows of a published split, without a look at the text of the others."""
    mask = _masks(samples).get(split)
    return samples.slice(0, 0) if mask is None else samples.take(pc.indices_nonzero(mask)[:most])


def text_bytes(samples: pa.Table) -> npt.NDArray[np.int64]:
    """Return the size of each row in bytes: its strings in UTF-8, and four bytes for the length of each value."""
    total = np.zeros(samples.num_rows, dtype=np.int64)
    for column in samples.columns:
        total += np.concatenate([np.zeros(0, dtype=np.int64), *(_lengths(chunk) for chunk in column.chunks)])
    return total


def _checked(task: str, samples: pa.Table) -> pa.Table:
    """Return the samples in exactly the published schema, or say what is wrong with them."""
    if samples.schema.names != SAMPLE_SCHEMA.names:
        raise ValueError(f"samples of {task} have columns {samples.schema.names}, not {SAMPLE_SCHEMA.names}")
    for name, column in zip(samples.schema.names, samples.columns, strict=True):
        nested = isinstance(column.type, pa.ListType | pa.LargeListType)
        if column.null_count or (nested and pc.list_flatten(column).null_count):
            raise ValueError(f"column {name} of the samples of {task} holds nulls")
    return samples.cast(SAMPLE_SCHEMA)


def _masks(samples: pa.Table) -> dict[str, pa.ChunkedArray]:
    """Return which rows are part of each published split that has any."""
    pairs = samples.group_by(["split", "setting"]).aggregate([]).to_pylist()
    chosen: dict[str, list[tuple[str, str]]] = {}
    for row_split, setting in sorted((pair["split"], pair["setting"]) for pair in pairs):
        if row_split not in ORIGINAL_SPLIT.values():
            raise ValueError(f"no split is called {row_split!r}")
        if (split := published_split(row_split, setting)) is not None:
            chosen.setdefault(split, []).append((row_split, setting))
    return {split: _any_of(samples, chosen[split]) for split in PUBLISHED_SPLITS if split in chosen}


def _any_of(samples: pa.Table, pairs: list[tuple[str, str]]) -> pa.ChunkedArray:
    masks = [
        pc.and_(pc.equal(samples["split"], row_split), pc.equal(samples["setting"], setting))
        for row_split, setting in pairs
    ]
    return reduce(pc.or_, masks)


def _lengths(array: pa.Array) -> npt.NDArray[np.int64]:
    if not isinstance(array, pa.ListArray):
        lengths: npt.NDArray[np.int64] = pc.binary_length(array).to_numpy(zero_copy_only=False).astype(np.int64)
        return lengths + 4
    items = np.concatenate([[0], np.cumsum(_lengths(array.flatten()))])
    ends = np.concatenate([[0], np.cumsum(pc.list_value_length(array).to_numpy(zero_copy_only=False))])
    sizes: npt.NDArray[np.int64] = np.diff(items[ends.astype(np.int64)]) + 4
    return sizes


def _write_split(rows: pa.Table, folder: Path, task: str, split: str, max_shard_bytes: int) -> list[Shard]:
    under = f"data/{task}" if task else "data"
    sizes = text_bytes(rows)
    bounds = list(_bounds(sizes, max_shard_bytes))
    shards = []
    for number, (begin, end) in enumerate(bounds):
        path = f"{under}/{split}-{number:05d}-of-{len(bounds):05d}.parquet"
        shard = write_shard(rows.slice(begin, end - begin), folder, path, task, split, sizes=sizes[begin:end])
        shards.append(shard)
    return shards


def _bounds(sizes: npt.NDArray[np.int64], max_bytes: int, max_rows: int | None = None) -> Iterator[tuple[int, int]]:
    """Yield [begin, end) of each stretch of rows: as many in order as fit, and one at least."""
    ends = np.cumsum(sizes)
    begin = 0
    while begin < len(sizes):
        before = int(ends[begin - 1]) if begin else 0
        end = max(begin + 1, int(np.searchsorted(ends, before + max_bytes, side="right")))
        end = end if max_rows is None else min(end, begin + max_rows)
        yield begin, end
        begin = end


def _feature(kind: pa.DataType) -> dict[str, Any]:
    """Return a type as a Hugging Face feature, in the form that old and new `datasets` both read."""
    # Version 4 renamed "Sequence" to "List" and reads both; older versions know the old name only.
    if isinstance(kind, pa.ListType):
        return {"feature": _feature(kind.value_type), "_type": "Sequence"}
    return {"dtype": str(kind), "_type": "Value"}
