"""What the tests of ingest share: a plain source of its own, and a call that collects everything written."""

import hashlib
import tempfile
from collections.abc import Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from ecinstruct_build.ingesting.ingest import IngestCounts, ingest_file
from ecinstruct_build.ingesting.readers import Limits
from ecinstruct_build.source import Batch, FileKind, Format, Source
from ecinstruct_build.tables import arrow_table

# Syncing to a disk is what takes the time here, so memory is used where the system offers it as a folder.
_FAST = "/dev/shm" if Path("/dev/shm").is_dir() else None


class Item(msgspec.Struct):
    id: int
    title: str | None = None


def convert_items(batch: Batch) -> Mapping[str, pa.Table]:
    columns = {
        "product_id": [f"item:{record.id}" for record in batch.records],
        "title": [record.title for record in batch.records],
        "price": [str(record.id) for record in batch.records],
        "locale": ["us"] * len(batch.records),
        **batch.origin(),
    }
    return {"product": arrow_table("product", columns)}


def plain_source(form: Format, encoding: str = "utf-8", columns: tuple[str, ...] = ()) -> Source:
    """A source of items whose files have any name."""
    kind = FileKind(".*", form, Item, ("product",), convert_items, "items", encoding, columns)
    return Source("plain", "", "", "", "", redistributable=True, citation="", files=(kind,))


@dataclass
class Ingested:
    """Everything that one call wrote."""

    counts: IngestCounts
    files: Mapping[str, str]
    tables: Mapping[str, list[dict[str, Any]]]
    reported: list[int] = field(default_factory=list)

    @property
    def quarantine(self) -> list[tuple[int, str]]:
        return [(row["line"], row["reason"]) for row in self.tables["quarantine"]]

    @property
    def collapsed(self) -> list[tuple[int, int]]:
        return [(row["line"], row["first_line"]) for row in self.tables["collapsed"]]

    def lines(self, table: str = "product") -> list[int]:
        return [row["line"] for row in self.tables.get(table, [])]


def collect(out: Path, counts: IngestCounts, reported: list[int]) -> Ingested:
    paths = sorted(path for path in out.rglob("*") if path.is_file())
    files = {path.relative_to(out).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}
    tables: dict[str, list[dict[str, Any]]] = {}
    for path in paths:
        name = path.stem if path.parent == out else path.parent.name
        tables.setdefault(name, []).extend(pq.read_table(path, partitioning=None).to_pylist())
    return Ingested(counts, files, tables, reported)


def ingest(
    path: Path, source: Source, file: str, pool: Executor | None = None, limits: Limits | None = None
) -> Ingested:
    """Ingest a file from scratch and collect what was written."""
    with tempfile.TemporaryDirectory(dir=_FAST) as place:
        reported: list[int] = []
        out = Path(place, "out")
        counts = ingest_file(path, source, file, out, Path(place, "scratch"), pool, reported.append, limits)
        return collect(out, counts, reported)


def ingest_bytes(
    data: bytes,
    source: Source,
    name: str = "items",
    pool: Executor | None = None,
    limits: Limits | None = None,
) -> Ingested:
    """Ingest a file with this content."""
    with tempfile.TemporaryDirectory(dir=_FAST) as place:
        path = Path(place, name)
        path.write_bytes(data)
        return ingest(path, source, name, pool, limits)
