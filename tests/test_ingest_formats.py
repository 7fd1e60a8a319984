"""Every record of every format is ingested, quarantined with its line and reason, or collapsed."""

import gzip
import io
import json
import os
import tracemalloc
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from ingesting import ingest, ingest_bytes, plain_source

from ecinstruct_build.errors import UserError
from ecinstruct_build.ingesting.readers import Limits
from ecinstruct_build.source import Source

SMALL = Limits(block_bytes=64, line_bytes=200, batch_rows=2)
JSON_LINES = plain_source("jsonl")
LITERALS = plain_source("python")
CSV = plain_source("csv")


def items(*numbers: int) -> bytes:
    return b"".join(b'{"id": %d}\n' % number for number in numbers)


def test_a_malformed_json_line_is_named_with_its_reason_and_the_rest_is_kept() -> None:
    data = items(1) + b'{"id": \n' + b'{"id": "x"}\n' + b'{"title": "no id"}\n' + b"null\n" + items(2)
    done = ingest_bytes(data, JSON_LINES)
    assert done.lines() == [1, 6]
    assert done.quarantine == [
        (2, "Input data was truncated"),
        (3, "Expected `int`, got `str` - at `$.id`"),
        (4, "Object missing required field `id`"),
        (5, "Expected `object`, got `null`"),
    ]
    assert done.counts.reasons["Expected `int`, got `str` - at `$.id`"] == 1
    assert done.tables["quarantine"][0] == {
        "source": "plain",
        "file": "items",
        "line": 2,
        "reason": "Input data was truncated",
        "excerpt": '{"id": ',
    }


def test_two_records_on_a_line_are_not_taken_for_one_record_on_each_of_two() -> None:
    done = ingest_bytes(b'{"id": 1} {"id": 2}\n{"id":\n3}\n', JSON_LINES)
    assert (done.counts.records, done.lines()) == (3, [])


def test_blank_lines_are_no_records_but_count_as_lines() -> None:
    done = ingest_bytes(b"\n" + items(1) + b"  \t\r\n\n" + b'{"id": 2}', JSON_LINES)
    assert done.counts.records == 2
    assert done.lines() == [2, 5]


def test_bytes_that_are_not_utf8_cost_their_own_line_only() -> None:
    done = ingest_bytes(items(1) + b'{"id": 2, "title": "caf\xe9"}\n' + items(3), JSON_LINES)
    assert done.lines() == [1, 3]
    assert done.quarantine == [(2, "text is not valid Unicode")]
    assert done.tables["quarantine"][0]["excerpt"] == '{"id": 2, "title": "caf\N{REPLACEMENT CHARACTER}"}'


def test_a_byte_order_mark_does_not_cost_the_first_record() -> None:
    assert ingest_bytes(b"\xef\xbb\xbf" + items(1), JSON_LINES).lines() == [1]
    assert ingest_bytes(b"\xef\xbb\xbfid,title\n1,a\n", CSV).lines() == [2]


def test_deep_nesting_is_quarantined() -> None:
    bomb = b'{"id": 1, "other": ' + b"[" * 100_000 + b"]" * 100_000 + b"}\n"
    done = ingest_bytes(bomb + items(2), JSON_LINES)
    assert done.quarantine == [(1, "nested too deeply")]
    assert done.lines() == [2]


def test_text_that_no_table_can_hold_is_quarantined_alone() -> None:
    lines = [f"{{'id': {number}}}" for number in range(20)]
    lines[7] = "{'id': 7, 'title': 'half of a pair: \\ud83d'}"
    done = ingest_bytes("\n".join(lines).encode(), LITERALS)
    assert done.quarantine == [(8, "text is not valid Unicode")]
    assert done.tables["quarantine"][0]["excerpt"] == lines[7]
    assert done.lines() == [line for line in range(1, 21) if line != 8]


def test_text_that_no_table_can_hold_is_quarantined_as_often_as_it_stands_there() -> None:
    line = b"{'id': 7, 'title': '\\ud83d'}\n"
    done = ingest_bytes(line + b"{'id': 1}\n" + line + b"{'id': 1}\n", LITERALS)
    assert [line for line, _ in done.quarantine] == [1, 3]
    assert (done.lines(), done.collapsed) == ([2], [(4, 2)])


def test_an_overlong_line_is_quarantined_and_reading_goes_on_behind_it() -> None:
    for length in (150, 201, 1000, 10_000):
        done = ingest_bytes(
            items(1) + b'{"id":2,"title":"' + b"x" * length + b'"}\n' + items(3, 4), JSON_LINES, limits=SMALL
        )
        assert done.counts.records == 4
        if length > 183:
            assert done.quarantine == [(2, "longer than 200 bytes")]
            assert done.tables["quarantine"][0]["excerpt"].startswith('{"id":2,"title":"xxx')
        assert [line for line in done.lines() if line != 2] == [1, 3, 4]


def test_an_overlong_last_line_is_quarantined() -> None:
    done = ingest_bytes(items(1) + b"x" * 1000, JSON_LINES, limits=SMALL)
    assert done.quarantine == [(2, "longer than 200 bytes")]


@pytest.mark.parametrize("source", [JSON_LINES, plain_source("csv", columns=("id",))])
def test_an_endless_line_is_read_in_little_memory(tmp_path: Path, source: Source) -> None:
    path = tmp_path / "endless"
    with path.open("wb") as file:
        for _ in range(80):
            file.write(b"x" * (1 << 20))
    tracemalloc.start()
    done = ingest(path, source, "endless", limits=Limits(block_bytes=1 << 20, line_bytes=4 << 20))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert done.quarantine == [(1, f"longer than {4 << 20} bytes")]
    assert peak < 24 << 20


def test_python_literals_are_parsed_and_never_run(tmp_path: Path) -> None:
    witness = tmp_path / "witness"
    lines = [
        "{'id': 1, 'title': u'caf\\xe9 \"au lait\"'}",
        f"{{'id': __import__('pathlib').Path({str(witness)!r}).touch()}}",
        "(" * 5000,
        "-" * 50_000 + "1",
        "{'id': 2",
        "{[]: 1}",
        "{'id': " + "9" * 5000 + "}",
        "{'id': 1 + 2j}",
        "{'title': 'no id'}",
        "{'id': 3, 'title': 'odd \\d escape'}",
    ]
    done = ingest_bytes("\n".join(lines).encode(), LITERALS)
    assert done.lines() == [1, 10]
    assert done.tables["product"][0]["title"] == 'café "au lait"'
    assert [line for line, _ in done.quarantine] == list(range(2, 10))
    reasons = dict(done.quarantine)
    assert reasons[2] == "not a Python literal: malformed node or string"
    assert reasons[5] == "not a Python literal: '{' was never closed"
    assert reasons[9] == "Object missing required field `id`"
    assert not witness.exists()


def test_csv_cells_may_span_lines_and_hold_quotes_and_commas() -> None:
    data = b'id,title\r\n1,"two\r\nlines, and ""quotes"""\r\n\r\n2,plain 12" board\r\n3,\r\n'
    done = ingest_bytes(data, CSV)
    assert [(row["line"], row["title"]) for row in done.tables["product"]] == [
        (2, 'two\r\nlines, and "quotes"'),
        (5, 'plain 12" board'),
        (6, None),
    ]


def test_a_quote_that_is_never_closed_costs_one_line() -> None:
    data = b'id,title\n1,a\n2,"open\n3,b\n4,c\n'
    for limits in (None, SMALL):
        done = ingest_bytes(data, CSV, limits=limits)
        assert done.lines() == [2, 4, 5]
        assert done.quarantine == [(3, "not a CSV record: unexpected end of data")]


def test_malformed_csv_rows_are_named_by_the_line_where_they_start() -> None:
    data = b'id,title\n1,"a\nb"\nx,c\n2\n3,d,e\n4,"f"g\n,h\n5,i\n'
    done = ingest_bytes(data, CSV)
    assert done.lines() == [2, 9]
    assert done.quarantine == [
        (4, "Expected `int`, got `str` - at `$.id`"),
        (5, "expected 2 cells, got 1"),
        (6, "expected 2 cells, got 3"),
        (7, """not a CSV record: ',' expected after '"'"""),
        (8, "Object missing required field `id`"),
    ]


def test_csv_blocks_end_at_records_however_small_they_are() -> None:
    rows = [f'{number},"line {number}\r\nand, more ""of"" it"\r\n' for number in range(40)]
    data = ("id,title\r\n" + "".join(rows)).encode()
    whole = ingest_bytes(data, CSV)
    pieces = ingest_bytes(data, CSV, limits=SMALL)
    assert whole.lines() == [2 + 2 * number for number in range(40)]
    assert pieces.tables == whole.tables
    assert len(pieces.files) > 10


def test_csv_in_latin_1_and_without_a_header() -> None:
    source = plain_source("csv", encoding="latin-1", columns=("id", "title"))
    done = ingest_bytes(b"1,caf\xe9\r\n2,\xae\r\n", source)
    assert [row["title"] for row in done.tables["product"]] == ["café", "®"]
    assert done.lines() == [1, 2]


def test_parquet_rows_are_numbered_checked_and_collapsed() -> None:
    sink = io.BytesIO()
    rows = [{"id": 1, "title": "a"}, {"id": None, "title": "b"}, {"id": 2, "title": None}, {"id": 1, "title": "a"}]
    pq.write_table(pa.Table.from_pylist(rows), sink)
    for limits in (None, SMALL):
        done = ingest_bytes(sink.getvalue(), plain_source("parquet"), limits=limits)
        assert done.lines() == [1, 3]
        assert done.quarantine == [(2, "Expected `int`, got `null` - at `$.id`")]
        assert done.collapsed == [(4, 1)]


def test_repeated_lines_collapse_onto_the_first_wherever_they_stand() -> None:
    data = items(1, 2, 1, *range(10, 40), 2, 1) + b'{"id": 1}'
    for limits in (None, SMALL):
        done = ingest_bytes(data, JSON_LINES, limits=limits)
        assert done.collapsed == [(3, 1), (34, 2), (35, 1), (36, 1)]
        assert done.lines() == [1, 2, *range(4, 34)]
        assert done.counts.rows == {"product": 32}


def test_lines_that_merely_mean_the_same_are_kept() -> None:
    assert ingest_bytes(b'{"id": 1}\n{"id":1}\n', JSON_LINES).counts.collapsed == 0


def test_every_malformed_line_is_quarantined_even_when_repeated() -> None:
    done = ingest_bytes(b"bad\nbad\nbad\n", JSON_LINES)
    assert (done.counts.quarantined, done.counts.collapsed, done.counts.ingested) == (3, 0, 0)
    assert done.counts.reasons == {"JSON is malformed: invalid character": 3}


@pytest.mark.parametrize("place", ["id", "unread"])
def test_a_line_that_is_no_unicode_is_quarantined_even_where_nothing_reads_it(place: str) -> None:
    odd = {"id": b'{"id": 2, "\xff": 0}', "unread": b'{"id": 2, "note": {"text": "caf\xe9"}}'}[place]
    done = ingest_bytes(b'{"id": 1, "note": "caf\xc3\xa9"}\n' + odd + b'\n{"id": 3}\n', JSON_LINES)
    assert done.lines() == [1, 3]
    assert done.quarantine == [(2, "text is not valid Unicode")]


def test_an_empty_file_has_no_records_and_writes_both_empty_lists() -> None:
    done = ingest_bytes(b"", JSON_LINES)
    assert done.counts.records == 0
    assert set(done.files) == {"quarantine.parquet", "collapsed.parquet"}


def test_progress_adds_up_to_the_size_of_the_file() -> None:
    data = gzip.compress(items(*range(5000)), mtime=0)
    for limits in (None, Limits(block_bytes=4096)):
        assert sum(ingest_bytes(data, JSON_LINES, "items.gz", limits=limits).reported) == len(data)


def damaged() -> dict[str, bytes]:
    whole = gzip.compress(os.urandom(4096) + items(*range(20_000)), mtime=0)
    return {
        "no end": whole[:-4],
        "half": whole[: len(whole) // 2],
        "a web page": b"<html><body>Not found</body></html>",
        "nothing": b"",
        "wrong check sum": whole[:-8] + bytes(8),
        "garbage inside": whole[:2000] + b"\xff" * 300 + whole[2300:],
    }


@pytest.mark.parametrize("case", sorted(damaged()))
def test_a_damaged_gzip_file_says_so_and_what_to_do(case: str) -> None:
    with pytest.raises(UserError, match=r"items\.gz is a damaged gzip file: .*Delete it and fetch it again"):
        ingest_bytes(damaged()[case], JSON_LINES, "items.gz")


def test_gzip_members_and_zero_padding_are_read() -> None:
    data = gzip.compress(items(1)) + gzip.compress(items(2)) + bytes(512)
    assert ingest_bytes(data, JSON_LINES, "items.gz").lines() == [1, 2]


def test_files_that_cannot_be_what_they_should_be_are_the_users_errors(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="lacks the column id"):
        ingest_bytes(b"name,title\n1,a\n", CSV)
    with pytest.raises(UserError, match="is empty"):
        ingest_bytes(b"", CSV)
    with pytest.raises(UserError, match="damaged Parquet"):
        ingest_bytes(b"PAR1 and then nothing", plain_source("parquet"))
    with pytest.raises(UserError, match="cannot be read"):
        ingest(tmp_path / "absent", JSON_LINES, "absent")
    with pytest.raises(UserError, match="cannot be read"):
        ingest(tmp_path, JSON_LINES, "folder")


def test_excerpts_are_short_and_printable() -> None:
    done = ingest_bytes(b'{"id": "\x00\x1b[31m' + b"y" * 500 + b"\n", JSON_LINES)
    excerpt = done.tables["quarantine"][0]["excerpt"]
    assert len(excerpt) == 200
    assert excerpt.isprintable()
    assert json.loads(json.dumps(excerpt)) == excerpt


def test_lines_are_numbered_on_from_block_to_large_block() -> None:
    data = b"".join(b'{"id": %d, "title": "%s"}\n' % (number, b"x" * 300) for number in range(2500))
    done = ingest_bytes(data, JSON_LINES, limits=Limits(block_bytes=300_000))
    assert len(done.files) > 4
    assert done.lines() == list(range(1, 2501))
