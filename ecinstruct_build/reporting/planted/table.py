"""The score of planted defects as a table for people."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

_PLACES = 3  # missed ones that are named


def print_scores(scores: Sequence[Mapping[str, Any]], console: Console, title: str = "Planted defects") -> None:
    """Print what was found of each kind of planted defect, and name some that were missed.

    *Shown* is what examples show of the planted; *hits* are all findings of the kind's checks, *right* those that
    stand on planted records. Where the generated world holds cases of its own, precision is not said.

    Parameters
    ----------
    scores
        As `ecinstruct_build.reporting.planted.gathering.scores_json` returns them.
    console
        Where to print.
    title
        The table's heading.
    """
    table = Table(
        title=title,
        title_justify="left",
        title_style="bold",
        box=box.SIMPLE_HEAD,
        show_edge=False,
        padding=(0, 1, 0, 0),
    )
    for place, column in enumerate(("kind", "planted", "shown", "found", "recall", "hits", "right", "precision")):
        table.add_column(column, justify="right" if place else "left", no_wrap=True)
    for row in scores:
        name = f"  {row['form']}" if row["form"] else row["kind"].replace("_", " ")
        counts = (f"{row[key]:,}" for key in ("planted", "reachable", "found"))
        right = (f"{row[key]:,}" if row["precision"] is not None else "-" for key in ("findings", "right"))
        table.add_row(escape(name), *counts, share(row["recall"]), *right, share(_told(row)))
    console.print(table)
    for row in scores:
        if row["form"]:
            continue
        if row["missed"]:
            more = f" and {len(row['missed']) - _PLACES:,} more" if len(row["missed"]) > _PLACES else ""
            console.print(
                f"missed {row['kind']}: {', '.join(row['missed'][:_PLACES])}{more}", markup=False, soft_wrap=True
            )
        if row["natural"] and row["right"] < row["findings"]:
            console.print(f"not all planted, {row['kind']}: {row['natural']}", markup=False, soft_wrap=True)


def _told(row: Mapping[str, Any]) -> float | None:
    """Return the precision, unless findings that were not planted may be right all the same."""
    return None if row["natural"] and row["right"] < row["findings"] else row["precision"]


def share(value: float | None) -> str:
    """Return a share for people; "-" where there is none."""
    return "-" if value is None else f"{value:.3f}"
