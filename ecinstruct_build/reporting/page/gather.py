"""Gather what the report says of a build from its stages, its books, its rows and its review."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from ecinstruct_build.recipe import Recipe
from ecinstruct_build.registry import TASKS
from ecinstruct_build.reporting.page.contents import (
    diversity_of,
    each_once,
    labels_of,
    lengths_of,
    positions_of,
    values_of,
)
from ecinstruct_build.reporting.page.data import (
    NOT_AUDITED,
    Diversity,
    Labels,
    Lengths,
    Positions,
    ReportData,
    SourceFlow,
    StageTime,
    TaskFlow,
)
from ecinstruct_build.reporting.page.removed import drawn_by_origin, duplicates_of, locales_of, rejections
from ecinstruct_build.reporting.page.reviewed import review_of
from ecinstruct_build.shortfall import source_shares
from ecinstruct_build.splits import SPLITS, Layout, place_order
from ecinstruct_build.stages.built import Built

_AS_IN_THE_BOOKS = ("name", "description", "layout", "engine", "seeds", "versions", "peak_memory_bytes")


def gather(
    built: Built,
    recipe: Recipe,
    samples: Mapping[str, pa.Table],
    manifest: Mapping[str, Any],
    review: Mapping[str, Any] | None,
    *,
    planted: Sequence[Mapping[str, Any]] = (),
) -> ReportData:
    """Gather the report on a build: the same for the same build, but for the times that it took.

    What the audit found is added by `ecinstruct_build.reporting.page.leakage.with_audit`: it may still run.

    Parameters
    ----------
    built, recipe
        The stages of the build, and what was asked for.
    samples
        Rows of `ecinstruct_build.example.SAMPLE_SCHEMA` by task name.
    manifest
        The books, as `ecinstruct_build.accounts.manifest_of` returns them, and ``generated``: duplicates are shown
        without texts that their source's terms forbid publishing again, unless all were generated.
    review
        What people found, as `ecinstruct_build.review.report` gives it in JSON; None = nobody reviewed.
    planted
        Scores of planted defects; see `ecinstruct_build.reporting.planted.gathering.scores_json`.
    """
    tasks = sorted(samples)
    contents = [_contents(task, samples[task], recipe.layout) for task in tasks]
    rejected, drawn = rejections(built.checked, tasks), drawn_by_origin(built.checked)
    flows = tuple(_task_flow(task, manifest["tasks"][task]) for task in tasks)
    return ReportData(
        **{name: manifest[name] for name in _AS_IN_THE_BOOKS},
        title=manifest["title"] or manifest["name"],
        places=tuple(sorted({place for flow in flows for place in flow.samples}, key=place_order)),
        splits=tuple(split for split in SPLITS if any(_made(flow, split) for flow in flows)),
        sources=_source_flows(manifest["inputs"], drawn, contents),
        tasks=flows,
        lengths=tuple(one for content in contents for one in content.lengths),
        labels=tuple(content.labels for content in contents if content.labels),
        positions=tuple(content.positions for content in contents if content.positions),
        diversity=tuple(content.diversity for content in contents),
        duplicates=duplicates_of(built.checked, rejected, recipe, restricted_texts=manifest["generated"]),
        locales=locales_of(built.checked, rejected, drawn, sum((one.locales for one in contents), Counter())),
        leakage=NOT_AUDITED,
        review=review_of(review) if review is not None else None,
        planted=tuple(dict(one) for one in planted),
        stages=_stage_times(manifest["stages"]),
    )


@dataclass(frozen=True)
class _Contents:
    """What is said of one task's rows; ``rows`` are published rows by source, the other counts are of examples."""

    task: str
    lengths: Sequence[Lengths]
    labels: Labels | None
    positions: Positions | None
    diversity: Diversity
    rows: Counter[str]
    sources: Counter[str]
    locales: Counter[str]


def _contents(task: str, samples: pa.Table, layout: Layout) -> _Contents:
    """Look at the rows of one task; the long texts of two tasks are never copied at once."""
    examples = each_once(samples)
    return _Contents(
        task=task,
        lengths=lengths_of(task, samples, examples),
        labels=labels_of(task, examples),
        positions=positions_of(task, examples),
        diversity=diversity_of(task, samples, examples, layout),
        rows=values_of(samples, "source"),
        sources=values_of(examples, "source"),
        locales=values_of(examples, "locale"),
    )


def _made(flow: TaskFlow, split: str) -> int:
    return flow.examples.get(split, 0) + flow.frozen.get(split, 0) + flow.wanted.get(split, 0)


def _task_flow(task: str, account: Mapping[str, Any]) -> TaskFlow:
    retention = dict(account["retention"])
    by_products = retention.pop("by_products")
    return TaskFlow(
        task=task,
        published_name=TASKS.get(task).published_name,
        steps=tuple((one["step"], one["count"]) for one in account["funnel"]),
        sources={source: one["samples"] for source, one in account["sources"].items() if one["samples"]},
        unmatched=tuple(account["unmatched"]),
        shares=tuple(source_shares(account)),
        retention=retention,
        retention_by_products=by_products,
        **{name: account[name] for name in ("drawn", "rejected", "dropped", "repaired", "flagged")},
        **{name: account[name] for name in ("examples", "frozen", "wanted", "samples")},
    )


def _source_flows(
    inputs: Sequence[Mapping[str, Any]], drawn: Sequence[tuple[tuple[str, ...], int]], contents: Sequence[_Contents]
) -> tuple[SourceFlow, ...]:
    made, totals = sum((one.sources for one in contents), Counter[str]()), Counter[str]()
    for (source, _), count in drawn:
        totals[source] += count
    published = sorted({source for one in contents for source in one.rows})
    by_source: dict[str, list[Mapping[str, Any]]] = {source: [] for source in published}
    for file in inputs:
        by_source.setdefault(file["source"], []).append(file)
    flows = []
    for source, files in sorted(by_source.items()):
        reasons = sum((Counter(file["reasons"]) for file in files), Counter[str]())
        sums = {
            name: sum(file[name] for file in files)
            for name in ("bytes", "records", "ingested", "quarantined", "collapsed")
        }
        flows.append(
            SourceFlow(
                source=source,
                files=len(files),
                **sums,
                reasons=dict(sorted(reasons.items())),
                drawn=totals[source],
                examples=made[source],
                samples={one.task: one.rows[source] for one in contents if source in one.rows},
            )
        )
    return tuple(flows)


def _stage_times(stages: Sequence[Mapping[str, Any]]) -> tuple[StageTime, ...]:
    """Sum the stages up by kind, in the order in which they ran."""
    by_stage: dict[str, list[Mapping[str, Any]]] = {}
    for stage in stages:
        by_stage.setdefault(stage["stage"], []).append(stage)
    times = []
    for name, runs in by_stage.items():
        seconds = [sum(run["seconds"] for run in runs if run["cached"] is cached) for cached in (False, True)]
        reused = sum(run["cached"] for run in runs)
        times.append(StageTime(name, len(runs) - reused, reused, *(round(one, 3) for one in seconds)))
    return tuple(times)
