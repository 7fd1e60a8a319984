"""The closing tables of a build, for people."""

from collections.abc import Iterable, Mapping
from typing import Any

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from ecinstruct_build.console import print_whole
from ecinstruct_build.shortfall import SourceShare, source_shares, unmatched_settings
from ecinstruct_build.splits import SPLITS, place_order

_TEXTS = ("query text", "question text")
_INPUT_COUNTS = ("records", "ingested", "quarantined", "collapsed")


def render_summary(manifest: Mapping[str, Any], console: Console) -> None:
    """Print what a build made and what it left out.

    Parameters
    ----------
    manifest
        The dataset's manifest: ``inputs``, ``tasks``, ``stages``, ``audit``, ``peak_memory_bytes`` and
        ``shards`` are read.
    console
        Where to print.
    """
    tables = [_examples_table(manifest["tasks"]), _rows_table(manifest["tasks"]), _sources_table(manifest["inputs"])]
    tables += [_shares_table(manifest["tasks"]), _retention_table(manifest["tasks"])]
    tables += [_left_out_table(manifest["tasks"])]
    tables += [_stages_table(manifest["stages"])]
    for table in tables:
        if table.row_count:
            print_whole(table, console)
            console.print()
    for line in unmatched_settings(manifest):
        console.print(f"[yellow]Nothing matches:[/yellow] {escape(line)}", highlight=False)
    shards = manifest["shards"]
    rows, written = (sum(shard[name] for shard in shards) for name in ("rows", "bytes"))
    console.print(_audit_line(manifest["audit"]["with_training"]))
    console.print(
        f"{len(shards)} shard{'' if len(shards) == 1 else 's'}, {rows:,} rows, {_size(written)}; "
        f"peak memory {_size(manifest['peak_memory_bytes'])}."
    )


def _audit_line(found: Mapping[str, Mapping[str, int]]) -> str:
    counts = (f"{kind} {one['sharing']:,} of {one['carrying']:,}" for kind, one in sorted(found.items()))
    said = f"The audit passed. Held-out rows that share something with training: {', '.join(counts)}."
    if any(one["sharing"] for kind, one in found.items() if kind in _TEXTS):
        said += " Shared texts of queries and questions are others in the same words: they have no limit."
    return said


def _examples_table(tasks: Mapping[str, Any]) -> Table:
    table = _table("Examples (made/wanted where short)", "task", *SPLITS, "rows")
    for name, task in sorted(tasks.items()):
        table.add_row(name, *(_against_quota(task, split) for split in SPLITS), _count(sum(task["samples"].values())))
    made = [sum(_made(task, split) for task in tasks.values()) for split in SPLITS]
    table.add_section()
    table.add_row("all", *map(_count, made), _count(sum(sum(task["samples"].values()) for task in tasks.values())))
    return table


def _made(task: Mapping[str, Any], split: str) -> int:
    return sum(int(task[kind].get(split, 0)) for kind in ("examples", "frozen"))


def _against_quota(task: Mapping[str, Any], split: str) -> str:
    made, wanted = _made(task, split), task["wanted"].get(split, 0)
    return f"[yellow]{made:,}/{wanted:,}[/yellow]" if made < wanted else _count(made)


def _rows_table(tasks: Mapping[str, Any]) -> Table:
    """Rows by split (or, in the original's layout, by setting and split), all tasks together."""
    counts: dict[str, int] = {}
    for task in tasks.values():
        for split, count in task["samples"].items():
            counts[split] = counts.get(split, 0) + count
    table = _table("Published rows", "split", "rows")
    for split in sorted(counts, key=place_order):
        table.add_row(split, _count(counts[split]))
    return table


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


def _shares_table(tasks: Mapping[str, Any]) -> Table:
    """Lay out what the sources make of each split, for tasks whose recipe asks for shares; what is short stands out."""
    table = _table("Shares of the sources", "task", "source", "wanted", "drawn", *SPLITS, left=2)
    for name, task in sorted(tasks.items()):
        for one in source_shares(task):
            shares = (_share_made(one, split) for split in SPLITS)
            table.add_row(name, one.source, f"{one.wanted:.1%}", _count(one.drawn), *shares)
    return table


def _share_made(share: SourceShare, split: str) -> str:
    made = share.in_split(split)
    if made is None:
        return "-"
    return f"[yellow]{made:.1%}[/yellow]" if share.is_short(split) else f"{made:.1%}"


def _retention_table(tasks: Mapping[str, Any]) -> Table:
    table = _table("Kept by the split, of in-domain examples", "task", "examples", "kept", "by hashing")
    for name, task in sorted(tasks.items()):
        account = task["retention"]
        if account["examples"]:
            shares = (f"{account[way] / account['examples']:.1%}" for way in ("kept", "hashing"))
            table.add_row(name, _count(account["examples"]), *shares)
    return table


def _left_out_table(tasks: Mapping[str, Any]) -> Table:
    """Reasons with their counts, all tasks together; the card and the manifest have them by task."""
    table = _table("Left out, repaired or flagged", "", "reason", "tasks", "examples", left=3)
    for kind in ("rejected", "dropped", "repaired", "flagged"):
        for reason in sorted({reason for task in tasks.values() for reason in task[kind]}):
            counts = {name: task[kind][reason] for name, task in sorted(tasks.items()) if reason in task[kind]}
            where = _count(len(counts)) if len(counts) > 1 else next(iter(counts))
            table.add_row(kind, escape(reason), where, _count(sum(counts.values())))
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
    table = Table(
        title=title,
        title_justify="left",
        title_style="bold",
        box=box.SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        show_edge=False,
    )
    for place, column in enumerate(columns):
        table.add_column(
            column, justify="left" if place < left else "right", no_wrap=column != "reason", overflow="fold"
        )
    return table


def _count(number: int) -> str:
    return f"{number:,}" if number else "-"


def _size(count: int) -> str:
    return f"{count / 2**20:,.1f} MiB" if count < 2**30 else f"{count / 2**30:,.2f} GiB"
