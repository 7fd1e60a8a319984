"""Duplicates that were left out, and examples that were left out for their language, from the verdicts of a build."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from ecinstruct_build.example import EXAMPLE_SCHEMA, Example, table_to_examples
from ecinstruct_build.recipe import Recipe
from ecinstruct_build.registry import TASKS
from ecinstruct_build.reporting.checks import shortened
from ecinstruct_build.reporting.page.contents import counted_by
from ecinstruct_build.reporting.page.data import DuplicatePair, Duplicates, Locale
from ecinstruct_build.stages.checks import Checked
from ecinstruct_build.store import Stage
from quality.content import answer_form

SHOWN_TEXT = 280
"""Characters of a duplicate that are shown."""

SHOWN_ANSWER = 120
"""Characters of its answer that are shown."""

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


def duplicates_of(
    checked: Checked, rejected: Mapping[str, pa.Table], recipe: Recipe, *, restricted_texts: bool
) -> Duplicates:
    """Count duplicates by reason and task, and show some pairs with their texts.

    Parameters
    ----------
    checked, rejected
        The checks' word, and what `rejections` returns.
    recipe
        What was built; its sources' terms are asked.
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
    shown = _shown(checked, chosen, recipe, restricted_texts=restricted_texts)
    pairs = [_pair(task, row, shown) for task, row in chosen]
    return Duplicates(dict(sorted(counts.items())), tuple(pairs))


def _chosen(by_task: Mapping[str, Sequence[dict[str, Any]]]) -> list[tuple[str, dict[str, Any]]]:
    """Choose the least alike pairs of each task in turn: they say most about where the line was drawn.

    No example is in two of them, so that a crowd of look-alikes is shown once.
    """
    turns: list[tuple[int, str, dict[str, Any]]] = []
    for task, rows in sorted(by_task.items()):
        seen: set[str] = set()
        for row in sorted(rows, key=lambda row: (row["score"], row["example_id"], row["peer"])):
            pair = {row["example_id"], row["peer"]}
            if not pair & seen:
                turns.append((len(seen), task, row))
                seen |= pair
    return [(task, row) for _, task, row in sorted(turns, key=lambda turn: turn[:2])[:SHOWN_PAIRS]]


def _shown(
    checked: Checked, chosen: Sequence[tuple[str, Mapping[str, Any]]], recipe: Recipe, *, restricted_texts: bool
) -> dict[str, tuple[str | None, str]]:
    """Return what is shown of each example that is named, as the checks mended it: its text, or None, and answer."""
    named = sorted({row[key] for _, row in chosen for key in ("example_id", "peer")})
    found: dict[str, tuple[str | None, str]] = {}
    for task, stage in checked.repaired.items():
        own = [example_id for example_id in named if example_id.rpartition(":")[0] == task]
        for example in _read(stage, own) if own else ():
            allowed = restricted_texts or recipe.source(example.source).redistributable
            answer = cut(answer_form(example).strip('"'), SHOWN_ANSWER)
            found[example.example_id] = (shortened(example, SHOWN_TEXT), answer) if allowed else (None, "")
    return found


def _read(stage: Stage, ids: Sequence[str]) -> list[Example]:
    """Read examples; without their options where those are products, which take far longer to read than all else."""
    plain = TASKS.get(stage.name).answer.option_order != "shuffled"
    columns = [name for name in EXAMPLE_SCHEMA.names if name != "spare_options" and (plain or name != "options")]
    table = stage.table("examples", columns)
    table = table.filter(pc.is_in(table["example_id"], value_set=pa.array(ids, pa.string())))
    if not plain:
        field = EXAMPLE_SCHEMA.field("options")
        table = table.append_column(field, pa.array([[]] * table.num_rows, field.type))
    return table_to_examples(table)


def cut(words: str, limit: int) -> str:
    """Return at most so many characters of a text."""
    return words if len(words) <= limit else words[: limit - 1] + "\N{HORIZONTAL ELLIPSIS}"


def _pair(task: str, row: Mapping[str, Any], shown: Mapping[str, tuple[str | None, str]]) -> DuplicatePair:
    left, right = row["example_id"], row["peer"]
    (text, answer), (peer_text, peer_answer) = (shown.get(one, (None, "")) for one in (left, right))
    answers = (answer, peer_answer) if answer != peer_answer else ("", "")
    return DuplicatePair(task, row["reason"], row["score"], left, text, right, peer_text, *answers)


def drawn_by_origin(checked: Checked) -> list[tuple[tuple[str, ...], int]]:
    """Return how many examples were drawn of each source and locale."""
    tables = [stage.table("examples", ["source", "locale"]) for stage in checked.repaired.values()]
    return counted_by(pa.concat_tables(tables), ["source", "locale"]) if tables else []


def locales_of(
    checked: Checked,
    rejected: Mapping[str, pa.Table],
    drawn: Sequence[tuple[tuple[str, ...], int]],
    made: Mapping[str, int],
) -> tuple[Locale, ...]:
    """Count the examples of each marketplace, and those that were left out for their language.

    Parameters
    ----------
    checked, rejected, drawn
        The checks' word, what `rejections` returns, and what `drawn_by_origin` returns.
    made
        Examples in the dataset by locale.
    """
    totals = Counter[str]()
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
        Locale(locale, totals[locale], made.get(locale, 0), dict(sorted(foreign.get(locale, Counter()).items())))
        for locale in sorted({*totals, *made})
    )
