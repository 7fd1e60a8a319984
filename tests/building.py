"""Small builds for tests."""

import hashlib
import io
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import chdir, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

from ecinstruct_build import cli
from ecinstruct_build.recipe import Recipe, load_recipe
from ecinstruct_build.stages.built import Built

QUARTER = ("train=100", "validation=12", "test=12", "test_ood=12")
OUT_OF_DOMAIN = (
    "answer_generation",
    "answerability_prediction",
    "attribute_value_extraction",
    "product_relation_prediction",
    "sentiment_analysis",
    "sequential_recommendation",
)


@dataclass(frozen=True)
class SmallBuild:
    """A finished build with the places it was made in."""

    recipe: Recipe
    raw: Path
    out: Path
    work: Path
    built: Built
    manifest: Mapping[str, Any]


def small_overrides() -> list[str]:
    """Return the settings that make the sample recipe small; by its seed each split has options for histories."""
    names = load_recipe("sample").tasks
    quotas = [
        f"tasks.{name}.quota.{quota}"
        for name in names
        for quota in QUARTER
        if name in OUT_OF_DOMAIN or not quota.startswith("test_ood")
    ]
    return [*quotas, "split.seed=1"]


def small_recipe(*overrides: str) -> Recipe:
    """Return the sample recipe with small quotas."""
    return load_recipe("sample", [*small_overrides(), *overrides])


def run_command(
    *arguments: str, cwd: Path | None = None, env: Mapping[str, str] | None = None, check: bool = True
) -> subprocess.CompletedProcess[str]:
    """Run the ``ecinstruct`` command in a process of its own, which takes a second or two to start."""
    command = [sys.executable, "-c", "from ecinstruct_build.cli import main; main()", *arguments]
    done = subprocess.run(
        command, cwd=cwd, env={**os.environ, **(env or {})}, check=False, capture_output=True, text=True
    )
    return _succeeded(done) if check else done


def call_command(
    *arguments: str, cwd: Path | None = None, columns: int = 200, check: bool = True
) -> subprocess.CompletedProcess[str]:
    """Run the ``ecinstruct`` command in this process, on a terminal of so many columns."""
    out, err, code = io.StringIO(), io.StringIO(), 0
    with (
        chdir(cwd or Path()),
        patch.object(sys, "argv", ["ecinstruct", *arguments]),
        patch.object(cli, "seldom_collect_garbage"),  # this process goes on, and what it made so far does not all stay
        patch.dict(os.environ, {"COLUMNS": str(columns)}),
        redirect_stdout(out),
        redirect_stderr(err),
    ):
        try:
            cli.run()
        except SystemExit as stop:
            code = 0 if stop.code is None else int(stop.code)
    done = subprocess.CompletedProcess(list(arguments), code, out.getvalue(), err.getvalue())
    return _succeeded(done) if check else done


def _succeeded(done: subprocess.CompletedProcess[str]) -> subprocess.CompletedProcess[str]:
    if done.returncode:
        raise AssertionError(f"ecinstruct {done.args} failed:\n{done.stderr}")
    return done


def set_options(overrides: Sequence[str]) -> list[str]:
    """Return overrides as command-line options."""
    return [word for override in overrides for word in ("--set", override)]


def leaks(rows: Iterable[Mapping[str, Any]]) -> set[str]:
    """Return every product and group that stands in training and in a held-out row.

    Attributes may recur in domain, but none of the out-of-domain rows' may stand in training.
    """
    train, held_out = set(), set()
    for row in rows:
        if row["split"] == "train":
            train.update([*row["products"], *row["groups"]])
        else:
            in_domain = row["domain"] == "ind"
            groups = (group for group in row["groups"] if not (in_domain and group.startswith("attribute:")))
            held_out.update([*row["products"], *groups])
    if not train or not held_out:
        raise AssertionError("there is nothing to compare")
    return train & held_out


def shard_digests(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of every shard of a dataset."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*.parquet"))
    }
