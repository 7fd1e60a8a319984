"""A figure of the report: a chart, what its numbers stand for, and the same in a table."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from ecinstruct_build.reporting.page.charts import Kind
from ecinstruct_build.reporting.page.svg import Frame


@dataclass(frozen=True)
class Table:
    """A table; its first column names the rows, and columns named in ``words`` are no numbers."""

    heads: Sequence[str]
    rows: Sequence[Sequence[str]]
    words: Sequence[str] = ()


@dataclass(frozen=True)
class Figure:
    """A figure.

    Attributes
    ----------
    frame, note
        What it is called, and how to read it.
    chart
        The drawing.
    table
        The figures in it.
    legend
        What its numbered parts are.
    sideways
        Whether a telephone has to scroll the chart.
    """

    frame: Frame
    note: str
    chart: Markup
    table: Table
    legend: tuple[Kind, ...] = ()
    sideways: bool = False
