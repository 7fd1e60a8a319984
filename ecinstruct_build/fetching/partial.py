"""A file that is being fetched: what came so far stays on disk, so that a later run goes on where this one ended.

Beside the bytes stands a note of what they are the beginning of. It is written before them, and what a run does to
the two is in such an order that a kill at any moment leaves bytes with their own note, or no bytes.
"""

import hashlib
import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from io import FileIO
from pathlib import Path

import msgspec

from ecinstruct_build import durable
from ecinstruct_build.errors import UserError

HIDDEN = ".partial"
"""The folder, in a corpus's folder, of what is not whole yet; no name in it is one that upstream gives a file."""

_BLOCK = 1 << 20


class OutOfRoom(UserError):  # noqa: N818
    """The disk is full."""


class Origin(msgspec.Struct, frozen=True):
    """What the bytes are the beginning of.

    Attributes
    ----------
    address
        Digest of the address that they came from: addresses may hold secrets.
    etag, modified
        How the server names this version of the file; "" = it does not.
    total
        Bytes of the whole file; None = the server does not say.
    oid
        The Git LFS object that they are of; "" = none.
    """

    address: str
    etag: str = ""
    modified: str = ""
    total: int | None = None
    oid: str = ""


def identity(url: str) -> str:
    """Return what stands for an address in a note."""
    return hashlib.sha256(url.encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Places:
    """Where the pieces of a file that is not whole yet stand.

    Attributes
    ----------
    bytes, note, lock, unpacked
        What came of it; its note; the file that a process holds while it fetches; the folder of what an archive held.
    """

    bytes: Path
    note: Path
    lock: Path
    unpacked: Path


def places(folder: Path, file: str) -> Places:
    """Return where the pieces of a corpus's file stand."""
    name = file.replace("%", "%25").replace("/", "%2F")
    if len(name.encode()) > 200:
        name = f"{name[:40]}-{identity(file)}"
    hidden = folder / HIDDEN
    return Places(*(hidden / f"{name}.{end}~" for end in ("partial", "note", "lock", "unpacked")))


class Partial:
    """A file on its way.

    Attributes
    ----------
    length
        Bytes that are there.
    origin
        What they are the beginning of; None = of nothing that is known.
    mixed
        Whether they are of an earlier run, or of several answers, so that they may be of different versions.
    """

    def __init__(self, where: Places, handle: FileIO) -> None:
        self._where = where
        self._handle = handle
        self.length = 0
        self.mixed = False
        self.origin: Origin | None = None
        self._digest = hashlib.sha256()
        self._take_up()

    @property
    def path(self) -> Path:
        """The bytes."""
        return self._where.bytes

    @property
    def sha256(self) -> str:
        """Digest of the bytes that are there."""
        return self._digest.hexdigest()

    def _take_up(self) -> None:
        try:
            self.origin = msgspec.json.decode(self._where.note.read_bytes(), type=Origin)
        except (OSError, msgspec.DecodeError):
            self.clear()
            return
        while block := self._handle.read(_BLOCK):
            self._digest.update(block)
            self.length += len(block)
        self.mixed = self.length > 0

    def _room(self) -> AbstractContextManager[None]:
        remark = f"The {self.length:,} bytes that came of {self._where.bytes} stay there."
        return room(self._where.bytes.parent.parent, remark)

    def clear(self) -> None:
        """Forget what is there."""
        self._handle.seek(0)
        self._handle.truncate()
        self._where.note.unlink(missing_ok=True)
        self._digest = hashlib.sha256()
        self.length = 0
        self.mixed = False
        self.origin = None

    def begin(self, origin: Origin) -> None:
        """Begin anew: the bytes to come are of ``origin``."""
        self.clear()
        draft = self._where.note.with_suffix(".draft~")
        with self._room(), draft.open("wb") as handle:
            handle.write(msgspec.json.encode(origin))
            handle.flush()
            os.fsync(handle.fileno())
        draft.replace(self._where.note)
        self.origin = origin

    def write(self, data: bytes) -> None:
        """Add bytes.

        Raises
        ------
        OutOfRoom
            If the disk is full; what came before stays.
        """
        with self._room():
            left = memoryview(data)
            while left:
                written = self._handle.write(left)
                self._digest.update(left[:written])
                self.length += written
                left = left[written:]

    def seal(self) -> None:
        """Flush the bytes to disk."""
        with self._room():
            os.fsync(self._handle.fileno())

    def move(self, to: Path) -> None:
        """Put the whole file in its place."""
        self._where.bytes.replace(to)
        durable.sync(to.parent)
        self._where.note.unlink(missing_ok=True)

    def remove(self) -> None:
        """Remove it: it has served."""
        self._where.bytes.unlink(missing_ok=True)
        self._where.note.unlink(missing_ok=True)


@contextmanager
def open_partial(where: Places) -> Iterator[Partial]:
    """Offer a file on its way, with what an earlier run left of it."""
    where.bytes.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(where.bytes, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666)
    with FileIO(descriptor, "r+b") as handle:
        partial = Partial(where, handle)
        try:
            yield partial
        finally:
            if not partial.length:
                where.bytes.unlink(missing_ok=True)


@contextmanager
def room(folder: Path, remark: str) -> Iterator[None]:
    """Tell of a full disk in one error while something is written into a folder.

    Raises
    ------
    OutOfRoom
        With ``remark``, a sentence on what becomes of what was written.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in durable.DISK_FULL:
            raise
        raise OutOfRoom(
            f"The disk that holds {folder} is full. {remark} Make room, and give the same command again."
        ) from error
