"""Pack the communities of one component into splits: the right share of every task, and few examples across.

Regions for the small splits are grown from community to neighbouring community, serving the task that lacks
most; then single communities are moved as long as that keeps more examples or balances them better. The same
moves are tried from all communities in the largest split, and the better outcome is taken.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from ecinstruct_build import chance
from quality.refinement import Bundle, Refinement

_TINY = 1e-9
_FEW = 8  # expected examples below which a share is settled by chance, not by rounding


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
    order = sorted(range(len(names)), key=lambda unit: chance.digest(seed, "refine", names[unit]))
    refinements = [Refinement(bundles, splits, wanted, order) for splits in (grown, undivided)]
    for refinement in refinements:
        refinement.run()
    return min(refinements, key=Refinement.cost).splits


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
            for unit in bundle.units:
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
                neighbours = bundle.units
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
