"""Render, wrapped for the store: from assigned examples to samples."""

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from ecinstruct_build.example import Example, Option
from ecinstruct_build.provenance import code_digest, own_digest
from ecinstruct_build.recipe import Recipe
from ecinstruct_build.registry import TASKS
from ecinstruct_build.rendering.render import Assigned, render_samples
from ecinstruct_build.rendering.template_set import load_templates
from ecinstruct_build.splits import settings_of
from ecinstruct_build.stages.examples import read_examples
from ecinstruct_build.stages.machine import Machine
from ecinstruct_build.stages.split import read_assignments
from ecinstruct_build.store import Stage


def render(name: str, recipe: Recipe, repaired: Stage, assigned: Stage, machine: Machine) -> Stage:
    """Render a task's assigned examples into samples."""
    task, settings = TASKS.get(name), settings_of(recipe.layout)
    templates = load_templates(task.name, recipe.templates.folder)

    def produce(out: Path, _scratch: Path) -> Mapping[str, Any]:
        with machine.progress.track(f"render {name}"):
            samples = render_samples(
                settled(repaired, assigned, name),
                task,
                templates,
                recipe.seed,
                settings,
                paraphrases=recipe.templates.paraphrases,
            )
        pq.write_table(samples, out / "samples.parquet", compression="zstd")
        return {}

    assignment = (assigned.folder / f"{name}.parquet").read_bytes()
    inputs = {
        "examples": repaired.digest,
        "assignment": hashlib.sha256(assignment).hexdigest(),
        "templates": templates.digest,
        "seed": recipe.seed,
        "layout": recipe.layout,
        "paraphrases": recipe.templates.paraphrases,
        "code": [
            code_digest("ecinstruct_build.rendering.render"),
            code_digest(TASKS.module(name).__name__),
            own_digest(__name__),
        ],
    }
    return machine.store.run("render", name, inputs, produce)


def settled(repaired: Stage, assigned: Stage, task: str) -> list[Assigned]:
    """Return a task's assigned examples as the split settled them: context trimmed, options replaced."""
    placed = [row for row in read_assignments(assigned, task) if row["split"] is not None]
    only = [row["example_id"] for row in placed]
    examples = {example.example_id: example for example in read_examples(repaired, only, spare_options=False)}
    return [Assigned(settle(examples[row["example_id"]], row), row["split"], tuple(row["families"])) for row in placed]


def settle(example: Example, assignment: Mapping[str, Any]) -> Example:
    """Return an example as the split left it: only the context that its assignment keeps, and its options."""
    return replace(
        example,
        context=tuple(example.context[position] for position in assignment["context"]),
        options=tuple(Option(**option) for option in assignment["options"]),
    )


def read_samples(rendered: Stage) -> pa.Table:
    """Return a task's samples, as rows of `SAMPLE_SCHEMA`."""
    return pq.read_table(rendered.folder / "samples.parquet")
