"""The books of a build: what came in, what went out, and every reason in between (law: nothing disappears)."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import version
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from ecinstruct_build import __version__
from ecinstruct_build.check import Remedy
from ecinstruct_build.memory import largest_child, own_peak
from ecinstruct_build.provenance import library_versions
from ecinstruct_build.recipe import Recipe
from ecinstruct_build.splits import SPLITS, Layout, published_split
from ecinstruct_build.stages.built import Built
from ecinstruct_build.stages.corpora import IngestedFile
from ecinstruct_build.stages.machine import Machine
from ecinstruct_build.stages.samples import read_samples
from ecinstruct_build.store import Stage
from ecinstruct_build.task import TaskSettings
from quality.splitting.mixing import weights_of


def manifest_of(recipe: Recipe, built: Built, machine: Machine) -> dict[str, Any]:
    """Return the manifest of a build, all but what it says of the recipe and of what is published.

    Returns
    -------
    dict
        JSON values. For every input file ``records = ingested + quarantined + collapsed``; for every task
        ``drawn = rejected + dropped + examples``, each counted by reason or split; ``frozen`` examples come on top.
        The ``drawn``, ``examples`` and ``samples`` (published rows) of a task are the sums of those of its ``sources``.
    """
    return {
        "name": recipe.name,
        "title": recipe.title,
        "description": recipe.description,
        "versions": {"ecinstruct-build": __version__, "datasets": version("datasets"), **library_versions()},
        "seeds": {"draw": recipe.seed, "split": recipe.split_seed},
        "engine": machine.engine.name,
        "layout": recipe.layout,
        "inputs": [_input_account(file) for file in built.files],
        "tasks": {name: _task_account(name, recipe.tasks[name], recipe.layout, built) for name in sorted(built.drawn)},
        "stages": [_stage_account(stage) for stage in built.stages],
        "peak_memory_bytes": _peak_memory(built, machine),
    }


def _input_account(file: IngestedFile) -> dict[str, Any]:
    return {
        "source": file.source,
        "file": file.file,
        "bytes": file.bytes,
        "sha256": file.sha256,
        **{key: file.facts[key] for key in ("records", "ingested", "quarantined", "collapsed", "rows", "reasons")},
    }


def _task_account(name: str, task: TaskSettings, layout: Layout, built: Built) -> dict[str, Any]:
    drawn, verdicts = built.drawn[name], built.checked.verdict_table(name)
    assignments = built.assigned.table(name, ["example_id", "split", "reason"])
    dropped = assignments.filter(pc.is_null(assignments["split"]))
    examples = Counter(assignments["split"].to_pylist())
    frozen = Counter(built.frozen.splits(name).values()) if built.frozen else Counter()
    wanted = task.quota.model_dump()
    missing = {split: wanted[split] - examples[split] - frozen.get(split, 0) for split in SPLITS}
    samples = _sample_counts(built.rendered[name], layout)
    return {
        "wanted": wanted,
        "drawn": drawn.facts["drawn"],
        "funnel": [{"step": step, "count": count} for step, count in drawn.facts["funnel"]],
        "unmatched": drawn.facts["unmatched"],
        "rejected": _by_name(Counter(_rejections(verdicts))),
        "repaired": _by_name(Counter(_said(verdicts, "repair"))),
        "flagged": _by_name(Counter(_said(verdicts, "flag"))),
        "dropped": _by_name(Counter(dropped["reason"].to_pylist())),
        "examples": {split: examples[split] for split in SPLITS},
        "sources": _source_counts(drawn, assignments, task, samples),
        "retention": _retention(built.assigned.facts["retention"][name]),
        "samples": _by_name(sum(samples.values(), Counter())),
        "frozen": {split: frozen.get(split, 0) for split in SPLITS},
        "shortfall": {split: missing[split] for split in SPLITS if missing[split] > 0},
    }


def _rejections(verdicts: pa.Table) -> Iterable[str]:
    """Return why each example is left out: the first of the verdicts that say so."""
    ids = verdicts["example_id"].filter(pc.equal(verdicts["action"], "reject")).to_pylist()
    return dict(zip(reversed(ids), reversed(_said(verdicts, "reject")), strict=True)).values()


def _retention(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return what the split could keep of all in-domain examples, and of those with so many products."""
    counts = {row["products"]: {name: row[name] for name in ("examples", "kept", "hashing")} for row in rows}
    return {**counts.pop("all"), "by_products": {name: one for name, one in counts.items() if one["examples"]}}


def _said(verdicts: pa.Table, action: Remedy) -> list[str]:
    """Return check and reason of each verdict with an action."""
    chosen = verdicts.filter(pc.equal(verdicts["action"], action))
    said: list[str] = pc.binary_join_element_wise(chosen["check"], chosen["reason"], ": ").to_pylist()
    return said


def _sample_counts(rendered: Stage, layout: Layout) -> dict[str, Counter[str]]:
    """Return, by source, its published rows by split (in the original's layout, by setting and split)."""
    columns = ["source", "split", "setting"]
    counts = read_samples(rendered, columns).group_by(columns).aggregate([([], "count_all")]).to_pylist()
    found: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for row in counts:
        split, setting = row["split"], row["setting"]
        place = f"{setting}/{split}" if layout == "ecinstruct" else published_split(split, setting) or ""
        found[row["source"]][place] += row["count_all"]
    return found


def _source_counts(
    drawn: Stage, assignments: pa.Table, task: TaskSettings, samples: Mapping[str, Counter[str]]
) -> dict[str, dict[str, Any]]:
    """Return, by source, what was drawn, the share that it was to have (or null), its examples by split and its rows.

    ``drawn_ood`` of what was drawn is out of domain. The rows have those of frozen examples among them, which
    may be of a source that nothing was drawn of.
    """
    examples = drawn.table("examples", ["example_id", "source", "domain"])
    drawn_of, ood_of = (
        {one["values"]: one["counts"] for one in pc.value_counts(sources).to_pylist()}
        for sources in (examples["source"], examples["source"].filter(pc.equal(examples["domain"], "ood")))
    )
    wanted = weights_of(task, drawn_of) if task.shares else {}
    rows = pc.index_in(assignments["example_id"], value_set=examples["example_id"].combine_chunks())
    placed = pa.table({"source": examples["source"].take(rows), "split": assignments["split"]})
    counts = placed.group_by(["source", "split"]).aggregate([([], "count_all")]).to_pylist()
    made = {(row["source"], row["split"]): row["count_all"] for row in counts}
    return {
        source: {
            "drawn": drawn_of.get(source, 0),
            "drawn_ood": ood_of.get(source, 0),
            "share": wanted.get(source),
            "examples": {split: made.get((source, split), 0) for split in SPLITS},
            "samples": _by_name(samples.get(source, Counter())),
        }
        for source in sorted({*drawn_of, *wanted, *samples})
    }


def _stage_account(stage: Stage) -> dict[str, Any]:
    return {
        "stage": stage.stage,
        "name": stage.name,
        "key": stage.key,
        "seconds": stage.seconds,
        "cached": stage.cached,
    }


def _by_name(counts: Mapping[str, int]) -> dict[str, int]:
    return {name: counts[name] for name in sorted(counts)}


def _peak_memory(built: Built, machine: Machine) -> int:
    """Return an upper bound on what this process and its workers held at once, in bytes."""
    generators = machine.jobs * largest_child() if machine.jobs > 1 else 0
    return own_peak() + max(built.worker_bytes, generators)
