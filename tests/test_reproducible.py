"""Law 2: same recipe and same raw bytes give the same shards, however they were made."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import pytest
from building import SmallBuild, run_command, set_options, shard_digests, small_overrides, small_recipe

from ecinstruct_build.engine import EngineSettings
from ecinstruct_build.pipeline import build
from ecinstruct_build.progress import Silence
from ecinstruct_build.recipe import parse_recipe
from ecinstruct_build.stages.machine import Machine
from ecinstruct_build.store import Store

pytestmark = pytest.mark.slow


def arguments(raw: Path, place: Path, *more: str) -> list[str]:
    places = ["--raw", str(raw), "--out", str(place / "dataset"), "--work", str(place / "work"), "--quiet"]
    return ["build", "sample", *places, *set_options(small_overrides()), *more]


def test_hash_seed_workers_and_recipe_order_change_nothing(
    small_build: SmallBuild, small_world: Path, tmp_path: Path
) -> None:
    run_command(*arguments(small_world, tmp_path, "--jobs", "3"), env={"PYTHONHASHSEED": "77"})
    assert shard_digests(tmp_path / "dataset") == shard_digests(small_build.out)

    values = small_build.recipe.model_dump(mode="json")
    for section in ("sources", "tasks", "checks"):
        values[section] = dict(reversed(values[section].items()))
    machine = Machine(Store(tmp_path / "other"), EngineSettings(threads=2), jobs=1, progress=Silence())
    copied = tmp_path / "copied"
    for path in sorted(small_world.rglob("*"), reverse=True):
        if path.is_file():
            (copied / path.relative_to(small_world)).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, copied / path.relative_to(small_world))
    build(parse_recipe(values, "reversed"), copied, tmp_path / "reversed", machine)
    assert shard_digests(tmp_path / "reversed") == shard_digests(small_build.out)


MOMENTS = {
    "a block is being ingested": "work/partial/ingest-*/unfinished-*/*/*",
    "examples are being drawn": "work/partial/draw-*",
    "a task's examples have been drawn": "work/draw/*",
    "examples are being checked": "work/partial/check-*",
    "the split is being made": "work/partial/split-*",
    "samples are being rendered": "work/partial/render-*",
    "the dataset is being published": ".dataset.building-*/*",
}
"""What appears in a build's place, in the order in which it does, and by what path."""


def kill_when(path: str, place: Path, command: Sequence[str]) -> None:
    """Run a command with all its workers until a path is there, and kill them all at once."""
    process = subprocess.Popen(command, start_new_session=True)
    try:
        while not any(place.glob(path)):
            with suppress(subprocess.TimeoutExpired):
                raise AssertionError(f"it ended with {process.wait(timeout=0.005)} before there was {path}")
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    assert process.returncode == -signal.SIGKILL, path


def test_killed_at_any_moment_and_resumed_it_comes_out_the_same(
    small_build: SmallBuild, small_world: Path, tmp_path: Path
) -> None:
    build_it = arguments(small_world, tmp_path, "--jobs", "2")
    for moment, path in MOMENTS.items():
        assert not any(tmp_path.glob(path)), f"{moment} already"
        kill_when(path, tmp_path, [sys.executable, "-c", "from ecinstruct_build.cli import main; main()", *build_it])
        assert not (tmp_path / "dataset").exists(), moment
    run_command(*build_it)
    assert shard_digests(tmp_path / "dataset") == shard_digests(small_build.out)
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".dataset")] == []


def test_adding_a_source_leaves_the_samples_of_other_tasks_untouched(
    small_build: SmallBuild, small_world: Path, tmp_path: Path
) -> None:
    values = small_recipe().model_dump(mode="json")
    del values["sources"]["amazon_google"]
    machine = Machine(Store(tmp_path / "work"), EngineSettings(threads=1), jobs=1, progress=Silence())
    build(parse_recipe(values, "without"), small_world, tmp_path / "without", machine)
    others = {path: digest for path, digest in shard_digests(small_build.out).items() if "product_matching" not in path}
    assert len(others) > 30
    assert shard_digests(tmp_path / "without") == others


def test_a_new_split_seed_reruns_split_and_render_only(
    small_build: SmallBuild, small_world: Path, tmp_path: Path
) -> None:
    shutil.copytree(small_build.work, tmp_path / "work")
    machine = Machine(Store(tmp_path / "work"), EngineSettings(threads=1), jobs=1, progress=Silence())
    manifest = build(small_recipe("split.seed=7"), small_world, tmp_path / "dataset", machine)
    assert {stage["stage"] for stage in manifest["stages"] if not stage["cached"]} == {"split", "render"}
    before, after = shard_digests(small_build.out), shard_digests(tmp_path / "dataset")
    assert all(before[path] != after.get(path) for path in before if path.endswith("train-00000-of-00001.parquet"))
