"""Turn a block of an upstream file into records, and say of each that is malformed what is wrong with it."""

import ast
import io
import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import xxhash

from ecinstruct_build.ingesting.readers import Block, Limits, csv_records, split_lines, text_lines
from ecinstruct_build.source import FileKind, Inadmissible

_LITERAL_CHARACTERS = 4 << 20  # parsing a literal takes a hundred times its length in memory
_EXCERPT_CHARACTERS = 200
_REASON_CHARACTERS = 200
_REASON_END = 60  # the end of a reason says where in the record the fault stands
_MALFORMED = (ValueError, SyntaxError, TypeError, RecursionError, MemoryError)
_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff]")


@dataclass(frozen=True, slots=True)
class Reject:
    """A malformed record.

    Attributes
    ----------
    line
        1-based line where it starts.
    reason
        What is wrong with it, in at most 200 printable characters.
    excerpt
        How it starts, in printable characters.
    """

    line: int
    reason: str
    excerpt: str


@dataclass(slots=True)
class Decoded:
    """The records of a block.

    Attributes
    ----------
    records, lines, digests
        The well-formed ones: struct, 1-based line and 128-bit digest of the raw bytes, in order.
    rejects
        The malformed ones.
    """

    records: list[Any] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    digests: list[bytes] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)

    def add(self, record: Any, line: int, raw: bytes) -> None:
        """Add a well-formed record."""
        self.records.append(record)
        self.lines.append(line)
        self.digests.append(_digest(raw))

    def reject(self, line: int, reason: str, raw: bytes | str) -> None:
        """Add a malformed record."""
        self.rejects.append(Reject(line, _short(reason), excerpt_of(raw)))

    def without_repeats(self) -> "Decoded":
        """Return the well-formed records whose bytes stand nowhere before them in the block."""
        first: dict[bytes, int] = {}
        for row, digest in enumerate(self.digests):
            first.setdefault(digest, row)
        if len(first) == len(self.digests):
            return self
        rows = first.values()
        return Decoded([self.records[row] for row in rows], [self.lines[row] for row in rows], list(first))

    def drop(self, rows: set[int]) -> None:
        """Take out well-formed records by their place."""
        if rows:
            for column in (self.records, self.lines, self.digests):
                column[:] = [value for row, value in enumerate(column) if row not in rows]

    def digest_array(self) -> npt.NDArray[np.uint64]:
        """Return the digests as two columns of 64 bits, the high one first."""
        packed = np.frombuffer(b"".join(self.digests), dtype=">u8").reshape(-1, 2)
        return packed.astype(np.uint64)


def decode_block(kind: FileKind, block: Block, limits: Limits) -> Decoded:
    """Decode the records of ``block`` as ``kind`` describes them; nothing malformed raises."""
    if block.too_long is not None:
        decoded = Decoded()
        decoded.reject(block.first_line, _too_long(limits.line_bytes), block.too_long)
        return decoded
    match kind.format:
        case "jsonl":
            decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder(kind.record)
            return _decode_lines(block, _admitting(kind, decoder.decode), limits.line_bytes)
        case "lines":
            return _decode_lines(block, _admitting(kind, _text_decoder(kind)), limits.line_bytes)
        case "python":
            limit = min(limits.line_bytes, _LITERAL_CHARACTERS)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # odd escapes in upstream's strings
                return _decode_lines(block, _admitting(kind, _literal_decoder(kind)), limit)
        case "csv":
            return _decode_csv(kind, block, limits.line_bytes)
        case "parquet":
            return _decode_parquet(kind, block)


def excerpt_of(raw: bytes | str) -> str:
    """Return the first characters of ``raw``, with what cannot be printed or stored replaced."""
    text = raw[: 4 * _EXCERPT_CHARACTERS].decode("utf-8", "replace") if isinstance(raw, bytes) else raw
    return _UNSAFE.sub("\N{REPLACEMENT CHARACTER}", text.rstrip("\r\n")[:_EXCERPT_CHARACTERS])


def reason_of(error: Exception) -> str:
    """Say in one line why a record is malformed, in words that do not depend on where it stands."""
    match error:
        case UnicodeError():
            return "text is not valid Unicode"
        case RecursionError() | MemoryError():
            return "nested too deeply"
        case SyntaxError():
            return f"not a Python literal: {re.sub(r' *[(].*', '', error.msg)}"
        case msgspec.MsgspecError():
            return str(error)
        case Inadmissible():
            return str(error)
        case _:
            return f"not a Python literal: {re.sub(r' on line .*|: <.*', '', str(error))}"


def general_reason(reason: str) -> str:
    """Return ``reason`` without what is particular to one record, so that reasons can be counted."""
    reason = re.sub(r" \(byte \d+\)|(?<=enum value) .*(?= - at)|(?<=does not fit the tables): .*", "", reason)
    return re.sub(r"\[\d+\]", "[...]", reason)


def _decode_lines(block: Block, decode: Callable[[bytes], Any], limit: int) -> Decoded:
    """Decode line by line: msgspec's ``decode_lines`` takes two records on a line, or one on two, without a word."""
    lines = split_lines(block.data)
    decoded = Decoded()
    left_out = set()
    add, may_be_long = decoded.records.append, len(block.data) > limit
    for row, line in enumerate(lines):
        try:
            if may_be_long and len(line) > limit:
                raise ValueError
            add(decode(line))
        except _MALFORMED:
            left_out.add(row)
            _look_again(decoded, block.first_line + row, line.rstrip(b"\r\n"), decode, limit)
    kept = [row for row in range(len(lines)) if row not in left_out] if left_out else range(len(lines))
    decoded.lines = [block.first_line + row for row in kept]
    decoded.digests = [_digest(lines[row]) for row in kept]
    return decoded


def _look_again(decoded: Decoded, number: int, line: bytes, decode: Callable[[bytes], Any], limit: int) -> None:
    """Say what is wrong with a line that is not blank, without its end, where a cut-off text reads as another fault."""
    if len(line) > limit:
        decoded.reject(number, _too_long(limit), line)
    elif line and not line.isspace():
        try:
            decode(line)
        except _MALFORMED as error:
            decoded.reject(number, reason_of(error), line)


def _literal_decoder(kind: FileKind) -> Callable[[bytes], Any]:
    def decode(line: bytes) -> Any:
        return msgspec.convert(ast.literal_eval(line.decode(kind.encoding)), kind.record)

    return decode


def _text_decoder(kind: FileKind) -> Callable[[bytes], str]:
    def decode(line: bytes) -> str:
        if line.isspace():
            raise ValueError("blank")
        return line.rstrip(b"\r\n").decode(kind.encoding)

    return decode


def _admitting(kind: FileKind, decode: Callable[[bytes], Any]) -> Callable[[bytes], Any]:
    """Return what decodes a line and then admits it; the decoder itself where there is nothing to ask."""
    admit = kind.admit
    return decode if admit is None else lambda line: admit(decode(line))


def _decode_csv(kind: FileKind, block: Block, limit: int) -> Decoded:
    decoded = Decoded()
    lines = text_lines(block.data.decode(kind.encoding, "surrogateescape"))
    width, admit = len(block.columns), kind.admit or _as_it_is
    for begin, end, cells in csv_records(lines, final=True, delimiter=kind.delimiter):
        text = lines[begin] if end == begin + 1 else "".join(lines[begin:end])
        if text.isspace():
            continue
        line, raw = block.first_line + begin, text.encode(kind.encoding, "surrogateescape")
        if len(raw) > limit:
            decoded.reject(line, _too_long(limit), text)
        elif isinstance(cells, str):
            decoded.reject(line, f"not a CSV record: {cells}", text)
        elif len(cells) != width:
            decoded.reject(line, f"expected {width} cells, got {len(cells)}", text)
        else:
            try:
                named = {name: cell for name, cell in zip(block.columns, cells, strict=True) if cell}
                "".join(cells).encode()
                decoded.add(admit(msgspec.convert(named, kind.record, strict=False)), line, raw)
            except ValueError as error:
                decoded.reject(line, reason_of(error), text)
    return decoded


def _decode_parquet(kind: FileKind, block: Block) -> Decoded:
    decoded, admit = Decoded(), kind.admit or _as_it_is
    with pa.ipc.open_stream(io.BytesIO(block.data)) as stream:
        rows = stream.read_all().to_pylist()
    for line, row in enumerate(rows, block.first_line):
        raw = msgspec.msgpack.encode(row, enc_hook=str)
        try:
            decoded.add(admit(msgspec.convert(row, kind.record)), line, raw)
        except ValueError as error:
            decoded.reject(line, reason_of(error), repr(row))
    return decoded


def _as_it_is(record: Any) -> Any:
    return record


def _digest(raw: bytes) -> bytes:
    """Digest a record; its line end, which the last line may lack, is no part of it."""
    return xxhash.xxh3_128_digest(raw.rstrip(b"\r\n"))


def _short(reason: str) -> str:
    """Leave out the middle of a reason that quotes a long value."""
    if len(reason) > _REASON_CHARACTERS:
        reason = f"{reason[: _REASON_CHARACTERS - _REASON_END - 1]}\N{HORIZONTAL ELLIPSIS}{reason[-_REASON_END:]}"
    return _UNSAFE.sub("\N{REPLACEMENT CHARACTER}", reason)


def _too_long(limit: int) -> str:
    return f"longer than {limit} bytes"
