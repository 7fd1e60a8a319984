"""What a finished build did with planted defects, gathered from its stages."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from ecinstruct_build.reporting.planted.score import Evidence, Line, Score, score
from ecinstruct_build.sample_corpora import LEDGER
from ecinstruct_build.sample_corpora.ledger import Entry, decode
from ecinstruct_build.stages.built import Built
from ecinstruct_build.stages.corpora import stages_of
from ecinstruct_build.stages.examples import read_examples
from ecinstruct_build.stages.families import read_families
from ecinstruct_build.stages.lookalikes import read_pairs
from ecinstruct_build.stages.samples import read_samples


def ledger_of(raw: Path) -> list[Entry] | None:
    """Return the ledger of generated corpora, or None if ``raw`` holds others."""
    path = raw / LEDGER
    return decode(path.read_bytes()) if path.is_file() else None


def evidence_of(built: Built) -> Evidence:
    """Gather what a build did, as far as the score asks."""
    drawn = {task: read_examples(stage) for task, stage in built.drawn.items()}
    repaired = {task: read_examples(stage, spare_options=False) for task, stage in built.checked.repaired.items()}
    return Evidence(
        quarantined=_set_aside(built, "quarantine"),
        collapsed=_set_aside(built, "collapsed"),
        drawn=drawn,
        repaired=repaired,
        verdicts={task: built.checked.verdicts(task) for task in built.drawn},
        pairs=[(row["left"], row["right"], row["reason"]) for row in read_pairs(built.lookalikes).to_pylist()],
        families=read_families(built.families),
        splits=_splits(built),
    )


def score_build(built: Built, raw: Path) -> list[Score]:
    """Score a build on generated corpora; nothing for a build on others."""
    ledger = ledger_of(raw)
    return [] if ledger is None else score(_taken(ledger, built), evidence_of(built))


def scores_json(scores: Sequence[Score]) -> list[dict[str, Any]]:
    """Return scores as JSON values for a manifest or a report, by kind and form."""
    return [one.to_json() for one in scores]


def _taken(ledger: Sequence[Entry], built: Built) -> list[Entry]:
    """Leave out what stands in files that the recipe does not take."""
    files = {(file.source, file.file) for file in built.files}
    return [entry for entry in ledger if (entry.source, entry.file) in files]


def _set_aside(built: Built, name: str) -> set[Line]:
    tables = [
        pq.read_table(stage.folder / f"{name}.parquet", columns=["source", "file", "line"])
        for stage in stages_of(built.files)
    ]
    return {(row["source"], row["file"], row["line"]) for table in tables for row in table.to_pylist()}


def _splits(built: Built) -> Mapping[str, set[str]]:
    """Return the splits that each product was published in."""
    found: dict[str, set[str]] = defaultdict(set)
    for stage in built.rendered.values():
        table = read_samples(stage).select(["split", "products"])
        for split, products in zip(*(column.to_pylist() for column in table.columns), strict=True):
            for product in products:
                found[product].add(split)
    return found
