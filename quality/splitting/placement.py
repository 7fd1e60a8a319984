"""Give each family and group its split, so that most examples fall wholly in one.

Every connected component is placed on its own, from its own nodes alone: what a new source adds elsewhere moves
nothing here.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from ecinstruct_build import chance
from quality.splitting.communities import components, cut
from quality.splitting.packing import draw_share, pack
from quality.splitting.ragged import Integers, Ragged, distinct
from quality.splitting.refinement import Floats, Standing

WHOLE = 12
"""Examples up to which a component is never cut: losing none costs more balance than it is worth above that."""

NOWHERE = -1
"""The split of a node that nothing stands on, and of an example that is dropped."""

_PARTS = 4  # communities that the smallest split should be made of
_FLOOR = 24.0  # a task with fewer examples in a component does not force finer cuts


@dataclass(frozen=True)
class Ties:
    """What ties each example to a split.

    Attributes
    ----------
    task
        The number of its task.
    core
        Nodes that must all fall in its split, once each.
    soft
        The node of each context item that may be trimmed.
    need
        How many of ``soft`` must fall in its split.
    """

    task: Integers
    core: Ragged
    soft: Ragged
    need: Integers

    def take(self, rows: Integers) -> "Ties":
        """Return what ties some of the examples."""
        return Ties(self.task[rows], self.core.take(rows), self.soft.take(rows), self.need[rows])


class Beside(Protocol):
    """Somebody who does some of the work at the same time."""

    @property
    def is_free(self) -> bool:
        """Whether he would begin at once."""

    def begin(self, function: Callable[..., Any], *args: Any) -> Callable[[], Any]:
        """Have a function called; what is returned waits for its result."""


def place(
    ties: Ties, names: Sequence[str], shares: Sequence[float], seed: int, beside: Beside | None = None
) -> Integers:
    """Choose the split of every node that the examples stand on.

    Parameters
    ----------
    ties
        What ties each example; ordered by a key of theirs.
    names
        The name of each node.
    shares
        The relative size of each split; sums to 1.
    seed
        Seed of the keyed choices.
    beside
        Who may place some of the components: it does not matter who places which.

    Returns
    -------
    The position in ``shares`` for each node, or `NOWHERE`.
    """
    placed = np.full(len(names), NOWHERE)
    labels = components(len(names), _joined(ties.core, ties.soft))
    row_label = labels[ties.core.values[ties.core.starts[:-1]]]
    used = distinct(np.concatenate([ties.core.values, ties.soft.values]))
    nodes_of, rows_of = _grouped(used, labels[used]), _grouped(np.arange(len(row_label)), row_label)
    waited_for: list[tuple[Integers, Callable[[], Integers]]] = []
    # The largest first, so that nobody waits long for the last one.
    for label, rows in sorted(rows_of.items(), key=lambda one: -len(one[1])):
        nodes = nodes_of[label]
        if len(rows) <= WHOLE:
            placed[nodes] = draw_share(shares, chance.uniform(seed, "split", names[nodes[0]]))
            continue
        component = _Component(nodes, names, ties.take(rows))
        if beside and beside.is_free:
            waited_for.append((nodes, beside.begin(component.place, shares, seed)))
        else:
            placed[nodes] = component.place(shares, seed)
    for nodes, splits in waited_for:
        placed[nodes] = splits()
    return placed


def _joined(left: Ragged, right: Ragged) -> Ragged:
    """Put the rows of two behind each other."""
    order = np.argsort(np.concatenate([left.owners, right.owners]), kind="stable")
    return Ragged(np.concatenate([left.values, right.values])[order], left.starts + right.starts)


def _grouped(items: Integers, labels: Integers) -> Mapping[int, Integers]:
    """Return the items of each label, in their order."""
    order = np.argsort(labels, kind="stable")
    found, firsts = np.unique(labels[order], return_index=True)
    groups = np.split(items[order], firsts[1:])
    return dict(zip(found.tolist(), groups, strict=False))


class _Component:
    """One connected component with its nodes and examples renumbered from 0."""

    def __init__(self, nodes: Integers, names: Sequence[str], ties: Ties) -> None:
        self.names = [names[node] for node in nodes.tolist()]
        self.core, self.soft = (
            Ragged(np.searchsorted(nodes, part.values), part.starts) for part in (ties.core, ties.soft)
        )
        present, self.task = np.unique(ties.task, return_inverse=True)
        self.tasks = len(present)
        self.need = ties.need

    def place(self, shares: Sequence[float], seed: int) -> Integers:
        """Return the split of each node, as a position in ``shares``."""
        cap = min(share for share in shares if share > 0) / _PARTS
        key = int(chance.digest(seed, "communities", self.names[0])[:12], 16)
        units = cut(self.core, self.soft, self._loads(), cap=cap, key=key)
        firsts = np.unique(units, return_index=True)[1].tolist()
        splits = pack([self.names[first] for first in firsts], self._standing(units), shares, seed)[units]
        lowest, highest = homes(self.core, splits)
        if len(distinct(lowest[lowest == highest])) == 1:
            # It cannot be divided (one query ties all of it, say), so chance says which split has it.
            return np.full(len(self.names), draw_share(shares, chance.uniform(seed, "split", self.names[0])))
        return splits

    def _loads(self) -> Floats:
        """Return the part of each task's examples that each node carries."""
        loads = np.zeros((len(self.names), self.tasks))
        owners = self.core.owners
        np.add.at(loads, (self.core.values, self.task[owners]), 1 / self.core.lengths[owners])
        relative: Floats = loads / np.maximum(loads.sum(axis=0), _FLOOR)
        return relative

    def _standing(self, units: Integers) -> Standing:
        """Count how the examples stand on communities."""
        count = int(units.max()) + 1
        firm = units[self.core.values] * len(self.core) + self.core.owners
        loose = units[self.soft.values] * len(self.core) + self.soft.owners
        pairs, where = np.unique(np.concatenate([firm, loose]), return_inverse=True)
        unit, row = pairs // len(self.core), pairs % len(self.core)
        crossing = np.bincount(row, minlength=len(self.core)) > 1
        inner = np.zeros((count, self.tasks))
        alone = ~crossing[row]
        np.add.at(inner, (unit[alone], self.task[row[alone]]), 1)
        number = np.cumsum(crossing) - 1
        across = ~alone
        return Standing(
            inner,
            self.task[crossing],
            self.core.lengths[crossing],
            self.need[crossing],
            unit[across],
            number[row[across]],
            np.bincount(where[: len(firm)], minlength=len(pairs))[across],
            np.bincount(where[len(firm) :], minlength=len(pairs))[across],
        )


def homes(core: Ragged, placed: Integers) -> tuple[Integers, Integers]:
    """Return the lowest and the highest split of each example's nodes: the same where they fall in one."""
    if not len(core):
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    splits, begins = placed[core.values], core.starts[:-1]
    return np.minimum.reduceat(splits, begins), np.maximum.reduceat(splits, begins)
