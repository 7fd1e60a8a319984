"""Mutated Parquet files: columns of other types than the record's, with the most extreme values that each can hold."""

import datetime as dt
import io
import random
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

_TEXTS = (
    "",
    " ",
    "\u00a0",
    "a b",
    "\x00",
    "\n",
    "\u2028",
    "0",
    "-1",
    "us",
    "E",
    "Exact",
    "UK",
    "\U0010ffff",
    "x" * 9999,
)


def mutated_parquet(rows: Sequence[Mapping[str, Any]], count: int, rng: random.Random) -> bytes:
    """Return a Parquet file of ``count`` rows drawn from ``rows``, with some columns of another type."""
    drawn = [rng.choice(rows) for _ in range(count)]
    columns: dict[str, pa.Array] = {}
    for name in rows[0]:
        given = [row[name] for row in drawn]
        if rng.random() < 0.5:
            columns[name] = _damaged(given, rng)
        else:
            columns[name] = rng.choice(_COLUMNS)(count, rng)
    sink = io.BytesIO()
    pq.write_table(pa.table(columns), sink, row_group_size=rng.choice((100, 1000, 1 << 20)))
    return sink.getvalue()


def damaged_parquet(data: bytes, rng: random.Random) -> bytes:
    """Return a Parquet file that is cut off, or of which some bytes are others."""
    if rng.random() < 0.3:
        return data[: rng.randrange(len(data))]
    changed = bytearray(data)
    for _ in range(rng.randint(1, 5)):
        changed[rng.randrange(len(data))] = rng.randrange(256)
    return bytes(changed)


def _damaged(values: Sequence[Any], rng: random.Random) -> pa.Array:
    """Keep the type: some values become null, some extreme ones of the same type."""
    kind = pa.array(values).type
    if pa.types.is_string(kind):
        spare: Sequence[Any] = (None, *_TEXTS)
    elif pa.types.is_integer(kind):
        spare = (None, 0, -1, 2**63 - 1, -(2**63))
    else:
        spare = (None,)
    return pa.array([rng.choice(spare) if rng.random() < 0.3 else value for value in values], kind)


def _drawn(kind: pa.DataType, values: Sequence[Any]) -> Callable[[int, random.Random], pa.Array]:
    return lambda count, rng: pa.array([rng.choice((None, *values)) for _ in range(count)], kind)


def _invalid_text(count: int, rng: random.Random) -> pa.Array:
    """Return a column of strings that are no UTF-8, as careless writers leave them."""
    values = [rng.choice((None, b"fine", b"\xff\xfe", b"\xed\xa0\x80", b"caf\xe9", b"\xc3")) for _ in range(count)]
    return pa.array(values, pa.binary()).view(pa.string())


def _dictionary(count: int, rng: random.Random) -> pa.Array:
    return pa.array([rng.choice((None, *_TEXTS)) for _ in range(count)]).dictionary_encode()


_INSTANTS = (0, 1, -1, 2**62, -(2**62), 1_600_000_000_000_000_001)
_COLUMNS = (
    *map(_drawn, (pa.string(), pa.large_string(), pa.binary()), (_TEXTS, _TEXTS, (b"", b"\xff", b"us"))),
    _drawn(pa.int64(), (0, 1, -1, 2**63 - 1, -(2**63))),
    _drawn(pa.uint64(), (0, 2**64 - 1)),
    _drawn(pa.float64(), (0.0, -0.0, 1.0, 1e308, float("nan"), float("inf"), float("-inf"))),
    _drawn(pa.bool_(), (True, False)),
    _drawn(pa.null(), ()),
    _drawn(pa.list_(pa.string()), ([], [None], [""], [" "], ["a", "a"], ["a\nb"], ["x"] * 500)),
    _drawn(pa.list_(pa.list_(pa.int64())), ([], [[]], [None], [[1, None]])),
    _drawn(pa.struct({"a": pa.string(), "b": pa.list_(pa.int8())}), ({"a": "b", "b": [1]}, {"a": None, "b": None})),
    _drawn(pa.map_(pa.string(), pa.int64()), ([], [("a", 1)], [("a", 1), ("a", None)])),
    _drawn(pa.decimal128(38, 2), (Decimal("1.00"), Decimal("-0.01"), Decimal(10**35))),
    _drawn(pa.decimal256(76, 0), (Decimal(0), Decimal(10**75))),
    _drawn(pa.date32(), (dt.date.min, dt.date.max)),
    *(
        lambda count, rng, kind=kind: pa.array([rng.choice((None, *_INSTANTS)) for _ in range(count)], pa.int64()).cast(
            kind
        )
        for kind in (
            pa.timestamp("ns"),
            pa.timestamp("ms"),
            pa.timestamp("us", "UTC"),
            pa.timestamp("ns", "Nowhere/Here"),
            pa.duration("ns"),
        )
    ),
    _invalid_text,
    _dictionary,
)
