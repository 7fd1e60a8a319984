"""Answer generation: answer a shopper's question from review snippets, as the most helpful answer did."""

from collections import Counter
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from pydantic import Field

from ecinstruct_build.answers import FREE_TEXT
from ecinstruct_build.drawing.draw import count_by_domain, take
from ecinstruct_build.drawing.pools import Stretch
from ecinstruct_build.drawing.questions import (
    GENERATION_POOL,
    QuestionSettings,
    eligible,
    fetch_asked,
    question_example,
    short_rows,
)
from ecinstruct_build.engine import Tables
from ecinstruct_build.task import Drawn, Request, Task
from ecinstruct_build.text import clean, plain, word_count

NAME = "answer_generation"


class AnswerGenerationSettings(QuestionSettings):
    """Settings of answer generation; see `QuestionSettings`.

    Attributes
    ----------
    min_answer_words, max_answer_words
        Length of the answer. A question whose most helpful answer is shorter or longer is left out.
    """

    pool: Stretch = GENERATION_POOL
    min_answer_words: int = Field(default=3, ge=1)
    max_answer_words: int = Field(default=300, ge=1)


def most_helpful(answers: Sequence[Mapping[str, Any]]) -> str:
    """Return the text of the most helpful answer, or "" if no readable answer has a helpful vote.

    Most helpful votes win; among equals the greater share of all votes, then the longer cleaned text, then the
    alphabet.
    """

    def rank(answer: tuple[str, int, int]) -> tuple[int, Fraction, int, str, str]:
        text, helpful, total = answer
        words = clean(text)
        return (-helpful, -Fraction(helpful, max(total, helpful)), -len(words), words, text)

    voted = [(plain(each["text"]), each["helpful"] or 0, each["total"] or 0) for each in answers]
    readable = (answer for answer in voted if answer[1] > 0 and clean(answer[0]))
    return min(readable, key=rank, default=("", 0, 0))[0]


def draw(tables: Tables, settings: AnswerGenerationSettings, request: Request) -> Drawn:
    """Draw descriptive, answerable questions with a helpful answer, then fetch their text."""
    rows = eligible(tables, settings)
    voted = rows.answers.filter(lambda answer: answer.helpful > 0).length() > 0
    wanted = short_rows(rows.filter(rows.kind == "descriptive", rows.answerable, voted))
    drawn = take(wanted, request, NAME, ["question_id"])
    lost: Counter[str] = Counter()
    examples = []
    for asked in fetch_asked(tables, drawn, settings, lost):
        answer = most_helpful(asked.row["answers"])
        if not answer:
            lost["questions without a readable helpful answer"] += 1
        elif not settings.min_answer_words <= word_count(clean(answer)) <= settings.max_answer_words:
            lost["questions whose most helpful answer is too short or too long"] += 1
        else:
            examples.append(question_example(NAME, asked, answer))
    funnel = {
        **count_by_domain(tables, rows, "this task's questions with snippets and a verdict"),
        **count_by_domain(tables, wanted, "descriptive, answerable, with a helpful answer"),
        "questions drawn": len(examples) + sum(lost.values()),
        **dict(sorted(lost.items())),
        "examples": len(examples),
    }
    return Drawn(examples, funnel)


TASK = Task(
    name=NAME,
    published_name="Answer_Generation",
    summary="Answer a question about a product from snippets of its reviews.",
    reads=("question",),
    primary="question",
    settings=AnswerGenerationSettings,
    answer=FREE_TEXT,
    draw=draw,
    fields={"question": "a shopper's question", "snippets": "pieces of reviews of the product, best first"},
)
