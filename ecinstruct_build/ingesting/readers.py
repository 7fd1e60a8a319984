"""Cut an upstream file into blocks of whole records, without ever holding more than a block of it.

Where a block ends depends on the file's content alone, so that blocks can be worked on in any order, by any
number of processes, and after a kill, with the same outcome. Nothing is decoded here except what cutting needs:
newlines, and the quotes of a CSV.

Gzip is read by `isal` on the reading process, not by its threaded reader: the workers are busy elsewhere anyway,
and the threaded reader may take a worker thread that has just finished for the end of the file.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import IO, Any, Self

import pyarrow as pa
import pyarrow.parquet as pq
from isal import igzip, isal_zlib

from ecinstruct_build.errors import UserError
from ecinstruct_build.ingesting.headers import require_columns
from ecinstruct_build.ingesting.lines import count_newlines, text_lines
from ecinstruct_build.source import FileKind

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_OPEN_GZIP: Any = igzip.IGzipFile
_GZIP_ERRORS: Any = (igzip.BadGzipFile, isal_zlib.error)
_UNFINISHED = "unexpected end of data"  # how the csv module words a quote that is still open
_PIECE = 1 << 18  # bytes read at a time: they are still in the processor's cache when they are written
_EXCERPT_BYTES = 1000  # enough for an excerpt's characters in any encoding


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of a file is held at a time.

    Attributes
    ----------
    block_bytes
        Uncompressed bytes read at a time; a block ends at the last record that ends within them.
    line_bytes
        A longer line is quarantined, unread.
    batch_rows
        Rows of a Parquet file in a block.
    block_lines
        Lines after which a block ends early: tiny ones take many times their bytes while they are worked on.
    slice_bytes
        Bytes of a block of lines that are decoded and converted at a time.
    """

    block_bytes: int = 16 << 20
    line_bytes: int = 64 << 20
    batch_rows: int = 1 << 16
    block_lines: int = 1 << 18
    slice_bytes: int = 2 << 20


@dataclass(frozen=True, slots=True)
class Block:
    """A run of whole records.

    Attributes
    ----------
    number
        Its place in the file, from 0.
    first_line
        1-based line (Parquet: row) of the first of them.
    data
        The bytes as they stand in the file, decompressed; for Parquet an Arrow IPC stream. Empty if they are in a file.
    columns
        The column names (CSV only).
    too_long
        If the block stands for one line over the limit: the beginning of that line. ``data`` is then empty.
    position
        Bytes of the (compressed) file that were read up to here.
    path
        The file that holds ``data`` in its place, or None.
    """

    number: int
    first_line: int
    data: bytes
    position: int
    columns: tuple[str, ...] = ()
    too_long: bytes | None = None
    path: Path | None = None


def read_blocks(path: Path, kind: FileKind, limits: Limits, spool: Path | None = None) -> Iterator[Block]:
    """Yield the blocks of a file in order.

    Parameters
    ----------
    path, kind
        The file, and its kind.
    limits
        How much is held at a time.
    spool
        A folder to write the data of blocks of lines to, each to a file that is the caller's to remove; None keeps it
        in memory.

    Raises
    ------
    UserError
        If the file cannot be read, is a damaged gzip or Parquet file, or lacks a column that its records need or names
        one twice.
    """
    if kind.format == "parquet":
        yield from _parquet_blocks(path, kind, limits)
        return
    with _opened(path) as stream:
        if kind.format == "csv":
            yield from _csv_blocks(path, stream, kind, limits)
        else:
            yield from _line_blocks(stream, limits, spool)


def read_small(path: Path, kind: FileKind, limits: Limits) -> bytes | None:
    """Return the whole of a file of lines that takes no more than a slice, or None if it is none such.

    Raises
    ------
    UserError
        If the file cannot be read, or is a damaged gzip file.
    """
    if kind.format in {"csv", "parquet"}:
        return None
    most = min(limits.slice_bytes, limits.block_bytes, limits.line_bytes)
    with _opened(path) as stream:
        data = stream.read(most + 1)
    return data.removeprefix(_BYTE_ORDER_MARK) if len(data) <= most else None


def read_header(path: Path, kind: FileKind) -> tuple[str, ...]:
    """Return the column names of a CSV; of the file, no more is read than it takes.

    Raises
    ------
    UserError
        As `read_blocks` does.
    """
    with _opened(path) as stream:
        data = stream.read(_PIECE).removeprefix(_BYTE_ORDER_MARK)
        while not (cut := _csv_cut(data, kind.delimiter, overfull=False)) and (more := stream.read(_PIECE)):
            data += more
    return _csv_header(path, data[:cut] if cut else data, kind)[0]


@contextmanager
def _opened(path: Path) -> Iterator["_Stream"]:
    try:
        raw = path.open("rb")
    except OSError as error:
        raise _unreadable(path, error) from error
    with raw:
        if path.suffix == ".gz" and not raw.read(1):
            raise _damaged(path, "gzip", "it is empty")
        raw.seek(0)
        yield _Stream(path, raw)


def csv_records(
    lines: Sequence[str], *, final: bool, delimiter: str = ","
) -> Iterator[tuple[int, int, list[str] | str]]:
    """Yield the records of a CSV as (first line, line after the last, cells).

    A record that breaks the rules is yielded as its first line alone, with the reason in place of the cells, and
    reading goes on at the next line: a quote that is never closed costs one line, not the rest of the file.

    The time that it takes is proportional to the length of the lines: a record that breaks a rule on a later line than
    its first was within quotes at the end of each line in between. So would be any record that begins on one of these
    and does not end there, and would break the same rule: to try each line by itself is enough.

    Parameters
    ----------
    lines
        Lines with their newlines.
    final
        Whether an unfinished record at the end is an error; else it is left out.
    delimiter
        What stands between cells.
    """
    base = 0
    while base < len(lines):
        reader = csv.reader(map(lines.__getitem__, range(base, len(lines))), strict=True, delimiter=delimiter)
        begin = base
        try:
            for cells in reader:
                end = base + reader.line_num
                yield begin, end, cells
                begin = end
            break
        except csv.Error as error:
            if not final and str(error) == _UNFINISHED:
                return
            broken = base + reader.line_num - 1
            # Where the rule is broken depends on where the block ends; that the record does not end on its line, not.
            yield begin, begin + 1, str(error) if broken <= begin else _UNFINISHED
            for line in range(begin + 1, min(broken + (str(error) == _UNFINISHED), len(lines))):
                yield line, line + 1, _single_record(lines[line], delimiter)
            base = max(begin + 1, broken + (str(error) == _UNFINISHED))


def _single_record(line: str, delimiter: str) -> list[str] | str:
    """Return the cells of a line, or why it is no record."""
    try:
        return next(csv.reader([line], strict=True, delimiter=delimiter), [])
    except csv.Error as error:
        return str(error)


class _Stream:
    """A plain or gzipped file read in full chunks; damage is reported as the user's error."""

    def __init__(self, path: Path, raw: IO[bytes]) -> None:
        self._path = path
        self._raw = raw
        self._file = _OPEN_GZIP(fileobj=raw, mode="rb") if path.suffix == ".gz" else raw

    def read(self, size: int) -> bytes:
        """Return ``size`` bytes, or fewer at the end of the file."""
        return b"".join(self.pieces(size))

    def pieces(self, size: int) -> Iterator[bytes]:
        """Yield ``size`` bytes, or fewer at the end of the file, one piece after another."""
        while size and (piece := self._read(min(size, _PIECE))):
            yield piece
            size -= len(piece)

    def _read(self, size: int) -> bytes:
        try:
            return bytes(self._file.read(size))
        except EOFError as error:
            raise _damaged(self._path, "gzip", "it ends too early, as after a broken download") from error
        except _GZIP_ERRORS as error:
            raise _damaged(self._path, "gzip", str(error)) from error
        except OSError as error:
            raise _unreadable(self._path, error) from error

    @property
    def position(self) -> int:
        """Bytes of the file on disk read so far."""
        return self._raw.tell()


class _Memory:
    """What a block in memory is written to: pieces, put together once, which takes less time than room that grows."""

    def __init__(self) -> None:
        self.data = b""
        self._pieces: list[bytes] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def write(self, piece: bytes) -> None:
        """Append a piece."""
        self._pieces.append(piece)

    def writelines(self, pieces: Iterable[bytes]) -> None:
        """Append pieces."""
        self._pieces.extend(pieces)

    def truncate(self, size: int) -> None:
        """Settle ``data``: so many bytes of what was written."""
        self.data = b"".join(self._pieces)[:size]
        self._pieces.clear()


def _line_blocks(stream: _Stream, limits: Limits, spool: Path | None) -> Iterator[Block]:
    """Pass lines on in pieces that stay in the processor's cache; of the file, an unfinished line alone is held."""
    number, line = 0, 1
    rest: list[bytes] = []  # pieces of an unfinished line
    ahead = stream.read(min(_PIECE, limits.block_bytes)).removeprefix(_BYTE_ORDER_MARK)
    while True:
        path = spool / f"block-{number:05d}" if spool else None
        with path.open("wb") if path else _Memory() as file:
            file.writelines(rest)
            held, cut, newlines, over = sum(map(len, rest)), 0, 0, False
            while not cut and not over and held <= limits.line_bytes:
                over = True
                for piece in chain(filter(None, [ahead]), stream.pieces(limits.block_bytes - len(ahead))):
                    over = False
                    file.write(piece)
                    newlines += count_newlines(piece)
                    end = piece.rfind(b"\n") + 1
                    cut, rest = (held + end, [piece[end:]]) if end else (cut, [*rest, piece])
                    held += len(piece)
                    if newlines >= limits.block_lines:
                        break
                ahead = b""
            file.truncate(cut or held)
            data = file.data if isinstance(file, _Memory) else b""
        if cut or 0 < held <= limits.line_bytes:
            yield Block(number, line, data, stream.position, path=path)
        elif path:
            path.unlink()
        if not cut and held > limits.line_bytes:
            excerpt, rest, ahead = b"".join(rest)[:_EXCERPT_BYTES], [], _skip_line(stream, limits)
            yield Block(number, line, b"", stream.position, too_long=excerpt)
            newlines = 1
        elif not cut:
            return
        number, line = number + 1, line + newlines


def _skip_line(stream: _Stream, limits: Limits) -> bytes:
    """Read on to the end of the line; return what was read behind it, or the next chunk."""
    while chunk := stream.read(limits.block_bytes):
        _, newline, after = chunk.partition(b"\n")
        if newline:
            return after or stream.read(limits.block_bytes)
    return b""


def _csv_blocks(path: Path, stream: _Stream, kind: FileKind, limits: Limits) -> Iterator[Block]:
    number, line, columns = 0, 1, kind.columns
    rest, chunk = b"", stream.read(limits.block_bytes).removeprefix(_BYTE_ORDER_MARK)
    while True:
        overfull, final = len(rest) > limits.line_bytes, not chunk
        rest += chunk
        cut = len(rest) if final else _csv_cut(rest, kind.delimiter, overfull=overfull)
        if not cut and overfull:
            excerpt, rest, chunk = rest[:_EXCERPT_BYTES], b"", _skip_line(stream, limits)
            yield Block(number, line, b"", stream.position, columns, too_long=excerpt)
            number, line = number + 1, line + 1
            continue
        data, rest = rest[:cut], rest[cut:]
        if data and not columns:
            columns, header = _csv_header(path, data, kind)
            line, data = line + count_newlines(data[:header]), data[header:]
        if data:
            yield Block(number, line, data, stream.position, columns)
            number, line = number + 1, line + count_newlines(data)
        if final:
            break
        chunk = stream.read(limits.block_bytes)
    if not columns:
        raise UserError(f"{path} is empty: its first row must name its columns. Delete it and fetch it again.")


def _csv_cut(data: bytes, delimiter: str, *, overfull: bool) -> int:
    """Return where the last whole record of ``data`` ends; if it is ``overfull``, where the last line does."""
    end = data.rfind(b"\n") + 1
    if overfull or b'"' not in data:
        return end
    # Quotes, commas and newlines are the same bytes in every encoding here, so any decoding that keeps bytes will do.
    lines = text_lines(data[:end].decode("latin-1"))
    whole = max((last for _, last, _ in csv_records(lines, final=False, delimiter=delimiter)), default=0)
    return sum(map(len, lines[:whole]))


def _csv_header(path: Path, data: bytes, kind: FileKind) -> tuple[tuple[str, ...], int]:
    """Return the column names of the first row and the bytes that it takes."""
    lines = text_lines(data.decode(kind.encoding, "surrogateescape"))
    for _, end, cells in csv_records(lines, final=True, delimiter=kind.delimiter):
        if not any(cells):
            continue
        names = tuple(name.strip() for name in cells) if not isinstance(cells, str) else ()
        require_columns(path, kind, names)
        return names, len("".join(lines[:end]).encode(kind.encoding, "surrogateescape"))
    return (), len(data)


def _parquet_blocks(path: Path, kind: FileKind, limits: Limits) -> Iterator[Block]:
    try:
        size = path.stat().st_size
        with pq.ParquetFile(path) as file:
            require_columns(path, kind, file.schema_arrow.names)
            total, row = file.metadata.num_rows, 1
            for number, batch in enumerate(file.iter_batches(limits.batch_rows)):
                sink = io.BytesIO()
                with pa.ipc.new_stream(sink, batch.schema) as writer:
                    writer.write_batch(batch)
                yield Block(number, row, sink.getvalue(), size * (row - 1 + len(batch)) // max(total, 1))
                row += len(batch)
    except (pa.ArrowException, UnicodeDecodeError) as error:  # the latter of names of columns
        raise _damaged(path, "Parquet", " ".join(str(error).split())) from error
    except OSError as error:
        if error.errno is None:  # Arrow's own, of what it read
            raise _damaged(path, "Parquet", " ".join(str(error).split())) from error
        raise _unreadable(path, error) from error


def _damaged(path: Path, form: str, detail: str) -> UserError:
    return UserError(f"{path} is a damaged {form} file: {detail}. Delete it and fetch it again.")


def _unreadable(path: Path, error: OSError) -> UserError:
    return UserError(f"{path} cannot be read: {error.strerror or error}. Check that it is there and may be read.")
