"""Which files of the folder of upstream files a recipe takes; none that it names is left out in silence."""

import os
from collections.abc import Callable, Iterator, Sequence
from fnmatch import fnmatch
from pathlib import Path

from ecinstruct_build.errors import UserError, did_you_mean
from ecinstruct_build.recipe import Recipe
from ecinstruct_build.source import EVERYTHING, Source, SourceSettings
from ecinstruct_build.stages.missing_files import no_files, no_such_file


def find_files(recipe: Recipe, raw: Path) -> list[tuple[str, str]]:
    """Return (source, file) of every upstream file that the recipe takes from ``raw``, sorted.

    Raises
    ------
    UserError
        If a source has no file there, or one that the recipe names is missing.
    """
    found = []
    for name, settings in recipe.sources.items():
        source, folder = recipe.source(name), raw / name
        taken = taken_files(source, settings, folder)
        for pattern in settings.files:
            if pattern != EVERYTHING and not any(fnmatch(file, pattern) for file in taken):
                raise UserError(
                    _of_other_categories(name, source, settings, folder, (pattern,))
                    or no_such_file(recipe.name, source, pattern, folder, sorted(dict(_names_below(folder))))
                )
        if not taken:
            raise UserError(
                _of_other_categories(name, source, settings, folder, settings.files) or no_files(source, folder)
            )
        found += [(name, file) for file in taken]
    return sorted(found)


def _of_other_categories(
    name: str, source: Source, settings: SourceSettings, folder: Path, globs: tuple[str, ...]
) -> str:
    """Say that there are files that one of the globs matches, but of other categories; "" if there are none."""
    of_any = settings.model_copy(update={"categories": (), "files": globs})
    kinds = [source.kind_of(file) for file, is_file in _taken(source, of_any, folder).items() if is_file]
    there = sorted({kind[1].get("category", "") for kind in kinds if kind})
    if not there:
        return ""
    meant = "".join(did_you_mean(category, there) for category in settings.categories)
    return (
        f"Source '{name}' has files in {folder}, but none of {', '.join(settings.categories)}: they are of "
        f"{', '.join(there)}.{meant} Change [sources.{name}] categories."
    )


def taken_files(source: Source, settings: SourceSettings, folder: Path) -> list[str]:
    """Return the files in a corpus's folder that the settings take, relative to it, sorted.

    Raises
    ------
    UserError
        If a folder cannot be read, or what has the name of such a file is none, or the name is no text.
    """
    taken = _taken(source, settings, folder)
    try:
        "\n".join(taken).encode()
    except UnicodeEncodeError as error:
        line = error.object[: error.start].count("\n")
        raise UserError(
            f"The name of the file {list(taken)[line]} in {folder} is not UTF-8, so no row can say that it came from "
            "there. Rename the file, or the folder that it is in."
        ) from error
    for file, is_file in taken.items():
        if not is_file:
            raise UserError(
                f"{folder / file} has the name of a file to read, but {_instead_of_file(folder / file)}. Put the file "
                "there, delete what is in its place, or leave it out: name the others in "
                f"[sources.{source.name}] files."
            )
    return list(taken)


def _taken(source: Source, settings: SourceSettings, folder: Path) -> dict[str, bool]:
    """Return the names below a corpus's folder that the settings take, sorted, and whether there is such a file."""
    found = sorted(_names_below(folder))
    return {name: is_file for name, is_file in found if takes(source, settings, name, settings.files)}


def _names_below(folder: Path | str, prefix: str = "") -> Iterator[tuple[str, bool]]:
    """Yield the names below a folder, relative to it, but those of folders, and whether each is of a file.

    There may be thousands, and a `Path` of each takes its time. Links to folders below it are not followed.
    """
    try:
        with os.scandir(folder) as found:
            entries = list(found)
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError as error:
        raise UserError(f"The folder {folder} cannot be read: {error.strerror}. Let this user read it.") from error
    for entry in entries:
        if entry.is_dir(follow_symlinks=False):
            yield from _names_below(entry.path, f"{prefix}{entry.name}/")
        elif _is(entry.is_file):
            yield prefix + entry.name, True
        elif not _is(entry.is_dir):
            yield prefix + entry.name, False


def _is(asked: Callable[[], bool]) -> bool:
    """Return what a folder's entry says of itself; a link that leads nowhere is nothing."""
    try:
        return asked()
    except OSError:
        return False


def _instead_of_file(path: Path) -> str:
    """Say what is there that is no file, nor a link to one."""
    if path.is_symlink() and not os.path.exists(path):  # noqa: PTH110 - `Path.exists` raises where links form a circle
        return f"is a link to {path.readlink()}, where no file can be reached"
    return "is neither a file nor a link to one"


def takes(source: Source, settings: SourceSettings, file: str, globs: Sequence[str]) -> bool:
    """Say whether a file is one of the source's, of no category that the settings leave out, and one of the globs."""
    found = source.kind_of(file)
    if found is None:
        return False
    category = found[1].get("category", "")
    if settings.categories and category and category not in settings.categories:
        return False
    return any(fnmatch(file, glob) for glob in globs)
