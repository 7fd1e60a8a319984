"""The front door: the ``ecinstruct`` command. It parses, calls, and prints; it decides nothing."""

import atexit
import os
import sys
import threading
from concurrent.futures import BrokenExecutor
from typing import Annotated, NoReturn

import typer

from ecinstruct_build import __version__
from ecinstruct_build.commands import (
    asking,
    auditing,
    browsing,
    building,
    parity,
    publishing,
    reference,
    reporting,
    reviewing,
    sources,
)
from ecinstruct_build.errors import UserError, refuse_names_that_are_no_text
from ecinstruct_build.memory import seldom_collect_garbage
from ecinstruct_build.stopping import stopping_as_if_interrupted
from ecinstruct_build.streams import settle_streams

app = typer.Typer(
    name="ecinstruct",
    help="Build e-commerce instruction datasets from raw public corpora: reproducible, leak-free, checked.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
)
app.command()(building.build)
app.command()(building.splits)
app.command()(asking.explain)
app.command()(asking.status)
app.command()(auditing.audit)
app.command()(browsing.browse)
app.command()(parity.parity)
app.command()(publishing.publish)
app.command()(building.sample_corpora)
app.add_typer(sources.sources_app, name="sources")
app.add_typer(reference.tasks_app, name="tasks")
app.add_typer(asking.templates_app, name="templates")
app.add_typer(reviewing.review_app, name="review")
app.add_typer(reporting.report_app, name="report")


@app.callback(invoke_without_command=True)
def _version(
    *, version: Annotated[bool, typer.Option("--version", is_eager=True, help="Print the version and leave.")] = False
) -> None:
    if version:
        typer.echo(__version__)
        raise typer.Exit


def main() -> None:
    """Be the ``ecinstruct`` process: run the command line, and end."""
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")  # it would look for some in every installed package
    settle_streams()
    try:
        with stopping_as_if_interrupted():
            run()
    except SystemExit as end:
        _end_at_once(end.code)
        raise


def run() -> None:
    """Run the command line; errors meant for users are one paragraph and exit with status 1."""
    seldom_collect_garbage()
    try:
        refuse_names_that_are_no_text(sys.argv[1:])
        app(standalone_mode=True)
    except UserError as error:
        _fail(str(error))
    except BrokenExecutor:
        _fail(
            "A worker process was killed, most likely because memory ran out. Free some, or use fewer processes with "
            "--jobs, and run the same command again; finished stages are kept."
        )
    except OSError as error:
        what = f"{error.strerror}: {error.filename}" if error.filename else error.strerror or str(error)
        _fail(f"{what}.")


def _fail(what: str) -> NoReturn:
    from rich.console import Console  # noqa: PLC0415 - 0.02 s that a command without a table does not need
    from rich.markup import escape  # noqa: PLC0415

    Console(stderr=True).print(f"[bold red]Error:[/bold red] {escape(what)}", highlight=False)
    sys.exit(1)


def _end_at_once(status: object) -> None:
    """End the process without taking all its objects apart, which takes 0.03 s and serves nobody.

    Returns where that would not do: DuckDB wants its objects back, threads may be at work, somebody may have closed
    what is written to.
    """
    if "duckdb" in sys.modules or threading.active_count() > 1 or not isinstance(status, int | None):
        return
    atexit._run_exitfuncs()  # noqa: SLF001 - as multiprocessing ends its processes
    try:
        for stream in filter(None, (sys.stdout, sys.stderr)):
            stream.flush()
    except (OSError, ValueError):
        return
    os._exit(status or 0)
