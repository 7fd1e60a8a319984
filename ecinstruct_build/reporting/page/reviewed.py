"""Read what people said of a dataset's samples, from the JSON form of a review's report."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Reviewed:
    """What people said of a task's samples; see `ecinstruct_build.review.report.Figures`.

    Attributes
    ----------
    task, population, items, judged, defects
        The task ("" = all together); published rows, rows to judge, rows judged, rows found defective.
    verdicts
        Rows judged by what they came to.
    rate, low, high, upper_bound
        Share of defects (None where nothing was judged), its Wilson interval, and its one-sided upper bound
        (None where all tasks together have none).
    doubles, agreement, kappa, alpha
        Rows that two people judged, the share on which they agreed, Cohen's kappa and Krippendorff's alpha; None where
        undefined.
    promise, finished, passed
        Whether the sample is large enough to tell, whether it is all judged, and whether the task passes; None = that
        cannot be told.
    """

    task: str
    population: int
    items: int
    judged: int
    defects: int
    verdicts: Mapping[str, int]
    rate: float | None
    low: float
    high: float
    upper_bound: float | None
    doubles: int
    agreement: float | None
    kappa: float | None
    alpha: float | None
    promise: bool
    finished: bool
    passed: bool | None


@dataclass(frozen=True)
class Review:
    """A review, without what would name its judges.

    Attributes
    ----------
    annotators, judgements
        People who judged, and answers that they gave.
    max_defect_rate, confidence
        What passes.
    overall, tasks
        All tasks together, and each.
    disagreements
        Rows about which people disagreed: number of the item, example, whether it counts as defective, and the
        verdicts given.
    """

    annotators: int
    judgements: int
    max_defect_rate: float
    confidence: float
    overall: Reviewed
    tasks: tuple[Reviewed, ...]
    disagreements: tuple[tuple[int, str, bool, tuple[str, ...]], ...]


def review_of(report: Mapping[str, Any]) -> Review:
    """Read a review; see `ecinstruct_build.review.report.ReviewReport`."""
    settings = report["settings"]
    return Review(
        annotators=report["annotators"],
        judgements=report["judgements"],
        max_defect_rate=settings["max_defect_rate"],
        confidence=settings["confidence"],
        overall=_reviewed(report["overall"]),
        tasks=tuple(_reviewed(task) for task in report["tasks"]),
        disagreements=tuple(
            (one["number"], one["example_id"], one["defective"], tuple(said["verdict"] for said in one["said"]))
            for one in report["disagreements"]
        ),
    )


def _reviewed(figures: Mapping[str, Any]) -> Reviewed:
    low, high = figures["wilson"]
    agreement = figures["agreement"]
    return Reviewed(
        **{name: figures[name] for name in ("task", "population", "items", "judged", "defects", "rate")},
        **{name: figures[name] for name in ("upper_bound", "promise", "finished", "passed")},
        verdicts=figures["by_verdict"],
        low=low,
        high=high,
        doubles=agreement["doubles"],
        agreement=agreement["share"],
        kappa=agreement["kappa"],
        alpha=agreement["alpha"],
    )
