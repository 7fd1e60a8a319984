"""The command that compares a built dataset with the original."""

from pathlib import Path
from typing import Annotated

import typer

from ecinstruct_build.commands.options import AsJson, print_json


def parity(
    dataset: Annotated[Path, typer.Argument(help="Folder of a built dataset.")] = Path("dataset"),
    as_json: AsJson = False,  # noqa: FBT002
) -> None:
    """Compare a built dataset with the eCeLLM paper's; exits with status 1 if a difference is unexplained."""
    from rich.console import Console

    from ecinstruct_build.parity.compare import compare, read_facts
    from ecinstruct_build.parity.measure import measure
    from ecinstruct_build.parity.terminal import render_parity

    found = compare(measure(dataset), read_facts())
    if as_json:
        print_json(found.as_dict())
    else:
        render_parity(found, Console())
    if not found.passed:
        raise typer.Exit(1)
