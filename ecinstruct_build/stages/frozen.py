"""Test sets of an earlier build, kept as they are while training data changes; wrapped for the store."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ecinstruct_build.errors import UserError
from ecinstruct_build.example import SAMPLE_SCHEMA, Example
from ecinstruct_build.file_digests import identities_of, refuse_changed
from ecinstruct_build.provenance import code_digest, own_digest
from ecinstruct_build.recipe import Recipe
from ecinstruct_build.registry import TASKS
from ecinstruct_build.splits import ORIGINAL_SPLIT, Split, settings_of
from ecinstruct_build.stages.checks import Checked
from ecinstruct_build.stages.families import read_families
from ecinstruct_build.stages.lookalikes import MIN_WORDS, duplicate_settings, input_measures, kept_forms
from ecinstruct_build.stages.machine import Machine
from ecinstruct_build.store import Stage
from quality.duplicates import DuplicateSettings, measure, similar_examples
from quality.similarity.passages import shared_passages
from quality.splitting.leakage import Kept
from quality.splitting.ties import DOMAIN_GROUPS, family_node, group_node


@dataclass(frozen=True)
class Frozen:
    """Rows that are kept from an earlier build.

    Attributes
    ----------
    rows
        The rows, by task.
    held
        What they hold, and which accepted examples are too like one of them.
    """

    rows: Stage
    held: Stage

    def read_rows(self, task: str) -> pa.Table:
        """Return a task's kept rows, in `SAMPLE_SCHEMA`."""
        return self.rows.table(task)

    def splits(self, task: str) -> dict[str, Split]:
        """Return the split of each example of a task that is kept, by its id."""
        rows = self.rows.table(task, ["example_id", "domain", "split"])
        return {row["example_id"]: split_of(row) for row in rows.to_pylist()}

    def read_held(self) -> Kept:
        """Return what the split has to leave alone."""
        nodes = self.held.table("nodes").to_pydict()
        alike = self.held.table("alike")["example_id"].to_pylist()
        return Kept(dict(zip(nodes["node"], nodes["split"], strict=True)), alike, frozen=True)


def freeze(recipe: Recipe, checked: Checked, joined: Stage, machine: Machine) -> Frozen | None:
    """Keep the validation and test rows of the dataset that the recipe names; None if it names none.

    Raises
    ------
    UserError
        If the folder holds no dataset of ours, or one in another layout or of other tasks.
    """
    folder = recipe.split.freeze
    if folder is None:
        return None
    shards = sorted((folder / "data").rglob("*.parquet"))
    if not shards:
        raise UserError(
            f"There is nothing to freeze in {folder}: it has no data/*.parquet. Give the folder of a dataset that "
            "'ecinstruct build' wrote."
        )
    rows = _rows(folder, shards, recipe, machine)
    return Frozen(rows, _held(rows, recipe, checked, joined, machine))


def _rows(folder: Path, shards: Sequence[Path], recipe: Recipe, machine: Machine) -> Stage:
    """Keep the validation and test rows of the dataset in a folder."""
    standing = identities_of(shards)

    def produce(out: Path, _scratch: Path) -> Mapping[str, Any]:
        held_out = _held_out(shards, folder)
        _refuse_others(held_out, recipe, folder)
        for name in recipe.tasks:
            rows = held_out.filter(pc.equal(held_out["task"], TASKS.get(name).published_name))
            pq.write_table(rows, out / f"{name}.parquet", compression="zstd")
        refuse_changed(standing)
        return {"rows": held_out.num_rows}

    inputs = {
        "shards": [machine.store.file_digest(shard) for shard in shards],
        "tasks": sorted(recipe.tasks),
        "layout": recipe.layout,
        "code": own_digest(__name__),
    }
    return machine.store.run("frozen", recipe.name, inputs, produce)


def split_of(row: Mapping[str, Any]) -> Split:
    """Return the split of a published row."""
    if row["domain"] == "ood":
        return "test_ood"
    return next(split for split, published in ORIGINAL_SPLIT.items() if published == row["split"])


def _held_out(shards: Iterable[Path], folder: Path) -> pa.Table:
    """Return the validation and test rows of shards, as they are."""
    tables = []
    for shard in shards:
        missing = [name for name in SAMPLE_SCHEMA.names if name not in pq.read_schema(shard).names]
        if missing:
            raise UserError(
                f"The test sets in {folder} cannot be frozen: {shard.name} has no column {', '.join(missing)}. Only "
                "datasets that 'ecinstruct build' wrote can be."
            )
        rows = pq.read_table(shard, columns=SAMPLE_SCHEMA.names)
        rows = rows.filter(pc.not_equal(rows["split"], ORIGINAL_SPLIT["train"]))
        try:
            tables.append(rows.cast(SAMPLE_SCHEMA))
        except (pa.ArrowInvalid, ValueError) as error:
            raise UserError(f"The test sets in {folder} cannot be frozen: {shard.name}: {error}.") from error
    return pa.concat_tables(tables).combine_chunks()


def _refuse_others(held_out: pa.Table, recipe: Recipe, folder: Path) -> None:
    published = {TASKS.get(name).published_name for name in recipe.tasks}
    others = sorted({*held_out["task"].unique().to_pylist()} - published)
    if others:
        raise UserError(
            f"{folder} holds test sets of tasks that recipe '{recipe.name}' does not build: {', '.join(others)}. Add "
            "them to the recipe, with a quota of 0 if no new examples of them are wanted."
        )
    known = {setting.name for setting in settings_of(recipe.layout)}
    if not {*held_out["setting"].unique().to_pylist()} <= known:
        raise UserError(f"{folder} is in another layout than '{recipe.layout}', which recipe '{recipe.name}' asks for.")


def _held(rows: Stage, recipe: Recipe, checked: Checked, joined: Stage, machine: Machine) -> Stage:
    """Find what the kept rows hold, and which accepted examples are too like one of them."""

    def produce(out: Path, _scratch: Path) -> Mapping[str, Any]:
        with machine.progress.track("kept tests"):
            families, tables = read_families(joined), {name: rows.table(name) for name in recipe.tasks}
            kept = [row for table in tables.values() for row in table.to_pylist()]
            nodes = {node: split_of(row) for row in kept for node in _nodes(row, families)}
            tests = [one for name, table in tables.items() for one in kept_forms(name, table)]
            alike = _like_tests(tests, checked, recipe)
        pq.write_table(pa.table({"node": list(nodes), "split": list(nodes.values())}), out / "nodes.parquet")
        pq.write_table(pa.table({"example_id": pa.array(alike, pa.string())}), out / "alike.parquet")
        return {"nodes": len(nodes), "alike": len(alike)}

    inputs = {
        "rows": rows.digest,
        "examples": [stage.digest for stage in checked.before_split],
        "families": joined.digest,
        "similarity": recipe.split.similarity,
        "settings": duplicate_settings(recipe).model_dump(mode="json"),
        "code": [
            code_digest("ecinstruct_build.stages.lookalikes"),
            code_digest("ecinstruct_build.splits"),
            own_digest(__name__),
        ],
    }
    return machine.store.run("kept", recipe.name, inputs, produce)


def _nodes(row: Mapping[str, Any], families: Mapping[str, str]) -> Iterator[str]:
    """Yield the nodes of a kept row; groups that in-domain splits share count for out-of-domain rows only.

    A family is named by one of its products. A row may have been published with one that its product is no longer of,
    since what joined them was not drawn this time.
    """
    yield from (family_node(product, families) for product in (*row["products"], *row["families"]))
    for group in row["groups"]:
        if row["domain"] == "ood" or not group.startswith(DOMAIN_GROUPS):
            yield group_node(group)


def _like_tests(tests: Sequence[Example], checked: Checked, recipe: Recipe) -> list[str]:
    """Return the ids of accepted examples that are too like a kept test, or share a passage with one."""
    examples = [one for name in recipe.tasks for one in checked.accepted(name, spare_options=False)]
    measures = [input_measures(recipe, checked, examples), measure(tests, DuplicateSettings(shingle=1))]
    similar = similar_examples(pa.concat_tables(measures), recipe.split.similarity, MIN_WORDS)
    neighbours: dict[str, list[str]] = {}
    for pairs in (similar, shared_passages([*examples, *tests])):
        for left, right in zip(pairs["left"].to_pylist(), pairs["right"].to_pylist(), strict=True):
            neighbours.setdefault(left, []).append(right)
            neighbours.setdefault(right, []).append(left)
    return sorted(_near([one.example_id for one in tests], neighbours))


def _near(tests: Sequence[str], neighbours: Mapping[str, Sequence[str]]) -> set[str]:
    """Return all that is like a test, or like something that is: a crowd is told by pairs with its first members."""
    first = {other for test in tests for other in neighbours.get(test, ())}
    second = {other for one in first for other in neighbours.get(one, ())}
    return (first | second) - set(tests)
