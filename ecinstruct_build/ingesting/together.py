"""Work on several small files of lines at once: what a call costs is then paid once, not for every file.

What becomes of each record is what it would be if its file were worked on alone.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from ecinstruct_build.ingesting.blocks import (
    COLLAPSED_SCHEMA,
    QUARANTINE_SCHEMA,
    Job,
    collapsed_table,
    convert_decoded,
    quarantine_table,
)
from ecinstruct_build.ingesting.decoding import Decoded, Reject, decode_block, general_reason
from ecinstruct_build.ingesting.ingest import IngestCounts
from ecinstruct_build.ingesting.lines import count_newlines
from ecinstruct_build.ingesting.readers import Block
from ecinstruct_build.source import Batch, by_file


@dataclass(frozen=True)
class SmallFile:
    """A small file of lines.

    Attributes
    ----------
    job
        What it is.
    data
        The whole of it; every line ends with a newline.
    height
        How many lines it has.
    """

    job: Job
    data: bytes
    height: int


def small_file(job: Job, data: bytes) -> SmallFile | None:
    """Return a small file with this content, as `ecinstruct_build.ingesting.readers.read_small` returns it.

    None if it has more lines than may be held at a time.
    """
    ended = data if data.endswith(b"\n") or not data else data + b"\n"
    height = count_newlines(ended)
    return SmallFile(job, ended, height) if height <= job.limits.block_lines else None


@dataclass(frozen=True)
class Together:
    """What became of the records of several files.

    Attributes
    ----------
    tables
        The rows that they gave, in the order of the files.
    quarantine, collapsed
        The malformed ones, and those that repeat an earlier one of their file.
    counts
        What became of each file's records.
    """

    tables: Mapping[str, pa.Table]
    quarantine: pa.Table
    collapsed: pa.Table
    counts: Sequence[IngestCounts]


@dataclass(frozen=True)
class _Lines:
    """Where the lines of a block with several files stand.

    Attributes
    ----------
    files
        The files.
    numbers, lines
        For each line which file it is from, and its 1-based number there.
    """

    files: Sequence[str]
    numbers: npt.NDArray[np.int64]
    lines: npt.NDArray[np.int64]

    def files_of(self, places: npt.NDArray[np.int64]) -> pa.Array:
        """Return the file of the line at each of these places."""
        return by_file(self.files, self.numbers[places])

    def count(self, places: npt.NDArray[np.int64]) -> list[int]:
        """Return for each file how many of these places are in it."""
        return [int(count) for count in np.bincount(self.numbers[places], minlength=len(self.files))]


def work_together(files: Sequence[SmallFile]) -> Together:
    """Decode and convert files of one kind."""
    job, heights = files[0].job, [one.height for one in files]
    numbers = np.repeat(np.arange(len(files)), heights)
    starts = np.cumsum([0, *heights[:-1]])
    where = _Lines([one.job.file for one in files], numbers, np.arange(len(numbers)) - starts[numbers] + 1)
    block = Block(0, 0, b"".join([one.data for one in files]), 0)  # a line's number in it is its place in ``where``
    decoded = decode_block(job.kind, block, job.limits, numbers)
    groups = [one.job.groups for one in files]

    def batch_of(decoded: Decoded, part: slice) -> Batch:
        places = decoded.record_lines[part]
        numbers = where.numbers[places]
        return Batch(job.source, where.files, groups, decoded.records[part], where.lines[places], numbers)

    tables = convert_decoded(job.kind, block, decoded, batch_of)
    well_formed = decoded.well_formed
    repeats = np.flatnonzero(well_formed & (decoded.first != np.arange(len(numbers))))
    return Together(
        tables=tables,
        quarantine=_quarantine(job.source, where, decoded.rejects),
        collapsed=_collapsed(job.source, where, repeats, decoded.first[repeats]),
        counts=_counts(job, where, np.flatnonzero(well_formed), repeats, decoded.rejects, tables),
    )


def _quarantine(source: str, where: _Lines, rejects: Sequence[Reject]) -> pa.Table:
    if not rejects:
        return QUARANTINE_SCHEMA.empty_table()
    files = [where.files[where.numbers[reject.line]] for reject in rejects]
    placed = [Reject(int(where.lines[reject.line]), reject.reason, reject.excerpt) for reject in rejects]
    return quarantine_table(source, files, placed)


def _collapsed(source: str, where: _Lines, repeats: npt.NDArray[np.int64], first: npt.NDArray[np.int64]) -> pa.Table:
    if not len(repeats):
        return COLLAPSED_SCHEMA.empty_table()
    return collapsed_table(source, where.files_of(repeats), where.lines[repeats], where.lines[first])


def _counts(  # noqa: PLR0917 - everything that became of the records
    job: Job,
    where: _Lines,
    well_formed: npt.NDArray[np.int64],
    repeats: npt.NDArray[np.int64],
    rejects: Sequence[Reject],
    tables: Mapping[str, pa.Table],
) -> list[IngestCounts]:
    decoded, repeated = where.count(well_formed), where.count(repeats)
    quarantined = where.count(np.array([reject.line for reject in rejects], dtype=np.int64))
    reasons: list[Counter[str]] = [Counter() for _ in where.files]
    for reject in rejects:
        reasons[where.numbers[reject.line]][general_reason(reject.reason)] += 1
    rows = {table: _rows_of_files(tables[table], where.files) for table in sorted(job.kind.tables)}
    return [
        IngestCounts(
            records=decoded[number] + quarantined[number],
            ingested=decoded[number] - repeated[number],
            quarantined=quarantined[number],
            collapsed=repeated[number],
            rows={table: counts[number] for table, counts in rows.items()},
            reasons=dict(sorted(reasons[number].items())),
        )
        for number in range(len(where.files))
    ]


def _rows_of_files(rows: pa.Table, files: Sequence[str]) -> list[int]:
    found = pc.index_in(rows["file"], value_set=pa.array(files, pa.string()))
    return [int(count) for count in np.bincount(found.to_numpy(), minlength=len(files))]
