"""SVG elements as escaped text, and the frame of a chart that people who cannot see it are told about."""

from collections.abc import Iterable
from dataclasses import dataclass

from markupsafe import Markup, escape


@dataclass(frozen=True)
class Frame:
    """What a chart is called.

    Attributes
    ----------
    key
        A name that no other chart of the page has.
    title, told
        What it is, and what it shows, in words.
    """

    key: str
    title: str
    told: str


def element(name: str, content: str = "", /, **attributes: str | float) -> Markup:
    """Return an element; text is escaped, markup is taken as it is.

    Parameters
    ----------
    name, content
        The tag, and what stands inside.
    attributes
        ``class_`` stands for ``class``, and an underscore for a dash.
    """
    said = "".join(f' {key.rstrip("_").replace("_", "-")}="{escape(value)}"' for key, value in attributes.items())
    return Markup(f"<{name}{said}>{escape(content)}</{name}>")  # noqa: S704 - every part is escaped


def percent(share: float) -> str:
    """Return a share of the chart's width as a length."""
    return f"{100 * share:.2f}".rstrip("0").rstrip(".") + "%"


def text(content: str, x: str | float, y: float, class_: str = "", anchor: str = "start") -> Markup:
    """Return a line of text that starts, ends or is centred at ``x``."""
    return element("text", content, x=x, y=y, class_=class_, text_anchor=anchor)


def rect(x: float, y: float, width: float, height: float, class_: str, *, tip: str = "") -> Markup:
    """Return a box; ``x`` and ``width`` are shares of the chart's width, ``tip`` is shown to who points at it."""
    inside = element("title", tip) if tip else ""
    return element("rect", inside, x=percent(x), y=y, width=percent(width), height=height, class_=class_)


def line(x1: float, y1: float, x2: float, y2: float, class_: str) -> Markup:
    """Return a line between two points whose ``x`` are shares of the chart's width."""
    return element("line", x1=percent(x1), y1=y1, x2=percent(x2), y2=y2, class_=class_)


def marker(path: str, x: float, y: float, class_: str, tip: str = "") -> Markup:
    """Return a small shape, drawn around (0, 0), at a share of the chart's width."""
    inside = element("path", element("title", tip) if tip else "", d=path, class_=class_)
    return element("svg", inside, x=percent(x), y=y, overflow="visible", width=1, height=1)


def drawing(frame: Frame, height: float, parts: Iterable[Markup], width: float = 0) -> Markup:
    """Return a chart.

    Parameters
    ----------
    frame
        What it is called.
    height, width
        Pixels; width 0 = as wide as there is room, ``parts`` being placed in shares of it.
    parts
        What is drawn.
    """
    title, told = f"{frame.key}-title", f"{frame.key}-told"
    inside = [element("title", frame.title, id=title), element("desc", frame.told, id=told), *parts]
    content = Markup("").join(inside)
    size = {"width": width or "100%", "height": height}
    scaled = {"viewBox": f"0 0 {width:g} {height:g}"} if width else {}
    return element(
        "svg", content, **size, **scaled, role="img", aria_labelledby=title, aria_describedby=told, class_="chart"
    )
