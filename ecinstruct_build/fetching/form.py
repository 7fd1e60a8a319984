"""Look whether a file that nobody states a digest of is at least what it is called: its records must decode."""

from pathlib import Path

from ecinstruct_build.errors import UserError
from ecinstruct_build.ingesting.decoding import decode_block
from ecinstruct_build.ingesting.readers import Limits, read_blocks
from ecinstruct_build.source import Source

_BEGINNING = Limits(block_bytes=1 << 18, line_bytes=1 << 26, batch_rows=256)


def form_fault(source: Source, file: str, path: Path) -> str:
    """Return what is wrong with the beginning of a file, or "" if any of its first records decodes.

    A login page, an error message or the pointer of a large file, saved under the file's name, is found out here.
    """
    found = source.kind_of(file)
    if found is None:
        return ""
    kind, _ = found
    try:
        block = next(read_blocks(path, kind, _BEGINNING), None)
    except UserError as error:
        return str(error)
    if block is None:
        return "it holds no record"
    decoded = decode_block(kind, block, _BEGINNING)
    if decoded.records:
        return ""
    if not decoded.rejects:
        return "it holds no record"
    first = decoded.rejects[0]
    return f"none of its first {len(decoded.rejects):,} records can be read; line {first.line}: {first.reason}"
