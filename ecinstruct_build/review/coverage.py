"""How much of a dataset was there when the sample of a review was drawn."""

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from ecinstruct_build.errors import UserError
from ecinstruct_build.review.rows import read_rows
from ecinstruct_build.review.sample import ReviewSample


@dataclass(frozen=True)
class Coverage:
    """A task of a dataset held against a sample.

    Attributes
    ----------
    task
        Module name.
    known, rows
        Published rows that the sample was drawn from, and all different rows that are published.
    """

    task: str
    known: int
    rows: int

    def suffices(self, covers: float) -> bool:
        """Tell whether the sample stands for the task, if it must have been drawn from so large a share of its rows."""
        return self.known >= Fraction(str(covers)) * self.rows


def coverage(sample: ReviewSample, dataset: Path) -> list[Coverage]:
    """Return how much of each published task a sample was drawn from, in order of task.

    Raises
    ------
    UserError
        If the dataset cannot be read.
    """
    drawn_from = {task: frozenset(rows) for task, rows in sample.population.items()}
    counts: dict[str, list[int]] = {}
    rows = read_rows(dataset)
    for task, row in zip(rows["task"].to_pylist(), rows["row"].to_pylist(), strict=True):
        count = counts.setdefault(task, [0, 0])
        count[0] += row in drawn_from.get(task, ())
        count[1] += 1
    return [Coverage(task, *counts[task]) for task in sorted(counts)]


def outdated(sample: ReviewSample, dataset: Path) -> str:
    """Say of which tasks the sample does not stand for the dataset any more, and what to do; "" if there are none.

    A dataset that is not there or cannot be read is none that anybody asks about.
    """
    try:
        short = [one for one in coverage(sample, dataset) if not one.suffices(sample.settings.covers)]
    except UserError:
        return ""
    if not short:
        return ""
    listed = "".join(f"\n  - {one.task}: {one.known:,} of {one.rows:,} published rows" for one in short)
    return (
        f"The sample was drawn from another dataset than what is in '{dataset}' now. It was drawn from fewer than "
        f"{100 * sample.settings.covers:.6g}% of the rows of:{listed}\n"
        "What is judged now says little of them. Draw a new sample with `ecinstruct review sample --fresh`; what was "
        "found defective stays out."
    )
