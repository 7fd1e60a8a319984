"""The front door: the ``ecinstruct`` command. It parses, calls, and prints; it decides nothing."""

import json
import os
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.panel import Panel
from rich.table import Table

from ecinstruct_build import __version__
from ecinstruct_build.console import RichProgress
from ecinstruct_build.engine import EngineName, EngineSettings
from ecinstruct_build.errors import UserError
from ecinstruct_build.progress import Progress, Silence
from ecinstruct_build.recipe import Recipe, load_recipe
from ecinstruct_build.stages.machine import Machine
from ecinstruct_build.store import Store

app = typer.Typer(
    name="ecinstruct",
    help="Build e-commerce instruction datasets from raw public corpora: reproducible, leak-free, checked.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
)
sources_app = typer.Typer(no_args_is_help=True, help="The corpora that datasets are built from.")
tasks_app = typer.Typer(no_args_is_help=True, help="The tasks that a dataset holds.")
templates_app = typer.Typer(no_args_is_help=True, help="The instructions and layouts that samples are rendered with.")
app.add_typer(sources_app, name="sources")
app.add_typer(tasks_app, name="tasks")
app.add_typer(templates_app, name="templates")

RecipeArgument = Annotated[str, typer.Argument(help="A recipe's TOML file, or the name of a packaged one.")]
Raw = Annotated[
    Path | None,
    typer.Option(
        help="Folder with upstream files under <source>/<upstream name>; without it, sample corpora are generated."
    ),
]
Out = Annotated[Path, typer.Option(help="Folder for the dataset.")]
Work = Annotated[Path, typer.Option(help="Folder of the stage store: finished stages, kept for resuming and reuse.")]
Seed = Annotated[int | None, typer.Option(help="Seed of every draw; the recipe's if not given.")]
Engine = Annotated[str, typer.Option(help="Relational engine: duckdb or spark.")]
Memory = Annotated[str, typer.Option(help="Memory of the relational engine before it spills to disk.")]
Jobs = Annotated[int, typer.Option(min=0, help="Worker processes; 0 = one for each processor.")]
Settings = Annotated[list[str] | None, typer.Option("--set", help="Change a recipe setting: a.b=value. Repeatable.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON, and progress not at all.")]


@app.command()
def build(
    recipe: RecipeArgument = "sample",
    raw: Raw = None,
    out: Out = Path("dataset"),
    work: Work = Path("work"),
    seed: Seed = None,
    split_seed: Annotated[int | None, typer.Option(help="Seed of the split; the draws' if not given.")] = None,
    engine: Engine = "duckdb",
    memory: Memory = "1GB",
    jobs: Jobs = 0,
    settings: Settings = None,
    quiet: Quiet = False,  # noqa: FBT002
    as_json: AsJson = False,  # noqa: FBT002
) -> None:
    """Build a dataset: ingest, draw, check, split, render, publish."""
    seeds = {"seed": seed, "split.seed": split_seed}
    overrides = [*(settings or ()), *(f"{name}={value}" for name, value in seeds.items() if value is not None)]
    machine = partial(_machine, work, engine, memory, jobs)
    _build(load_recipe(recipe, overrides), raw, out, machine, quiet=quiet, as_json=as_json)


@app.command()
def splits(
    recipe: RecipeArgument = "sample",
    raw: Raw = None,
    out: Out = Path("dataset"),
    work: Work = Path("work"),
    seed: Annotated[int, typer.Option(help="Seed of the split.")] = 0,
    engine: Engine = "duckdb",
    memory: Memory = "1GB",
    jobs: Jobs = 0,
    settings: Settings = None,
    quiet: Quiet = False,  # noqa: FBT002
    as_json: AsJson = False,  # noqa: FBT002
) -> None:
    """Regenerate the splits of the last build with another seed; only split and render run again."""
    from ecinstruct_build.pipeline import last_draw_seed

    overrides = [*(settings or ()), f"split.seed={seed}"]
    drawn_with = last_draw_seed(Store(work), load_recipe(recipe, overrides).name)
    if drawn_with is not None:
        overrides.insert(0, f"seed={drawn_with}")
    machine = partial(_machine, work, engine, memory, jobs)
    _build(load_recipe(recipe, overrides), raw, out, machine, quiet=quiet, as_json=as_json)


def _build(
    recipe: Recipe, raw: Path | None, out: Path, machine: Callable[[Progress], Machine], *, quiet: bool, as_json: bool
) -> None:
    from ecinstruct_build.pipeline import build as build_dataset
    from ecinstruct_build.summary import render_summary

    with _listener(quiet=quiet or as_json) as progress:
        manifest = build_dataset(recipe, raw, out, machine(progress))
    if as_json:
        _print_json(manifest)
    elif not quiet:
        render_summary(manifest, Console())
        Console().print(f"The dataset is in [bold]{escape(str(out))}[/bold].")


@app.command()
def explain(
    identity: Annotated[str, typer.Argument(help="An example id (task:hash) or a raw record (source/file:line).")],
    work: Work = Path("work"),
    as_json: AsJson = False,  # noqa: FBT002
) -> None:
    """Tell one sample's whole story back to the raw record, or a raw record's story forward."""
    from ecinstruct_build.explain import explain as explain_identity
    from ecinstruct_build.explain import story_lines
    from ecinstruct_build.pipeline import last_build

    built, raw, _ = last_build(_machine(work, "duckdb", "1GB", 0, Silence()))
    story = explain_identity(built, raw, identity)
    if as_json:
        _print_json(story)
        return
    console = Console()
    console.rule(escape(identity))
    for heading, text in story_lines(story):
        console.print(f"[bold cyan]{escape(heading)}[/bold cyan]")
        console.print(text, markup=False, highlight=False, soft_wrap=True)


@app.command()
def status(work: Work = Path("work"), as_json: AsJson = False) -> None:  # noqa: FBT002
    """Show what the stage store holds and what a resumed build would go on from."""
    from ecinstruct_build.status import store_status

    rows = store_status(work)
    if as_json:
        _print_json(rows)
        return
    table = Table("stage", "finished", "unfinished", "size", title=f"Stage store {work}")
    for row in rows:
        table.add_row(row["stage"], str(row["finished"]), str(row["unfinished"]), f"{row['bytes'] / 2**20:,.1f} MiB")
    Console().print(table)


@app.command(name="sample-corpora")
def sample_corpora(
    out: Annotated[Path, typer.Argument(help="Folder to write; it must not exist yet.")],
    scale: Annotated[float, typer.Option(min=0.01, help="Size; 1 is about 20,000 reviews.")] = 1.0,
    seed: Annotated[int, typer.Option(help="Seed of the generated world.")] = 0,
    jobs: Jobs = 0,
    quiet: Quiet = False,  # noqa: FBT002
) -> None:
    """Write generated corpora in upstream's own formats, with a ledger of the defects planted in them."""
    from ecinstruct_build.sample_corpora import write_sample_corpora

    with _listener(quiet=quiet) as progress, progress.track("sample corpora"):
        write_sample_corpora(out, scale=scale, seed=seed, jobs=_workers(jobs))
    if not quiet:
        Console().print(f"The sample corpora are in [bold]{escape(str(out))}[/bold].")


@sources_app.command("list")
def list_sources(as_json: AsJson = False) -> None:  # noqa: FBT002
    """List the corpora that there are adapters for."""
    from ecinstruct_build.registry import SOURCES

    rows = [
        {"name": one.name, "licence": one.licence, "tables": ", ".join(one.tables), "summary": one.summary}
        for one in SOURCES
    ]
    _print_rows(rows, as_json=as_json)


@sources_app.command("show")
def show_source(name: Annotated[str, typer.Argument(help="A source's name.")]) -> None:
    """Show a corpus: what it is, its terms, its files and what they fill."""
    from ecinstruct_build.handbook.reference import source_page
    from ecinstruct_build.registry import SOURCES

    _print_markdown(source_page(SOURCES.get(name)))


@tasks_app.command("list")
def list_tasks(as_json: AsJson = False) -> None:  # noqa: FBT002
    """List the tasks."""
    from ecinstruct_build.registry import TASKS

    rows = [{"name": one.name, "reads": ", ".join(one.reads), "summary": one.summary} for one in TASKS]
    _print_rows(rows, as_json=as_json)


@tasks_app.command("show")
def show_task(name: Annotated[str, typer.Argument(help="A task's name.")]) -> None:
    """Show a task: what it draws, its settings and its template variables."""
    from ecinstruct_build.handbook.reference import task_page
    from ecinstruct_build.registry import TASKS

    _print_markdown(task_page(TASKS.get(name)))


@templates_app.command("preview")
def preview_templates(
    task: Annotated[str, typer.Argument(help="A task's name.")],
    count: Annotated[int, typer.Option(min=1, help="Samples to show.")] = 1,
    work: Work = Path("work"),
) -> None:
    """Render a few examples of the last build as the model would see them."""
    from ecinstruct_build.pipeline import last_build
    from ecinstruct_build.registry import TASKS
    from ecinstruct_build.rendering.lint import preview
    from ecinstruct_build.rendering.template_set import load_templates
    from ecinstruct_build.stages.examples import read_examples

    wanted = TASKS.get(task)
    built, _, recipe = last_build(_machine(work, "duckdb", "1GB", 0, Silence()))
    if task not in built.drawn:
        raise UserError(f"The last build has no task '{task}'. It has: {', '.join(built.drawn)}.")
    templates = load_templates(task, recipe.templates.folder)
    console = Console()
    for example in read_examples(built.checked.repaired[task])[:count]:
        console.print(
            Panel(
                escape(preview(wanted, templates, example, recipe.seed)), title=example.example_id, title_align="left"
            )
        )


@templates_app.command("lint")
def lint_templates(
    task: Annotated[str | None, typer.Argument(help="A task's name; all tasks if not given.")] = None,
    work: Work = Path("work"),
) -> None:
    """Check templates against the examples of the last build; exits with status 1 if something is wrong."""
    from ecinstruct_build.pipeline import last_build
    from ecinstruct_build.registry import TASKS
    from ecinstruct_build.rendering.lint import lint
    from ecinstruct_build.rendering.template_set import load_templates
    from ecinstruct_build.stages.examples import read_examples

    names = [TASKS.get(task).name] if task else TASKS.names()
    built, _, recipe = last_build(_machine(work, "duckdb", "1GB", 0, Silence()))
    console, found = Console(), 0
    for name in names:
        examples = read_examples(built.checked.repaired[name]) if name in built.drawn else []
        findings = lint(TASKS.get(name), load_templates(name, recipe.templates.folder), examples, recipe.seed)
        found += len(findings)
        console.print(f"{name}: {len(examples):,} examples, {len(findings)} findings")
        for finding in findings:
            console.print(f"  {finding.template}: {finding.rule}: {finding.message}", markup=False)
    if found:
        raise typer.Exit(1)


@app.callback(invoke_without_command=True)
def _version(
    *, version: Annotated[bool, typer.Option("--version", is_eager=True, help="Print the version and leave.")] = False
) -> None:
    if version:
        typer.echo(__version__)
        raise typer.Exit


def main() -> None:
    """Run the command line; errors meant for users are one paragraph and exit with status 1."""
    try:
        app(standalone_mode=True)
    except UserError as error:
        Console(stderr=True).print(f"[bold red]Error:[/bold red] {escape(str(error))}", highlight=False)
        sys.exit(1)
    except KeyboardInterrupt:
        Console(stderr=True).print("Stopped. Finished stages are kept; the same command goes on from there.")
        sys.exit(130)


def _machine(work: Path, engine: str, memory: str, jobs: int, progress: Progress) -> Machine:
    known: dict[str, EngineName] = {"duckdb": "duckdb", "spark": "spark"}
    if engine not in known:
        raise UserError(f"There is no engine '{engine}'. Choose duckdb or spark.")
    if not re.fullmatch(r"\d+(\.\d+)?[KMGT]i?B", memory):
        raise UserError(f"'{memory}' is no amount of memory. Give one such as 500MB or 2GB.")
    workers = _workers(jobs)
    settings = EngineSettings(known[engine], memory_limit=memory, threads=workers, spill=work / "spill")
    return Machine(store=Store(work), engine=settings, jobs=workers, progress=progress)


def _workers(jobs: int) -> int:
    return jobs or len(os.sched_getaffinity(0))


@contextmanager
def _listener(*, quiet: bool) -> Iterator[Progress]:
    if quiet:
        yield Silence()
        return
    with RichProgress(Console(stderr=True)) as progress:
        yield progress


def _print_json(value: Any) -> None:
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False, sort_keys=True))


def _print_rows(rows: list[dict[str, str]], *, as_json: bool) -> None:
    if as_json:
        _print_json(rows)
        return
    table = Table(*rows[0]) if rows else Table()
    for row in rows:
        table.add_row(*(escape(value) for value in row.values()))
    Console().print(table)


def _print_markdown(text: str) -> None:
    from rich.markdown import Markdown

    Console().print(Markdown(text))
