"""Made-up datasets, staged as they are published, and pushes of them to a Hub on loopback."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow.parquet as pq
import pytest
import yaml
from audit_rows import Row, clean_dataset, write_parquet
from hub_repository import Repository
from hub_server import HubServer

from ecinstruct_build.progress import Silence
from ecinstruct_build.publish.folder import write_manifest
from ecinstruct_build.publish.hub.push import Pushed, push
from ecinstruct_build.publish.hub.target import MAIN, Target
from ecinstruct_build.publish.sections import section_digests

REPO = "shop/kettles"
TODAY = date(2026, 5, 4)
TASKS = ("Answerability_Prediction", "Sentiment_Analysis")
RECIPE = {"seed": 0, "name": "kettles", "tasks": {"sentiment_analysis": {"min_words": 10}}, "checks": {}}


@dataclass
class Version:
    """A dataset before it is written: rows by (task, role), and what its manifest and card say."""

    rows: dict[tuple[str, str], list[Row]]
    manifest: dict[str, Any] = field(default_factory=dict)
    text: str = "All about kettles."

    def write(self, folder: Path) -> Path:
        """Write the staged folder."""
        shards = []
        for (task, role), rows in self.rows.items():
            path = f"data/{task.lower()}/{role}-00000-of-00001.parquet"
            write_parquet(rows, folder / path)
            shards.append({"path": path, "task": task.lower(), "split": role, "rows": len(rows)})
        card = _card(self.rows, self.text)
        (folder / "README.md").write_text(card, encoding="utf-8")
        (folder / "LICENSE.md").write_text("Made up; do as you like.\n", encoding="utf-8")
        manifest = {"recipe": RECIPE, "seeds": {"draw": 0, "split": 0}, "versions": {"pyarrow": "26.0.1"}, "inputs": []}
        write_manifest(folder, {**manifest, "shards": shards, "card": section_digests(card), **self.manifest})
        return folder


def version(sizes: Mapping[str, int] | None = None) -> Version:
    """Return a small dataset of two tasks."""
    return Version(clean_dataset(sizes or {"train": 12, "validation": 4, "test": 5}, tasks=TASKS).rows)


def _card(rows: Iterable[tuple[str, str]], text: str) -> str:
    pairs = sorted(rows)
    configs = [
        {
            "config_name": name,
            "data_files": [
                {"split": role, "path": f"data/{'*' if name == 'default' else name}/{role}-*"}
                for role in dict.fromkeys(role for task, role in pairs if name in ("default", task.lower()))
            ],
        }
        for name in ("default", *dict.fromkeys(task.lower() for task, _ in pairs))
    ]
    return f"---\n{yaml.safe_dump({'license': 'cc0-1.0', 'configs': configs})}---\n\n# Kettles\n\n## About\n\n{text}\n"


def push_to(
    hub: HubServer,
    folder: Path,
    *,
    repo: str = REPO,
    private: bool = False,
    revision: str = MAIN,
    tag: str = "",
    dry_run: bool = False,
    fates: Any = None,
    waits: list[float] | None = None,
    progress: Any = None,
) -> Pushed:
    """Push a folder; ``waits`` gets the seconds that would have been slept."""
    target = Target(repo, private=private, revision=revision, tag=tag, endpoint=hub.endpoint)
    sleep = (waits if waits is not None else []).append
    listener = progress or Silence()
    return push(folder, target, fates=fates, dry_run=dry_run, progress=listener, sleep=sleep, today=TODAY)


def repository(hub: HubServer, repo: str = REPO) -> Repository:
    return hub.repositories[repo]


def log_of(hub: HubServer, revision: str = MAIN) -> str:
    return repository(hub).files(revision)["CHANGELOG.md"].decode()


def actions(pushed: Pushed) -> dict[str, str]:
    """Return what was planned for each file that something happens to."""
    return {one.path: one.action for one in pushed.plan.work}


def rows_of(folder: Path) -> list[str]:
    """Return the rows of a folder's shards in a form to compare, sorted."""
    shards = sorted((folder / "data").rglob("*.parquet"))
    return sorted(json.dumps(row, sort_keys=True) for shard in shards for row in pq.read_table(shard).to_pylist())


def write_as(token: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Push from this process with a token, with a cache of its own and without Xet.

    Returns the seconds that huggingface_hub would have slept.
    """
    slept: list[float] = []
    monkeypatch.setenv("HF_TOKEN", token)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(folder / "cache"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_DISABLE_XET", True)
    monkeypatch.setattr("huggingface_hub.utils._http.time", SimpleNamespace(sleep=slept.append))
    return slept
