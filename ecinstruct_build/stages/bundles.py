"""Which upstream files are ingested together: a file is a stage of its own, unless it is one of many small ones."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from pathlib import Path

_SMALL = 4 << 20  # bytes, decompressed, of a file that is not worth a stage of its own
_BUNDLE = 16 << 20  # of a bundle: about a block, which is what a worker takes at a time
_FEW = 32  # so many small files of a source are left to stages of their own, which can be reused one by one
_SHRUNK = 4  # how many times larger a compressed file is, at a guess, once it is decompressed
_COMPRESSED = (".gz", ".parquet")


@dataclass(frozen=True)
class Unit:
    """Files of one source that are ingested as one stage.

    Attributes
    ----------
    source
        Adapter name.
    files
        Paths relative to the corpus's folder; one, or several small ones.
    """

    source: str
    files: tuple[str, ...]

    @property
    def name(self) -> str:
        """What the stage is called."""
        others = len(self.files) - 1
        return f"{self.source}/{self.files[0]}" + (f" and {others} more" if others else "")


def units_of(files: Iterable[tuple[str, str]], raw: Path) -> list[Unit]:
    """Cut (source, file) pairs, sorted, into units; where one ends depends on the files' names and sizes alone."""
    units = []
    for source, pairs in groupby(files, key=itemgetter(0)):
        weights = {file: _weight(raw / source / file) for _, file in pairs}
        small = [file for file, weight in weights.items() if weight <= _SMALL]
        if len(small) <= _FEW:
            small = []
        bundled = set(small)
        units += [Unit(source, (file,)) for file in weights if file not in bundled]
        units += [Unit(source, files) for files in _bundles(small, weights)]
    return units


def _bundles(small: Sequence[str], weights: Mapping[str, int]) -> Iterator[tuple[str, ...]]:
    bundle: list[str] = []
    held = 0
    for file in small:
        if bundle and held + weights[file] > _BUNDLE:
            yield tuple(bundle)
            bundle, held = [], 0
        bundle.append(file)
        held += weights[file]
    if bundle:
        yield tuple(bundle)


def _weight(path: Path) -> int:
    return path.stat().st_size * (_SHRUNK if path.suffix in _COMPRESSED else 1)
