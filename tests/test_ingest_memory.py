"""What a file holds at most in memory, whatever it holds: measured in a process of its own."""

import gzip
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

pytestmark = pytest.mark.slow

_PROGRAM = """
import json, os, sys
from dataclasses import asdict
from pathlib import Path
from ecinstruct_build.ingesting.bundle import ingest_bundle
from ecinstruct_build.ingesting.ingest import ingest_file
from ecinstruct_build.memory import peak_of
from ingesting import plain_source
folder, source = Path(sys.argv[1]), plain_source("jsonl")
path, file, places = folder / "items.jsonl.gz", "items.jsonl.gz", (folder / "out", folder / "scratch")
if sys.argv[2] == "alone":
    counts = ingest_file(path, source, file, *places, None, lambda _: None)
else:
    [counts] = ingest_bundle([(path, file)], source, *places)
print(json.dumps({"peak": peak_of(os.getpid()) >> 20, **asdict(counts)}))
"""
_MOST = 700  # MiB; Python with Arrow and pandas takes about 200 of them


def ingested(folder: Path, how: str = "alone") -> dict[str, Any]:
    """Ingest the file in a folder in another process; return the counts, and the memory that it took in MiB.

    It is ingested ``alone`` or as one of a ``bundle`` of small files.
    """
    told = subprocess.run(
        [sys.executable, "-c", _PROGRAM, str(folder), how],
        cwd=Path(__file__).parent,
        check=True,
        capture_output=True,
        timeout=300,
    )
    return dict(json.loads(told.stdout))


@pytest.mark.parametrize(("mebibytes", "piece"), [(100, b"x"), (2048, b"\0")], ids=["long line", "bomb"])
def test_a_line_of_any_length_is_quarantined_and_its_neighbours_are_read(
    tmp_path: Path, mebibytes: int, piece: bytes
) -> None:
    with gzip.open(tmp_path / "items.jsonl.gz", "wb", compresslevel=1) as file:
        file.write(b'{"id": 1}\n{"id": 2, "title": "')
        for _ in range(mebibytes):
            file.write(piece * (1 << 20))
        file.write(b'"}\n{"id": 3}\n')
    found = ingested(tmp_path)
    assert (found["records"], found["ingested"]) == (3, 2)
    assert list(found["reasons"]) == ["longer than 67108864 bytes"]
    rows = [row for part in (tmp_path / "out" / "product").glob("*") for row in pq.read_table(part).to_pylist()]
    assert sorted(row["line"] for row in rows) == [1, 3]
    assert 0 < found["peak"] < _MOST


def test_millions_of_tiny_lines_are_counted_in_bounded_memory(tmp_path: Path) -> None:
    with gzip.open(tmp_path / "items.jsonl.gz", "wb", compresslevel=1) as file:
        for _ in range(6):
            file.write(b"{}\n" * 1_000_000)
    found = ingested(tmp_path)
    assert (found["records"], found["quarantined"]) == (6_000_000, 6_000_000)
    assert 0 < found["peak"] < _MOST


def test_a_small_file_of_line_ends_alone_takes_no_more(tmp_path: Path) -> None:
    with gzip.open(tmp_path / "items.jsonl.gz", "wb", compresslevel=1) as file:
        file.write(b"\n" * (2 << 20))
    alone, bundled = (ingested(tmp_path, how)["peak"] for how in ("alone", "bundle"))
    assert 0 < bundled < 1.5 * alone
