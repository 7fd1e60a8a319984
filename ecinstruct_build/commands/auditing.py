"""The command that audits a published dataset."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from ecinstruct_build.commands.options import AsJson, Quiet, Settings, listener
from ecinstruct_build.recipe import load_recipe


def audit(
    where: Annotated[str, typer.Argument(help="A dataset's folder or file, or its id on the Hugging Face Hub.")],
    recipe: Annotated[
        str, typer.Option(help="The recipe whose [audit] limits count: a TOML file, or the name of a packaged one.")
    ] = "sample",
    out: Annotated[
        Path | None, typer.Option(help="Folder for audit.json and audit.html; by default they are not written.")
    ] = None,
    settings: Settings = None,
    quiet: Quiet = False,  # noqa: FBT002
    as_json: AsJson = False,  # noqa: FBT002
) -> None:
    """Prove again, from the published rows alone, that nothing leaks; exits with status 1 past the limits."""
    from ecinstruct_build.audit.page import write_audit
    from ecinstruct_build.audit.run import audit_dataset
    from ecinstruct_build.audit.terminal import render_audit

    limits = load_recipe(recipe, settings or ()).audit
    with listener(quiet=quiet or as_json) as progress:
        found = audit_dataset(where, limits, progress=progress)
    if out is not None:
        write_audit(found, out)
    if as_json:
        typer.echo(found.to_json(), nl=False)
    elif not quiet:
        render_audit(found, Console())
        if out is not None:
            Console().print(f"The findings are in [bold]{escape(str(out))}[/bold].")
    if not found.passed:
        raise typer.Exit(1)
