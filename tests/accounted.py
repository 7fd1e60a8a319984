"""Ingest a file of any content, and check what holds for any content: of every record it is said what became of it."""

import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq

from ecinstruct_build.ingesting.ingest import IngestCounts, ingest_file
from ecinstruct_build.ingesting.readers import Limits
from ecinstruct_build.source import Source
from ecinstruct_build.tables import TABLES

FAST = "/dev/shm" if Path("/dev/shm").is_dir() else None
"""Syncing to a disk is what takes the time here, so memory is used where the system offers it as a folder."""


@dataclass(frozen=True)
class Accounted:
    """What became of a file's records: the counts, and the lines of those that were set aside."""

    counts: IngestCounts
    quarantined: Sequence[int]
    collapsed: Sequence[int]


def accounted(data: bytes, source: Source, file: str, limits: Limits | None = None) -> Accounted:
    """Ingest a file with this content, and check what holds for any content."""
    with tempfile.TemporaryDirectory(dir=FAST) as place:
        path, out = Path(place, "data"), Path(place, "out")
        path.write_bytes(data)
        counts = ingest_file(path, source, file, out, Path(place, "scratch"), None, lambda _: None, limits)
        found = source.kind_of(file)
        assert found is not None
        kind = found[0]
        last = pq.ParquetFile(path).metadata.num_rows if kind.format == "parquet" else data.count(b"\n") + 1
        quarantine = pq.ParquetFile(out / "quarantine.parquet").read()
        quarantined, collapsed = quarantine["line"].to_pylist(), _lines_of(out / "collapsed.parquet")
        rows: dict[str, int] = dict.fromkeys(kind.tables, 0)
        given: set[int] = set()
        for part in sorted(out.glob("*/part-*.parquet")):
            table = pq.ParquetFile(part).read()
            schema = TABLES[part.parent.name].schema
            table.validate(full=True)
            assert table.schema.equals(schema)
            assert not any(table[column.name].null_count for column in schema if not column.nullable)
            rows[part.parent.name] += len(table)
            given.update(table["line"].to_pylist())
        assert dict(counts.rows) == rows
        assert counts.records == counts.ingested + counts.quarantined + counts.collapsed
        assert (counts.quarantined, counts.collapsed) == (len(quarantined), len(collapsed))
        aside = {*quarantined, *collapsed}
        assert len(aside) == len(quarantined) + len(collapsed)
        assert not aside & given
        assert all(1 <= line <= last for line in aside | given)
        assert len(given) <= counts.ingested
        for reason in quarantine["reason"].unique().to_pylist():
            assert re.fullmatch(r"[^\x00-\x1f\x7f-\x9f\u2028\u2029]{1,200}", reason), reason
            assert "object at 0x" not in reason
        if kind.format in {"jsonl", "python", "lines"}:
            lines = data.removeprefix(b"\xef\xbb\xbf").split(b"\n")
            assert counts.records == sum(bool(line.strip()) for line in lines)
        return Accounted(counts, quarantined, collapsed)


def _lines_of(path: Path) -> list[int]:
    found = pq.ParquetFile(path).read(["line"])["line"]
    return list(found.to_pylist())
