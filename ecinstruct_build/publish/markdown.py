"""Small pieces of Markdown that hold any text safely."""

import re
from collections.abc import Iterable, Sequence


def table(columns: Sequence[str], rows: Iterable[Sequence[object]], right: int = 0) -> str:
    """Return a table; the last ``right`` columns are aligned right, whole numbers get thousands separators."""
    rules = ["---"] * (len(columns) - right) + ["---:"] * right
    lines = [columns, rules, *rows]
    return "\n".join("| " + " | ".join(_cell(value) for value in line) + " |" for line in lines) + "\n"


def code(text: str, language: str = "") -> str:
    """Return a code block that ``text`` cannot end early."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{text}\n{fence}\n"


def _cell(value: object) -> str:
    text = f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)
    return " ".join(text.replace("|", "\\|").split())
