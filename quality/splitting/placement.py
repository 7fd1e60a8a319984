"""Give each family and group its split, so that most examples fall wholly in one.

First what hangs together is cut into communities, once for all seeds; then a seed chooses among the balanced packings
of these. Every connected component is cut and placed on its own, from its own nodes alone: what a new source adds
elsewhere moves nothing here.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
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
# A component that lost many examples since it was cut is cut anew if a community carries so many times that, which is
# still less than the smallest split; but not one of so few examples, which mostly is a community by itself.
_TOO_HEAVY = 3
_CUT_ONCE = 96
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


def communities(
    ties: Ties, names: Sequence[str], shares: Sequence[float], seed: int, beside: Beside | None = None
) -> Integers:
    """Cut what hangs together into communities, of which `place` then gives each a split.

    Parameters
    ----------
    ties, names, shares, beside
        As for `place`; the smallest split is to be made of several communities.
    seed
        Seed of the method's own chance.

    Returns
    -------
    The community of each node, named by its smallest node. A component too small to be cut is one, a node that nothing
    stands on is one; where one split takes all, nothing is cut, and every node is one.
    """
    found = np.arange(len(names))
    if _one_takes_all(shares):
        return found
    cutting = []
    for nodes, rows in _components(ties, len(names)):
        if len(rows) > WHOLE:
            cutting.append((nodes, partial(_Component(nodes, names, ties.take(rows)).communities, shares, seed)))
        else:
            found[nodes] = nodes[0]
    for nodes, units in _side_by_side(cutting, beside):
        found[nodes] = nodes[_firsts(units)][units]
    return found


def place(  # noqa: PLR0917 - the ties, and everything that decides where they lead
    ties: Ties,
    names: Sequence[str],
    shares: Sequence[float],
    seed: int,
    parts: Integers,
    beside: Beside | None = None,
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
    parts
        What `communities` returned for these examples, or for more.
    beside
        Who may place some of the components: it does not matter who places which.

    Returns
    -------
    The position in ``shares`` for each node, or `NOWHERE`.
    """
    placed = np.full(len(names), NOWHERE)
    if _one_takes_all(shares):
        placed[distinct(np.concatenate([ties.core.values, ties.soft.values]))] = np.argmax(shares)
        return placed
    placing = []
    for nodes, rows in _components(ties, len(names)):
        if len(rows) > WHOLE:
            component = _Component(nodes, names, ties.take(rows))
            placing.append((nodes, partial(component.place, parts[nodes], shares, seed)))
        else:
            placed[nodes] = draw_share(shares, chance.uniform(seed, "split", names[nodes[0]]))
    for nodes, splits in _side_by_side(placing, beside):
        placed[nodes] = splits
    return placed


def _one_takes_all(shares: Sequence[float]) -> bool:
    """Return whether one split takes all."""
    return sum(share > 0 for share in shares) == 1


def _components(ties: Ties, count: int) -> Iterator[tuple[Integers, Integers]]:
    """Yield the nodes and the examples of each connected component, of so many nodes; the largest first."""
    labels = components(count, _joined(ties.core, ties.soft))
    row_label = labels[ties.core.values[ties.core.starts[:-1]]]
    used = distinct(np.concatenate([ties.core.values, ties.soft.values]))
    nodes_of, rows_of = _grouped(used, labels[used]), _grouped(np.arange(len(row_label)), row_label)
    for label, rows in sorted(rows_of.items(), key=lambda one: -len(one[1])):
        yield nodes_of[label], rows


def _side_by_side(
    calls: Iterable[tuple[Integers, Callable[[], Integers]]], beside: Beside | None
) -> Iterator[tuple[Integers, Integers]]:
    """Call for each component here, or beside if somebody there is free; yield its nodes and what came of it."""
    waited_for: list[tuple[Integers, Callable[[], Integers]]] = []
    for nodes, call in calls:
        if beside and beside.is_free:
            waited_for.append((nodes, beside.begin(call)))
        else:
            yield nodes, call()
    for nodes, answer in waited_for:
        yield nodes, answer()


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

    def communities(self, shares: Sequence[float], seed: int) -> Integers:
        """Return the community of each node, numbered by the smallest node in it."""
        key = int(chance.digest(seed, "communities", self.names[0])[:12], 16)
        return cut(self.core, self.soft, self._loads(), cap=_cap(shares), key=key)

    def place(self, parts: Integers, shares: Sequence[float], seed: int) -> Integers:
        """Return the split of each node, as a position in ``shares``, given its community."""
        units = np.unique(parts, return_inverse=True)[1]
        if len(self.core) > _CUT_ONCE and self._heaviest(units) > _TOO_HEAVY * _cap(shares):
            units = self.communities(shares, seed)
        names = [self.names[first] for first in _firsts(units).tolist()]
        splits = pack(names, self._standing(units), shares, seed)[units]
        lowest, highest = homes(self.core, splits)
        if len(distinct(lowest[lowest == highest])) == 1:
            # It cannot be divided (one query ties all of it, say), so chance says which split has it.
            return np.full(len(self.names), draw_share(shares, chance.uniform(seed, "split", self.names[0])))
        return splits

    def _heaviest(self, units: Integers) -> float:
        """Return the largest part of any task's examples that a community of several nodes carries."""
        loads = np.zeros((int(units.max()) + 1, self.tasks))
        np.add.at(loads, units, self._loads())
        return float(loads[np.bincount(units) > 1].max(initial=0.0))

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


def _cap(shares: Sequence[float]) -> float:
    """Return the part of a task's examples that a community may carry."""
    return min(share for share in shares if share > 0) / _PARTS


def _firsts(units: Integers) -> Integers:
    """Return the first node of each community."""
    return np.unique(units, return_index=True)[1]


def homes(core: Ragged, placed: Integers) -> tuple[Integers, Integers]:
    """Return the lowest and the highest split of each example's nodes: the same where they fall in one."""
    if not len(core):
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    splits, begins = placed[core.values], core.starts[:-1]
    return np.minimum.reduceat(splits, begins), np.maximum.reduceat(splits, begins)
