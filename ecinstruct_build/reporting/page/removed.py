"""Duplicates that were left out, and examples that were left out for their language, from the verdicts of a build."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from ecinstruct_build.example import EXAMPLE_SCHEMA, Example, table_to_examples
from ecinstruct_build.registry import SOURCES
from ecinstruct_build.reporting.checks import shortened
from ecinstruct_build.reporting.page.contents import counted_by
from ecinstruct_build.reporting.page.data import DuplicatePair, Duplicates, Locale
from ecinstruct_build.stages.checks import Checked

SHOWN_TEXT = 280
"""Characters of a duplicate that are shown."""

SHOWN_PAIRS = 4
"""Pairs that are shown for each reason, of different tasks as far as there are."""

_DUPLICATES, _LANGUAGE = "duplicates", "language"


def rejections(checked: Checked, tasks: Sequence[str]) -> dict[str, pa.Table]:
    """Return by task the verdicts of both checks for which examples were left out, ordered by example_id."""
    checks = pa.array([_DUPLICATES, _LANGUAGE])
    found = {}
    for task in tasks:
        table = checked.verdict_table(task)
        wanted = pc.and_(pc.equal(table["action"], "reject"), pc.is_in(table["check"], value_set=checks))
        found[task] = table.filter(wanted)
    return found


def duplicates_of(checked: Checked, rejected: Mapping[str, pa.Table], *, restricted_texts: bool) -> Duplicates:
    """Count duplicates by reason and task, and show some pairs with their texts.

    Parameters
    ----------
    checked, rejected
        The checks' word, and what `rejections` returns.
    restricted_texts
        Whether texts are shown that their source's terms forbid publishing again.
    """
    counts: dict[str, dict[str, int]] = {}
    rows: dict[str, dict[str, list[dict[str, Any]]]] = {}
    for task, table in rejected.items():
        mine = table.filter(pc.equal(table["check"], _DUPLICATES))
        ids: dict[str, set[str]] = {}
        for row in mine.to_pylist():
            ids.setdefault(row["reason"], set()).add(row["example_id"])
            if row["peer"]:
                rows.setdefault(row["reason"], {}).setdefault(task, []).append(row)
        for reason in sorted(ids):
            counts.setdefault(reason, {})[task] = len(ids[reason])
    chosen = [(task, row) for reason in sorted(rows) for task, row in _chosen(rows[reason])]
    texts = _texts(checked, chosen, restricted_texts=restricted_texts)
    pairs = [_pair(task, row, texts) for task, row in chosen]
    return Duplicates(dict(sorted(counts.items())), tuple(pairs))


def _chosen(by_task: Mapping[str, Sequence[dict[str, Any]]]) -> list[tuple[str, dict[str, Any]]]:
    """Choose the least alike pairs of each task in turn: they say most about where the line was drawn."""
    ordered = {
        task: sorted(rows, key=lambda row: (row["score"], row["example_id"], row["peer"]))
        for task, rows in sorted(by_task.items())
    }
    turns = [(place, task, row) for task, rows in ordered.items() for place, row in enumerate(rows[:SHOWN_PAIRS])]
    return [(task, row) for _, task, row in sorted(turns, key=lambda turn: turn[:2])[:SHOWN_PAIRS]]


def _texts(
    checked: Checked, chosen: Sequence[tuple[str, Mapping[str, Any]]], *, restricted_texts: bool
) -> dict[str, str | None]:
    """Return the shown text of each example that is named, as the checks mended it; None where it must not be shown."""
    named = sorted({row[key] for _, row in chosen for key in ("example_id", "peer")})
    found: dict[str, str | None] = {}
    for task, stage in checked.repaired.items():
        own = [example_id for example_id in named if example_id.rpartition(":")[0] == task]
        for example in _without_options(stage.table("examples", _COLUMNS), own) if own else ():
            shown = restricted_texts or SOURCES.get(example.source).redistributable
            found[example.example_id] = shortened(example, SHOWN_TEXT) if shown else None
    return found


_COLUMNS = [name for name in EXAMPLE_SCHEMA.names if name not in ("options", "spare_options")]


def _without_options(table: pa.Table, ids: Sequence[str]) -> list[Example]:
    """Read examples without their options, which take far longer to read than all else."""
    chosen = table.filter(pc.is_in(table["example_id"], value_set=pa.array(ids, pa.string())))
    field = EXAMPLE_SCHEMA.field("options")
    return table_to_examples(chosen.append_column(field, pa.array([[]] * chosen.num_rows, field.type)))


def _pair(task: str, row: Mapping[str, Any], texts: Mapping[str, str | None]) -> DuplicatePair:
    left, right = row["example_id"], row["peer"]
    return DuplicatePair(task, row["reason"], row["score"], left, texts.get(left), right, texts.get(right))


def drawn_by_origin(checked: Checked) -> list[tuple[tuple[str, ...], int]]:
    """Return how many examples were drawn of each source and locale."""
    tables = [stage.table("examples", ["source", "locale"]) for stage in checked.repaired.values()]
    return counted_by(pa.concat_tables(tables), ["source", "locale"]) if tables else []


def locales_of(
    checked: Checked,
    rejected: Mapping[str, pa.Table],
    drawn: Sequence[tuple[tuple[str, ...], int]],
    examples: Sequence[pa.Table],
) -> tuple[Locale, ...]:
    """Count the examples of each marketplace, and those that were left out for their language.

    Parameters
    ----------
    checked, rejected, drawn
        The checks' word, what `rejections` returns, and what `drawn_by_origin` returns.
    examples
        Published rows, one an example.
    """
    made, totals = Counter[str](), Counter[str]()
    for table in examples:
        made.update({locale: count for (locale,), count in counted_by(table, ["locale"])})
    for (_, locale), count in drawn:
        totals[locale] += count
    foreign: dict[str, Counter[str]] = {}
    for task, table in rejected.items():
        mine = table.filter(pc.equal(table["check"], _LANGUAGE)).select(["example_id", "detail"])
        if mine.num_rows:
            origins = checked.repaired[task].table("examples", ["example_id", "locale"])
            for (locale, detail), count in counted_by(mine.join(origins, "example_id"), ["locale", "detail"]):
                foreign.setdefault(locale, Counter())[detail] += count
    return tuple(
        Locale(locale, totals[locale], made[locale], dict(sorted(foreign.get(locale, Counter()).items())))
        for locale in sorted({*totals, *made})
    )
