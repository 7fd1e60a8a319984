"""Small canonical tables written by hand, for the tests of tasks."""

import random
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache, lru_cache
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


@cache
def _shared() -> tuple[Engine, Tables]:
    """Return an engine for all tests and its tables without a row, which writes the SQL of equal queries once.

    To start an engine and to write SQL takes far longer than to run what tests ask.
    """
    engine = Engine(EngineSettings())
    write_sql = engine._backend.compile

    @lru_cache(maxsize=1000)
    def written(query: Any, limit: int | None) -> str:
        return str(write_sql(query.to_expr(), limit=limit))

    engine._backend.compile = lambda query, *, limit=None, params=None: written(query.op(), limit)
    return engine, engine.tables({})


@contextmanager
def opened(
    folder: Path, world: Mapping[str, Sequence[Row]], shuffle: int | None = None, engine: EngineName = "duckdb"
) -> Iterator[Tables]:
    """Open tables on an engine."""
    parts = write(Path(tempfile.mkdtemp(dir=folder)), world, shuffle)  # DuckDB may remember what it read of a path
    if engine == "duckdb":
        running, empty = _shared()
        filled = {name: table for name, table in running.tables(parts).items() if parts.get(name)}
        yield Tables(running._backend, {**empty, **filled})
    else:
        with Engine(EngineSettings(name=engine)) as running:
            yield running.tables(parts)
