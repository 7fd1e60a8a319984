"""A build from genuine pieces of the public corpora: everything in is accounted for, and what comes out is right."""

import gzip
import json
from pathlib import Path

import pytest
from building import leaks
from ecellm_scoring import score

from ecinstruct_build.engine import EngineSettings
from ecinstruct_build.pipeline import build, last_build
from ecinstruct_build.progress import Silence
from ecinstruct_build.recipe import load_recipe
from ecinstruct_build.registry import TASKS
from ecinstruct_build.rendering.lint import lint
from ecinstruct_build.rendering.template_set import load_templates
from ecinstruct_build.stages.examples import read_examples
from ecinstruct_build.stages.machine import Machine
from ecinstruct_build.stages.samples import read_samples
from ecinstruct_build.store import Store

pytestmark = pytest.mark.slow


def test_the_smallest_real_files_build_and_the_books_add_up(real_corpora: Path, tmp_path: Path) -> None:
    recipe = load_recipe("small")
    machine = Machine(Store(tmp_path / "work"), EngineSettings(threads=2), jobs=2, progress=Silence())
    manifest = build(recipe, real_corpora, tmp_path / "dataset", machine)

    for entry in manifest["inputs"]:
        assert entry["records"] == entry["ingested"] + entry["quarantined"] + entry["collapsed"], entry["file"]
        path = real_corpora / entry["source"] / entry["file"]
        if path.name.endswith((".json.gz", ".jsonl")):
            with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as lines:
                assert entry["records"] == sum(1 for line in lines if line.strip()), entry["file"]
    for name, account in manifest["tasks"].items():
        made, rejected = sum(account["examples"].values()), sum(account["rejected"].values())
        assert account["drawn"] == made + rejected + sum(account["dropped"].values()), name

    fed = {name for name, account in manifest["tasks"].items() if sum(account["examples"].values())}
    assert fed >= set(TASKS.names()) - {"answer_generation"}  # the piece of AmazonQA holds three questions
    built, _, _ = last_build(machine)
    for name in sorted(fed):
        rows = read_samples(built.rendered[name]).to_pylist()
        mean, unreadable = score(TASKS.get(name).published_name, rows, [row["output"] for row in rows])
        assert (mean > 0.9999, unreadable) == (True, 0), name
        examples = read_examples(built.drawn[name])
        assert lint(TASKS.get(name), load_templates(name), examples, recipe.seed) == [], name
    assert leaks(row for stage in built.rendered.values() for row in read_samples(stage).to_pylist()) == set()


def test_sentiment_follows_the_stars_of_the_raw_review(real_corpora: Path, tmp_path: Path) -> None:
    machine = Machine(Store(tmp_path / "work"), EngineSettings(threads=2), jobs=1, progress=Silence())
    overrides = ["sources.amazon_reviews_2018.files=['*Magazine_Subscriptions_5.json.gz']"]
    recipe = load_recipe("small", overrides)
    kept = {"sentiment_analysis": recipe.tasks["sentiment_analysis"]}
    sources = {"amazon_reviews_2018": recipe.sources["amazon_reviews_2018"]}
    build(recipe.model_copy(update={"tasks": kept, "sources": sources}), real_corpora, tmp_path / "dataset", machine)
    built, raw, _ = last_build(machine)
    examples = {one.example_id: one for one in read_examples(built.drawn["sentiment_analysis"])}
    rows = read_samples(built.rendered["sentiment_analysis"]).to_pylist()
    assert len(rows) > 500
    with gzip.open(raw / "amazon_reviews_2018" / "Magazine_Subscriptions_5.json.gz") as lines:
        stars = [json.loads(line)["overall"] for line in lines]
    for row in rows:
        origin = examples[row["example_id"]].origins[0]
        assert row["output"] == "EDCBA"[int(stars[origin.line - 1]) - 1]
