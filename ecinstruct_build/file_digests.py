"""Digests of files, and what tells that a file is still the one that was digested."""

import hashlib
import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import xxhash

from ecinstruct_build.errors import UserError

_HEXADECIMAL = frozenset("0123456789abcdef")
_SMALL = 1 << 18  # bytes: what is read at a time of a file that is larger


def is_digest(text: str) -> bool:
    """Say whether a text is a SHA-256 in hexadecimal."""
    return len(text) == 64 and set(text) <= _HEXADECIMAL


def digest_of(path: Path, go_on: Callable[[], None] | None = None) -> str:
    """Return the SHA-256 of a file; ``go_on`` is called now and then while a large one is read, and may raise."""
    with path.open("rb", buffering=0) as file:
        if os.fstat(file.fileno()).st_size <= _SMALL:  # without the buffer that would take longer than a small file
            return hashlib.sha256(file.read()).hexdigest()
        digest, buffer = hashlib.sha256(), memoryview(bytearray(_SMALL))
        while count := file.readinto(buffer):
            digest.update(buffer[:count])
            if go_on:
                go_on()
        return digest.hexdigest()


def fingerprint_of(path: Path) -> str:
    """Return the 128-bit XXH3 of a file.

    It takes a tenth of the time of a SHA-256 and tells files apart as well, as long as nobody forges one: that is all
    that is asked of files which were written here and are read here.
    """
    with path.open("rb", buffering=0) as file:
        return hashlib.file_digest(file, xxhash.xxh3_128).hexdigest()


def identity_of(path: Path) -> str:
    """Return a name for a file as it stands, by path, inode, size and times of change: a change to it alters it."""
    status = path.stat()
    return f"{_content_of(path, status)}|{status.st_ctime_ns}"


def _content_of(path: Path, status: os.stat_result) -> str:
    place = f"{os.path.abspath(path)}|{status.st_dev}|{status.st_ino}"  # noqa: PTH100 - resolving takes 30 times as long
    return f"{place}|{status.st_size}|{status.st_mtime_ns}"


def identities_of(paths: Iterable[Path]) -> dict[Path, str]:
    """Return the identity of the content of each file as it stands, for `refuse_changed`.

    The time at which links, rights and the like changed is no part of it.
    """
    return {path: _content_of(path, path.stat()) for path in paths}


def refuse_changed(identities: Mapping[Path, str]) -> None:
    """Check that files are still those that they were: what is read of others does not go by their digests.

    Raises
    ------
    UserError
        If one was changed, replaced or removed.
    """
    for path, identity in identities.items():
        try:
            changed = _content_of(path, path.stat()) != identity
        except OSError:
            changed = True
        if changed:
            raise UserError(
                f"The file {path} was changed while it was read, so nothing of it is kept. Wait until whatever writes "
                "it has finished, or fetch it again, and run the same command once more."
            )
