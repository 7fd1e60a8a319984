"""The desk at which people judge: hands out items, takes in answers, and loses none."""

import json
import math
import sqlite3
import time
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Self

from ecinstruct_build.errors import UserError
from ecinstruct_build.example import dump_json
from ecinstruct_build.review.database import PATIENCE, lay_out, transaction, verify
from ecinstruct_build.review.sample import ReviewItem, ReviewSample
from ecinstruct_build.review.verdicts import OTHER, verdict

LEASE_SECONDS = 30 * 60.0
"""How long an item that was handed out waits for its answer before someone else may get it."""

LONGEST_NAME = 60
LONGEST_NOTE = 4000
_LONGEST_JUDGEMENT = 24 * 60 * 60.0

# Of each item: how many people answered, whether they differ over good and defective, and to how many others than
# `:me` it is handed out at `:now`.
_STANDING = """
SELECT item.number, item.task, item.doubled,
       (SELECT count(*) FROM answer WHERE answer.number = item.number) AS answers,
       (SELECT count(DISTINCT defect) = 2 FROM answer WHERE answer.number = item.number) AS differ,
       (SELECT count(*) FROM answer WHERE answer.number = item.number AND name_key = :me) AS mine,
       (SELECT count(*) FROM claim WHERE claim.number = item.number AND name_key <> :me AND until > :now) AS others
FROM item
"""
_WANTED = "CASE WHEN NOT doubled THEN 1 WHEN answers >= 2 AND differ THEN 3 ELSE 2 END"


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
        verify(path, patience)
        return cls(path, clock=clock, patience=patience)

    @cached_property
    def sample(self) -> ReviewSample:
        """The sample that is judged."""
        with self._transaction() as connection:
            return ReviewSample.from_json(json.loads(connection.execute("SELECT value FROM sample").fetchone()[0]))

    def enter(self, annotator: str) -> str:
        """Register a person and return the name as it will be shown: as it was first entered, whatever its case.

        Raises
        ------
        UserError
            If the name is empty, too long, or holds control characters.
        """
        with self._transaction() as connection:
            return _entered(connection, annotator)[1]

    def next_item(self, annotator: str, task: str | None = None) -> ReviewItem | None:
        """Hand out an item.

        Until it is answered it is the same one again. A single item goes to one person only, a doubled one to two who
        do not see each other's answers and, if those differ over good and defective, to a third.

        Parameters
        ----------
        annotator
            Who asks.
        task
            The only task to hand out of; what was handed out of another one goes back.

        Returns
        -------
        ReviewItem or None
            None where there is nothing left for this person.
        """
        with self._transaction() as connection:
            me, now = _entered(connection, annotator)[0], self._clock()
            values = {"me": me, "now": now, "task": task, "until": now + LEASE_SECONDS}
            connection.execute(
                "UPDATE claim SET until = 0 WHERE name_key = :me AND number IN "
                "(SELECT number FROM item WHERE :task IS NOT NULL AND task <> :task)",
                values,
            )
            found = connection.execute(
                f"SELECT number FROM ({_STANDING}) LEFT JOIN (SELECT number, claim_id FROM claim WHERE name_key = :me) "
                f"USING (number) WHERE NOT mine AND answers + others < {_WANTED} AND (:task IS NULL OR task = :task) "
                "ORDER BY claim_id DESC NULLS LAST, number LIMIT 1",
                values,
            ).fetchone()
            if found is None:
                return None
            _claim(connection, found["number"], me, now)
        return self._item(found["number"])

    def item(self, annotator: str, number: int) -> ReviewItem:
        """Return an item that the annotator holds or has answered.

        Raises
        ------
        Refused
            If it is none of those.
        """
        with self._transaction() as connection:
            me = _entered(connection, annotator)[0]
            if not (_held(connection, number, me) or _answered(connection, number, me)):
                raise Refused(f"Item {number} was not handed out to {annotator}.")
        return self._item(number)

    def answer(self, annotator: str, number: int, verdict: str, note: str = "", seconds: float = 0.0) -> None:
        """Take in what a person says of the item that they hold; it is on disk when this returns.

        The same answer once more changes nothing.

        Raises
        ------
        Refused
            If the item was not handed out to this person, was given to someone else in the meantime, or was answered
            otherwise before; the message repeats the note.
        UserError
            If there is no such verdict, or the verdict is ``other`` and no note says what.
        """
        with self._transaction() as connection:
            me, name = _entered(connection, annotator)
            now = self._clock()
            given = _checked(Answer(number, name, verdict, note, seconds, _iso(now)))
            if self._is_there(connection, given, me):
                return
            if not _held(connection, number, me):
                raise _refused(f"Item {number} was not handed out to {name}", given)
            if not _has_room(connection, number, me, now):
                raise _refused(f"Item {number} waited too long and was given to someone else", given)
            _insert(connection, given, me)

    def undo(self, annotator: str) -> ReviewItem | None:
        """Take a person's last answer back and hand the item out to them again; None if there is no answer.

        The answer stays in a log.
        """
        with self._transaction() as connection:
            me, now = _entered(connection, annotator)[0], self._clock()
            last = connection.execute(
                "SELECT answer_id, number FROM answer WHERE name_key = ? ORDER BY answer_id DESC LIMIT 1", (me,)
            ).fetchone()
            if last is None:
                return None
            connection.execute(
                "INSERT INTO undone SELECT answer_id, number, name_key, verdict, note, seconds, answered_at, ? "
                "FROM answer WHERE answer_id = ?",
                (_iso(now), last["answer_id"]),
            )
            connection.execute("DELETE FROM answer WHERE answer_id = ?", (last["answer_id"],))
            _claim(connection, last["number"], me, now)
        return self._item(last["number"])

    def progress(self, annotator: str | None = None) -> Progress:
        """Return how far the review is, and an annotator's own part in it."""
        me = _key(_name(annotator)) if annotator is not None else ""
        with self._transaction() as connection:
            rows = connection.execute(f"{_STANDING} ORDER BY number", {"me": me, "now": self._clock()}).fetchall()
        wanted = {row["number"]: 1 + row["doubled"] for row in rows}
        made = {row["number"]: min(row["answers"], wanted[row["number"]]) for row in rows}
        tied = {row["number"] for row in rows if row["doubled"] and row["answers"] == 2 and row["differ"]}
        open_ = [row for row in rows if made[row["number"]] < wanted[row["number"]] or row["number"] in tied]
        tasks = {
            task: Count(
                sum(wanted[row["number"]] for row in rows if row["task"] == task),
                sum(made[row["number"]] for row in rows if row["task"] == task),
            )
            for task in sorted({row["task"] for row in rows})
        }
        return Progress(
            wanted=sum(wanted.values()),
            made=sum(made.values()),
            tasks=tasks,
            ties=len(tied),
            own=sum(row["mine"] for row in rows),
            left=sum(not row["mine"] for row in open_) if me else 0,
        )

    def answers(self) -> list[Answer]:
        """Return all answers, by number and, of one item, in the order in which they were given."""
        with self._transaction() as connection:
            rows = connection.execute(
                "SELECT number, name AS annotator, verdict, note, seconds, answered_at FROM answer "
                "JOIN annotator USING (name_key) ORDER BY number, answered_at, name_key"
            ).fetchall()
        return [Answer(**dict(row)) for row in rows]

    def take_in(self, answers: Sequence[Answer]) -> int:
        """Take in answers that were given elsewhere: all, or none if one is refused.

        Those that are there already are passed over.

        Returns
        -------
        int
            How many were new.

        Raises
        ------
        Refused
            If there is no such item or verdict, someone answered otherwise before, or an item has as many judges as it
            is to have.
        """
        with self._transaction() as connection:
            now = self._clock()
            new = 0
            for one in answers:
                me, name = _entered(connection, one.annotator)
                given = _checked(
                    Answer(one.number, name, one.verdict, one.note, one.seconds, one.answered_at or _iso(now))
                )
                if self._is_there(connection, given, me):
                    continue
                standing = _standing(connection, one.number, me, now)
                if standing is None:
                    raise Refused(f"There is no item {one.number} in this review.")
                if standing["answers"] >= (3 if standing["doubled"] else 1):
                    raise _refused(f"Item {one.number} has been judged by someone else", given)
                _insert(connection, given, me)
                new += 1
            return new

    def _set_up(self, sample: ReviewSample) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self._transaction(fresh=True) as connection:
            lay_out(connection)
            present = connection.execute("SELECT sample_id FROM sample").fetchone()
            if present and present["sample_id"] == sample.sample_id:
                return
            if connection.execute("SELECT 1 FROM answer UNION ALL SELECT 1 FROM undone LIMIT 1").fetchone():
                raise UserError(
                    f"'{self.path}' holds answers on another sample, which a new one would push aside. Move that review "
                    "away or name another folder."
                )
            for table in ("claim", "item", "sample"):
                connection.execute(f"DELETE FROM {table}")
            connection.execute("INSERT INTO sample VALUES (?, ?)", (sample.sample_id, dump_json(sample.to_json())))
            items = [(item.number, item.task, item.doubled) for item in sample.items]
            connection.executemany("INSERT INTO item VALUES (?, ?, ?)", items)

    def _transaction(self, *, fresh: bool = False) -> AbstractContextManager[sqlite3.Connection]:
        return transaction(self.path, self._patience, fresh=fresh)

    def _item(self, number: int) -> ReviewItem:
        return self.sample.items[number - 1]

    @staticmethod
    def _is_there(connection: sqlite3.Connection, given: Answer, me: str) -> bool:
        """Tell whether a person said just this before; refuse what they said otherwise."""
        present = _answered(connection, given.number, me)
        if present is None:
            return False
        if (present["verdict"], present["note"]) != (given.verdict, given.note):
            said = verdict(present["verdict"]).label
            raise _refused(f"{given.annotator} has said '{said}' of item {given.number} before; undo that first", given)
        return True


def _name(annotator: str) -> str:
    name = unicodedata.normalize("NFC", annotator).strip()
    if not name:
        raise UserError("A name is needed, so that answers can be told apart.")
    if len(name) > LONGEST_NAME:
        raise UserError(f"A name has {LONGEST_NAME} characters at most; this one has {len(name)}.")
    if any(unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") for character in name):
        raise UserError("A name holds no line breaks or other control characters.")
    return name


def _key(name: str) -> str:
    return unicodedata.normalize("NFC", name.casefold())


def _entered(connection: sqlite3.Connection, annotator: str) -> tuple[str, str]:
    """Return a person's key and shown name, registering who is new."""
    name = _name(annotator)
    connection.execute("INSERT OR IGNORE INTO annotator VALUES (?, ?)", (_key(name), name))
    row = connection.execute("SELECT name FROM annotator WHERE name_key = ?", (_key(name),)).fetchone()
    return _key(name), row["name"]


def _checked(given: Answer) -> Answer:
    """Return an answer in the form in which it is kept."""
    kind = verdict(given.verdict)
    note = given.note.encode("utf-8", "replace").decode().replace("\0", "").strip()
    if kind.name == OTHER and not note:
        raise UserError(f"Item {given.number}: '{kind.label}' needs a note that says what is wrong.")
    if len(note) > LONGEST_NOTE:
        raise UserError(f"Item {given.number}: a note has {LONGEST_NOTE} characters at most; this one has {len(note)}.")
    seconds = min(max(given.seconds, 0.0), _LONGEST_JUDGEMENT) if math.isfinite(given.seconds) else 0.0
    return Answer(given.number, given.annotator, kind.name, note, seconds, given.answered_at)


def _refused(why: str, given: Answer) -> Refused:
    note = f", with the note: {given.note}" if given.note else ""
    return Refused(f"{why}. Not taken in: '{verdict(given.verdict).label}'{note}")


def _held(connection: sqlite3.Connection, number: int, me: str) -> bool:
    found = connection.execute("SELECT 1 FROM claim WHERE number = ? AND name_key = ?", (number, me))
    return found.fetchone() is not None


def _answered(connection: sqlite3.Connection, number: int, me: str) -> sqlite3.Row | None:
    found = connection.execute("SELECT verdict, note FROM answer WHERE number = ? AND name_key = ?", (number, me))
    row: sqlite3.Row | None = found.fetchone()
    return row


def _standing(connection: sqlite3.Connection, number: int, me: str, now: float) -> sqlite3.Row | None:
    found = connection.execute(f"{_STANDING} WHERE item.number = :number", {"me": me, "now": now, "number": number})
    row: sqlite3.Row | None = found.fetchone()
    return row


def _has_room(connection: sqlite3.Connection, number: int, me: str, now: float) -> bool:
    """Tell whether one more judgement of an item is wanted beside those made and those that others are making."""
    query = f"SELECT answers + others < {_WANTED} AS room FROM ({_STANDING} WHERE item.number = :number)"
    return bool(connection.execute(query, {"me": me, "now": now, "number": number}).fetchone()["room"])


def _claim(connection: sqlite3.Connection, number: int, me: str, now: float) -> None:
    connection.execute(
        "INSERT OR REPLACE INTO claim (number, name_key, until) VALUES (?, ?, ?)", (number, me, now + LEASE_SECONDS)
    )


def _insert(connection: sqlite3.Connection, given: Answer, me: str) -> None:
    connection.execute(
        "INSERT INTO answer (number, name_key, verdict, defect, note, seconds, answered_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            given.number,
            me,
            given.verdict,
            verdict(given.verdict).defect,
            given.note,
            given.seconds,
            given.answered_at,
        ),
    )
    connection.execute("DELETE FROM claim WHERE number = ? AND name_key = ?", (given.number, me))


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
