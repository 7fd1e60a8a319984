"""Visits become a dataset from end to end: nothing of one stands in two splits, and titles are in their language."""

import csv
import io
import random
from pathlib import Path

import pytest
from building import leaks

from ecinstruct_build.audit.run import audit_dataset
from ecinstruct_build.engine import EngineSettings
from ecinstruct_build.errors import UserError
from ecinstruct_build.pipeline import build, last_build
from ecinstruct_build.progress import Silence
from ecinstruct_build.recipe import Recipe, load_recipe
from ecinstruct_build.stages.examples import read_examples
from ecinstruct_build.stages.machine import Machine
from ecinstruct_build.stages.samples import read_samples
from ecinstruct_build.store import Store

NAME = "sequential_recommendation"
RECIPE = """
name = "visits"
title = "Visits"
description = "Visits alone."
seed = 3

[sources.amazon_m2]

[tasks.sequential_recommendation]
quota = { train = 120, validation = 15, test = 15 }
negatives = 9
spares = 90
"""
WORDS = {
    "UK": (
        ("Folding", "Painted", "Large", "Quiet", "Woven", "Heated", "Striped", "Sturdy", "Polished", "Padded"),
        ("blanket", "garden chair", "desk lamp", "kettle", "bread box", "wall clock", "towel rail", "coat hook"),
        (
            "for the kitchen",
            "with a wooden handle",
            "for children",
            "in dark green",
            "for small rooms",
            "made of steel",
        ),
    ),
    "DE": (
        (
            "Klappbare",
            "Bemalte",
            "Große",
            "Leise",
            "Gewebte",
            "Beheizte",
            "Gestreifte",
            "Robuste",
            "Polierte",
            "Weiche",
        ),
        ("Decke", "Gartenbank", "Schreibtischlampe", "Teekanne", "Brotdose", "Wanduhr", "Handtuchstange", "Garderobe"),
        ("für die Küche", "mit einem Holzgriff", "für Kinder", "in Dunkelgrün", "für kleine Räume", "aus Edelstahl"),
    ),
}
PRODUCTS = 480
CROWDS = 40


def products() -> str:
    out = io.StringIO()
    rows = csv.writer(out, lineterminator="\n")
    rows.writerow(["id", "locale", "title", "price", "brand", "color", "size", "model", "material", "author", "desc"])
    for locale, (firsts, things, ends) in WORDS.items():
        titles = [f"{first} {thing} {end}" for first in firsts for thing in things for end in ends]
        random.Random(locale).shuffle(titles)
        for number, title in enumerate(titles[:PRODUCTS]):
            rows.writerow([f"B0{locale}{number:06}", locale, title, "9.99", *[""] * 7])
    return out.getvalue()


def sessions() -> str:
    """Visits that stay with one of `CROWDS` groups of products, as shoppers do, with repeats."""
    dice = random.Random(11)
    out = io.StringIO()
    rows = csv.writer(out, lineterminator="\n")
    rows.writerow(["prev_items", "next_item", "locale"])
    for _ in range(1500):
        locale, crowd = dice.choice(sorted(WORDS)), dice.randrange(CROWDS)
        seen = [
            f"B0{locale}{crowd + CROWDS * dice.randrange(PRODUCTS // CROWDS):06}" for _ in range(dice.randint(2, 9))
        ]
        rows.writerow([f"[{' '.join(map(repr, seen[:-1]))}]", seen[-1], locale])
    return out.getvalue()


@pytest.fixture(scope="module")
def raw(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("raw")
    (folder / "amazon_m2").mkdir()
    (folder / "amazon_m2" / "products_train.csv").write_text(products(), encoding="utf-8")
    (folder / "amazon_m2" / "sessions_train.csv").write_text(sessions(), encoding="utf-8")
    return folder


def recipe(folder: Path, *overrides: str) -> Recipe:
    path = folder / "visits.toml"
    path.write_text(RECIPE, encoding="utf-8")
    return load_recipe(str(path), overrides)


def test_visits_become_a_dataset_without_leakage(raw: Path, tmp_path: Path) -> None:
    machine = Machine(Store(tmp_path / "work"), EngineSettings(threads=1), jobs=1, progress=Silence())
    manifest = build(recipe(tmp_path), raw, tmp_path / "dataset", machine)
    built, _, _ = last_build(machine)
    rows = read_samples(built.rendered[NAME]).to_pylist()
    account = manifest["tasks"][NAME]
    assert (account["examples"]["validation"], account["examples"]["test"]) == (15, 15)
    assert account["examples"]["train"] > 100
    assert account["drawn"] == sum(account["examples"].values()) + sum(account["rejected"].values()) + sum(
        account["dropped"].values()
    )
    assert leaks(rows) == set()
    assert audit_dataset(tmp_path / "dataset").passed

    assert {row["locale"] for row in rows} == {"gb", "de"}
    splits: dict[str, set[str]] = {}
    for row in rows:
        (group,) = row["groups"]
        assert group.startswith("session:")
        splits.setdefault(group, set()).add(row["split"])
        own = "asin:B0UK" if row["locale"] == "gb" else "asin:B0DE"
        assert all(product.startswith(own) for product in row["products"])
        assert not row["category"]
    assert all(len(where) == 1 for where in splits.values())

    by_line = (raw / "amazon_m2" / "sessions_train.csv").read_text(encoding="utf-8").splitlines()
    for example in read_examples(built.drawn[NAME])[:50]:
        (origin,) = [one for one in example.origins if one.file == "sessions_train.csv"]
        seen = by_line[origin.line - 1]
        assert all(item.product_id.removeprefix("asin:") in seen for item in example.context)
        assert example.answer.removeprefix("asin:") in seen
        wrong = [option.key.removeprefix("asin:") for option in (*example.options[1:], *example.spare_options)]
        assert not [key for key in wrong if key in seen]


def test_titles_in_another_language_than_their_marketplaces_are_rejected(raw: Path, tmp_path: Path) -> None:
    folder = tmp_path / "raw" / "amazon_m2"
    folder.mkdir(parents=True)
    (folder / "products_train.csv").write_text(products().replace(",DE,", ",FR,"), encoding="utf-8")
    (folder / "sessions_train.csv").write_text(sessions().replace(",DE\n", ",FR\n"), encoding="utf-8")
    machine = Machine(Store(tmp_path / "work"), EngineSettings(threads=1), jobs=1, progress=Silence())
    french = recipe(tmp_path, f"tasks.{NAME}.locales=['fr']")
    with pytest.raises(UserError, match=r"300 that were drawn the checks rejected 300 .* 'language: foreign language'"):
        build(french, folder.parent, tmp_path / "dataset", machine)
