"""Text files that know how many lines they hold, plain or gzipped, the same bytes every time."""

from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

from isal import igzip

_LEVEL = 1  # two to three times the speed of level 2 for a fifth more bytes


class LineFile:
    """A file being written line by line.

    Attributes
    ----------
    lines
        Lines written so far.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.lines = 0
        self._raw: BinaryIO = path.open("wb")
        # No name and no time in the gzip header: the bytes depend on the content alone.
        zipped = path.suffix == ".gz"
        self._file: Any = self._raw
        if zipped:
            self._file = igzip.IGzipFile("", "wb", _LEVEL, fileobj=self._raw, mtime=0)  # type: ignore[no-untyped-call]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not self._raw:
            self._file.close()
        self._raw.close()

    def write(self, lines: Iterable[bytes]) -> None:
        """Append lines, each given without its newline."""
        block = list(lines)
        if block:
            self._file.write(b"\n".join(block) + b"\n")
            self.lines += len(block)
