"""What the judges of an item come to together."""

from collections.abc import Sequence
from dataclasses import dataclass

from ecinstruct_build.review.desk import Answer
from ecinstruct_build.review.sample import ReviewItem, ReviewSample
from ecinstruct_build.review.verdicts import GOOD, VERDICTS, verdict


@dataclass(frozen=True)
class Outcome:
    """An item that somebody judged.

    Attributes
    ----------
    item
        The item.
    answers
        What was said, in the order in which it was given.
    defective
        Whether most of its judges say so; where as many say so as do not, it counts as defective.
    verdict
        ``good``, or the worst that was said of a defective item.
    complete
        Whether as many people judged it as were to.
    """

    item: ReviewItem
    answers: tuple[Answer, ...]
    defective: bool
    verdict: str
    complete: bool

    @property
    def pair(self) -> tuple[Answer, Answer] | None:
        """What its first two judges said, in order of their names; a third was asked because these two differ."""
        if len(self.answers) < 2:
            return None
        one, other = sorted(self.answers[:2], key=lambda answer: (answer.annotator.casefold(), answer.annotator))
        return one, other


def outcomes_of(sample: ReviewSample, answers: Sequence[Answer]) -> list[Outcome]:
    """Return the outcome of every item that has answers, in order of number."""
    said: dict[int, list[Answer]] = {}
    for answer in sorted(answers, key=lambda one: (one.answered_at, one.annotator)):
        said.setdefault(answer.number, []).append(answer)
    return [_outcome(item, tuple(said[item.number])) for item in sample.items if item.number in said]


def _outcome(item: ReviewItem, answers: tuple[Answer, ...]) -> Outcome:
    named = {answer.verdict for answer in answers}
    defects = sum(verdict(answer.verdict).defect for answer in answers)
    defective = 2 * defects >= len(answers)
    worst = next(kind.name for kind in VERDICTS if kind.defect and kind.name in named) if defective else GOOD
    return Outcome(item, answers, defective, worst, len(answers) >= 1 + item.doubled)
