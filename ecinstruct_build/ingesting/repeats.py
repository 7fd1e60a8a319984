"""Find the records of a file that repeat an earlier one to the byte, in bounded memory.

Each block of the file leaves an array of its records' digests, sorted by their high halves. The range of digests is
then walked through in slices small enough to sort in memory, each gathered from all blocks. Numbers alone sort many
times as fast as rows, so the high halves are sorted first, and only rows whose high half occurs again are looked at.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

_DIGESTS_AT_ONCE = 4 << 20  # about 300 MB while sorting


def first_of_each(digests: npt.NDArray[np.uint64]) -> npt.NDArray[np.int64]:
    """Return for each digest (a column of high and low 64 bits) the place of the first that is equal to it."""
    first = np.arange(digests.shape[1])
    order = np.argsort(digests[0])
    high = digests[0][order]
    again = high[1:] == high[:-1]
    if again.any():
        places = np.unique(np.concatenate([order[1:][again], order[:-1][again]]))
        met: dict[tuple[int, int], int] = {}
        for place, *halves in zip(places.tolist(), *digests[:, places].tolist(), strict=True):
            first[place] = met.setdefault((halves[0], halves[1]), place)
    return first


def sorted_digests(digests: npt.NDArray[np.uint64], lines: npt.NDArray[np.int64]) -> npt.NDArray[np.uint64]:
    """Return digests with their lines as three rows (high 64 bits, low 64 bits, line), ascending by the high 64 bits.

    Parameters
    ----------
    digests
        Two rows: high and low 64 bits of each record's digest.
    lines
        The record's 1-based line.
    """
    order = np.argsort(digests[0])  # not stable, which takes five times as long: lines are compared later
    return np.stack([digests[0][order], digests[1][order], lines[order].astype(np.uint64)])


def repeated_lines(
    files: Sequence[Path], at_once: int = _DIGESTS_AT_ONCE
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return the lines that repeat an earlier one, ascending, and for each the first line of its kind.

    Parameters
    ----------
    files
        ``.npy`` files of what `sorted_digests` returns, one a block.
    at_once
        About how many digests to hold at a time.
    """
    total = sum(np.load(file, mmap_mode="r").shape[1] for file in files)
    slices = -(-total // at_once) if total else 0
    found = [_repeated(_gather(files, number, slices)) for number in range(slices)]
    lines = np.concatenate([lines for lines, _ in found]) if found else np.empty(0, np.int64)
    first = np.concatenate([first for _, first in found]) if found else np.empty(0, np.int64)
    order = np.argsort(lines)
    return lines[order], first[order]


def _gather(files: Sequence[Path], number: int, slices: int) -> npt.NDArray[np.uint64]:
    """Return the digests of one slice of their range, from all blocks."""
    low, high = (2**64 * edge // slices for edge in (number, number + 1))
    parts = []
    for file in files:
        digests = np.load(file, mmap_mode="r")
        start = np.searchsorted(digests[0], np.uint64(low))
        stop = np.searchsorted(digests[0], np.uint64(high)) if high < 2**64 else digests.shape[1]
        parts.append(np.array(digests[:, start:stop]))
    return np.concatenate(parts, axis=1)


def _repeated(digests: npt.NDArray[np.uint64]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    digests = _candidates(digests)
    if not digests.shape[1]:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    high, low, line = digests[:, np.lexsort((digests[2], digests[1], digests[0]))]
    repeats = np.concatenate([[False], (high[1:] == high[:-1]) & (low[1:] == low[:-1])])
    first = line[~repeats][np.cumsum(~repeats) - 1]
    return line[repeats].astype(np.int64), first[repeats].astype(np.int64)


def _candidates(digests: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """Return the digests whose high 64 bits stand there more than once."""
    order = np.argsort(digests[0])
    high = digests[0][order]
    again = high[1:] == high[:-1]
    shared = np.zeros(len(order), dtype=bool)
    shared[1:] |= again
    shared[:-1] |= again
    return digests[:, order[shared]]
