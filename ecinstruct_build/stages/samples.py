"""Render, wrapped for the store: from assigned examples to samples."""

import hashlib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyarrow import feather

from ecinstruct_build.errors import UserError
from ecinstruct_build.example import EXAMPLE_SCHEMA, Example, Option, table_to_examples
from ecinstruct_build.helper import Helper
from ecinstruct_build.progress import Silence
from ecinstruct_build.provenance import code_digest, own_digest
from ecinstruct_build.recipe import Recipe
from ecinstruct_build.registry import TASKS
from ecinstruct_build.rendering.render import Assigned, render_samples
from ecinstruct_build.rendering.template_set import load_templates
from ecinstruct_build.splits import ORIGINAL_SPLIT, settings_of
from ecinstruct_build.stages.machine import Machine
from ecinstruct_build.store import Stage

if TYPE_CHECKING:  # a helper renders, and needs nothing of what splits
    from ecinstruct_build.stages.frozen import Frozen

_LISTS = ("context", "options", "spare_options", "origins")
_PLAIN = [name for name in EXAMPLE_SCHEMA.names if name not in _LISTS]
# What samples show of items and options, by its path in the files.
_SHOWN_ITEMS = [f"context.list.element.{part}" for part in ("product_id", "text")]
_SHOWN_OPTIONS = [f"options.list.element.{part}" for part in ("key", "text", "product_id", "grade")]


def render(
    recipe: Recipe,
    repaired: Mapping[str, Stage],
    assigned: Stage,
    *,
    frozen: "Frozen | None",
    machine: Machine,
    helper: Helper | None = None,
) -> dict[str, Stage]:
    """Render the samples of every task; see `render_task`.

    A helper takes a task whenever it is free, but for a split that was in the store: its samples are there, too. The
    largest tasks come first, so that nobody waits long for the last one.
    """
    here: dict[str, Stage] = {}
    there: dict[str, Callable[[], Stage]] = {}
    silent = replace(machine, progress=Silence())
    for name in sorted(repaired, key=lambda name: -_assignments(assigned, name).stat().st_size):
        examples = repaired[name]
        if helper and helper.is_free and not assigned.cached:
            there[name] = helper.begin(render_task, name, recipe, examples, assigned, frozen=frozen, machine=silent)
        else:
            here[name] = render_task(name, recipe, examples, assigned, frozen=frozen, machine=machine)
    for name, stage in there.items():
        with machine.progress.track(f"render {name}"):
            here[name] = stage()
    return {name: here[name] for name in repaired}


def render_task(
    name: str, recipe: Recipe, repaired: Stage, assigned: Stage, *, frozen: "Frozen | None", machine: Machine
) -> Stage:
    """Render a task's assigned examples into samples, and add the rows that are kept from an earlier build.

    Parameters
    ----------
    name, recipe
        The task, and the recipe.
    repaired, assigned
        The task's examples, and the splits of all examples.
    frozen
        The rows that are kept.
    machine
        What to build with.
    """
    templates = load_templates(name, recipe.templates.folder)

    def produce(out: Path, _scratch: Path) -> Mapping[str, Any]:
        with machine.progress.track(f"render {name}"):
            examples, settings = settled(repaired, assigned, name, records=False), settings_of(recipe.layout)
            limit = recipe.templates.paraphrases
            samples = render_samples(examples, TASKS.get(name), templates, recipe.seed, settings, paraphrases=limit)
            if frozen:
                kept = frozen.read_rows(name)
                _refuse_known_instructions(name, samples, kept)
                samples = pa.concat_tables([samples, kept])
        feather.write_feather(samples, str(out / "samples.arrow"), compression="lz4")
        return {}

    inputs = {
        "examples": repaired.digest,
        "assignment": hashlib.sha256(_assignments(assigned, name).read_bytes()).hexdigest(),
        "kept": frozen.rows.digest if frozen else "",
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


def _assignments(assigned: Stage, task: str) -> Path:
    return assigned.folder / f"{task}.parquet"


def _refuse_known_instructions(name: str, samples: pa.Table, kept: pa.Table) -> None:
    """Refuse to train on instructions that the kept tests of unseen instructions hold."""
    unseen = kept.filter(pc.match_substring(kept["setting"], "_Unseen_"))["instruction"].unique()
    trained = samples.filter(pc.equal(samples["split"], ORIGINAL_SPLIT["train"]))["instruction"].unique()
    known = sorted({*unseen.to_pylist()} & {*trained.to_pylist()})
    if known:
        raise UserError(
            f"The frozen tests of {name} hold an instruction as unseen that training would now use: '{known[0]}'. "
            "Build with the templates that the frozen dataset was built with, or hold that instruction out."
        )


def settled(repaired: Stage, assigned: Stage, task: str, *, records: bool = True) -> list[Assigned]:
    """Return a task's assigned examples as the split settled them: context trimmed, options replaced.

    With or without the raw records that they were made from: no sample shows these, and they are much to read.
    """
    options, items = (["options"], ["context", "origins"]) if records else (_SHOWN_OPTIONS, _SHOWN_ITEMS)
    placed = _read(_assignments(assigned, task), ["example_id", "split", "context", "families", *options])
    placed = placed.filter(pc.is_valid(placed["split"]))
    drawn = _read(repaired.folder / "examples.parquet", [*_PLAIN, *items])
    drawn = drawn.filter(pc.is_in(drawn["example_id"], value_set=placed["example_id"].combine_chunks()))
    # Both are ordered by example_id, so that rows stand side by side.
    context = _picked(drawn["context"].combine_chunks(), placed["context"].combine_chunks())
    drawn = drawn.set_column(drawn.column_names.index("context"), "context", context)
    drawn = drawn.append_column("options", placed["options"])
    examples, splits = table_to_examples(drawn), placed["split"].to_pylist()
    families = placed["families"].to_pylist()
    return [Assigned(*one[:2], tuple(one[2])) for one in zip(examples, splits, families, strict=True)]


def _read(file: Path, columns: Sequence[str]) -> pa.Table:
    with pq.ParquetFile(file) as stored:
        return stored.read(columns)


def _picked(lists: pa.ListArray, positions: pa.ListArray) -> pa.ListArray:
    """Return lists of some of the values of each list, given their positions in it."""
    sizes = positions.value_lengths().to_numpy()
    starts = np.repeat(lists.offsets.to_numpy()[:-1], sizes)
    offsets = np.concatenate([np.zeros(1, np.int32), np.cumsum(sizes, dtype=np.int32)])
    values = lists.values.take(pa.array(starts + positions.flatten().to_numpy()))
    return pa.ListArray.from_arrays(pa.array(offsets), values)


def settle(example: Example, assignment: Mapping[str, Any]) -> Example:
    """Return an example as the split left it: only the context that its assignment keeps, and its options."""
    return replace(
        example,
        context=tuple(example.context[position] for position in assignment["context"]),
        options=tuple(Option(**option) for option in assignment["options"]),
    )


def read_all_samples(rendered: Mapping[str, Stage], tasks: Collection[str] | None = None) -> dict[str, pa.Table]:
    """Return the samples of some tasks, or of all, by task; see `read_samples`."""
    return {name: read_samples(stage) for name, stage in rendered.items() if tasks is None or name in tasks}


def read_samples(rendered: Stage, columns: Sequence[str] | None = None) -> pa.Table:
    """Return a task's samples, as rows of `SAMPLE_SCHEMA`, or some columns of them."""
    return feather.read_table(rendered.folder / "samples.arrow", columns)
