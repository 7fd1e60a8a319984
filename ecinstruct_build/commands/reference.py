"""Commands that describe sources and tasks."""

from typing import Annotated

import typer

from ecinstruct_build.commands.options import AsJson, print_markdown, print_rows

sources_app = typer.Typer(no_args_is_help=True, help="The corpora that datasets are built from.")
tasks_app = typer.Typer(no_args_is_help=True, help="The tasks that a dataset holds.")


@sources_app.command("list")
def list_sources(as_json: AsJson = False) -> None:  # noqa: FBT002
    """List the corpora that there are adapters for."""
    from ecinstruct_build.registry import SOURCES

    rows = [
        {"name": one.name, "licence": one.licence, "tables": ", ".join(one.tables), "summary": one.summary}
        for one in SOURCES
    ]
    print_rows(rows, as_json=as_json)


@sources_app.command("show")
def show_source(name: Annotated[str, typer.Argument(help="A source's name.")]) -> None:
    """Show a corpus: what it is, its terms, its files and what they fill."""
    from ecinstruct_build.handbook.reference import source_page
    from ecinstruct_build.registry import SOURCES

    print_markdown(source_page(SOURCES.get(name)))


@tasks_app.command("list")
def list_tasks(as_json: AsJson = False) -> None:  # noqa: FBT002
    """List the tasks."""
    from ecinstruct_build.registry import TASKS

    rows = [{"name": one.name, "reads": ", ".join(one.reads), "summary": one.summary} for one in TASKS]
    print_rows(rows, as_json=as_json)


@tasks_app.command("show")
def show_task(name: Annotated[str, typer.Argument(help="A task's name.")]) -> None:
    """Show a task: what it draws, its settings and its template variables."""
    from ecinstruct_build.handbook.reference import task_page
    from ecinstruct_build.registry import TASKS

    print_markdown(task_page(TASKS.get(name)))
