"""Show on a terminal how a dataset stands to the original."""

from collections import Counter

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from ecinstruct_build.console import print_whole
from ecinstruct_build.parity.compare import Parity

_STYLES = {"same": "green", "explained": "yellow", "too few": "dim", "unexplained": "bold red"}


def render_parity(parity: Parity, console: Console) -> None:
    """Print a line for each comparison, and how many there are of each kind."""
    table = Table(title="This dataset and the eCeLLM paper's", title_justify="left")
    for name in ("task", "what", "ours", "original's", "verdict", "reason"):
        table.add_column(name, no_wrap=name in {"task", "verdict"})
    for line in parity.lines:
        verdict = f"[{_STYLES[line.verdict]}]{line.verdict}[/]"
        cells = (line.task, line.what, line.ours, line.original)
        table.add_row(*map(escape, cells), verdict, escape(line.reason))
    print_whole(table, console)
    counts = Counter[str](line.verdict for line in parity.lines)
    console.print(", ".join(f"{counts[name]} {name}" for name in _STYLES) + ".", highlight=False)
