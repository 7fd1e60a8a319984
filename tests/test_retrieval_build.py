"""A build whose answers draw on reviews: no reviewer of a held-out snippet stands in training, in whatever task."""

from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from building import leaks
from fixture_corpora.forms import literal_lines
from sample_corpora_reading import json_or_none, raw_lines

from ecinstruct_build.engine import EngineSettings
from ecinstruct_build.pipeline import build, last_build
from ecinstruct_build.progress import Silence
from ecinstruct_build.recipe import parse_recipe
from ecinstruct_build.stages.examples import read_examples
from ecinstruct_build.stages.machine import Machine
from ecinstruct_build.store import Store
from ecinstruct_build.text import clean

pytestmark = pytest.mark.slow

REVIEWS = "amazon_reviews_2018"
CATEGORY = "Home_and_Kitchen"


def write_questions(world: Path, folder: Path) -> None:
    """Ask of each product what one of its reviews speaks of, beside a link to the reviews themselves."""
    folder.mkdir()
    (folder / REVIEWS).symlink_to(world / REVIEWS)
    asked: dict[str, dict[str, Any]] = {}
    for line in raw_lines(world / REVIEWS / f"{CATEGORY}_5.json.gz"):
        record = json_or_none(line) or {}
        words = [word.strip(".,!?") for word in (record.get("reviewText") or "").split() if len(word) > 5]
        if len(words) > 6 and record["asin"] not in asked:
            asked[record["asin"]] = {
                "questionType": "open-ended",
                "asin": record["asin"],
                "answerTime": "May 1, 2014",
                "question": f"Can you tell me about the {words[1]} {words[3]} and the {words[5]}, number {len(asked)}?",
                "answer": f"I was told that there is {words[0]} with {words[2]} in number {len(asked)}.",
            }
    (folder / "mcauley_qa").mkdir()
    (folder / "mcauley_qa" / f"qa_{CATEGORY}.json").write_bytes(literal_lines(*asked.values()))


def test_reviewers_and_products_stay_on_one_side(small_world: Path, tmp_path: Path) -> None:
    write_questions(small_world, tmp_path / "raw")
    quota = {"train": 60, "validation": 8, "test": 8}
    raw = {
        "name": "retrieval",
        "sources": {"mcauley_qa": {}, REVIEWS: {"files": [f"*{CATEGORY}*.json.gz"]}},
        "tasks": {
            "answer_generation": {"quota": quota, "oversample": 4.0, "pool": {"start": 0.0, "stop": 1.0}},
            "sentiment_analysis": {"quota": quota, "oversample": 4.0},
        },
        "audit": {"title_overlap": 10_000, "near_duplicates": 10_000},
    }
    machine = Machine(Store(tmp_path / "work"), EngineSettings(threads=1), jobs=1, progress=Silence())
    build(parse_recipe(raw, "test"), tmp_path / "raw", tmp_path / "dataset", machine)
    rows = [
        row
        for path in sorted((tmp_path / "dataset" / "data").rglob("*.parquet"))
        for row in pq.read_table(path).to_pylist()
    ]
    answers = [row for row in rows if row["task"] == "Answer_Generation"]
    assert {row["split"] for row in answers} == {"train", "val", "test"}
    assert all(any(group.startswith("user:") for group in row["groups"]) for row in answers)
    assert leaks(rows) == set()

    built, _, _ = last_build(machine)
    reviews = [json_or_none(line) or {} for line in raw_lines(small_world / REVIEWS / f"{CATEGORY}_5.json.gz")]
    examples = read_examples(built.drawn["answer_generation"])
    assert len(examples) > 40
    for example in examples:
        used = [reviews[origin.line - 1] for origin in example.origins if origin.source == REVIEWS]
        assert {f"asin:{record['asin']}" for record in used} == set(example.products)
        assert {f"user:{record['reviewerID']}" for record in used} == {
            group for group in example.groups if group.startswith("user:")
        }
        for snippet in example.fields["snippets"]:
            assert any(snippet in clean(record["reviewText"]) for record in used)
