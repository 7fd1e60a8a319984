"""Splits of several seeds: one dataset each, and an honest account of how they differ."""

import json
from pathlib import Path

import pytest
from building import call_command
from hypothesis import given
from hypothesis import strategies as st
from tiny_reviews import TASK, machine_at, quota, recipe_of, review, write_reviews

from ecinstruct_build.pipeline import build, build_splits
from ecinstruct_build.split_comparison import compare_splits

PLACES = st.dictionaries(st.sampled_from("abcdefgh"), st.sampled_from(["train", "validation", "test", "test_ood"]))


@given(PLACES, PLACES)
def test_what_is_shared_is_in_the_same_split_under_both_seeds(one: dict[str, str], other: dict[str, str]) -> None:
    comparison = compare_splits({1: {"task": one}, 2: {"task": other}})
    row = comparison["pairs"][0]["tasks"]["task"]
    same = [key for key in one if one[key] == other.get(key)]
    assert sum(row["shared"].values()) == len(same) == row["both"] - row["moved"]
    sizes = [comparison["sizes"][seed]["task"] for seed in ("1", "2")]
    for split, either in row["either"].items():
        assert either == sizes[0][split] + sizes[1][split] - row["shared"][split]


def test_a_seed_against_itself_moves_nothing() -> None:
    placed = {"task": {"a": "train", "b": "test"}}
    row = compare_splits({1: placed, 2: placed})["pairs"][0]["tasks"]["task"]
    assert row["moved"] == 0
    assert row["shared"] == row["either"]


def test_every_seed_gets_the_dataset_that_it_would_get_alone(tmp_path: Path) -> None:
    recipe, machine = recipe_of(tmp_path, *quota(train=60, validation=20, test=20)), machine_at(tmp_path)
    raw = write_reviews(tmp_path, [review(number) for number in range(200)])
    comparison = build_splits(recipe, raw, tmp_path / "several", [3, 7], machine)
    assert json.loads((tmp_path / "several-splits.json").read_text()) == comparison
    alone = recipe.model_copy(update={"split": recipe.split.model_copy(update={"seed": 7})})
    build(alone, raw, tmp_path / "alone", machine)
    shards = sorted(path.relative_to(tmp_path / "alone") for path in (tmp_path / "alone").rglob("*.parquet"))
    assert shards
    for shard in shards:
        assert (tmp_path / "alone" / shard).read_bytes() == (tmp_path / "several-seed-7" / shard).read_bytes()
    row = comparison["pairs"][0]["tasks"][TASK]
    assert row["moved"] > 0
    assert comparison["sizes"]["3"][TASK]["test"] == 20


@pytest.mark.parametrize("seeds", ["one", "1,,2", "1.5"])
def test_seeds_that_are_no_numbers_are_refused(tmp_path: Path, seeds: str) -> None:
    done = call_command("splits", "sample", "--seeds", seeds, cwd=tmp_path, check=False)
    assert done.returncode == 1
    assert "no list of seeds" in " ".join(done.stderr.split())
