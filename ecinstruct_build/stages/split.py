"""Split, wrapped for the store: from accepted examples to their assignment."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from ecinstruct_build.example import EXAMPLE_SCHEMA, Example
from ecinstruct_build.provenance import code_digest, own_digest
from ecinstruct_build.recipe import Recipe
from ecinstruct_build.stages.checks import Checked
from ecinstruct_build.stages.machine import Machine
from ecinstruct_build.store import Stage
from quality.leakage import Assignment, assign

ASSIGNMENT_SCHEMA = pa.schema(
    [
        pa.field("example_id", pa.string(), nullable=False),
        pa.field("split", pa.string()),
        pa.field("reason", pa.string(), nullable=False),
        pa.field("context", pa.list_(pa.int32()), nullable=False),
        pa.field("options", EXAMPLE_SCHEMA.field("options").type, nullable=False),
    ]
)


def split(recipe: Recipe, checked: Checked, joined: Stage, machine: Machine) -> Stage:
    """Assign every accepted example of all tasks to a split, or drop it with a reason."""

    def produce(out: Path, _scratch: Path) -> Mapping[str, Any]:
        with machine.progress.track("split"):
            accepted = {name: checked.accepted(name) for name in recipe.tasks}
            family = pq.read_table(joined.folder / "families.parquet").to_pydict()
            assignments = assign(
                accepted,
                recipe.tasks,
                dict(zip(family["product_id"], family["family_id"], strict=True)),
                recipe.split_weights,
                recipe.split_seed,
            )
        by_id = {row.example_id: row for row in assignments}
        for name, examples in accepted.items():
            rows = [_assignment_row(by_id[example.example_id], example) for example in examples]
            pq.write_table(
                pa.Table.from_pylist(rows, schema=ASSIGNMENT_SCHEMA), out / f"{name}.parquet", compression="zstd"
            )
        return {}

    inputs = {
        "examples": [stage.digest for stage in checked.stages],
        "families": joined.digest,
        "settings": {
            name: task.model_dump(mode="json", include={"quota", "leakage", "min_context"})
            for name, task in recipe.tasks.items()
        },
        "weights": recipe.split_weights,
        "seed": recipe.split_seed,
        "code": [code_digest("quality.leakage"), own_digest(__name__)],
    }
    return machine.store.run("split", recipe.name, inputs, produce)


def _assignment_row(assignment: Assignment, example: Example) -> dict[str, Any]:
    options = {option.key: option for option in (*example.spare_options, *example.options)}
    return {
        **{name: getattr(assignment, name) for name in assignment.__slots__},
        "options": [asdict(options[key]) for key in assignment.options],
    }


def read_assignments(assigned: Stage, task: str) -> list[dict[str, Any]]:
    """Return the assignments of a task's accepted examples, as rows of `ASSIGNMENT_SCHEMA`, ordered by example_id."""
    return list(pq.read_table(assigned.folder / f"{task}.parquet").to_pylist())
