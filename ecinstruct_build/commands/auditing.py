"""The command that audits a published dataset."""

from pathlib import Path
from typing import Annotated

import typer

from ecinstruct_build.commands.options import AsJson, Quiet, listener


def audit(
    where: Annotated[str, typer.Argument(help="A dataset's folder or file, or its id on the Hugging Face Hub.")],
    limits: Annotated[
        Path | None, typer.Option(help="TOML file, such as a recipe, whose [audit] table says what is tolerated.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder for audit.json and audit.html; by default they are not written.")
    ] = None,
    quiet: Quiet = False,  # noqa: FBT002
    as_json: AsJson = False,  # noqa: FBT002
) -> None:
    """Prove again, from the published rows alone, that nothing leaks; exits with status 1 if a limit is exceeded."""
    from rich.console import Console
    from rich.markup import escape

    from ecinstruct_build.audit.limits import read_limits
    from ecinstruct_build.audit.page import write_audit
    from ecinstruct_build.audit.run import audit_dataset
    from ecinstruct_build.audit.terminal import render_audit, render_exceeded

    with listener(quiet=quiet or as_json, resumes=False) as progress:
        found = audit_dataset(where, read_limits(limits) if limits else None, progress=progress)
    if as_json:
        typer.echo(found.to_json(), nl=False)
    elif not quiet:
        render_audit(found, Console())
    else:
        render_exceeded(found, Console(stderr=True))
    if out is not None:
        write_audit(found, out)
        if not quiet and not as_json:
            Console().print(f"The findings are in [bold]{escape(str(out))}[/bold].")
    if not found.passed:
        raise typer.Exit(1)
