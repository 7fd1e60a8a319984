"""Ingest many small files at once: one worker reads them one after another, and their rows share Parquet files.

What becomes of each record is what `ingest_file` makes of it. Files of lines are worked on together, a slice's worth at
a time; a file that turns out to be larger than a block once it is decompressed goes the way of large files, so that
memory stays bounded whatever the files hold.
"""

import shutil
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from itertools import chain, islice
from pathlib import Path
from typing import Self

import pyarrow as pa
import pyarrow.parquet as pq

from ecinstruct_build.ingesting.blocks import (
    COLLAPSED_SCHEMA,
    PARQUET,
    QUARANTINE_SCHEMA,
    Job,
    Worked,
    collapsed_table,
    job_of,
    quarantine_table,
    work,
    write_rows,
)
from ecinstruct_build.ingesting.ingest import IngestCounts, ingest_blocks
from ecinstruct_build.ingesting.readers import Block, Limits, read_blocks, read_small
from ecinstruct_build.ingesting.together import SmallFile, small_file, work_together
from ecinstruct_build.source import Source

_SHORT = 1000  # rows; many pieces of fewer are written faster once they are one


def ingest_bundle(
    files: Sequence[tuple[Path, str]],
    source: Source,
    out: Path,
    scratch: Path,
    limits: Limits | None = None,
) -> list[IngestCounts]:
    """Turn small upstream files of one source into canonical tables; malformed records never raise.

    Writes ``<out>/<table>/part-NNNNN.parquet``, ``<out>/quarantine.parquet`` and ``<out>/collapsed.parquet``, each with
    the rows of all the files in their order. Their bytes depend on the files, their order and ``source`` only.

    Parameters
    ----------
    files
        The files: where each is, and its path relative to the corpus's folder.
    source
        Their source.
    out
        Folder to fill; it must be empty or absent.
    scratch
        Folder for work that is not finished.
    limits
        How much is held at a time.

    Returns
    -------
    list of IngestCounts
        What became of each file's records.

    Raises
    ------
    UserError
        If a file is not one of the source's, cannot be read, is damaged, or lacks a required column.
    """
    limits = limits or Limits()
    counts: list[IngestCounts] = []
    waiting = _Waiting()
    with _Output(out, limits) as output:
        for path, file in files:
            job = job_of(source, file, limits)
            output.make_folders(job)
            data = read_small(path, job.kind, limits)
            small = None if data is None else small_file(job, data)
            if waiting.files and not (small and waiting.takes(small)):
                counts += _ingest_waiting(waiting, output)
            if small is None:
                counts.append(_ingest_alone(path, job, output, scratch))
            else:
                waiting.add(small)
        if waiting.files:
            counts += _ingest_waiting(waiting, output)
    return counts


class _Waiting:
    """Small files of one kind that wait to be worked on together."""

    def __init__(self) -> None:
        self.files: list[SmallFile] = []
        self.data_bytes = 0
        self._lines = 0

    def takes(self, small: SmallFile) -> bool:
        """Say whether a file can be worked on together with those that are here."""
        limits = small.job.limits
        return (
            self.data_bytes + len(small.data) <= limits.slice_bytes
            and self._lines + small.height <= limits.block_lines
            and small.job.kind == self.files[0].job.kind
        )

    def add(self, small: SmallFile) -> None:
        """Let a file wait."""
        self.files.append(small)
        self.data_bytes += len(small.data)
        self._lines += small.height

    def clear(self) -> None:
        """Let none wait."""
        self.files.clear()
        self.data_bytes = self._lines = 0


def _ingest_waiting(waiting: _Waiting, output: "_Output") -> Sequence[IngestCounts]:
    """Ingest the files that wait, so that none do."""
    done = work_together(waiting.files)
    tables = {**done.tables, "quarantine": done.quarantine, "collapsed": done.collapsed}
    output.add(tables, waiting.data_bytes)
    waiting.clear()
    return done.counts


def _ingest_alone(path: Path, job: Job, output: "_Output", scratch: Path) -> IngestCounts:
    """Ingest a file that is large, or none of lines."""
    blocks = read_blocks(path, job.kind, job.limits)
    beginning = list(islice(blocks, 2))
    if len(beginning) > 1:
        return _ingest_large(job, chain(beginning, blocks), output, scratch)
    return _ingest_small(job, beginning, output)


def _ingest_small(job: Job, blocks: Sequence[Block], output: "_Output") -> IngestCounts:
    """Ingest a file of one block, or of none if it is empty."""
    rows = Counter(dict.fromkeys(job.kind.tables, 0))
    if not blocks:
        return IngestCounts(0, 0, 0, 0, dict(sorted(rows.items())), {})
    worked = work(job, blocks[0])
    output.add(_rows(job, worked), len(blocks[0].data))
    rows.update({table: len(found) for table, found in worked.tables.items()})
    repeats = len(worked.repeats)
    return IngestCounts(
        records=worked.count + len(worked.rejects),
        ingested=worked.count - repeats,
        quarantined=len(worked.rejects),
        collapsed=repeats,
        rows=dict(sorted(rows.items())),
        reasons=dict(sorted(worked.reasons.items())),
    )


def _rows(job: Job, worked: Worked) -> Mapping[str, pa.Table]:
    """Return the rows of a file by table, those of the quarantine and of collapsed records included."""
    repeats, files = worked.repeats, [job.file] * len(worked.rejects)
    lines, first = worked.lines[repeats], worked.lines[worked.first[repeats]]
    return {
        **worked.tables,
        "quarantine": quarantine_table(job.source, files, worked.rejects),
        "collapsed": collapsed_table(job.source, pa.repeat(job.file, len(repeats)), lines, first),
    }


def _ingest_large(job: Job, blocks: Iterator[Block], output: "_Output", scratch: Path) -> IngestCounts:
    """Ingest a file of several blocks on its own, and move what it gave behind what is there."""
    own = scratch / "large"
    shutil.rmtree(own, ignore_errors=True)
    (own / "blocks").mkdir(parents=True)
    counts = ingest_blocks(job, blocks, own / "out", own / "blocks")
    output.move_in(job, own / "out")
    shutil.rmtree(own)
    return counts


class _Output:
    """The Parquet files of a bundle; rows are held until they make up a block."""

    def __init__(self, out: Path, limits: Limits) -> None:
        self._out, self._limits = out, limits
        self._tables: defaultdict[str, list[pa.Table]] = defaultdict(list)
        self._held = 0
        self._part = 0
        self._folders: set[str] = set()
        self._open = ExitStack()

    def __enter__(self) -> Self:
        self._out.mkdir(parents=True, exist_ok=True)
        self._quarantine, self._collapsed = (
            self._open.enter_context(pq.ParquetWriter(self._out / f"{name}.parquet", schema, **PARQUET))
            for name, schema in (("quarantine", QUARANTINE_SCHEMA), ("collapsed", COLLAPSED_SCHEMA))
        )
        return self

    def __exit__(self, failure: type[BaseException] | None, *_: object) -> None:
        with self._open:
            if failure is None:
                self._flush()

    def make_folders(self, job: Job) -> None:
        """Make a folder for each table of a kind of file."""
        for table in job.kind.tables:
            if table not in self._folders:
                (self._out / table).mkdir(exist_ok=True)
                self._folders.add(table)

    def add(self, tables: Mapping[str, pa.Table], data_bytes: int) -> None:
        """Take in rows by table, which came from so many bytes of data."""
        for table, rows in tables.items():
            if len(rows):
                self._tables[table].append(rows)
        self._held += data_bytes
        if self._held >= self._limits.block_bytes:
            self._flush()

    def move_in(self, job: Job, folder: Path) -> None:
        """Take in what `ingest_blocks` wrote of a file."""
        self._flush()
        for table in job.kind.tables:
            parts = sorted((folder / table).glob("part-*.parquet"), key=lambda part: int(part.stem[5:]))
            for part in parts:
                part.rename(self._next_part(table))
                self._part += 1
        for name, writer in (("quarantine", self._quarantine), ("collapsed", self._collapsed)):
            with pq.ParquetFile(folder / f"{name}.parquet") as file:
                for batch in file.iter_batches():
                    writer.write_batch(batch)

    def _flush(self) -> None:
        """Write what is held."""
        for table, found in sorted(self._tables.items()):
            rows = pa.concat_tables(found)
            if len(rows) < _SHORT * len(found):
                rows = rows.combine_chunks()
            match table:
                case "quarantine":
                    self._quarantine.write_table(rows)
                case "collapsed":
                    self._collapsed.write_table(rows)
                case _:
                    write_rows(rows, self._next_part(table), table)
        self._part += bool(self._tables)
        self._tables.clear()
        self._held = 0

    def _next_part(self, table: str) -> Path:
        return self._out / table / f"part-{self._part:05d}.parquet"
