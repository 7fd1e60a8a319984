"""The pages of ``docs/``: the command line's and those of the live schemas and registries.

``python -m ecinstruct_build.handbook.pages docs`` writes them anew.
"""

import sys
from pathlib import Path

import typer
import typer.main
from typer.cli import get_docs_for_click

from ecinstruct_build.cli import app
from ecinstruct_build.handbook.reference import reference_pages


def handbook_pages() -> dict[str, str]:
    """Return every page by file name."""
    command = typer.main.get_command(app)
    context = typer.Context(command, info_name="ecinstruct")
    page = get_docs_for_click(obj=command, ctx=context, name="ecinstruct", title="The ecinstruct command")
    return {"cli.md": page.strip() + "\n", **reference_pages()}


def write_handbook(folder: Path) -> None:
    """Write every page into ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in handbook_pages().items():
        (folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write_handbook(Path(sys.argv[1]))
