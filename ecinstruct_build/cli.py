"""The front door: the ``ecinstruct`` command. It parses, calls, and prints; it decides nothing."""

import gc
import sys
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

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
from ecinstruct_build.errors import UserError
from ecinstruct_build.memory import seldom_collect_garbage

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
    """Run the command line; errors meant for users are one paragraph and exit with status 1."""
    seldom_collect_garbage()
    try:
        app(standalone_mode=True)
    except UserError as error:
        Console(stderr=True).print(f"[bold red]Error:[/bold red] {escape(str(error))}", highlight=False)
        sys.exit(1)
    except OSError as error:
        what = f"{error.strerror}: {error.filename}" if error.filename and error.strerror else str(error)
        Console(stderr=True).print(f"[bold red]Error:[/bold red] {escape(what)}.", highlight=False)
        sys.exit(1)
    finally:
        if "duckdb" not in sys.modules:  # which complains of objects that are not given back to it
            gc.freeze()  # the process ends: that nothing refers to all these objects need not be found out (0.06 s)
