"""Nothing disappears, and neither workers, block sizes nor kills change a byte."""

import gzip
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ingesting import Ingested, collect, ingest_bytes, plain_source

from ecinstruct_build.ingesting.ingest import IngestCounts, ingest_file
from ecinstruct_build.ingesting.readers import Limits, read_blocks
from ecinstruct_build.ingesting.repeats import repeated_lines, sorted_digests

SOURCE = plain_source("jsonl")
SMALL = Limits(block_bytes=64, line_bytes=256, slice_bytes=24)

good = st.builds(
    lambda number, title: json.dumps({"id": number, "title": title}).encode(),
    st.integers(0, 5),
    st.none() | st.text(max_size=5),
)
garbage = st.binary(max_size=30).map(lambda data: data.replace(b"\n", b""))
blank = st.sampled_from([b"", b"  ", b"\r"])
too_long = st.just(b'{"id": 1, "title": "' + b"x" * 300 + b'"}')
nearly_too_long = st.integers(254, 258).map(lambda size: b'{"id": 1, "title": "' + b"x" * (size - 22) + b'"}')
any_line = good | garbage | blank | too_long | nearly_too_long


@pytest.fixture(scope="module")
def pool() -> Iterator[Executor]:
    with ProcessPoolExecutor(2) as executor:
        yield executor


def is_item(line: bytes) -> bool:
    try:
        record = json.loads(line)
    except ValueError:
        return False
    return isinstance(record, dict) and type(record.get("id")) is int and len(line) <= 256


def check_every_line_is_accounted_for(lines: list[bytes], done: Ingested) -> None:
    # The file's own lines: a byte order mark before the first is no part of it.
    lines = [lines[0].removeprefix(b"\xef\xbb\xbf"), *lines[1:]] if lines else []
    records = {number for number, line in enumerate(lines, 1) if line.strip()}
    ingested, collapsed = set(done.lines()), dict(done.collapsed)
    quarantined = {line for line, _ in done.quarantine}
    assert done.counts.records == len(records)
    assert ingested | set(collapsed) | quarantined == records
    assert len(ingested) + len(collapsed) + len(quarantined) == len(records)
    assert {number for number in records if is_item(lines[number - 1])} == ingested | set(collapsed)
    for line, first in collapsed.items():
        assert first in ingested
        assert lines[line - 1].rstrip(b"\r") == lines[first - 1].rstrip(b"\r")
    assert len({lines[line - 1].rstrip(b"\r") for line in ingested}) == len(ingested)


@settings(max_examples=60)
@given(st.lists(any_line, max_size=40), st.booleans())
def test_every_line_is_ingested_quarantined_or_collapsed(lines: list[bytes], last_newline: bool) -> None:
    done = ingest_bytes(b"\n".join(lines) + b"\n" * last_newline, SOURCE, limits=SMALL)
    check_every_line_is_accounted_for(lines, done)


@settings(max_examples=40)
@given(st.lists(any_line, max_size=40), st.integers(16, 3000), st.integers(1, 50), st.integers(1, 3000))
def test_the_size_of_blocks_and_slices_changes_no_row(
    lines: list[bytes], block_bytes: int, block_lines: int, slice_bytes: int
) -> None:
    data = b"\n".join(lines)
    one = ingest_bytes(data, SOURCE, limits=Limits(block_bytes=1 << 20, line_bytes=256))
    many = ingest_bytes(data, SOURCE, limits=Limits(block_bytes, 256, block_lines=block_lines, slice_bytes=slice_bytes))
    assert (many.tables, many.counts) == (one.tables, one.counts)


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(any_line, max_size=60))
def test_workers_change_no_byte(pool: Executor, lines: list[bytes]) -> None:
    data = gzip.compress(b"\n".join(lines))
    alone = ingest_bytes(data, SOURCE, "items.gz", limits=SMALL)
    together = ingest_bytes(data, SOURCE, "items.gz", pool, limits=SMALL)
    assert (together.files, together.counts) == (alone.files, alone.counts)


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), max_size=60), st.integers(1, 10), st.integers(1, 9))
def test_repeats_are_found_whatever_is_held_at_once(pairs: list[tuple[int, int]], at_once: int, height: int) -> None:
    scale = 2**62  # spread over the whole range of a digest
    with tempfile.TemporaryDirectory() as place:
        files = []
        for start in range(0, len(pairs), height):
            part = np.array(pairs[start : start + height], dtype=np.uint64).reshape(-1, 2).T * np.uint64(scale)
            files.append(Path(place, f"{start}.npy"))
            np.save(files[-1], sorted_digests(part, np.arange(start + 1, start + 1 + part.shape[1])))
        lines, first = repeated_lines(files, at_once)
    expected = [(line, pairs.index(pair) + 1) for line, pair in enumerate(pairs, 1) if pairs.index(pair) + 1 < line]
    assert list(zip(lines.tolist(), first.tolist(), strict=True)) == expected


def many_lines() -> bytes:
    rng = random.Random(5)
    lines = [json.dumps({"id": rng.randrange(300), "title": rng.choice("abc") * 20}) for _ in range(600)]
    lines[100:500:100] = ["garbage"] * 4
    return gzip.compress("\n".join(lines).encode(), mtime=0)


class Killed(BaseException):
    """Stands for whatever ends a run."""


@pytest.mark.parametrize("workers", [False, True])
def test_a_run_that_is_broken_off_again_and_again_ends_with_the_same_bytes(
    tmp_path: Path, pool: Executor, workers: bool
) -> None:
    path = tmp_path / "items.gz"
    path.write_bytes(many_lines())
    limits = Limits(block_bytes=2048)
    expected = ingest_bytes(many_lines(), SOURCE, "items.gz", limits=limits)
    for breaks in range(1, 1000):
        calls = 0

        def progress(_: int) -> None:
            nonlocal calls
            calls += 1
            if calls == 3 * breaks:  # noqa: B023 - called within this turn
                raise Killed

        chosen = pool if workers else None
        try:
            counts = ingest_file(
                path, SOURCE, path.name, tmp_path / "out", tmp_path / "scratch", chosen, progress, limits
            )
            break
        except Killed:
            continue
    assert breaks > 3
    done = collect(tmp_path / "out", counts, [])
    assert (done.files, done.counts) == (expected.files, expected.counts)


@pytest.mark.parametrize("broken_off", [False, True])
def test_blocks_that_wait_for_a_worker_leave_nothing_behind(tmp_path: Path, pool: Executor, broken_off: bool) -> None:
    path, scratch = tmp_path / "items.gz", tmp_path / "scratch"
    path.write_bytes(many_lines())
    seen = []

    def progress(_: int) -> None:
        seen.append(any(scratch.glob("waiting-*")))
        if broken_off and len(seen) == 6:
            raise Killed

    with pytest.raises(Killed) if broken_off else nullcontext():
        ingest_file(path, SOURCE, path.name, tmp_path / "out", scratch, pool, progress, Limits(block_bytes=2048))
    assert any(seen)
    left = sorted(entry.name for entry in scratch.iterdir())
    assert left
    assert all(name.startswith("block-") for name in left)


def test_finished_blocks_are_not_worked_on_again(tmp_path: Path) -> None:
    path = tmp_path / "items.gz"
    path.write_bytes(many_lines())
    scratch, limits = tmp_path / "scratch", Limits(block_bytes=2048)
    ingest_file(path, SOURCE, path.name, tmp_path / "out", scratch, None, lambda _: None, limits)
    before = {folder: folder.stat().st_ino for folder in scratch.glob("block-*")}
    assert len(before) > 5
    removed = sorted(before)[3]
    for file in removed.iterdir():
        file.unlink()
    removed.rmdir()
    ingest_file(path, SOURCE, path.name, tmp_path / "again", scratch, None, lambda _: None, limits)
    changed = [folder for folder, inode in before.items() if folder.stat().st_ino != inode]
    assert changed in ([removed], [])  # a file system may hand out the same number again
    assert removed.exists()


_CHILD = """
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from ingesting import plain_source
from ecinstruct_build.ingesting.ingest import ingest_file
from ecinstruct_build.ingesting.readers import Limits

place = Path(sys.argv[1])
with ProcessPoolExecutor(2) as pool:
    ingest_file(place / "items.gz", plain_source("jsonl"), "items.gz", place / "out", place / "scratch", pool,
                lambda _: None, Limits(block_bytes=2048))
print("finished")
"""


@pytest.mark.slow
def test_a_process_killed_at_random_moments_ends_with_the_same_bytes(tmp_path: Path) -> None:
    path = tmp_path / "items.gz"
    path.write_bytes(many_lines())
    limits = Limits(block_bytes=2048)
    expected = ingest_bytes(many_lines(), SOURCE, "items.gz", limits=limits)
    rng = random.Random(11)
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent)}
    for _ in range(6):
        child = subprocess.Popen([sys.executable, "-c", _CHILD, str(tmp_path)], env=environment, start_new_session=True)
        blocks = rng.randrange(1, 12)
        while child.poll() is None and len(list(tmp_path.glob("scratch/block-*"))) < blocks:
            time.sleep(0.002)
        os.killpg(child.pid, signal.SIGKILL) if child.poll() is None else None
        child.wait()
    counts = ingest_file(path, SOURCE, path.name, tmp_path / "out", tmp_path / "scratch", None, lambda _: None, limits)
    done = collect(tmp_path / "out", counts, [])
    assert (done.files, done.counts) == (expected.files, expected.counts)


def test_a_block_of_tiny_lines_ends_early(tmp_path: Path) -> None:
    path = tmp_path / "items"
    path.write_bytes(b"{}\n" * 300_000)
    blocks = [
        (block.first_line, len(block.data) // 3)
        for block in read_blocks(path, SOURCE.files[0], Limits(block_lines=1000))
    ]
    assert max(lines for _, lines in blocks) < 100_000
    assert [first for first, _ in blocks] == [
        1 + sum(lines for _, lines in blocks[:number]) for number in range(len(blocks))
    ]
    assert sum(lines for _, lines in blocks) == 300_000


def test_counts_that_do_not_add_up_are_refused() -> None:
    with pytest.raises(ValueError, match="add up"):
        IngestCounts(records=3, ingested=1, quarantined=1, collapsed=0, rows={}, reasons={})
