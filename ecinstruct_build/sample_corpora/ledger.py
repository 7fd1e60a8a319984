"""The ledger of planted defects: what was planted, where it stands, and what it pairs with."""

from collections.abc import Iterable
from typing import Literal, get_args

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
    "mojibake",
    "invisible",
    "style_or_script",
    "placeholder_title",
    "contradicting_stars",
    "boilerplate_answer",
    "trivial_pair",
    "text_across_corpora",
    "variant_family",
    "family_twin",
]
KINDS: tuple[Kind, ...] = get_args(Kind)
"""What is planted; the last two are no defects, but products that belong together."""

REASONS = ("truncated", "wrong_type", "missing_id", "bad_utf8")
"""Why a malformed line cannot be read."""
PRIVATE = ("e-mail address", "phone number", "order number", "link with a token", "card number")
"""Kinds of private data."""
OTHER_VARIATION = "other"
VARIATIONS = ("colour", "size", "quantity", "not in the title", OTHER_VARIATION)
"""What tells the variants of a model apart. Those "not in the title" have one title. Those that differ in anything
"other" (a material, a wattage) may be taken for one family or for products of their own."""
TWINS = ("same title", "capitals", "punctuation", "maker named again", "relisted")
"""How the title of a product under its second id differs from the first."""
MOJIBAKE = ("cp1252", "cp1252 twice", "latin-1", "latin-1 twice")
"""What UTF-8 was taken for."""


class Place(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where a record stands.

    Attributes
    ----------
    file
        Path within the source's folder.
    line
        1-based line in the uncompressed file; 1-based row of a Parquet file; 1-based line of a CSV, header included.
    ids
        The record's native ids, most telling first.
    source
        The corpus, where it is another than that of the entry that names the place.
    """

    file: str
    line: int
    ids: tuple[str, ...]
    source: str | None = None


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
        For a malformed line, one of ``REASONS``; for private data, one of ``PRIVATE``; for mojibake, one of
        ``MOJIBAKE``; for families, one of ``VARIATIONS`` or ``TWINS``.
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
