"""Fetch and ingest, wrapped for the store: from upstream files to canonical tables."""

import multiprocessing
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, Executor, ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any

from ecinstruct_build.engine import Engine, EngineSettings, Tables
from ecinstruct_build.errors import UserError
from ecinstruct_build.file_digests import identities_of, refuse_changed
from ecinstruct_build.memory import peak_of
from ecinstruct_build.provenance import code_digest, own_digest
from ecinstruct_build.recipe import Recipe
from ecinstruct_build.registry import SOURCES
from ecinstruct_build.source import FileKind, Source
from ecinstruct_build.stages.bundles import Unit, units_of
from ecinstruct_build.stages.machine import Machine
from ecinstruct_build.stages.raw_files import find_files
from ecinstruct_build.stages.workers import Workers
from ecinstruct_build.store import Stage

if TYPE_CHECKING:
    from ecinstruct_build.ingesting.ingest import IngestCounts


@dataclass(frozen=True)
class IngestedFile:
    """One upstream file, ingested.

    Attributes
    ----------
    source, file
        Adapter name; path relative to the corpus's folder.
    kind
        The kind of file, as the recipe configures its source.
    bytes, sha256
        Of the upstream file.
    stage
        The stored result: ``<table>/part-*.parquet``, quarantine, collapsed lines, counts as facts. Many small files
        share one: its rows say in ``file`` which they came from.
    """

    source: str
    file: str
    kind: FileKind
    bytes: int
    sha256: str
    stage: Stage

    @property
    def facts(self) -> Mapping[str, Any]:
        """What became of its records, as `ecinstruct_build.ingesting.ingest.IngestCounts` describes it."""
        return dict(self.stage.facts["files"][self.file])

    def parts(self, table: str) -> list[Path]:
        """Return the Parquet files with the rows that its stage added to a canonical table."""
        return parts_of(self.stage, table)


def parts_of(stage: Stage, table: str) -> list[Path]:
    """Return the Parquet files that an ingest stage added to a canonical table."""
    return sorted((stage.folder / table).glob("part-*.parquet"))


def stages_of(files: Iterable[IngestedFile]) -> list[Stage]:
    """Return the stages of files, each once."""
    return list({file.stage.folder: file.stage for file in files}.values())


def sample_corpora(recipe: Recipe, machine: Machine) -> Path:
    """Generate the recipe's sample corpora and return their folder."""
    settings = recipe.sample_corpora
    if settings is None:
        raise UserError(
            f"Recipe '{recipe.name}' builds from real corpora: say where they are with --raw FOLDER (make: RAW=...), "
            "a folder that holds upstream files under <source>/<upstream name>. With --fetch (make: FETCH=1) they are "
            "fetched into it."
        )

    def produce(out: Path, _scratch: Path) -> Mapping[str, Any]:
        from ecinstruct_build.sample_corpora import write_sample_corpora  # noqa: PLC0415 - most builds need none

        with machine.progress.track("sample corpora"):
            write_sample_corpora(
                out / "raw", scale=settings.scale, seed=settings.seed, jobs=machine.jobs, sources=sorted(recipe.sources)
            )
        return {}

    inputs = {
        **settings.model_dump(),
        "sources": sorted(recipe.sources),
        "code": code_digest("ecinstruct_build.sample_corpora"),
        "wrapper": own_digest(__name__),
    }
    return machine.store.run("sample_corpora", recipe.name, inputs, produce).folder / "raw"


@dataclass(frozen=True)
class Ingested:
    """All files of a build.

    Attributes
    ----------
    files
        The files, by source and name.
    worker_bytes
        Memory that the worker processes held together at their largest; 0 where none ran.
    """

    files: list[IngestedFile]
    worker_bytes: int


def ingest(recipe: Recipe, raw: Path, machine: Machine) -> Ingested:
    """Ingest every file of the recipe's sources.

    Raises
    ------
    UserError
        If a file is unreadable, or the share of malformed records in one passes the recipe's limit.
    """
    units = units_of(find_files(recipe, raw), raw)
    with ExitStack() as stack:
        pool = Workers(stack, machine.jobs)
        work = partial(_ingest_unit, recipe, raw, machine=machine, pool=pool)
        files = [file for found in _side_by_side(work, units, machine.jobs) for file in found]
        worker_bytes = sum(peak_of(worker.pid or 0) for worker in multiprocessing.active_children())
    files.sort(key=lambda file: (file.source, file.file))
    for file in files:
        _refuse_rotten_file(file, recipe.limits.quarantined_share)
    return Ingested(files, worker_bytes)


class _Stopped(Exception):  # noqa: N818 - no error: another file's failure ended the work on this one
    """Work that is given up."""


def _side_by_side(
    work: Callable[[Unit, Callable[[], None]], list[IngestedFile]], units: Sequence[Unit], jobs: int
) -> list[list[IngestedFile]]:
    """Work on as many units at a time as there are workers; a thread feeds the workers and waits for them.

    One more thread digests what comes next and puts away what is done, so that no worker waits for that.
    """
    if jobs == 1:
        return [work(unit, lambda: None) for unit in units]
    stopped = Event()

    def go_on() -> None:
        if stopped.is_set():
            raise _Stopped

    with ThreadPoolExecutor(jobs + 1) as threads:
        futures = [threads.submit(work, unit, go_on) for unit in units]
        try:
            wait(futures, return_when=FIRST_EXCEPTION)
        finally:
            stopped.set()
            threads.shutdown(cancel_futures=True)
    failed = [error for future in futures if not future.cancelled() and (error := future.exception())]
    for error in failed:
        if not isinstance(error, _Stopped):
            raise error
    return [future.result() for future in futures]


def _ingest_unit(
    recipe: Recipe, raw: Path, unit: Unit, go_on: Callable[[], None], *, machine: Machine, pool: Workers
) -> list[IngestedFile]:
    go_on()
    source, folder = recipe.source(unit.source), raw / unit.source
    paths = [folder / file for file in unit.files]
    standing = identities_of(paths)
    digests = machine.store.known_digests(paths)
    if digests is None:
        pool.start()  # files that were never seen are hardly ingested yet: workers start while they are digested
        digests = machine.store.file_digests(paths, go_on)
        refuse_changed(standing)
    sizes = [path.stat().st_size for path in paths]

    def produce(out: Path, scratch: Path) -> Mapping[str, Any]:
        from ecinstruct_build.ingesting.unseen import unseen_columns  # noqa: PLC0415 - stored results need no reader

        with machine.progress.track(f"ingest {unit.name}", sum(sizes)) as advance:

            def advanced(steps: int) -> None:
                go_on()
                refuse_changed(standing)  # before what was read is worked on: it would be resumed from later
                advance(steps)

            try:
                counts = _ingest(source, list(zip(paths, unit.files, strict=True)), out, scratch, pool(), advanced)
                kinds = [_kind_of(source, file) for file in unit.files]
                unseen = list(map(unseen_columns, paths, kinds))
            finally:
                refuse_changed(standing)  # also where what was read made no sense
        return {
            "files": {file: asdict(count) for file, count in zip(unit.files, counts, strict=True)},
            "unseen": dict(zip(unit.files, unseen, strict=True)),
        }

    readers = (f"ecinstruct_build.ingesting.{name}" for name in ("bundle", "unseen"))
    modules = (SOURCES.module(unit.source).__name__, *readers)
    code = [*map(code_digest, modules), own_digest(__name__)]
    inputs: dict[str, Any] = {"sha256": dict(zip(unit.files, digests, strict=True)), "code": code}
    if source.configure:
        inputs["settings"] = recipe.sources[unit.source].of_records()
    stage = machine.store.run("ingest", unit.name, inputs, produce)
    return [
        IngestedFile(unit.source, file, _kind_of(source, file), size, digest, stage)
        for file, size, digest in zip(unit.files, sizes, digests, strict=True)
    ]


def _ingest(  # noqa: PLR0917 - as `ingest_file` takes them
    source: Source,
    files: Sequence[tuple[Path, str]],
    out: Path,
    scratch: Path,
    pool: Executor | None,
    advance: Callable[[int], None],
) -> "list[IngestCounts]":
    """Ingest one file with all workers, or several small ones with one of them."""
    from ecinstruct_build.ingesting.bundle import ingest_bundle  # noqa: PLC0415 - stored results need no reader
    from ecinstruct_build.ingesting.ingest import ingest_file  # noqa: PLC0415

    if len(files) == 1:
        path, file = files[0]
        return [ingest_file(path, source, file, out, scratch, pool, advance)]
    counts = (
        pool.submit(ingest_bundle, files, source, out, scratch).result()
        if pool
        else ingest_bundle(files, source, out, scratch)
    )
    advance(sum(path.stat().st_size for path, _ in files))
    return counts


def _kind_of(source: Source, file: str) -> FileKind:
    found = source.kind_of(file)
    if found is None:
        raise ValueError(f"{file} is no file of {source.name}")
    return found[0]


def _refuse_rotten_file(file: IngestedFile, limit: float) -> None:
    facts = file.facts
    if facts["quarantined"] > limit * max(1, facts["records"]):
        reason, count = max(facts["reasons"].items(), key=lambda pair: (pair[1], pair[0]))
        raise UserError(
            f"{file.source}/{file.file}: {facts['quarantined']:,} of {facts['records']:,} records are malformed, more "
            f"than the recipe's limit of {limit:.1%}. Most often: {reason} ({count:,} times). See "
            f"{file.stage.folder / 'quarantine.parquet'}; mend or fetch the file again, or raise "
            "limits.quarantined_share."
        )


class OpenTables:
    """The canonical tables of a build, opened on the engine when first asked for."""

    def __init__(self, files: Sequence[IngestedFile], settings: EngineSettings, stack: ExitStack) -> None:
        self._stages, self._settings, self._stack = stages_of(files), settings, stack
        self._tables: Tables | None = None

    def digests(self, names: Sequence[str]) -> dict[str, list[str]]:
        """Return the content digests of the files that fill each table."""
        return {name: sorted(stage.digest for stage in self._stages if parts_of(stage, name)) for name in names}

    def open(self) -> Tables:
        """Return the tables, connecting to the engine if that has not happened."""
        if self._tables is None:
            engine = self._stack.enter_context(Engine(self._settings))
            names = sorted({path.name for stage in self._stages for path in stage.folder.iterdir() if path.is_dir()})
            self._tables = engine.tables(
                {name: [part for stage in self._stages for part in parts_of(stage, name)] for name in names}
            )
        return self._tables


@contextmanager
def canonical_tables(files: Sequence[IngestedFile], machine: Machine) -> Iterator[OpenTables]:
    """Offer the canonical tables, and close the engine afterwards if it was opened."""
    with ExitStack() as stack:
        yield OpenTables(files, machine.engine, stack)
