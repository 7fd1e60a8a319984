"""Commands by which people judge a sample of the dataset."""

from dataclasses import asdict
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Annotated

import typer

from ecinstruct_build.commands.options import AsJson, Dataset, Host, Open, Port, Review, print_json, serve_pages
from ecinstruct_build.errors import UserError

if TYPE_CHECKING:
    from ecinstruct_build.review.desk import Desk
    from ecinstruct_build.review.sample import ReviewSample

review_app = typer.Typer(no_args_is_help=True, help="People judge a sample of the published rows.")

Format = Annotated[
    str | None, typer.Option("--format", help="xlsx, csv, label-studio or argilla; by the file's ending if not given.")
]


@review_app.command("sample")
def review_sample(
    dataset: Dataset = Path("dataset"),
    review: Review = Path("review"),
    items: Annotated[
        int | None, typer.Option(min=1, help="At most so many items in all: a look, which promises nothing.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of the sample.")] = 0,
    fresh: Annotated[  # noqa: FBT002
        bool, typer.Option("--fresh", help="Set a review that is there aside; what it found defective stays out.")
    ] = False,
    as_json: AsJson = False,  # noqa: FBT002
) -> None:
    """Draw the rows that people shall judge, and say what judging them will cost."""
    from rich.console import Console

    from ecinstruct_build.review.folder import set_aside
    from ecinstruct_build.review.terminal import render_plan

    if fresh:
        set_aside(review)
    sample = _draw(dataset, review, items, seed).sample
    if as_json:
        print_json([asdict(plan) for plan in sample.plans])
    else:
        render_plan(sample, Console())


@review_app.command("serve")
def review_serve(
    dataset: Dataset = Path("dataset"),
    review: Review = Path("review"),
    host: Host = "127.0.0.1",
    port: Port = 8571,
    open_browser: Open = True,  # noqa: FBT002
) -> None:
    """Let people judge the sample in their browser; it is drawn first if there is none.

    Says so if the sample does not stand for the dataset any more.
    """
    from rich.console import Console

    from ecinstruct_build.browsing.shelf import Shelf
    from ecinstruct_build.review.folder import desk_in, reviewed_in
    from ecinstruct_build.review.terminal import render_plan

    desk = desk_in(review)
    if desk is None:
        desk = _draw(dataset, review, None, 0)
        render_plan(desk.sample, Console())
    else:  # beside, since it reads the whole dataset
        Thread(target=_warn_if_outdated, args=(desk.sample, dataset), daemon=True).start()
    shelf = Shelf(dataset) if dataset.is_dir() else None
    serve_pages(desk=desk, shelf=shelf, host=host, port=port, open_browser=open_browser, path="/", folder=review)
    reviewed_in(review)


@review_app.command("export")
def review_export(
    file: Annotated[Path, typer.Argument(help="The file to write.")],
    annotator: Annotated[str, typer.Option(help="Who is to judge; with --among their share, else all of it.")] = "",
    among: Annotated[
        str,
        typer.Option(help="All who judge, as Ada,Ben: the items are dealt out, the same way whenever these are named."),
    ] = "",
    task: Annotated[str, typer.Option(help="One task only.")] = "",
    review: Review = Path("review"),
    file_format: Format = None,
) -> None:
    """Hand the sample, or a part of it, over to a spreadsheet or an annotation tool.

    A share dealt out with --among leaves out what its annotator need not judge any more.
    """
    from rich.console import Console

    from ecinstruct_build.review.exchange.parts import Part, deal
    from ecinstruct_build.review.exchange.records import export_sample
    from ecinstruct_build.review.terminal import render_exported

    desk, judges = _desk(review), [name.strip() for name in among.split(",") if name.strip()]
    shares = deal(desk.sample, judges, desk.answers()) if judges else {}
    if judges and annotator not in shares:
        raise UserError(f"Say with --annotator whose share of the items it is: one of {', '.join(shares)}.")
    if judges and not shares[annotator]:
        raise UserError(f"There is nothing left to judge in the share of {annotator}.")
    exported = export_sample(desk.sample, file, file_format, part=Part(annotator, shares.get(annotator), task))
    render_exported(exported, Console())


@review_app.command("import")
def review_import(
    file: Annotated[Path, typer.Argument(help="A file that was handed over and came back with verdicts.")],
    annotator: Annotated[str, typer.Option(help="Who judged, where the file does not say.")] = "",
    review: Review = Path("review"),
    file_format: Format = None,
) -> None:
    """Take in verdicts given elsewhere; a file that does not match the sample is refused.

    What the same person said before is replaced; items that others have judged in the meantime are skipped.
    """
    from rich.console import Console
    from rich.markup import escape

    from ecinstruct_build.review.exchange.records import import_answers
    from ecinstruct_build.review.folder import reviewed_in
    from ecinstruct_build.review.terminal import taken_in_text

    desk = _desk(review)
    taken = desk.take_in(import_answers(desk.sample, file, file_format, annotator))
    reviewed_in(review)
    Console().print(f"[bold]{escape(str(file))}[/bold]: {taken_in_text(taken)}", highlight=False, soft_wrap=True)


@review_app.command("report")
def review_report(
    review: Review = Path("review"),
    dataset: Dataset = Path("dataset"),
    as_json: AsJson = False,  # noqa: FBT002
) -> None:
    """Show what the judges found; exits with status 1 if a task failed."""
    from rich.console import Console

    from ecinstruct_build.review.database import may_write
    from ecinstruct_build.review.folder import reviewed_in
    from ecinstruct_build.review.report import review_report as figures
    from ecinstruct_build.review.terminal import render_review

    desk = _desk(review)
    _warn_if_outdated(desk.sample, dataset)
    found = figures(desk.sample, desk.answers())
    if may_write(review):
        reviewed_in(review)
    if as_json:
        print_json(found.to_json())
    else:
        render_review(found, Console())
    if any(task.passed is False for task in found.tasks):
        raise typer.Exit(1)


def _draw(dataset: Path, review: Path, items: int | None, seed: int) -> "Desk":
    from ecinstruct_build.publish.folder import read_manifest
    from ecinstruct_build.review.desk import Desk
    from ecinstruct_build.review.folder import DESK
    from ecinstruct_build.review.sample import draw_sample
    from ecinstruct_build.review.settings import ReviewSettings

    manifest = read_manifest(dataset) or {}
    settings = ReviewSettings(**manifest.get("recipe", {}).get("review", {}))
    return Desk.create(review / DESK, draw_sample(dataset, settings, seed, items))


def _warn_if_outdated(sample: "ReviewSample", dataset: Path) -> None:
    """Say on standard error of which tasks the sample does not stand for the dataset any more."""
    from rich.console import Console
    from rich.markup import escape

    from ecinstruct_build.review.coverage import outdated

    if warning := outdated(sample, dataset):
        Console(stderr=True).print(f"[yellow]{escape(warning)}[/yellow]", highlight=False, soft_wrap=True)


def _desk(review: Path) -> "Desk":
    from ecinstruct_build.review.folder import desk_in

    desk = desk_in(review)
    if desk is None:
        raise UserError(
            f"There is no review in {review}. Draw a sample with 'ecinstruct review sample', or say where it is with "
            "--review."
        )
    return desk
