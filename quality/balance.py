"""Balance: labels of one task that are far from the shares the recipe wants, and right options that show by their form.

A share belongs to a task, a verdict to an example. So the verdicts name the surplus: the examples of a label that
would have to go, chosen by key, for the task to come to its target. With the action ``reject`` they do go, which
makes the task balanced. In-domain and out-of-domain examples are balanced each for themselves.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import floor, sqrt
from typing import Self

from pydantic import Field, model_validator

from ecinstruct_build import chance
from ecinstruct_build.check import Action, Check, CheckSettings, Evidence, Remedy, Verdict
from ecinstruct_build.errors import UserError, did_you_mean
from ecinstruct_build.example import Example

_ABSENT = "None"
_EXACT = 1e-9


class BalanceSettings(CheckSettings):
    """Settings of the balance check.

    Attributes
    ----------
    action
        As for every check; ``reject`` thins the tasks with targets out until the targets are met.
    targets
        Wanted share of each label, by task: ``{ product_matching = { yes = 0.5, no = 0.5 } }``. Labels are option keys
        (``very positive``), yes and no, or, of attribute values, ``present`` and ``absent``. Labels that are not named
        are left alone, and do not count.
    tolerance
        How far a label's share may be from its target.
    most
        Largest share of one label where there is no target.
    form_z, form_excess
        The right option is too often the longest or the shortest one if it is so by so many standard deviations,
        and by such a share of the examples, more than chance would have it. Only where options are products.
    min_examples
        Fewer examples than this are not judged.
    """

    action: Action = "flag"
    targets: Mapping[str, Mapping[str, float]] = Field(default_factory=dict)
    tolerance: float = Field(default=0.1, ge=0, lt=1)
    most: float = Field(default=0.9, gt=0, le=1)
    form_z: float = Field(default=4.0, gt=0)
    form_excess: float = Field(default=0.05, ge=0)
    min_examples: int = Field(default=50, ge=1)

    @property
    def tasks_named(self) -> Collection[str]:
        """The tasks with targets."""
        return self.targets.keys()

    @model_validator(mode="after")
    def _targets_are_shares(self) -> Self:
        for task, shares in self.targets.items():
            if any(share <= 0 for share in shares.values()) or abs(sum(shares.values()) - 1) > 1e-6:
                raise ValueError(f"the targets of {task} must be above 0 and add up to 1")
        return self


def label_of(example: Example) -> str | None:
    """Return the label that an example counts under; None if its answer is none of few."""
    answer = example.answer
    if isinstance(answer, str):
        if example.options:
            return None if any(option.product_id for option in example.options) else answer
        return answer if answer in ("yes", "no") else None
    rows = answer if isinstance(answer, list | tuple) and not example.options else ()
    if rows and all(isinstance(row, Mapping) and "value" in row for row in rows):
        return "absent" if all(row["value"] == _ABSENT for row in rows) else "present"
    return None


def judge(examples: Sequence[Example], settings: BalanceSettings, evidence: Evidence) -> list[Verdict]:
    """Name the examples that a task has too many of.

    Raises
    ------
    UserError
        If a target names a label that no example of the task has.
    """
    tasks: dict[str, list[Example]] = defaultdict(list)
    for example in examples:
        tasks[example.task].append(example)
    verdicts: list[Verdict] = []
    for task in sorted(tasks):
        targets = settings.targets.get(task, {})
        _ensure_known(task, targets, tasks[task])
        for domain in ("ind", "ood"):
            of_domain = [example for example in tasks[task] if example.domain == domain]
            if len(of_domain) >= settings.min_examples:
                for surplus in (*_labels(of_domain, targets, settings), *_forms(of_domain, settings)):
                    verdicts += surplus.verdicts(evidence.seed)
    return sorted(verdicts, key=lambda verdict: (verdict.example_id, verdict.reason))


def _ensure_known(task: str, targets: Mapping[str, float], examples: Iterable[Example]) -> None:
    labels = {label for label in map(label_of, examples) if label is not None} if targets else set()
    for name in sorted(set(targets) - labels):
        known = ", ".join(sorted(labels)) or "none"
        raise UserError(
            f"The balance check's target for {task} names the label '{name}', which no example has."
            f"{did_you_mean(name, sorted(labels))} Labels there are: {known}."
        )


@dataclass(frozen=True)
class _Surplus:
    """Too many examples of one sort.

    Attributes
    ----------
    reason, remedy, detail
        What the verdicts say.
    example_ids
        All examples of the sort.
    count, share
        How many of them are too many; their share among the examples that count.
    """

    reason: str
    remedy: Remedy
    detail: str
    example_ids: Sequence[str]
    count: int
    share: float

    def verdicts(self, seed: int) -> Iterator[Verdict]:
        """Yield a verdict on each example that would have to go."""
        for example_id in chance.shuffle(self.example_ids, seed, "balance", self.reason)[: self.count]:
            yield Verdict(example_id, self.reason, round(self.share, 6), detail=self.detail, remedy=self.remedy)


def _labels(examples: Sequence[Example], targets: Mapping[str, float], settings: BalanceSettings) -> Iterator[_Surplus]:
    by_label: dict[str, list[str]] = defaultdict(list)
    for example in examples:
        label = label_of(example)
        if label is not None and (not targets or label in targets):
            by_label[label].append(example.example_id)
    counts = {label: len(by_label[label]) for label in sorted(by_label)}
    kept = _kept_for_targets(counts, targets, settings.tolerance) if targets else _kept_for_most(counts, settings.most)
    total = sum(counts.values())
    for label, count in counts.items():
        if kept[label] < count:
            share = count / total
            detail = f"{label}: {share:.3f} of {total}"
            surplus = count - kept[label]
            if targets:
                yield _Surplus("label beyond its target", "reject", detail, by_label[label], surplus, share)
            else:
                yield _Surplus("one label prevails", "flag", detail, by_label[label], surplus, share)


def _kept_for_targets(counts: Mapping[str, int], targets: Mapping[str, float], tolerance: float) -> dict[str, int]:
    """Return how many examples of each label a balanced task keeps; targets of absent labels fall to the others."""
    total, whole = sum(counts.values()), sum(targets[label] for label in counts)
    wanted = {label: targets[label] / whole for label in counts}
    if all(abs(counts[label] / total - wanted[label]) <= tolerance + _EXACT for label in counts):
        return dict(counts)
    size = min(counts[label] / wanted[label] for label in counts)
    return {label: floor(size * wanted[label] + 0.5) for label in counts}


def _kept_for_most(counts: Mapping[str, int], most: float) -> dict[str, int]:
    """Return how many examples of each label leave none with a larger share than ``most``."""
    total = sum(counts.values())
    return {
        label: floor(most * (total - count) / (1 - most) + _EXACT) if count / total > most else count
        for label, count in counts.items()
    }


def _forms(examples: Sequence[Example], settings: BalanceSettings) -> Iterator[_Surplus]:
    """Hold the right option's length against those of the wrong ones."""
    choices = [choice for choice in map(_choice, examples) if choice is not None]
    if len(choices) < settings.min_examples:
        return
    for word, extreme in (("longest", max), ("shortest", min)):
        # Where two options share the extreme, the right one cannot stand out.
        clear = [one for one in choices if one.lengths.count(extreme(one.lengths)) == 1]
        hits = [one.example_id for one in clear if one.right == extreme(one.lengths)]
        odds = [1 / len(one.lengths) for one in clear]
        expected, deviation = sum(odds), sqrt(sum(chance_of * (1 - chance_of) for chance_of in odds))
        excess = len(hits) - expected
        if excess > settings.form_z * deviation and excess > settings.form_excess * len(clear):
            share, usual = len(hits) / len(clear), expected / len(clear)
            detail = f"{share:.3f} of {len(clear)}, where chance gives {usual:.3f}"
            # With so many gone, those that are left show as often as chance has it.
            yield _Surplus(f"right option is the {word}", "reject", detail, hits, floor(excess / (1 - usual)), share)


@dataclass(frozen=True, slots=True)
class _Choice:
    """Lengths of an example's options, and of the right one, in characters."""

    example_id: str
    lengths: tuple[int, ...]
    right: int


def _choice(example: Example) -> _Choice | None:
    if len(example.options) < 2 or not all(option.product_id for option in example.options):
        return None
    lengths = {option.key: len(option.text) for option in example.options}
    right = lengths.get(example.answer) if isinstance(example.answer, str) else None
    return None if right is None else _Choice(example.example_id, tuple(lengths.values()), right)


CHECK = Check(
    name="balance",
    summary="Flag, or thin out, labels beyond their share, and right options that show by their length.",
    settings=BalanceSettings,
    judge=judge,
    scope="dataset",
    last=True,
)
