"""Which upstream files are needed, and which of them have to be fetched."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath

from ecinstruct_build.errors import UserError, did_you_mean
from ecinstruct_build.fetching.lock import Lock
from ecinstruct_build.fetching.state import Digests, FileState, as_upstream, file_state, remote_states
from ecinstruct_build.progress import Progress
from ecinstruct_build.recipe import Recipe
from ecinstruct_build.registry import SOURCES
from ecinstruct_build.source import EVERYTHING, Remote, Source, SourceSettings
from ecinstruct_build.stages.raw_files import taken_files, takes


@dataclass(frozen=True)
class Wish:
    """What is wanted of a source: the source as it is configured, and which of its files."""

    source: Source
    settings: SourceSettings


@dataclass(frozen=True)
class Item:
    """An upstream file that is needed.

    Attributes
    ----------
    source
        The source.
    remote
        Where it can be had.
    folder
        The corpus's folder.
    states
        How the files that it yields and that are needed stand.
    archive
        How the archive stands that holds them; None where there is none, or it is not on disk.
    """

    source: Source
    remote: Remote
    folder: Path
    states: tuple[FileState, ...]
    archive: FileState | None = None

    @property
    def here(self) -> bool:
        """Whether nothing of it is missing."""
        return all(state.here for state in self.states)

    @property
    def by_hand(self) -> bool:
        """Whether a person must get it."""
        return not self.remote.urls

    @property
    def wrong(self) -> list[FileState]:
        """The files that are there and are not what they should be."""
        archive = () if self.archive is None or self.here else (self.archive,)
        return [state for state in (*self.states, *archive) if state.state == "wrong"]


@dataclass(frozen=True)
class Plan:
    """What is needed, in order of source and file, each once.

    Attributes
    ----------
    items
        The upstream files.
    own
        Sources whose files the user has of their own: no remote is known.
    """

    items: tuple[Item, ...]
    own: tuple[str, ...] = ()

    @property
    def missing(self) -> list[Item]:
        """What is not there."""
        return [item for item in self.items if not item.here and not item.wrong]

    @property
    def to_unpack(self) -> list[Item]:
        """What stands there in its archive."""
        return [item for item in self.missing if item.archive]

    @property
    def to_fetch(self) -> list[Item]:
        """What is to be fetched."""
        return [item for item in self.missing if not item.by_hand and not item.archive]

    @property
    def to_get(self) -> list[Item]:
        """What a person must get."""
        return [item for item in self.missing if item.by_hand and not item.archive]

    @property
    def wrong(self) -> list[FileState]:
        """The files that are there and are not what they should be."""
        return [state for item in self.items for state in item.wrong]


def wishes_of(recipe: Recipe, names: Sequence[str] = ()) -> list[Wish]:
    """Return what a recipe wants, of all its sources or of some.

    Raises
    ------
    UserError
        If the recipe has no such source.
    """
    for name in names:
        if name not in recipe.sources:
            raise UserError(
                f"Recipe '{recipe.name}' has no source '{name}'.{did_you_mean(name, recipe.sources)} "
                f"It has: {', '.join(recipe.sources)}."
            )
    return [Wish(recipe.source(name), recipe.sources[name]) for name in sorted(set(names) or recipe.sources)]


def wishes_for(names: Sequence[str], categories: Sequence[str] = (), globs: Sequence[str] = ()) -> list[Wish]:
    """Return what is wanted of sources that no recipe speaks of: all, or some categories and globs.

    Raises
    ------
    UserError
        If there is no such source.
    """
    settings = SourceSettings(files=tuple(globs) or (EVERYTHING,), categories=tuple(categories))
    return [Wish(SOURCES.get(name), settings) for name in sorted(set(names))]


def needed_remotes(source: Source, settings: SourceSettings) -> list[tuple[Remote, tuple[str, ...]]]:
    """Return the remotes that yield a file which the settings take, with those files, sorted by file.

    An alternative is needed where a glob other than ``*`` takes a file of it, and no file that is not an alternative's.
    """
    taken = {remote: _taken(source, settings, remote, settings.files) for remote in source.remotes}
    usual = [file for remote, files in taken.items() if not remote.alternative for file in files]
    naming = [glob for glob in settings.files if glob != EVERYTHING and not any(fnmatch(file, glob) for file in usual)]
    needed = [
        (remote, _taken(source, settings, remote, naming) if remote.alternative else files)
        for remote, files in taken.items()
    ]
    return sorted(((remote, files) for remote, files in needed if files), key=lambda pair: pair[0].file)


def make_plan(wishes: Iterable[Wish], raw: Path, lock: Lock, progress: Progress | None = None) -> Plan:
    """Say what is needed and how it stands. Files of unknown digest are read through, once.

    Raises
    ------
    UserError
        If a category or a glob names nothing that there is, here or upstream, or the lock contradicts an adapter.
    """
    digests = Digests(raw, progress)
    items: list[Item] = []
    own = []
    for wish in wishes:
        source, folder = wish.source, raw / wish.source.name
        present = taken_files(source, wish.settings, folder)
        needed = needed_remotes(source, wish.settings)
        _refuse_unknown(wish, needed, present)
        if not source.remotes:
            own.append(source.name)
        for remote, files in needed:
            states = []
            for state in remote_states(source, remote, raw, lock, digests, read="new"):
                if state.file not in files:
                    continue
                other = _elsewhere(state.file, present) if state.state in ("absent", "partial") else None
                if other is not None:
                    expected, place = lock.expected(source.name, other), folder / other
                    found = file_state(source.name, state.file, place, expected, digests, read="new")
                    states.append(as_upstream(found, source))
                else:
                    states.append(state)
            items.append(Item(source, remote, folder, tuple(states), _archive(source, remote, folder, lock, digests)))
    return Plan(tuple(sorted(items, key=lambda item: (item.source.name, item.remote.file))), tuple(sorted(own)))


def _taken(source: Source, settings: SourceSettings, remote: Remote, globs: Sequence[str]) -> tuple[str, ...]:
    return tuple(file for file in remote.yields if takes(source, settings, file, globs))


def _archive(source: Source, remote: Remote, folder: Path, lock: Lock, digests: Digests) -> FileState | None:
    path = folder / remote.file
    if not remote.holds or not path.is_file():
        return None
    expected = lock.expected(source.name, remote.file, remote)
    return file_state(source.name, remote.file, path, expected, digests, read="new")


def _elsewhere(file: str, present: Sequence[str]) -> str | None:
    """Return where a file stands under its name in another folder, or unpacked; None if nowhere."""
    name = _bare_name(file)
    return next((other for other in present if _bare_name(other) == name), None)


def _bare_name(file: str) -> str:
    return PurePosixPath(file).name.removesuffix(".gz")


def _refuse_unknown(wish: Wish, needed: Sequence[tuple[Remote, tuple[str, ...]]], present: Sequence[str]) -> None:
    """Refuse categories and globs that name nothing."""
    source, settings = wish.source, wish.settings
    if not source.remotes:
        return
    known = _categories(source, [file for remote in source.remotes for file in remote.yields])
    for category in settings.categories:
        if category not in known and category not in _categories(source, present):
            raise UserError(
                f"Source '{source.name}' has no category '{category}'.{did_you_mean(category, known)} "
                f"It has: {', '.join(known) or 'none'}."
            )
    files = [*(file for _, files in needed for file in files), *present]
    for glob in settings.files:
        if glob != EVERYTHING and not any(fnmatch(file, glob) for file in files):
            raise UserError(
                f"No upstream file of source '{source.name}' that is known is '{glob}'. "
                f"'ecinstruct sources show {source.name}' lists them; others have to be put into its folder by hand."
            )


def _categories(source: Source, files: Iterable[str]) -> list[str]:
    found: Mapping[str, None] = {
        groups[1].get("category", ""): None for file in files if (groups := source.kind_of(file)) is not None
    }
    return sorted(category for category in found if category)


def categories_of(source: Source) -> list[str]:
    """Return the categories that the files of a source's remotes are of, sorted."""
    return _categories(source, [file for remote in source.remotes for file in remote.yields])
