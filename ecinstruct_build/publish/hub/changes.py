"""What differs between the samples of two versions: added, removed, changed, moved between splits."""

import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import xxhash

from ecinstruct_build.registry import TASKS
from ecinstruct_build.splits import place_order

_TEXTS = ("instruction", "input", "options", "output", "few_shot_example", "row_sha256")
"""What a reader reads; where only ids are published, the digest that stands for it."""

_KEY = ("task", "split", "setting", "example_id")
_SPLITS = {"train": "train", "val": "validation", "test": "test"}
_BATCH_ROWS = 4096


class Row(NamedTuple):
    """A sample without its text: its split, and digests of its texts and of its other columns."""

    split: str
    text: bytes
    rest: bytes


Rows = dict[tuple[str, str], Row]
"""The samples of a task by example id and setting."""


@dataclass(frozen=True)
class TaskChanges:
    """How the samples of one task differ.

    Attributes
    ----------
    task
        Its name.
    added, removed
        Samples by split.
    changed
        Samples of the same example, setting and split with other text.
    moved
        Samples by (split before, split after); their text may differ as well.
    annotated
        Samples whose text and split are the same, but not what the other columns say of them.
    gone
        Ids of the examples that removed samples were made of, for each such sample, sorted.
    reasons
        Why samples were removed: how many by reason. Filled by whoever knows; see `with_reasons`.
    """

    task: str
    added: Mapping[str, int] = field(default_factory=dict)
    removed: Mapping[str, int] = field(default_factory=dict)
    changed: int = 0
    moved: Mapping[tuple[str, str], int] = field(default_factory=dict)
    annotated: int = 0
    gone: tuple[str, ...] = ()
    reasons: Mapping[str, int] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.changed or self.moved or self.annotated)

    def to_json(self) -> dict[str, Any]:
        """Return the counts as JSON values."""
        return {
            "added": dict(self.added),
            "removed": dict(self.removed),
            "changed": self.changed,
            "moved": {f"{before} to {after}": count for (before, after), count in self.moved.items()},
            "annotated": self.annotated,
            "reasons": dict(self.reasons),
        }


def compare(before: Mapping[str, Rows], after: Mapping[str, Rows]) -> list[TaskChanges]:
    """Compare the samples of two versions, or of those of their files that differ.

    Parameters
    ----------
    before, after
        Samples by task, as `read_rows` returns them.

    Returns
    -------
    list of TaskChanges
        By name of task; tasks that do not differ are left out.
    """
    found = (_compare_task(task, before.get(task, {}), after.get(task, {})) for task in sorted({*before, *after}))
    return [one for one in found if one]


def read_rows(shards: Iterable[Path]) -> dict[str, Rows]:
    """Read the samples of some shards by task, batch by batch.

    Raises
    ------
    pyarrow.ArrowException, OSError
        If a file is not readable as Parquet.
    """
    tasks: defaultdict[str, Rows] = defaultdict(dict)
    modules = {task.published_name: task.name for task in TASKS}
    for path in shards:
        with pq.ParquetFile(path) as shard:
            for batch in shard.iter_batches(_BATCH_ROWS):
                _take(batch, tasks, modules)
    return dict(tasks)


def example_ids(shards: Iterable[Path]) -> set[str]:
    """Return the ids of the examples that stand in some shards."""
    found: set[str] = set()
    for path in shards:
        with pq.ParquetFile(path) as shard:
            if "example_id" in shard.schema_arrow.names:
                found.update(shard.read(["example_id"])["example_id"].unique().to_pylist())
    return found


def with_reasons(changes: TaskChanges, standing: set[str], fates: Mapping[str, str]) -> TaskChanges:
    """Count why the samples of a task were removed.

    Parameters
    ----------
    changes
        Of one task.
    standing
        Ids of the examples that still stand in the version after, whatever the setting.
    fates
        What became of the other examples, by id.
    """
    reasons = Counter(
        "the example is published in other splits or settings" if one in standing else _line(fates.get(one, "unknown"))
        for one in changes.gone
    )
    ordered = dict(sorted(reasons.items(), key=lambda item: (-item[1], item[0])))
    return replace(changes, reasons=ordered)


def _compare_task(task: str, before: Rows, after: Rows) -> TaskChanges:
    added = Counter(after[key].split for key in after.keys() - before.keys())
    gone = sorted(before.keys() - after.keys())
    moved: Counter[tuple[str, str]] = Counter()
    changed = annotated = 0
    for key in before.keys() & after.keys():
        old, new = before[key], after[key]
        if old.split != new.split:
            moved[old.split, new.split] += 1
        elif old.text != new.text:
            changed += 1
        elif old.rest != new.rest:
            annotated += 1
    return TaskChanges(
        task,
        added=_in_order(added),
        removed=_in_order(Counter(before[key].split for key in gone)),
        changed=changed,
        moved={pair: moved[pair] for pair in sorted(moved, key=lambda pair: tuple(map(place_order, pair)))},
        annotated=annotated,
        gone=tuple(example for example, _ in gone),
    )


def _take(batch: pa.RecordBatch, tasks: defaultdict[str, Rows], modules: Mapping[str, str]) -> None:
    names = batch.schema.names
    empty = [""] * batch.num_rows
    keys = [batch.column(name).to_pylist() if name in names else empty for name in _KEY]
    texts = _digests(batch, [name for name in _TEXTS if name in names])
    rests = _digests(batch, sorted(name for name in names if name not in (*_TEXTS, *_KEY)))
    for task, split, setting, example_id, text, rest in zip(*keys, texts, rests, strict=True):
        name = modules.get(task or "", _line(task or ""))
        kept_setting = sys.intern(setting or "")
        place = sys.intern(_split(split or "", kept_setting))
        tasks[name][example_id or text.hex(), kept_setting] = Row(place, text, rest)


def _digests(batch: pa.RecordBatch, names: list[str]) -> list[bytes]:
    if not names:
        return [b""] * batch.num_rows
    joined = pc.binary_join_element_wise(*(_as_text(batch.column(name)) for name in names), "\x1e")
    return list(map(xxhash.xxh3_128_digest, joined.cast(pa.binary()).to_pylist()))


def _as_text(column: pa.Array) -> pa.Array:
    """Return a column with one text for each different value, nulls included."""
    kind = column.type
    if pa.types.is_list(kind) and pa.types.is_string(kind.value_type) and not column.flatten().null_count:
        # The length keeps no items apart from one empty one.
        lengths = pc.list_value_length(column).cast(pa.string())
        column = pc.binary_join_element_wise(lengths, pc.binary_join(column, "\x1f"), "\x1f")
    elif not pa.types.is_string(kind):
        column = pa.array([None if value is None else repr(value) for value in column.to_pylist()], pa.string())
    return pc.fill_null(column, "\x00")


def _split(split: str, setting: str) -> str:
    """Return the Hugging Face split that a row stands in, in whichever layout."""
    name = _SPLITS.get(split, _line(split))
    if name != "test":
        return name
    ood = "_ood" if setting.startswith("OOD") else ""
    return f"{name}{ood}{'_unseen_instructions' if 'Unseen' in setting else ''}"


def _in_order(counts: Mapping[str, int]) -> dict[str, int]:
    return {split: counts[split] for split in sorted(counts, key=place_order)}


def _line(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()[:200]
