"""Help for adapters to list their upstream files: addresses at several mirrors, and what is known of each file."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import NamedTuple

from ecinstruct_build.packaged import packaged_folder
from ecinstruct_build.source import Remote


class Known(NamedTuple):
    """What is known of an upstream file: bytes and SHA-256, each None where nobody states it."""

    size: int | None = None
    sha256: str | None = None


@cache
def known_files(source: str) -> Mapping[str, Known]:
    """Return what is known of a source's upstream files, by path: ``sources/digests/<source>.tsv``.

    The table's columns are ``sha256``, ``bytes`` (either may be empty) and ``file``. A source without a table has none.
    """
    path = packaged_folder("sources") / "digests" / f"{source}.tsv"
    if not path.is_file():
        return {}
    _, *rows = (line.split("\t") for line in path.read_text(encoding="utf-8").splitlines())
    return {file: Known(int(size) if size else None, sha256 or None) for sha256, size, file in rows}


def remote_table(
    source: str, files: Sequence[str], mirrors: Sequence[str], *, alternative: bool = False, steps: str = ""
) -> tuple[Remote, ...]:
    """Return remotes for files that every mirror holds under the same path.

    Parameters
    ----------
    source
        Name of the source, whose table of digests is looked into.
    files
        Paths below each mirror's address, and below the corpus's folder.
    mirrors
        Addresses that end in ``/``, the first choice first; none where a person must get the files.
    alternative, steps
        As in `Remote`.
    """
    known = known_files(source)
    return tuple(
        Remote(
            file,
            tuple(f"{mirror}{file}" for mirror in mirrors),
            *known.get(file, Known()),
            alternative=alternative,
            steps=steps,
        )
        for file in files
    )
