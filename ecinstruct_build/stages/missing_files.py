"""What to do about files that a recipe asks for and a folder does not hold."""

from collections.abc import Sequence
from pathlib import Path

from ecinstruct_build.errors import did_you_mean
from ecinstruct_build.source import Source


def no_such_file(recipe: str, source: Source, pattern: str, folder: Path, there: Sequence[str]) -> str:
    """Say that no file is of the name or glob that a recipe gives, and what to do.

    Parameters
    ----------
    recipe, source
        The recipe's name, and the source that it asks for.
    pattern, folder
        The name or glob, and the source's folder.
    there
        The files in the folder, relative to it.
    """
    wanted = f"Recipe '{recipe}' wants '{pattern}' of source '{source.name}', and {folder} holds no such file."
    if source.configure:
        return (
            f"{wanted}{did_you_mean(pattern, there)} {_holds(there)} Put the file there, or change its name under "
            f"[[sources.{source.name}.tables]]."
        )
    return (
        f"{wanted} Fetch it with --fetch (make: FETCH=1) or with {_fetch(source, folder)}, put it there under its "
        f"upstream name, or change [sources.{source.name}] files."
    )


def no_files(source: Source, folder: Path) -> str:
    """Say that a source has no file at all, and what to do."""
    examples = ", ".join(kind.example for kind in source.files[:3])
    if source.configure:
        return (
            f"Source '{source.name}' has no files in {folder}. Put those there that [[sources.{source.name}.tables]] "
            f"describes, such as {examples}, or leave the source out of the recipe."
        )
    return (
        f"Source '{source.name}' has no files in {folder}. Fetch them with --fetch (make: FETCH=1) or with "
        f"{_fetch(source, folder)}, or put its upstream files there, such as {examples} ('ecinstruct sources show "
        f"{source.name}' has all), or leave the source out of the recipe."
    )


def _fetch(source: Source, folder: Path) -> str:
    return f"'ecinstruct sources fetch {source.name} --recipe RECIPE --raw {folder.parent}'"


def _holds(there: Sequence[str], most: int = 10) -> str:
    if not there:
        return "There are no files in it."
    more = f" and {len(there) - most:,} more" if len(there) > most else ""
    return f"It holds {', '.join(there[:most])}{more}."
