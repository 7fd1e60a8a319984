"""Many small files are ingested together: every record fares as if its file had been ingested on its own."""

import gzip
import json
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from configured import FIXTURES, files_of, source_of
from hypothesis import given, settings
from hypothesis import strategies as st
from ingesting import collect, plain_source
from ingesting import ingest as ingest_alone
from tiny_reviews import SOURCE, machine_at, recipe_of, review

from ecinstruct_build.engine import EngineSettings
from ecinstruct_build.errors import UserError
from ecinstruct_build.explain import explain
from ecinstruct_build.ingesting.bundle import ingest_bundle
from ecinstruct_build.ingesting.readers import Limits
from ecinstruct_build.pipeline import run_stages
from ecinstruct_build.progress import Silence
from ecinstruct_build.registry import SOURCES
from ecinstruct_build.source import Source
from ecinstruct_build.stages.bundles import Unit, units_of
from ecinstruct_build.stages.corpora import Ingested, ingest
from ecinstruct_build.stages.machine import Machine
from ecinstruct_build.store import Store

ITEMS = plain_source("jsonl")
KINDS = (b'{"id": 1}', b'{"id": 2, "title": "a"}', b'{"id": 3, "title": "' + b"b" * 90 + b'"}', b"garbage", b"{}", b"")
MANY = 40

Contents = Mapping[str, list[dict[str, Any]]]


def by_file(tables: Contents) -> dict[tuple[str, str], list[dict[str, Any]]]:
    found: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for name, rows in tables.items():
        for row in rows:
            found.setdefault((name, row["file"]), []).append(row)
    return found


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.lists(st.sampled_from(KINDS), max_size=12), min_size=1, max_size=6),
    st.integers(60, 600),
    st.integers(1, 30),
)
def test_files_ingested_together_give_what_each_gives_alone(
    files: list[list[bytes]], block_bytes: int, block_lines: int
) -> None:
    limits = Limits(block_bytes=block_bytes, line_bytes=200, block_lines=block_lines)
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as name:
        place = Path(name)
        pairs = [(place / f"items_{number}", f"items_{number}") for number in range(len(files))]
        for (path, _), lines in zip(pairs, files, strict=True):
            path.write_bytes(b"\n".join(lines))
        source = any_items()
        counts = ingest_bundle(pairs, source, place / "out", place / "scratch", limits)
        together = by_file(collect(place / "out", counts[0], []).tables)
        expected: dict[tuple[str, str], list[dict[str, Any]]] = {}
        for (path, file), count in zip(pairs, counts, strict=True):
            alone = ingest_alone(path, source, file, limits=limits)
            assert count == alone.counts
            expected.update(by_file(alone.tables))
        assert together == expected
        assert not (place / "scratch" / "large").exists()


@pytest.mark.parametrize("name", SOURCES.names())
def test_small_files_of_any_source_give_together_what_each_gives_alone(name: str, tmp_path: Path) -> None:
    source = in_any_folder(source_of(name))
    # Each more than once: what a file holds is never taken for a repeat of what another holds.
    files = [(FIXTURES / name / file, other) for file in files_of(name) for other in names_like(source, file)]
    files.sort(key=lambda pair: (kind_number(source, pair[1]), pair[1]))  # those of a kind are worked on together
    counts = ingest_bundle(files, source, tmp_path / "out", tmp_path / "scratch")
    together = by_file(collect(tmp_path / "out", counts[0], []).tables)
    expected: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for (path, file), count in zip(files, counts, strict=True):
        alone = ingest_alone(path, source, file)
        assert count == alone.counts, file
        expected.update(by_file(alone.tables))
    assert together == expected


def in_any_folder(source: Source) -> Source:
    kinds = (replace(kind, pattern=f"(?:again/)?(?:{kind.pattern})") for kind in source.files)
    return replace(source, files=tuple(kinds))


def names_like(source: Source, file: str) -> list[str]:
    """Return a file's name and others of its kind, some of another category."""
    found = source.kind_of(file)
    assert found is not None
    others = [file.replace(text, f"{text}2") for text in found[1].values() if text]
    alike = [other for other in (f"again/{file}", *others) if kind_number(source, other) == kind_number(source, file)]
    return list(dict.fromkeys([file, *alike]))


def kind_number(source: Source, file: str) -> int | None:
    found = source.kind_of(file)
    return source.files.index(found[0]) if found else None


def any_items() -> Any:
    return replace(ITEMS, files=(replace(ITEMS.files[0], pattern="items.*"),))


def write_small_files(raw: Path, count: int = MANY) -> list[str]:
    """Write files of three reviews each: the middle one malformed, the last the same as the first."""
    folder = raw / SOURCE
    folder.mkdir(parents=True, exist_ok=True)
    names = [f"reviews_Part{number:03d}.json" for number in range(count)]
    for number, name in enumerate(names):
        (folder / name).write_text(f"{review(number)}\n{{broken\n{review(number)}\n")
    return names


def ingest_at(place: Path, jobs: int = 1) -> Ingested:
    machine = Machine(Store(place / f"work{jobs}"), EngineSettings(threads=1), jobs, Silence())
    return ingest(recipe_of(place, "limits.quarantined_share=0.5"), place / "raw", machine)


def contents(done: Ingested) -> list[tuple[str, str]]:
    return sorted((file.file, file.stage.digest) for file in done.files)


def test_many_small_files_share_a_stage_and_keep_their_own_counts(tmp_path: Path) -> None:
    names = write_small_files(tmp_path / "raw")
    done = ingest_at(tmp_path)
    assert [file.file for file in done.files] == names
    assert len({file.stage.folder for file in done.files}) == 1
    assert all(
        (file.facts["ingested"], file.facts["quarantined"], file.facts["collapsed"]) == (1, 1, 1) for file in done.files
    )
    (part,) = done.files[0].parts("review")
    assert pq.read_table(part, columns=["file"])["file"].to_pylist() == names
    assert all(file.stage.cached for file in ingest_at(tmp_path).files)


def test_workers_change_nothing_in_many_small_files(tmp_path: Path) -> None:
    write_small_files(tmp_path / "raw")
    assert contents(ingest_at(tmp_path, jobs=2)) == contents(ingest_at(tmp_path))


def test_a_few_small_files_are_stages_of_their_own(tmp_path: Path) -> None:
    write_small_files(tmp_path / "raw", 5)
    done = ingest_at(tmp_path)
    assert len({file.stage.folder for file in done.files}) == 5
    assert contents(ingest_at(tmp_path, jobs=2)) == contents(done)


def test_a_changed_file_is_ingested_again_with_its_neighbours_only(tmp_path: Path) -> None:
    names = write_small_files(tmp_path / "raw")
    large = tmp_path / "raw" / SOURCE / "reviews_Whole.json"
    large.write_text("".join(f"{review(number)}\n" for number in range(25_000)))
    ingest_at(tmp_path)
    (tmp_path / "raw" / SOURCE / names[3]).write_text(f"{review(3)}\n{review(1003)}\n")
    files = {file.file: file for file in ingest_at(tmp_path).files}
    assert files[large.name].stage.cached
    assert not files[names[0]].stage.cached
    assert files[names[3]].facts["ingested"] == 2


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_damaged_file_among_many_is_named(tmp_path: Path, jobs: int) -> None:
    names = write_small_files(tmp_path / "raw")
    bad = tmp_path / "raw" / SOURCE / "reviews_Broken.json.gz"
    bad.write_bytes(gzip.compress(json.dumps(names).encode() * 50)[:60])
    with pytest.raises(UserError, match=r"reviews_Broken\.json\.gz is a damaged gzip file"):
        ingest_at(tmp_path, jobs)


def test_what_becomes_of_a_line_is_told_by_file(tmp_path: Path) -> None:
    names = write_small_files(tmp_path / "raw")
    (tmp_path / "raw" / SOURCE / names[7]).write_text(f"\n\n{review(7)}\n")
    recipe = recipe_of(tmp_path, "limits.quarantined_share=0.5", "tasks.sentiment_analysis.quota.train=2")
    built = run_stages(recipe, tmp_path / "raw", machine_at(tmp_path))
    fates = [
        explain(built, tmp_path / "raw", f"{SOURCE}/{names[file]}:{line}")["fate"]
        for file, line in ((6, 1), (6, 2), (6, 3), (7, 3), (7, 1))
    ]
    assert fates[0].startswith("ingested")
    assert fates[3].startswith("ingested")
    assert fates[4] not in fates[:4]
    assert fates[1].startswith("quarantined")
    assert fates[2].startswith("collapsed")


def test_large_files_and_bundles_of_small_ones_are_told_apart_by_size(tmp_path: Path) -> None:
    sizes = {f"a{number:02d}.json": 1 << 20 for number in range(40)} | {"b.json": 5 << 20, "c.json.gz": 2 << 20}
    for name, size in sizes.items():
        path = tmp_path / "one" / name
        path.parent.mkdir(exist_ok=True)
        with path.open("wb") as file:
            file.truncate(size)
    shutil.copytree(tmp_path / "one", tmp_path / "two", ignore=lambda _, names: sorted(names)[9:])
    units = units_of(sorted((path.parent.name, path.name) for path in tmp_path.rglob("*.*")), tmp_path)
    assert [unit for unit in units if unit.source == "two"] == [Unit("two", (f"a{n:02d}.json",)) for n in range(9)]
    assert [len(unit.files) for unit in units if unit.source == "one"] == [1, 1, 16, 16, 8]
    assert units[0].files == ("b.json",)
    assert units[2].name == "one/a00.json and 15 more"
