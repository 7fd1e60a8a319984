"""The desk at which people judge: hands out items, takes in answers, and loses none."""

import math
import sqlite3
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Literal, Self

from ecinstruct_build.errors import UserError
from ecinstruct_build.review import ledger
from ecinstruct_build.review.annotators import name_key
from ecinstruct_build.review.database import PATIENCE, lay_out, refuse_damage, transaction
from ecinstruct_build.review.sample import ReviewItem, ReviewSample
from ecinstruct_build.review.verdicts import OTHER, verdict

LONGEST_NOTE = 4000
_LONGEST_JUDGEMENT = 24 * 60 * 60.0  # seconds


class Refused(UserError):  # noqa: N818 - an outcome of what was handed in, not a fault
    """What was handed in cannot be taken in; nothing of it was."""


@dataclass(frozen=True)
class Answer:
    """What one person said of one item.

    Attributes
    ----------
    number, annotator
        Which item, and who.
    verdict, note
        A name of `VERDICTS`, and what the person adds, or "".
    seconds
        How long it took; 0 where unknown.
    answered_at
        When, ISO 8601 in UTC.
    """

    number: int
    annotator: str
    verdict: str
    note: str = ""
    seconds: float = 0.0
    answered_at: str = ""


@dataclass(frozen=True)
class Count:
    """Judgements wanted and made."""

    wanted: int
    made: int


@dataclass(frozen=True)
class Progress:
    """How far a review is.

    Attributes
    ----------
    wanted, made
        Judgements: one of each item, two of a doubled one.
    tasks
        The same by task.
    ties
        Doubled items whose two judges differ over good and defective, which a third person may settle.
    own, left
        Judgements that the annotator made, and those that are still for the annotator to make; 0 without an annotator.
    """

    wanted: int
    made: int
    tasks: Mapping[str, Count]
    ties: int
    own: int
    left: int

    @property
    def finished(self) -> bool:
        """Whether all judgements are made; ties may be left."""
        return self.made == self.wanted


@dataclass(frozen=True)
class TakenIn:
    """What became of answers that were given elsewhere.

    Attributes
    ----------
    new, present
        Answers that were taken in, and those that were there already.
    changed
        Answers that took the place of what the same person had said of the same item before.
    skipped
        Numbers, ascending, of items that others had fully judged in the meantime; what was said of them was left out.
    """

    new: int
    changed: int
    present: int
    skipped: tuple[int, ...]


class Desk:
    """The desk of one review, on one SQLite file; any number of threads and processes may sit at it.

    Parameters
    ----------
    path
        The file.
    clock
        Seconds since 1970.
    patience
        Seconds to wait for others who are writing.
    """

    def __init__(self, path: Path, *, clock: Callable[[], float] = time.time, patience: float = PATIENCE) -> None:
        self.path = path
        self._clock = clock
        self._patience = patience

    @classmethod
    def create(
        cls, path: Path, sample: ReviewSample, *, clock: Callable[[], float] = time.time, patience: float = PATIENCE
    ) -> Self:
        """Set up a desk for a sample; one that is there for the same sample is left as it is.

        Raises
        ------
        UserError
            If the file holds answers of another sample, is something else, or cannot be written.
        """
        desk = cls(path, clock=clock, patience=patience)
        desk._set_up(sample)
        return desk

    @classmethod
    def open(cls, path: Path, *, clock: Callable[[], float] = time.time, patience: float = PATIENCE) -> Self:
        """Sit down at a desk that is there.

        Raises
        ------
        UserError
            If it is missing, not ours, locked or damaged.
        """
        desk = cls(path, clock=clock, patience=patience)
        with desk._reading() as connection:
            refuse_damage(connection, path)
        return desk

    @cached_property
    def sample(self) -> ReviewSample:
        """The sample that is judged."""
        with self._reading() as connection:
            return ledger.sample_of(connection)

    def enter(self, annotator: str) -> str:
        """Register a person and return the name as it will be shown: as it was first entered, whatever its case.

        Raises
        ------
        UserError
            If the name is empty, too long, or holds control characters.
        """
        with self._writing() as connection:
            return ledger.entered(connection, annotator)[1]

    def next_item(self, annotator: str, task: str | None = None) -> ReviewItem | None:
        """Hand out an item.

        Until it is answered it is the same one again. A single item goes to one person only, a doubled one to two who
        do not see each other's answers and, if those differ over good and defective, to a third.

        Parameters
        ----------
        annotator
            Who asks.
        task
            The only task to hand out of; what this person was handed of another one is let go.

        Returns
        -------
        ReviewItem or None
            None where there is nothing left for this person.
        """
        with self._writing() as connection:
            me, now = ledger.entered(connection, annotator)[0], self._clock()
            if task is not None:
                ledger.release_others(connection, task, me)
            free = [one for one in ledger.standings(connection, me, now) if one.free and task in (None, one.task)]
            if not free:
                return None
            number = min(free, key=lambda one: (-(one.claim_id or 0), one.number)).number
            ledger.claim(connection, number, me, now)
            return ledger.item_of(connection, number)

    def item(self, annotator: str, number: int) -> ReviewItem:
        """Return an item that the annotator holds or has answered.

        Raises
        ------
        Refused
            If it is none of those.
        """
        me = name_key(annotator)
        with self._reading() as connection:
            standing = ledger.standing(connection, number, me, self._clock())
            if standing is None or (standing.claim_id is None and not standing.mine):
                raise Refused(f"Item {number} was not handed out to {annotator.strip()}.")
            return ledger.item_of(connection, number)

    def answer(self, annotator: str, number: int, verdict: str, note: str = "", seconds: float = 0.0) -> None:
        """Take in what a person says of the item that they hold; it is on disk when this returns.

        The same answer once more changes nothing. One that comes late is taken if nobody else took the item.

        Raises
        ------
        Refused
            If the item was not handed out to this person, has gone to someone else in the meantime, or was answered
            otherwise before; the message repeats verdict and note.
        UserError
            If there is no such verdict, or the verdict is ``other`` and no note says what.
        """
        given = _checked(Answer(number, annotator, verdict, note, seconds))
        with self._writing() as connection:
            me, name = ledger.entered(connection, annotator)
            now = self._clock()
            given = replace(given, annotator=name, answered_at=_iso(now))
            if _is_there(connection, given, me):
                return
            standing = ledger.standing(connection, number, me, now)
            if standing is None or standing.claim_id is None:
                raise _refused(f"Item {number} was not handed out to {name}", given)
            if not standing.welcome(now):
                raise _refused(f"Item {number} has gone to someone else in the meantime", given)
            _put(connection, given, me)

    def undo(self, annotator: str) -> ReviewItem | None:
        """Take a person's last answer back and hand the item out to them again; None if there is no answer.

        The answer stays in a log.
        """
        with self._writing() as connection:
            me, now = ledger.entered(connection, annotator)[0], self._clock()
            number = ledger.take_back(connection, me, _iso(now))
            if number is None:
                return None
            ledger.claim(connection, number, me, now)
            return ledger.item_of(connection, number)

    def progress(self, annotator: str | None = None) -> Progress:
        """Return how far the review is, and an annotator's own part in it."""
        me = name_key(annotator) if annotator is not None else ""
        with self._reading() as connection:
            items = ledger.standings(connection, me, self._clock())
        tasks = {
            task: _count([one for one in items if one.task == task]) for task in sorted({one.task for one in items})
        }
        together = _count(items)
        left = [one for one in items if not one.mine and (one.tied or not one.complete)]
        return Progress(
            wanted=together.wanted,
            made=together.made,
            tasks=tasks,
            ties=sum(one.tied for one in items),
            own=sum(one.mine for one in items),
            left=len(left) if me else 0,
        )

    def answers(self) -> list[Answer]:
        """Return all answers, by number and, of one item, in the order in which they were given."""
        with self._reading() as connection:
            rows = connection.execute(
                "SELECT number, name AS annotator, verdict, note, seconds, answered_at FROM answer "
                "JOIN annotator USING (name_key) ORDER BY number, answered_at, name_key"
            ).fetchall()
        return [Answer(**dict(row)) for row in rows]

    def take_in(self, answers: Sequence[Answer]) -> TakenIn:
        """Take in answers that were given elsewhere; none of them if one is refused.

        What a person says of an item takes the place of what the same person said of it before, which stays in the log;
        it keeps its place among the item's judgements. Items that others have fully judged in the meantime are passed
        over. An item that is in front of someone at the moment is no reason to: what is done counts before what is
        being done.

        Raises
        ------
        Refused
            If there is no such item.
        UserError
            If there is no such verdict or a name cannot be one.
        """
        done: dict[str, list[int]] = {kind: [] for kind in ("new", "changed", "present", "skipped")}
        with self._writing() as connection:
            for one in answers:
                done[_taken_in(connection, one, self._clock())].append(one.number)
        skipped = tuple(sorted(set(done["skipped"])))
        return TakenIn(len(done["new"]), len(done["changed"]), len(done["present"]), skipped)

    def _set_up(self, sample: ReviewSample) -> None:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UserError(f"The folder '{self.path.parent}' cannot be made: {error.strerror}.") from None
        with transaction(self.path, self._patience, fresh=True) as connection:
            refuse_damage(connection, self.path)
            lay_out(connection)
            present = connection.execute("SELECT sample_id FROM sample").fetchone()
            if present and present["sample_id"] == sample.sample_id:
                return
            if ledger.holds_answers(connection):
                raise UserError(
                    f"'{self.path}' holds answers on another sample, which a new one would push aside. Set that review "
                    "aside with `ecinstruct review sample --fresh`, which keeps out what it found defective, or name "
                    "another folder."
                )
            ledger.put_sample(connection, sample)

    def _reading(self) -> AbstractContextManager[sqlite3.Connection]:
        return transaction(self.path, self._patience, reading=True)

    def _writing(self) -> AbstractContextManager[sqlite3.Connection]:
        return transaction(self.path, self._patience)


def _count(items: Sequence[ledger.Standing]) -> Count:
    wanted = [1 + one.doubled for one in items]
    return Count(sum(wanted), sum(min(one.answers, most) for one, most in zip(items, wanted, strict=True)))


def _checked(given: Answer) -> Answer:
    """Return an answer as it is kept, or say what is wrong with it."""
    kind = verdict(given.verdict)
    note = given.note.encode("utf-8", "replace").decode().replace("\0", "").strip()
    if kind.name == OTHER and not note:
        raise UserError(f"Item {given.number}: '{kind.label}' needs a note that says what is wrong.")
    if len(note) > LONGEST_NOTE:
        raise UserError(f"Item {given.number}: a note has at most {LONGEST_NOTE} characters; this one has {len(note)}.")
    seconds = min(max(given.seconds, 0.0), _LONGEST_JUDGEMENT) if math.isfinite(given.seconds) else 0.0
    return replace(given, note=note, seconds=seconds)


def _is_there(connection: sqlite3.Connection, given: Answer, me: str) -> bool:
    """Tell whether a person said just this before; refuse what they said otherwise."""
    present = ledger.answer_of(connection, given.number, me)
    if present not in (None, (given.verdict, given.note)):
        said = verdict(present[0]).label
        raise _refused(f"{given.annotator} has said '{said}' of item {given.number} before; undo that first", given)
    return present is not None


def _taken_in(
    connection: sqlite3.Connection, one: Answer, now: float
) -> Literal["new", "changed", "present", "skipped"]:
    """Take in an answer that was given elsewhere, and tell what became of it."""
    me, name = ledger.entered(connection, one.annotator)
    given = replace(_checked(one), annotator=name, answered_at=one.answered_at or _iso(now))
    before = ledger.answer_of(connection, one.number, me)
    if before == (given.verdict, given.note):
        return "present"
    if before is not None:
        said_at = ledger.withdraw(connection, one.number, me, _iso(now))
        _put(connection, replace(given, answered_at=one.answered_at or said_at), me)
        return "changed"
    standing = ledger.standing(connection, one.number, me, now)
    if standing is None:
        raise _refused(f"There is no item {one.number} in this review", given)
    if standing.answers >= standing.wanted:
        return "skipped"
    _put(connection, given, me)
    return "new"


def _put(connection: sqlite3.Connection, given: Answer, me: str) -> None:
    values = {name: getattr(given, name) for name in ("number", "verdict", "note", "seconds", "answered_at")}
    ledger.put_answer(connection, values | {"name_key": me, "defect": verdict(given.verdict).defect})


def _refused(why: str, given: Answer) -> Refused:
    note = f", with the note: {given.note}" if given.note else ""
    return Refused(f"{why}. Not taken in: '{verdict(given.verdict).label}'{note}")


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
