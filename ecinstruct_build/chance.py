"""Keyed randomness: every random choice is a hash of (seed, purpose, identity).

Nothing here holds state, so a choice depends on what is chosen for and on nothing else: not on row
order, worker count, engine, or which other things are chosen. MD5 is used because DuckDB, Spark and
Python agree on it to the byte; it mixes well and secrecy is not wanted.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from ecinstruct_build.lazily import ibis, ir

T = TypeVar("T")

_DIGITS = 13  # hex digits: 52 bits, all of which a float holds exactly


def digest(seed: int, purpose: str, identity: str) -> str:
    """Return the 32 hex digits that decide ``purpose`` for ``identity``.

    Equal to what `digest_column` computes inside an engine.
    """
    return hashlib.md5(f"{seed}|{purpose}|{identity}".encode(), usedforsecurity=False).hexdigest()


def digest_column(seed: int, purpose: str, identity: ir.StringColumn) -> ir.StringColumn:
    """Return the column expression of `digest`; order by it and take the first n to draw n at random."""
    return (ibis.literal(f"{seed}|{purpose}|") + identity).hexdigest("md5")


def uniform(seed: int, purpose: str, identity: str) -> float:
    """Return a number in [0, 1), the same wherever it is asked for."""
    return float(int(digest(seed, purpose, identity)[:_DIGITS], 16) / 16**_DIGITS)


def choose(items: Sequence[T], seed: int, purpose: str, identity: str) -> T:
    """Return one of ``items``, each equally likely.

    Raises
    ------
    IndexError
        If there is nothing to choose from.
    """
    return items[int(uniform(seed, purpose, identity) * len(items))]


def shuffle(items: Iterable[T], seed: int, purpose: str, identity: str, key: Callable[[T], str] = str) -> list[T]:
    """Return ``items`` in an order that depends on their keys, never on the order they come in."""
    return sorted(items, key=lambda item: (digest(seed, purpose, f"{identity}|{key(item)}"), key(item)))
