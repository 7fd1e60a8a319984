"""Mutated upstream files: records of genuine ones, damaged in every way that is known to hurt a parser.

Everything is drawn from the generator that is handed in, so that a seed names a file.
"""

import ast
import csv
import gzip
import io
import json
import random
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from configured import FIXTURES, files_of

from ecinstruct_build.source import FileKind, Source

DEEP = 100_000
LONG = 1 << 20
_HERE = "@here@"  # where a token stands that no serialiser would write
_SAMPLED = 300  # records taken from a file
_RARE = 0.001  # how often a record becomes megabytes, or nested as deep as its length allows


@dataclass(frozen=True)
class Sample:
    """Records of a genuine file.

    Attributes
    ----------
    file, kind
        Its path, and its kind.
    header
        The first row of a CSV with its line end.
    records
        Lines without their ends; cells of a CSV's rows; rows of a Parquet file.
    """

    file: str
    kind: FileKind
    header: bytes
    records: Sequence[Any] = field(repr=False)


def samples_of(source: Source, real: Path | None = None) -> list[Sample]:
    """Return records of all fixture files of a source, and of the real pieces in the folder ``real``."""
    found = [_sample(source, FIXTURES / source.name / file, file) for file in files_of(source.name)]
    if real is not None and source.configure is None:
        folder = real / source.name
        paths = sorted(path for path in folder.rglob("*") if path.is_file())
        files = [(path, path.relative_to(folder).as_posix()) for path in paths]
        found += [_sample(source, path, file) for path, file in files if source.kind_of(file)]
    return found


def _sample(source: Source, path: Path, file: str) -> Sample:
    found = source.kind_of(file)
    assert found is not None
    kind = found[0]
    if kind.format == "parquet":
        with pq.ParquetFile(path) as parquet:
            rows = next(parquet.iter_batches(_SAMPLED)).to_pylist()
        return Sample(file, kind, b"", rows)
    with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as raw:
        if kind.format != "csv":
            return Sample(file, kind, b"", [line.rstrip(b"\r\n") for line in islice(raw, _SAMPLED)])
        encoding = "utf-8-sig" if kind.encoding == "utf-8" else kind.encoding
        with io.TextIOWrapper(raw, encoding=encoding, newline="") as text:
            rows = list(islice(csv.reader(text, delimiter=kind.delimiter), _SAMPLED))
    if kind.columns:
        return Sample(file, kind, b"", rows)
    return Sample(file, kind, _written(rows[0], kind).encode(kind.encoding) + b"\n", rows[1:])


def mutated_file(sample: Sample, count: int, rng: random.Random) -> bytes:
    """Return a file of about ``count`` records of a sample that is no Parquet file, most of them damaged."""
    lines = [mutated_line(sample, rng) for _ in range(count)]
    ends = rng.choices((b"\n", b"\r\n", b"\n\n", b"\r\r\n", b" \n", b"\n\t\n"), (90, 4, 2, 1, 2, 1), k=count)
    mark = b"\xef\xbb\xbf" if rng.random() < 0.3 else b""
    body = b"".join(part for pair in zip(lines, ends, strict=True) for part in pair)
    return mark + sample.header + (body[:-1] if rng.random() < 0.5 else body)


def mutated_line(sample: Sample, rng: random.Random) -> bytes:
    """Return one record as it could stand in a file, damaged as a rule."""
    record, kind = rng.choice(sample.records), sample.kind
    match kind.format:
        case "jsonl":
            line = _mutated_json(record, rng)
        case "python":
            line = _mutated_literal(record, kind.encoding, rng)
        case "csv":
            line = _written(_mutated_cells(record, rng), kind).encode(kind.encoding, "replace")
        case _:
            cells = _mutated_cells(record.decode(kind.encoding).split("\t"), rng)
            line = "\t".join(cells).encode(kind.encoding, "replace")
    while rng.random() < 0.3:
        line = rng.choice(BYTE_MUTATORS)(line, rng)
    return line


# Of bytes: any format.


def truncated(line: bytes, rng: random.Random) -> bytes:
    """Cut off the end, or the beginning."""
    at = rng.randint(0, len(line))
    return line[:at] if rng.random() < 0.8 else line[at:]


def flipped(line: bytes, rng: random.Random) -> bytes:
    """Change a few bytes."""
    if not line:
        return line
    changed = bytearray(line)
    for _ in range(rng.randint(1, 4)):
        changed[rng.randrange(len(line))] = rng.randrange(256)
    return bytes(changed)


def with_inserted(line: bytes, rng: random.Random) -> bytes:
    """Insert bytes that mean something, or nothing, to a parser."""
    at = rng.randint(0, len(line))
    return line[:at] + rng.choice(_BYTES) + line[at:]


def without_some(line: bytes, rng: random.Random) -> bytes:
    """Leave out a few bytes."""
    at = rng.randint(0, len(line))
    return line[:at] + line[at + rng.randint(1, 8) :]


def twice(line: bytes, rng: random.Random) -> bytes:
    """Put two records on a line."""
    return line + rng.choice((b"", b" ", b",", b"\x00", b"\r")) + line


def _byte_rarity(line: bytes, rng: random.Random) -> bytes:
    if rng.random() > 50 * _RARE:
        return flipped(line, rng)
    return rng.choice(
        (b"[" * DEEP, b'{"a":' * DEEP, b"(" * DEEP, b"-" * DEEP, b'"' * DEEP, b"x" * LONG, b"\x00" * LONG)
    )


_BYTES = (
    *(b"\x00", b"\xff", b"\xc3", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xef\xbb\xbf", b"\xef\xbf\xbf", b"\xc2\x85"),
    *(b'"', b"'", b'""', b'","', b'"\n"', b"\\", b"\\u", b"\\ud800", b"\\x", b"{", b"}", b"[", b"]", b",", b":"),
    *(b"\r", b"\n", b"\r\n", b"\t", b"\x0b", b"\x0c", b"\x1c", b"\x1a", b"\x7f", b"\xe2\x80\xa8", b"#", b"NaN", b"-0"),
)
BYTE_MUTATORS: tuple[Callable[[bytes, random.Random], bytes], ...] = (
    truncated,
    flipped,
    with_inserted,
    without_some,
    twice,
    _byte_rarity,
)

# Of values: what parses, but means something else.

_TEXTS = (
    *("", " ", "\t", "\u00a0", "\u3000", "\u200b", "0", "-0", "1", "-1", "1.5", "1e999", "nan", "inf", "true", "null"),
    *("\u0661\u0662", "\u00b2", "\u0967", "\uff11\uff12, \uff12\uff10\uff11\uff12", "1_000", "0x10", "9" * 400),
    *("\x00", "\x01\x02\x1f", "\x7f", "\x85", "\u2028", "\ufeff", "\U0010ffff", "\ufffe", "e\u0301" * 50, "\r\n"),
    *("a b", "a\nb", 'a"b', '",b,"', "'", "''", "['", "[]", "{}", "<b>", "<" * 300, "&amp;" * 200, "\\", "|", "a/b"),
    *("2014-13-45", "30 February 2012", "12 31, 99999", "\u00df" * 40, "\u0130" * 40, "'" * 99, "'x' " * 500),
)
_TOKENS = (
    *("0", "-0", "-0.0", "1", "-1", "7", "1.5", "1e308", "1e999", "-1e999", "1e-999", "0.1e1", "[]", "{}", "[[]]"),
    *("[{}]", '[""]', "[1, 2]", '[["a"], "b"]', '{"": ""}', '{"a": {"b": []}}', '["a", "a", " "]'),
    *("9223372036854775807", "9223372036854775808", "-9223372036854775809", "18446744073709551616", "1" + "0" * 400),
    *("1" + "0" * 5000, "2147483648", "253402300800", "1234567890123", "[" * 300 + "]" * 300, '{"a":' * 300),
)
_JSON_TOKENS = (
    *_TOKENS,
    *("null", "true", "false", "NaN", "Infinity", "-Infinity", "[null]", '{"a": null}', "01", "+1", ".5", "1.", "'a'"),
    *(r'"\ud800"', r'"\udc00\ud800"', r'"a\u0000b"', r'"\u000b"', r'"\uD83D\uDE00"', r'"\x"', r'"\u12"', "[1,]"),
)
_LITERAL_TOKENS = (
    *_TOKENS,
    *("None", "True", "False", "[None]", "{'a': None}", "nan", "1j", "b'x'", "{1, 2}", "(1,)", "()", "...", "1 + 2j"),
    *(r"'\ud800'", r"'\x00'", r"'\N{BULLET}'", r"'\N{NO SUCH}'", r"u'\xe9'", r"'\777'", "f'{1}'", "'a' 'b'", "- - 1"),
    *("[[]] * 9", "{[]: 1}", "{{}: 1}", "{'a': 1, **{}}", "lambda: 0", "__import__('os')", "1_0", "0o17", "'''a'''"),
)


def _rare_token(rng: random.Random) -> str:
    return rng.choice(("[" * DEEP, "[" * DEEP + "]" * DEEP, '{"a":' * DEEP, f'"{"x" * LONG}"', "9" * DEEP, "(" * DEEP))


def _mutated_json(line: bytes, rng: random.Random) -> bytes:
    try:
        value = json.loads(line)
    except ValueError:
        return line
    changed, token = _mutated_value(value, _JSON_TOKENS, rng)
    text = json.dumps(changed, ensure_ascii=rng.random() < 0.5).replace(f'"{_HERE}"', token)
    if rng.random() < 0.1 and text.startswith("{"):  # all fields twice
        text = f"{text[:-1]}, {text[1:]}"
    return text.encode("utf-8", "surrogatepass")


def _mutated_literal(line: bytes, encoding: str, rng: random.Random) -> bytes:
    try:
        value = ast.literal_eval(line.decode(encoding))
    except (ValueError, SyntaxError):
        return line
    changed, token = _mutated_value(value, _LITERAL_TOKENS, rng)
    text = repr(changed).replace(repr(_HERE), token)
    if rng.random() < 0.1 and text.startswith("{"):
        text = f"{text[:-1]}, {text[1:]}"
    return text.encode(encoding, "surrogatepass")


def _mutated_value(value: Any, tokens: Sequence[str], rng: random.Random) -> tuple[Any, str]:
    """Return the value with something else in one or two places, and the token that belongs where it says so."""
    token = _rare_token(rng) if rng.random() < _RARE else rng.choice(tokens)
    value = json.loads(json.dumps(value))  # a copy
    for _ in range(rng.choice((0, 1, 1, 1, 2))):
        value = _replaced(value, rng)
    return value, token


def _replaced(value: Any, rng: random.Random) -> Any:
    """Change something in the value, or deeper within it."""
    if isinstance(value, dict) and value:
        return _changed_fields(value, rng)
    if isinstance(value, list) and value and rng.random() < 0.7:
        at = rng.randrange(len(value))
        change = rng.random()
        if change < 0.2:
            return value * 2
        if change < 0.3:
            return value[:at] + value[at + 1 :]
        return [*value[:at], _replaced(value[at], rng), *value[at + 1 :]]
    return rng.choice(_TEXTS) if rng.random() < 0.5 else _HERE


def _changed_fields(value: dict[str, Any], rng: random.Random) -> dict[str, Any]:
    keys = list(value)
    key, other = rng.choice(keys), rng.choice(keys)
    change = rng.random()
    if change < 0.1:
        del value[key]
    elif change < 0.2:
        value[key], value[other] = value[other], value[key]
    elif change < 0.25:
        value[rng.choice(_TEXTS)] = value[key]
    elif change < 0.3:
        return dict(rng.sample(list(value.items()), len(value)))
    else:
        value[key] = _replaced(value[key], rng)
    return value


def _mutated_cells(cells: Sequence[str], rng: random.Random) -> list[str]:
    changed = list(cells)
    for _ in range(rng.choice((0, 1, 1, 1, 2))):
        if not changed:
            break
        at, other, change = rng.randrange(len(changed)), rng.randrange(len(changed)), rng.random()
        if change < _RARE:
            changed[at] = rng.choice(("x", '"', "[", "\u00e9 ")) * LONG
        elif change < 0.1:
            changed.insert(at, changed[other])
        elif change < 0.2 and len(changed) > 1:
            del changed[at]
        elif change < 0.3:
            changed[at], changed[min(other, len(changed) - 1)] = changed[min(other, len(changed) - 1)], changed[at]
        else:
            changed[at] = rng.choice(_TEXTS)
    return changed


def _written(cells: Sequence[str], kind: FileKind) -> str:
    sink = io.StringIO()
    with suppress(csv.Error):  # it refuses a single empty cell, which is a blank line
        csv.writer(sink, delimiter=kind.delimiter, lineterminator="").writerow(cells)
    return sink.getvalue()
