"""Pack the communities of one component into splits: the right share of every task, and few examples across.

Regions for the small splits are grown from community to neighbouring community, serving the task that lacks
most; then single communities are moved as long as that keeps more examples or balances them better. The same
moves are tried from all communities in the largest split, and the better outcome is taken.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from ecinstruct_build import chance
from quality.splitting.ragged import Integers, Ragged
from quality.splitting.refinement import Floats, Refinement, Standing

_TINY = 1e-9
_FEW = 8  # expected examples below which a share is settled by chance, not by rounding


def pack(names: Sequence[str], standing: Standing, shares: Sequence[float], seed: int) -> Integers:
    """Choose a split for each community.

    Parameters
    ----------
    names
        The key of each community; keys decide ties and chance.
    standing
        The examples.
    shares
        The part of each task's examples that each split should hold; sums to 1.
    seed
        Seed of the keyed choices.

    Returns
    -------
    The position in ``shares`` for each community.
    """
    if len(names) == 1:
        return np.array([draw_share(shares, chance.uniform(seed, "split", names[0]))])
    sizes = standing.inner.copy()
    np.add.at(sizes, (standing.unit, standing.task[standing.row]), standing.firm / standing.whole[standing.row])
    grown = _Growth(names, standing, sizes, seed).run(shares)
    undivided = np.full(len(names), np.argmax(shares))
    wanted = _wanted(sizes, grown, shares)
    keys = [chance.digest(seed, "refine", name) for name in names]
    order = np.array(sorted(range(len(names)), key=keys.__getitem__))
    refinements = [Refinement(standing, splits, wanted, order) for splits in (grown, undivided)]
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

    def __init__(self, names: Sequence[str], standing: Standing, sizes: Floats, seed: int) -> None:
        self.names = names
        self.sizes = sizes
        self.seed = seed
        self.totals = np.maximum(sizes.sum(axis=0), _TINY)
        self.degrees = np.maximum(sizes.sum(axis=1), _TINY)
        order = sorted(range(len(names)), key=lambda unit: chance.digest(seed, "grow", names[unit]))
        self.rank = np.empty(len(names))
        self.rank[order] = np.arange(len(names))
        self.free = np.ones(len(names), dtype=bool)
        counts = np.bincount(standing.row, minlength=len(standing.task))
        by_row = standing.unit[np.argsort(standing.row, kind="stable")]
        self.units = Ragged(by_row, np.concatenate([[0], np.cumsum(counts)]))  # the communities of each example
        self.rows = Ragged(standing.row, np.searchsorted(standing.unit, np.arange(len(names) + 1)))

    def run(self, shares: Sequence[float]) -> Integers:
        rest = int(np.argmax(shares))
        splits = np.full(len(self.names), rest)
        for split in sorted(range(len(shares)), key=lambda split: (shares[split], split)):
            if split != rest and shares[split] > 0:
                splits[self._region(shares[split], f"round {split}")] = split
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
            beside = self.units.take(self.rows.values[self.rows.starts[unit] : self.rows.starts[unit + 1]])
            np.add.at(affinity, beside.values, (1 / beside.lengths)[beside.owners])
        return region

    def _best(self, among: npt.NDArray[np.bool_], task: int, remaining: Floats, affinity: Floats) -> int | None:
        """Return the community that hangs most on the region and overfills least; chance settles ties."""
        candidates = np.flatnonzero(among & (self.sizes[:, task] > 0))
        if not len(candidates):
            return None
        relative = self.sizes[candidates] / self.totals
        useful = np.minimum(relative, np.maximum(remaining, 0) / self.totals).sum(axis=1)
        balance = 2 * useful / relative.sum(axis=1) - 1
        score = np.round(affinity[candidates] / self.degrees[candidates] + 0.5 * balance, 9)
        return int(candidates[np.lexsort((self.rank[candidates], -score))[0]])


def _wanted(sizes: Floats, splits: Integers, shares: Sequence[float]) -> Floats:
    """Return, by task and split, the share to aim at: the recipe's, or for few examples what chance gave."""
    totals = sizes.sum(axis=0)
    given = np.zeros((len(shares), sizes.shape[1]))
    np.add.at(given, splits, sizes)
    few = totals * min(share for share in shares if share > 0) < _FEW
    settled = few & (totals > 0)
    wanted = np.tile(np.asarray(shares, np.float64), (sizes.shape[1], 1))
    wanted[settled] = given.T[settled] / totals[settled, None]
    return wanted
