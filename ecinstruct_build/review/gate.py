"""Whether people have seen and approved what is about to be published."""

from fractions import Fraction
from pathlib import Path

from ecinstruct_build.review.desk import Desk
from ecinstruct_build.review.report import Figures, review_report
from ecinstruct_build.review.rows import read_rows
from ecinstruct_build.review.sample import ReviewSample
from ecinstruct_build.review.settings import ReviewSettings


def gate(desk: Desk | None, dataset: Path, settings: ReviewSettings) -> list[str]:
    """Return the reasons why a dataset must not be published yet, as sentences; none means go on.

    A review of an earlier build counts as long as its sample was drawn from nearly all rows that are published now.
    Rows are compared by their text, so it does not matter if they have moved to other splits or some were left out;
    rows that have come in place of others are not covered.

    Parameters
    ----------
    desk
        The review, or None if there is none.
    dataset
        The published folder.
    settings
        What the recipe asks for; if that is no review, nothing is looked at.

    Raises
    ------
    UserError
        If the dataset or the review cannot be read.
    """
    if not settings.required:
        return []
    if desk is None:
        return [
            "The recipe asks for a review, and there is none: draw a sample with `ecinstruct review sample` and judge "
            "it with `ecinstruct review serve`."
        ]
    sample = desk.sample
    figures = {one.task: one for one in review_report(sample, desk.answers(), settings).tasks}
    rows = read_rows(dataset)
    published: dict[str, list[str]] = {}
    for task, row in zip(rows["task"].to_pylist(), rows["row"].to_pylist(), strict=True):
        published.setdefault(task, []).append(row)
    reasons = []
    for task in sorted(published):
        if task not in figures:
            reasons.append(f"{task} was not reviewed.")
            continue
        uncovered = _uncovered(task, published[task], sample, settings.covers)
        reasons += [reason for reason in (uncovered, _unproven(figures[task], settings)) if reason]
    return reasons


def _uncovered(task: str, rows: list[str], sample: ReviewSample, covers: float) -> str:
    reviewed = frozenset(sample.population.get(task, ()))
    known = sum(row in reviewed for row in rows)
    if known >= Fraction(str(covers)) * len(rows):
        return ""
    return (
        f"{task}: only {known:,} of {len(rows):,} published rows were there when the review's sample was drawn, fewer "
        f"than {100 * covers:.6g}%; draw a new sample."
    )


def _unproven(figures: Figures, settings: ReviewSettings) -> str:
    """Say what keeps a task's review from showing what the recipe asks for now."""
    asked = (
        f"a defect rate of at most {100 * settings.max_defect_rate:.6g}% at {100 * settings.confidence:.6g}% confidence"
    )
    if not figures.finished:
        return (
            f"{figures.task}: the review is not finished ({figures.judged:,} of {figures.items:,} items judged so far)."
        )
    if figures.passed is None:
        return f"{figures.task}: a sample of {figures.items:,} items is too small to show {asked}; draw a larger one."
    if not figures.passed:
        bound = 1.0 if figures.upper_bound is None else figures.upper_bound
        return (
            f"{figures.task}: {figures.defects:,} of {figures.judged:,} items are defective, so that up to "
            f"{bound:.1%} of all rows may be; the recipe asks for {asked}."
        )
    return ""
