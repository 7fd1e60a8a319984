"""Product substitute identification: whether a product is a substitute for what a query asks for."""

from pydantic import Field

from ecinstruct_build.answers import YES_NO
from ecinstruct_build.drawing.graded import SUBSTITUTE_POOL, GradedSettings, draw_judgements, drawn_of, pair_example
from ecinstruct_build.drawing.pools import Stretch
from ecinstruct_build.engine import Tables
from ecinstruct_build.task import Drawn, Request, Task

NAME = "product_substitute_identification"


class ProductSubstituteIdentificationSettings(GradedSettings):
    """Settings of product substitute identification; see `GradedSettings`.

    Attributes
    ----------
    positive_share
        Share of substitutes in the draw, such as 0.5 for a balanced task; None takes grades as they come.
    """

    pool: Stretch = SUBSTITUTE_POOL
    positive_share: float | None = Field(default=None, ge=0.0, le=1.0)


def draw(tables: Tables, settings: ProductSubstituteIdentificationSettings, request: Request) -> Drawn:
    """Draw judgements; the answer is yes for grade S alone."""
    judged, funnel = draw_judgements(tables, settings, request, NAME, positive="S", share=settings.positive_share)
    return drawn_of([pair_example(NAME, each, "yes" if each.row["label"] == "S" else "no") for each in judged], funnel)


TASK = Task(
    name=NAME,
    published_name="Product_Substitute_Identification",
    summary="Say whether a product is a substitute for what a query asks for.",
    reads=("judgement", "product"),
    primary="judgement",
    settings=ProductSubstituteIdentificationSettings,
    answer=YES_NO,
    draw=draw,
    fields={"query": "the words searched for", "product": "the product's title"},
)
