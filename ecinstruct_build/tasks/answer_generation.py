"""Answer generation: answer a shopper's question from review snippets, as the most helpful answer did.

Where a corpus has questions and answers but no snippets, snippets are found in the product's reviews.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from typing import Any

from pydantic import Field

from ecinstruct_build.answers import FREE_TEXT
from ecinstruct_build.drawing.draw import count_by_domain, take
from ecinstruct_build.drawing.pools import Stretch
from ecinstruct_build.drawing.questions import (
    GENERATION_POOL,
    Asked,
    QuestionSettings,
    eligible,
    fetch_asked,
    fetch_reviewed,
    question_example,
    short_rows,
    without_snippets,
)
from ecinstruct_build.drawing.retrieval import RetrievalSettings, reviewed, support
from ecinstruct_build.engine import Tables
from ecinstruct_build.example import Example
from ecinstruct_build.lazily import ir
from ecinstruct_build.task import Drawn, Request, Task
from ecinstruct_build.text import clean, plain, word_count

NAME = "answer_generation"


class AnswerGenerationSettings(QuestionSettings):
    """Settings of answer generation; see `QuestionSettings`.

    Attributes
    ----------
    min_answer_words, max_answer_words
        Length of the answer. A question whose most helpful answer is shorter or longer is left out.
    min_helpful
        Helpful votes of the answer, at least. Where upstream gives a question without snippets one answer, whose
        votes it does not count, that answer is taken.
    retrieval
        How snippets are found for questions of corpora that have neither snippets nor a verdict on answerability.
    """

    pool: Stretch = GENERATION_POOL
    min_answer_words: int = Field(default=3, ge=1)
    max_answer_words: int = Field(default=300, ge=1)
    min_helpful: int = Field(default=1, ge=0)
    retrieval: RetrievalSettings = RetrievalSettings()


def most_helpful(answers: Sequence[Mapping[str, Any]], least: int = 1) -> str:
    """Return the text of the most helpful answer, or "" if no readable answer has ``least`` helpful votes.

    Most helpful votes win; among equals the greater share of all votes, then the longer cleaned text, then the
    alphabet. An answer whose votes upstream does not count has none.
    """

    def rank(answer: tuple[str, int, int]) -> tuple[int, Fraction, int, str, str]:
        text, helpful, total = answer
        words = clean(text)
        return (-helpful, -Fraction(helpful, max(total, helpful, 1)), -len(words), words, text)

    counted = [each for each in answers if each["helpful"] is not None]
    voted = [(plain(each["text"]), each["helpful"], each["total"] or 0) for each in counted]
    readable = (answer for answer in voted if answer[1] >= least and clean(answer[0]))
    return min(readable, key=rank, default=("", 0, 0))[0]


def only_answer(answers: Sequence[Mapping[str, Any]]) -> str:
    """Return the text of the one answer that upstream gives without counting votes, or ""."""
    text = plain(answers[0]["text"]) if len(answers) == 1 and answers[0]["helpful"] is None else ""
    return text if clean(text) else ""


def draw(tables: Tables, settings: AnswerGenerationSettings, request: Request) -> Drawn:
    """Draw descriptive questions with an answer to take, then fetch their text and, where it lacks, their snippets."""
    parts = [_draw_with_snippets(tables, settings, request)]
    if settings.retrieval.enabled:
        parts.append(_draw_without_snippets(tables, settings, request))
    examples = [example for part in parts for example in part.examples]
    funnel: Counter[str] = Counter()
    for part in parts:
        funnel.update(part.funnel)
    return Drawn(examples, {**funnel, "examples": len(examples)})


def _draw_with_snippets(tables: Tables, settings: AnswerGenerationSettings, request: Request) -> Drawn:
    """Draw answerable questions that come with snippets."""
    rows = eligible(tables, settings)
    wanted = short_rows(rows.filter(rows.kind == "descriptive", rows.answerable, _voted(rows, settings)))
    drawn = take(wanted, request, NAME, ["question_id"])
    lost: Counter[str] = Counter()
    examples = _examples(fetch_asked(tables, drawn, settings, lost), settings, lost)
    funnel = {
        **count_by_domain(tables, rows, "this task's questions with snippets and a verdict"),
        **count_by_domain(tables, wanted, "descriptive, answerable, with a helpful answer"),
    }
    return Drawn(examples, {**funnel, **_taken(examples, lost)})


def _draw_without_snippets(tables: Tables, settings: AnswerGenerationSettings, request: Request) -> Drawn:
    """Draw questions whose snippets are yet to be found."""
    rows = without_snippets(tables, settings)
    found = count_by_domain(tables, rows, "this task's questions without snippets and verdict")
    if not found:
        return Drawn([])
    lone = (rows.answers.length() == 1) & (rows.answers.filter(lambda answer: answer.helpful.isnull()).length() == 1)
    asked = (rows.kind == "descriptive") & (_voted(rows, settings) | lone)
    # The first row of a question decides: where one form of a corpus counts votes, the other does not make up for it.
    first = short_rows(rows.mutate(asked=asked), "product_id", "locale", "asked")
    wanted = first.filter(first.asked)
    able = reviewed(wanted, tables)
    drawn = take(able, request, NAME, ["question_id"])
    lost: Counter[str] = Counter()
    asked_of_reviews = fetch_reviewed(tables, drawn, settings, settings.retrieval, lost)
    examples = _examples(asked_of_reviews, settings, lost)
    funnel = {
        **found,
        **count_by_domain(tables, wanted, "descriptive, with an answer to take"),
        **count_by_domain(tables, able, "on a product that has reviews"),
    }
    return Drawn(examples, {**funnel, **_taken(examples, lost)})


def _voted(rows: ir.Table, settings: AnswerGenerationSettings) -> ir.BooleanValue:
    return rows.answers.filter(lambda answer: answer.helpful >= settings.min_helpful).length() > 0


def _examples(questions: Iterable[Asked], settings: AnswerGenerationSettings, lost: Counter[str]) -> list[Example]:
    """Pair questions with their answers; count those left out in ``lost``."""
    examples = []
    for asked in questions:
        answers = asked.row["answers"]
        answer = most_helpful(answers, settings.min_helpful) or (only_answer(answers) if asked.origins else "")
        if not answer:
            lost["questions without a readable helpful answer"] += 1
        elif not settings.min_answer_words <= word_count(clean(answer)) <= settings.max_answer_words:
            lost["questions whose most helpful answer is too short or too long"] += 1
        elif asked.origins and support(answer, asked.snippets) < settings.retrieval.min_supported:
            lost["questions whose answer has nothing to do with the snippets found"] += 1
        else:
            examples.append(question_example(NAME, asked, answer))
    return examples


def _taken(examples: Sequence[Example], lost: Counter[str]) -> dict[str, int]:
    return {"questions drawn": len(examples) + sum(lost.values()), **dict(sorted(lost.items()))}


TASK = Task(
    name=NAME,
    published_name="Answer_Generation",
    summary="Answer a question about a product from snippets of its reviews.",
    reads=("question", "review"),
    primary="question",
    settings=AnswerGenerationSettings,
    answer=FREE_TEXT,
    draw=draw,
    fields={"question": "a shopper's question", "snippets": "pieces of reviews of the product, best first"},
)
