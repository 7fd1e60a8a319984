"""Pack the communities of one component into splits: the right share of every task, and few examples across.

Regions for the small splits are grown from community to neighbouring community, serving the task that lacks
most; then single communities are moved as long as that keeps more examples or balances them better. The same
moves are tried from all communities in the largest split, and the better outcome is taken.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ecinstruct_build import chance

_PASSES = 6
_TINY = 1e-9
_FEW = 8  # expected examples below which a share is settled by chance, not by rounding


@dataclass(frozen=True, slots=True)
class Bundle:
    """Examples of one task that stand on the same communities.

    Attributes
    ----------
    task
        Number of the task.
    count
        How many examples there are.
    core
        Communities that must share a split for the examples to be kept.
    soft
        Communities of items that may be trimmed, with the number of items in each.
    need
        Items that must be left.
    """

    task: int
    count: int
    core: tuple[int, ...]
    soft: tuple[tuple[int, int], ...]
    need: int


def pack(names: Sequence[str], bundles: Sequence[Bundle], tasks: int, shares: Sequence[float], seed: int) -> list[int]:
    """Choose a split for each community.

    Parameters
    ----------
    names
        The key of each community; keys decide ties and chance.
    bundles
        The examples.
    tasks
        Number of tasks.
    shares
        The part of each task's examples that each split should hold; sums to 1.
    seed
        Seed of the keyed choices.

    Returns
    -------
    The position in ``shares`` for each community.
    """
    if len(names) == 1:
        return [draw_share(shares, chance.uniform(seed, "split", names[0]))]
    sizes = np.zeros((len(names), tasks))
    for bundle in bundles:
        for unit in bundle.core:
            sizes[unit, bundle.task] += bundle.count / len(bundle.core)
    grown = _Growth(names, bundles, sizes, seed).run(shares)
    undivided = [max(range(len(shares)), key=lambda split: shares[split])] * len(names)
    wanted = _wanted(sizes, grown, shares)
    refinements = [_Refinement(bundles, splits, wanted, seed, names) for splits in (grown, undivided)]
    for refinement in refinements:
        refinement.run()
    return min(refinements, key=_Refinement.cost).splits


def draw_share(shares: Sequence[float], at: float) -> int:
    """Return the position whose share covers ``at``, a number in [0, 1)."""
    total = 0.0
    for position, share in enumerate(shares):
        total += share
        if at < total:
            return position
    return max(range(len(shares)), key=lambda position: shares[position])


class _Growth:
    """Grows a region of communities for each split but the largest, which takes the rest."""

    def __init__(
        self, names: Sequence[str], bundles: Sequence[Bundle], sizes: npt.NDArray[np.float64], seed: int
    ) -> None:
        self.names = names
        self.sizes = sizes
        self.seed = seed
        self.totals = np.maximum(sizes.sum(axis=0), _TINY)
        self.degrees = np.maximum(sizes.sum(axis=1), _TINY)
        order = sorted(range(len(names)), key=lambda unit: chance.digest(seed, "grow", names[unit]))
        self.rank = np.empty(len(names))
        self.rank[order] = np.arange(len(names))
        self.free = np.ones(len(names), dtype=bool)
        self.incident: list[list[Bundle]] = [[] for _ in names]
        for bundle in bundles:
            for unit in _units(bundle):
                self.incident[unit].append(bundle)

    def run(self, shares: Sequence[float]) -> list[int]:
        rest = max(range(len(shares)), key=lambda split: shares[split])
        splits = [rest] * len(self.names)
        for split in sorted(range(len(shares)), key=lambda split: (shares[split], split)):
            if split != rest and shares[split] > 0:
                for unit in self._region(shares[split], f"round {split}"):
                    splits[unit] = split
        return splits

    def _region(self, share: float, purpose: str) -> list[int]:
        """Take communities, the next always for the task that lacks most, until no task lacks any."""
        region: list[int] = []
        remaining = share * self.totals
        too_large = ((self.sizes > 2 * remaining) & (remaining >= _FEW)).any(axis=1)
        affinity = np.zeros(len(self.names))
        lacking = remaining > _TINY
        while lacking.any():
            task = int(np.argmax(np.where(lacking, remaining / self.totals, -np.inf)))
            unit = self._best(self.free & ~too_large, task, remaining, affinity) if remaining[task] > _TINY else None
            if unit is None:
                lacking[task] = False
                continue
            size = self.sizes[unit, task]
            if size > remaining[task]:
                lacking[task] = False
                if chance.uniform(self.seed, purpose, self.names[unit]) * size >= remaining[task]:
                    continue
            region.append(unit)
            self.free[unit] = False
            remaining -= self.sizes[unit]
            for bundle in self.incident[unit]:
                neighbours = _units(bundle)
                for other in neighbours:
                    affinity[other] += bundle.count / len(neighbours)
        return region

    def _best(
        self,
        among: npt.NDArray[np.bool_],
        task: int,
        remaining: npt.NDArray[np.float64],
        affinity: npt.NDArray[np.float64],
    ) -> int | None:
        """Return the community that hangs most on the region and overfills least; chance settles ties."""
        candidates = np.flatnonzero(among & (self.sizes[:, task] > 0))
        if not len(candidates):
            return None
        relative = self.sizes[candidates] / self.totals
        useful = np.minimum(relative, np.maximum(remaining, 0) / self.totals).sum(axis=1)
        balance = 2 * useful / relative.sum(axis=1) - 1
        score = np.round(affinity[candidates] / self.degrees[candidates] + 0.5 * balance, 9)
        return int(candidates[np.lexsort((self.rank[candidates], -score))[0]])


def _units(bundle: Bundle) -> tuple[int, ...]:
    return (*bundle.core, *(unit for unit, _ in bundle.soft if unit not in bundle.core))


def _wanted(sizes: npt.NDArray[np.float64], splits: Sequence[int], shares: Sequence[float]) -> list[list[float]]:
    """Return, by task and split, the share to aim at: the recipe's, or for few examples what chance gave."""
    totals = sizes.sum(axis=0)
    given = np.zeros((sizes.shape[1], len(shares)))
    for unit, split in enumerate(splits):
        given[:, split] += sizes[unit]
    wanted = []
    for task, total in enumerate(totals):
        many = total * min(share for share in shares if share > 0) >= _FEW
        wanted.append(list(shares) if many or not total else (given[task] / total).tolist())
    return wanted


class _Refinement:
    """Moves one community at a time while the cost, the sum over tasks and splits of share^2 / kept, falls.

    Where nothing crosses, its minimum is at the wanted shares; an example saved counts most where few are kept,
    so a small split is not given up for the sake of a large one.
    """

    def __init__(
        self,
        bundles: Sequence[Bundle],
        splits: list[int],
        wanted: Sequence[Sequence[float]],
        seed: int,
        names: Sequence[str],
    ) -> None:
        self.bundles = bundles
        self.splits = splits
        self.wanted = wanted
        self.order = sorted(range(len(names)), key=lambda unit: chance.digest(seed, "refine", names[unit]))
        count = len(wanted[0]) if wanted else 0
        self.core = [[0] * count for _ in bundles]
        self.soft = [[0] * count for _ in bundles]
        self.kept = [[0] * count for _ in wanted]
        self.totals = [0] * len(wanted)
        self.stakes: list[list[tuple[int, int, int]]] = [[] for _ in names]  # unit: (bundle, core, soft)
        for number, bundle in enumerate(bundles):
            self.totals[bundle.task] += bundle.count
            loose = dict(bundle.soft)
            for unit in _units(bundle):
                firm = int(unit in bundle.core)
                self.stakes[unit].append((number, firm, loose.get(unit, 0)))
                self.core[number][splits[unit]] += firm
                self.soft[number][splits[unit]] += loose.get(unit, 0)
            home = self._home(number)
            if home >= 0:
                self.kept[bundle.task][home] += bundle.count

    def run(self) -> None:
        for _ in range(_PASSES):
            if not sum(self._improve(unit) for unit in self.order):
                return

    def cost(self) -> float:
        return sum(
            wanted**2 * total / (kept + 1)
            for shares, counts, total in zip(self.wanted, self.kept, self.totals, strict=True)
            for wanted, kept in zip(shares, counts, strict=True)
        )

    def _home(self, number: int) -> int:
        bundle = self.bundles[number]
        whole = len(bundle.core)
        for split, firm in enumerate(self.core[number]):
            if firm:
                return split if firm == whole and self.soft[number][split] >= bundle.need else -1
        return -1

    def _improve(self, unit: int) -> bool:
        start = self.splits[unit]
        best, best_gain = start, 1e-9
        for split in range(len(self.wanted[0])):
            if split == start or not any(shares[split] > 0 for shares in self.wanted):
                continue
            gain = self._gain(unit, start, split)
            if gain > best_gain:
                best, best_gain = split, gain
        if best == start:
            return False
        for (task, split), change in self._move(unit, start, best).items():
            self.kept[task][split] += change
        self.splits[unit] = best
        return True

    def _gain(self, unit: int, start: int, end: int) -> float:
        changes = self._move(unit, start, end)
        self._move(unit, end, start)
        gain = 0.0
        for (task, split), change in changes.items():
            kept = self.kept[task][split]
            gain += self.wanted[task][split] ** 2 * self.totals[task] * (1 / (kept + 1) - 1 / (kept + change + 1))
        return gain

    def _move(self, unit: int, start: int, end: int) -> dict[tuple[int, int], int]:
        """Move a community in the counts of its bundles; return how many more are kept by (task, split)."""
        changes: dict[tuple[int, int], int] = {}
        for number, firm, loose in self.stakes[unit]:
            bundle = self.bundles[number]
            core, soft = self.core[number], self.soft[number]
            before = self._home(number)
            core[start] -= firm
            core[end] += firm
            soft[start] -= loose
            soft[end] += loose
            after = self._home(number)
            if before != after:
                if before >= 0:
                    changes[bundle.task, before] = changes.get((bundle.task, before), 0) - bundle.count
                if after >= 0:
                    changes[bundle.task, after] = changes.get((bundle.task, after), 0) + bundle.count
        return changes
