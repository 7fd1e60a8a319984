"""How the splits that different seeds give differ from one another."""

from collections.abc import Mapping
from itertools import combinations
from typing import Any

from rich.console import Console
from rich.table import Table

from ecinstruct_build.console import print_whole
from ecinstruct_build.splits import SPLITS

Placed = Mapping[str, Mapping[str, str]]
"""By task: the split of each example, by example_id."""


def compare_splits(placed: Mapping[int, Placed]) -> dict[str, Any]:
    """Compare the splits of several seeds.

    Parameters
    ----------
    placed
        By seed: where its examples are.

    Returns
    -------
    dict
        ``seeds``; ``sizes``: by seed, task and split, the number of examples; ``pairs``: for each two seeds and each
        task, how many examples both seeds took (``both``), how many of these are in another split (``moved``), and
        by split how many examples are in it under both seeds (``shared``) and under either (``either``).
    """
    tasks = sorted({task for by_task in placed.values() for task in by_task})
    return {
        "seeds": list(placed),
        "sizes": {
            str(seed): {task: _sizes(by_task.get(task, {})) for task in tasks} for seed, by_task in placed.items()
        },
        "pairs": [
            {
                "seeds": [one, other],
                "tasks": {task: _difference(placed[one].get(task, {}), placed[other].get(task, {})) for task in tasks},
            }
            for one, other in combinations(placed, 2)
        ],
    }


def render_comparison(comparison: Mapping[str, Any], console: Console) -> None:
    """Print one table for each two seeds."""
    for pair in comparison["pairs"]:
        one, other = pair["seeds"]
        table = Table(title=f"Splits of the seeds {one} and {other}: shared of all")
        for column in ("task", "in both", "moved", *SPLITS):
            table.add_column(column, no_wrap=True)
        for task, row in pair["tasks"].items():
            shares = (f"{row['shared'][split]:,} of {row['either'][split]:,}" for split in SPLITS)
            table.add_row(task, f"{row['both']:,}", f"{row['moved']:,}", *shares)
        print_whole(table, console)


def _sizes(splits: Mapping[str, str]) -> dict[str, int]:
    return {name: sum(split == name for split in splits.values()) for name in SPLITS}


def _difference(one: Mapping[str, str], other: Mapping[str, str]) -> dict[str, Any]:
    both = one.keys() & other.keys()
    members = {
        split: ({key for key in one if one[key] == split}, {key for key in other if other[key] == split})
        for split in SPLITS
    }
    return {
        "both": len(both),
        "moved": sum(one[key] != other[key] for key in both),
        "shared": {split: len(left & right) for split, (left, right) in members.items()},
        "either": {split: len(left | right) for split, (left, right) in members.items()},
    }
