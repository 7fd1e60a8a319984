"""Small review samples for tests, written by hand."""

from collections.abc import Sequence

from ecinstruct_build.review.sample import ReviewItem, ReviewSample
from ecinstruct_build.review.settings import ReviewSettings

PLAIN = {
    "instruction": "Say whether the customer is pleased.",
    "input": "The kettle boils in a minute; I would buy it again.",
    "options": "A: very positive\nB: very negative",
    "output": "A",
    "few_shot_example": "",
}


def review_item(number: int, *, task: str = "sentiment_analysis", doubled: bool = False, **content: str) -> ReviewItem:
    """Return an item that differs from others by its number."""
    return ReviewItem(
        number=number,
        row=f"{number:08d}e{number:023d}",  # to a spreadsheet it looks like a number
        example_id=f"{task}:{number:016x}",
        task=task,
        split="train",
        source="reviews",
        template_id="seed/default",
        locale="us",
        category="Kitchen",
        doubled=doubled,
        content={**PLAIN, **content},
    )


def review_sample(items: Sequence[ReviewItem], sample_id: str = "12e4567890123456") -> ReviewSample:
    """Return a sample of some items."""
    return ReviewSample(
        sample_id=sample_id,
        dataset="kettles",
        seed=0,
        settings=ReviewSettings(),
        plans=(),
        items=tuple(items),
        population={},
    )
