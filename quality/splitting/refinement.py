"""Improve a packing of communities into splits, by moving one community at a time."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from quality.splitting.ragged import Integers

_PASSES = 6
_TINY = 1e-9

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Standing:
    """How examples stand on communities.

    Attributes
    ----------
    inner
        By community and task: the examples that stand on this community alone, and are kept wherever it goes.
    task, whole, need
        Of each other example: its task, the nodes of its core, and the trimmable items that must be left.
    unit, row, firm, loose
        Parallel: that so many core nodes and trimmable items of an example (row) lie in a community (unit);
        each such pair once, ordered by community.
    """

    inner: Floats
    task: Integers
    whole: Integers
    need: Integers
    unit: Integers
    row: Integers
    firm: Integers
    loose: Integers


class Refinement:
    """Moves communities while the cost, the sum over tasks and splits of share^2 / kept, falls.

    Where nothing crosses, its minimum is at the wanted shares; an example saved counts most where few are kept,
    so a small split is not given up for the sake of a large one.

    Parameters
    ----------
    standing
        The examples.
    splits
        The split of each community to begin with.
    wanted
        The share to aim at, by task and split.
    order
        The communities in the order in which they are tried.
    """

    def __init__(self, standing: Standing, splits: Integers, wanted: Floats, order: Sequence[int]) -> None:
        self.standing = standing
        self.splits = splits.copy()
        self.order = order
        self.ends = np.flatnonzero((wanted > 0).any(axis=0)).tolist()
        tasks, count = wanted.shape
        totals = standing.inner.sum(axis=0) + np.bincount(standing.task, minlength=tasks)
        self.stakes = wanted.T**2 * totals  # this and what follows: by split first
        self.bounds = np.searchsorted(standing.unit, np.arange(len(splits) + 1)).tolist()
        self.firm = np.zeros((count, len(standing.task)), np.int64)
        self.loose = np.zeros_like(self.firm)
        np.add.at(self.firm, (splits[standing.unit], standing.row), standing.firm)
        np.add.at(self.loose, (splits[standing.unit], standing.row), standing.loose)
        at, home = np.nonzero((self.firm == standing.whole) & (self.loose >= standing.need))
        self.kept = np.zeros((count, tasks))
        np.add.at(self.kept, (at, standing.task[home]), 1)
        np.add.at(self.kept, splits, standing.inner)

    def run(self) -> None:
        """Try every community, then again those that stand beside a moved one, until nothing helps."""
        waiting = np.ones(len(self.splits), np.bool_)
        for _ in range(_PASSES):
            moved = [unit for unit in self.order if waiting[unit] and self._improve(unit)]
            if not moved:
                return
            beside = np.zeros(len(self.standing.task), np.bool_)
            for unit in moved:
                beside[self._rows(unit)] = True
            waiting[:] = False
            waiting[self.standing.unit[beside[self.standing.row]]] = True

    def cost(self) -> float:
        """Return what `run` makes smaller."""
        return float((self.stakes / (self.kept + 1)).sum())

    def _rows(self, unit: int) -> Integers:
        return self.standing.row[self.bounds[unit] : self.bounds[unit + 1]]

    def _improve(self, unit: int) -> bool:
        """Move a community to where the cost falls most, if it falls anywhere.

        Only the split that it leaves and the one that it enters change: an example is at home in a third one only if
        nothing of its core moves.
        """
        start = int(self.splits[unit])
        less = self._change(unit, start, -1)
        loss = self._gain(start, less)
        best, best_gain, more = start, _TINY, less
        for end in self.ends:
            if end != start:
                change = self._change(unit, end, 1)
                gain = loss + self._gain(end, change)
                if gain > best_gain:
                    best, best_gain, more = end, gain, change
        if best == start:
            return False
        rows, where = self._rows(unit), slice(self.bounds[unit], self.bounds[unit + 1])
        for column, sign, change in ((start, -1, less), (best, 1, more)):
            self.firm[column, rows] += sign * self.standing.firm[where]
            self.loose[column, rows] += sign * self.standing.loose[where]
            self.kept[column] += change
        self.splits[unit] = best
        return True

    def _gain(self, split: int, change: Floats) -> float:
        kept = self.kept[split] + 1
        return float((self.stakes[split] * change / (kept * (kept + change))).sum())

    def _change(self, unit: int, split: int, sign: int) -> Floats:
        """Return how many examples more, by task, a split keeps if it gains (+1) or loses (-1) a community."""
        standing, where = self.standing, slice(self.bounds[unit], self.bounds[unit + 1])
        change: Floats = sign * standing.inner[unit]
        rows = standing.row[where]
        if len(rows):
            firm, loose = self.firm[split, rows] - standing.whole[rows], self.loose[split, rows] - standing.need[rows]
            before = (firm == 0) & (loose >= 0)
            after = (firm == -sign * standing.firm[where]) & (loose >= -sign * standing.loose[where])
            saved = after.astype(np.float64) - before
            change = change + np.bincount(standing.task[rows], saved, minlength=len(change))
        return change
