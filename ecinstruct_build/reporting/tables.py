"""The report on checks as tables for people; see `ecinstruct_build.reporting.checks`."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from ecinstruct_build.console import print_whole
from ecinstruct_build.reporting.checks import ACTIONS
from ecinstruct_build.reporting.planted.table import print_scores, share

_NO_THRESHOLD = 0.0
_COLOURS = {"reject": "red", "repair": "cyan", "flag": "yellow", "keep": "green"}
_DONE = {"reject": "rejected", "repair": "repaired", "flag": "flagged", "keep": "kept, but only just"}

_MEMBERS = 10  # of a group of look-alikes that are printed


def render_report(report: Mapping[str, Any], console: Console) -> None:
    """Print a report on checks.

    Parameters
    ----------
    report
        As `ecinstruct_build.reporting.checks.report_json` returns it.
    console
        Where to print.
    """
    if report["counts"]:
        print_whole(_counts_table(report["counts"]), console)
    else:
        console.print("The checks have nothing to say of these examples.")
    for action in ACTIONS:
        _print_nearest([row for row in report["nearest"] if row["action"] == action], _DONE[action], console)
    for number, cluster in enumerate(report["clusters"], 1):
        _print_cluster(cluster, number, console)
    if report["planted"]:
        console.print()
        print_scores(report["planted"], console)


def _counts_table(counts: Sequence[Mapping[str, Any]]) -> Table:
    table = Table(title="Checks", title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, show_edge=False)
    table.padding = (0, 1, 0, 0)
    table.add_column("check, task", no_wrap=True)
    table.add_column("action", no_wrap=True)
    table.add_column("reason")
    for column in ("examples", "of drawn"):
        table.add_column(column, justify="right", no_wrap=True)
    last = ""
    for row in counts:
        if row["check"] != last:
            table.add_row(f"[bold]{escape(row['check'])}[/bold]")
            last = row["check"]
        action = f"[{_COLOURS[row['action']]}]{row['action']}[/]"
        task, reason = f"  {escape(row['task'])}", escape(row["reason"])
        table.add_row(task, action, reason, f"{row['examples']:,}", f"{row['share']:.1%}")
    return table


def _print_nearest(rows: Sequence[Mapping[str, Any]], heading: str, console: Console) -> None:
    if rows:
        console.print()
        console.rule(f"[bold]{heading}[/bold]", align="left")
    for row in rows:
        scored = "" if row["score"] == _NO_THRESHOLD else f"  {share(row['score'])}"
        console.print(Text.assemble((row["reason"], "bold"), scored, ("  " + row["example_id"], "dim")))
        for name in ("detail", "text", "peer_text"):
            if row[name]:
                label = {"detail": "seen", "text": "text", "peer_text": "peer"}[name]
                console.print(Text.assemble((f"  {label}  ", "cyan"), row[name]))


def _print_cluster(cluster: Mapping[str, Any], number: int, console: Console) -> None:
    console.print()
    console.print(Text(f"Alike {number}: kept {', '.join(cluster['kept']) or 'none'}", "bold"))
    for member in cluster["members"][:_MEMBERS]:
        console.print(Text(f"  {member['score']:.3f}  {member['example_id']}  like  {member['peer']}"))
    if len(cluster["members"]) > _MEMBERS:
        console.print(f"  and {len(cluster['members']) - _MEMBERS:,} more (all of them with --json)")
