"""Generated corpora of all sources: written only when asked for, and read by their adapters as the ledger says."""

import hashlib
from collections import Counter
from pathlib import Path

import pytest
from building import call_command
from ingesting import ingest
from sharing import made_once

from ecinstruct_build.errors import UserError
from ecinstruct_build.registry import SOURCES
from ecinstruct_build.sample_corpora import LEDGER, USUAL, Summary, write_sample_corpora, written_sources
from ecinstruct_build.sample_corpora.ledger import Entry, decode
from ecinstruct_build.tables import TABLES

SCALE = 0.25
DESCRIBED_BY_THE_RECIPE = {"catalogue"}


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> Summary:
    """The generated corpora of all sources."""

    def make(folder: Path) -> Summary:
        return write_sample_corpora(folder / "corpora", scale=SCALE, jobs=1, sources=written_sources())

    return made_once(tmp_path_factory, "every_source", make)


@pytest.fixture(scope="module")
def ledger(everything: Summary) -> list[Entry]:
    return decode((everything.out / LEDGER).read_bytes())


def digests(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != LEDGER)
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_there_are_corpora_of_every_source_and_only_the_usual_ones_unless_asked_for(
    everything: Summary, tmp_path: Path
) -> None:
    assert written_sources() == sorted(set(SOURCES.names()) - DESCRIBED_BY_THE_RECIPE)
    usual = digests(write_sample_corpora(tmp_path / "usual", scale=SCALE, jobs=1).out)
    assert {file.partition("/")[0] for file in usual} == set(USUAL)
    assert usual.items() <= digests(everything.out).items()


def test_a_source_that_is_not_written_is_refused_with_the_nearest_name(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="amazon_m2"):
        write_sample_corpora(tmp_path / "out", scale=SCALE, sources=["amazon_m3"])
    assert not (tmp_path / "out").exists()


def test_the_command_writes_the_sources_that_it_is_told(tmp_path: Path) -> None:
    def written(*options: str) -> set[str]:
        call_command("sample-corpora", "corpora", "--scale", "0.01", "--jobs", "1", "--quiet", *options, cwd=tmp_path)
        return {path.name for path in (tmp_path / "corpora").iterdir() if path.is_dir()}

    assert written("--sources", "amazon_m2", "--sources", "oa_mine") == {"amazon_m2", "oa_mine"}
    assert written("--sources", "all") == set(written_sources())
    assert written() == set(USUAL)


@pytest.mark.parametrize("name", written_sources())
def test_its_adapter_reads_what_was_written_and_leaves_out_what_the_ledger_says(
    name: str, everything: Summary, ledger: list[Entry]
) -> None:
    source = SOURCES.get(name)
    rows: Counter[str] = Counter()
    planted = 0
    for path in everything.files:
        folder, _, file = path.partition("/")
        if folder != name:
            continue
        here = [entry for entry in ledger if (entry.source, entry.file) == (name, file)]
        malformed = {entry.line for entry in here if entry.kind == "malformed_line"}
        repeated = {entry.line for entry in here if entry.kind == "exact_duplicate_line"}
        read = ingest(everything.out / path, source, file)
        assert {line for line, _ in read.quarantine} == malformed, file
        assert {line for line, _ in read.collapsed} == repeated, file
        counts = read.counts
        assert counts.records == counts.ingested + len(malformed) + len(repeated), file
        planted += len(malformed)
        rows.update({table: len(read.lines(table)) for table in TABLES})
    assert sum(rows.values())
    if name not in USUAL:
        assert planted, "nothing malformed was planted"
        assert all(rows[table] for table in source.tables)
