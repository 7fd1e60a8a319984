"""Improve a packing of communities into splits, by moving one community at a time."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from quality.splitting.ragged import Integers

_PASSES = 12
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

    def __init__(self, standing: Standing, splits: Integers, wanted: Floats, order: Integers) -> None:
        self.standing = standing
        self.splits = splits.copy()
        self.order = order
        tasks, count = wanted.shape
        totals = standing.inner.sum(axis=0) + np.bincount(standing.task, minlength=tasks)
        self.stakes = wanted.T**2 * totals  # this and what follows: by split first
        self.bounds = np.searchsorted(standing.unit, np.arange(len(splits) + 1)).tolist()
        self.firm = np.zeros((count, len(standing.task)), np.int64)  # core nodes beyond all that there are: 0 if whole
        self.loose = np.zeros_like(self.firm)  # trimmable items beyond what is needed
        np.add.at(self.firm, (splits[standing.unit], standing.row), standing.firm)
        np.add.at(self.loose, (splits[standing.unit], standing.row), standing.loose)
        self.firm -= standing.whole
        self.loose -= standing.need
        at, home = np.nonzero((self.firm == 0) & (self.loose >= 0))
        self.kept = np.zeros((count, tasks))
        np.add.at(self.kept, (at, standing.task[home]), 1)
        np.add.at(self.kept, splits, standing.inner)

    def run(self) -> None:
        """Move, in order, the communities whose move lowers the cost, and look again, until none does."""
        for _ in range(_PASSES):
            hopeful = self._gains(self._changes(0, len(self.splits)), self.splits).max(axis=0) > _TINY
            if not sum(self._improve(unit) for unit in self.order[hopeful[self.order]].tolist()):
                return

    def cost(self) -> float:
        """Return what `run` makes smaller."""
        return float((self.stakes / (self.kept + 1)).sum())

    def _improve(self, unit: int) -> bool:
        """Move a community to where the cost falls most, if it still falls anywhere.

        Only the split that it leaves and the one that it enters change: an example is at home in a third one only if
        nothing of its core moves.
        """
        changes = self._changes(unit, unit + 1)
        gains = self._gains(changes, self.splits[unit : unit + 1])[:, 0]
        best = int(gains.argmax())
        if gains[best] <= _TINY:
            return False
        where = slice(self.bounds[unit], self.bounds[unit + 1])
        rows = self.standing.row[where]
        for split, sign in ((int(self.splits[unit]), -1), (best, 1)):
            self.firm[split, rows] += sign * self.standing.firm[where]
            self.loose[split, rows] += sign * self.standing.loose[where]
            self.kept[split] += changes[split, 0]
        self.splits[unit] = best
        return True

    def _gains(self, changes: Floats, homes: Integers) -> Floats:
        """Return how much the cost falls if a community (column) moves to a split (row); 0 for where it is."""
        kept = self.kept[:, None] + 1
        gains: Floats = (self.stakes[:, None] * changes / (kept * (kept + changes))).sum(axis=2)
        units = np.arange(len(homes))
        leaving = gains[homes, units]
        gains += leaving
        gains[homes, units] = 0
        return gains

    def _changes(self, first: int, end: int) -> Floats:
        """Return how many examples more each split keeps if it gains a community, or loses one that it has.

        By split, community (from ``first`` to before ``end``) and task.
        """
        standing, where = self.standing, slice(self.bounds[first], self.bounds[end])
        splits, tasks = self.stakes.shape
        rows, units = standing.row[where], standing.unit[where] - first
        signs = np.where(np.arange(splits)[:, None] == self.splits[first:end], -1, 1)
        sign, firm, loose = signs[:, units], self.firm[:, rows], self.loose[:, rows]
        before = (firm == 0) & (loose >= 0)
        after = (firm + sign * standing.firm[where] == 0) & (loose + sign * standing.loose[where] >= 0)
        cells = (np.arange(splits)[:, None] * (end - first) + units) * tasks + standing.task[rows]
        saved = np.subtract(after, before, dtype=np.float64)
        crossing = np.bincount(cells.ravel(), saved.ravel(), minlength=splits * (end - first) * tasks)
        changes: Floats = crossing.reshape(splits, end - first, tasks) + signs[:, :, None] * standing.inner[first:end]
        return changes
