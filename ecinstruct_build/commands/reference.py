"""Commands that describe tasks."""

from typing import Annotated

import typer

from ecinstruct_build.commands.options import AsJson, print_markdown, print_rows

tasks_app = typer.Typer(no_args_is_help=True, help="The tasks that a dataset holds.")


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
