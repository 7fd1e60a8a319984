"""A raw folder of a few reviews, and a recipe for the one task that needs nothing else."""

import json
from collections.abc import Iterable
from pathlib import Path

from ecinstruct_build.engine import EngineSettings
from ecinstruct_build.progress import Silence
from ecinstruct_build.recipe import Recipe, load_recipe
from ecinstruct_build.stages.machine import Machine
from ecinstruct_build.store import Store

SOURCE = "amazon_reviews_2014"
FILE = "reviews_Electronics.json"
TASK = "sentiment_analysis"


def review(number: int, text: str = "", stars: int = 5) -> str:
    """Return a line of the file: a review by a user of its own of a product of its own."""
    usual = f"This is lamp {number} of our house, and it has been shining over the kitchen table every single evening."
    record = {"reviewerID": f"U{number}", "asin": f"B{number:09d}", "overall": stars, "unixReviewTime": 1400000000}
    return json.dumps({**record, "reviewText": text or usual})


def write_reviews(place: Path, lines: Iterable[str]) -> Path:
    """Write the file and return the raw folder that holds it."""
    folder = place / "raw" / SOURCE
    folder.mkdir(parents=True, exist_ok=True)
    (folder / FILE).write_text("".join(f"{line}\n" for line in lines))
    return place / "raw"


def recipe_of(place: Path, *overrides: str) -> Recipe:
    """Return a recipe for sentiment analysis over the file."""
    file = place / "tiny.toml"
    alike = "[checks.duplicates]\nthreshold = 1.0\n[split]\nsimilarity = 1.0\n"  # the reviews are much alike
    file.write_text(f'name = "tiny"\n[sources.{SOURCE}]\n[tasks.{TASK}]\n{alike}')
    return load_recipe(file, overrides)


def machine_at(place: Path) -> Machine:
    """Return a silent machine of one process."""
    return Machine(Store(place / "work"), EngineSettings(threads=1), jobs=1, progress=Silence())


def quota(**sizes: int) -> list[str]:
    """Return the overrides that ask for so many samples in each split."""
    return [f"tasks.{TASK}.quota.{split}={size}" for split, size in sizes.items()]
