"""The corridor: fetch -> ingest -> build -> check -> split -> render -> publish.

Everything flows one way. Each stage is kept in the store under a key of all that it depends on, so a build
resumes where it stopped and a changed setting reruns only what follows from it.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ecinstruct_build.accounts import manifest_of
from ecinstruct_build.errors import UserError
from ecinstruct_build.publish.dataset import publish
from ecinstruct_build.publish.folder import ensure_replaceable
from ecinstruct_build.recipe import Recipe, parse_recipe
from ecinstruct_build.stages.built import Built
from ecinstruct_build.stages.corpora import canonical_tables, ingest, sample_corpora
from ecinstruct_build.stages.examples import draw, families, judge, split
from ecinstruct_build.stages.machine import Machine
from ecinstruct_build.stages.samples import read_samples, render

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
    ensure_replaceable(out)
    with machine.store.locked():
        machine.store.remember(LAST_BUILD, {"recipe": recipe.resolved(), "raw": str(raw.resolve()) if raw else None})
        built = run_stages(recipe, raw, machine)
        manifest = manifest_of(recipe, built, machine)
        _judge_shortfall(recipe, manifest, machine)
        with machine.progress.track("publish"):
            samples = {name: read_samples(stage) for name, stage in built.rendered.items()}
            return publish(out, recipe, samples, manifest, generated=raw is None)


def run_stages(recipe: Recipe, raw: Path | None, machine: Machine) -> Built:
    """Run, or take from the store, every stage up to the rendered samples."""
    files = ingest(recipe, raw or sample_corpora(recipe, machine), machine)
    with canonical_tables(files, machine) as tables:
        drawn = {name: draw(name, task, recipe.seed, tables, machine) for name, task in recipe.tasks.items()}
        judged = {name: judge(name, drawn[name], recipe.checks, recipe.seed, machine) for name in drawn}
        joined = families(tables, machine)
    assigned = split(recipe, drawn, judged, joined, machine)
    rendered = {name: render(name, recipe, drawn[name], assigned, machine) for name in drawn}
    return Built(files, drawn, judged, joined, assigned, rendered)


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
