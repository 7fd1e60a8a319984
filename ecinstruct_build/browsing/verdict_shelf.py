"""The examples that checks said something of, chosen by check, what was done, why, task and words."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from functools import cache, cached_property, lru_cache
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ecinstruct_build.browsing.findings import Finding, Findings
from ecinstruct_build.browsing.library import Facet, facet
from ecinstruct_build.check import VERDICT_SCHEMA
from ecinstruct_build.example import Example, table_to_examples

GRAVEST_FIRST = ("reject", "repair", "flag", "keep")
"""What checks do about examples."""

_TEXT = """
lower(fields || chr(10) || array_to_string(list_transform(context, lambda item: item.text), chr(10)) || chr(10)
|| array_to_string(list_transform(options, lambda option: option.text), chr(10)) || chr(10) || answer)
"""
_KEPT_SEARCHES = 256  # by task


class VerdictShelf:
    """The verdicts of a build, read when they are first asked for.

    Parameters
    ----------
    findings
        Where they come from.
    """

    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        self._texts = cache(self._read_texts)
        self._holding = lru_cache(_KEPT_SEARCHES)(self._search)

    @property
    def checks(self) -> tuple[str, ...]:
        """The checks that said anything."""
        return self.facets["check"].names

    @cached_property
    def facets(self) -> Mapping[str, Facet]:
        """By ``check``, ``action``, ``reason`` and ``task``: which verdicts have which value."""
        table = self._table
        found = {name: facet(table[name]) for name in ("check", "reason", "task")}
        return {**found, "action": facet(table["action"], GRAVEST_FIRST)}

    def holding(self, words: tuple[str, ...]) -> NDArray[np.bool_]:
        """Return which verdicts are of examples that hold all of some words; all of them if there are none."""
        if not words:
            return np.ones(self._table.num_rows, dtype=np.bool_)
        ids = sorted(set().union(*(self._holding(task, words) for task in self._findings.tasks)))
        wanted = pa.array(ids, pa.string())
        return np.asarray(pc.is_in(self._table["example_id"], value_set=wanted).to_numpy(), np.bool_)

    @cached_property
    def things(self) -> NDArray[np.int64]:
        """Which example each verdict is about: numbers in order of id."""
        return np.asarray(pc.rank(self._table["example_id"], tiebreaker="dense").to_numpy(), np.int64)

    def examples_of(self, chosen: NDArray[np.bool_]) -> list[str]:
        """Return the examples of some verdicts, once each: by what was done, the gravest first, reason and id."""
        rows = np.flatnonzero(chosen)
        keys = (self.things[rows], self.facets["reason"].codes[rows], self.facets["action"].codes[rows])
        ordered = self._table["example_id"].take(pa.array(rows[np.lexsort(keys)]))
        return list(dict.fromkeys(ordered.to_pylist()))

    def said_of(self, example_ids: Collection[str]) -> dict[str, tuple[Finding, ...]]:
        """Return all that was said of some examples."""
        wanted = pa.array(sorted(example_ids), pa.string())
        rows = self._table.filter(pc.is_in(self._table["example_id"], value_set=wanted)).to_pylist()
        found: dict[str, list[Finding]] = defaultdict(list)
        for row in sorted(rows, key=_gravity):
            del row["task"]
            found[row.pop("example_id")].append(Finding(**row))
        return {example_id: tuple(ones) for example_id, ones in found.items()}

    def examples(self, example_ids: Sequence[str]) -> dict[str, Example]:
        """Return some examples as the checks left them."""
        by_task: dict[str, list[str]] = defaultdict(list)
        for example_id in example_ids:
            by_task[example_id.rpartition(":")[0]].append(example_id)
        found: dict[str, Example] = {}
        for task, ids in by_task.items():
            if task in self._findings.tasks:
                found |= {one.example_id: one for one in table_to_examples(self._findings.examples(task, ids))}
        return found

    @cached_property
    def _table(self) -> pa.Table:
        """All verdicts, with the task."""
        tables = []
        for task in self._findings.tasks:
            verdicts = self._findings.verdicts(task)
            tables.append(verdicts.append_column("task", pa.repeat(pa.scalar(task), verdicts.num_rows)))
        empty = VERDICT_SCHEMA.append(pa.field("task", pa.string())).empty_table()
        return pa.concat_tables([empty, *tables]).combine_chunks()

    def _search(self, task: str, words: tuple[str, ...]) -> frozenset[str]:
        """Return the examples of a task that hold all of some words in fields, context, options and answer together."""
        holds = " AND ".join("contains(text, lower(?))" for _ in words)
        with duckdb.connect() as connection:
            connection.register("texts", self._texts(task))
            found = connection.execute(f"SELECT example_id FROM texts WHERE {holds}", list(words)).fetchall()  # noqa: S608
        return frozenset(row[0] for row in found)

    def _read_texts(self, task: str) -> pa.Table:
        """Return the words of a task's examples that something was said of, in lower case."""
        examples = self._findings.examples(task, self._table["example_id"].unique().to_pylist())
        with duckdb.connect() as connection:
            connection.register("examples", examples)
            return connection.sql(f"SELECT example_id, {_TEXT} AS text FROM examples").to_arrow_table()  # noqa: S608


def _gravity(row: Mapping[str, Any]) -> tuple[Any, ...]:
    return GRAVEST_FIRST.index(row["action"]), row["check"], row["reason"], row["peer"]
