"""What holds for every source, found by name: a new one is tested by being there, with a folder of fixture files."""

from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from configured import FIXTURES, files_of, source_of
from ingesting import ingest

from ecinstruct_build.ingesting.ingest import ingest_file
from ecinstruct_build.ingesting.readers import Limits
from ecinstruct_build.registry import SOURCES
from ecinstruct_build.tables import TABLES

NAMES = SOURCES.names()
SMALL = Limits(block_bytes=512, line_bytes=1 << 20, batch_rows=2)
CASES = [(name, file) for name in NAMES for file in files_of(name)]


@pytest.fixture(scope="module")
def pool() -> Iterator[Executor]:
    with ProcessPoolExecutor(2) as executor:
        yield executor


@pytest.mark.parametrize("name", NAMES)
def test_a_source_has_a_card_and_a_fixture_of_every_kind(name: str) -> None:
    source = source_of(name)
    assert source.name == name
    for said in (source.title, source.summary, source.licence, source.citation, SOURCES.module(name).__doc__):
        assert said
        assert said.strip() == said or said == SOURCES.module(name).__doc__
    assert source.homepage.startswith("https://")
    kinds = [found[0] for file in files_of(name) if (found := source.kind_of(file))]
    assert {kind.pattern for kind in kinds} == {kind.pattern for kind in source.files}


@pytest.mark.parametrize("name", NAMES)
def test_a_kind_matches_its_own_example_first(name: str) -> None:
    source = source_of(name)
    for kind in source.files:
        found = source.kind_of(kind.example)
        assert found is not None
        assert found[0] is kind


@pytest.mark.parametrize(("name", "file"), CASES)
def test_a_file_fills_the_tables_that_it_declares_and_every_record_is_accounted_for(name: str, file: str) -> None:
    source = source_of(name)
    found = source.kind_of(file)
    assert found is not None, "a fixture that is of no kind"
    done = ingest(FIXTURES / name / file, source, file)
    counts = done.counts
    assert counts.records == counts.ingested + counts.quarantined + counts.collapsed
    assert sum(counts.reasons.values()) == counts.quarantined == len(done.quarantine)
    assert counts.collapsed == len(done.collapsed)
    assert counts.ingested > 0
    assert set(done.tables) <= {*found[0].tables, "quarantine", "collapsed"}
    assert dict(counts.rows) == {table: len(done.tables.get(table, [])) for table in found[0].tables}
    for table in found[0].tables:
        for row in done.tables.get(table, []):
            assert (row["source"], row["file"]) == (name, file)


@pytest.mark.parametrize("name", NAMES)
def test_the_fixtures_fill_every_table_that_the_source_declares(name: str) -> None:
    source = source_of(name)
    filled = {
        table
        for file in files_of(name)
        for table, rows in ingest(FIXTURES / name / file, source, file).counts.rows.items()
        if rows
    }
    assert filled == set(source.tables)


@pytest.mark.parametrize(("name", "file"), CASES)
def test_what_is_written_has_the_canonical_schema_without_forbidden_nulls(name: str, file: str, tmp_path: Path) -> None:
    ingest_file(FIXTURES / name / file, source_of(name), file, tmp_path / "o", tmp_path / "s", None, lambda _: None)
    for part in tmp_path.glob("o/*/part-*.parquet"):
        schema = TABLES[part.parent.name].schema
        table = pq.read_table(part, partitioning=None)
        assert table.schema.equals(schema)
        for field in schema:
            assert field.nullable or table[field.name].null_count == 0, field.name


@pytest.mark.parametrize(("name", "file"), CASES)
def test_bytes_depend_on_the_file_only(name: str, file: str, pool: Executor) -> None:
    path, source = FIXTURES / name / file, source_of(name)
    once = ingest(path, source, file, limits=SMALL)
    again = ingest(path, source, file, limits=SMALL)
    in_processes = ingest(path, source, file, pool, limits=SMALL)
    assert once.files == again.files == in_processes.files
    assert once.counts == again.counts == in_processes.counts


@pytest.mark.parametrize(("name", "file"), CASES)
def test_a_files_folder_does_not_matter_for_what_it_holds(name: str, file: str) -> None:
    source = source_of(name)
    if source.configure:
        pytest.skip("the recipe says where its files stand")
    elsewhere = f"copied/{file}"
    assert source.kind_of(elsewhere) == source.kind_of(file)
