"""Report what the split keeps, beside plain hashing: a split drawn for each family and group by itself."""

from collections.abc import Mapping, Sequence

import numpy as np

from ecinstruct_build import chance
from ecinstruct_build.splits import SPLITS, Split
from ecinstruct_build.task import TaskSettings
from quality.splitting.leakage import Assigned, ties_of
from quality.splitting.placement import NOWHERE, homes
from quality.splitting.ragged import Integers, distinct, union
from quality.splitting.ties import ALIKE
from quality.splitting.web import Web

ALL = "all"
"""The name of the row for all candidates of a task."""

LENGTHS: tuple[tuple[str, int, int], ...] = (
    ("1", 0, 1),
    ("2", 2, 2),
    ("3", 3, 3),
    ("4", 4, 4),
    ("5-8", 5, 8),
    ("9+", 9, 2**31),
)
"""Numbers of distinct products that are reported together: name, lowest and highest."""


def retention(
    web: Web, settings: Mapping[str, TaskSettings], assigned: Assigned, hashed: Integers
) -> dict[str, list[dict[str, str | int]]]:
    """Count what is kept of the in-domain candidates, before quotas.

    Parameters
    ----------
    web, settings, assigned
        What was assigned, by which policies, and the outcome.
    hashed
        Where plain hashing puts each example; see `by_hashing`.

    Returns
    -------
    By task, a row for all candidates and one for each number of distinct products (families) that some have:
    ``products`` (`ALL` or a name of `LENGTHS`), ``examples``, ``kept`` by the packing, and those that ``hashing``
    would keep.
    """
    families = web.is_family
    products = union(web.firm, web.context).count(families[union(web.firm, web.context).values])
    tasks = np.asarray(web.tasks, object)
    report: dict[str, list[dict[str, str | int]]] = {}
    for task in sorted(settings):
        mine = assigned.candidate & (tasks == task)
        groups = [
            ("all", mine),
            *((name, mine & (products >= low) & (products <= high)) for name, low, high in LENGTHS),
        ]
        report[task] = [
            {
                "products": name,
                "examples": int(rows.sum()),
                "kept": int((assigned.packed[rows] != NOWHERE).sum()),
                "hashing": int((hashed[rows] != NOWHERE).sum()),
            }
            for name, rows in groups
            if name == ALL or rows.any()
        ]
    return report


def by_hashing(web: Web, settings: Mapping[str, TaskSettings], weights: Mapping[Split, float], seed: int) -> Integers:
    """Return the split (position in `SPLITS`) of each example if each node were hashed to one, or `NOWHERE`.

    Look-alikes are not minded: hashing knows nothing of them.
    """
    ties = ties_of(web, settings)
    known = np.fromiter((not name.startswith(ALIKE) for name in web.nodes), np.bool_, len(web.nodes))
    core = ties.core.where(known[ties.core.values])
    used = distinct(np.concatenate([core.values, ties.soft.values]))
    shares = [max(weights.get(split, 0.0), 0.0) for split in SPLITS if split != "test_ood"]
    placed = np.full(len(web.nodes), NOWHERE)
    placed[used] = _hashed([web.nodes[node] for node in used.tolist()], shares, seed)
    lowest, highest = homes(core, placed)
    inside = ties.soft.count(placed[ties.soft.values] == lowest[ties.soft.owners])
    return np.where((lowest == highest) & (inside >= ties.need), lowest, NOWHERE)


def _hashed(names: Sequence[str], weights: Sequence[float], seed: int) -> Integers:
    bounds = np.cumsum(weights) / sum(weights)
    at = np.fromiter((chance.uniform(seed, "hash", name) for name in names), np.float64, len(names))
    return np.minimum(np.searchsorted(bounds, at, side="right"), len(weights) - 1).astype(np.int64)
