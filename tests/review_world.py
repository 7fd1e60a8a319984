"""A small published folder to be reviewed, and desks at which it is judged."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
from publish_rows import row, table

from ecinstruct_build.publish.shards import write_shards
from ecinstruct_build.review.desk import Answer, Desk
from ecinstruct_build.review.report import ReviewReport, review_report
from ecinstruct_build.review.sample import ReviewSample, draw_sample
from ecinstruct_build.review.settings import ReviewSettings

SIZES = {"product_matching": 40, "sentiment_analysis": 60}
SPLITS = (("train", "IND_Diverse_Instruction"),) * 4 + (
    ("val", "IND_Diverse_Instruction"),
    ("test", "IND_Diverse_Instruction"),
    ("test", "IND_Unseen_Instruction"),
)


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


def made_rows(task: str, count: int) -> list[dict[str, Any]]:
    """Rows of several splits, two sources and three templates."""
    return [
        row(
            task,
            *SPLITS[number % len(SPLITS)],
            number,
            example_id=f"{task}:{number:016x}",
            source="kettle_shop" if number % 3 else "pot_shop",
            template_id=f"template{number % 5 // 2}/default",
            domain="ind",
        )
        for number in range(count)
    ]


def publish(folder: Path, rows: Mapping[str, list[dict[str, Any]]], layout: Any = "huggingface") -> Path:
    """Publish rows by task."""
    samples: dict[str, pa.Table] = {task: table(own) for task, own in rows.items()}
    write_shards(samples, folder, layout)
    (folder / "manifest.json").write_text(json.dumps({"name": "kettles"}), encoding="utf-8")
    return folder


def published(folder: Path, sizes: Mapping[str, int] = SIZES) -> Path:
    return publish(folder, {task: made_rows(task, count) for task, count in sizes.items()})


def drawn(folder: Path, seed: int = 0, items: int | None = None, **settings: Any) -> ReviewSample:
    """Draw from a folder that is published if it is not there."""
    dataset = folder / "dataset"
    if not dataset.exists():
        published(dataset)
    return draw_sample(dataset, ReviewSettings(**settings), seed, items)


def reported(sample: ReviewSample, said: Mapping[int, Mapping[str, str]]) -> ReviewReport:
    """Report on verdicts by item number and annotator, given in this order."""
    return review_report(sample, answers(said))


def answers(said: Mapping[int, Mapping[str, str]]) -> list[Answer]:
    return [
        Answer(number, annotator, verdict, answered_at=f"2026-01-01T00:00:{place:02}+00:00")
        for number, by_annotator in said.items()
        for place, (annotator, verdict) in enumerate(by_annotator.items())
    ]


def judge_all(desk: Desk, annotator: str, defective: Mapping[int, str] | None = None, note: str = "seen") -> int:
    """Judge everything that is left for a person; what is not named is good."""
    count = 0
    while item := desk.next_item(annotator):
        desk.answer(annotator, item.number, (defective or {}).get(item.number, "good"), note=note, seconds=2.5)
        count += 1
    return count
