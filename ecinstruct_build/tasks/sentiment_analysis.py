"""Sentiment analysis: tell from a review's words how the reviewer felt.

The stars given with the review are the answer. Bare ratings and reviews of a few words are not used; nor are those
rated between whole stars, which lie between two answers.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import pyarrow as pa
from pydantic import Field

from ecinstruct_build.answers import FIXED_LETTER
from ecinstruct_build.drawing.draw import eligible_by_domain, first_rows, of_sources, origin_of, take, with_domain
from ecinstruct_build.drawing.labels import labelled
from ecinstruct_build.engine import Tables
from ecinstruct_build.example import Example, Option
from ecinstruct_build.lazily import ibis, ir
from ecinstruct_build.task import Drawn, Request, Task, TaskSettings
from ecinstruct_build.text import clean, plain, word_count

NAME = "sentiment_analysis"

FEELINGS: Mapping[float, str] = {
    5.0: "very positive",
    4.0: "positive",
    3.0: "neutral",
    2.0: "negative",
    1.0: "very negative",
}
"""Option key, which is also its text, by stars; in letter order."""

OPTIONS = tuple(Option(key=feeling, text=feeling) for feeling in FEELINGS.values())


class SentimentSettings(TaskSettings):
    """Settings of sentiment analysis.

    Attributes
    ----------
    min_words
        Words that a review has at least, after cleaning.
    balance
        ``natural`` keeps upstream's distribution of stars; ``uniform`` draws each number of stars equally often,
        as far as its reviews last.
    """

    min_words: int = Field(default=10, ge=1)
    balance: Literal["natural", "uniform"] = "natural"


def eligible_reviews(tables: Tables, settings: SentimentSettings) -> ir.Table:
    """Return which reviews seem long enough, one for each user, product and time, with stars, domain and line.

    Words are only estimated here, by the whitespace between them in the raw text.
    """
    review = of_sources(tables["review"], settings)
    solid = review.text
    for white in " \n\t\r":
        solid = solid.replace(white, "")
    gaps = review.text.length() - solid.length()
    long_enough = review.filter(review.rating.isin(list(FEELINGS)), gaps >= settings.min_words - 1)
    ids = long_enough.select("source", "review_id", "rating", "category", "file", "line")
    return with_domain(first_rows(ids, ["source", "review_id"]), settings).drop("category")


def counted_alike(eligible: ir.Table) -> ir.Table:
    """Add the column ``alike``: how many eligible reviews of the same source and domain have as many stars."""
    # Counted on the way, since counting on its own would read every review's text a second time.
    same = ibis.window(group_by=["source", "domain", "rating"])
    return eligible.mutate(alike=eligible.count().over(same))


def label_counts(drawn: pa.Table) -> dict[str, int]:
    """Count what could have been drawn of each label, for the funnel, by the column ``alike`` of what was drawn."""
    found = drawn.group_by(["source", "domain", "rating"]).aggregate([("alike", "max")])
    rows = found.sort_by([("source", "ascending"), ("domain", "ascending"), ("rating", "descending")]).to_pylist()
    return {labelled(FEELINGS[row["rating"]], row["domain"], row["source"]): row["alike_max"] for row in rows}


def with_text(tables: Tables, drawn: pa.Table) -> list[dict[str, Any]]:
    """Return the drawn rows, in order of review, with the text of each."""
    key = ["source", "review_id", "file", "line"]
    lent = tables.lend(drawn.select([*key, "domain"]))
    review = tables["review"].select(*key, "product_id", "user_id", "rating", "category", "locale", "text")
    rows: list[dict[str, Any]] = tables.fetch(review.inner_join(lent, key), by=key).to_pylist()
    return rows


def to_example(row: Mapping[str, Any], text: str) -> Example:
    """Turn a drawn review with its text into an example."""
    return Example(
        task=NAME,
        source=row["source"],
        identity=row["review_id"],
        domain=row["domain"],
        locale=row["locale"],
        category=row["category"] or "",
        products=(row["product_id"],),
        groups=(f"user:{row['user_id']}",),
        fields={"review": text},
        options=OPTIONS,
        answer=FEELINGS[row["rating"]],
        origins=(origin_of(row),),
    )


def draw_examples(tables: Tables, settings: SentimentSettings, request: Request) -> Drawn:
    """Draw reviews, by source and domain."""
    stratum = "rating" if settings.balance == "uniform" else None
    eligible = counted_alike(eligible_reviews(tables, settings))
    drawn = tables.fetch(take(eligible, request, NAME, ["review_id"], stratum), by=["source", "review_id"])
    rows = [(row, plain(row["text"])) for row in with_text(tables, drawn)]
    examples = [to_example(row, text) for row, text in rows if word_count(clean(text)) >= settings.min_words]
    reviews = of_sources(tables["review"], settings)
    between = reviews.filter(reviews.rating.notin(list(FEELINGS)))
    funnel = {
        "reviews and ratings that are not of one to five whole stars": tables.count(between),
        **eligible_by_domain(drawn, "reviews that seem long enough"),
        **label_counts(drawn),
        "drawn": len(rows),
        "too short after cleaning": len(rows) - len(examples),
        "examples": len(examples),
    }
    return Drawn(examples, funnel)


TASK = Task(
    name=NAME,
    published_name="Sentiment_Analysis",
    summary="Read a review and say how its writer feels about the product, on a scale of five.",
    reads=("review",),
    primary="review",
    settings=SentimentSettings,
    answer=FIXED_LETTER,
    draw=draw_examples,
    fields={"review": "the text of the review"},
)
