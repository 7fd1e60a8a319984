"""The relational engine, through Ibis: DuckDB on one machine, Spark on a cluster.

Task expressions are written once and run on either. Results come back as Arrow tables in an order that the
caller names, so that nothing downstream can see which engine ran.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

import pyarrow as pa

from ecinstruct_build.errors import UserError
from ecinstruct_build.lazily import ibis, ir
from ecinstruct_build.tables import TABLES

EngineName = Literal["duckdb", "spark"]


@dataclass(frozen=True)
class EngineSettings:
    """How the engine may use the machine; none of it changes a result.

    Attributes
    ----------
    name
        ``duckdb`` or ``spark``.
    memory_limit
        Memory before spilling to disk, such as ``2GB``.
    threads
        Worker threads.
    spill
        Folder for temporary files.
    """

    name: EngineName = "duckdb"
    memory_limit: str = "1GB"
    threads: int = 2
    spill: Path | None = None


class Tables(Mapping[str, "ir.Table"]):
    """The canonical tables as Ibis tables on one engine.

    A canonical table that no source of the recipe fills is there, empty. Expressions are not to be cached
    (``.cache()``): Ibis 12 cannot drop what it cached with the SQL generator that DuckDB 2 and Spark 4 need.
    """

    def __init__(self, backend: Any, tables: Mapping[str, ir.Table]) -> None:
        self._backend = backend
        self._tables = tables

    def __getitem__(self, name: str) -> ir.Table:
        return self._tables[name]

    def __iter__(self) -> Any:
        return iter(self._tables)

    def __len__(self) -> int:
        return len(self._tables)

    def fetch(self, expression: ir.Table, by: Sequence[str]) -> pa.Table:
        """Run ``expression`` and return its rows ordered by the columns ``by``.

        ``by`` must determine the order completely (a key, or all columns); bytes decide, nulls come last.
        """
        result = self._backend.to_pyarrow(expression)
        if result.num_rows < 2:
            return result
        return result.sort_by([(name, "ascending") for name in by]).combine_chunks()

    def count(self, expression: ir.Table) -> int:
        """Return the number of rows of ``expression``."""
        return int(self._backend.execute(expression.count()))

    def lend(self, rows: pa.Table) -> ir.Table:
        """Hand drawn rows (keys, as a rule) back to the engine, to join the rest onto them."""
        return ibis.memtable(rows)


class Engine:
    """A connection to one engine; use it as a context manager."""

    def __init__(self, settings: EngineSettings) -> None:
        self.settings = settings
        self._spark = _spark_session(settings) if settings.name == "spark" else None
        self._backend: Any = ibis.pyspark.connect(self._spark) if self._spark else _connect_duckdb(settings)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._backend.disconnect()

    def tables(self, parts: Mapping[str, Sequence[Path]]) -> Tables:
        """Open canonical tables.

        Parameters
        ----------
        parts
            Parquet files by canonical table name; tables left out are empty.
        """
        opened = {}
        for name, table in TABLES.items():
            files = sorted(str(path) for path in parts.get(name, ()))
            opened[name] = self._read(name, files) if files else ibis.memtable(table.schema.empty_table())
        return Tables(self._backend, opened)

    def _read(self, name: str, files: list[str]) -> ir.Table:
        if self._spark is None:
            return self._backend.read_parquet(files, table_name=name)
        self._spark.read.parquet(*files).createOrReplaceTempView(name)
        return self._backend.table(name)


def _connect_duckdb(settings: EngineSettings) -> Any:
    backend = ibis.duckdb.connect(threads=settings.threads, memory_limit=settings.memory_limit)
    backend.con.execute("SET enable_progress_bar = false")  # it would write to standard output
    if settings.spill is not None:
        settings.spill.mkdir(parents=True, exist_ok=True)
        folder = str(settings.spill).replace("'", "''")
        backend.con.execute(f"SET temp_directory = '{folder}'")
    return backend


def _spark_session(settings: EngineSettings) -> Any:
    try:
        from pyspark import SparkConf  # noqa: PLC0415 (an extra, and slow to import)
        from pyspark.sql import SparkSession  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise UserError(
            "The Spark engine is not installed. Install the extra with: pip install 'ecinstruct-build[spark]' "
            "(it also needs Java 17), or use the duckdb engine."
        ) from error
    master = SparkConf().get("spark.master", f"local[{settings.threads}]")
    session = (
        SparkSession.builder.appName("ecinstruct-build")
        .master(master)
        .config("spark.ui.enabled", "false")
        .config("spark.sql.shuffle.partitions", 2 * settings.threads)
        .config("spark.ui.showConsoleProgress", "false")
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.sql.execution.arrow.pyspark.enabled", "true")
        .config("spark.driver.memory", settings.memory_limit.lower().removesuffix("b"))
        .getOrCreate()
    )
    session.sparkContext.setLogLevel("ERROR")
    return session
