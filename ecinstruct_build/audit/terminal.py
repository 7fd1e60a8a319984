"""Show an audit on a terminal."""

from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from ecinstruct_build.audit.page import fault_totals, is_over, matrix, matrix_columns, verdict, yardstick
from ecinstruct_build.audit.result import TRAIN, Audit, Overlap
from ecinstruct_build.audit.texts import counted
from ecinstruct_build.console import print_whole

_NOTHING = "[dim]-[/dim]"
"""Stands where no row carries anything of the kind, so that there is nothing to compare."""


def render_audit(audit: Audit, console: Console) -> None:
    """Print what was found: overlaps, faults, and the limits that are exceeded, one line each."""
    print_whole(_overlaps(audit), console)
    if said := yardstick(audit):
        console.print(said, highlight=False)
    print_whole(_faults(audit), console)
    render_exceeded(audit, console)
    where = f"{counted(audit.rows, 'row')} in {counted(audit.files, 'file')}, {verdict(audit)}"
    outcome = "[green]The audit passed:[/green]" if audit.passed else "[red]The audit failed:[/red]"
    console.print(f"{outcome} {where}.", highlight=False)


def render_exceeded(audit: Audit, console: Console) -> None:
    """Print the limits that are exceeded, one line each."""
    for one in audit.exceeded:
        console.print(f"[red]exceeded:[/red] {escape(str(one))}", highlight=False, soft_wrap=True)


def _overlaps(audit: Audit) -> Table:
    """Return the leakage matrix, with all pairs that training is no part of as one column (their largest number)."""
    columns = matrix_columns(audit)
    with_train = [pair for pair in columns if pair[0] == TRAIN]
    table = Table(title="Rows that share something with training, or with another split", title_justify="left")
    table.add_column("kind", no_wrap=True)
    for _, right in with_train:
        table.add_column(right.replace("_instructions", "").replace("_", " "), justify="right", no_wrap=True)
    table.add_column("others", justify="right", no_wrap=True)
    for row in matrix(audit):
        cells = dict(zip(columns, row.cells, strict=True))
        others = [cell for pair, cell in cells.items() if pair not in with_train]
        kind = escape(row.kind) if row.limited else f"{escape(row.kind)} [dim](no limit)[/dim]"
        table.add_row(kind, *(_number([cells[pair]], audit) for pair in with_train), _number(others, audit))
    return table


def _number(cells: Sequence[Overlap | None], audit: Audit) -> str:
    compared = [one for one in cells if one is not None and one.right_carrying]
    if not compared:
        return _NOTHING
    most = max(one.right_rows for one in compared)
    over = any(is_over(one, audit) for one in compared)
    return f"[red]{most:,}[/red]" if over else f"{most:,}"


def _faults(audit: Audit) -> Table:
    table = Table(title="Faults of rows", title_justify="left")
    table.add_column("fault", no_wrap=True)
    for name in ("rows", "largest share"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("where", no_wrap=True)
    for kind, rows, _, share, where in fault_totals(audit.faults):
        table.add_row(kind, f"{rows:,}", f"{share:.2%}", escape(where))
    return table
