"""Review: examples that people judged defective, as the review's verdict files name them."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
from pydantic import field_validator

from ecinstruct_build.check import Check, CheckSettings, Evidence, Verdict
from ecinstruct_build.errors import UserError
from ecinstruct_build.example import Example
from ecinstruct_build.review.verdicts import VERDICTS, verdict


class ReviewedSettings(CheckSettings):
    """Settings of the review check.

    Attributes
    ----------
    verdicts
        Files that a review writes (``verdicts.jsonl``): one path, or a list of them. Without any, nothing is rejected.
    """

    verdicts: tuple[Path, ...] = ()

    @field_validator("verdicts", mode="before")
    @classmethod
    def _listed(cls, value: Any) -> Any:
        """Take one path for a list of one."""
        return (value,) if isinstance(value, str | Path) else value


class _Line(msgspec.Struct, frozen=True):
    """What people said of one row of an example; a line may hold more than this."""

    example_id: str
    verdict: str
    notes: tuple[str, ...] = ()


def judge(examples: Sequence[Example], settings: ReviewedSettings, _evidence: Evidence) -> list[Verdict]:
    """Find examples that people judged defective."""
    said: dict[str, list[_Line]] = {}
    for path in settings.verdicts:
        for line in _lines(path):
            if verdict(line.verdict).defect:
                said.setdefault(line.example_id, []).append(line)
    found = {example.example_id for example in examples} & said.keys()
    return [_verdict(example_id, said[example_id]) for example_id in sorted(found)]


def _verdict(example_id: str, said: Sequence[_Line]) -> Verdict:
    worst = min((verdict(line.verdict) for line in said), key=VERDICTS.index)
    notes = {note for line in said for note in line.notes}
    return Verdict(example_id, f"judged {worst.label}", detail="; ".join(sorted(notes)))


def _lines(path: Path) -> Iterator[_Line]:
    try:
        lines = path.read_bytes().split(b"\n")
    except OSError as error:
        raise UserError(
            f"The verdict file '{path}' of the review check cannot be read: {error.strerror}. "
            "`ecinstruct review report` writes it."
        ) from None
    for number, line in enumerate(lines, start=1):
        if line.strip():
            try:
                said = msgspec.json.decode(line, type=_Line)
                verdict(said.verdict)
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, UserError) as error:
                raise UserError(f"'{path}', line {number}, is not a verdict of a review: {error}") from None
            yield said


CHECK = Check(
    name="review",
    summary="Reject examples that people judged defective.",
    settings=ReviewedSettings,
    judge=judge,
    late=True,
    reads=lambda settings: settings.verdicts,
)
