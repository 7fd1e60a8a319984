"""Split, wrapped for the store: from accepted examples to what they stand on, its communities, and their assignment."""

from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ecinstruct_build.example import EXAMPLE_SCHEMA
from ecinstruct_build.helper import Helper
from ecinstruct_build.provenance import code_digest, own_digest
from ecinstruct_build.recipe import Recipe
from ecinstruct_build.splits import SPLITS
from ecinstruct_build.stages.checks import Checked
from ecinstruct_build.stages.examples import read_sources
from ecinstruct_build.stages.families import read_families
from ecinstruct_build.stages.frozen import Frozen
from ecinstruct_build.stages.lookalikes import (
    duplicate_settings,
    input_words,
    kept_forms,
    like_kept_tests,
    lookalikes_code,
    read_pairs,
    settled_lookalikes,
    trimmed_samples,
)
from ecinstruct_build.stages.machine import Machine
from ecinstruct_build.store import Stage
from ecinstruct_build.task import Quota, TaskSettings
from quality.splitting.leakage import ALL_TO_TRAINING, Assigned, assign, communities_of, drop_alike, drop_like_kept
from quality.splitting.mixing import Mixing, mixing_of
from quality.splitting.placement import NOWHERE
from quality.splitting.proof import prove
from quality.splitting.ragged import Integers
from quality.splitting.retention import by_hashing, retention
from quality.splitting.ties import FAMILY
from quality.splitting.web import Web, read_web, web_of

ASSIGNMENT_SCHEMA = pa.schema(
    [
        pa.field("example_id", pa.string(), nullable=False),
        pa.field("split", pa.string()),
        pa.field("reason", pa.string(), nullable=False),
        pa.field("context", pa.list_(pa.int32()), nullable=False),
        pa.field("options", EXAMPLE_SCHEMA.field("options").type, nullable=False),
        pa.field("families", pa.list_(pa.string()), nullable=False),
    ]
)


def web(recipe: Recipe, checked: Checked, joined: Stage, found: Stage, machine: Machine) -> Stage:
    """Spin the web of the accepted examples of all tasks: what each stands on, whatever the seed.

    Parameters
    ----------
    recipe, checked, joined
        The recipe, the accepted examples and the families of their products.
    found
        The look-alikes among the examples.
    machine
        What to build with.
    """

    def produce(out: Path, _scratch: Path) -> Mapping[str, Any]:
        with machine.progress.track("web"):
            accepted = chain.from_iterable(map(checked.accepted, recipe.tasks))
            spun = web_of(accepted, read_families(joined), read_pairs(found))
            spun.write(out)
        return {"examples": len(spun.example_ids), "nodes": len(spun.nodes)}

    inputs = {
        "examples": [stage.digest for stage in checked.before_split],
        "families": joined.digest,
        "look-alikes": found.digest,
        "tasks": list(recipe.tasks),
        "code": [code_digest("quality.splitting.web"), *_reading_code(), own_digest(__name__)],
    }
    return machine.store.run("web", recipe.name, inputs, produce)


def communities(recipe: Recipe, spun: Stage, machine: Machine, helper: Helper | None = None) -> Stage:
    """Cut the web into communities, and hash it for comparison, once for the splits of all seeds.

    Beside frozen tests there is nothing to divide, so the web is left uncut.

    Parameters
    ----------
    recipe, spun
        The recipe, and the web of its examples.
    machine
        What to build with.
    helper
        Cuts some of the components.
    """
    divided_by = ALL_TO_TRAINING if recipe.split.freeze else recipe.split_weights

    def produce(out: Path, _scratch: Path) -> Mapping[str, Any]:
        with machine.progress.track("communities"):
            examples = read_web(spun.folder)
            found = communities_of(examples, recipe.tasks, divided_by, recipe.seed, beside=helper)
            np.save(out / "communities.npy", found)
            np.save(out / "hashed.npy", by_hashing(examples, recipe.tasks, recipe.split_weights, recipe.seed))
        return {"communities": len(np.unique(found))}

    inputs = {
        "web": spun.digest,
        "settings": _settings(recipe, "leakage", "min_context"),
        "weights": [divided_by, recipe.split_weights],
        "seed": recipe.seed,
        "code": [code_digest("quality.splitting.retention"), own_digest(__name__)],
    }
    return machine.store.run("communities", recipe.name, inputs, produce)


def split(
    recipe: Recipe,
    checked: Checked,
    spun: Stage,
    parted: Stage,
    found: Stage,
    *,
    frozen: Frozen | None,
    machine: Machine,
    helper: Helper | None = None,
) -> Stage:
    """Assign every accepted example of all tasks to a split, or drop it with a reason.

    Those that late checks reject have their place in it, and then others come in for them: they are in no table.

    Parameters
    ----------
    recipe, checked
        The recipe, and the accepted examples.
    spun, parted, found
        Their web, what `communities` made of it, and the look-alikes among them.
    frozen
        Test rows that are kept from an earlier build.
    machine
        What to build with.
    helper
        Places some of the components.
    """

    def produce(out: Path, _scratch: Path) -> Mapping[str, Any]:
        with machine.progress.track("split"):
            examples, left_out = read_web(spun.folder), checked.rejected_late()
            parts, hashed = (np.load(parted.folder / f"{name}.npy") for name in ("communities", "hashed"))
            assigned, pairs = _assigned(
                recipe, checked, found, examples, parts, left_out=left_out, frozen=frozen, helper=helper
            )
            checks = prove(examples, recipe.tasks, assigned, pairs)
            _write_assignments(_assignment_table(examples, assigned, left_out), recipe, out)
            survey = retention(examples, recipe.tasks, assigned, hashed)
        return {"checked": checks, "retention": survey}

    inputs = _split_inputs(recipe, checked, spun, parted, found, frozen=frozen)
    return machine.store.run("split", recipe.name, inputs, produce)


def _split_inputs(
    recipe: Recipe, checked: Checked, spun: Stage, parted: Stage, found: Stage, *, frozen: Frozen | None
) -> dict[str, Any]:
    """Return all that a split depends on."""
    assigning = ("quality.splitting.leakage", "quality.splitting.proof", "quality.splitting.retention")
    return {
        "web": spun.digest,
        "communities": parted.digest,
        "look-alikes": found.digest,
        "examples": [stage.digest for stage in checked.stages],
        "settings": _settings(recipe, "quota", "shares", "leakage", "min_context", "ood"),
        "kept": [frozen.rows.digest, frozen.held.digest] if frozen else [],
        "similarity": recipe.split.similarity,
        "duplicates": duplicate_settings(recipe).model_dump(mode="json"),
        "weights": recipe.split_weights,
        "seed": recipe.split_seed,
        "code": [*map(code_digest, assigning), *lookalikes_code(), *_reading_code(), own_digest(__name__)],
    }


def _settings(recipe: Recipe, *names: str) -> dict[str, Any]:
    """Return some settings of each task, as JSON values."""
    return {task: settings.model_dump(mode="json", include=set(names)) for task, settings in recipe.tasks.items()}


def _reading_code() -> list[str]:
    """Return digests of the code that reads what earlier stages wrote."""
    stages = ("checks", "examples", "families", "frozen", "lookalikes")
    return [own_digest(f"ecinstruct_build.stages.{stage}") for stage in stages]


def _assigned(
    recipe: Recipe,
    checked: Checked,
    found: Stage,
    examples: Web,
    parts: Integers,
    *,
    left_out: Collection[str],
    frozen: Frozen | None,
    helper: Helper | None,
) -> tuple[Assigned, pa.Table]:
    """Assign the examples, and drop what is too like others once trimmed; return with it all pairs of look-alikes."""
    with ThreadPoolExecutor(1) as thread:  # it reads, while this one places, what is needed then
        words = thread.submit(input_words, checked, found, examples) if _may_trim(recipe) else None
        assigned = assign(
            examples,
            _training_only(recipe.tasks) if frozen else recipe.tasks,
            recipe.split_weights,
            recipe.split_seed,
            parts=parts,
            kept=frozen.read_held() if frozen else None,
            left_out=left_out,
            mixing=_mixing(recipe, checked),
            beside=helper,
        )
    pairs = read_pairs(found)
    if words is None:
        return assigned, pairs
    late = settled_lookalikes(recipe, checked, found, examples, assigned, words=words.result())
    assigned = drop_alike(examples, assigned, late)
    if frozen:
        assigned = _apart_from_kept(recipe, checked, frozen, examples, assigned)
    return assigned, pa.concat_tables([pairs, late])


def _mixing(recipe: Recipe, checked: Checked) -> Mixing | None:
    sources = {name: read_sources(checked.repaired[name]) for name, task in recipe.tasks.items() if task.shares}
    return mixing_of(recipe.tasks, sources)


def _may_trim(recipe: Recipe) -> bool:
    """Return whether an example may lose context, and become too like another."""
    return any(task.leakage == "trim" for task in recipe.tasks.values())


def _apart_from_kept(recipe: Recipe, checked: Checked, frozen: Frozen, examples: Web, assigned: Assigned) -> Assigned:
    """Drop samples that became like a kept test only when the split trimmed their context."""
    tests = [one for name in recipe.tasks for one in kept_forms(name, frozen.read_rows(name))]
    trimmed = trimmed_samples(checked, examples, assigned)
    return drop_like_kept(examples, assigned, like_kept_tests(trimmed, tests, recipe.split.similarity))


def _training_only(tasks: Mapping[str, TaskSettings]) -> dict[str, TaskSettings]:
    """Return settings of tasks that want nothing but training examples: their tests are kept from an earlier build."""
    return {name: task.model_copy(update={"quota": Quota(train=task.quota.train)}) for name, task in tasks.items()}


def _assignment_table(examples: Web, assigned: Assigned, left_out: Collection[str]) -> pa.Table:
    """Lay an assignment out in `ASSIGNMENT_SCHEMA`, ordered by example_id, without the examples that are left out."""
    options = assigned.options
    shown = examples.shown(assigned.context, options)
    shown = shown.where(examples.is_family[shown.values] & (assigned.split != NOWHERE)[shown.owners])
    families = pa.array([name.removeprefix(FAMILY) for name in examples.nodes], pa.string())
    columns = [
        pa.array(examples.example_ids, pa.string()),
        pa.array([None if split == NOWHERE else SPLITS[split] for split in assigned.split.tolist()], pa.string()),
        pa.array(assigned.reason, pa.string()),
        assigned.context.to_arrow(),
        _lists(options.starts, examples.option_values.take(pa.array(options.values))),
        _lists(shown.starts, families.take(pa.array(shown.values))),
    ]
    table = pa.table(columns, schema=ASSIGNMENT_SCHEMA)
    return table.filter(pc.invert(pc.is_in(table["example_id"], value_set=pa.array(sorted(left_out), pa.string()))))


def _write_assignments(table: pa.Table, recipe: Recipe, out: Path) -> None:
    for name in recipe.tasks:
        rows = table.filter(pc.starts_with(table["example_id"], f"{name}:"))
        pq.write_table(rows, out / f"{name}.parquet", compression="zstd")


def _lists(starts: Integers, values: pa.Array) -> pa.ListArray:
    return pa.ListArray.from_arrays(pa.array(starts, pa.int32()), values)


def read_assignments(assigned: Stage, task: str) -> list[dict[str, Any]]:
    """Return the assignments of a task's accepted examples, as rows of `ASSIGNMENT_SCHEMA`, ordered by example_id."""
    return list(assigned.table(task).to_pylist())
