"""Hold what was found against the limits."""

import math
from collections.abc import Sequence
from dataclasses import replace

from ecinstruct_build.audit.limits import AuditLimits
from ecinstruct_build.audit.result import UNSEEN_ROLES, Audit, Balance, Exceeded, Fault, Overlap, Proof

_SHARE_LIMITS = ("html_share", "foreign_share")


def exceeded(
    limits: AuditLimits,
    overlaps: Sequence[Overlap],
    proofs: Sequence[Proof],
    balances: Sequence[Balance],
    faults: Sequence[Fault],
) -> list[Exceeded]:
    """Return every limit that is exceeded, one entry for each place."""
    found = [*_overlaps(limits, overlaps), *_proofs(limits, proofs), *_faults(limits, faults)]
    return found + _balances(limits, balances)


def _overlaps(limits: AuditLimits, overlaps: Sequence[Overlap]) -> list[Exceeded]:
    found = []
    for one in overlaps:
        limit = getattr(limits, one.limit)
        if limit is not None and one.right_rows > limit:
            what = "rows with an unseen instruction that is used" if one.right in UNSEEN_ROLES else "rows"
            what = what if one.kind == "instruction" else _sharing(one.kind)
            found.append(Exceeded(what, f"{one.left} and {one.right}", one.right_rows, limit, one.limit))
    return found


def _sharing(kind: str) -> str:
    if kind == "near":
        return "held-out rows nearly the same as another"
    if kind == "input":
        return "held-out rows with the same input as another"
    return "held-out rows the same as another" if kind == "row" else f"held-out rows that share a {kind}"


def _proofs(limits: AuditLimits, proofs: Sequence[Proof]) -> list[Exceeded]:
    limit = limits.ood_overlap
    return [
        Exceeded("out-of-domain rows that share anything with training", one.role, one.shared, limit, "ood_overlap")
        for one in proofs
        if one.kind == "anything" and limit is not None and one.shared > limit
    ]


def _faults(limits: AuditLimits, faults: Sequence[Fault]) -> list[Exceeded]:
    """Rows count over all tasks and splits of a kind; shares in each task and split."""
    found = []
    totals: dict[str, list[Fault]] = {}
    for one in faults:
        limit = getattr(limits, one.limit)
        if limit is None or not one.rows:
            continue
        if one.limit not in _SHARE_LIMITS:
            totals.setdefault(one.kind, []).append(one)
        elif one.rows > tolerated(limit, one.checked):
            where = _place(one)
            found.append(Exceeded(f"share of rows with {one.kind}", where, one.rows / one.checked, limit, one.limit))
    for kind, ones in totals.items():
        limit, total = getattr(limits, ones[0].limit), sum(one.rows for one in ones)
        if total > limit:
            where = ", ".join(_place(one) for one in ones[:3]) + (f" and {len(ones) - 3} more" if len(ones) > 3 else "")
            found.append(Exceeded(f"rows with {_article(kind)}", where, total, limit, ones[0].limit))
    return found


def tolerated(share: float, rows: int) -> float:
    """Return how many of so many rows may have a fault: their share, and three standard deviations for chance."""
    return share * rows + 3 * math.sqrt(share * (1 - share) * rows)


def _article(kind: str) -> str:
    if kind == "misfiled":
        return "another split in their columns than that of their shard"
    if kind == "empty":
        return "an empty text"
    return kind if kind.startswith("invalid") else f"a{'n' * (kind[0] in 'aeiou')} {kind}"


def _place(fault: Fault) -> str:
    return f"{fault.task or 'no task'} ({fault.role or 'no split'})"


def _balances(limits: AuditLimits, balances: Sequence[Balance]) -> list[Exceeded]:
    found = []
    for one in balances:
        where = f"{one.task} ({one.role})"
        if one.rows < limits.balance_rows:
            continue
        if limits.position_p is not None and one.position_p is not None and one.position_p < limits.position_p:
            what = "probability of so uneven letters of right options"
            found.append(Exceeded(what, where, one.position_p, limits.position_p, "position_p"))
        if limits.label_share is not None and one.labels and one.labels[0][1] > limits.label_share:
            what = f"share of the label {one.labels[0][0][:40]!r}"
            found.append(Exceeded(what, where, one.labels[0][1], limits.label_share, "label_share"))
    return found


def with_near(audit: Audit, near: Sequence[Overlap], limits: AuditLimits) -> Audit:
    """Return an audit with the near duplicates that were found in the same rows."""
    overlaps = (*audit.overlaps, *near)
    found = exceeded(limits, overlaps, audit.proofs, audit.balances, audit.faults)
    return replace(audit, overlaps=overlaps, exceeded=tuple(found))
