"""What a reader should know first: the report in a few sentences, worked out from its figures."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from ecinstruct_build.audit.result import TRAIN
from ecinstruct_build.reporting.page.data import ReportData
from ecinstruct_build.reporting.page.flow_figures import OVER_QUOTA
from ecinstruct_build.reporting.page.review_figures import verdict_of
from ecinstruct_build.reporting.page.words import count, counted, named, place_named, seconds, share, size

_LEAST_EXAMPLES = 20  # of a task's split, for its labels to say anything
_TOLD_OF_AUDIT = ("family", "product", "user", "input", "near")


@dataclass(frozen=True)
class Finding:
    """A sentence with the place in the page that shows more; ``state`` is ``good``, ``bad`` or ``open``."""

    text: str
    section: str
    state: str


@dataclass(frozen=True)
class Tile:
    """A headline figure."""

    figure: str
    label: str
    state: str = ""


def tiles(data: ReportData) -> list[Tile]:
    """Return the headline figures."""
    review, state = _review_state(data)
    corpora = "corpus" if len(data.sources) == 1 else "corpora"
    return [
        Tile(count(data.samples), "published rows"),
        Tile(count(sum(one.made for one in data.tasks)), "different examples"),
        Tile(count(len(data.tasks)), "task" if len(data.tasks) == 1 else "tasks"),
        Tile(count(sum(one.records for one in data.sources)), f"records of {len(data.sources)} {corpora}"),
        Tile("passed" if data.leakage.passed else "failed", "audit", "good" if data.leakage.passed else "bad"),
        Tile(review, "review by people", state),
    ]


def _review_state(data: ReportData) -> tuple[str, str]:
    if data.review is None:
        return "none yet", "open"
    passed = data.review.overall.passed
    return verdict_of(data.review.overall), "open" if passed is None else "good" if passed else "bad"


def findings(data: ReportData) -> list[Finding]:
    """Return what is to be known first, in the order of the page."""
    return [one for part in _PARTS for one in part(data)]


def _audit(data: ReportData) -> Iterator[Finding]:
    if not data.leakage.passed:
        yield Finding(
            f"The audit found more than the recipe tolerates: {'; '.join(data.leakage.exceeded[:3])}.", "splits", "bad"
        )
        return
    said = []
    for row in data.leakage.rows:
        cells = [cell for (left, _), cell in zip(data.leakage.pairs, row.cells, strict=True) if cell and left == TRAIN]
        if cells and row.kind in _TOLD_OF_AUDIT:
            shared, carrying = (sum(one[place] for one in cells) for place in (0, 1))
            said.append(f"{row.kind} {count(shared)} of {count(carrying)}")
    yield Finding(
        f"The audit of the published files passed. Held-out rows that share one with training: {', '.join(said)}.",
        "splits",
        "good",
    )


def _review(data: ReportData) -> Iterator[Finding]:
    if data.review is None:
        yield Finding("Nobody has reviewed samples of it yet.", "review", "open")
        return
    one, (verdict, state) = data.review.overall, _review_state(data)
    yield Finding(
        f"People judged {count(one.judged)} of {counted(one.items, 'sampled row')} and found "
        f"{counted(one.defects, 'defect')}: {verdict}.",
        "review",
        state,
    )


def _unmatched(data: ReportData) -> Iterator[Finding]:
    for task in data.tasks:
        for line in task.unmatched:
            yield Finding(f"{named(task.task)}: a setting of the recipe matches nothing. {line}", "funnel", "bad")


def _quotas(data: ReportData) -> Iterator[Finding]:
    short = []
    for task in data.tasks:
        for split, wanted in task.wanted.items():
            made = task.examples.get(split, 0) + task.frozen.get(split, 0)
            if made < wanted:
                short.append(
                    (made / wanted, f"{named(task.task)}, {place_named(split)}: {count(made)} of {count(wanted)}")
                )
    if short:
        yield Finding(
            f"{counted(len(short), 'split')} fell short of the quota; furthest {min(short)[1]}.", "splits", "bad"
        )
    else:
        yield Finding("Every split of every task has as many examples as the recipe asks for.", "splits", "good")


def _shares(data: ReportData) -> Iterator[Finding]:
    asked = [(named(task.task), one) for task in data.tasks for one in task.shares]
    short = [
        (
            made - one.wanted,
            f"{task}, {place_named(split)}: {one.source}, {share(made)} in place of {share(one.wanted)}",
        )
        for task, one in asked
        for split in data.splits
        if one.is_short(split) and (made := one.in_split(split)) is not None
    ]
    if short:
        said = f"{counted(len(short), 'share')} of corpora fell short of what the recipe asks for"
        yield Finding(f"{said}; furthest {min(short)[1]}.", "funnel", "bad")
    elif asked:
        yield Finding("Every corpus has the shares that the recipe asks for.", "funnel", "good")


def _losses(data: ReportData) -> Iterator[Finding]:
    drawn = sum(one.drawn for one in data.tasks)
    rejected = sum((Counter(one.rejected) for one in data.tasks), Counter[str]())
    dropped = sum(sum(one.dropped.values()) - one.dropped.get(OVER_QUOTA, 0) for one in data.tasks)
    most = min(rejected.items(), key=lambda one: (-one[1], one[0]), default=None)
    often = f", most often {most[0]} ({count(most[1])})" if most else ""
    yield Finding(
        f"Of {counted(drawn, 'drawn example')}, checks rejected {count(rejected.total())} "
        f"({share(rejected.total(), drawn)}){often}; the split dropped {count(dropped)} that would leak.",
        "funnel",
        "",
    )


def _kept(data: ReportData) -> Iterator[Finding]:
    examples, kept, hashed = (sum(one.retention[way] for one in data.tasks) for way in ("examples", "kept", "hashing"))
    if examples:
        yield Finding(
            f"The split could keep {share(kept, examples)} of the in-domain examples; hashing products into splits "
            f"would keep {share(hashed, examples)}.",
            "splits",
            "",
        )


def _labels(data: ReportData) -> Iterator[Finding]:
    most = max(
        (
            (max(counts) / sum(counts), one, split)
            for one in data.labels
            for split, counts in one.counts.items()
            if sum(counts) >= _LEAST_EXAMPLES
        ),
        key=lambda found: (found[0], found[1].task, found[2]),
        default=None,
    )
    if most:
        portion, one, split = most
        label = one.names[one.counts[split].index(max(one.counts[split]))]
        yield Finding(
            f"The most one-sided labels: {named(one.task)}, {place_named(split)}, where always answering "
            f"“{label[:80]}” is right in {share(portion)} of the examples.",
            "answers",
            "",
        )


def _letters(data: ReportData) -> Iterator[Finding]:
    told = [(one.probability, named(one.task)) for one in data.positions if one.probability is not None]
    if told:
        least, task = min(told)
        yield Finding(
            f"Letters of right options: the most uneven are those of {task}, and chance is as uneven with probability "
            f"{least:.2g}.",
            "answers",
            "bad" if least < 0.001 else "good",
        )


def _cost(data: ReportData) -> Iterator[Finding]:
    ran, reused = sum(one.seconds for one in data.stages), sum(one.reused for one in data.stages)
    then = seconds(sum(one.reused_seconds for one in data.stages))
    again = (
        f"; {counted(reused, 'result')} that took {then} before {'was' if reused == 1 else 'were'} reused"
        if reused
        else ""
    )
    yield Finding(
        f"The stages took {seconds(ran)}, and {size(data.peak_memory_bytes)} of memory at most{again}.", "cost", ""
    )


_PARTS = (_audit, _review, _unmatched, _quotas, _shares, _losses, _kept, _labels, _letters, _cost)
