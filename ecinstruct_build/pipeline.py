"""The corridor: fetch -> ingest -> build -> check -> split -> render -> publish.

Everything flows one way. Each stage is kept in the store under a key of all that it depends on, so a build
resumes where it stopped and a changed setting reruns only what follows from it.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ecinstruct_build.accounts import manifest_of
from ecinstruct_build.errors import UserError
from ecinstruct_build.publish.dataset import publish
from ecinstruct_build.publish.folder import ensure_replaceable, ensure_writable
from ecinstruct_build.recipe import Recipe, parse_recipe
from ecinstruct_build.split_comparison import compare_splits
from ecinstruct_build.stages.built import Built
from ecinstruct_build.stages.checks import check
from ecinstruct_build.stages.corpora import canonical_tables, ingest, sample_corpora
from ecinstruct_build.stages.examples import draw
from ecinstruct_build.stages.families import families
from ecinstruct_build.stages.frozen import freeze
from ecinstruct_build.stages.lookalikes import lookalikes
from ecinstruct_build.stages.machine import Machine
from ecinstruct_build.stages.samples import read_samples, render
from ecinstruct_build.stages.split import read_assignments, split, web
from ecinstruct_build.store import Store

LAST_BUILD = "last_build"
"""The store's record of what was built last, for questions asked afterwards."""


def build(recipe: Recipe, raw: Path | None, out: Path, machine: Machine) -> Mapping[str, Any]:
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

    Returns
    -------
    Mapping
        The manifest, as written to ``manifest.json``.

    Raises
    ------
    UserError
        If something that the user can mend is in the way.
    """
    return _build(recipe, raw, out, machine)[1]


def build_splits(
    recipe: Recipe, raw: Path | None, out: Path, seeds: Sequence[int], machine: Machine
) -> Mapping[str, Any]:
    """Build a dataset in ``out/seed-<seed>`` for each of several split seeds; all else is built once.

    Returns
    -------
    Mapping
        How the splits differ, as `ecinstruct_build.split_comparison.compare_splits` says it; also written to
        ``out/splits.json``.
    """
    placed = {}
    for seed in seeds:
        seeded = recipe.model_copy(update={"split": recipe.split.model_copy(update={"seed": seed})})
        built, _ = _build(seeded, raw, out / f"seed-{seed}", machine)
        placed[seed] = {task: _splits_of(built, task) for task in built.drawn}
    comparison = compare_splits(placed)
    (out / "splits.json").write_text(json.dumps(comparison, indent=2) + "\n", encoding="utf-8")
    return comparison


def run_stages(recipe: Recipe, raw: Path | None, machine: Machine) -> Built:
    """Run, or take from the store, every stage up to the rendered samples."""
    ingested = ingest(recipe, raw or sample_corpora(recipe, machine), machine)
    with canonical_tables(ingested.files, machine) as tables:
        drawn = {name: draw(name, task, recipe.seed, tables, machine) for name, task in recipe.tasks.items()}
        checked = check(drawn, recipe.checks, recipe.seed, machine)
        joined = families(tables, drawn, recipe.families, machine)
    alike = lookalikes(recipe, checked, machine)
    spun = web(recipe, checked, joined, alike, machine)
    frozen = freeze(recipe, checked, joined, machine)
    assigned = split(recipe, checked, spun, alike, frozen=frozen, machine=machine)
    rendered = {
        name: render(name, recipe, mended, assigned, frozen=frozen, joined=joined, machine=machine)
        for name, mended in checked.repaired.items()
    }
    return Built(ingested.files, drawn, checked, ingested.worker_bytes, joined, alike, spun, frozen, assigned, rendered)


def last_build(machine: Machine) -> tuple[Built, Path, Recipe]:
    """Return the stages, the raw folder and the recipe of the last build in the store, to ask about them.

    Raises
    ------
    UserError
        If nothing was built there.
    """
    record = machine.store.recall(LAST_BUILD)
    if record is None:
        raise UserError(
            f"Nothing was built in the stage store {machine.store.root} yet. Run 'ecinstruct build' first, or say "
            "where the store is with --work."
        )
    with machine.store.locked():
        recipe = parse_recipe(record["recipe"], "the last build's recipe")
        raw = Path(record["raw"]) if record["raw"] else sample_corpora(recipe, machine)
        return run_stages(recipe, raw, machine), raw, recipe


def last_draw_seed(store: Store, recipe_name: str) -> int | None:
    """Return the seed that the last build of a recipe drew with, or None if the store's last build was another."""
    record = store.recall(LAST_BUILD)
    return int(record["recipe"]["seed"]) if record and record["recipe"]["name"] == recipe_name else None


def _build(recipe: Recipe, raw: Path | None, out: Path, machine: Machine) -> tuple[Built, Mapping[str, Any]]:
    _refuse_places(out, machine)
    with machine.store.locked():
        built = run_stages(recipe, raw, machine)
        _remember(recipe, raw, machine)
        manifest = manifest_of(recipe, built, machine)
        _judge_shortfall(recipe, manifest, machine)
        with machine.progress.track("publish"):
            samples = {name: read_samples(stage) for name, stage in built.rendered.items()}
            refused = machine.store.root / "audit"
            return built, publish(out, recipe, samples, manifest, generated=raw is None, refused=refused)


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
    ensure_replaceable(out)
    ensure_writable(out)


def _remember(recipe: Recipe, raw: Path | None, machine: Machine) -> None:
    values = recipe.resolved()
    if recipe.templates.folder is not None:
        values["templates"]["folder"] = str(recipe.templates.folder.resolve())
    if recipe.split.freeze is not None:
        values["split"]["freeze"] = str(recipe.split.freeze.resolve())
    machine.store.remember(LAST_BUILD, {"recipe": values, "raw": str(raw.resolve()) if raw else None})


def _judge_shortfall(recipe: Recipe, manifest: Mapping[str, Any], machine: Machine) -> None:
    if not any(sum(account["examples"].values()) for account in manifest["tasks"].values()):
        raise UserError(
            f"Recipe '{recipe.name}' yields no example at all. Ask for some with [tasks.<name>] quota, and see that "
            "the sources fill the tables which the tasks read ('ecinstruct tasks list')."
        )
    short = [
        f"{task}: {missing:,} of {account['wanted'][split_name]:,} in {split_name}"
        for task, account in manifest["tasks"].items()
        for split_name, missing in account["shortfall"].items()
    ]
    if short and recipe.limits.shortfall == "error":
        raise UserError(
            f"Quotas cannot be met: {'; '.join(short)} are missing. Lower the quotas, raise oversample, add sources, "
            "or set limits.shortfall = 'report'."
        )
    for line in short:
        machine.progress.note(f"quota not met: {line} are missing")
