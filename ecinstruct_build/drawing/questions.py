"""What the two tasks on shoppers' questions share: the questions that count, their snippets and their groups.

The tasks draw from disjoint pools of questions, so that neither asks what the other asks. Corpora without review
snippets get theirs from the product's reviews, see `ecinstruct_build.drawing.retrieval`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import pyarrow as pa
from pydantic import Field

from ecinstruct_build.drawing.draw import first_rows, of_sources, origin_of, with_domain
from ecinstruct_build.drawing.pools import Stretch, in_pool, same_words, same_words_column
from ecinstruct_build.drawing.retrieval import RetrievalSettings, find_snippets
from ecinstruct_build.engine import Tables
from ecinstruct_build.example import Example, Origin
from ecinstruct_build.lazily import ir
from ecinstruct_build.task import TaskSettings
from ecinstruct_build.text import clean, plain, word_count

ANSWERABILITY_POOL = Stretch(start=0.0, stop=0.5)
GENERATION_POOL = Stretch(start=0.5, stop=1.0)

_TELLING = 6  # words from which on the same question about two products is taken for the same question
_WIDE = 0x2E80  # from here on scripts are written without spaces; two characters are taken for a word
_KEY = ["source", "question_id"]


class QuestionSettings(TaskSettings):
    """Settings of the tasks on shoppers' questions; the domain column is the category.

    Attributes
    ----------
    max_snippets
        Review snippets shown, at most, best first.
    pool
        The stretch of the keyed hash of questions that the task owns. Whoever changes one task's stretch keeps it
        apart from that of the other.
    """

    max_snippets: int = Field(default=10, ge=1)
    pool: Stretch = Stretch()


@dataclass(frozen=True)
class Asked:
    """A drawn question with its text.

    Attributes
    ----------
    row
        Its columns.
    question, snippets
        As upstream has them, but for white space; none is empty when cleaned.
    users, origins
        For snippets that upstream does not have: who wrote the reviews that they are from, and those reviews' records.
    """

    row: Mapping[str, Any]
    question: str
    snippets: tuple[str, ...]
    users: tuple[str, ...] = ()
    origins: tuple[Origin, ...] = ()

    @property
    def groups(self) -> tuple[str, ...]:
        """The question by its id and, if it is long enough to tell, by its words; then the reviewers."""
        groups = [f"question:{self.row['source']}:{self.row['question_id']}"]
        words = clean(self.question)
        wide = sum(ord(letter) >= _WIDE for letter in words)
        if word_count(words) + wide // 2 >= _TELLING:
            groups.append(f"question:words:{same_words(words)}")
        return (*groups, *(f"user:{user}" for user in self.users))


def own_questions(tables: Tables, settings: QuestionSettings) -> ir.Table:
    """Return the task's own questions, with a ``domain``.

    A question's pool goes by its product and its words, so that two corpora that hold the same question agree.
    """
    rows = with_domain(of_sources(tables["question"], settings), settings)
    return rows.filter(
        in_pool(rows.product_id + "|" + same_words_column(rows.question), "question", settings.pool),
    )


def eligible(tables: Tables, settings: QuestionSettings) -> ir.Table:
    """Return the task's own questions that have snippets and a verdict on answerability, with a ``domain``."""
    rows = own_questions(tables, settings)
    return rows.filter(rows.snippets.length() > 0, rows.answerable.notnull())


def without_snippets(tables: Tables, settings: QuestionSettings) -> ir.Table:
    """Return the task's own questions that have neither snippets nor a verdict on answerability, with a ``domain``."""
    rows = own_questions(tables, settings)
    return rows.filter(rows.snippets.length().fill_null(0) == 0, rows.answerable.isnull())


def short_rows(rows: ir.Table, *more: str) -> ir.Table:
    """Return the short columns of questions, and ``more``, the first row of each id: what a draw needs."""
    return first_rows(rows.select(*_KEY, "answerable", "domain", "file", "line", *more), _KEY)


def fetch_asked(tables: Tables, drawn: ir.Table, settings: QuestionSettings, lost: Counter[str]) -> Iterator[Asked]:
    """Fetch the text of drawn rows; count questions left out in ``lost``."""
    for row, question in _fetch_worded(tables, drawn, lost):
        readable = (text for text in map(plain, row["snippets"]) if clean(text))
        snippets = tuple(islice(readable, settings.max_snippets))
        if snippets:
            yield Asked(row, question, snippets)
        else:
            lost["questions without a readable snippet"] += 1


def fetch_reviewed(
    tables: Tables, drawn: ir.Table, settings: QuestionSettings, retrieval: RetrievalSettings, lost: Counter[str]
) -> Iterator[Asked]:
    """Fetch the text of drawn rows and find their snippets in reviews; count questions left out in ``lost``."""
    rows = list(_fetch_worded(tables, drawn, lost))
    found = find_snippets(tables, [row for row, _ in rows], retrieval, settings.max_snippets)
    for (row, question), snippets in zip(rows, found, strict=True):
        if snippets:
            users = tuple(dict.fromkeys(snippet.user for snippet in snippets))
            origins = tuple(dict.fromkeys(snippet.origin for snippet in snippets))
            yield Asked(row, question, tuple(snippet.text for snippet in snippets), users, origins)
        else:
            lost["questions on which the product's reviews say too little"] += 1


def _fetch_worded(tables: Tables, drawn: ir.Table, lost: Counter[str]) -> Iterator[tuple[dict[str, Any], str]]:
    """Fetch drawn rows, whole and with their domain, and the words of each question."""
    places = [*_KEY, "file", "line"]
    keys = tables.fetch(drawn.select(*places, "domain"), by=places)
    domains: Sequence[str] = keys.column("domain").to_pylist()
    rows = tables.fetch(tables["question"].semi_join(tables.lend(keys.select(places)), places), by=places)
    for row, domain in zip(_first_of_each(rows), domains, strict=True):
        question = plain(row["question"])
        if clean(question):
            yield {**row, "domain": domain}, question
        else:
            lost["questions without readable words"] += 1


def _first_of_each(rows: pa.Table) -> Iterator[dict[str, Any]]:
    """Yield one row for each question: a record stands at one place, but a place may hold it twice."""
    seen: set[tuple[str, str]] = set()
    for row in rows.to_pylist():
        key = (row["source"], row["question_id"])
        if key not in seen:
            seen.add(key)
            yield row


def question_example(task: str, asked: Asked, answer: str) -> Example:
    """Make an example with the fields ``question`` and ``snippets``."""
    row = asked.row
    return Example(
        task=task,
        source=row["source"],
        identity=row["question_id"],
        domain=row["domain"],
        locale=row["locale"],
        products=(row["product_id"],),
        fields={"question": asked.question, "snippets": list(asked.snippets)},
        answer=answer,
        category=row["category"] or "",
        groups=asked.groups,
        origins=(origin_of(row), *asked.origins),
    )
