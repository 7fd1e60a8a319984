"""The lock: what each fetched file was, in a file that is committed, so that it is the same again everywhere.

Digests that an adapter states come from upstream and hold by themselves. All others are trusted on first use: what
came first is written down, and everything that comes later is held against it.
"""

import fcntl
import os
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import tomli_w
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from ecinstruct_build.durable import sync
from ecinstruct_build.errors import UserError
from ecinstruct_build.source import Remote

LOCK = "sources.lock.toml"
"""The lock's usual name."""

Trust = Literal["upstream", "first use"]

_HEADER = (
    "# What each upstream file was when it was fetched: later fetches are held against it. Written by\n"
    "# `ecinstruct sources fetch`; keep it with the recipe. To accept other bytes, delete the file's entry.\n\n"
)


class Locked(BaseModel):
    """What a file was.

    Attributes
    ----------
    size, sha256
        Its bytes and digest.
    trust
        Whether upstream states the digest (``upstream``), or it is what came first (``first use``).
    url
        The address that it, or the archive that held it, came from; "" if it was put there by hand.
    archive
        The archive that held it; "" if none did.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    size: int = Field(ge=0)
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    trust: Trust
    url: str = ""
    archive: str = ""


_ENTRIES = TypeAdapter(dict[str, dict[str, Locked]])


@dataclass(frozen=True)
class Expected:
    """What a file must be.

    Attributes
    ----------
    size, sha256
        Bytes and digest; None = not known.
    by
        Who says so, for people; "" if nobody does.
    """

    size: int | None = None
    sha256: str | None = None
    by: str = ""

    def fault(self, size: int, sha256: str | None) -> str:
        """Return what is wrong with a file of this size and digest (None = not looked at), or "" if nothing is."""
        if self.size is not None and size != self.size:
            return f"{self.by} says {self.size:,} bytes, and it has {size:,}"
        if self.sha256 and sha256 and sha256 != self.sha256:
            return f"{self.by} says sha256 {self.sha256}, and it has {sha256}"
        return ""


class Lock:
    """The entries of a lock's file, by source and file; every change is on disk when the call returns.

    Parameters
    ----------
    path
        The file; it need not exist yet.

    Raises
    ------
    UserError
        If it is there and is no lock.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._entries = _read(path)

    def get(self, source: str, file: str) -> Locked | None:
        """Return a file's entry, or None."""
        return self._entries.get(source, {}).get(file)

    def files(self, source: str) -> Mapping[str, Locked]:
        """Return the entries of a source."""
        return self._entries.get(source, {})

    def put(self, source: str, files: Mapping[str, Locked]) -> None:
        """Write entries down; one that has the same bytes stays, unless it turns out that upstream states them."""
        with self._changing():
            entries = self._entries.setdefault(source, {})
            for file, locked in files.items():
                known = entries.get(file)
                if known is None or (known.size, known.sha256) != (locked.size, locked.sha256):
                    entries[file] = locked
                elif locked.trust == "upstream":
                    entries[file] = known.model_copy(update={"trust": "upstream"})

    def forget(self, source: str, file: str) -> None:
        """Take an entry out, if there is one."""
        if self.get(source, file) is not None:
            with self._changing():
                self._entries.get(source, {}).pop(file, None)

    def expected(self, source: str, file: str, remote: Remote | None = None) -> Expected:
        """Return what a file must be: what the adapter states, or else what is locked.

        Parameters
        ----------
        source, file
            The file, by its path below the corpus's folder.
        remote
            The adapter's word on it, if it has one: not that of the archive that holds it.

        Raises
        ------
        UserError
            If the two contradict each other.
        """
        locked = self.get(source, file)
        stated = remote if remote and remote.file == file and (remote.sha256 or remote.size is not None) else None
        if locked is None:
            return Expected(stated.size, stated.sha256, "upstream") if stated else Expected()
        if stated and (stated.sha256 not in (None, locked.sha256) or stated.size not in (None, locked.size)):
            raise UserError(
                f"{self.path} and the adapter of source '{source}' contradict each other about {file}: the lock says "
                f"{_words(locked.size, locked.sha256)}, the adapter {_words(stated.size, stated.sha256)}. The "
                f'adapter\'s word comes from upstream and holds. Delete the entry [{source}."{file}"] from the lock, '
                "or give --relock."
            )
        return Expected(locked.size, locked.sha256, "upstream" if stated and stated.sha256 else self.path.name)

    @contextmanager
    def _changing(self) -> Iterator[None]:
        """Hold the lock's folder, take in what others wrote meanwhile, and write all down as one."""
        folder = self.path.resolve().parent
        folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(folder, os.O_RDONLY)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            self._entries = _read(self.path)
            yield
            _write(self.path, self._entries)
        finally:
            os.close(handle)


def _read(path: Path) -> dict[str, dict[str, Locked]]:
    if not path.exists():
        return {}
    try:
        return _ENTRIES.validate_python(tomllib.loads(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UserError(
            f"The lock {path} cannot be read: {error}. Mend it, or name another one with --lock."
        ) from error
    except ValidationError as error:
        problem = error.errors()[0]
        place = " / ".join(map(str, problem["loc"]))
        raise UserError(f"The lock {path} is no lock of sources: {place}: {problem['msg']}.") from error


def _write(path: Path, entries: Mapping[str, Mapping[str, Locked]]) -> None:
    plain = {
        source: {file: files[file].model_dump(exclude_defaults=True) for file in sorted(files)}
        for source, files in sorted(entries.items())
        if files
    }
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_text(_HEADER + tomli_w.dumps(plain), encoding="utf-8")
    sync(temporary)
    temporary.replace(path)


def _words(size: int | None, sha256: str | None) -> str:
    words = [f"{size:,} bytes"] if size is not None else []
    return ", ".join([*words, f"sha256 {sha256}"] if sha256 else words)
