"""Values of a task's settings that no row has: a misspelt category, a marketplace or a source that is not there."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ecinstruct_build.errors import did_you_mean

if TYPE_CHECKING:
    from ecinstruct_build.engine import Tables
    from ecinstruct_build.task import Task, TaskSettings

_NARROWING = {"sources": "source", "locales": "locale"}
_SHOWN = 12  # of the values that there are; attributes may be thousands


def unmatched(task: Task, settings: TaskSettings, tables: Tables) -> list[str]:
    """Say which values of the settings no row has that the task draws from, and what there is instead.

    Parameters
    ----------
    task, settings
        The task, and what the recipe says of it.
    tables
        The canonical tables.

    Returns
    -------
    list of str
        A line for each of ``sources``, ``locales``, ``ind`` and ``ood`` with such a value. Rows that an earlier one of
        these leaves out do not count for a later one; where it leaves none, nothing is said of the later ones.
    """
    columns = {**_NARROWING, "ind": task.domain_column, "ood": task.domain_column}
    named = {setting: getattr(settings, setting) for setting in columns}
    return list(_lines(named, columns, _combinations(task, tables))) if any(named.values()) else []


def _combinations(task: Task, tables: Tables) -> list[Mapping[str, Any]]:
    """Return the different sources, marketplaces and domain values of the rows; a missing category is ""."""
    found: list[Mapping[str, Any]] = []
    for name in (task.primary, *task.also):
        rows = tables[name]
        columns = [column for column in ("source", "locale", task.domain_column) if column in rows.columns]
        distinct = tables.fetch(rows.select(*columns).distinct(), by=columns).to_pylist()
        found += [{column: value or "" for column, value in row.items()} for row in distinct]
    return found


def _lines(
    named: Mapping[str, Collection[str]], columns: Mapping[str, str], rows: Sequence[Mapping[str, Any]]
) -> Iterator[str]:
    for setting, column in columns.items():
        there = sorted({row[column] for row in rows if column in row})
        if missing := [value for value in named[setting] if value not in there]:
            yield f"{setting}: {_said(column, missing, there)}"
        if named[setting] and setting in _NARROWING:
            rows = [row for row in rows if row[column] in named[setting]]
        if not rows:
            return


def _said(column: str, missing: Sequence[str], there: Sequence[str]) -> str:
    shown = [value for value in there if value]
    meant = dict.fromkeys(did_you_mean(value, shown) for value in missing)
    more = f" and {len(shown) - _SHOWN} more" if len(shown) > _SHOWN else ""
    present = f"{', '.join(shown[:_SHOWN])}{more}" if shown else "none"
    return f"no row has the {column} {', '.join(map(repr, missing))}.{''.join(meant)} The rows have {present}."
