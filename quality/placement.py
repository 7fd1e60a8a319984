"""Give each family and group its split, so that most examples fall wholly in one.

Every connected component is placed on its own, from its own nodes alone: what a new source adds elsewhere moves
nothing here.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from ecinstruct_build import chance
from ecinstruct_build.splits import Split
from quality.communities import components, cut
from quality.packing import draw_share, pack
from quality.refinement import Bundle
from quality.ties import Tie

WHOLE = 12
"""Examples up to which a component is never cut: losing none costs more balance than it is worth above that."""

_PARTS = 4  # communities that the smallest split should be made of
_FLOOR = 24.0  # a task with fewer examples in a component does not force finer cuts


def place(ties: Sequence[Tie], weights: Mapping[Split, float], seed: int) -> dict[str, Split]:
    """Choose the split of every node that the examples stand on.

    Parameters
    ----------
    ties
        What ties each example, in any order.
    weights
        The relative size of each split.
    seed
        Seed of the keyed choices.

    Returns
    -------
    The split of each node by key.
    """
    ties = sorted(ties, key=lambda tie: tie.example_id)
    names = sorted({node for tie in ties for node in (*tie.core, *tie.soft)})
    number = {name: position for position, name in enumerate(names)}
    core = [[number[node] for node in tie.core] for tie in ties]
    soft = [[number[node] for node in tie.soft] for tie in ties]
    splits = list(weights)
    shares = [weight / sum(weights.values()) for weight in weights.values()]
    labels = components(len(names), [firm + loose for firm, loose in zip(core, soft, strict=True)])
    placed: list[int] = [0] * len(names)
    tie_labels = labels[np.fromiter((firm[0] for firm in core), np.int64, len(core))]
    for nodes, rows in zip(_grouped(labels), _grouped(tie_labels), strict=True):
        if len(rows) <= WHOLE:
            split = draw_share(shares, chance.uniform(seed, "split", names[nodes[0]]))
            for node in nodes:
                placed[node] = split
            continue
        local = {int(node): position for position, node in enumerate(nodes)}
        component = _Component(
            [names[node] for node in nodes],
            [ties[row] for row in rows],
            [[local[node] for node in core[row]] for row in rows],
            [[local[node] for node in soft[row]] for row in rows],
        )
        for node, split in zip(nodes, component.place(shares, seed), strict=True):
            placed[node] = split
    return {name: splits[placed[position]] for position, name in enumerate(names)}


def _grouped(labels: npt.NDArray[np.int64]) -> list[npt.NDArray[np.int64]]:
    """Return the positions of each label, ascending, by label."""
    order = np.argsort(labels, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(labels[order])) + 1) if len(labels) else []


class _Component:
    """One connected component with its nodes and examples renumbered from 0."""

    def __init__(self, names: list[str], ties: list[Tie], core: list[list[int]], soft: list[list[int]]) -> None:
        self.names = names
        self.ties = ties
        self.core = core
        self.soft = soft
        self.tasks = sorted({tie.task for tie in ties})

    def place(self, shares: Sequence[float], seed: int) -> list[int]:
        """Return the split of each node, as a position in ``shares``."""
        cap = min(share for share in shares if share > 0) / _PARTS
        key = int(chance.digest(seed, "communities", self.names[0])[:12], 16)
        units = cut(self.core, self.soft, self._loads(), cap, key)
        _, firsts = np.unique(units, return_index=True)
        splits = pack([self.names[first] for first in firsts], self._bundles(units), len(self.tasks), shares, seed)
        if len({splits[units[firm[0]]] for firm in self.core if len({splits[units[node]] for node in firm}) == 1}) == 1:
            # It cannot be divided (one query ties all of it, say), so chance says which split has it.
            return [draw_share(shares, chance.uniform(seed, "split", self.names[0]))] * len(self.names)
        return [splits[unit] for unit in units]

    def _loads(self) -> npt.NDArray[np.float64]:
        """Return the part of each task's examples that each node carries."""
        loads = np.zeros((len(self.names), len(self.tasks)))
        number = {task: position for position, task in enumerate(self.tasks)}
        for tie, firm in zip(self.ties, self.core, strict=True):
            for node in firm:
                loads[node, number[tie.task]] += 1 / len(firm)
        relative: npt.NDArray[np.float64] = loads / np.maximum(loads.sum(axis=0), _FLOOR)
        return relative

    def _bundles(self, units: npt.NDArray[np.int64]) -> list[Bundle]:
        number = {task: position for position, task in enumerate(self.tasks)}
        counts: dict[tuple[int, tuple[int, ...], tuple[tuple[int, int], ...], int], int] = {}
        for tie, firm, loose in zip(self.ties, self.core, self.soft, strict=True):
            tally: dict[int, int] = {}
            for node in loose:
                tally[int(units[node])] = tally.get(int(units[node]), 0) + 1
            core = tuple(sorted({int(units[node]) for node in firm}))
            key = (number[tie.task], core, tuple(sorted(tally.items())), tie.need)
            counts[key] = counts.get(key, 0) + 1
        return [Bundle(task, count, core, soft, need) for (task, core, soft, need), count in counts.items()]
