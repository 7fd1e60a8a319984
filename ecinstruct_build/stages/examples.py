"""Build, wrapped for the store: from canonical tables to examples."""

import math
from collections.abc import Collection, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ecinstruct_build.drawing.unmatched import unmatched
from ecinstruct_build.example import EXAMPLE_SCHEMA, Example, examples_to_table, table_to_examples
from ecinstruct_build.provenance import code_digest, own_digest
from ecinstruct_build.registry import TASKS
from ecinstruct_build.stages.corpora import OpenTables
from ecinstruct_build.stages.machine import Machine
from ecinstruct_build.store import Stage
from ecinstruct_build.task import Request, TaskSettings

_LATER = {"quota", "shares", "leakage", "min_context", "oversample"}  # the request says how much; the split, the rest


def draw(name: str, settings: TaskSettings, seed: int, tables: OpenTables, machine: Machine) -> Stage:
    """Draw a task's examples."""
    task = TASKS.get(name)
    quota = settings.quota
    request = Request(
        seed=seed,
        ind=math.ceil(quota.ind * settings.oversample),
        ood=math.ceil(quota.test_ood * settings.oversample),
    )

    def produce(out: Path, _scratch: Path) -> Mapping[str, Any]:
        with machine.progress.track(f"draw {name}"):
            drawn = task.draw(tables.open(), settings, request)
        table = examples_to_table(drawn.examples)
        pq.write_table(table, out / "examples.parquet", compression="zstd")
        return {
            "drawn": table.num_rows,
            "funnel": [[step, count] for step, count in drawn.funnel.items()],
            "unmatched": unmatched(task, settings, tables.open()),
        }

    inputs = {
        "request": asdict(request),
        "settings": settings.model_dump(mode="json", exclude=_LATER),
        "tables": tables.digests(task.reads),
        "code": [code_digest(TASKS.module(name).__name__), *map(own_digest, (__name__, unmatched.__module__))],
    }
    return machine.store.run("draw", name, inputs, produce)


def read_sources(stage: Stage) -> dict[str, str]:
    """Return the source of each of a task's examples, by example_id; ``stage`` is as for `read_examples`."""
    table = stage.table("examples", ["example_id", "source"])
    return dict(zip(table["example_id"].to_pylist(), table["source"].to_pylist(), strict=True))


def read_examples(stage: Stage, only: Collection[str] | None = None, *, spare_options: bool = True) -> list[Example]:
    """Return the examples of a task, ordered by example_id.

    Parameters
    ----------
    stage
        The stage that drew them, or the one that mended them.
    only
        Ids of the examples wanted; None = all.
    spare_options
        Whether their spare options are wanted.
    """
    columns = [name for name in EXAMPLE_SCHEMA.names if spare_options or name != "spare_options"]
    table = stage.table("examples", columns)
    if only is not None:
        table = table.filter(pc.is_in(table["example_id"], value_set=pa.array(sorted(only), pa.string())))
    return table_to_examples(table)
