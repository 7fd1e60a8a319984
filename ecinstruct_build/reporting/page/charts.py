"""Charts: bars, stacked bars, histograms, columns, dots with whiskers, and heat matrices.

Charts are as wide as the page allows: what is placed along a scale is placed in shares of the width, and labels stand
above what they name, so that they read the same on a telephone. Kinds are told apart by number as well as by colour.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from math import ceil, floor, log10
from textwrap import wrap

from markupsafe import Markup

from ecinstruct_build.reporting.page.svg import Frame, drawing, element, line, marker, percent, rect, text

KINDS = 8
"""Colours that the page has for kinds; more kinds begin anew."""

_LINE, _BAR, _GAP = 16, 14, 13  # heights of a line of text, of a bar, and of what is left free below it
_LABEL, _SHOWN, _ROOM = 7.4, 6.4, 340  # widths of a letter of both texts, and what a telephone has for them
_LABEL_LINES = 2
_NUMBERED = 0.045  # share of the width that a part takes at least for its number to stand in it
_SEEN = 0.006  # share of the width that a part takes at least to be drawn to scale
_TALLEST = 34  # column of a histogram
_FIELD, _ROW_LETTERS, _ROW_LETTER = 32, 18, 6.9  # height of a matrix's row, letters in a line of its name, their width
_DOT, _DIAMOND = "M-5.5 0a5.5 5.5 0 1 0 11 0a5.5 5.5 0 1 0-11 0z", "M0-6.5L6.5 0L0 6.5L-6.5 0z"


@dataclass(frozen=True)
class Row:
    """One line of a chart.

    Attributes
    ----------
    label, shown
        What it is, and its figures in words, above the line on the left and on the right.
    parts
        Shares of the width, one for each kind, or the positions that the chart is about.
    tips
        What is shown to who points at each part.
    """

    label: str
    shown: str
    parts: tuple[float, ...]
    tips: tuple[str, ...] = ()


@dataclass(frozen=True)
class Kind:
    """A kind of part: its number, which of the page's colours it has, and its name."""

    number: int
    look: int
    name: str


@dataclass(frozen=True)
class Whisker:
    """An estimate with its interval; ``state`` is ``good``, ``bad`` or ``open``. None = there is no estimate."""

    label: str
    shown: str
    value: float | None
    low: float | None
    high: float | None
    state: str


@dataclass(frozen=True)
class Cell:
    """One field of a heat matrix.

    Attributes
    ----------
    shown
        Its figure.
    strength
        How dark it is, from 0 to 1.
    state
        ``bad`` is marked, ``none`` is empty.
    tip
        What is shown to who points at it.
    """

    shown: str
    strength: float
    state: str = ""
    tip: str = ""


def kinds_of(names: Sequence[str], looks: Sequence[int] = range(KINDS)) -> tuple[Kind, ...]:
    """Return kinds numbered from 1 on."""
    return tuple(Kind(place + 1, looks[place % len(looks)], name) for place, name in enumerate(names))


def stacked(frame: Frame, rows: Sequence[Row], kinds: Sequence[Kind]) -> Markup:
    """Draw a bar of parts for each row; a part has the number of its kind where there is room."""
    headings = _Headings([(row.label, row.shown) for row in rows], _BAR)
    drawn = headings.drawn()
    for place, row in enumerate(rows):
        start, top = 0.0, headings.top(place)
        for kind, part, tip in zip(kinds, row.parts, row.tips or ("",) * len(kinds), strict=False):
            if part > 0:
                drawn.append(_part(start, top, part, kind.look, tip))
                if part >= _NUMBERED and len(kinds) > 1:
                    drawn.append(text(str(kind.number), percent(start + part / 2), top + 11, "number", "middle"))
                start += part
    return drawing(frame, headings.height, drawn)


def _part(start: float, top: float, part: float, look: int, tip: str) -> Markup:
    """Return a part of a bar; one that would not be seen is two pixels wide."""
    if part >= _SEEN:
        return rect(start, top, part, _BAR, f"part k{look}", tip=tip)
    told = element("title", tip) if tip else ""
    return element("rect", told, x=percent(start), y=top, width=2, height=_BAR, class_=f"k{look}")


def histograms(
    frame: Frame, rows: Sequence[Row], marks: Sequence[tuple[float, float]], ticks: Sequence[tuple[str, float]]
) -> Markup:
    """Draw a histogram for each row.

    Parameters
    ----------
    frame
        What it is called.
    rows
        Their ``parts`` are shares of the row's total, bin by bin.
    marks
        Where the median and the 95th percentile of each row stand.
    ticks
        Labels of the axis, each with its place.
    """
    headings = _Headings([(row.label, row.shown) for row in rows], _TALLEST + 12)
    drawn = headings.drawn()
    for place, (row, (median, p95)) in enumerate(zip(rows, marks, strict=True)):
        top, bottom = headings.top(place) + 6, headings.top(place) + _TALLEST + 8
        tallest, width = max(row.parts, default=0) or 1, 1 / max(1, len(row.parts))
        for position, part in enumerate(row.parts):
            if part > 0:
                tall = max(1.5, _TALLEST * part / tallest)
                drawn.append(
                    rect(position * width, bottom - tall, width * 0.94, tall, "part k0", tip=row.tips[position])
                )
        drawn += [line(0, bottom, 1, bottom, "axis"), line(median, top, median, bottom + 4, "median")]
        drawn += [marker("M-4 0L4 0L0 5z", median, top - 3, "ink"), line(p95, top, p95, bottom + 4, "limit")]
    for label, x in ticks:
        drawn += [text(label, percent(x), headings.height + 6, "tick")]
    return drawing(frame, headings.height + 12, drawn)


def columns(frame: Frame, found: Sequence[tuple[str, float, float, str]]) -> Markup:
    """Draw columns with the height that was to be expected of each: (label, height, expected height, tip)."""
    drawn, tallest = [], max((max(one[1], one[2]) for one in found), default=0) or 1
    bottom, width = 104, 1 / max(1, len(found))
    for place, (label, height, expected, tip) in enumerate(found):
        tall, level, left = 92 * height / tallest, bottom - 92 * expected / tallest, place * width
        drawn.append(rect(left + width * 0.14, bottom - tall, width * 0.72, tall, "part k0", tip=tip))
        drawn.append(line(left + width * 0.02, level, left + width * 0.98, level, "expected"))
        drawn.append(text(label, percent(left + width / 2), bottom + 16, "tick", "middle"))
    drawn.append(line(0, bottom, 1, bottom, "axis"))
    return drawing(frame, bottom + 24, drawn)


def pairs_of_dots(frame: Frame, rows: Sequence[Row]) -> Markup:
    """Draw two shares of one whole for each row: the first as a dot, the second as a hollow diamond."""
    headings = _Headings([(row.label, row.shown) for row in rows], _BAR)
    drawn = headings.drawn()
    for place, row in enumerate(rows):
        middle, (one, other) = headings.top(place) + 7, row.parts
        drawn += [line(0, middle, 1, middle, "track"), line(min(one, other), middle, max(one, other), middle, "bridge")]
        tips = (*row.tips, "", "")
        drawn += [marker(_DIAMOND, other, middle, "hollow", tips[1]), marker(_DOT, one, middle, "solid", tips[0])]
    return drawing(frame, headings.height + 20, [*drawn, *_axis(headings.height, 1.0)])


def whiskers(frame: Frame, rows: Sequence[Whisker], limit: float) -> Markup:
    """Draw estimates with their intervals, and the limit that they are held against."""
    ends = [row.high or 0 for row in rows if row.value is not None]
    scale = _rounded_up(max([*ends, 1.5 * limit, 0.02]))
    at = limit / scale
    headings = _Headings([(row.label, row.shown) for row in rows], _BAR)
    drawn = headings.drawn()
    for place, row in enumerate(rows):
        middle = headings.top(place) + 7
        drawn += [
            line(0, middle, 1, middle, "track"),
            line(at, middle - 9, at, middle + 9, "limit"),
        ]
        if row.value is not None and row.low is not None and row.high is not None:
            low, high, value = (min(1.0, one / scale) for one in (row.low, row.high, row.value))
            drawn += [line(low, middle, high, middle, "whisker")]
            drawn += [line(end, middle - 5, end, middle + 5, "whisker") for end in (low, high)]
            shape, look = (_DIAMOND, "ink bad") if row.state == "bad" else (_DOT, "solid")
            drawn.append(marker(shape, value, middle, look if row.state != "open" else "hollow", row.shown))
    return drawing(frame, headings.height + 20, [*drawn, *_axis(headings.height, scale)])


def matrix(frame: Frame, heads: Sequence[str], rows: Sequence[tuple[str, Sequence[Cell]]], cell: int = 66) -> Markup:
    """Draw a field for each row and column; as wide as it needs to be.

    Parameters
    ----------
    frame
        What it is called.
    heads, rows
        Names of the columns (a line break begins another line); names of the rows with their cells.
    cell
        Width of a column.
    """
    labels = [wrap(label, _ROW_LETTERS, max_lines=2, placeholder=" \N{HORIZONTAL ELLIPSIS}") for label, _ in rows]
    left = 14 + _ROW_LETTER * max((len(line) for label in labels for line in label), default=0)
    lines = [head.split("\n") for head in heads]
    top = 10 + 14 * max((len(one) for one in lines), default=1)
    drawn = []
    for place, words in enumerate(lines):
        x = left + (place + 0.5) * cell
        drawn += [text(word, x, top - 6 - 14 * number, "tick", "middle") for number, word in enumerate(reversed(words))]
    for number, (label, (_, cells)) in enumerate(zip(labels, rows, strict=True)):
        y = top + _FIELD * number
        first = y + (_FIELD / 2 + 4.5) - 7 * (len(label) - 1)
        drawn += [text(words, left - 8, first + 14 * place, "label row", "end") for place, words in enumerate(label)]
        drawn += [part for place, one in enumerate(cells) for part in _field(one, left + place * cell, y, cell)]
    return drawing(frame, top + _FIELD * len(rows) + 2, drawn, width=left + cell * len(heads) + 2)


def _field(cell: Cell, x: float, y: float, width: float) -> list[Markup]:
    look = {"bad": "field bad", "none": "field none"}.get(cell.state, "field")
    opacity = f"{0.06 + 0.5 * cell.strength:.3f}" if cell.state != "none" and cell.strength > 0 else "0.03"
    tip = element("title", cell.tip) if cell.tip else ""
    box = element(
        "rect", tip, x=x + 1, y=y + 1, width=width - 2, height=_FIELD - 2, rx=2, class_=look, fill_opacity=opacity
    )
    shown = f"{cell.shown} \N{BALLOT X}" if cell.state == "bad" else cell.shown
    faint = "dim" if cell.state == "none" or cell.shown in ("0", "") else ""
    return [box, text(shown, x + width / 2, y + _FIELD / 2 + 4.5, f"figure {faint}".strip(), "middle")]


class _Headings:
    """The texts above the rows of a chart, in as many lines as keep them apart on a telephone."""

    def __init__(self, texts: Sequence[tuple[str, str]], body: float) -> None:
        letters, more = int(_ROOM / _LABEL), " \N{HORIZONTAL ELLIPSIS}"
        labels = [wrap(label, letters, max_lines=_LABEL_LINES, placeholder=more) or [""] for label, _ in texts]
        self._texts = [(label, shown) for label, (_, shown) in zip(labels, texts, strict=True)]
        self._below = any(_LABEL * len(label[-1]) + _SHOWN * len(shown) > _ROOM for label, shown in self._texts)
        lines = [len(label) + self._below for label in labels]
        ends = list(accumulate(_LINE * count + 5 + body + _GAP for count in lines))
        self._tops = [end - body - _GAP for end in ends]
        self.height = ends[-1] if ends else 0.0

    def top(self, place: int) -> float:
        """Return where a row's body begins."""
        return self._tops[place]

    def drawn(self) -> list[Markup]:
        """Return the texts."""
        drawn = []
        for place, (label, shown) in enumerate(self._texts):
            last = self.top(place) - 6
            if self._below:
                drawn.append(text(shown, 0, last, "shown"))
                last -= _LINE
            else:
                drawn.append(text(shown, "100%", last, "shown", "end"))
            drawn += [text(words, 0, last - _LINE * number, "label") for number, words in enumerate(reversed(label))]
        return drawn


def _axis(y: float, scale: float) -> list[Markup]:
    """Return ticks of an axis of shares that ends at ``scale``."""
    drawn = [line(0, y, 1, y, "axis")]
    for quarter in range(5):
        anchor = "start" if quarter == 0 else "end" if quarter == 4 else "middle"
        drawn.append(text(_short(scale * quarter / 4), percent(quarter / 4), y + 15, "tick", anchor))
    return drawn


def _short(share: float) -> str:
    return f"{100 * share:.4g}%"


def _rounded_up(value: float) -> float:
    """Return the next 1, 2, 4 or 10 times a power of ten."""
    power = 10.0 ** floor(log10(value))
    return min(1.0, next(step * power for step in (1, 2, 4, 10) if ceil(value / power * 1e6) / 1e6 <= step))
