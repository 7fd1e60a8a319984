"""Prove that an assignment leaks nothing, from what its samples show, not from how it was made."""

from collections import Counter
from collections.abc import Iterable, Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ecinstruct_build.splits import SPLITS
from ecinstruct_build.task import TaskSettings
from quality.splitting.leakage import Assigned
from quality.splitting.placement import NOWHERE
from quality.splitting.ragged import Integers
from quality.splitting.ties import FAMILY, GROUP, group_node
from quality.splitting.web import Web

_OOD = SPLITS.index("test_ood")
_NAMED = 5  # culprits that an error names


class LeakError(RuntimeError):
    """An assignment leaks: a fault of this software, never of the data."""


def prove(
    web: Web, settings: Mapping[str, TaskSettings], assigned: Assigned, alike: pa.Table
) -> dict[str, dict[str, int]]:
    """Check that nothing that a sample shows stands in two splits.

    Parameters
    ----------
    web
        What the examples stand on.
    settings
        By task: its leakage policy (under ``target`` the context is not judged), and what is out of domain.
    assigned
        The assignment.
    alike
        Pairs of examples that are too alike to stand in two splits, in `PAIR_SCHEMA`.

    Returns
    -------
    By split: its samples, and how many families, users, queries ... were looked at. Then, under ``pairs``, how many
    look-alikes of which both are samples.

    Raises
    ------
    LeakError
        If a family or group stands in two splits (groups of the domain: in and out of domain), two look-alikes do, or
        what a task holds out of domain stands among its in-domain samples.
    """
    judged = np.fromiter((settings[task].leakage != "target" for task in web.tasks), np.bool_, len(web.tasks))
    shown = web.shown(assigned.context.where(judged[assigned.context.owners]), assigned.options)
    stands = _stands(web, shown.values, assigned.split[shown.owners])
    domain = _stands(web, web.domain.values, assigned.split[web.domain.owners])
    in_domain = np.delete(domain, _OOD, axis=1).any(axis=1)
    if culprits := np.flatnonzero((stands.sum(axis=1) > 1) | (domain[:, _OOD] & in_domain)).tolist():
        names = ", ".join(web.nodes[node] for node in culprits[:_NAMED])
        raise LeakError(f"{len(culprits)} families or groups stand in two splits: {names}")
    pairs = _pairs(web, assigned, alike)
    _categories(web, settings, assigned)
    _attributes(settings, [web.nodes[node] for node in np.flatnonzero(in_domain).tolist()])
    counts: dict[str, Counter[str]] = {split: Counter() for split in SPLITS}
    for place, split in enumerate(SPLITS):
        counts[split]["samples"] = int((assigned.split == place).sum())
        there = np.flatnonzero(stands[:, place] | domain[:, place]).tolist()
        counts[split].update(_kind(web.nodes[node]) for node in there)
    return {**{split: dict(sorted(found.items())) for split, found in counts.items()}, "pairs": {"look-alikes": pairs}}


def _stands(web: Web, nodes: Integers, splits: Integers) -> "np.ndarray[tuple[int, int], np.dtype[np.bool_]]":
    """Return, by node and split, whether a sample of the split stands on the node."""
    stands = np.zeros((len(web.nodes), len(SPLITS)), np.bool_)
    there = splits != NOWHERE
    stands[nodes[there], splits[there]] = True
    return stands


def _pairs(web: Web, assigned: Assigned, alike: pa.Table) -> int:
    ids = pa.array(web.example_ids, pa.string())
    ends = [pc.index_in(alike[side], value_set=ids).combine_chunks() for side in ("left", "right")]
    known = pc.and_(pc.is_valid(ends[0]), pc.is_valid(ends[1]))
    left, right = (assigned.split[pc.filter(end, known).to_numpy(zero_copy_only=False)] for end in ends)
    both = (left != NOWHERE) & (right != NOWHERE)
    if straddling := np.flatnonzero(both & (left != right)).tolist():
        rows = alike.filter(known).take(straddling[:_NAMED]).to_pylist()
        names = ", ".join(f"{row['left']} and {row['right']}" for row in rows)
        raise LeakError(f"{len(straddling)} pairs of look-alikes stand in two splits: {names}")
    return int(both.sum())


def _categories(web: Web, settings: Mapping[str, TaskSettings], assigned: Assigned) -> None:
    """Check that what is out of domain by its category is nothing but that, and the in-domain samples nothing of it."""
    for example_id, task, category, split in zip(
        web.example_ids, web.tasks, web.categories, assigned.split.tolist(), strict=True
    ):
        held_out = settings[task].ood if settings[task].domain_column == "category" else ()
        if split != NOWHERE and category and held_out and (category in held_out) != (split == _OOD):
            raise LeakError(f"{example_id} of the category {category} stands in {SPLITS[split]}")


def _attributes(settings: Mapping[str, TaskSettings], in_domain: Iterable[str]) -> None:
    """Check that no node that in-domain samples stand on is an attribute that is out of domain by its name."""
    held_out = {
        group_node(f"{task.domain_column}:{value}")
        for task in settings.values()
        if task.domain_column != "category"
        for value in task.ood
    }
    if culprit := next((node for node in in_domain if node in held_out), None):
        raise LeakError(f"{culprit} is out of domain and stands among the in-domain samples")


def _kind(node: str) -> str:
    """Say what a node is: a family, a user, a query ..."""
    if node.startswith(FAMILY):
        return "family"
    return node.removeprefix(GROUP).split(":", 1)[0] if node.startswith(GROUP) else "alone"
