"""What a review shows: defect rates and how sure they are, how far judges agree, and whether each task passes."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ecinstruct_build.audit.texts import counted
from ecinstruct_build.review.desk import Answer
from ecinstruct_build.review.outcomes import Outcome, outcomes_of
from ecinstruct_build.review.sample import ReviewSample, TaskPlan
from ecinstruct_build.review.settings import ReviewSettings
from ecinstruct_build.review.verdicts import VERDICTS, verdict
from quality.reviewing.agreement import cohen_kappa, krippendorff_alpha
from quality.reviewing.intervals import Interval, exact, wilson
from quality.reviewing.sizes import is_proportional, sample_size, upper_bound


@dataclass(frozen=True)
class Agreement:
    """How far the two judges of doubled items agree.

    Attributes
    ----------
    doubles
        Items that two people judged; a third, who is asked where these two differ, is left out here.
    share, share_defect
        Share of them of which both gave the same verdict, and of which both said good or both said defective; None
        without doubles.
    kappa, alpha
        Cohen's kappa and Krippendorff's alpha (nominal) over the six verdicts; None where undefined.
    kappa_defect, alpha_defect
        The same over good and defective.
    """

    doubles: int
    share: float | None
    kappa: float | None
    alpha: float | None
    share_defect: float | None
    kappa_defect: float | None
    alpha_defect: float | None


@dataclass(frozen=True)
class Figures:
    """What was found of one task, or of all together.

    Attributes
    ----------
    task
        Module name, or "" for all together.
    population
        Different rows that are published.
    items, judged, awaiting
        Items of the sample, those that somebody has judged, and those among them that wait for a second judge.
    defects
        Defective items among those judged.
    by_verdict
        Items judged by what they came to.
    rate
        Share of those judged that is defective; None if there are none.
    wilson, exact
        Two-sided intervals for the rate (Wilson; Clopper and Pearson) at the recipe's confidence.
    upper_bound
        Largest share of defective rows among all that is still likely: one-sided, at the recipe's confidence, for the
        finite population. Of all tasks together it is that of the pooled rows, and None unless the rows judged
        are shared out among the tasks as all rows are: else the pool says more of small tasks than of large ones.
    promise
        Whether the sample is large enough to show what the recipe asks for.
    finished
        Whether every item was judged by as many people as it is to be.
    passed
        Whether the task has no more defects than the recipe bears, at its confidence; None if it is not finished,
        or the sample is too small to tell. All together pass if every task does, and fail if one does.
    agreement
        Of the doubled items.
    """

    task: str
    population: int
    items: int
    judged: int
    awaiting: int
    defects: int
    by_verdict: dict[str, int]
    rate: float | None
    wilson: Interval
    exact: Interval
    upper_bound: float | None
    promise: bool
    finished: bool
    passed: bool | None
    agreement: Agreement

    @property
    def left(self) -> str:
        """What is still to be judged, in words; "" if nothing is."""
        unjudged = self.items - self.judged
        parts = [f"{counted(unjudged, 'item')} not judged yet"] * bool(unjudged)
        parts += [f"{counted(self.awaiting, 'item')} waiting for a second judge"] * bool(self.awaiting)
        return " and ".join(parts)


@dataclass(frozen=True)
class Said:
    """What one judge said of an item."""

    annotator: str
    verdict: str
    note: str


@dataclass(frozen=True)
class Disagreement:
    """An item whose judges gave different verdicts.

    Attributes
    ----------
    number, task, example_id, row
        The item.
    defective
        What it counts as.
    tied
        Whether as many say good as say defective, so that a third person could settle it.
    said
        Who said what, in the order in which it was given.
    """

    number: int
    task: str
    example_id: str
    row: str
    defective: bool
    tied: bool
    said: tuple[Said, ...]


@dataclass(frozen=True)
class ReviewReport:
    """The report on a review.

    Attributes
    ----------
    sample_id, dataset
        Of the sample.
    settings
        What it is held against.
    annotators, judgements
        People who judged, and answers that they gave.
    finished, passed
        Those of ``overall``.
    overall, tasks
        All together, and each task in order of name.
    disagreements
        In order of item number.
    """

    sample_id: str
    dataset: str
    settings: ReviewSettings
    annotators: int
    judgements: int
    overall: Figures
    tasks: tuple[Figures, ...]
    disagreements: tuple[Disagreement, ...]

    @property
    def finished(self) -> bool:
        """Whether every judgement is made."""
        return self.overall.finished

    @property
    def passed(self) -> bool | None:
        """Whether every task passes; None if that cannot be told yet."""
        return self.overall.passed

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values; intervals are lists of low and high."""
        return {
            "sample_id": self.sample_id,
            "dataset": self.dataset,
            "settings": self.settings.model_dump(mode="json"),
            "annotators": self.annotators,
            "judgements": self.judgements,
            "finished": self.finished,
            "passed": self.passed,
            "overall": _json(self.overall),
            "tasks": [_json(figures) for figures in self.tasks],
            "disagreements": [
                asdict(one) | {"said": [asdict(said) for said in one.said]} for one in self.disagreements
            ],
        }


def review_report(
    sample: ReviewSample, answers: Sequence[Answer], settings: ReviewSettings | None = None
) -> ReviewReport:
    """Report what the answers to a sample show.

    Parameters
    ----------
    sample, answers
        What was drawn, and what was said of it.
    settings
        What the review is held against; those that the sample was drawn for if not given.
    """
    settings = settings or sample.settings
    outcomes = outcomes_of(sample, answers)
    tasks = tuple(
        _task(plan, [one for one in outcomes if one.item.task == plan.task], settings) for plan in sample.plans
    )
    return ReviewReport(
        sample_id=sample.sample_id,
        dataset=sample.dataset,
        settings=settings,
        annotators=len({answer.annotator.casefold() for answer in answers}),
        judgements=len(answers),
        overall=_together(tasks, outcomes, settings.confidence),
        tasks=tasks,
        disagreements=tuple(
            _disagreement(one) for one in outcomes if len({answer.verdict for answer in one.answers}) > 1
        ),
    )


def _task(plan: TaskPlan, outcomes: Sequence[Outcome], settings: ReviewSettings) -> Figures:
    defects = sum(one.defective for one in outcomes)
    bound = upper_bound(defects, len(outcomes), plan.population, settings.confidence)
    wanted = sample_size(plan.population, settings.max_defect_rate, settings.confidence, settings.allowed_defects)
    promise = plan.items >= wanted
    finished = sum(one.complete for one in outcomes) == plan.items
    return Figures(
        task=plan.task,
        population=plan.population,
        items=plan.items,
        judged=len(outcomes),
        awaiting=sum(not one.complete for one in outcomes),
        upper_bound=bound,
        promise=promise,
        finished=finished,
        passed=bound <= settings.max_defect_rate if finished and promise else None,
        **_counted(outcomes, settings.confidence),
    )


def _together(tasks: Sequence[Figures], outcomes: Sequence[Outcome], confidence: float) -> Figures:
    population = sum(one.population for one in tasks)
    defects = sum(one.defects for one in tasks)
    proportional = is_proportional({one.task: (one.judged, one.population) for one in tasks})
    passed = [one.passed for one in tasks]
    return Figures(
        task="",
        population=population,
        items=sum(one.items for one in tasks),
        judged=len(outcomes),
        awaiting=sum(one.awaiting for one in tasks),
        upper_bound=upper_bound(defects, len(outcomes), population, confidence) if proportional else None,
        promise=all(one.promise for one in tasks),
        finished=all(one.finished for one in tasks),
        passed=False if False in passed else None if None in passed else True,
        **_counted(outcomes, confidence),
    )


def _counted(outcomes: Sequence[Outcome], confidence: float) -> dict[str, Any]:
    judged, defects = len(outcomes), sum(one.defective for one in outcomes)
    verdicts = Counter(one.verdict for one in outcomes)
    return {
        "defects": defects,
        "by_verdict": {kind.name: verdicts[kind.name] for kind in VERDICTS},
        "rate": defects / judged if judged else None,
        "wilson": wilson(defects, judged, confidence),
        "exact": exact(defects, judged, confidence),
        "agreement": _agreement(outcomes),
    }


def _agreement(outcomes: Sequence[Outcome]) -> Agreement:
    pairs = [(pair[0].verdict, pair[1].verdict) for one in outcomes if (pair := one.pair)]
    sides = [(_side(one), _side(other)) for one, other in pairs]
    return Agreement(
        doubles=len(pairs),
        share=_share(pairs),
        kappa=cohen_kappa(pairs),
        alpha=krippendorff_alpha(pairs),
        share_defect=_share(sides),
        kappa_defect=cohen_kappa(sides),
        alpha_defect=krippendorff_alpha(sides),
    )


def _side(name: str) -> str:
    return "defective" if verdict(name).defect else "good"


def _share(pairs: Sequence[tuple[str, str]]) -> float | None:
    return sum(one == other for one, other in pairs) / len(pairs) if pairs else None


def _disagreement(outcome: Outcome) -> Disagreement:
    return Disagreement(
        number=outcome.item.number,
        task=outcome.item.task,
        example_id=outcome.item.example_id,
        row=outcome.item.row,
        defective=outcome.defective,
        tied=2 * sum(verdict(answer.verdict).defect for answer in outcome.answers) == len(outcome.answers),
        said=tuple(Said(answer.annotator, answer.verdict, answer.note) for answer in outcome.answers),
    )


def _json(figures: Figures) -> dict[str, Any]:
    return asdict(figures) | {"wilson": list(figures.wilson), "exact": list(figures.exact)}
