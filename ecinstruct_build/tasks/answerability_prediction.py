"""Answerability prediction: whether review snippets answer a shopper's question."""

from collections import Counter

from pydantic import Field

from ecinstruct_build.answers import YES_NO
from ecinstruct_build.drawing.draw import count_by_domain
from ecinstruct_build.drawing.labels import count_labels
from ecinstruct_build.drawing.pools import Stretch, take_share
from ecinstruct_build.drawing.questions import (
    ANSWERABILITY_POOL,
    QuestionSettings,
    eligible,
    fetch_asked,
    question_example,
    short_rows,
)
from ecinstruct_build.engine import Tables
from ecinstruct_build.task import Drawn, Request, Task

NAME = "answerability_prediction"


class AnswerabilityPredictionSettings(QuestionSettings):
    """Settings of answerability prediction; see `QuestionSettings`.

    Attributes
    ----------
    positive_share
        Share of answerable questions in the draw, such as 0.5 for a balanced task; None takes them as they come.
    """

    pool: Stretch = ANSWERABILITY_POOL
    positive_share: float | None = Field(default=None, ge=0.0, le=1.0)


def draw(tables: Tables, settings: AnswerabilityPredictionSettings, request: Request) -> Drawn:
    """Draw questions, then fetch their text."""
    rows = short_rows(eligible(tables, settings))
    drawn = take_share(rows, request, NAME, ["question_id"], flag="answerable", share=settings.positive_share)
    lost: Counter[str] = Counter()
    asked = fetch_asked(tables, drawn, settings, lost)
    examples = [question_example(NAME, each, "yes" if each.row["answerable"] else "no") for each in asked]
    funnel = {
        **count_by_domain(tables, rows, "this task's questions with snippets and a verdict"),
        **count_labels(tables, rows, rows.answerable.ifelse("yes", "no")),
        "questions drawn": len(examples) + sum(lost.values()),
        **dict(sorted(lost.items())),
        "examples": len(examples),
    }
    return Drawn(examples, funnel)


TASK = Task(
    name=NAME,
    published_name="Answerability_Prediction",
    summary="Say whether snippets of a product's reviews answer a question about it.",
    reads=("question",),
    primary="question",
    settings=AnswerabilityPredictionSettings,
    answer=YES_NO,
    draw=draw,
    fields={"question": "a shopper's question", "snippets": "pieces of reviews of the product, best first"},
)
