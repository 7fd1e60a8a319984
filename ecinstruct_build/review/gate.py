"""Whether people have seen and approved what is about to be published."""

from pathlib import Path

from ecinstruct_build.review.coverage import Coverage, coverage
from ecinstruct_build.review.desk import Desk
from ecinstruct_build.review.report import Figures, review_report
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
    reasons = []
    for published in coverage(sample, dataset):
        if published.task not in figures:
            reasons.append(f"{published.task} was not reviewed.")
            continue
        uncovered, unproven = _uncovered(published, settings.covers), _unproven(figures[published.task], settings)
        reasons += [reason for reason in (uncovered, unproven) if reason]
    return reasons


def _uncovered(published: Coverage, covers: float) -> str:
    if published.suffices(covers):
        return ""
    return (
        f"{published.task}: only {published.known:,} of {published.rows:,} published rows were there when the review's "
        f"sample was drawn, fewer than {100 * covers:.6g}%; draw a new sample."
    )


def _unproven(figures: Figures, settings: ReviewSettings) -> str:
    """Say what keeps a task's review from showing what the recipe asks for now."""
    asked = (
        f"a defect rate of at most {100 * settings.max_defect_rate:.6g}% at {100 * settings.confidence:.6g}% confidence"
    )
    if not figures.finished:
        return f"{figures.task}: the review is not finished, with {figures.left} of {figures.items:,}."
    if figures.passed is None:
        return f"{figures.task}: a sample of {figures.items:,} items is too small to show {asked}; draw a larger one."
    if not figures.passed:
        bound = 1.0 if figures.upper_bound is None else figures.upper_bound
        return (
            f"{figures.task}: {figures.defects:,} of {figures.judged:,} items are defective, so that up to "
            f"{bound:.1%} of all rows may be; the recipe asks for {asked}."
        )
    return ""
