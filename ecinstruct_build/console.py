"""What a terminal shows: progress as bars, or as plain lines where there is none; tables of which nothing is cut."""

from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self

from rich.cells import cell_len
from rich.console import Console, RenderableType
from rich.filesize import decimal
from rich.markup import escape
from rich.progress import (
    BarColumn,
    DownloadColumn,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.progress import Progress as Bars
from rich.table import Table
from rich.text import Text

from ecinstruct_build.progress import Advance


class _OfBytes(ProgressColumn):
    """Shows a column for work whose steps are bytes from afar, and nothing for other work."""

    def __init__(self, column: ProgressColumn) -> None:
        super().__init__()
        self._column = column

    def render(self, task: Task) -> RenderableType:
        """Return what the column shows of a piece of work."""
        return self._column(task) if task.fields.get("of_bytes") else Text()


class RichProgress:
    """Shows each piece of work as a bar, and leaves a line with its time when it is done."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._bars = Bars(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f}%"),
            TimeElapsedColumn(),
            _OfBytes(DownloadColumn()),
            _OfBytes(TransferSpeedColumn()),
            _OfBytes(TimeRemainingColumn()),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bars.stop()

    @contextmanager
    def track(self, label: str, total: int | None = None, *, of_bytes: bool = False) -> Iterator[Advance]:
        """Show a bar while the work runs."""
        task = self._bars.add_task(escape(label), total=total, of_bytes=of_bytes)
        try:
            yield lambda steps: self._bars.advance(task, steps)
        finally:
            shown = self._bars.tasks[self._bars.task_ids.index(task)]
            self._bars.remove_task(task)
        size = f"{decimal(int(shown.completed))}, " if of_bytes else ""
        elapsed = f"{size}{shown.elapsed or 0.0:.1f} s"
        self._console.print(f"[green]done[/green] {escape(label)} [dim]{elapsed}[/dim]", highlight=False)

    def note(self, message: str) -> None:
        """Print a remark."""
        self._console.print(f"[yellow]note[/yellow] {escape(message)}", highlight=False)


def print_whole(table: Table, console: Console) -> None:
    """Print a table of which nothing is cut.

    A narrow terminal may break its lines, but neither a word nor, in a ``no_wrap`` column, a whole cell is broken; a
    word of a column whose overflow is ``fold`` is.
    """
    for column in table.columns:
        if column.no_wrap or column.overflow != "fold":
            texts = [Text.from_markup(str(cell)).plain for cell in (column.header, *column.cells, column.footer)]
            parts = texts if column.no_wrap else [word for text in texts for word in text.split()]
            column.min_width = max(map(cell_len, parts), default=0)
    narrowest = console.measure(table, options=console.options.update(max_width=10_000)).minimum
    if narrowest > console.width:
        table.width = narrowest
    console.print(table, crop=False)
