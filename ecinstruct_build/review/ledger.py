"""What stands in the tables of a review (see schema.sql), asked and written within a transaction."""

import json
import sqlite3
from dataclasses import dataclass
from typing import Any

from ecinstruct_build.example import dump_json
from ecinstruct_build.review.annotators import checked_name, name_key
from ecinstruct_build.review.sample import ReviewItem, ReviewSample

LEASE_SECONDS = 30 * 60.0
"""How long an item that was handed out waits for its answer before someone else may get it."""

_MOST_JUDGES = 3

# Of each item: how many people answered; whether they differ over good and defective; whether :me is one of them; to
# how many others it is handed out at :now; and since which claim, and until when, to :me.
_STANDING = """
SELECT item.number, item.task, item.doubled, held.claim_id, held.until,
       (SELECT count(*) FROM answer WHERE answer.number = item.number) AS answers,
       (SELECT count(DISTINCT defect) = 2 FROM answer WHERE answer.number = item.number) AS differ,
       (SELECT count(*) FROM answer WHERE answer.number = item.number AND name_key = :me) AS mine,
       (SELECT count(*) FROM claim WHERE claim.number = item.number AND name_key <> :me AND until > :now) AS others
FROM item LEFT JOIN claim AS held ON held.number = item.number AND held.name_key = :me
"""
_ALL = f"{_STANDING} ORDER BY item.number"
_ONE = f"{_STANDING} WHERE item.number = :number"


@dataclass(frozen=True)
class Standing:
    """How an item stands, seen by one person.

    Attributes
    ----------
    number, task, doubled
        The item.
    answers, differ
        People who judged it, and whether they differ over good and defective.
    mine
        Whether this person is one of them.
    others
        Others in front of whom it is.
    claim_id, until
        When it was handed to this person, by counting, and until when nobody else gets it; None if it was not.
    """

    number: int
    task: str
    doubled: bool
    answers: int
    differ: bool
    mine: bool
    others: int
    claim_id: int | None
    until: float | None

    @property
    def tied(self) -> bool:
        """Whether its two judges differ, so that a third person may settle it."""
        return self.doubled and self.answers == 2 and self.differ

    @property
    def wanted(self) -> int:
        """By how many people it is to be judged, as far as can be told."""
        return 1 if not self.doubled else _MOST_JUDGES if self.answers >= 2 and self.differ else 2

    @property
    def complete(self) -> bool:
        """Whether it has been judged as often as it must; a third judgement is welcome, but it may be missing."""
        return self.answers >= 1 + self.doubled

    @property
    def free(self) -> bool:
        """Whether it may be handed to this person, or an answer of theirs be taken that others did not wait for."""
        return not self.mine and self.answers + self.others < self.wanted

    def welcome(self, now: float) -> bool:
        """Tell whether an answer of this person, who was handed the item, can be taken."""
        if self.until is not None and self.until > now:
            # Whoever took an answer back may give another one, even if the others do not differ any more.
            return self.answers < (_MOST_JUDGES if self.doubled else 1)
        return self.free


def entered(connection: sqlite3.Connection, annotator: str) -> tuple[str, str]:
    """Return a person's key and shown name, and register who is new.

    Raises
    ------
    UserError
        If the name cannot be one.
    """
    key = name_key(annotator)
    connection.execute("INSERT OR IGNORE INTO annotator VALUES (?, ?)", (key, checked_name(annotator)))
    return key, connection.execute("SELECT name FROM annotator WHERE name_key = ?", (key,)).fetchone()["name"]


def standings(connection: sqlite3.Connection, me: str, now: float) -> list[Standing]:
    """Return how all items stand, in order of number."""
    return [_standing(row) for row in connection.execute(_ALL, {"me": me, "now": now})]


def standing(connection: sqlite3.Connection, number: int, me: str, now: float) -> Standing | None:
    """Return how an item stands, or None if there is no such item."""
    row = connection.execute(_ONE, {"me": me, "now": now, "number": number}).fetchone()
    return _standing(row) if row else None


def _standing(row: sqlite3.Row) -> Standing:
    values = dict(row)
    return Standing(**values | {name: bool(values[name]) for name in ("doubled", "differ", "mine")})


def claim(connection: sqlite3.Connection, number: int, me: str, now: float) -> None:
    """Put an item in front of a person, as the latest one."""
    values = (number, me, now + LEASE_SECONDS)
    connection.execute("INSERT OR REPLACE INTO claim (number, name_key, until) VALUES (?, ?, ?)", values)


def release_others(connection: sqlite3.Connection, task: str, me: str) -> None:
    """Let others have what a person was handed of other tasks than this."""
    connection.execute(
        "UPDATE claim SET until = 0 WHERE name_key = ? AND number IN (SELECT number FROM item WHERE task <> ?)",
        (me, task),
    )


def answer_of(connection: sqlite3.Connection, number: int, me: str) -> tuple[str, str] | None:
    """Return the verdict and the note that a person gave of an item, or None."""
    query = "SELECT verdict, note FROM answer WHERE number = ? AND name_key = ?"
    row = connection.execute(query, (number, me)).fetchone()
    return (row["verdict"], row["note"]) if row else None


def put_answer(connection: sqlite3.Connection, values: dict[str, Any]) -> None:
    """Keep an answer, by columns of its table; the item is no more in front of that person."""
    connection.execute(
        "INSERT INTO answer (number, name_key, verdict, defect, note, seconds, answered_at) "
        "VALUES (:number, :name_key, :verdict, :defect, :note, :seconds, :answered_at)",
        values,
    )
    connection.execute("DELETE FROM claim WHERE number = :number AND name_key = :name_key", values)


def take_back(connection: sqlite3.Connection, me: str, at: str) -> int | None:
    """Move a person's last answer to the log and return its item, or None if there is no answer."""
    query = "SELECT number FROM answer WHERE name_key = ? ORDER BY answer_id DESC LIMIT 1"
    last = connection.execute(query, (me,)).fetchone()
    if last is None:
        return None
    number: int = last["number"]
    withdraw(connection, number, me, at)
    return number


def withdraw(connection: sqlite3.Connection, number: int, me: str, at: str) -> str:
    """Move what a person said of an item to the log, and return when it had been said."""
    values = (number, me)
    said = connection.execute("SELECT answered_at FROM answer WHERE number = ? AND name_key = ?", values).fetchone()
    connection.execute(
        "INSERT INTO undone SELECT answer_id, number, name_key, verdict, note, seconds, answered_at, ? "
        "FROM answer WHERE number = ? AND name_key = ?",
        (at, *values),
    )
    connection.execute("DELETE FROM answer WHERE number = ? AND name_key = ?", values)
    moment: str = said["answered_at"]
    return moment


def holds_answers(connection: sqlite3.Connection) -> bool:
    """Tell whether anybody has ever answered."""
    found = connection.execute("SELECT 1 FROM answer UNION ALL SELECT 1 FROM undone LIMIT 1")
    return found.fetchone() is not None


def put_sample(connection: sqlite3.Connection, sample: ReviewSample) -> None:
    """Keep a sample in place of the one that is there."""
    for clearing in ("DELETE FROM claim", "DELETE FROM item", "DELETE FROM sample"):
        connection.execute(clearing)
    value = sample.to_json()
    items = value.pop("items")
    connection.execute("INSERT INTO sample VALUES (?, ?)", (sample.sample_id, dump_json(value)))
    rows = [(item["number"], item["task"], item["doubled"], dump_json(item)) for item in items]
    connection.executemany("INSERT INTO item VALUES (?, ?, ?, ?)", rows)


def sample_of(connection: sqlite3.Connection) -> ReviewSample:
    """Return the sample."""
    value = json.loads(connection.execute("SELECT value FROM sample").fetchone()["value"])
    items = [json.loads(row["value"]) for row in connection.execute("SELECT value FROM item ORDER BY number")]
    return ReviewSample.from_json(value | {"items": items})


def item_of(connection: sqlite3.Connection, number: int) -> ReviewItem:
    """Return an item that is there."""
    row = connection.execute("SELECT value FROM item WHERE number = ?", (number,)).fetchone()
    return ReviewItem(**json.loads(row["value"]))
