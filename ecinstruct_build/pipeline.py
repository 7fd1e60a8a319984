"""The corridor: fetch -> ingest -> build -> check -> split -> render -> publish.

Everything flows one way. Each stage is kept in the store under a key of all that it depends on, so a build
resumes where it stopped and a changed setting reruns only what follows from it.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from pathlib import Path
from typing import Any

from ecinstruct_build.accounts import manifest_of
from ecinstruct_build.audit.result import Audit
from ecinstruct_build.errors import UserError, refuse_names_that_are_no_text
from ecinstruct_build.helper import Helper
from ecinstruct_build.lazily import spare_pandas
from ecinstruct_build.publish.dataset import Publication, Report, Samples, publish
from ecinstruct_build.publish.folder import ensure_replaceable, ensure_writable
from ecinstruct_build.recipe import Recipe, parse_recipe
from ecinstruct_build.shortfall import judge_shortfall
from ecinstruct_build.stages.built import Built
from ecinstruct_build.stages.checks import check
from ecinstruct_build.stages.corpora import canonical_tables, ingest, sample_corpora
from ecinstruct_build.stages.examples import draw
from ecinstruct_build.stages.families import families
from ecinstruct_build.stages.frozen import freeze
from ecinstruct_build.stages.lookalikes import lookalikes
from ecinstruct_build.stages.machine import Machine
from ecinstruct_build.stages.ready import get_ready
from ecinstruct_build.stages.samples import read_all_samples, render
from ecinstruct_build.stages.split import communities, read_assignments, split, web
from ecinstruct_build.stages.unseen import note_unseen_columns
from ecinstruct_build.store import Store

LAST_BUILD = "last_build"
"""The store's record of what was built last, for questions asked afterwards."""


def build(
    recipe: Recipe,
    raw: Path | None,
    out: Path,
    machine: Machine,
    review: Mapping[str, Any] | None = None,
    *,
    fetching: Path | None = None,
    helper: Helper | None = None,
) -> Mapping[str, Any]:
    """Build a dataset.

    Parameters
    ----------
    recipe
        What to build.
    raw
        Folder with upstream files under ``<source>/<upstream name>``; None = the recipe's sample corpora.
    out
        Folder for the dataset; one that an earlier build wrote is replaced.
    machine
        What to build with.
    review
        What people said so far, as `ecinstruct_build.review.report.ReviewReport.to_json` gives it.
    fetching
        The lock to fetch missing upstream files by; None = nothing touches the network.
    helper
        A second process that made itself ready by `get_ready`; None = one is started when there is work for it.

    Returns
    -------
    Mapping
        The manifest, as written to ``manifest.json``.

    Raises
    ------
    UserError
        If something that the user can mend is in the way.
    """
    with _helping(helper, machine) as second:
        return _build(recipe, raw, out, machine, second, review, fetching)[1]


def build_splits(
    recipe: Recipe, raw: Path | None, out: Path, seeds: Sequence[int], machine: Machine, *, helper: Helper | None = None
) -> Mapping[str, Any]:
    """Build a dataset beside ``out``, as ``<out>-seed-<seed>``, for each of several split seeds; see `build`.

    Returns
    -------
    Mapping
        How the splits differ, as `ecinstruct_build.split_comparison.compare_splits` says it; also written beside
        ``out``, as ``<out>-splits.json``.
    """
    from ecinstruct_build.split_comparison import compare_splits  # noqa: PLC0415 - prints tables, too; few builds need it

    placed = {}
    with _helping(helper, machine) as second:
        for seed in seeds:
            seeded = recipe.model_copy(update={"split": recipe.split.model_copy(update={"seed": seed})})
            built, _ = _build(seeded, raw, out.with_name(f"{out.name}-seed-{seed}"), machine, second)
            placed[seed] = {task: _splits_of(built, task) for task in built.drawn}
    comparison = compare_splits(placed)
    out.with_name(f"{out.name}-splits.json").write_text(json.dumps(comparison, indent=2) + "\n", encoding="utf-8")
    return comparison


def run_stages(recipe: Recipe, raw: Path | None, machine: Machine, helper: Helper | None = None) -> Built:
    """Run, or take from the store, every stage up to the rendered samples; a helper renders some of them."""
    helped = helper is not None and helper.is_there  # while files are ingested, too
    ingested = ingest(recipe, raw or sample_corpora(recipe, machine), machine)
    with canonical_tables(ingested.files, machine) as tables:
        drawn = {name: draw(name, task, recipe.seed, tables, machine) for name, task in recipe.tasks.items()}
        checked = check(drawn, recipe.checks, recipe.seed, machine)
        joined = families(tables, drawn, recipe.families, machine)
    alike = lookalikes(recipe, checked, machine)
    spun = web(recipe, checked, joined, alike, machine)
    frozen = freeze(recipe, checked, joined, machine)
    if helper:
        helper.start()
    parted = communities(recipe, spun, machine, helper)
    assigned = split(recipe, checked, spun, parted, alike, frozen=frozen, machine=machine, helper=helper)
    rendered = render(recipe, checked.repaired, assigned, frozen=frozen, machine=machine, helper=helper)
    others = ingested.worker_bytes, helper.peak_bytes if helper else 0
    workers = sum(others) if helped else max(others)
    return Built(ingested.files, drawn, checked, workers, joined, alike, spun, parted, frozen, assigned, rendered)


def last_build(machine: Machine) -> tuple[Built, Path, Recipe]:
    """Return the stages, the raw folder and the recipe of the last build in the store, to ask about them.

    Raises
    ------
    UserError
        If nothing was built there.
    """
    settings, raw = last_recipe(machine.store)
    with machine.store.locked():
        recipe = parse_recipe(settings, "the last build's recipe")
        raw = raw or sample_corpora(recipe, machine)
        return run_stages(recipe, raw, machine), raw, recipe


def last_recipe(store: Store) -> tuple[dict[str, Any], Path | None]:
    """Return the settings and the raw folder (None = sample corpora) of the last build in a store.

    Raises
    ------
    UserError
        If nothing was built there.
    """
    record = store.recall(LAST_BUILD)
    if record is None:
        raise UserError(
            f"Nothing was built in the stage store {store.root} yet. Run 'ecinstruct build' first, or say "
            "where the store is with --work."
        )
    return record["recipe"], Path(record["raw"]) if record["raw"] else None


def _build(  # noqa: PLR0917 - as `build` has them
    recipe: Recipe,
    raw: Path | None,
    out: Path,
    machine: Machine,
    helper: Helper,
    review: Mapping[str, Any] | None = None,
    fetching: Path | None = None,
) -> tuple[Built, Mapping[str, Any]]:
    _refuse_places(out, machine)
    spare_pandas()
    with machine.store.locked():
        if fetching is not None:
            from ecinstruct_build.stages.fetch import fetch  # noqa: PLC0415 - 0.05 s that few builds need

            fetch(recipe, raw, fetching, machine.progress)
        built = run_stages(recipe, raw, machine, helper)
        _remember(recipe, raw, machine)
        with machine.progress.track("publish"):
            what = Publication(
                recipe,
                partial(read_all_samples, built.rendered),
                partial(_books, recipe, built, machine),
                generated=raw is None,
                review=review,
                report=_report_on(built, recipe, review),
            )
            refused = machine.store.root / "audit"
            finished = publish(what, out, refused=refused, helper=helper, say=machine.progress.note)
    return built, finished


def _helping(helper: Helper | None, machine: Machine) -> AbstractContextManager[Helper]:
    """Return a helper for a while: one that somebody else ends, or one of our own."""
    return nullcontext(helper) if helper else Helper(machine.jobs, get_ready)


def _books(recipe: Recipe, built: Built, machine: Machine) -> Mapping[str, Any]:
    """Make the books of a build, and judge whether it met its quotas."""
    manifest = manifest_of(recipe, built, machine)
    note_unseen_columns(built.files, machine.progress)
    judge_shortfall(recipe, manifest, machine.progress)
    return manifest


def _report_on(built: Built, recipe: Recipe, review: Mapping[str, Any] | None) -> Report:
    def gather(samples: Samples, manifest: Mapping[str, Any]) -> Callable[[Path, Audit], None]:
        # While the helper writes shards and audits them.
        from ecinstruct_build.reporting.page.written import report_writer  # noqa: PLC0415

        return report_writer(built, recipe, samples, review, manifest)

    return gather


def _splits_of(built: Built, task: str) -> dict[str, str]:
    rows = read_assignments(built.assigned, task)
    return {row["example_id"]: row["split"] for row in rows if row["split"] is not None}


def _refuse_places(out: Path, machine: Machine) -> None:
    """Refuse folders that cannot serve, before hours of work and not after."""
    if machine.store.root.resolve().is_relative_to(out.resolve()):
        raise UserError(
            f"The stage store {machine.store.root} lies inside the dataset's folder {out}. Choose another one with "
            "--work."
        )
    refuse_names_that_are_no_text([str(out.resolve()), str(machine.store.root.resolve())])
    ensure_replaceable(out)
    ensure_writable(out)


def _remember(recipe: Recipe, raw: Path | None, machine: Machine) -> None:
    """Remember what was built, so that it can be asked about from any folder."""
    settings = _with_absolute_paths(recipe.model_dump())
    machine.store.remember(LAST_BUILD, {"recipe": settings, "raw": str(raw.resolve()) if raw else None})


def _with_absolute_paths(value: Any) -> Any:
    """Return settings as JSON values, in which every path is absolute."""
    if isinstance(value, Path):
        return str(value.resolve())
    if isinstance(value, Mapping):
        return {key: _with_absolute_paths(one) for key, one in value.items()}
    return [_with_absolute_paths(one) for one in value] if isinstance(value, list | tuple) else value
