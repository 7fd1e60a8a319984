"""Made-up samples and a manifest for the tests of publishing."""

import os
from pathlib import Path
from typing import Any

import pyarrow as pa

from ecinstruct_build.example import SAMPLE_SCHEMA
from ecinstruct_build.publish.card_info import CardInfo
from ecinstruct_build.publish.shards import Shard
from ecinstruct_build.source import Source
from ecinstruct_build.splits import ORIGINAL_SPLIT, SETTINGS, settings_of

PUBLISHED_NAMES = {"sentiment_analysis": "Sentiment_Analysis", "product_matching": "Product_Matching"}


def row(task: str, split: str, setting: str, number: int, **changes: Any) -> dict[str, Any]:
    """One sample; ``changes`` replace columns."""
    domain = setting[:3].lower()
    return {
        "split": split,
        "task": PUBLISHED_NAMES.get(task, task),
        "setting": setting,
        "instruction": f"Judge the kettle, case {number}.",
        "input": f"It boils in {number} minutes — prima!\nWould buy again.",
        "options": "A: good\nB: bad",
        "output": "A",
        "few_shot_example": "",
        "example_id": f"{task}:{split}{domain}{number:06d}",
        "template_id": f"{task}/seed",
        "source": "kettle_shop",
        "domain": domain,
        "category": "Kitchen",
        "locale": "us",
        "products": [f"asin:B{number:09d}"],
        "groups": [] if number % 2 else [f"user:U{number}", "query:7"],
        "families": [],
        "option_grades": [],
    } | changes


def table(rows: list[dict[str, Any]]) -> pa.Table:
    return pa.Table.from_pylist(rows, schema=SAMPLE_SCHEMA)


def samples(layout: str = "huggingface", per_split: int = 3) -> dict[str, pa.Table]:
    """Two tasks, of which product_matching has nothing out of domain."""
    made = {}
    for task in PUBLISHED_NAMES:
        settings = [setting for setting in settings_of(layout) if setting.domain == "ind" or "sent" in task]
        made[task] = table(
            [
                row(task, ORIGINAL_SPLIT[split], setting.name, number)
                for setting in settings
                for split in setting.splits
                for number in range(per_split + (split == "train"))
            ]
        )
    return made


def all_settings() -> list[str]:
    return [setting.name for setting in SETTINGS]


SHOP = Source(
    name="kettle_shop",
    title="The Kettle Shop Corpus",
    summary="Everything said of kettles.",
    homepage="https://kettles.example/data",
    licence="CC-BY-4.0",
    redistributable=True,
    citation="@misc{kettles, title={Kettles}}",
    files=(),
)


def of_source(train: int, held_out: int, ood: int = 0, layout: str = "huggingface") -> dict[str, Any]:
    """The account of one source of a task."""
    examples = {"train": train, "validation": held_out, "test": held_out, "test_ood": ood}
    found: dict[str, int] = {}
    for setting in settings_of(layout):
        for split in setting.splits:
            place = (
                f"{setting.name}/{ORIGINAL_SPLIT[split]}" if layout == "ecinstruct" else setting.published_split[split]
            )
            found[place] = examples[split]
    samples = {place: count for place, count in sorted(found.items()) if count}
    return {"drawn": 2 * train, "drawn_ood": 0, "share": None, "examples": examples, "samples": samples}


def manifest(shards: list[Shard], layout: str = "huggingface") -> dict[str, Any]:
    def task(train: int, sources: dict[str, Any]) -> dict[str, Any]:
        return {
            "wanted": {"train": 5, "validation": 3, "test": 3, "test_ood": 0},
            "drawn": train + 9,
            "rejected": {"language: not English": 2},
            "repaired": {"spelling: two spaces": 3},
            "flagged": {"length: very long": 1},
            "dropped": {"straddles | splits": 1},
            "examples": {"train": train, "validation": 3, "test": 3, "test_ood": 0},
            "frozen": {},
            "sources": sources,
            "retention": {"examples": 10, "kept": 9, "hashing": 4, "by_products": {}},
            "samples": {"train": train, "validation": 3, "test": 3, "test_unseen_instructions": 3},
            "funnel": [{"step": "kettles", "count": 20}],
            "unmatched": [],
            "shortfall": {"train": 5 - train},
        }

    mixed = {"kettle_shop": of_source(4, 2, layout=layout), "teapot_shop": of_source(0, 1, layout=layout)}
    alone = {"kettle_shop": of_source(4, 3, 3, layout)}
    return {
        "format": 1,
        "name": "kettles",
        "versions": {"ecinstruct-build": "0.1.0", "pyarrow": "26.0.1"},
        "seeds": {"draw": 0, "split": 7},
        "engine": "duckdb",
        "layout": layout,
        "recipe": {
            "name": "kettles",
            "checks": {
                "language": {"action": "reject"},
                "length": {"action": "flag"},
                "privacy": {"action": "off"},
                "spelling": {"action": "repair"},
            },
        },
        "generated": False,
        "inputs": [
            {
                "source": "kettle_shop",
                "file": f"part-{number}.json.gz",
                "bytes": 2**20,
                "sha256": "00",
                "records": 1500,
                "ingested": 1490,
                "quarantined": 7,
                "collapsed": 3,
                "rows": {"review": 1490},
                "reasons": {"no id": 7},
            }
            for number in (1, 2)
        ],
        "tasks": {"product_matching": task(4, mixed), "sentiment_analysis": task(5, alone)},
        "stages": [
            {"stage": "ingest", "seconds": 1.25, "cached": False},
            {"stage": "ingest", "seconds": 9.0, "cached": True},
            {"stage": "build", "seconds": 2.0, "cached": False},
        ],
        "audit": {
            "passed": True,
            "rows": 30,
            "with_training": {"family": {"carrying": 12, "sharing": 0}, "near": {"carrying": 12, "sharing": 1}},
        },
        "peak_memory_bytes": 3 * 2**29,
        "shards": [vars(shard) for shard in shards],
    }


def card_info(made: dict[str, pa.Table], shards: list[Shard], layout: str = "huggingface", **changes: Any) -> CardInfo:
    values: dict[str, Any] = {
        "title": "Kettles",
        "description": "A small dataset about kettles.",
        "manifest": manifest(shards, layout),
        "samples": made,
        "sources": [SHOP],
        "tasks": {task: f"Whether {task} holds." for task in made},
        "command": "make dataset RECIPE=recipes/kettles.toml",
    }
    return CardInfo(**(values | changes))


def files(folder: Path) -> dict[str, bytes]:
    """Every file of a folder with its content."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def compare(text: str, golden: Path) -> None:
    """Hold a text against the agreed one, or agree to it where ``ECINSTRUCT_ACCEPT`` is set."""
    if os.environ.get("ECINSTRUCT_ACCEPT"):
        golden.parent.mkdir(exist_ok=True)
        golden.write_text(text, encoding="utf-8")
    assert text == golden.read_text(encoding="utf-8")
