"""Small canonical tables written by hand, for the tests of tasks."""

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import ibis
import pyarrow.parquet as pq

from ecinstruct_build.engine import Engine, EngineName, EngineSettings, Tables
from ecinstruct_build.tables import TABLES, arrow_table

Row = dict[str, Any]


def table_rows(name: str, rows: Iterable[Row]) -> list[Row]:
    """Complete rows of a canonical table: origin, locale and catalogue where a row does not say."""
    filled = []
    for line, row in enumerate(rows, start=1):
        usual: Row = {"source": "corpus", "file": f"{name}.jsonl", "line": line, "locale": "us"}
        if "catalogue" in TABLES[name].schema.names:
            usual["catalogue"] = row.get("source", "corpus")
        filled.append({**usual, **row})
    return filled


def write(folder: Path, world: Mapping[str, Sequence[Row]], shuffle: int | None = None) -> dict[str, list[Path]]:
    """Write tables as Parquet; ``shuffle`` puts their rows in another order and in two files."""
    parts = {}
    for name, given in world.items():
        rows = list(given)
        if shuffle is not None:
            random.Random(shuffle).shuffle(rows)
        cut = len(rows) // 2 if shuffle is not None else 0
        paths = []
        for number, part in enumerate((rows[:cut], rows[cut:])):
            if part:
                path = folder / f"{name}-{shuffle}-{number}.parquet"
                columns = {key: [row.get(key) for row in part] for key in TABLES[name].schema.names}
                pq.write_table(arrow_table(name, columns), path)
                paths.append(path)
        parts[name] = paths
    return parts


@cache
def duckdb() -> ibis.BaseBackend:
    """Return a connection for all tests that leave nothing in it."""
    return ibis.duckdb.connect(threads=1)


@contextmanager
def opened(
    folder: Path, world: Mapping[str, Sequence[Row]], shuffle: int | None = None, engine: EngineName = "duckdb"
) -> Iterator[Tables]:
    """Open tables on an engine."""
    with Engine(EngineSettings(name=engine)) as running:
        yield running.tables(write(folder, world, shuffle))
