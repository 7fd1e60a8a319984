"""Take named files out of an archive from anywhere: nothing lands but these, where they belong, whole."""

import bz2
import gzip
import hashlib
import lzma
import os
import shutil
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

from ecinstruct_build import durable
from ecinstruct_build.errors import UserError
from ecinstruct_build.fetching import space
from ecinstruct_build.fetching.partial import room
from ecinstruct_build.fetching.settings import FetchSettings

_BLOCK = 1 << 20
_SLACK = 16 << 20
"""Bytes that even the smallest archive may unpack to."""

_BETWEEN = 4 << 20
"""Bytes that may stand in a tar file between two members, such as long names; and after the last one."""

_NAMED = 8
_DAMAGE = (
    zipfile.BadZipFile,
    tarfile.TarError,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    gzip.BadGzipFile,
    struct.error,
    UnicodeError,
    NotImplementedError,
    ValueError,
)


@dataclass(frozen=True)
class Unpacked:
    """A file that came out of an archive: path below the corpus's folder, bytes, digest."""

    path: str
    size: int
    sha256: str


class Damaged(UserError):  # noqa: N818
    """An archive is not whole, or none at all."""


class _Unfit(Exception):  # noqa: N818
    """Why an archive is not unpacked."""


def is_below(path: str) -> bool:
    """Say whether a path with ``/`` stays below the folder that it is taken from."""
    parts = path.replace("\\", "/").split("/")
    return (
        bool(path)
        and not path.startswith(("/", "\\"))
        and ".." not in parts
        and ":" not in parts[0]
        and "\0" not in path
    )


def unpack(  # noqa: PLR0917
    archive: Path, label: str, holds: Sequence[tuple[str, str]], folder: Path, scratch: Path, settings: FetchSettings
) -> tuple[Unpacked, ...]:
    """Unpack members of a zip or tar archive, all of them or none.

    Parameters
    ----------
    archive
        A zip file, or a tar file that may be compressed with gzip, bzip2 or xz; its name does not matter.
    label
        How messages name it.
    holds
        Pairs of a member's name and the path to put it at, below ``folder`` (see `is_below`).
    scratch
        A folder on the same disk, for what is not whole yet; it is removed.
    settings
        How much it may unpack to.

    Raises
    ------
    Damaged
        If it cannot be read.
    UserError
        If it lacks a member, or holds what no upstream archive should: members that would land outside the folder,
        links or devices or two files under a member's name, encrypted ones, more bytes than are reasonable.
    """
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    try:
        found = _members(archive, [member for member, _ in holds], folder, scratch, settings)
        taken = []
        for member, path in holds:
            place = folder / path
            place.parent.mkdir(parents=True, exist_ok=True)
            size, sha256, at = found[member]
            at.replace(place)
            durable.sync(place.parent)
            taken.append(Unpacked(path, size, sha256))
    except _Unfit as error:
        raise UserError(f"{label} is not unpacked: {error}.") from error
    except _DAMAGE as error:
        raise Damaged(
            f"{label} is not unpacked: the archive is damaged, or of a kind that is not known ({error}). Zip and tar "
            "(plain, gzip, bzip2, xz) are."
        ) from error
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return tuple(taken)


_Taken = tuple[int, str, Path]
"""Bytes, digest, and where a member waits to be put in its place."""


def _members(
    archive: Path, wanted: Sequence[str], folder: Path, scratch: Path, settings: FetchSettings
) -> Mapping[str, _Taken]:
    with archive.open("rb") as handle:
        start = handle.read(6)
    limit = min(settings.most_unpacked, archive.stat().st_size * settings.ratio + _SLACK)
    if start.startswith(b"PK"):
        found, names = _from_zip(archive, wanted, folder, scratch, limit)
    else:
        with _decompressed(archive, start) as plain:
            found, names = _from_tar(_Bounded(plain), wanted, folder, scratch, limit)
    missing = [member for member in wanted if member not in found]
    if missing:
        there = ", ".join(names[:_NAMED]) + (f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else "")
        raise _Unfit(f"it has no member {missing[0]!r}; there are {there or 'no files at all'}")
    return found


def _from_zip(
    archive: Path, wanted: Sequence[str], folder: Path, scratch: Path, limit: int
) -> tuple[dict[str, _Taken], list[str]]:
    found: dict[str, _Taken] = {}
    with zipfile.ZipFile(archive) as opened:
        members = [(_plain(member.filename), member) for member in opened.infolist() if not member.is_dir()]
        names = [name for name, _ in members]
        taken = [(name, member) for name, member in members if name in wanted]
        _refuse_repeats(name for name, _ in taken)
        for name, member in taken:
            mode = member.external_attr >> 16
            if stat.S_IFMT(mode) not in (0, stat.S_IFREG):
                raise _Unfit(f"its member {name!r} is a link or a device, and no file")
            if member.flag_bits & 0x1:
                raise _Unfit(f"its member {name!r} is encrypted")
        total = sum(member.file_size for _, member in taken)
        _refuse_bomb(total, limit)
        space.require(folder, total)
        for name, member in taken:
            with opened.open(member) as data:
                found[name] = _copy(data, member.file_size, name, scratch / str(len(found)))
    return found, names


def _from_tar(
    plain: "_Bounded", wanted: Sequence[str], folder: Path, scratch: Path, limit: int
) -> tuple[dict[str, _Taken], list[str]]:
    found: dict[str, _Taken] = {}
    names, total = [], 0
    with tarfile.open(fileobj=cast("IO[bytes]", plain), mode="r|", bufsize=_BLOCK) as opened:
        while (member := opened.next()) is not None:
            cast("Any", opened).members.clear()  # of millions of members, tarfile would keep every one
            total += member.size
            _refuse_bomb(total, limit)
            plain.end = member.offset_data + member.size + _BETWEEN
            name = _plain(member.name)
            if not member.isdir():
                names.append(name)
            if name not in wanted:
                continue
            _refuse_repeats([*found, name])
            data = opened.extractfile(member) if member.isreg() and not member.issparse() else None
            if data is None:
                raise _Unfit(f"its member {name!r} is a link or a device, and no file")
            space.require(folder, member.size)
            found[name] = _copy(data, member.size, name, scratch / str(len(found)))
    while plain.read(_BLOCK):
        pass
    return found, names


def _plain(name: str) -> str:
    """Return a member's name as `Remote.holds` writes it."""
    if not is_below(name):
        raise _Unfit(f"its member {name[:200]!r} would land outside the folder")
    return name.removeprefix("./")


def _refuse_repeats(names: Iterable[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise _Unfit(f"it holds two members of the name {name!r}")
        seen.add(name)


def _refuse_bomb(total: int, limit: int) -> None:
    if total > limit:
        raise _Unfit(
            f"it would unpack to {space.in_units(total)} or more, and {space.in_units(limit)} are the most that an "
            "archive of its size is trusted with"
        )


def _copy(data: IO[bytes], size: int, name: str, to: Path) -> _Taken:
    digest, length = hashlib.sha256(), 0
    with room(to.parent, "The archive stays."), to.open("wb") as handle:
        while block := data.read(_BLOCK):
            length += len(block)
            if length > size:
                break
            digest.update(block)
            handle.write(block)
        handle.flush()
        os.fsync(handle.fileno())
    if length != size:
        raise EOFError(f"its member {name!r} should have {size:,} bytes")
    return length, digest.hexdigest(), to


@contextmanager
def _decompressed(archive: Path, start: bytes) -> Iterator[Any]:
    openers = {b"\x1f\x8b": gzip.open, b"BZh": bz2.open, b"\xfd7zXZ\x00": lzma.open}
    opener = next((opener for magic, opener in openers.items() if start.startswith(magic)), open)
    with opener(archive, "rb") as handle:  # type: ignore[operator]
        yield handle


class _Bounded:
    """Reads a stream up to ``end``, which is moved on as its content proves to be reasonable."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self._position = 0
        self.end = _BETWEEN

    def read(self, size: int) -> bytes:
        """Read so many bytes, or as many as there are."""
        data = cast("bytes", self._stream.read(size))
        self._position += len(data)
        if self._position > self.end + size:
            raise _Unfit("there is more between two of its members, or after the last, than belongs there")
        return data
