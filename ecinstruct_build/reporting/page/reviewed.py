"""Read what people said of a dataset's samples, from the JSON form of a review's report."""

from collections.abc import Mapping
from typing import Any

from ecinstruct_build.reporting.page.data import Review, ReviewedTask


def review_of(report: Mapping[str, Any]) -> Review:
    """Read a review.

    Parameters
    ----------
    report
        As `ecinstruct_build.review.report.ReviewReport` writes it: ``tasks`` by name, ``overall``, ``settings``,
        ``disagreements``.
    """
    tasks, settings = report["tasks"], report.get("settings") or {}
    by_name = tasks if isinstance(tasks, Mapping) else {one["task"]: one for one in tasks}
    return Review(
        overall=_reviewed("all", report["overall"]),
        tasks=tuple(_reviewed(name, by_name[name]) for name in sorted(by_name)),
        max_defect_rate=settings.get("max_defect_rate"),
        confidence=settings.get("confidence"),
        verdicts={name: dict(by_name[name].get("verdicts") or {}) for name in sorted(by_name)},
        disagreements=len(report.get("disagreements") or ()),
    )


def _reviewed(name: str, counts: Mapping[str, Any]) -> ReviewedTask:
    low, high = _interval(counts.get("wilson"))
    return ReviewedTask(
        task=name,
        population=counts["population"],
        items=counts["items"],
        judged=counts["judged"],
        defects=counts["defects"],
        rate=counts.get("rate"),
        low=low,
        high=high,
        upper_bound=counts.get("upper_bound"),
        kappa=counts.get("kappa"),
        alpha=counts.get("alpha"),
        passed=counts.get("passed"),
    )


def _interval(interval: Any) -> tuple[float | None, float | None]:
    if not interval:
        return None, None
    low, high = (interval["low"], interval["high"]) if isinstance(interval, Mapping) else interval
    return low, high
