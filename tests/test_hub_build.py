"""A built dataset on the Hub, and the next one with other splits: what is sent, and what its change log says."""

import re
import shutil
from collections import Counter
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from building import SmallBuild, small_recipe
from hub_server import WRITER, serving
from hub_staging import actions, log_of, push_to, repository, write_as

from ecinstruct_build.engine import EngineSettings
from ecinstruct_build.explain import fates
from ecinstruct_build.pipeline import build, last_build
from ecinstruct_build.progress import Silence
from ecinstruct_build.stages.machine import Machine
from ecinstruct_build.store import Store

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore:Use 'content:DeprecationWarning")]

Key = tuple[str, str]


def rows_by_task(folder: Path) -> dict[str, dict[Key, tuple[str, ...]]]:
    """Return split and texts of each row by example and setting, by task."""
    found: dict[str, dict[Key, tuple[str, ...]]] = {}
    for path in sorted((folder / "data").rglob("*.parquet")):
        split = path.name.partition("-")[0]
        for row in pq.read_table(path, partitioning=None).to_pylist():
            texts = (row[name] for name in ("instruction", "input", "options", "output", "few_shot_example"))
            rows = found.setdefault(path.parent.name, {})
            rows[row["example_id"], row["setting"]] = (split, *texts)
    return found


def table_line(task: str, before: Mapping[Key, tuple[str, ...]], after: Mapping[Key, tuple[str, ...]]) -> list[str]:
    """Return the cells of a task in the change log's table, all but the last, counted by hand."""
    both = before.keys() & after.keys()
    moved = {key for key in both if before[key][0] != after[key][0]}
    changed = {key for key in both - moved if before[key] != after[key]}
    counts = (before, after, after.keys() - before.keys(), before.keys() - after.keys(), changed, moved)
    return [task, *(f"{len(found):,}" for found in counts)]


def test_new_splits_are_sent_as_what_changed_and_the_log_tells_why(
    small_build: SmallBuild, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_as(WRITER, tmp_path, monkeypatch)
    shutil.copytree(small_build.work, tmp_path / "work")
    machine = Machine(Store(tmp_path / "work"), EngineSettings(threads=1), jobs=1, progress=Silence())
    build(small_recipe("split.seed=7"), small_build.raw, tmp_path / "resplit", machine)
    folders = [small_build.out, tmp_path / "resplit"]
    with serving() as hub:
        push_to(hub, folders[0], tag="v1")
        begun = len(hub.log)
        built, _, _ = last_build(machine)
        pushed = push_to(hub, folders[1], tag="v2", fates=partial(fates, built))
        log = log_of(hub)
        files = repository(hub).files()
        sent = {one.path.rpartition("/")[2] for one in hub.log[begun:] if one.method == "PUT"}
    assert "- `split`: `1` to `7`" in log
    assert "Settings that differ" not in log
    before, after = map(rows_by_task, folders)
    lines = {cells[0]: cells[:-1] for line in log.splitlines() if len(cells := re.split(r" *\| *", line)[1:-1]) == 8}
    for task in before:
        assert lines[task] == table_line(task, before[task], after[task])
    shards = {path.relative_to(folders[1]).as_posix() for path in folders[1].rglob("*.parquet")}
    one, two = (
        {path: (folder / path).read_bytes() for path in shards if (folder / path).is_file()} for folder in folders
    )
    differ = {path for path in shards if one.get(path) != two[path]}
    assert len(sent) == len(differ)
    planned = {path for path, action in actions(pushed).items() if action != "delete" and path in shards}
    assert planned == differ
    assert {path: data for path, data in files.items() if path.endswith(".parquet")} == two
    for task in pushed.plan.changes:
        removed = Counter(key[0] for key in before[task.task].keys() - after[task.task].keys())
        assert sum(task.reasons.values()) == removed.total()
        standing = {key[0] for key in after[task.task]}
        assert task.reasons.get("the example is published in other splits or settings", 0) == sum(
            count for example, count in removed.items() if example in standing
        )
        assert "unknown" not in task.reasons
    assert "over quota" in log
