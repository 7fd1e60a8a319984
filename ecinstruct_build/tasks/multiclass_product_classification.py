"""Multiclass product classification: how well a product answers a shopping query, in four grades."""

from ecinstruct_build.answers import FIXED_LETTER
from ecinstruct_build.drawing.graded import CLASSIFICATION_POOL, GradedSettings, draw_judgements, drawn_of, pair_example
from ecinstruct_build.drawing.pools import Stretch
from ecinstruct_build.engine import Tables
from ecinstruct_build.example import Option
from ecinstruct_build.task import Drawn, Request, Task

NAME = "multiclass_product_classification"

OPTIONS = (
    Option("E", "The product is what the query asks for and meets everything that it states."),
    Option("S", "The product misses part of what the query states, but could be bought in place of it."),
    Option("C", "The product is not what the query asks for, but is used together with something that is."),
    Option("I", "The product has nothing to do with the query, or misses what matters most in it."),
)


class MulticlassProductClassificationSettings(GradedSettings):
    """Settings of multiclass product classification; see `GradedSettings`."""

    pool: Stretch = CLASSIFICATION_POOL


def draw(tables: Tables, settings: MulticlassProductClassificationSettings, request: Request) -> Drawn:
    """Draw judgements, grades as they come."""
    judged, funnel = draw_judgements(tables, settings, request, NAME)
    return drawn_of([pair_example(NAME, each, each.row["label"], OPTIONS) for each in judged], funnel)


TASK = Task(
    name=NAME,
    published_name="Multiclass_Product_Classification",
    summary="Say whether a product is exactly what a query asks for, a substitute, a complement or irrelevant.",
    reads=("judgement", "product"),
    primary="judgement",
    settings=MulticlassProductClassificationSettings,
    answer=FIXED_LETTER,
    draw=draw,
    fields={"query": "the words searched for", "product": "the product's title"},
)
