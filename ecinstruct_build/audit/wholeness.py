"""Whether all shards of a dataset are there: what an audit does not read, it cannot vouch for."""

import re
from collections.abc import Collection, Iterator, Sequence
from itertools import islice
from pathlib import Path

from ecinstruct_build.errors import UserError

CHECKSUMS = "shards.sha256"
"""The list of a dataset's shards, in the form that ``sha256sum --check`` reads."""

_NUMBERED = re.compile(r"(.+)-(\d{5,})-of-(\d{5,})(\.\w+)")
_SHOWN = 3


def refuse_missing(root: Path, files: Sequence[Path]) -> None:
    """Refuse a dataset without some of its shards.

    Parameters
    ----------
    root
        The folder of the dataset; a file is whole.
    files
        Its shards.

    Raises
    ------
    UserError
        If `CHECKSUMS` lists a shard that is not there, or shards numbered ``00001-of-00003`` are not all there.
    """
    if not root.is_dir():
        return
    there = {file.relative_to(root).as_posix() for file in files}
    missing = sorted({*_listed(root / CHECKSUMS), *_first_gaps(there)} - there)
    if missing:
        raise UserError(
            f"The dataset in {root} is not whole, so it cannot be audited. Missing: {', '.join(missing[:_SHOWN])}"
            f"{' and more' if len(missing) > _SHOWN else ''}. Fetch or build it again."
        )


def _listed(checksums: Path) -> Iterator[str]:
    """Yield the shards that the list names; of a line that is none of a list, nothing."""
    if checksums.is_file():
        for line in checksums.read_text(encoding="utf-8", errors="replace").splitlines():
            _, separator, path = line.partition("  ")
            if separator:
                yield path


def _first_gaps(names: Collection[str]) -> Iterator[str]:
    """Yield a few names for each series of numbered shards that has gaps; a name may claim any number of others."""
    series = {(match[1], match[3], match[4]) for name in names if (match := _NUMBERED.fullmatch(name))}
    for stem, total, suffix in series:
        whole = (f"{stem}-{number:0{len(total)}d}-of-{total}{suffix}" for number in range(int(total)))
        yield from islice((name for name in whole if name not in names), _SHOWN + 1)
