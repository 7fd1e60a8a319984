"""Read a built dataset's folder, and count in its rows what is to be compared."""

import json
import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from ecinstruct_build.errors import UserError
from ecinstruct_build.registry import TASKS
from ecinstruct_build.splits import place_of
from quality.splitting.ties import DOMAIN_GROUPS

_READ = ("task", "split", "setting", "instruction", "template_id", "input", "options", "output", "source", "category")
_LISTS = ("option_grades", "families", "groups")
_BATCH_ROWS = 4096
_OPTION = re.compile(r"^[A-Z]:", re.MULTILINE)
_HISTORY = re.compile(r"^\d+\. ", re.MULTILINE)
_ANSWER = re.compile(r"(?:yes|no|[A-Z])(?=:|$)")
_TESTS = ("test", "test_ood")
_SEEN = ("train", "validation", *_TESTS)


@dataclass
class Measured:
    """What the rows of one task hold.

    Attributes
    ----------
    rows
        Rows of each published split.
    corpora, ood_categories
        Rows of each corpus, and of each category out of domain.
    places
        Rows of each corpus in each of the published splits with seen instructions.
    labels
        Rows of each answer in each of these splits, of answers that are yes, no, or a letter and its option.
    seen, unseen
        Rows of each instruction in the settings with seen and with held-out ones.
    options
        Rows by number of options; ``test_options`` those of the split ``test``.
    grades
        Options of each grade in the split ``test``.
    outputs
        Rows by "yes" or "no".
    history
        Lines of the longest numbered list in an input.
    ties
        Of each row of a test with seen instructions: the families and groups that it shares with no other split.
    """

    rows: Counter[str] = field(default_factory=Counter)
    corpora: Counter[str] = field(default_factory=Counter)
    ood_categories: Counter[str] = field(default_factory=Counter)
    places: dict[str, Counter[str]] = field(default_factory=dict)
    labels: dict[str, Counter[str]] = field(default_factory=dict)
    seen: Counter[str] = field(default_factory=Counter)
    unseen: Counter[str] = field(default_factory=Counter)
    options: Counter[int] = field(default_factory=Counter)
    test_options: Counter[int] = field(default_factory=Counter)
    grades: Counter[str] = field(default_factory=Counter)
    outputs: Counter[str] = field(default_factory=Counter)
    history: int = 0
    ties: dict[str, list[tuple[str, ...]]] = field(default_factory=dict)


@dataclass(frozen=True)
class Dataset:
    """A built dataset as `compare` sees it: its manifest, what its tasks hold, and the columns that all shards have."""

    manifest: dict[str, Any]
    tasks: dict[str, Measured]
    columns: tuple[str, ...]


def measure(folder: Path) -> Dataset:
    """Measure a built dataset.

    Raises
    ------
    UserError
        If the folder has no manifest of a build or no shards, or one cannot be read.
    """
    try:
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    except OSError as error:
        why = error.strerror or error
        raise UserError(f"There is no manifest.json to read in '{folder}': {why}. Name a built folder.") from None
    except ValueError:
        manifest = None
    if not isinstance(manifest, dict) or not isinstance(manifest.get("tasks"), dict):
        raise UserError(f"'{folder / 'manifest.json'}' is not the manifest of a build. Name a built folder.")
    shards = sorted((folder / "data").rglob("*.parquet"))
    if not shards:
        raise UserError(f"There are no Parquet files in '{folder / 'data'}'. Name a built folder.")
    modules = {task.published_name: task.name for task in TASKS}
    tasks: dict[str, Measured] = {}
    columns: list[str] | None = None
    for shard in shards:
        try:
            with pq.ParquetFile(shard) as file:
                names = file.schema_arrow.names
                columns = names if columns is None else [name for name in columns if name in names]
                read = [name for name in (*_READ, *_LISTS) if name in names]
                for batch in file.iter_batches(_BATCH_ROWS, columns=read):
                    for row in batch.to_pylist():
                        _count(row, tasks, modules)
        except (OSError, pa.ArrowException) as error:
            raise UserError(f"'{shard}' cannot be read: {error}. Build the dataset again.") from None
    return Dataset(manifest, tasks, tuple(columns or ()))


def _count(row: dict[str, Any], tasks: dict[str, Measured], modules: dict[str, str]) -> None:
    said = {name: row.get(name) or "" for name in _READ}
    found = tasks.setdefault(modules.get(said["task"], said["task"]), Measured())
    place = place_of(said["split"], said["setting"])
    found.rows[place] += 1
    wording = said["template_id"].split("/")[0] or said["instruction"]
    if "unseen" in place:
        found.unseen[wording] += 1
    if place not in _SEEN:
        return
    found.seen[wording] += 1
    found.corpora[said["source"]] += 1
    found.places.setdefault(place, Counter())[said["source"]] += 1
    if answer := _ANSWER.match(said["output"]):
        found.labels.setdefault(place, Counter())[answer[0]] += 1
    if place in _TESTS:
        groups = (group for group in row.get("groups") or () if not group.startswith(DOMAIN_GROUPS))
        found.ties.setdefault(place, []).append((*(row.get("families") or ()), *groups))
    if place == "test_ood":
        found.ood_categories[said["category"]] += 1
    else:
        found.outputs[said["output"] if said["output"] in ("yes", "no") else "other"] += 1
    options = len(_OPTION.findall(said["options"]))
    found.options[options] += 1
    if place == "test":
        found.test_options[options] += 1
        found.grades.update(row.get("option_grades") or ())
    found.history = max(found.history, len(_HISTORY.findall(said["input"])))
