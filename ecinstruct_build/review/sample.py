"""Draw the rows that people are to judge: stratified, by key, as many as the recipe's promise takes."""

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from fractions import Fraction
from itertools import pairwise
from math import floor
from pathlib import Path
from typing import Any

from ecinstruct_build.chance import digest, shuffle, uniform
from ecinstruct_build.errors import UserError
from ecinstruct_build.example import dump_json
from ecinstruct_build.review.rows import read_contents, read_rows
from ecinstruct_build.review.settings import ReviewSettings
from quality.reviewing.sizes import sample_size
from quality.reviewing.strata import Stratum, allocate


@dataclass(frozen=True)
class ReviewItem:
    """A row to be judged.

    Attributes
    ----------
    number
        From 1, in the order of handing out: whenever people stop, no task is more than one item ahead of another
        that is not done.
    row
        Digest of the example's id and the row's text.
    example_id, task, split, source, template_id, locale, category
        As published; the task by module name, the split as on the Hub.
    doubled
        Whether two people judge it.
    content
        ``instruction``, ``input``, ``options``, ``output`` and ``few_shot_example``.
    """

    number: int
    row: str
    example_id: str
    task: str
    split: str
    source: str
    template_id: str
    locale: str
    category: str
    doubled: bool
    content: Mapping[str, str]


@dataclass(frozen=True)
class TaskPlan:
    """What the review of a task takes and what it promises.

    Attributes
    ----------
    task
        Module name.
    population, strata
        Different rows that are published, and from how many strata.
    items, doubled, judgements, minutes
        Rows to judge, those of them that two people judge, and what that comes to.
    allowed_defects, max_defect_rate, confidence
        At most so many defects among the items promise at most this rate among all rows, at this confidence.
    promise
        False where a limit on the items left too few to promise that.
    """

    task: str
    population: int
    strata: int
    items: int
    doubled: int
    judgements: int
    minutes: float
    allowed_defects: int
    max_defect_rate: float
    confidence: float
    promise: bool


@dataclass(frozen=True)
class ReviewSample:
    """A sample drawn for review.

    Attributes
    ----------
    sample_id
        Digest of all below.
    dataset
        Name of the dataset.
    seed, settings
        What it was drawn with.
    plans
        One for each task, in order of name.
    items
        In order of number.
    population
        Digests of all rows that it was drawn from, sorted, by task.
    """

    sample_id: str
    dataset: str
    seed: int
    settings: ReviewSettings
    plans: tuple[TaskPlan, ...]
    items: tuple[ReviewItem, ...]
    population: Mapping[str, tuple[str, ...]]

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {
            "sample_id": self.sample_id,
            "dataset": self.dataset,
            "seed": self.seed,
            "settings": self.settings.model_dump(mode="json"),
            "plans": [asdict(plan) for plan in self.plans],
            "items": [asdict(item) for item in self.items],
            "population": {task: list(rows) for task, rows in self.population.items()},
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "ReviewSample":
        """Return what `to_json` wrote."""
        return cls(
            sample_id=value["sample_id"],
            dataset=value["dataset"],
            seed=value["seed"],
            settings=ReviewSettings(**value["settings"]),
            plans=tuple(TaskPlan(**plan) for plan in value["plans"]),
            items=tuple(ReviewItem(**item) for item in value["items"]),
            population={task: tuple(rows) for task, rows in value["population"].items()},
        )


def draw_sample(dataset: Path, settings: ReviewSettings, seed: int = 0, items: int | None = None) -> ReviewSample:
    """Draw a sample of a published dataset.

    What is drawn of a task depends on the task's rows, the settings and the seed: not on the rows' order, nor on the
    other tasks, unless ``items`` limits them all together.

    Parameters
    ----------
    dataset
        The published folder.
    settings
        What the sample shall be able to show.
    seed
        Seed of all keyed choices.
    items
        At most so many items in all, divided evenly among tasks, for those who want a look; None = as many as the
        settings ask for.

    Raises
    ------
    UserError
        If there is no dataset, or ``items`` is less than one.
    """
    if items is not None and items < 1:
        raise UserError(f"A review of {items} items shows nothing; ask for one at least.")
    rows = read_rows(dataset)
    by_task: dict[str, list[dict[str, str]]] = {}
    for row in rows.to_pylist():
        by_task.setdefault(row["task"], []).append(row)
    wanted = {
        task: sample_size(len(own), settings.max_defect_rate, settings.confidence, settings.allowed_defects)
        for task, own in by_task.items()
    }
    sizes = wanted if items is None else _limited(wanted, items, seed)
    drawn = {task: _drawn(task, by_task[task], size, settings, seed) for task, size in sizes.items()}
    plans = tuple(_plan(task, by_task[task], drawn[task], wanted[task], settings) for task in sorted(drawn))
    contents = read_contents(dataset, {item.row for own in drawn.values() for item in own})
    ordered = _interleaved(drawn)
    sample = ReviewSample(
        sample_id="",
        dataset=_name(dataset),
        seed=seed,
        settings=settings,
        plans=plans,
        items=tuple(replace(item, content=contents[item.row]) for item in ordered),
        population={task: tuple(row["row"] for row in by_task[task]) for task in sorted(by_task)},
    )
    whole = dump_json(sample.to_json()).encode("utf-8", "surrogatepass")
    return replace(sample, sample_id=hashlib.sha256(whole).hexdigest()[:16])


def _limited(wanted: Mapping[str, int], items: int, seed: int) -> dict[str, int]:
    """Divide a number of items evenly among tasks, none getting more than it wants; the odd ones by key."""
    sizes = dict.fromkeys(wanted, 0)
    order = shuffle(wanted, seed, "review tasks", "")
    left = items
    while left and any(sizes[task] < wanted[task] for task in order):
        for task in order:
            if left and sizes[task] < wanted[task]:
                sizes[task] += 1
                left -= 1
    return sizes


def _drawn(
    task: str, rows: Sequence[Mapping[str, str]], size: int, settings: ReviewSettings, seed: int
) -> list[ReviewItem]:
    """Draw a task's items, in the order in which they are handed out; their content and numbers are still missing."""
    strata: dict[Stratum, list[Mapping[str, str]]] = {}
    for row in rows:
        strata.setdefault(Stratum(task, row["split"], row["source"], row["template_id"]), []).append(row)
    places = allocate({stratum: len(own) for stratum, own in strata.items()}, size, seed)
    chosen = [
        row
        for stratum, count in places.items()
        for row in sorted(strata[stratum], key=lambda one: digest(seed, "review row", one["row"]))[:count]
    ]
    ordered = shuffle(chosen, seed, "review order", task, key=lambda row: row["row"])
    doubles = _spread(len(ordered), settings.double_share, uniform(seed, "review doubles", task))
    return [
        ReviewItem(number=0, doubled=doubled, content={}, **row) for row, doubled in zip(ordered, doubles, strict=True)
    ]


def _spread(count: int, share: float, start: float) -> list[bool]:
    """Mark a share of ``count`` places, at equal distances from a start."""
    marks = [floor(number * Fraction(str(share)) + Fraction(start)) for number in range(count + 1)]
    return [after > before for before, after in pairwise(marks)]


def _interleaved(drawn: Mapping[str, Sequence[ReviewItem]]) -> list[ReviewItem]:
    """Put the items of all tasks into one order, round by round, and number them."""
    rounds = sorted((place, task) for task, own in drawn.items() for place in range(len(own)))
    return [replace(drawn[task][place], number=number) for number, (place, task) in enumerate(rounds, start=1)]


def _plan(
    task: str, rows: Sequence[Mapping[str, str]], items: Sequence[ReviewItem], wanted: int, settings: ReviewSettings
) -> TaskPlan:
    doubled = sum(item.doubled for item in items)
    return TaskPlan(
        task=task,
        population=len(rows),
        strata=len(Counter((row["split"], row["source"], row["template_id"]) for row in rows)),
        items=len(items),
        doubled=doubled,
        judgements=len(items) + doubled,
        minutes=(len(items) + doubled) * settings.seconds / 60,
        allowed_defects=settings.allowed_defects,
        max_defect_rate=settings.max_defect_rate,
        confidence=settings.confidence,
        promise=len(items) >= wanted,
    )


def _name(dataset: Path) -> str:
    """Return the name in the manifest or, without one, that of the folder."""
    try:
        return str(json.loads((dataset / "manifest.json").read_text(encoding="utf-8"))["name"])
    except (OSError, ValueError, KeyError, TypeError):
        return dataset.resolve().name
