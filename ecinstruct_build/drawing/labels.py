"""How many candidates have each label, before anything is drawn: steps of a task's funnel that can be read again.

Whoever asks whether draw, checks and split distorted the labels of a task holds its samples against these.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping

from ecinstruct_build.engine import Tables
from ecinstruct_build.lazily import ir

_STEP = re.compile(r"candidates labelled (.+) \((ind|ood)\) in (.+)")


def labelled(label: str, domain: str, source: str) -> str:
    """Return the name of the step that counts the candidates of a label in a domain of a source."""
    return f"candidates labelled {label} ({domain}) in {source}"


def count_labels(tables: Tables, rows: ir.Table, label: ir.StringValue) -> dict[str, int]:
    """Count rows by label, for a task's funnel: ``{"candidates labelled yes (ind) in amazonqa": 5123}``.

    Parameters
    ----------
    tables
        Runs the count.
    rows
        Candidates, with the columns ``source`` and ``domain``.
    label
        The label of each, an expression over ``rows``.
    """
    counted = rows.group_by(["source", "domain", label.name("candidate_label")]).agg(rows=rows.count())
    found = tables.fetch(counted, by=["source", "domain", "candidate_label"]).to_pylist()
    return {labelled(row["candidate_label"], row["domain"], row["source"]): row["rows"] for row in found}


def read_labels(funnel: Iterable[Mapping[str, int | str]], domain: str) -> dict[str, Counter[str]]:
    """Return the candidates of each label in a domain, by source, from the steps of a funnel as a manifest has them."""
    found: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for step in funnel:
        matched = _STEP.fullmatch(str(step["step"]))
        if matched and matched[2] == domain:
            found[matched[3]][matched[1]] += int(step["count"])
    return dict(found)
