"""Audit a published dataset: read it, find what its splits share and what is wrong with its rows, judge."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ecinstruct_build.audit.balance import balances
from ecinstruct_build.audit.judging import exceeded, with_near
from ecinstruct_build.audit.limits import AuditLimits
from ecinstruct_build.audit.near import near_duplicates
from ecinstruct_build.audit.overlaps import Carried, Recoveries, carried_kinds, compare, recover_all, sharing_rows
from ecinstruct_build.audit.reading import LISTS, OPTIONAL, Published, read_published
from ecinstruct_build.audit.result import OOD_ROLES, ROLES, TRAIN, UNSEEN_ROLES, Audit, Overlap, Proof
from ecinstruct_build.audit.rows import row_faults
from ecinstruct_build.progress import Progress, Silence

ANYTHING = "anything"
"""The kind of `Proof` that counts rows sharing something of any kind."""


def audit_dataset(where: str | Path, limits: AuditLimits | None = None, *, progress: Progress | None = None) -> Audit:
    """Audit a dataset from its published rows alone.

    Parameters
    ----------
    where
        A folder, a file, or the id of a dataset on the Hub; see `ecinstruct_build.audit.reading.read_published`.
    limits
        What is tolerated; None = the defaults.
    progress
        Who is told of the steps.

    Raises
    ------
    UserError
        If there is nothing to read, a column is missing, or a split has an unknown name.
    """
    limits = limits or AuditLimits()
    progress = progress or Silence()
    with progress.track("read"):
        published = read_published(where)
    audit = audit_without_near(published, limits, progress=progress)
    with progress.track("look for near duplicates"):
        near = near_duplicates(published, limits.jaccard)
    return with_near(audit, near, limits)


def audit_without_near(published: Published, limits: AuditLimits, *, progress: Progress | None = None) -> Audit:
    """Audit rows that were read for everything but near duplicates, which need nothing of the rest."""
    progress = progress or Silence()
    with progress.track("compare splits"):
        recovered = recover_all(published)
        overlaps, proofs = _compared(published, recovered)
    with progress.track("check rows"):
        faults = row_faults(published, recovered)
        balanced = balances(published)
    counts = Counter(zip(published.tasks, published.roles.tolist(), strict=True))
    return Audit(
        rows=len(published.ids),
        files=published.files,
        columns=tuple(name for name in (*OPTIONAL, *LISTS) if name in published.table.column_names),
        counts=tuple((task, ROLES[role] if role >= 0 else "", counts[task, role]) for task, role in sorted(counts)),
        overlaps=tuple(overlaps),
        proofs=tuple(proofs),
        balances=tuple(balanced),
        faults=tuple(faults),
        exceeded=tuple(exceeded(limits, overlaps, proofs, balanced, faults)),
        limits=limits.model_dump(mode="json"),
    )


def _compared(published: Published, recovered: Recoveries) -> tuple[list[Overlap], list[Proof]]:
    kinds = carried_kinds(published, recovered)
    return [overlap for carried in kinds for overlap in compare(carried, published)], _proofs(kinds, published)


def _proofs(kinds: Sequence[Carried], published: Published) -> list[Proof]:
    """Count what the out-of-domain tests share with training, by kind and in all."""
    has_ids = {"product", "family"} & {carried.kind for carried in kinds}
    has_groups = "groups" in published.table.column_names
    second = {"title"} if has_ids else set()
    second |= {"query text", "question text"} if has_groups else set()
    proofs = []
    for role in OOD_ROLES:
        of_role = published.roles == ROLES.index(role)
        anything, carrying_any = np.zeros_like(of_role), np.zeros_like(of_role)
        if not of_role.any():
            continue
        for carried in kinds:
            if carried.kind in second or carried.kind in ("input", "row"):
                continue
            if carried.kind == "instruction" and role not in UNSEEN_ROLES:
                continue
            sharing = sharing_rows(carried, published.roles, TRAIN, role)
            carrying = np.zeros_like(of_role)
            carrying[carried.rows] = True
            carrying &= of_role
            anything |= sharing
            carrying_any |= carrying
            proofs.append(Proof(role, carried.kind, int(of_role.sum()), int(carrying.sum()), int(sharing.sum())))
        proofs.append(Proof(role, ANYTHING, int(of_role.sum()), int(carrying_any.sum()), int(anything.sum())))
    return proofs
