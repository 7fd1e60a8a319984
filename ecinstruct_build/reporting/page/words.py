"""How the report words names and figures."""

from ecinstruct_build.splits import SPLIT_LABELS

DASH = "\N{EN DASH}"
"""What stands where there is no figure."""


def named(name: str) -> str:
    """Return a task's name for people: ``Sentiment analysis``."""
    return name.replace("_", " ").capitalize()


def place_named(place: str) -> str:
    """Return where rows are published, for people; the original's settings keep their names."""
    return SPLIT_LABELS.get(place, place)


def broken(name: str) -> str:
    """Return a name of several words with a line for each part of it, for a narrow column."""
    parts = (", ", ",\n"), ("out of domain", "out of\ndomain"), ("unseen ", "unseen\n"), ("_", "\n"), ("/", "/\n")
    shown = place_named(name)
    for old, new in parts:
        shown = shown.replace(old, new)
    return shown


def count(number: int) -> str:
    """Return a number with thousands apart."""
    return f"{number:,}"


def counted(number: int, noun: str) -> str:
    """Return a number of things: ``1 row``, ``2,000 rows``."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def share(part: float, whole: float = 1) -> str:
    """Return a share in per cent, never 0% or 100% for what is not quite."""
    if not whole:
        return DASH
    value = part / whole
    if 0 < value < 0.001:
        return "<0.1%"
    if 0.999 < value < 1:
        return ">99.9%"
    shown = f"{100 * value:.1f}".removesuffix(".0")
    return f"{shown}%"


def figure(value: float | None, places: int = 2) -> str:
    """Return a figure with so many decimals; a dash for none."""
    return DASH if value is None else f"{value:.{places}f}"


def seconds(value: float) -> str:
    """Return a time: ``0.4 s``, ``83 s``, ``12 min``, ``3.2 h``."""
    if value < 100:
        return f"{value:.1f} s" if value < 10 else f"{value:.0f} s"
    return f"{value / 60:.0f} min" if value < 6000 else f"{value / 3600:.1f} h"


def size(count_: int) -> str:
    """Return an amount of bytes."""
    for unit, power in (("GiB", 30), ("MiB", 20), ("KiB", 10)):
        if count_ >= 2**power:
            return f"{count_ / 2**power:,.1f} {unit}"
    return f"{count_:,} bytes"
