"""Commands that build."""

import os
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ecinstruct_build.commands.options import (
    AsJson,
    Engine,
    Jobs,
    LockFile,
    Memory,
    Out,
    Quiet,
    Raw,
    RecipeArgument,
    Review,
    Seed,
    Settings,
    Work,
    listener,
    machine_at,
    print_json,
    worker_count,
)
from ecinstruct_build.errors import UserError
from ecinstruct_build.progress import Progress

if TYPE_CHECKING:
    from ecinstruct_build.helper import Helper
    from ecinstruct_build.recipe import Recipe
    from ecinstruct_build.review.folder import Reviewed
    from ecinstruct_build.stages.machine import Machine


def build(
    recipe: RecipeArgument = "sample",
    raw: Raw = None,
    out: Out = Path("dataset"),
    work: Work = Path("work"),
    seed: Seed = None,
    split_seed: Annotated[int | None, typer.Option(help="Seed of the split; the draws' if not given.")] = None,
    freeze: Annotated[
        Path | None,
        typer.Option(help="Folder of an earlier dataset whose validation and test rows are kept as they are."),
    ] = None,
    review: Review = Path("review"),
    fetch: Annotated[  # noqa: FBT002
        bool, typer.Option("--fetch", help="Fetch the upstream files that the recipe needs into the raw folder first.")
    ] = False,
    lock: LockFile = Path("sources.lock.toml"),
    engine: Engine = "duckdb",
    memory: Memory = "1GB",
    jobs: Jobs = 0,
    settings: Settings = None,
    quiet: Quiet = False,  # noqa: FBT002
    as_json: AsJson = False,  # noqa: FBT002
) -> None:
    """Build a dataset: fetch, ingest, draw, check, split, render, publish; what people judged defective is left out."""
    from ecinstruct_build.recipe import load_recipe

    stated = {"seed": seed, "split.seed": split_seed, "split.freeze": freeze and f"'{freeze}'"}
    overrides = [*(settings or ()), *(f"{name}={value}" for name, value in stated.items() if value is not None)]
    machine = partial(machine_at, work, engine, memory, jobs)
    chosen, said = _heeding(load_recipe(recipe, overrides), review, work)
    fetching = lock if fetch else None
    _build(chosen, raw, out, machine, review=said, quiet=quiet, as_json=as_json, fetching=fetching)


def splits(
    recipe: Annotated[
        str | None,
        typer.Argument(help="A recipe's TOML file, or the name of a packaged one; the last build's if not given."),
    ] = None,
    raw: Raw = None,
    out: Out = Path("dataset"),
    work: Work = Path("work"),
    seed: Annotated[int | None, typer.Option(help="Seed of the split; 0 if not given.")] = None,
    review: Review = Path("review"),
    seeds: Annotated[
        str, typer.Option(help="Several seeds, as 1,2,3: a dataset OUT-seed-N for each, and how they differ.")
    ] = "",
    engine: Engine = "duckdb",
    memory: Memory = "1GB",
    jobs: Jobs = 0,
    settings: Settings = None,
    quiet: Quiet = False,  # noqa: FBT002
    as_json: AsJson = False,  # noqa: FBT002
) -> None:
    """Regenerate the splits of the last build with another seed; only split and render run again."""
    if seeds and seed is not None:
        raise UserError("Give either --seed or --seeds, not both.")
    # Before NumPy is imported: its threads would look for work that there is none of, and two processes have enough.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from ecinstruct_build.helper import Helper, share_processors
    from ecinstruct_build.stages.ready import get_ready

    with Helper(worker_count(jobs), get_ready) as helper:
        helper.start()  # at once, for what it is to do comes soon: what it imports first is as much as here
        from ecinstruct_build.lazily import spare_option_docs

        spare_option_docs()
        if helper.is_there:
            share_processors()
        overrides = [*(settings or ()), f"split.seed={seed or 0}"]
        chosen, raw = _recipe_of(recipe, raw, work, overrides)
        machine = partial(machine_at, work, engine, memory, jobs)
        if seeds:
            _build_several(chosen, raw, out, _numbers(seeds), machine, helper, quiet=quiet, as_json=as_json)
            return
        said = _reviewed(review)
        report = said.report if said else None
        _build(chosen, raw, out, machine, review=report, quiet=quiet, as_json=as_json, helper=helper)


def _recipe_of(recipe: str | None, raw: Path | None, work: Path, overrides: list[str]) -> tuple["Recipe", Path | None]:
    """Return a recipe and the raw folder; those of the last build if no recipe is named."""
    from ecinstruct_build.recipe import load_recipe, parse_recipe

    if recipe is not None:
        return load_recipe(recipe, overrides), raw
    from ecinstruct_build.pipeline import last_recipe
    from ecinstruct_build.store import Store

    last, last_raw = last_recipe(Store(work))
    return parse_recipe(last, "the last build's recipe", overrides), raw or last_raw


def _numbers(text: str) -> list[int]:
    """Return the numbers of a list such as ``1,2,3``, once each."""
    try:
        return list(dict.fromkeys(int(part) for part in text.split(",")))
    except ValueError:
        raise UserError(f"'{text}' is no list of seeds. Give whole numbers with commas, such as 1,2,3.") from None


def _heeding(recipe: "Recipe", review: Path, work: Path) -> tuple["Recipe", Mapping[str, Any] | None]:
    """Return the recipe without what people judged defective, and what they said so far."""
    said = _reviewed(review)
    if said is None:
        return recipe, None
    from ecinstruct_build.review.folder import heeding
    from ecinstruct_build.store import Store

    return heeding(recipe, said, Store(work)), said.report


def _reviewed(review: Path) -> "Reviewed | None":
    """Return what people said so far, if anything was asked of them."""
    if not review.is_dir():
        return None
    from ecinstruct_build.review.folder import reviewed_in

    return reviewed_in(review)


def _build(
    recipe: "Recipe",
    raw: Path | None,
    out: Path,
    machine: Callable[[Progress], "Machine"],
    *,
    review: Mapping[str, Any] | None,
    quiet: bool,
    as_json: bool,
    fetching: Path | None = None,
    helper: "Helper | None" = None,
) -> None:
    from ecinstruct_build.pipeline import build as build_dataset

    with listener(quiet=quiet or as_json) as progress:
        manifest = build_dataset(recipe, raw, out, machine(progress), review, fetching=fetching, helper=helper)
    if as_json:
        print_json(manifest)
    elif not quiet:
        from rich.console import Console
        from rich.markup import escape

        from ecinstruct_build.summary import render_summary

        render_summary(manifest, Console())
        Console().print(f"The dataset is in [bold]{escape(str(out))}[/bold].")


def _build_several(
    recipe: "Recipe",
    raw: Path | None,
    out: Path,
    seeds: Sequence[int],
    machine: Callable[[Progress], "Machine"],
    helper: "Helper",
    *,
    quiet: bool,
    as_json: bool,
) -> None:
    from ecinstruct_build.pipeline import build_splits

    with listener(quiet=quiet or as_json) as progress:
        comparison = build_splits(recipe, raw, out, seeds, machine(progress), helper=helper)
    if as_json:
        print_json(comparison)
    elif not quiet:
        from rich.console import Console
        from rich.markup import escape

        from ecinstruct_build.split_comparison import render_comparison

        render_comparison(comparison, Console())
        Console().print(f"The datasets are beside [bold]{escape(str(out))}[/bold], one folder for each seed.")


def sample_corpora(
    out: Annotated[Path, typer.Argument(help="Folder to write; it must not exist yet.")],
    scale: Annotated[float, typer.Option(min=0.01, help="Size; 1 is about 20,000 reviews.")] = 1.0,
    breadth: Annotated[
        float, typer.Option(min=0.01, help="Times more products, queries and questions for the same reviews.")
    ] = 1.0,
    sources: Annotated[
        list[str] | None,
        typer.Option(help="A corpus to write, or 'all'; those of the recipe 'sample' if not given. Repeatable."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of the generated world.")] = 0,
    jobs: Jobs = 0,
    quiet: Quiet = False,  # noqa: FBT002
) -> None:
    """Write generated corpora in upstream's own formats, with a ledger of the defects planted in them."""
    from rich.console import Console
    from rich.markup import escape

    from ecinstruct_build.sample_corpora import USUAL, write_sample_corpora, written_sources

    wanted = written_sources() if sources == ["all"] else sources or USUAL
    with listener(quiet=quiet, resumes=False) as progress, progress.track("sample corpora"):
        write_sample_corpora(
            out, scale=scale, seed=seed, jobs=worker_count(jobs), breadth=breadth, sources=sorted(wanted)
        )
    if not quiet:
        Console().print(f"The sample corpora are in [bold]{escape(str(out))}[/bold].")
