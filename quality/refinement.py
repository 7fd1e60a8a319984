"""Improve a packing of communities into splits, by moving one community at a time."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from quality.ragged import Integers

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
        self.stakes = wanted**2 * totals[:, None]
        self.bounds = np.searchsorted(standing.unit, np.arange(len(splits) + 1)).tolist()
        self.firm = np.zeros((len(standing.task), count), np.int64)
        self.loose = np.zeros_like(self.firm)
        np.add.at(self.firm, (standing.row, splits[standing.unit]), standing.firm)
        np.add.at(self.loose, (standing.row, splits[standing.unit]), standing.loose)
        home, at = np.nonzero((self.firm == standing.whole[:, None]) & (self.loose >= standing.need[:, None]))
        self.kept = np.zeros((tasks, count))
        np.add.at(self.kept, (standing.task[home], at), 1)
        np.add.at(self.kept.T, splits, standing.inner)

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
        """Move a community to where the cost falls most, if it falls anywhere."""
        start = int(self.splits[unit])
        best, best_gain, best_change = start, _TINY, None
        for end in self.ends:
            if end != start:
                change = self._change(unit, start, end)
                columns = (start, end)
                kept, stakes = self.kept[:, columns], self.stakes[:, columns]
                gain = float((stakes / (kept + 1) - stakes / (kept + change + 1)).sum())
                if gain > best_gain:
                    best, best_gain, best_change = end, gain, change
        if best_change is None:
            return False
        where = slice(self.bounds[unit], self.bounds[unit + 1])
        for column, sign in ((start, -1), (best, 1)):
            self.firm[self._rows(unit), column] += sign * self.standing.firm[where]
            self.loose[self._rows(unit), column] += sign * self.standing.loose[where]
        self.kept[:, (start, best)] += best_change
        self.splits[unit] = best
        return True

    def _change(self, unit: int, start: int, end: int) -> Floats:
        """Return how many examples more, by task, the two splits keep if a community moves from one to the other.

        No other split changes: an example is at home in a third one only if nothing of its core moves.
        """
        standing, where, rows = self.standing, slice(self.bounds[unit], self.bounds[unit + 1]), self._rows(unit)
        whole, need, task = standing.whole[rows], standing.need[rows], standing.task[rows]
        change = np.empty((len(self.stakes), 2))
        for position, (column, sign) in enumerate(((start, -1), (end, 1))):
            firm, loose = self.firm[rows, column], self.loose[rows, column]
            before = (firm == whole) & (loose >= need)
            after = (firm + sign * standing.firm[where] == whole) & (loose + sign * standing.loose[where] >= need)
            saved = np.bincount(task, after.astype(np.float64) - before, minlength=len(self.stakes))
            change[:, position] = saved + sign * standing.inner[unit]
        return change
