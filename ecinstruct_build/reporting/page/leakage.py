"""What the report says of the audit."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ecinstruct_build.audit.page import KIND_MEANINGS
from ecinstruct_build.audit.result import Audit, Exceeded
from ecinstruct_build.reporting.page.data import Leakage, LeakageRow, ReportData


def with_audit(data: ReportData, audit: Mapping[str, Any] | Audit) -> ReportData:
    """Return the report with what the audit found, which may be given as its JSON."""
    return replace(data, leakage=_leakage(audit))


def _leakage(audit: Mapping[str, Any] | Audit) -> Leakage:
    """Lay the audit's overlaps out: kinds by pairs of splits, without kinds and pairs of which there is nothing."""
    limits, there = _of(audit, "limits"), {role for _, role, _ in _of(audit, "counts")}
    by_kind: dict[str, dict[tuple[str, str], Any]] = {}
    for one in _of(audit, "overlaps"):
        pair = (_of(one, "left"), _of(one, "right"))
        if there.issuperset(pair):
            by_kind.setdefault(_of(one, "kind"), {})[pair] = one
    pairs = tuple(dict.fromkeys(pair for cells in by_kind.values() for pair in cells))
    rows = [
        LeakageRow(
            kind=kind,
            meaning=KIND_MEANINGS.get(kind, ""),
            limited=any(limits[_of(one, "limit")] is not None for one in cells.values()),
            cells=tuple(_cell(cells.get(pair), limits) for pair in pairs),
        )
        for kind, cells in by_kind.items()
        if any(_of(one, "left_carrying") or _of(one, "right_carrying") for one in cells.values())
    ]
    exceeded = tuple(str(Exceeded(**one) if isinstance(one, Mapping) else one) for one in _of(audit, "exceeded"))
    return Leakage(not exceeded, exceeded, pairs, tuple(rows))


def _of(thing: Any, name: str) -> Any:
    """Return a value of one of the audit's records, or of its JSON form."""
    return thing[name] if isinstance(thing, Mapping) else getattr(thing, name)


def _cell(overlap: Any, limits: Mapping[str, Any]) -> tuple[int, int, bool] | None:
    if overlap is None or not _of(overlap, "right_carrying"):
        return None
    limit, rows = limits[_of(overlap, "limit")], _of(overlap, "right_rows")
    return rows, _of(overlap, "right_carrying"), limit is not None and rows > limit
