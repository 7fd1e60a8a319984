"""What commands share: their options, the machine they run on, and how they print."""

import json
import os
import re
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ecinstruct_build.errors import UserError
from ecinstruct_build.progress import Progress, Silence

if TYPE_CHECKING:
    from ecinstruct_build.browsing.shelf import Shelf
    from ecinstruct_build.engine import EngineName
    from ecinstruct_build.review.desk import Desk
    from ecinstruct_build.stages.machine import Machine

RecipeArgument = Annotated[str, typer.Argument(help="A recipe's TOML file, or the name of a packaged one.")]
Raw = Annotated[
    Path | None,
    typer.Option(
        help="Folder with upstream files under SOURCE/UPSTREAM-NAME; without it, sample corpora are generated."
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
Dataset = Annotated[Path, typer.Option(help="Folder of the dataset.")]
Review = Annotated[Path, typer.Option(help="Folder of the review: the sample, and what was said of it.")]
LockFile = Annotated[Path, typer.Option("--lock", help="File with the digests of upstream files, to be committed.")]
Host = Annotated[str, typer.Option(help="Address to listen at; any but this machine's own asks for a token.")]
Port = Annotated[int, typer.Option(min=0, max=65535, help="Port to listen at; 0 = any that is free.")]
Open = Annotated[bool, typer.Option("--open/--no-open", help="Open the page in a browser.")]

_INTERRUPTED = "Query interrupted"  # what DuckDB makes of an interrupt


def machine_at(work: Path, engine: str, memory: str, jobs: int, progress: Progress) -> "Machine":
    """Return what to build with, as the command line says it.

    Raises
    ------
    UserError
        If there is no such engine, or the memory is no amount.
    """
    from ecinstruct_build.engine import EngineSettings
    from ecinstruct_build.stages.machine import Machine
    from ecinstruct_build.store import Store

    known: dict[str, EngineName] = {"duckdb": "duckdb", "spark": "spark"}
    if engine not in known:
        raise UserError(f"There is no engine '{engine}'. Choose duckdb or spark.")
    if not re.fullmatch(r"\d+(\.\d+)?[KMGT]i?B", memory):
        raise UserError(f"'{memory}' is no amount of memory. Give one such as 500MB or 2GB.")
    processes = worker_count(jobs)
    settings = EngineSettings(known[engine], memory_limit=memory, threads=processes, spill=work / "spill")
    return Machine(store=Store(work), engine=settings, jobs=processes, progress=progress)


def asking_machine(work: Path) -> "Machine":
    """Return a machine to ask a finished build with: it shows no progress."""
    return machine_at(work, "duckdb", "1GB", 0, Silence())


def worker_count(jobs: int) -> int:
    """Return how many processes to use: as many as asked for, or one for each processor."""
    return jobs or len(os.sched_getaffinity(0))


@contextmanager
def listener(*, quiet: bool, resumes: bool = True) -> Iterator[Progress]:
    """Offer someone who shows progress, or says nothing; an interrupt ends the command with a word on how to go on.

    A command that ``resumes`` keeps what it has finished.
    """
    try:
        if quiet:
            yield Silence()
            return
        from rich.console import Console

        from ecinstruct_build.console import RichProgress

        with RichProgress(Console(stderr=True)) as progress:
            yield progress
    except (KeyboardInterrupt, RuntimeError) as error:
        if isinstance(error, RuntimeError) and str(error) != _INTERRUPTED:
            raise
        from rich.console import Console

        kept = "Finished stages are kept; the same command goes on from there."
        Console(stderr=True).print(f"Stopped. {kept if resumes else 'The same command begins anew.'}")
        raise typer.Exit(130) from None


def serve_pages(
    *, desk: "Desk | None", shelf: "Shelf | None", host: str, port: int, open_browser: bool, path: str, folder: Path
) -> None:
    """Serve the pages of a review and of a dataset until interrupted; beyond this machine a token opens them.

    ``folder`` keeps the key of the sessions, so that a link goes on working when the server is started again.
    """
    from rich.console import Console
    from rich.markup import escape

    from ecinstruct_build.web.app import make_app
    from ecinstruct_build.web.serve import hosts_of, is_loopback, serve
    from ecinstruct_build.web.session import key_in, link_token

    key = key_in(folder)
    token = None if is_loopback(host) else link_token(key)

    def ready(url: str) -> None:
        link = f"{url}{path}" + (f"?token={token}" if token else "")
        Console().print(f"The pages are at [bold]{escape(link)}[/bold] until you press Ctrl-C.", soft_wrap=True)
        if open_browser:
            webbrowser.open(link)

    serve(make_app(desk=desk, shelf=shelf, token=token, hosts=hosts_of(host), key=key), host, port, ready=ready)


def print_json(value: Any) -> None:
    """Print a value as JSON."""
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False, sort_keys=True))


def print_rows(rows: list[dict[str, str]], *, as_json: bool) -> None:
    """Print rows as a table, or as JSON."""
    if as_json:
        print_json(rows)
        return
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from ecinstruct_build.console import print_whole

    table = Table()
    for number, name in enumerate(rows[0] if rows else ()):
        table.add_column(name, no_wrap=not number)
    for row in rows:
        table.add_row(*(escape(value) for value in row.values()))
    print_whole(table, Console())


def print_markdown(text: str) -> None:
    """Print Markdown, laid out for the terminal."""
    from rich.console import Console
    from rich.markdown import Markdown

    Console().print(Markdown(text))
