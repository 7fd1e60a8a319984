"""Carry a plan out: fetch what is missing, hold everything against what is known, and lock it."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ecinstruct_build.errors import UserError
from ecinstruct_build.fetching.download import Fetched, Wanted, fetch_all
from ecinstruct_build.fetching.form import form_fault
from ecinstruct_build.fetching.lock import Lock, Locked, Trust
from ecinstruct_build.fetching.partial import places
from ecinstruct_build.fetching.plan import Item, Plan, Wish, make_plan, needed_remotes
from ecinstruct_build.fetching.settings import FetchSettings
from ecinstruct_build.fetching.state import Digests, FileState
from ecinstruct_build.fetching.unpack import unpack
from ecinstruct_build.progress import Progress
from ecinstruct_build.source import Remote
from ecinstruct_build.stages.raw_files import taken_files


@dataclass(frozen=True)
class Outcome:
    """What became of a plan.

    Attributes
    ----------
    fetched
        What was fetched, in the order in which it came.
    to_get
        What a person must still get.
    """

    fetched: tuple[Fetched, ...]
    to_get: tuple[Item, ...]


def carry_out(
    plan: Plan, raw: Path, lock: Lock, *, progress: Progress, parallel: int = 4, settings: FetchSettings | None = None
) -> Outcome:
    """Fetch what a plan misses; each file is locked as soon as it is there.

    Parameters
    ----------
    plan
        What is needed.
    raw
        Folder for upstream files, under ``<source>/<upstream name>``.
    lock
        Where what came is written down.
    progress
        Is told of the bytes of each file.
    parallel
        Files at a time.
    settings
        How patiently to fetch.

    Raises
    ------
    UserError
        If a file that is there is not what it should be; or, once all others are there, if one cannot be had or is
        not what it is called.
    """
    digests = Digests(raw)
    digests.keep()
    faults = [_wrong_words(state, lock) for state in plan.wrong]
    for item in plan.items:
        faults += _lock_present(item, lock, digests)
    if faults:
        raise UserError("\n".join(faults))
    for item in plan.to_unpack:
        faults += _lock_fetched(item, _unpacked(item, settings or FetchSettings()), lock, digests)
    items = {(item.source.name, item.remote.file): item for item in plan.to_fetch}
    fetched = []
    wanted = [_wanted(item, lock) for item in plan.to_fetch]
    try:
        for one in fetch_all(wanted, progress=progress, parallel=parallel, settings=settings):
            fetched.append(one)
            faults += _lock_fetched(items[one.source, one.file], one, lock, digests)
    except UserError as error:
        faults.append(f"{error}{_lock_hint(plan, lock)}")
    if faults:
        raise UserError("\n".join(faults))
    return Outcome(tuple(fetched), tuple(plan.to_get))


def relock(wishes: Sequence[Wish], raw: Path, lock: Lock, progress: Progress | None = None) -> Plan:
    """Forget what is locked of the files that are wanted, and plan anew."""
    for wish in wishes:
        name = wish.source.name
        needed = [remote for remote, _ in needed_remotes(wish.source, wish.settings)]
        files = [file for remote in needed for file in (remote.file, *remote.yields)]
        for file in (*files, *taken_files(wish.source, wish.settings, raw / name)):
            lock.forget(name, file)
    return make_plan(wishes, raw, lock, progress)


def _unpacked(item: Item, settings: FetchSettings) -> Fetched:
    """Unpack an archive that stands in its place, and leave it there: who put it there may want it."""
    archive, remote = item.archive, item.remote
    if archive is None or archive.size is None or archive.sha256 is None:
        raise ValueError(f"{remote.file} is not there")
    scratch = places(item.folder, remote.file).unpacked
    label = f"{item.source.name}/{remote.file}"
    scratch.parent.mkdir(parents=True, exist_ok=True)
    members = unpack(archive.path, label, remote.holds, item.folder, scratch, settings)
    with suppress(OSError):
        scratch.parent.rmdir()
    return Fetched(item.source.name, remote.file, "", archive.size, archive.sha256, members)


def _wanted(item: Item, lock: Lock) -> Wanted:
    expected = lock.expected(item.source.name, item.remote.file, item.remote)
    return Wanted(item.source.name, item.remote, item.folder, expected.size, expected.sha256)


def _lock_present(item: Item, lock: Lock, digests: Digests) -> list[str]:
    """Lock the files of an item that were there; return what is wrong with those that nobody knows."""
    faults = []
    for state in item.states:
        if not state.here or state.size is None or state.sha256 is None:
            continue
        if state.state == "unverified" and (fault := form_fault(item.source, state.file, state.path)):
            faults.append(
                f"{state.path} does not look like {item.source.name}/{state.file}: {fault}. Delete it, or put the "
                "right file there."
            )
            continue
        digests.remember(state.path, state.sha256)
        trust: Trust = "upstream" if state.expected.by == "upstream" else "first use"
        file = state.path.relative_to(item.folder).as_posix()
        lock.put(item.source.name, {file: Locked(size=state.size, sha256=state.sha256, trust=trust)})
    return faults


def _lock_fetched(item: Item, one: Fetched, lock: Lock, digests: Digests) -> list[str]:
    """Lock what was fetched; return what is wrong with it."""
    source, remote, folder = item.source.name, item.remote, item.folder
    trust = _trust(remote)
    entries = {one.file: Locked(size=one.size, sha256=one.sha256, trust=trust, url=one.url)}
    for part in one.unpacked:
        entries[part.path] = Locked(size=part.size, sha256=part.sha256, trust=trust, url=one.url, archive=remote.file)
    for file in remote.yields:
        entry, path = entries[file], folder / file
        if fault := lock.expected(source, file, remote).fault(entry.size, entry.sha256):
            came = one.url or folder / one.file
            return [f"{source}/{file} from {came} is not what it should be: {fault}.{_mend(lock, source, file)}"]
        if trust == "first use" and lock.get(source, file) is None and (fault := form_fault(item.source, file, path)):
            came = f"What {one.url} served" if one.url else f"What {one.file} held"
            return [
                f"{came} does not look like {source}/{file}: {fault}. It was not locked. See what is "
                f"in {path}, delete it and fetch it again, or get the file by hand."
            ]
        digests.remember(path, entry.sha256)
    lock.put(source, entries)
    return []


def _trust(remote: Remote) -> Trust:
    return "upstream" if remote.sha256 else "first use"


def _wrong_words(state: FileState, lock: Lock) -> str:
    return f"{state.path} is not what it should be: {state.fault}.{_mend(lock, state.source, state.file)}"


def _mend(lock: Lock, source: str, file: str) -> str:
    """Say what can be done about a file that is not what it should be."""
    locked = lock.get(source, file)
    came = f" The one that was locked came from {locked.url}." if locked and locked.url else ""
    if locked is None or locked.trust == "upstream":
        return f"{came} Delete it and fetch it again."
    return (
        f"{came} Delete it and fetch it again; or, if upstream has changed it and the new one is right, delete its "
        f"entry from {lock.path} or give --relock."
    )


def _lock_hint(plan: Plan, lock: Lock) -> str:
    locked = [
        item
        for item in plan.to_fetch
        if (entry := lock.get(item.source.name, item.remote.file)) and entry.trust == "first use"
    ]
    if not locked:
        return ""
    return (
        f" What is expected of {', '.join(f'{item.source.name}/{item.remote.file}' for item in locked)} stands in "
        f"{lock.path}: if upstream has changed it and the new one is right, delete its entry there or give --relock."
    )
