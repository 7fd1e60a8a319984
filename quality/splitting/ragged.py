"""Rows of integers of any length, laid end to end in one array: what examples stand on, in compact form."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Integers = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Ragged:
    """Rows of integers.

    Attributes
    ----------
    values
        The rows, one after the other.
    starts
        Where each row begins, and where the last one ends.
    """

    values: Integers
    starts: Integers

    def __len__(self) -> int:
        return len(self.starts) - 1

    @property
    def lengths(self) -> Integers:
        """The length of each row."""
        return np.diff(self.starts)

    @property
    def owners(self) -> Integers:
        """The row of each value."""
        return np.repeat(np.arange(len(self)), self.lengths)

    def take(self, rows: Integers) -> "Ragged":
        """Return some of the rows, in the order asked for."""
        starts = _starts(self.lengths[rows])
        shifts = np.repeat(self.starts[:-1][rows] - starts[:-1], self.lengths[rows])
        return Ragged(self.values[shifts + np.arange(starts[-1])], starts)

    def where(self, kept: npt.NDArray[np.bool_]) -> "Ragged":
        """Return all rows with some of the values left out."""
        return Ragged(self.values[kept], _starts(np.bincount(self.owners[kept], minlength=len(self))))

    def count(self, marked: npt.NDArray[np.bool_]) -> Integers:
        """Return how many values of each row are marked."""
        return np.bincount(self.owners[marked], minlength=len(self))

    def to_lists(self) -> list[list[int]]:
        """Return the rows as lists."""
        flat = self.values.tolist()
        return [flat[begin:end] for begin, end in pairwise(self.starts.tolist())]

    def to_arrow(self) -> pa.ListArray:
        """Return the rows as an Arrow array."""
        return pa.ListArray.from_arrays(pa.array(self.starts, pa.int32()), pa.array(self.values, pa.int32()))


def ragged(rows: Iterable[Sequence[int]]) -> Ragged:
    """Lay lists of integers end to end."""
    rows = list(rows)
    lengths = np.fromiter(map(len, rows), np.int64, len(rows))
    starts = _starts(lengths)
    return Ragged(np.fromiter(chain.from_iterable(rows), np.int64, int(starts[-1])), starts)


def from_arrow(column: pa.ChunkedArray) -> Ragged:
    """Read back what `Ragged.to_arrow` laid out."""
    lengths = column.combine_chunks().value_lengths() if len(column) else pa.array([], pa.int32())
    values = [chunk.flatten().to_numpy(zero_copy_only=False) for chunk in column.chunks]
    flat = np.concatenate(values) if values else np.zeros(0)
    return Ragged(flat.astype(np.int64), _starts(lengths.to_numpy(zero_copy_only=False).astype(np.int64)))


def distinct(values: Integers) -> Integers:
    """Return the different values, ascending: what `numpy.unique` does by hashing, which takes ten times as long."""
    ordered = np.sort(values)
    return ordered[np.diff(ordered, prepend=ordered[:1] - 1) > 0]


def union(*parts: Ragged) -> Ragged:
    """Return, row by row, the values of all parts, ascending and once each."""
    size = max((int(part.values.max(initial=0)) for part in parts), default=0) + 1
    keys = distinct(np.concatenate([part.owners * size + part.values for part in parts]))
    return Ragged(keys % size, _starts(np.bincount(keys // size, minlength=len(parts[0]))))


def _starts(lengths: Integers) -> Integers:
    return np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths, dtype=np.int64)])
