"""Ingest an upstream file: its records become canonical tables, and every record is accounted for.

A file is cut into blocks (`readers`); each block is decoded, converted and written on its own,
here or in a pool of processes. Records that repeat an earlier line to the byte are taken out: those that repeat a line
of their own block before they are converted, the others at the end, which writes the parts that hold any once more. A
record is thus *ingested*, *quarantined* (malformed, with the reason) or *collapsed* (onto the first of its kind).
Malformed lines are all quarantined, repeated or not.
"""

import json
import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from ecinstruct_build.durable import sync
from ecinstruct_build.ingesting.blocks import (
    COLLAPSED_SCHEMA,
    PARQUET,
    QUARANTINE_SCHEMA,
    Job,
    collapsed_table,
    job_of,
    quarantine_table,
    without_lines,
    work,
    write_rows,
)
from ecinstruct_build.ingesting.readers import Block, Limits, read_blocks
from ecinstruct_build.ingesting.repeats import repeated_lines, sorted_digests
from ecinstruct_build.source import Source

_LINES_AT_ONCE = 1 << 20  # collapsed lines written at a time
_IN_FLIGHT = 2 * min(os.cpu_count() or 1, 8)  # blocks handed out at a time


@dataclass(frozen=True)
class IngestCounts:
    """What became of a file's records.

    Attributes
    ----------
    records
        Records in the file: its lines that are not blank (CSV: data rows; Parquet: rows).
    ingested, quarantined, collapsed
        How many were turned into rows, were malformed, and repeat an earlier one. They add up to ``records``.
    rows
        Rows written, by canonical table.
    reasons
        Quarantined records by reason, without what is particular to one record.
    """

    records: int
    ingested: int
    quarantined: int
    collapsed: int
    rows: Mapping[str, int]
    reasons: Mapping[str, int]

    def __post_init__(self) -> None:
        if self.records != self.ingested + self.quarantined + self.collapsed:
            raise ValueError(f"the counts do not add up: {self}")


@dataclass(frozen=True)
class _Done:
    """A finished block, as its folder in scratch says.

    Attributes
    ----------
    decoded, repeats
        Its well-formed records, and how many of them repeat another one of the block (and are not in its rows).
    """

    number: int
    first_line: int
    decoded: int
    repeats: int
    quarantined: int
    rows: Mapping[str, int]
    reasons: Mapping[str, int]


def ingest_file(  # noqa: PLR0917 - the file's three names and two folders come first everywhere
    path: Path,
    source: Source,
    file: str,
    out: Path,
    scratch: Path,
    pool: Executor | None,
    progress: Callable[[int], None],
    limits: Limits | None = None,
) -> IngestCounts:
    """Turn an upstream file into canonical tables; malformed records never raise.

    Writes ``<out>/<table>/part-NNNNN.parquet`` (NNNNN is the block's number), ``<out>/quarantine.parquet`` and
    ``<out>/collapsed.parquet``. Their bytes depend on the file and on ``source`` only.

    Parameters
    ----------
    path
        The file.
    source, file
        Its source, and its path relative to the corpus's folder.
    out
        Folder to fill; canonical tables already in it are replaced.
    scratch
        Folder for finished blocks, with which the next call resumes an interrupted one. It must belong to exactly
        this file content, this code and these limits; the caller removes it afterwards.
    pool
        Processes to work in; None works here.
    progress
        Called with the number of bytes of the file read since the last call.
    limits
        How much is held at a time.

    Raises
    ------
    UserError
        If the file is not one of the source's, cannot be read, is damaged, or lacks a required column.
    """
    job = job_of(source, file, limits or Limits())
    scratch.mkdir(parents=True, exist_ok=True)
    if pool is None:
        return ingest_blocks(job, _reporting(path, read_blocks(path, job.kind, job.limits), progress), out, scratch)
    # A folder of this call's own: workers of a killed one may still be reading theirs.
    waiting = Path(tempfile.mkdtemp(dir=scratch, prefix="waiting-"))
    try:
        _hand_out_all(
            job, scratch, _reporting(path, read_blocks(path, job.kind, job.limits, waiting), progress), waiting, pool
        )
    finally:
        shutil.rmtree(waiting, ignore_errors=True)
    return _assemble(job, scratch, out, pool)


def ingest_blocks(job: Job, blocks: Iterator[Block], out: Path, scratch: Path) -> IngestCounts:
    """Turn the blocks of a file into canonical tables, as `ingest_file` says, in this process."""
    for block in blocks:
        _work(job, scratch, block)
    return _assemble(job, scratch, out, None)


def _reporting(path: Path, blocks: Iterator[Block], progress: Callable[[int], None]) -> Iterator[Block]:
    """Pass ``blocks`` on and report how much of the file they took."""
    reported = 0
    for block in blocks:
        progress(block.position - reported)
        reported = block.position
        yield block
    progress(path.stat().st_size - reported)


def _hand_out_all(job: Job, scratch: Path, blocks: Iterator[Block], waiting: Path, pool: Executor) -> None:
    """Have the blocks worked on in ``pool``, a bounded number at a time."""
    pending: set[Future[None]] = set()
    try:
        for block in blocks:
            if _folder(scratch, block.number).exists():
                if block.path:
                    block.path.unlink()
                continue
            pending.add(pool.submit(_work_waiting, job, scratch, _in_a_file(block, waiting)))
            if len(pending) >= _IN_FLIGHT:
                finished, pending = wait(pending, return_when=FIRST_COMPLETED)
                for future in finished:
                    future.result()
        for future in pending:
            future.result()
    finally:
        # After a failure nothing of ours may go on writing to scratch.
        for future in pending:
            future.cancel()
        wait(pending)


def _in_a_file(block: Block, waiting: Path) -> Block:
    """Put a block's data into a file, which takes a third of the time of a pipe and hardly meets the disk."""
    if block.path:
        return block
    path = waiting / f"block-{block.number:05d}"
    path.write_bytes(block.data)
    return replace(block, data=b"", path=path)


def _work_waiting(job: Job, scratch: Path, block: Block) -> None:
    _work(job, scratch, block)
    if block.path:
        block.path.unlink()


def _folder(scratch: Path, number: int) -> Path:
    return scratch / f"block-{number:05d}"


def _work(job: Job, scratch: Path, block: Block) -> None:
    """Ingest one block into its folder in scratch, unless that is there already."""
    folder = _folder(scratch, block.number)
    if folder.exists():
        return
    worked = work(job, block)
    done = _Done(
        number=block.number,
        first_line=block.first_line,
        decoded=worked.count,
        repeats=len(worked.repeats),
        quarantined=len(worked.rejects),
        rows={table: len(rows) for table, rows in worked.tables.items() if len(rows)},
        reasons=worked.reasons,
    )
    with tempfile.TemporaryDirectory(dir=scratch, prefix="unfinished-", ignore_cleanup_errors=True) as name:
        unfinished = Path(name, folder.name)
        unfinished.mkdir()
        for table in done.rows:
            write_rows(worked.tables[table], unfinished / f"{table}.parquet", table)
        if worked.rejects:
            write_rows(
                quarantine_table(job.source, [job.file] * len(worked.rejects), worked.rejects),
                unfinished / "quarantine.parquet",
            )
        digests = sorted_digests(worked.digests[:, worked.well_formed], worked.lines[worked.well_formed])
        np.save(unfinished / "digests.npy", digests)
        (unfinished / "done.json").write_text(json.dumps(asdict(done)))
        for file in unfinished.iterdir():
            sync(file)
        sync(unfinished)
        unfinished.rename(folder)


def _assemble(job: Job, scratch: Path, out: Path, pool: Executor | None) -> IngestCounts:
    """Put the finished blocks together in ``out``, without the records that repeat an earlier one."""
    folders = sorted(scratch.glob("block-*"), key=lambda folder: int(folder.name.removeprefix("block-")))
    blocks = [_Done(**json.loads((folder / "done.json").read_text())) for folder in folders]
    repeated, first = repeated_lines([folder / "digests.npy" for folder in folders])
    out.mkdir(parents=True, exist_ok=True)
    for table in job.kind.tables:
        shutil.rmtree(out / table, ignore_errors=True)
        (out / table).mkdir()
    rows = Counter(dict.fromkeys(job.kind.tables, 0))
    rewritten: list[tuple[str, Path, Path, npt.NDArray[np.int64]]] = []
    cuts = np.searchsorted(repeated, [block.first_line for block in blocks] + [np.iinfo(np.int64).max])
    for folder, block, (start, stop) in zip(folders, blocks, pairwise(cuts), strict=True):
        for table, count in block.rows.items():
            part, target = folder / f"{table}.parquet", out / table / f"part-{block.number:05d}.parquet"
            if stop - start > block.repeats:  # more than the block could know of
                rewritten.append((table, part, target, repeated[start:stop]))
            else:
                _link(part, target)
                rows[table] += count
    rows.update(_rewrite(rewritten, pool))
    with pq.ParquetWriter(out / "quarantine.parquet", QUARANTINE_SCHEMA, **PARQUET) as writer:
        for folder, block in zip(folders, blocks, strict=True):
            if block.quarantined:
                writer.write_table(pq.read_table(folder / "quarantine.parquet"))
    _write_collapsed(job, repeated, first, out / "collapsed.parquet")
    reasons: Counter[str] = Counter()
    for block in blocks:
        reasons.update(block.reasons)
    decoded, quarantined = (sum(getattr(block, name) for block in blocks) for name in ("decoded", "quarantined"))
    return IngestCounts(
        records=decoded + quarantined,
        ingested=decoded - len(repeated),
        quarantined=quarantined,
        collapsed=len(repeated),
        rows=dict(sorted(rows.items())),
        reasons=dict(sorted(reasons.items())),
    )


def _link(part: Path, target: Path) -> None:
    try:
        target.hardlink_to(part)
    except OSError:  # scratch is on another file system
        shutil.copyfile(part, target)


def _rewrite(parts: Sequence[tuple[str, Path, Path, npt.NDArray[np.int64]]], pool: Executor | None) -> Counter[str]:
    """Write parts again without the rows of some lines; return by table how many rows are left."""
    left: Counter[str] = Counter()
    if parts:
        columns = list(zip(*parts, strict=True))
        for table, count in zip(columns[0], (pool.map if pool else map)(_write_without, *columns), strict=True):
            left[table] += count
    return left


def _write_without(table: str, part: Path, target: Path, lines: npt.NDArray[np.int64]) -> int:
    rows = without_lines(pq.read_table(part), lines)
    if len(rows):
        write_rows(rows, target, table)
    return len(rows)


def _write_collapsed(job: Job, lines: npt.NDArray[np.int64], first: npt.NDArray[np.int64], path: Path) -> None:
    with pq.ParquetWriter(path, COLLAPSED_SCHEMA, **PARQUET) as writer:
        for start in range(0, len(lines), _LINES_AT_ONCE):
            part = slice(start, start + _LINES_AT_ONCE)
            files = pa.repeat(job.file, len(lines[part]))
            writer.write_table(collapsed_table(job.source, files, lines[part], first[part]))
