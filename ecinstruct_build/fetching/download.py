"""Get upstream files onto disk: several at once, whole, verified, and in such a way that a broken run goes on."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ecinstruct_build.fetching.settings import FetchSettings
from ecinstruct_build.progress import Progress
from ecinstruct_build.source import Remote


@dataclass(frozen=True)
class Wanted:
    """An upstream file to get.

    Attributes
    ----------
    source
        Adapter name.
    remote
        Where it can be had, and what to unpack from it.
    folder
        The corpus's folder (``<raw>/<source>``); made if it is not there.
    size, sha256
        Bytes and digest that it must have, as the remote or the lock states them; None = unknown.
    """

    source: str
    remote: Remote
    folder: Path
    size: int | None = None
    sha256: str | None = None


@dataclass(frozen=True)
class Unpacked:
    """A file that came out of an archive: path below the corpus's folder, bytes, digest."""

    path: str
    size: int
    sha256: str


@dataclass(frozen=True)
class Fetched:
    """An upstream file that was got and verified.

    Attributes
    ----------
    source, file
        Adapter name; `Remote.file`.
    url
        The address, as the remote names it, that served it; "" if it was there already.
    size, sha256
        Bytes and digest of the file, or of the archive.
    unpacked
        The files that the archive held, in the order of `Remote.holds`; empty for a file that is none.
    """

    source: str
    file: str
    url: str
    size: int
    sha256: str
    unpacked: tuple[Unpacked, ...] = ()


def fetch_all(
    wanted: Sequence[Wanted], *, progress: Progress, parallel: int = 4, settings: FetchSettings | None = None
) -> Iterator[Fetched]:
    """Get files, and yield each when it stands in its place.

    A file that stands there already with the digest that is wanted is not got again. One that cannot be got does not
    keep the others from being got: the error is raised after them.

    Parameters
    ----------
    wanted
        The files; no two of them may have the same place.
    progress
        Is told of each file's bytes.
    parallel
        Files at a time.
    settings
        How long to wait, how often to try again.

    Raises
    ------
    UserError
        If the disk has too little room, or some file cannot be had from any of its addresses.
    """
    raise NotImplementedError
