"""What of a source stands on disk, and whether it is what it should be."""

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Literal

from ecinstruct_build.fetching.lock import Expected, Lock
from ecinstruct_build.fetching.partial import HIDDEN, places
from ecinstruct_build.file_digests import identity_of, is_digest
from ecinstruct_build.progress import Progress, Silence
from ecinstruct_build.source import Remote, Source

State = Literal["absent", "partial", "unverified", "verified", "wrong"]

Reading = Literal["small", "new", "all"]

NOTES = ".digests"
"""The folder inside the raw folder that remembers digests, so that files are read through once."""

_BLOCK = 1 << 20
_LARGE = 256 << 20
_SMALL = 16 << 20  # bytes that are read through in no time


@dataclass(frozen=True)
class FileState:
    """A file of a source, on disk or not.

    Attributes
    ----------
    source, file
        Adapter name; path below the corpus's folder, as upstream has it.
    path
        Where it is, or belongs.
    state
        ``absent``; ``partial``: begun; ``unverified``: there, and nothing is known to hold it against, or it was not
        read through yet; ``verified``: as upstream or the lock says; ``wrong``: not so.
    expected
        What it must be.
    size, sha256
        Of what is there; None where it is not, or was not read through.
    fault
        What is wrong with it.
    """

    source: str
    file: str
    path: Path
    state: State
    expected: Expected
    size: int | None = None
    sha256: str | None = None
    fault: str = ""

    @property
    def here(self) -> bool:
        """Whether the file is there and not known to be wrong."""
        return self.state in ("unverified", "verified")


class Digests:
    """Digests of the files below a raw folder, remembered by each file's place, size, inode and times of change.

    They are kept in the raw folder once `keep` was called: to look at a folder leaves nothing behind in it.

    Parameters
    ----------
    raw
        The raw folder.
    progress
        Is told of the bytes of large files that are read through.
    """

    def __init__(self, raw: Path, progress: Progress | None = None) -> None:
        self._folder = raw / NOTES
        self._progress = progress or Silence()

    def keep(self) -> None:
        """Make the folder that remembers."""
        self._folder.mkdir(parents=True, exist_ok=True)

    def known(self, path: Path) -> str | None:
        """Return the digest of a file if it was read through before and has not changed since."""
        try:
            sha256 = self._note(path).read_text()
        except (OSError, ValueError):
            return None
        return sha256 if is_digest(sha256) else None

    def of(self, path: Path) -> str:
        """Return the digest of a file, reading it through."""
        before = self._note(path)
        size = path.stat().st_size
        progress = self._progress if size >= _LARGE else Silence()
        digest = hashlib.sha256()
        with path.open("rb") as file, progress.track(f"read {path.name}", size, of_bytes=True) as advance:
            while block := file.read(_BLOCK):
                digest.update(block)
                advance(len(block))
        sha256 = digest.hexdigest()
        if before == self._note(path):
            self.remember(path, sha256)
        return sha256

    def remember(self, path: Path, sha256: str) -> None:
        """Remember a digest, if there is a folder to remember it in that can be written to."""
        note = self._note(path)
        try:
            temporary = note.with_name(f".{note.name}.{os.getpid()}")
            temporary.write_text(sha256)
            temporary.replace(note)
        except OSError:
            return

    def _note(self, path: Path) -> Path:
        return self._folder / hashlib.sha256(os.fsencode(identity_of(path))).hexdigest()


def file_state(
    source: str, file: str, path: Path, expected: Expected, digests: Digests, *, read: Reading, begun: bool = False
) -> FileState:
    """Say how a file stands.

    Parameters
    ----------
    source, file, path
        The file, and where it is looked for.
    expected
        What it must be.
    digests
        The digests that are remembered.
    read
        Which files to read through: those of unknown digest (``new``), of these the ``small`` ones that something is
        known to hold against, or ``all``.
    begun
        Whether a part of it was fetched.
    """
    if not path.is_file():
        return FileState(source, file, path, "partial" if begun else "absent", expected)
    size = path.stat().st_size
    if fault := expected.fault(size, None):
        return FileState(source, file, path, "wrong", expected, size, fault=fault)
    sha256 = None if read == "all" else digests.known(path)
    if sha256 is None and (read != "small" or (size <= _SMALL and expected.sha256 is not None)):
        sha256 = digests.of(path)
    if fault := expected.fault(size, sha256):
        return FileState(source, file, path, "wrong", expected, size, sha256, fault)
    verified = expected.sha256 is not None and sha256 is not None
    return FileState(source, file, path, "verified" if verified else "unverified", expected, size, sha256)


def remote_states(
    source: Source, remote: Remote, raw: Path, lock: Lock, digests: Digests, *, read: Reading
) -> tuple[FileState, ...]:
    """Say how the files stand that a remote yields."""
    folder = raw / source.name
    begun = places(folder, remote.file).bytes.exists()
    return tuple(
        file_state(
            source.name,
            file,
            folder / file,
            lock.expected(source.name, file, remote),
            digests,
            read=read,
            begun=begun,
        )
        for file in remote.yields
    )


def as_upstream(state: FileState, source: Source) -> FileState:
    """Return the state of a file in a folder of the user's own: verified if upstream states its digest by its name."""
    if state.state != "unverified":
        return state
    name = PurePosixPath(state.path).name
    for remote in source.remotes:
        if state.sha256 and remote.sha256 == state.sha256 and PurePosixPath(remote.file).name == name:
            return replace(state, state="verified", expected=Expected(state.size, state.sha256, "upstream"))
    return state


def source_states(
    source: Source, raw: Path, lock: Lock, *, read: Reading, progress: Progress | None = None
) -> list[FileState]:
    """Say how all files of a source stand: those of its remotes, and others on disk that it can read, sorted."""
    digests = Digests(raw, progress)
    states = [
        state for remote in source.remotes for state in remote_states(source, remote, raw, lock, digests, read=read)
    ]
    named = {state.file for state in states}
    others = [file for file in {*_on_disk(source, raw / source.name), *lock.files(source.name)} if file not in named]
    archives = {remote.file for remote in source.remotes if remote.holds}
    for file in others:
        path, expected = raw / source.name / file, lock.expected(source.name, file)
        if file not in archives or path.is_file():
            states.append(as_upstream(file_state(source.name, file, path, expected, digests, read=read), source))
    return sorted(states, key=lambda state: state.file)


def _on_disk(source: Source, folder: Path) -> Iterator[str]:
    for path in folder.rglob("*"):
        file = path.relative_to(folder).as_posix()
        if source.kind_of(file) and path.is_file() and not file.startswith(f"{HIDDEN}/"):
            yield file
