"""Commands that report on a finished build."""

from pathlib import Path
from typing import Annotated

import typer

from ecinstruct_build.commands.options import AsJson, Dataset, Review, Work, asking_machine, print_json

report_app = typer.Typer(help="What the last build found and made: a page, or tables.")


@report_app.callback(invoke_without_command=True)
def report_page(
    context: typer.Context,
    dataset: Dataset = Path("dataset"),
    review: Review = Path("review"),
    out: Annotated[Path, typer.Option(help="The page to write.")] = Path("report.html"),
    work: Work = Path("work"),
    as_json: AsJson = False,  # noqa: FBT002
) -> None:
    """Write all that is known of the last build as one HTML page that opens from disk."""
    if context.invoked_subcommand is not None:
        return
    from rich.console import Console
    from rich.markup import escape

    from ecinstruct_build.pipeline import last_build
    from ecinstruct_build.reporting.page.last_build import report_on
    from ecinstruct_build.reporting.page.page import report_page as page_of
    from ecinstruct_build.review.folder import reviewed_in

    built, raw, recipe = last_build(asking_machine(work))
    said = reviewed_in(review)
    data = report_on(built, raw, recipe, dataset, said.report if said else None)
    if as_json:
        print_json(data.to_json())
        return
    out.write_text(page_of(data), encoding="utf-8", newline="\n")
    Console().print(f"The report is in [bold]{escape(str(out))}[/bold].")


@report_app.command("checks")
def report_checks(
    check: Annotated[str | None, typer.Option(help="A check's name: shows examples nearest to its threshold.")] = None,
    task: Annotated[str | None, typer.Option(help="A task's name; all tasks if not given.")] = None,
    count: Annotated[int, typer.Option(min=1, help="Examples to show, of each reason.")] = 5,
    work: Work = Path("work"),
    as_json: AsJson = False,  # noqa: FBT002
) -> None:
    """Show what the checks found and, for one check, examples kept and rejected nearest to its threshold."""
    from rich.console import Console

    from ecinstruct_build.pipeline import last_build
    from ecinstruct_build.reporting.build import report_on_checks
    from ecinstruct_build.reporting.tables import render_report

    built, raw, _ = last_build(asking_machine(work))
    report = report_on_checks(built, raw, check=check, task=task, count=count)
    if as_json:
        print_json(report)
    else:
        render_report(report, Console())
