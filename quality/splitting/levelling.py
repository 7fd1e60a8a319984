"""Level out: what one split has beyond its quotas goes, in whole components, to a split that lacks it."""

from collections.abc import Iterator
from heapq import heapify, heappop, heappush
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from quality.splitting.ragged import Integers
from quality.splitting.refinement import Floats

_Group = tuple[int, list[tuple[int, float]], list[tuple[int, int]]]
"""Equal components: their home, how many examples of which task each has, and (rank, component) in order."""


def level(counts: Floats, homes: Integers, wanted: Floats, rank: Integers, fixed: npt.NDArray[np.bool_]) -> Integers:
    """Choose components that move to another split.

    A component moves only from where every quota that it serves stays filled without it, so that no split comes to
    lack anything; the one that fills most of what is missing moves first.

    Parameters
    ----------
    counts
        Examples of each component (row) by task (column).
    homes
        The split of each component.
    wanted
        The quotas by split and task.
    rank
        Settles ties between components.
    fixed
        Components that stay.

    Returns
    -------
    The split of each component afterwards.
    """
    homes = homes.copy()
    there = np.zeros_like(wanted)
    np.add.at(there, homes, counts)
    for split in np.argsort(wanted.sum(axis=1), kind="stable").tolist():
        missing = (wanted[split] - there[split]).tolist()
        if max(missing) <= 0:
            continue
        rows = np.flatnonzero((homes != split) & ~fixed & (counts[:, np.array(missing) > 0] > 0).any(axis=1))
        moved = np.array(_moves(_groups(counts, homes, rank, rows), missing, there - wanted, wanted[split]), np.int64)
        np.subtract.at(there, homes[moved], counts[moved])
        there[split] += counts[moved].sum(axis=0)
        homes[moved] = split
    return homes


def _groups(counts: Floats, homes: Integers, rank: Integers, rows: Integers) -> Iterator[_Group]:
    """Yield equal components of one home together: none is more useful than another, so they go in order of rank."""
    facts = np.column_stack([homes[rows], counts[rows]])
    order = np.lexsort((rank[rows], *facts.T))
    rows, facts = rows[order], facts[order]
    new = np.flatnonzero((facts[1:] != facts[:-1]).any(axis=1)) + 1
    for begin, end in pairwise([0, *new.tolist(), len(rows)] if len(rows) else []):
        members = rows[begin:end]
        has = np.flatnonzero(counts[members[0]])
        yield (
            int(homes[members[0]]),
            list(zip(has.tolist(), counts[members[0], has].tolist(), strict=True)),
            list(zip(rank[members].tolist(), members.tolist(), strict=True)),
        )


def _moves(groups: Iterator[_Group], missing: list[float], surplus: Floats, wanted: Floats) -> list[int]:
    """Return the components that move to a split, in order.

    While they move, less is missing and less can be spared: a group's use never grows. So what was the best is
    asked again, and is the best still if it has kept its use.
    """
    spare: list[list[float]] = surplus.tolist()
    least: list[float] = np.maximum(wanted, 1).tolist()
    listed = list(groups)

    def use(number: int) -> float:
        home, has, _ = listed[number]
        if any(count > spare[home][task] for task, count in has):
            return 0.0
        return round(sum(min(count, missing[task]) / least[task] for task, count in has if missing[task] > 0), 9)

    moved: list[int] = []
    waiting = [(-use(number), members[0][0], number, 0) for number, (_, _, members) in enumerate(listed)]
    heapify(waiting)
    while waiting and waiting[0][0] < 0:
        best, head, number, place = heappop(waiting)
        now = -use(number)
        if now > best:
            heappush(waiting, (now, head, number, place))
            continue
        home, has, members = listed[number]
        moved.append(members[place][1])
        for task, count in has:
            missing[task] -= count
            spare[home][task] -= count
        if place + 1 < len(members):
            heappush(waiting, (now, members[place + 1][0], number, place + 1))
    return moved
