"""The columns that a file names: those that its records need are there, and none that is read is named twice."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from ecinstruct_build.errors import UserError
from ecinstruct_build.source import FileKind

_SHOWN = 30
_LONGEST = 60


def require_columns(path: Path, kind: FileKind, names: Sequence[str]) -> None:
    """Refuse a file whose columns cannot be what its records need.

    Parameters
    ----------
    path, kind
        The file, and its kind.
    names
        The columns that it has, in order.

    Raises
    ------
    UserError
        If a column that its records need is missing, or one that is read is named twice.
    """
    missing = [name for name in kind.needed_columns if name not in names]
    if missing:
        present = list(map(plain_name, names))
        raise UserError(
            f"{path} lacks the column {', '.join(missing)} (it has: {_listed(present)}). "
            f"{kind.advice(missing, present)}"
        )
    counts = Counter(names)
    read = counts if kind.read_columns is None else kind.read_columns
    if twice := [plain_name(name) for name in read if name and counts[name] > 1]:
        raise UserError(
            f"{path} names the column {_listed(twice)} more than once, so nobody can tell which of them counts. Rename "
            "or remove the others, or fetch the file again."
        )


def plain_name(name: str) -> str:
    """Return a name for people: that of a file that is something else may be long, and no text at all."""
    return "".join(letter if letter.isprintable() else " " for letter in name[:_LONGEST])


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN:,} more" if len(names) > _SHOWN else ""
    return (", ".join(names[:_SHOWN]) or "none") + more
