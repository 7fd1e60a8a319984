"""The closing tables of a build, for people."""

from collections.abc import Iterable, Mapping
from typing import Any

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from ecinstruct_build.splits import ORIGINAL_SPLIT, PUBLISHED_SPLITS, SPLITS

_ROW_SPLITS = tuple(dict.fromkeys(["train", "validation", *ORIGINAL_SPLIT.values(), *PUBLISHED_SPLITS]))
_INPUT_COUNTS = ("records", "ingested", "quarantined", "collapsed")


def render_summary(manifest: Mapping[str, Any], console: Console) -> None:
    """Print what a build made and what it left out.

    Parameters
    ----------
    manifest
        The dataset's manifest: ``inputs``, ``tasks``, ``stages``, ``peak_memory_bytes`` and ``shards`` are read.
    console
        Where to print.
    """
    console.print(_examples_table(manifest["tasks"]))
    console.print(_samples_table(manifest["tasks"]))
    console.print(_sources_table(manifest["inputs"]))
    left_out = _left_out_table(manifest["tasks"])
    if left_out.row_count:
        console.print(left_out)
    console.print(_stages_table(manifest["stages"]))
    shards = manifest["shards"]
    rows, written = (sum(shard[name] for shard in shards) for name in ("rows", "bytes"))
    console.print(
        f"{len(shards)} shard{'' if len(shards) == 1 else 's'}, {rows:,} rows, {_size(written)}; "
        f"peak memory {_size(manifest['peak_memory_bytes'])}."
    )


def _examples_table(tasks: Mapping[str, Any]) -> Table:
    table = _table("Examples (made / wanted)", "task", *SPLITS)
    for name, task in sorted(tasks.items()):
        table.add_row(name, *(_against_quota(task, split) for split in SPLITS))
    return table


def _against_quota(task: Mapping[str, Any], split: str) -> str:
    made, wanted = task["examples"].get(split, 0), task["wanted"].get(split, 0)
    if not made and not wanted:
        return "-"
    text = f"{made:,} / {wanted:,}"
    return f"[yellow]{text}[/yellow]" if made < wanted else text


def _samples_table(tasks: Mapping[str, Any]) -> Table:
    """Rows by split; the settings of the original's layout (``IND_Single_Instruction/train``) are added up."""
    rows = {name: _by_split(task["samples"]) for name, task in sorted(tasks.items())}
    found = {split for counts in rows.values() for split in counts}
    splits = [split for split in _ROW_SPLITS if split in found] + sorted(found - set(_ROW_SPLITS))
    table = _table("Published rows", "task", *splits, "all")
    for name, counts in rows.items():
        table.add_row(name, *(_count(counts.get(split, 0)) for split in splits), _count(sum(counts.values())))
    totals = [sum(counts.get(split, 0) for counts in rows.values()) for split in splits]
    table.add_section()
    table.add_row("all", *map(_count, totals), _count(sum(totals)))
    return table


def _by_split(samples: Mapping[str, int]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for name, count in samples.items():
        split = name.rsplit("/", maxsplit=1)[-1]
        counts[split] = counts.get(split, 0) + count
    return counts


def _sources_table(inputs: Iterable[Mapping[str, Any]]) -> Table:
    table = _table("Records read", "source", "files", "size", *_INPUT_COUNTS)
    by_source: dict[str, list[Mapping[str, Any]]] = {}
    for entry in inputs:
        by_source.setdefault(entry["source"], []).append(entry)
    for source, entries in sorted(by_source.items()):
        counts = [sum(entry[name] for entry in entries) for name in _INPUT_COUNTS]
        table.add_row(
            source, _count(len(entries)), _size(sum(entry["bytes"] for entry in entries)), *map(_count, counts)
        )
    return table


def _left_out_table(tasks: Mapping[str, Any]) -> Table:
    table = _table("Left out or flagged", "task", "", "reason", "examples", left=3)
    for name, task in sorted(tasks.items()):
        for kind in ("rejected", "dropped", "flagged"):
            for reason, count in sorted(task[kind].items()):
                table.add_row(name, kind, escape(reason), _count(count))
    return table


def _stages_table(stages: Iterable[Mapping[str, Any]]) -> Table:
    table = _table("Time", "stage", "seconds", "runs", "reused")
    by_stage: dict[str, list[Mapping[str, Any]]] = {}
    for stage in stages:
        by_stage.setdefault(stage["stage"], []).append(stage)
    for name, runs in by_stage.items():
        fresh = [run for run in runs if not run["cached"]]
        seconds = sum(run["seconds"] for run in fresh)
        table.add_row(name, f"{seconds:.1f}", _count(len(fresh)), _count(len(runs) - len(fresh)))
    return table


def _table(title: str, *columns: str, left: int = 1) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD)
    for place, column in enumerate(columns):
        table.add_column(column, justify="left" if place < left else "right", overflow="fold")
    return table


def _count(number: int) -> str:
    return f"{number:,}" if number else "-"


def _size(count: int) -> str:
    return f"{count / 2**20:,.1f} MiB" if count < 2**30 else f"{count / 2**30:,.2f} GiB"
