"""What a check is: it annotates examples with verdicts and deletes nothing; the recipe's policy selects.

A check lives in one file of ``quality/`` as a module-level ``CHECK``.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa
from pydantic import BaseModel, ConfigDict

from ecinstruct_build.example import Example

Action = Literal["reject", "repair", "flag", "off"]
"""What the recipe lets a check do."""

Remedy = Literal["reject", "repair", "flag", "keep"]
"""What a check would do about one example, and what was done in the end."""


class CheckSettings(BaseModel):
    """What a recipe may say of any check; a check adds thresholds by subclassing.

    Attributes
    ----------
    action
        ``reject`` leaves examples that fail out of the dataset, ``repair`` mends those that can be mended and
        leaves the others out, ``flag`` records the verdict only, ``off`` skips.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    action: Action = "reject"

    @property
    def tasks_named(self) -> Collection[str]:
        """The tasks that the settings name, so that a recipe that misspells one is refused."""
        return ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """A check's word on an example. An example with no verdict passed.

    Attributes
    ----------
    example_id
        The example.
    reason
        A few words, the same for every example with the same fault (``"near duplicate"``): verdicts are counted by it.
    score
        The figure compared with the threshold, or 0.0 where there is none.
    peer
        The example that it clashes with, or "".
    detail
        What was seen, for a person.
    remedy
        What the check would do: ``reject``; ``repair`` where its ``repair`` mends the fault for certain; ``flag``
        where the fault is no reason to leave the example out; ``keep`` for one that passed so near the threshold
        that people who set thresholds want to see it.
    """

    example_id: str
    reason: str
    score: float = 0.0
    peer: str = ""
    detail: str = ""
    remedy: Remedy = "reject"


@dataclass(frozen=True)
class Evidence:
    """What a check is given beside the examples.

    Attributes
    ----------
    seed
        Seed of keyed choices.
    measures
        What the check's ``measure`` returned, for all tasks that are judged together; None if it has none.
    """

    seed: int = 0
    measures: pa.Table | None = None


@dataclass(frozen=True)
class Check:
    """A quality check.

    Attributes
    ----------
    name, summary
        Module name; one sentence for people.
    settings
        The type of its recipe section.
    judge
        ``judge(examples, settings, evidence)``: the verdicts on the examples of one task or, for the scope
        ``dataset``, of all tasks. Its outcome depends on the set of examples, never on their order.
    scope
        Whether it is shown the examples of each ``task`` alone or of the whole ``dataset`` at once.
    late
        Whether the examples that it rejects are left out only when the splits stand: the others stay where they were
        without it, and those that come in for them are taken from what was left over.
    last
        Whether, of the checks that judge the whole dataset, it comes after those that do not say so. Each judges
        what the ones before it let pass.
    repair
        ``repair(example, settings)``: the example mended, its identity and products unchanged; asked for examples
        with a verdict of the remedy ``repair``. Checks that repair come before all others, in order of name, and the
        others judge what they mended.
    measure
        ``measure(examples, settings)``: what is costly and asks for no threshold, as a table with a column
        ``example_id``; kept, so that thresholds can be asked again. One task at a time.
    measured_by
        The settings that ``measure`` reads.
    reads
        ``reads(settings)``: files whose content the judgement depends on.
    """

    name: str
    summary: str
    settings: type[CheckSettings]
    judge: Callable[[Sequence[Example], Any, Evidence], Sequence[Verdict]]
    scope: Literal["task", "dataset"] = "task"
    late: bool = False
    last: bool = False
    repair: Callable[[Example, Any], Example] | None = None
    measure: Callable[[Sequence[Example], Any], pa.Table] | None = None
    measured_by: tuple[str, ...] = ()
    reads: Callable[[Any], Sequence[Path]] = lambda _settings: ()


VERDICT_SCHEMA = pa.schema(
    [
        pa.field("example_id", pa.string(), nullable=False),
        pa.field("check", pa.string(), nullable=False),
        pa.field("action", pa.string(), nullable=False),
        pa.field("reason", pa.string(), nullable=False),
        pa.field("score", pa.float64(), nullable=False),
        pa.field("peer", pa.string(), nullable=False),
        pa.field("detail", pa.string(), nullable=False),
    ]
)
"""Verdicts as stored; ``action`` is a `Remedy`, as `outcome` settled it."""

PAIR_SCHEMA = pa.schema(
    [
        pa.field("left", pa.string(), nullable=False),
        pa.field("right", pa.string(), nullable=False),
        pa.field("reason", pa.string(), nullable=False),
        pa.field("score", pa.float64(), nullable=False),
    ]
)
"""Two examples (by id, the smaller one left) of one text that must not stand in two splits."""


def outcome(action: Action, remedy: Remedy) -> Remedy:
    """Return what is done: what the check would do, as far as the recipe lets it."""
    if remedy in ("keep", "flag"):
        return remedy
    if action == "flag":
        return "flag"
    return "reject" if action == "reject" else remedy
