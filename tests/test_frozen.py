"""Test sets that are kept from an earlier build stay as they are, and what training gains shares nothing with them."""

import json
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from building import SmallBuild, leaks, small_recipe
from sharing import made_once
from tiny_reviews import TASK, machine_at, quota, recipe_of, review, write_reviews

from ecinstruct_build import chance
from ecinstruct_build.errors import UserError
from ecinstruct_build.example import SAMPLE_SCHEMA
from ecinstruct_build.explain import explain
from ecinstruct_build.pipeline import build, last_build
from ecinstruct_build.recipe import Recipe
from ecinstruct_build.stages import frozen

HELD_OUT = ("validation", "test", "test_unseen_instructions")


def frozen_at(recipe: Recipe, folder: Path) -> Recipe:
    return recipe.model_copy(update={"split": recipe.split.model_copy(update={"freeze": folder})})


def shard(folder: Path, split: str) -> Path:
    return folder / "data" / TASK / f"{split}-00000-of-00001.parquet"


def rows(folder: Path) -> list[dict[str, Any]]:
    return [row for path in sorted(folder.rglob("*.parquet")) for row in pq.read_table(path).to_pylist()]


WORDS = """kitchen garden winter morning children battery handle colour window present neighbour summer leather price
carpet dinner journey weather bottle ladder cushion mirror market village station pencil engine blanket basket button
candle drawer feather hammer island jacket kettle lantern magnet needle orchard pillow quilt ribbon saddle teapot
umbrella velvet wardrobe anchor bicycle chimney desk envelope fountain guitar helmet"""
TOLD = "We took the {} and {} to see whether {}, {}, {} or {} would go with our {}, {}, {} and {}."


def told(number: int) -> str:
    """Return a review of its own: which words it has is its number's."""
    return TOLD.format(*(chance.choose(WORDS.split(), number, "word", str(place)) for place in range(10)))


def by_user(line: str, number: int) -> str:
    """Return a review by another user of another product as one by user ``number``."""
    return json.dumps(json.loads(line) | {"reviewerID": f"U{number}"})


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, dict[str, Any]]:
    """A dataset, and one with the same tests that was built when three hundred more reviews had come in."""
    return made_once(tmp_path_factory, "grown", grow)


def grow(place: Path) -> tuple[Path, Path, dict[str, Any]]:
    """Build both datasets in a folder; return where they are, and the manifest of the second."""
    machine = machine_at(place)
    recipe = recipe_of(place, *quota(train=80, validation=20, test=20), "split.similarity=0.7")
    lines = [review(number, told(number)) for number in range(150)]
    build(recipe, write_reviews(place, lines), place / "first", machine)
    tests = [row for row in rows(place / "first") if row["split"] != "train"]
    users = sorted(int(group.removeprefix("user:U")) for row in tests for group in row["groups"])
    lines += [review(number, told(number)) for number in range(1000, 1200)]
    lines += [
        by_user(review(number, told(number)), user) for number, user in zip(range(2000, 2020), users, strict=False)
    ]
    lines += [review(3000 + number, f"{_text(row)} Yes.") for number, row in enumerate(tests[:20])]
    larger = recipe_of(place, *quota(train=300, validation=20, test=20), "split.similarity=0.7")
    manifest = build(frozen_at(larger, place / "first"), write_reviews(place, lines), place / "second", machine)
    return place / "first", place / "second", dict(manifest)


def _text(row: dict[str, Any]) -> str:
    return next(line for line in row["input"].splitlines() if "We took" in line)


def test_the_kept_shards_are_the_same_to_the_byte(grown: tuple[Path, Path, dict[str, Any]]) -> None:
    first, second, _ = grown
    for split in HELD_OUT:
        assert shard(first, split).read_bytes() == shard(second, split).read_bytes()


def test_training_grows_and_shares_nothing_with_the_kept_tests(grown: tuple[Path, Path, dict[str, Any]]) -> None:
    first, second, _ = grown
    before, after = (pq.read_table(shard(folder, "train")).num_rows for folder in (first, second))
    assert after > 2 * before
    assert leaks(rows(second)) == set()


def test_new_text_that_is_like_a_kept_test_stays_out(grown: tuple[Path, Path, dict[str, Any]]) -> None:
    _, second, manifest = grown
    train = [row for row in rows(second) if row["split"] == "train"]
    assert not [row for row in train if row["input"].rstrip().endswith(". Yes.")]
    assert not [row for row in train if any(f"B{number:09d}" in str(row["products"]) for number in range(2000, 2020))]
    assert manifest["tasks"][TASK]["frozen"] == {"train": 0, "validation": 20, "test": 20, "test_ood": 0}
    assert manifest["tasks"][TASK]["shortfall"].keys() <= {"train"}
    account = manifest["tasks"][TASK]
    counted = sum(sum(account[part].values()) for part in ("rejected", "dropped", "examples"))
    assert account["drawn"] == counted
    of_sources = sum((Counter(one["samples"]) for one in account["sources"].values()), Counter[str]())
    assert of_sources == Counter(account["samples"]), "kept rows are counted by source, too"


def test_a_kept_test_holds_the_family_that_it_was_published_with(
    grown: tuple[Path, Path, dict[str, Any]], tmp_path: Path
) -> None:
    first, second, _ = grown
    trained = next(row for row in rows(second) if row["split"] == "train")
    shutil.copytree(first / "data", tmp_path / "first" / "data")
    tests = pq.read_table(shard(first, "test")).to_pylist()
    tests[0]["families"] = trained["families"]
    pq.write_table(pa.Table.from_pylist(tests, SAMPLE_SCHEMA), shard(tmp_path / "first", "test"))
    recipe = recipe_of(tmp_path, *quota(train=300, validation=20, test=20), "split.similarity=0.7")
    build(frozen_at(recipe, tmp_path / "first"), first.parent / "raw", tmp_path / "again", machine_at(tmp_path))
    again = {row["example_id"] for row in rows(tmp_path / "again")}
    assert {row["example_id"] for row in rows(second)} - again == {trained["example_id"]}


@pytest.mark.slow
def test_all_ten_tasks_keep_their_tests_when_the_draw_changes(small_build: SmallBuild, tmp_path: Path) -> None:
    recipe = frozen_at(small_recipe("seed=5"), small_build.out)
    build(recipe, small_build.raw, tmp_path / "out", machine_at(tmp_path))
    held_out = [
        {(row["task"], row["setting"], row["example_id"], row["input"], row["output"]) for row in found}
        for found in (
            [row for row in rows(folder) if row["split"] != "train"] for folder in (small_build.out, tmp_path / "out")
        )
    ]
    assert held_out[0] == held_out[1]
    assert len(held_out[0]) > 100
    assert leaks(rows(tmp_path / "out")) == set()


def test_a_kept_example_is_explained_as_kept(grown: tuple[Path, Path, dict[str, Any]]) -> None:
    first, second, _ = grown
    kept = next(row for row in rows(first) if row["split"] == "test")
    built, raw, _ = last_build(machine_at(second.parent))
    story = explain(built, raw, kept["example_id"])
    assert story["fate"] == "in test, kept from an earlier build"
    assert {sample["input"] for sample in story["samples"]} == {kept["input"]}


def test_a_dataset_that_is_replaced_while_its_tests_are_read_is_refused(
    grown: tuple[Path, Path, dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept, read = tmp_path / "kept", frozen._held_out
    shutil.copytree(grown[0], kept)

    def replaced(shards: list[Path], folder: Path) -> Any:
        rows = read(shards, folder)
        shutil.copytree(grown[1], kept, dirs_exist_ok=True)
        return rows

    monkeypatch.setattr(frozen, "_held_out", replaced)
    raw = write_reviews(tmp_path, [review(number, told(number)) for number in range(60)])
    with pytest.raises(UserError, match=r"parquet was changed while it was read"):
        build(frozen_at(recipe_of(tmp_path, *quota(train=20)), kept), raw, tmp_path / "out", machine_at(tmp_path))
    assert not (tmp_path / "work" / "frozen").exists()


@pytest.mark.parametrize(("change", "words"), [("empty", "nothing to freeze"), ("layout", "another layout")])
def test_what_cannot_be_frozen_is_refused(tmp_path: Path, change: str, words: str) -> None:
    machine = machine_at(tmp_path)
    raw = write_reviews(tmp_path, [review(number, told(number)) for number in range(60)])
    recipe = recipe_of(tmp_path, *quota(train=20, validation=5, test=5), "layout=ecinstruct")
    (tmp_path / "first").mkdir()
    if change == "layout":
        build(recipe, raw, tmp_path / "first", machine)
        recipe = recipe.model_copy(update={"layout": "huggingface"})
    with pytest.raises(UserError, match=words):
        build(frozen_at(recipe, tmp_path / "first"), raw, tmp_path / "second", machine)
