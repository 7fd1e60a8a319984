"""Whatever stands in a file of a source, ingest ends, and says of every line what became of it."""

import random
import tempfile
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from accounted import FAST, accounted
from configured import source_of
from fuzzing import Sample, mutated_file, samples_of
from fuzzing_parquet import damaged_parquet, mutated_parquet
from ingesting import ingest

from ecinstruct_build.errors import UserError
from ecinstruct_build.ingesting.ingest import IngestCounts
from ecinstruct_build.ingesting.readers import Limits, csv_records
from ecinstruct_build.registry import SOURCES
from ecinstruct_build.source import Source

NAMES = SOURCES.names()
SMALL = Limits(block_bytes=1 << 14, batch_rows=100)
LARGE = Limits(block_bytes=16 << 20)


def ingested(data: bytes, source: Source, file: str, limits: Limits | None = None) -> IngestCounts:
    """Ingest a file with this content, and check what holds for any content."""
    return accounted(data, source, file, limits).counts


def mutated(sample: Sample, count: int, rng: random.Random) -> bytes:
    if sample.kind.format == "parquet":
        return mutated_parquet(sample.records, count, rng)
    return mutated_file(sample, count, rng)


def fuzz(source: Source, lines: int, at_once: int, seed: int, real: Path | None = None) -> int:
    """Ingest at least so many mutated records of a source; return how many it was."""
    rng = random.Random(f"{source.name} {seed}")
    samples = [sample for sample in samples_of(source, real) if sample.records]
    records = ingested_records = quarantined = 0
    turns = max(len(samples), -(-lines // at_once))
    each = -(-lines // turns)
    turn = 0
    while records < lines:
        counts = ingested(mutated(samples[turn % len(samples)], each, rng), source, samples[turn % len(samples)].file)
        records += counts.records
        ingested_records += counts.ingested
        quarantined += counts.quarantined
        turn += 1
    assert ingested_records > 0
    assert quarantined > 0
    return records


@pytest.mark.parametrize("name", NAMES)
def test_damaged_records_are_accounted_for(name: str) -> None:
    assert fuzz(source_of(name), 300, 300, seed=1) >= 300


@pytest.mark.parametrize("name", NAMES)
def test_damaged_records_give_the_same_whatever_the_blocks(name: str) -> None:
    source = source_of(name)
    rng = random.Random(f"{name} blocks")
    for sample in samples_of(source):
        if sample.records:
            data = mutated(sample, 60, rng)
            small, large = (ingested(data, source, sample.file, limits) for limits in (SMALL, LARGE))
            # A product is written once a block where its records repeat it.
            assert replace(small, rows={}) == replace(large, rows={})


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_twenty_thousand_damaged_records_are_accounted_for(name: str, request: pytest.FixtureRequest) -> None:
    try:
        real: Path | None = request.getfixturevalue("real_corpora")
    except pytest.skip.Exception:
        real = None
    assert fuzz(source_of(name), 20_000, 2_500, seed=2, real=real) >= 20_000


@pytest.mark.parametrize("name", [name for name in NAMES if any(f.format == "parquet" for f in source_of(name).files)])
def test_damaged_parquet_files_are_refused_or_read(name: str) -> None:
    source, rng = source_of(name), random.Random(name)
    for sample in samples_of(source):
        if sample.kind.format == "parquet":
            whole = pa.BufferOutputStream()
            pq.write_table(pa.Table.from_pylist(list(sample.records) * 20), whole)
            for _ in range(60):
                data = damaged_parquet(whole.getvalue().to_pybytes(), rng)
                with tempfile.TemporaryDirectory(dir=FAST) as place:
                    path = Path(place, "data")
                    path.write_bytes(data)
                    try:
                        ingest(path, source, sample.file)
                    except UserError as error:
                        assert "damaged" in str(error) or "lacks the column" in str(error)  # noqa: PT017


def test_quotes_that_are_opened_on_every_line_and_closed_on_the_next_take_no_square_time() -> None:
    lines = ['a",b,"c\n'] * 100_000
    found = list(csv_records(lines, final=True))
    assert [(begin, end) for begin, end, _ in found] == [(line, line + 1) for line in range(len(lines))]
    assert all(isinstance(cells, str) for _, _, cells in found)


def test_a_record_behind_a_broken_one_is_read() -> None:
    lines = ['1,"open\n', "2,b\n", '3,"c\n', 'd"x,e\n', "4,f\n", '5,"g\n', 'h"\n']
    found = [cells for _, _, cells in csv_records(lines, final=True) if not isinstance(cells, str)]
    assert found == [["2", "b"], ['d"x', "e"], ["4", "f"], ["5", "g\nh"]]


def test_rows_with_what_python_cannot_hold_are_quarantined_alone() -> None:
    texts = pa.array([b"fine", b"caf\xe9", b"caf\xe9", b"good"], pa.binary()).view(pa.string())
    columns = {"prev_items": [["A"], ["B"], ["B"], ["C"]], "locale": ["UK"] * 4, "next_item": texts}
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table(columns), sink)
    with tempfile.TemporaryDirectory(dir=FAST) as place:
        path = Path(place, "data")
        path.write_bytes(sink.getvalue().to_pybytes())
        done = ingest(path, source_of("amazon_m2"), "sessions_test.parquet")
    assert done.quarantine == [(2, "text is not valid Unicode"), (3, "text is not valid Unicode")]
    assert done.lines("session") == [1, 4]
