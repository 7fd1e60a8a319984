"""Turn a block of an upstream file into records, and say of each that is malformed what is wrong with it."""

import ast
import io
import re
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import xxhash

from ecinstruct_build.ingesting.lines import split_lines, text_lines
from ecinstruct_build.ingesting.readers import Block, Limits, csv_records
from ecinstruct_build.ingesting.repeats import first_of_each
from ecinstruct_build.source import FileKind, Inadmissible

_LITERAL_CHARACTERS = 4 << 20  # parsing a literal takes a hundred times its length in memory
_EXCERPT_CHARACTERS = 200
_REASON_CHARACTERS = 200
_REASON_END = 60  # the end of a reason says where in the record the fault stands
_APART = 0x9E3779B97F4A7C15  # odd, so that no two files' digests are shifted alike
_MALFORMED = (ValueError, SyntaxError, TypeError, RecursionError, MemoryError)
_UNREADABLE = (ValueError, OverflowError, pa.ArrowException)  # text that is none, times beyond Python's
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
    """The records of a block; of those that are alike to the byte, the first alone is decoded.

    Attributes
    ----------
    lines
        1-based line of each record of the block, well-formed or not, repeated or not.
    digests
        The 128-bit digests of their raw bytes: two rows, the high and the low halves.
    first
        For each, the place in the block of the first one of the same bytes.
    records, places
        The well-formed ones of those that are first: struct, and place in the block, ascending.
    faults
        The malformed ones of those that are first, by place: reason and excerpt, or None for a line that is blank.
    """

    lines: npt.NDArray[np.int64]
    digests: npt.NDArray[np.uint64]
    first: npt.NDArray[np.int64]
    records: list[Any] = field(default_factory=list)
    places: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    faults: dict[int, tuple[str, str] | None] = field(default_factory=dict)

    def reject(self, place: int, reason: str, raw: bytes | str) -> None:
        """Add a malformed record, or turn one that was well-formed into one; `keep_well_formed` must then follow."""
        self.faults[place] = (_short(reason), excerpt_of(raw))

    def keep_well_formed(self) -> None:
        """Take out the records that were rejected after they had been decoded."""
        kept = [row for row, place in enumerate(self.places.tolist()) if place not in self.faults]
        self.records = [self.records[row] for row in kept]
        self.places = self.places[kept]

    @property
    def record_lines(self) -> npt.NDArray[np.int64]:
        """The lines of ``records``."""
        return self.lines[self.places] if len(self.places) < len(self.lines) else self.lines

    @property
    def well_formed(self) -> npt.NDArray[np.bool_]:
        """Whether each record of the block is well-formed; a line that is blank is not."""
        if not self.faults:
            return np.ones(len(self.lines), dtype=bool)
        faulty = np.zeros(len(self.lines), dtype=bool)
        faulty[list(self.faults)] = True
        return ~faulty[self.first]

    @property
    def rejects(self) -> list[Reject]:
        """The malformed records of the block, repeated ones too, in order."""
        found = []
        for place in np.flatnonzero(~self.well_formed):
            fault = self.faults[int(self.first[place])]
            if fault is not None:
                found.append(Reject(int(self.lines[place]), *fault))
        return found


def decode_block(kind: FileKind, block: Block, limits: Limits, numbers: npt.NDArray[np.int64] | None = None) -> Decoded:
    """Decode the records of ``block`` as ``kind`` describes them; nothing malformed raises.

    Parameters
    ----------
    kind, block, limits
        The kind of file, the block, and how much is held at a time.
    numbers
        For a block with the lines of several files: which file each is from. A line repeats none of another file.
    """
    if block.too_long is not None:
        decoded = _undecoded(block.first_line, [_digest(block.too_long)])
        decoded.reject(0, _too_long(limits.line_bytes), block.too_long)
        return decoded
    match kind.format:
        case "jsonl":
            decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder(kind.record)
            decode = decoder.decode if _is_unicode(block.data) else _of_unicode(decoder.decode)
            return _decode_lines(block, _admitting(kind, decode), limits.line_bytes, numbers)
        case "lines":
            return _decode_lines(block, _admitting(kind, _text_decoder(kind)), limits.line_bytes, numbers)
        case "python":
            limit = min(limits.line_bytes, _LITERAL_CHARACTERS)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # odd escapes in upstream's strings
                return _decode_lines(block, _admitting(kind, _literal_decoder(kind)), limit, numbers)
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


def _undecoded(
    lines: int | Sequence[int], digests: Sequence[bytes], numbers: npt.NDArray[np.int64] | None = None
) -> Decoded:
    """Begin a block of records with these digests, which stand on these lines or on those from ``lines`` on."""
    places = np.arange(lines, lines + len(digests)) if isinstance(lines, int) else np.array(lines, dtype=np.int64)
    halves = np.frombuffer(b"".join(digests), dtype=">u8").reshape(-1, 2).T.astype(np.uint64, order="C")
    if numbers is not None:
        halves[0] ^= numbers.astype(np.uint64) * np.uint64(_APART)
    return Decoded(places, halves, first_of_each(halves))


def _decode_lines(
    block: Block, decode: Callable[[bytes], Any], limit: int, numbers: npt.NDArray[np.int64] | None
) -> Decoded:
    """Decode line by line: msgspec's ``decode_lines`` takes two records on a line, or one on two, and is no faster."""
    lines = split_lines(block.data)
    decoded = _undecoded(block.first_line, _digests(block.data, lines), numbers)
    firsts = np.flatnonzero(decoded.first == np.arange(len(lines)))
    add, may_be_long = decoded.records.append, len(block.data) > limit
    for place in firsts.tolist():
        line = lines[place]
        try:
            if may_be_long and len(line) > limit:
                raise ValueError
            add(decode(line))
        except _MALFORMED:
            _look_again(decoded, place, line.rstrip(b"\r\n"), decode, limit)
    faults = decoded.faults
    decoded.places = firsts[[place not in faults for place in firsts.tolist()]] if faults else firsts
    return decoded


def _look_again(decoded: Decoded, place: int, line: bytes, decode: Callable[[bytes], Any], limit: int) -> None:
    """Say what is wrong with a line, without its end: with it a cut-off text reads as another fault.

    One that is blank is no record; one that was too long by its end alone is well-formed.
    """
    if len(line) > limit:
        decoded.reject(place, _too_long(limit), line)
    elif not line or line.isspace():
        decoded.faults[place] = None
    else:
        try:
            decoded.records.append(decode(line))
        except _MALFORMED as error:
            decoded.reject(place, reason_of(error), line)


def _is_unicode(data: bytes) -> bool:
    """Say whether bytes are valid UTF-8; Arrow looks through them in a quarter of the time that decoding takes."""
    if data.isascii():
        return True
    ends = pa.py_buffer(np.array([0, len(data)], dtype=np.int64))
    try:
        pa.LargeStringArray.from_buffers(1, ends, pa.py_buffer(data)).validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True


def _of_unicode(decode: Callable[[bytes], Any]) -> Callable[[bytes], Any]:
    """Return what refuses lines that are no valid UTF-8: a decoder does not look at what nothing reads."""

    def decode_unicode(line: bytes) -> Any:
        record = decode(line)
        line.decode()
        return record

    return decode_unicode


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
    text_of_block = text_lines(block.data.decode(kind.encoding, "surrogateescape"))
    width, admit = len(block.columns), kind.admit or _as_it_is
    seen = _Seen()
    for begin, end, cells in csv_records(text_of_block, final=True, delimiter=kind.delimiter):
        text = text_of_block[begin] if end == begin + 1 else "".join(text_of_block[begin:end])
        if text.isspace():
            continue
        raw = text.encode(kind.encoding, "surrogateescape")
        place = seen.place_if_new(block.first_line + begin, raw)
        if place is None:
            continue
        if len(raw) > limit:
            seen.rejected.append((place, _too_long(limit), text))
        elif isinstance(cells, str):
            seen.rejected.append((place, f"not a CSV record: {cells}", text))
        elif len(cells) != width:
            seen.rejected.append((place, f"expected {width} cells, got {len(cells)}", text))
        else:
            try:
                named = {name: cell for name, cell in zip(block.columns, cells, strict=True) if cell}
                "".join(cells).encode()
                seen.admitted.append((place, admit(msgspec.convert(named, kind.record, strict=False))))
            except ValueError as error:
                seen.rejected.append((place, reason_of(error), text))
    return seen.decoded()


def _decode_parquet(kind: FileKind, block: Block) -> Decoded:
    seen, admit = _Seen(), kind.admit or _as_it_is
    with pa.ipc.open_stream(io.BytesIO(block.data)) as stream:
        rows = _rows(stream.read_all())
    for line, row in enumerate(rows, block.first_line):
        if isinstance(row, str):  # never taken for a repeat: what it holds is unknown
            seen.rejected.append((seen.place_of(line), row, ""))
            continue
        place = seen.place_if_new(line, msgspec.msgpack.encode(row, enc_hook=str))
        if place is None:
            continue
        try:
            seen.admitted.append((place, admit(msgspec.convert(row, kind.record))))
        except ValueError as error:
            seen.rejected.append((place, reason_of(error), repr(row)))
    return seen.decoded()


def _rows(table: pa.Table) -> list[dict[str, Any] | str]:
    """Return the rows of a table; a reason in place of one that holds what Python cannot."""
    try:
        rows: list[dict[str, Any] | str] = table.to_pylist()
    except _UNREADABLE as error:
        if len(table) == 1:
            return [reason_of(error) if isinstance(error, UnicodeError) else "a value cannot be read"]
    else:
        return rows
    middle = len(table) // 2
    return _rows(table[:middle]) + _rows(table[middle:])


class _Seen:
    """Records of a block that are met one after another."""

    def __init__(self) -> None:
        self.admitted: list[tuple[int, Any]] = []
        self.rejected: list[tuple[int, str, str]] = []
        self._lines: list[int] = []
        self._digests: list[bytes] = []
        self._met: set[bytes] = set()

    def place_if_new(self, line: int, raw: bytes) -> int | None:
        """Take note of a record and return its place in the block, or None if it repeats an earlier one."""
        digest = _digest(raw)
        self._lines.append(line)
        self._digests.append(digest)
        if digest in self._met:
            return None
        self._met.add(digest)
        return len(self._lines) - 1

    def place_of(self, line: int) -> int:
        """Take note of a record that cannot be compared to others and return its place in the block."""
        self._lines.append(line)
        self._digests.append(_digest(f"unreadable {line}".encode()))
        return len(self._lines) - 1

    def decoded(self) -> Decoded:
        """Return all of them."""
        decoded = _undecoded(self._lines, self._digests)
        decoded.places = np.array([place for place, _ in self.admitted], dtype=np.int64)
        decoded.records = [record for _, record in self.admitted]
        for place, reason, raw in self.rejected:
            decoded.reject(place, reason, raw)
        return decoded


def _as_it_is(record: Any) -> Any:
    return record


def _digest(raw: bytes) -> bytes:
    """Digest a record; its line end, which the last line may lack, is no part of it."""
    return xxhash.xxh3_128_digest(raw.rstrip(b"\r\n") + b"\n")


def _digests(data: bytes, lines: Sequence[bytes]) -> list[bytes]:
    """Digest the lines of ``data``: as they stand where every one ends with a newline alone."""
    plain = data.endswith(b"\n") and b"\r" not in data
    return list(map(xxhash.xxh3_128_digest if plain else _digest, lines))


def _short(reason: str) -> str:
    """Leave out the middle of a reason that quotes a long value."""
    if len(reason) > _REASON_CHARACTERS:
        reason = f"{reason[: _REASON_CHARACTERS - _REASON_END - 1]}\N{HORIZONTAL ELLIPSIS}{reason[-_REASON_END:]}"
    return _UNSAFE.sub("\N{REPLACEMENT CHARACTER}", reason)


def _too_long(limit: int) -> str:
    return f"longer than {limit} bytes"
