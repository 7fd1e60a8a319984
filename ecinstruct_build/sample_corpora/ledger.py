"""The ledger of planted defects: what was planted, where it stands, and what it pairs with."""

from collections.abc import Iterable
from typing import Literal

import msgspec

Kind = Literal[
    "exact_duplicate_line",
    "near_duplicate",
    "foreign_language",
    "malformed_line",
    "html",
    "contradicting_relation",
    "cross_category",
    "empty_text",
    "privacy",
    "unjoinable_label",
]

REASONS = ("truncated", "wrong_type", "missing_id", "bad_utf8")
"""Why a malformed line cannot be read."""


class Place(msgspec.Struct, frozen=True):
    """Where a record stands.

    Attributes
    ----------
    file
        Path within the source's folder.
    line
        1-based line in the uncompressed file; 1-based row of a Parquet file; 1-based line of a CSV, header included.
    ids
        The record's native ids, most telling first.
    """

    file: str
    line: int
    ids: tuple[str, ...]


class Entry(msgspec.Struct, frozen=True, omit_defaults=True):
    """One planted defect.

    Attributes
    ----------
    kind
        What was planted.
    source, file, line, ids
        Where it stands, as in `Place`.
    partner
        The record that it repeats, resembles or contradicts.
    reason
        For a malformed line, one of ``REASONS``.
    note
        What was done: the language, the words changed, the markup, what was left out.
    field
        The part of the record that was touched.
    """

    kind: Kind
    source: str
    file: str
    line: int
    ids: tuple[str, ...]
    partner: Place | None = None
    reason: str | None = None
    note: str | None = None
    field: str | None = None


def encode(entries: Iterable[Entry]) -> bytes:
    """Return entries as JSON lines."""
    encoder = msgspec.json.Encoder()
    return b"".join(encoder.encode(entry) + b"\n" for entry in entries)


def decode(lines: bytes) -> list[Entry]:
    """Return the entries of a ledger file."""
    return msgspec.json.Decoder(Entry).decode_lines(lines)
