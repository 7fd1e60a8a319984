"""What the checks of a build said of examples, as plain tables."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pyarrow as pa

from ecinstruct_build.answers import LETTERS
from ecinstruct_build.example import Example, dump_json


@dataclass(frozen=True)
class Findings:
    """What the checks of a build found.

    Attributes
    ----------
    tasks
        The tasks that it built, by module name.
    verdicts
        ``verdicts(task)``: rows of `ecinstruct_build.check.VERDICT_SCHEMA`.
    examples
        ``examples(task, ids)``: rows of `ecinstruct_build.example.EXAMPLE_SCHEMA` without spare options, as the checks
        left them; of all examples where ``ids`` is None.
    """

    tasks: tuple[str, ...]
    verdicts: Callable[[str], pa.Table]
    examples: Callable[[str, Sequence[str] | None], pa.Table]


@dataclass(frozen=True)
class Finding:
    """One verdict; the attributes are those of `ecinstruct_build.check.VERDICT_SCHEMA`."""

    check: str
    action: str
    reason: str
    score: float
    peer: str
    detail: str


def example_content(example: Example) -> dict[str, str]:
    """Return an example that was never rendered as columns of a row, for a reader; it has no instruction.

    Options are lettered in their canonical order.
    """
    fields = dict(example.fields)
    if example.context:
        fields["context"] = [item.text for item in example.context]
    lettered = dict(zip((option.key for option in example.options), LETTERS, strict=False))
    return {
        "instruction": "",
        "input": dump_json(fields),
        "options": "\n".join(
            f"{letter}: {option.text}" for option, letter in zip(example.options, LETTERS, strict=False)
        ),
        "output": _answer(example, lettered),
        "few_shot_example": "",
    }


def _answer(example: Example, lettered: dict[str, str]) -> str:
    answer = example.answer
    if isinstance(answer, str):
        return lettered.get(answer, answer)
    if isinstance(answer, list) and answer and all(isinstance(key, str) and key in lettered for key in answer):
        return ",".join(lettered[key] for key in answer)
    return dump_json(answer)
