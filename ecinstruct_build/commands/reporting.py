"""Commands that report on a finished build."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from ecinstruct_build.commands.options import AsJson, Work, asking_machine, print_json

report_app = typer.Typer(no_args_is_help=True, help="What the last build found and made.")


@report_app.command("checks")
def report_checks(
    check: Annotated[str | None, typer.Option(help="A check's name: shows examples nearest to its threshold.")] = None,
    task: Annotated[str | None, typer.Option(help="A task's name; all tasks if not given.")] = None,
    count: Annotated[int, typer.Option(min=1, help="Examples to show, of each reason.")] = 5,
    work: Work = Path("work"),
    as_json: AsJson = False,  # noqa: FBT002
) -> None:
    """Show what the checks found and, for one check, examples kept and rejected nearest to its threshold."""
    from ecinstruct_build.pipeline import last_build
    from ecinstruct_build.reporting.build import report_on_checks
    from ecinstruct_build.reporting.tables import render_report

    built, raw, _ = last_build(asking_machine(work))
    report = report_on_checks(built, raw, check=check, task=task, count=count)
    if as_json:
        print_json(report)
    else:
        render_report(report, Console())
