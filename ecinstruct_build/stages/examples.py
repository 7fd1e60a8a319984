"""Build, check and split, wrapped for the store: from canonical tables to assigned examples."""

import math
from collections.abc import Collection, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import ibis.expr.types as ir
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ecinstruct_build.check import VERDICT_SCHEMA, Action, CheckSettings, Evidence, Verdict, outcome
from ecinstruct_build.drawing.pools import same_words_column
from ecinstruct_build.example import EXAMPLE_SCHEMA, Example, examples_to_table, table_to_examples
from ecinstruct_build.provenance import code_digest, own_digest
from ecinstruct_build.recipe import Recipe
from ecinstruct_build.registry import CHECKS, TASKS
from ecinstruct_build.stages.corpora import OpenTables
from ecinstruct_build.stages.machine import Machine
from ecinstruct_build.store import Stage
from ecinstruct_build.task import Request, TaskSettings
from quality.leakage import Assignment, assign, families_of

_PAIRS = pa.schema([("product_id", pa.string()), ("parent_id", pa.string())])
_TELLING_TITLE = 20  # characters from which on two products of one title are taken for one product

ASSIGNMENT_SCHEMA = pa.schema(
    [
        pa.field("example_id", pa.string(), nullable=False),
        pa.field("split", pa.string()),
        pa.field("reason", pa.string(), nullable=False),
        pa.field("context", pa.list_(pa.int32()), nullable=False),
        pa.field("options", EXAMPLE_SCHEMA.field("options").type, nullable=False),
    ]
)


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
        return {"drawn": table.num_rows, "funnel": [[step, count] for step, count in drawn.funnel.items()]}

    inputs = {
        "request": asdict(request),
        "settings": settings.model_dump(mode="json", exclude={"quota", "leakage", "min_context", "oversample"}),
        "tables": tables.digests(task.reads),
        "code": [code_digest(TASKS.module(name).__name__), own_digest(__name__)],
    }
    return machine.store.run("draw", name, inputs, produce)


def judge(name: str, drawn: Stage, checks: Mapping[str, CheckSettings], seed: int, machine: Machine) -> Stage:
    """Let every check that is not off judge a task's examples."""
    active = {check: settings for check, settings in sorted(checks.items()) if settings.action != "off"}

    def produce(out: Path, _scratch: Path) -> Mapping[str, Any]:
        examples = read_examples(drawn)
        rows = []
        with machine.progress.track(f"check {name}", len(active)) as advance:
            for check, settings in active.items():
                verdicts = CHECKS.get(check).judge(examples, settings, Evidence(seed))
                rows += [_verdict_row(check, settings.action, verdict) for verdict in verdicts]
                advance(1)
        rows.sort(key=lambda row: (row["example_id"], row["check"], row["reason"], row["peer"]))
        pq.write_table(pa.Table.from_pylist(rows, schema=VERDICT_SCHEMA), out / "verdicts.parquet", compression="zstd")
        return {}

    inputs = {
        "examples": drawn.digest,
        "seed": seed,
        "checks": {check: settings.model_dump(mode="json") for check, settings in active.items()},
        "code": [{check: code_digest(CHECKS.module(check).__name__) for check in active}, own_digest(__name__)],
    }
    return machine.store.run("check", name, inputs, produce)


def _verdict_row(check: str, action: Action, verdict: Verdict) -> dict[str, Any]:
    row = _fields(verdict)
    return {"check": check, "action": outcome(action, row.pop("remedy")), **row}


def _fields(value: Any) -> dict[str, Any]:
    return {name: getattr(value, name) for name in value.__slots__}


def families(tables: OpenTables, machine: Machine) -> Stage:
    """Join products into families: variants with their parent, known matches, and products of the same title."""

    def produce(out: Path, _scratch: Path) -> Mapping[str, Any]:
        with machine.progress.track("families"):
            opened = tables.open()
            product, match = opened["product"], opened["match"]
            variants = product.filter(product.parent_id.notnull()).select("product_id", "parent_id")
            listings = match.filter(match.is_match).select(product_id=match.left_id, parent_id=match.right_id)
            key = ["product_id", "parent_id"]
            # Fetched one by one: a table that no source fills has stricter column types than a union admits.
            pairs = [opened.fetch(part.distinct(), key) for part in (variants, listings, _same_titles(product))]
            joined = families_of(pa.concat_tables([part.cast(_PAIRS) for part in pairs]))
        table = pa.table({"product_id": sorted(joined), "family_id": [joined[key] for key in sorted(joined)]})
        pq.write_table(table, out / "families.parquet", compression="zstd")
        return {"families": len(set(joined.values()))}

    inputs = {
        "tables": tables.digests(["match", "product"]),
        "code": [code_digest("quality.leakage"), code_digest("ecinstruct_build.drawing.pools"), own_digest(__name__)],
    }
    return machine.store.run("families", "products", inputs, produce)


def _same_titles(product: ir.Table) -> ir.Table:
    """Pair products of the same title with the first of them; short titles say too little."""
    titled = product.mutate(words=same_words_column(product.title))
    titled = titled.filter(titled.words.length() >= _TELLING_TITLE).select("product_id", "words").distinct()
    first = titled.group_by("words").agg(parent_id=titled.product_id.min(), products=titled.product_id.count())
    first = first.filter(first.products > 1)
    joined = titled.join(first, "words")
    return joined.filter(joined.product_id != joined.parent_id).select("product_id", "parent_id")


def split(
    recipe: Recipe, drawn: Mapping[str, Stage], judged: Mapping[str, Stage], joined: Stage, machine: Machine
) -> Stage:
    """Assign every accepted example of all tasks to a split, or drop it with a reason."""

    def produce(out: Path, _scratch: Path) -> Mapping[str, Any]:
        with machine.progress.track("split"):
            accepted = {name: _accepted(drawn[name], judged[name]) for name in drawn}
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
        "examples": {name: stage.digest for name, stage in drawn.items()},
        "verdicts": {name: stage.digest for name, stage in judged.items()},
        "families": joined.digest,
        "settings": {
            name: task.model_dump(mode="json", include={"quota", "leakage", "min_context"})
            for name, task in recipe.tasks.items()
        },
        "weights": recipe.split_weights,
        "seed": recipe.split_seed,
        "code": [code_digest("quality.leakage"), code_digest("ecinstruct_build.drawing.pools"), own_digest(__name__)],
    }
    return machine.store.run("split", recipe.name, inputs, produce)


def _assignment_row(assignment: Assignment, example: Example) -> dict[str, Any]:
    options = {option.key: option for option in (*example.spare_options, *example.options)}
    return {**_fields(assignment), "options": [_fields(options[key]) for key in assignment.options]}


def _accepted(drawn: Stage, judged: Stage) -> list[Example]:
    rejected = {row["example_id"] for row in read_verdicts(judged) if row["action"] == "reject"}
    return [example for example in read_examples(drawn) if example.example_id not in rejected]


def read_examples(drawn: Stage, only: Collection[str] | None = None, *, spare_options: bool = True) -> list[Example]:
    """Return the examples that a task drew, ordered by example_id.

    Parameters
    ----------
    drawn
        The stage that drew them.
    only
        Ids of the examples wanted; None = all.
    spare_options
        Whether their spare options are wanted.
    """
    columns = [name for name in EXAMPLE_SCHEMA.names if spare_options or name != "spare_options"]
    table = pq.read_table(drawn.folder / "examples.parquet", columns=columns)
    if only is not None:
        table = table.filter(pc.is_in(table["example_id"], value_set=pa.array(sorted(only), pa.string())))
    return table_to_examples(table)


def read_verdicts(judged: Stage) -> list[dict[str, Any]]:
    """Return the verdicts on a task's examples, as rows of `VERDICT_SCHEMA`."""
    return list(pq.read_table(judged.folder / "verdicts.parquet").to_pylist())


def read_assignments(assigned: Stage, task: str) -> list[dict[str, Any]]:
    """Return the assignments of a task's accepted examples, as rows of `ASSIGNMENT_SCHEMA`, ordered by example_id."""
    return list(pq.read_table(assigned.folder / f"{task}.parquet").to_pylist())
