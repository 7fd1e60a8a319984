"""What a check is: it annotates examples with verdicts and deletes nothing; the recipe's policy selects.

A check lives in one file of ``quality/`` as a module-level ``CHECK``.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import pyarrow as pa
from pydantic import BaseModel, ConfigDict

from ecinstruct_build.example import Example

Action = Literal["reject", "flag", "off"]


class CheckSettings(BaseModel):
    """What a recipe may say of any check; a check adds thresholds by subclassing.

    Attributes
    ----------
    action
        ``reject`` leaves examples that fail out of the dataset, ``flag`` records the verdict only, ``off`` skips.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    action: Action = "reject"


@dataclass(frozen=True, slots=True)
class Verdict:
    """A check's word on an example that it found wanting. No verdict means that the example passed.

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
    """

    example_id: str
    reason: str
    score: float = 0.0
    peer: str = ""
    detail: str = ""


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
        ``judge(examples, settings, seed)``: the verdicts on all examples of one task. Its outcome depends on the
        set of examples, never on their order.
    """

    name: str
    summary: str
    settings: type[CheckSettings]
    judge: Callable[[Sequence[Example], Any, int], Sequence[Verdict]]


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
