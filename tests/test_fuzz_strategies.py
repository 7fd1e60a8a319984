"""Records drawn from what each adapter declares, odd ones among them: none raises, and none gets the wrong verdict.

What is surely well-formed, by a reading that shares no code with ingest, is ingested; what surely is not, is
quarantined; of everything it is said what became of it.
"""

import ast
import json
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from accounted import FAST, accounted
from configured import source_of
from fuzzing import samples_of
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from independent_reading import Verdict, all_of, csv_rows, fits, line_verdict, row_verdict
from ingesting import ingest
from msgspec import inspect as described
from record_strategies import columns_of, csv_cells, csv_line, json_line, literal_line, parquet_file, parquet_rows

from ecinstruct_build.registry import SOURCES
from ecinstruct_build.source import FileKind, Format, Source

pytestmark = pytest.mark.slow

Kind = tuple[str, int]
"""A source by name, and the place of one of its kinds of file."""

ALL_KINDS = [(name, number) for name in SOURCES.names() for number in range(len(source_of(name).files))]
_COMMON = {
    "suppress_health_check": list(HealthCheck),
    "derandomize": True,
    "database": None,
    "phases": [Phase.generate],  # a few short records are told apart without shrinking
}
GIVEN: dict[Kind, set[Verdict]] = {}
"""The verdicts given so far."""
_MARK = b"\xef\xbb\xbf"
FEW = settings(max_examples=4, **_COMMON)  # type: ignore[arg-type]
MANY = settings(max_examples=80, **_COMMON)  # type: ignore[arg-type]


def kinds_of(*forms: Format) -> list[Kind]:
    return [(name, number) for name, number in ALL_KINDS if source_of(name).files[number].format in forms]


def opened(which: Kind) -> tuple[Source, FileKind, str]:
    """Return the source, the kind, and the name of a plain file of that kind."""
    source = source_of(which[0])
    kind = source.files[which[1]]
    names = [kind.example.replace("*", "items").removesuffix(".gz"), kind.example]
    return source, kind, next(name for name in names if source.kind_of(name))


def admitted(kind: FileKind, record: Any) -> Verdict:
    """Judge what an adapter says beyond the type of a record that is of the type; None where it takes its own code."""
    if kind.admit is None:
        return True
    cells = dict(record)
    match getattr(kind.admit, "func", kind.admit).__name__:
        case "admit_listing":
            return bool(cells.get("id")) and not any(letter.isspace() for letter in cells["id"])
        case "read_printed":
            printed = re.fullmatch(r"\['\w+'(?: '\w+')*\]", cells["prev_items"])
            return True if printed else None if "'" in cells["prev_items"] else False
        case "_refuse_empty":
            return bool(cells["prev_items"])
        case "_admit_offers":
            return True
    return None


def judge(which: Kind, data: bytes, verdicts: Mapping[int, Verdict]) -> None:
    """Ingest a file and compare what became of its records with the verdict on each, by line."""
    source, _, file = opened(which)
    GIVEN.setdefault(which, set()).update(verdicts.values())
    mark = _MARK if data.startswith(_MARK) else b""  # one is taken off, and belongs to no record
    done = accounted(mark + data, source, file)
    assert done.counts.records == len(verdicts)
    for line, verdict in verdicts.items():
        if verdict is not None:
            assert (line not in done.quarantined) is verdict, (line, verdict, done.counts.reasons)


def judge_lines(which: Kind, lines: list[bytes]) -> None:
    _, kind, _ = opened(which)
    verdicts: dict[int, Verdict] = {}
    for number, line in enumerate(lines, 1):
        if line.strip():
            verdict = line_verdict(kind, line)
            verdicts[number] = None if verdict and admitted(kind, {}) is None else verdict
    judge(which, b"\n".join(lines), verdicts)


def lines_test(which: Kind, how: settings) -> None:
    _, kind, _ = opened(which)
    info = described.type_info(kind.record)
    line = json_line(info, columns_of(kind)) if kind.format == "jsonl" else literal_line(info, kind.encoding)

    @how
    @given(st.lists(line, min_size=1, max_size=8))
    def run(lines: list[bytes]) -> None:
        judge_lines(which, lines)

    run()


def rows_test(which: Kind, how: settings) -> None:
    _, kind, _ = opened(which)
    named = kind.columns or columns_of(kind)

    @how
    @given(st.data())
    def run(data: st.DataObject) -> None:
        columns = named if kind.columns else data.draw(st.permutations([*named, "unasked for"]))
        rows = data.draw(st.lists(csv_cells(kind, columns), min_size=1, max_size=8))
        header = [] if kind.columns else [columns]
        text = "".join(csv_line(cells, kind.delimiter) for cells in (*header, *rows))
        verdicts: dict[int, Verdict] = {}
        for number, (start, cells) in enumerate(csv_rows(text, kind.delimiter)):
            if number == 0 and not kind.columns:
                continue
            if kind.delimiter.isspace() and not any(cell.strip() for cell in cells):
                continue  # a blank line
            verdict = row_verdict(kind, columns, cells)
            given = [(name, cell) for name, cell in zip(columns, cells, strict=False) if cell]
            verdicts[start] = all_of([verdict, admitted(kind, given)]) if verdict else verdict
        judge(which, text.encode(kind.encoding), verdicts)

    run()


def parquet_test(which: Kind, how: settings) -> None:
    _, kind, _ = opened(which)
    info = described.type_info(kind.record)

    @how
    @given(parquet_file(kind, columns_of(kind)))
    def run(data: bytes) -> None:
        source, _, file = opened(which)
        rows = parquet_rows(data)
        if rows is None:
            accounted(data, source, file)
            return
        verdicts: dict[int, Verdict] = {}
        for number, row in enumerate(rows, 1):
            verdict = fits(info, row, "parquet")
            verdicts[number] = all_of([verdict, admitted(kind, row)]) if verdict else verdict
        judge(which, data, verdicts)

    run()


def delimited_test(which: Kind, how: settings) -> None:
    """Lines of text: AliExpress triples, and pairs in Ditto's form."""
    triples = which[0] == "ae110k"
    separator, width = ("\x01", 3) if triples else ("\t", 3)
    cell = st.one_of(
        st.sampled_from(
            ["1", "0", "2", "", " ", "COL title VAL Kettle", "COL VAL", "VAL x COL", "x\x00", "\u2028", "\ufeff"]
        ),
        st.text("ab COLVAL\u00e9\u6f22 01", max_size=8),
    )
    offer = st.text("ab\u00e9 01", min_size=1, max_size=5).map(lambda text: f"COL title VAL {text}")
    good = st.tuples(*([cell] * 3 if triples else [offer, offer, st.sampled_from("01")])).map(list)

    @how
    @given(
        st.lists(st.one_of(good, st.lists(cell, min_size=1, max_size=width + 1)), min_size=1, max_size=8), st.binary()
    )
    def run(records: list[list[str]], junk: bytes) -> None:
        verdicts: dict[int, Verdict] = {}
        lines = [separator.join(record).encode() for record in records]
        for number, (record, line) in enumerate(zip(records, lines, strict=True), 1):
            if not line.strip():
                continue
            if triples:
                verdicts[number] = len(record) == width and all(part.strip() for part in record)
            elif len(record) != width or record[2].strip() not in {"0", "1"}:
                verdicts[number] = False
            else:
                whole = all(re.fullmatch(r"COL title VAL \S.*", part) for part in record[:2])
                verdicts[number] = True if whole else None
        judge(which, b"\n".join(lines), verdicts)
        source, _, file = opened(which)
        accounted(junk, source, file)

    run()


TESTS = {
    "jsonl": lines_test,
    "python": lines_test,
    "csv": rows_test,
    "parquet": parquet_test,
    "lines": delimited_test,
}


@pytest.mark.parametrize("which", ALL_KINDS, ids=lambda which: f"{which[0]}-{which[1]}")
def test_drawn_records_get_the_verdict_of_an_independent_reading(which: Kind) -> None:
    TESTS[opened(which)[1].format](which, FEW)


@pytest.mark.slow
@pytest.mark.parametrize("which", ALL_KINDS, ids=lambda which: f"{which[0]}-{which[1]}")
def test_many_drawn_records_get_the_verdict_of_an_independent_reading(which: Kind) -> None:
    TESTS[opened(which)[1].format](which, MANY)
    expected = {None} if which[0] == "catalogue" else {True, False}  # what a recipe describes is a chapter of its own
    assert expected <= GIVEN[which]


def rewritten(line: bytes, form: str) -> bytes:
    """Write a record otherwise: fields in another order, all that can be escaped, more space, a field more."""
    try:
        value = json.loads(line) if form == "jsonl" else ast.literal_eval(line.decode())
    except (ValueError, SyntaxError):
        return line
    if not isinstance(value, dict):
        return line
    fields = {name: value[name] for name in reversed(value)} | {"unasked for": [{"a": 1}, None, "\u00e9"]}
    if form == "python":
        return repr(fields).encode()
    written = (f"{escaped(name)} :\t{json.dumps(one)}" for name, one in fields.items())
    return f" {{ {' , '.join(written)} }} ".encode()


def escaped(text: str) -> str:
    units = text.encode("utf-16-be", "surrogatepass")
    return '"' + "".join(f"\\u{units[at]:02x}{units[at + 1]:02X}" for at in range(0, len(units), 2)) + '"'


@pytest.mark.parametrize("name", SOURCES.names())
def test_a_record_that_is_written_otherwise_is_the_same_record(name: str) -> None:
    source = source_of(name)
    for sample in samples_of(source):
        form = sample.kind.format
        if form in {"jsonl", "python"}:
            lines = [line for line in sample.records if line.strip()]
            plain, other = (b"\n".join(written) for written in (lines, [rewritten(line, form) for line in lines]))
            assert plain != other
            assert tables_of(plain, source, sample.file) == tables_of(other, source, sample.file)


def tables_of(data: bytes, source: Source, file: str) -> dict[str, list[dict[str, Any]]]:
    with tempfile.TemporaryDirectory(dir=FAST) as place:
        path = Path(place, "data")
        path.write_bytes(data)
        tables = ingest(path, source, file).tables
    # How a record begins, and where a fault stands in it, is another matter.
    kept = {"quarantine": ("line",)}
    return {
        name: [{key: value for key, value in row.items() if name not in kept or key in kept[name]} for row in rows]
        for name, rows in tables.items()
    }
