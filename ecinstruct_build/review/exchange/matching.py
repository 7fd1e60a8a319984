"""Hold what came back against the sample: all of it is right, or none of it is taken."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from ecinstruct_build.errors import UserError, did_you_mean
from ecinstruct_build.review.desk import Answer
from ecinstruct_build.review.exchange.cells import altered
from ecinstruct_build.review.sample import ReviewItem, ReviewSample
from ecinstruct_build.review.verdicts import OTHER, VERDICTS

SHOWN_PROBLEMS = 6
"""Problems that a refusal tells; it counts the others."""

_BLANKS = re.compile(r"[\s_-]+")


@dataclass(frozen=True)
class Returned:
    """One judgement as a file holds it, before anything of it is believed.

    Attributes
    ----------
    place
        Where it stands in the file, for people: ``row 12``.
    sample_id, number, row
        Which item it says that it is about: the sample, the item's number, the digest of the row's text.
    verdict, note
        What was said; both empty = not judged.
    annotator
        Who said it, or "".
    anonymous
        Whether ``annotator`` is a number or key that only the tool knows, and no name.
    seconds, answered_at
        What it took, and when it was (ISO 8601); 0 and "" where the file does not say.
    texts
        What the file shows of the item, by column of a sheet; what it does not show is not held against the sample.
    """

    place: str
    sample_id: str
    number: str
    row: str
    verdict: str
    note: str = ""
    annotator: str = ""
    anonymous: bool = False
    seconds: float = 0.0
    answered_at: str = ""
    texts: Mapping[str, str] = field(default_factory=dict)


def answers_of(sample: ReviewSample, returned: Sequence[Returned], annotator: str, origin: str) -> list[Answer]:
    """Return the answers that a file holds, ordered by number and annotator; those without a time have "" for it.

    Parameters
    ----------
    sample
        The sample that they must belong to.
    returned
        What the file holds.
    annotator
        Whose they are where the file names nobody; "" if it does.
    origin
        The file's name, for messages.

    Raises
    ------
    UserError
        If anything in it does not belong to the sample or is not an answer, or there is no answer in it; several
        problems are told together.
    """
    problems = _of_other_samples(sample, returned)
    if not problems:
        judged = [one for one in returned if one.sample_id and (one.verdict.strip() or one.note.strip())]
        if not judged:
            raise UserError(f"The file {origin} holds no verdict. Nothing was taken in.")
        problems += _unnamed(judged, annotator)
        items = {item.number: item for item in sample.items}
        answers: dict[tuple[int, str], Answer] = {}
        for one in judged:
            found = [*_mismatches(one, items), *_misjudgements(one)]
            answer = None if found else _answer(one, _name(one, annotator))
            key = (answer.number, answer.annotator.casefold()) if answer else (0, "")
            if answer and key in answers:
                found = [f"{one.place} judges item {answer.number} again, which '{answer.annotator}' judged above"]
            elif answer:
                answers[key] = answer
            problems += found
    if problems:
        raise UserError(_refusal(problems, origin))
    return [answers[key] for key in sorted(answers)]


def item_number(text: str) -> int | None:
    """Return the number that a cell holds (spreadsheets may write 12 as ``12.0``), or None."""
    match = re.fullmatch(r"\s*(\d{1,9})(?:[.,]0{1,9})?\s*", text, re.ASCII)
    return int(match[1]) if match else None


def verdict_name(text: str) -> str | None:
    """Return the name of a verdict that is called by its name or its label, or None if there is none."""
    return _known_verdicts().get(_plain(text))


def utc(moment: str) -> str:
    """Return an ISO 8601 time in UTC to the second, or "" for what is none."""
    try:
        read = datetime.fromisoformat(moment.strip())
    except ValueError:
        return ""
    aware = read if read.tzinfo else read.replace(tzinfo=UTC)
    try:
        return aware.astimezone(UTC).isoformat(timespec="seconds")
    except OverflowError:
        return ""


def _plain(text: str) -> str:
    return _BLANKS.sub(" ", text).strip().casefold()


def _known_verdicts() -> dict[str, str]:
    return {_plain(word): one.name for one in VERDICTS for word in (one.name, one.label)}


def _of_other_samples(sample: ReviewSample, returned: Sequence[Returned]) -> list[str]:
    """Return where other samples begin; a line of somebody's own, which names none and judges nothing, is let be."""
    others = {
        one.sample_id: one.place
        for one in reversed(returned)
        if one.sample_id != sample.sample_id and (one.sample_id or one.verdict.strip())
    }
    return [
        f"{place} is of the sample '{other[:64]}', not of '{sample.sample_id}'"
        if other
        else f"{place} does not say of which sample it is"
        for other, place in reversed(others.items())
    ]


def _unnamed(judged: Sequence[Returned], annotator: str) -> list[str]:
    """Return what makes it unclear who judged."""
    named = {one.annotator for one in judged if one.annotator and not one.anonymous}
    keys = sorted({one.annotator for one in judged if one.anonymous})
    if annotator and len(keys) > 1:
        return [
            f"{len(keys)} people judged it ({', '.join(keys[:5])}{', ...' * (len(keys) > 5)}), so they cannot all be "
            f"'{annotator}': leave the annotator out, or hand over one person's verdicts at a time"
        ]
    if annotator and (others := sorted(named - {annotator})):
        return [f"it says that '{others[0]}' judged, not '{annotator}'"]
    nameless = next((one.place for one in judged if not one.annotator), None)
    if nameless and not annotator:
        return [f"{nameless} does not say who judged: name the annotator"]
    return []


def _name(one: Returned, annotator: str) -> str:
    if one.anonymous:
        return annotator or f"user {one.annotator}"
    return one.annotator or annotator


def _mismatches(one: Returned, items: dict[int, ReviewItem]) -> list[str]:
    number = item_number(one.number)
    item = None if number is None else items.get(number)
    if item is None:
        return [f"{one.place} is about item '{one.number[:20]}', which the sample does not have"]
    if one.row != item.row:
        return [f"{one.place} is about item {number} but has another row's digest"]
    if column := altered(one.texts, item):
        return [f"{one.place} is about item {number}, but its {column} is not the one that was handed over"]
    return []


def _misjudgements(one: Returned) -> list[str]:
    if not one.verdict.strip():
        return [f"{one.place} has a note but no verdict"]
    name = verdict_name(one.verdict)
    if name is None:
        hint = did_you_mean(_plain(one.verdict), _known_verdicts()).strip()
        return [f"{one.place} has the verdict '{one.verdict.strip()[:40]}', which there is not. {hint}".strip()]
    if name == OTHER and not one.note.strip():
        return [f"{one.place} says 'other' without a note that says what"]
    return []


def _answer(one: Returned, name: str) -> Answer | None:
    """Return the answer, or None if nobody gave it, which is told of the whole file."""
    number, verdict = item_number(one.number), verdict_name(one.verdict)
    if number is None or verdict is None or not name:
        return None
    return Answer(
        number=number,
        annotator=name,
        verdict=verdict,
        note=one.note.strip(),
        seconds=one.seconds,
        answered_at=utc(one.answered_at),
    )


def _refusal(problems: Sequence[str], origin: str) -> str:
    more = len(problems) - SHOWN_PROBLEMS
    shown = [*problems[:SHOWN_PROBLEMS], *([f"and {more:,} more like these"] if more > 0 else [])]
    listed = "".join(f"\n  - {problem}" for problem in shown)
    return f"The file {origin} does not match the review, so nothing of it was taken in:{listed}"
