"""Work on a block of an upstream file: decode it, convert its records into canonical rows, and write rows."""

import io
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ecinstruct_build.errors import UserError
from ecinstruct_build.ingesting.decoding import Decoded, Reject, decode_block, general_reason, reason_of
from ecinstruct_build.ingesting.lines import split_lines
from ecinstruct_build.ingesting.readers import Block, Limits
from ecinstruct_build.ingesting.repeats import first_of_each
from ecinstruct_build.source import Batch, FileKind, Source

QUARANTINE_SCHEMA = pa.schema(
    [
        pa.field("source", pa.string(), nullable=False),
        pa.field("file", pa.string(), nullable=False),
        pa.field("line", pa.int64(), nullable=False),
        pa.field("reason", pa.string(), nullable=False),
        pa.field("excerpt", pa.string(), nullable=False),
    ]
)
"""Malformed records: where they start, what is wrong, how they begin."""

COLLAPSED_SCHEMA = pa.schema(
    [
        pa.field("source", pa.string(), nullable=False),
        pa.field("file", pa.string(), nullable=False),
        pa.field("line", pa.int64(), nullable=False),
        pa.field("first_line", pa.int64(), nullable=False),
    ]
)
"""Records that repeat an earlier one of the same file to the byte, and where that one stands."""

# Against zstd at its lowest level, LZ4 takes 1.6 times the room, two thirds of the time to write and to read.
PARQUET: Mapping[str, Any] = {"compression": "lz4"}
"""How everything is written."""

# Reviews come by the million: dictionaries of what hardly ever repeats would only be begun and given up.
_DICTIONARIES = {"review": ["product_id", "rating", "category", "catalogue", "locale", "source", "file"]}
_UNSTORABLE = (UnicodeError, OverflowError, pa.ArrowInvalid)  # what Arrow says of text and numbers it cannot hold


@dataclass(frozen=True)
class Job:
    """What a worker needs to know of a file; it travels to the worker with every block.

    Attributes
    ----------
    source, file
        Adapter name; path relative to the corpus's folder.
    kind, groups
        The kind of file, and the named groups of its pattern.
    limits
        How much is held at a time.
    """

    source: str
    file: str
    kind: FileKind
    groups: Mapping[str, str]
    limits: Limits


def job_of(source: Source, file: str, limits: Limits) -> Job:
    """Return what a worker needs to know of a file of ``source``.

    Raises
    ------
    UserError
        If the file is not one of the source's.
    """
    found = source.kind_of(file)
    if found is None:
        examples = ", ".join(kind.example for kind in source.files)
        raise UserError(f"{file} is no file of the source {source.name}; its files look like: {examples}.")
    return Job(source.name, file, *found, limits)


@dataclass(frozen=True)
class Worked:
    """A block that was decoded and converted.

    Attributes
    ----------
    lines
        1-based line of each of its records, in order.
    digests
        The 128-bit digests of their raw bytes: two rows, the high and the low halves.
    first
        For each, the place in the block of the first one of the same bytes.
    well_formed
        Whether each is well-formed; a line that is blank is not.
    tables
        The rows that the well-formed ones gave, those of the same bytes once.
    rejects
        The malformed ones.
    """

    lines: npt.NDArray[np.int64]
    digests: npt.NDArray[np.uint64]
    first: npt.NDArray[np.int64]
    well_formed: npt.NDArray[np.bool_]
    tables: Mapping[str, pa.Table]
    rejects: Sequence[Reject]

    @property
    def repeats(self) -> npt.NDArray[np.int64]:
        """The places of well-formed records that repeat an earlier one."""
        return np.flatnonzero(self.well_formed & (self.first != np.arange(len(self.first))))

    @property
    def count(self) -> int:
        """Its well-formed records."""
        return int(np.count_nonzero(self.well_formed))

    @property
    def reasons(self) -> dict[str, int]:
        """Its malformed records by reason."""
        return dict(Counter(general_reason(reject.reason) for reject in self.rejects))


def work(job: Job, block: Block) -> Worked:
    """Decode and convert a block, a slice at a time: its records then stay in the processor's cache."""
    slices: list[Worked] = []
    line = block.first_line
    for data in _slices(job, block):
        slices.append(_work_on_slice(job, replace(block, first_line=line, data=data, path=None)))
        line += len(slices[-1].lines)
    if len(slices) == 1:
        return slices[0]
    digests = np.concatenate([one.digests for one in slices], axis=1)
    whole = Worked(
        lines=np.concatenate([one.lines for one in slices]),
        digests=digests,
        first=first_of_each(digests),
        well_formed=np.concatenate([one.well_formed for one in slices]),
        tables={name: pa.concat_tables([one.tables[name] for one in slices]) for name in slices[0].tables},
        rejects=[reject for one in slices for reject in one.rejects],
    )
    known = sum(len(one.repeats) for one in slices)
    if len(whole.repeats) == known:
        return whole
    repeated = whole.lines[whole.repeats]
    return replace(whole, tables={name: without_lines(rows, repeated) for name, rows in whole.tables.items()})


def _slices(job: Job, block: Block) -> Iterator[bytes]:
    """Yield the data of a block in pieces of whole lines; all at once if it is none of lines."""
    with block.path.open("rb") if block.path else io.BytesIO(block.data) as file:
        if job.kind.format in {"csv", "parquet"} or block.too_long is not None:
            yield file.read()
            return
        while data := file.read(job.limits.slice_bytes):
            yield data + file.readline()


def _work_on_slice(job: Job, block: Block) -> Worked:
    decoded = decode_block(job.kind, block, job.limits)
    tables = convert_decoded(job.kind, block, decoded, partial(_batch, job))
    return Worked(decoded.lines, decoded.digests, decoded.first, decoded.well_formed, tables, decoded.rejects)


def without_lines(rows: pa.Table, lines: npt.NDArray[np.int64]) -> pa.Table:
    """Return the rows that came from other lines than these."""
    return rows.filter(pc.invert(pc.is_in(rows["line"], value_set=pa.array(lines))))


def convert_decoded(
    kind: FileKind, block: Block, decoded: Decoded, batch_of: Callable[[Decoded, slice], Batch]
) -> Mapping[str, pa.Table]:
    """Turn records into rows; those that the tables cannot hold become malformed ones, in ``decoded``.

    Parameters
    ----------
    kind, block, decoded
        The kind of file, the block, and what it was decoded to.
    batch_of
        Returns a slice of the decoded records as a batch.
    """
    try:
        return kind.convert(batch_of(decoded, slice(None)))
    except _UNSTORABLE:
        bad = _unstorable(kind, decoded, batch_of, range(len(decoded.records)))
    raws = split_lines(block.data) if kind.format != "parquet" else []
    for row, error in bad:
        reason = reason_of(error) if isinstance(error, UnicodeError) else f"does not fit the tables: {error}"
        place = int(decoded.places[row])
        raw = raws[decoded.lines[place] - block.first_line] if raws else repr(decoded.records[row])
        decoded.reject(place, reason, raw)
    decoded.keep_well_formed()
    return kind.convert(batch_of(decoded, slice(None)))


def _unstorable(
    kind: FileKind, decoded: Decoded, batch_of: Callable[[Decoded, slice], Batch], rows: range
) -> list[tuple[int, Exception]]:
    """Find the records that fail to convert, by halving the batch."""
    try:
        kind.convert(batch_of(decoded, slice(rows.start, rows.stop)))
    except _UNSTORABLE as error:
        if len(rows) == 1:
            return [(rows[0], error)]
        middle = len(rows) // 2
        return _unstorable(kind, decoded, batch_of, rows[:middle]) + _unstorable(kind, decoded, batch_of, rows[middle:])
    return []


def _batch(job: Job, decoded: Decoded, part: slice) -> Batch:
    lines = decoded.record_lines[part]
    numbers = np.zeros(len(lines), dtype=np.int64)
    return Batch(job.source, [job.file], [job.groups], decoded.records[part], lines, numbers)


def quarantine_table(source: str, files: Sequence[str], rejects: Sequence[Reject]) -> pa.Table:
    """Return malformed records, and the file of each, as rows of the quarantine."""
    columns = [
        [source] * len(rejects),
        files,
        [reject.line for reject in rejects],
        [reject.reason for reject in rejects],
        [reject.excerpt for reject in rejects],
    ]
    return pa.table(columns, schema=QUARANTINE_SCHEMA)


def collapsed_table(
    source: str, files: pa.Array, lines: npt.NDArray[np.int64], first: npt.NDArray[np.int64]
) -> pa.Table:
    """Return records that repeat an earlier one of their file, and where that one stands, as rows."""
    return pa.table([pa.repeat(source, len(lines)), files, lines, first], schema=COLLAPSED_SCHEMA)


def write_rows(rows: pa.Table, path: Path, table: str = "") -> None:
    """Write rows of a canonical table, or of the quarantine, to a Parquet file."""
    options = {"use_dictionary": _DICTIONARIES.get(table, True), "write_statistics": ["line"], **PARQUET}
    pq.write_table(rows, path, **options)
