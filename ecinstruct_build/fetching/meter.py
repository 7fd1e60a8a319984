"""How far a file has come, told to who listens."""

import threading
from contextlib import ExitStack
from types import TracebackType
from typing import Self

from ecinstruct_build.progress import Advance, Progress


class Total:
    """The bytes of all files together; several threads tell of theirs."""

    def __init__(self, advance: Advance) -> None:
        self._advance = advance
        self._lock = threading.Lock()

    def add(self, count: int) -> None:
        """Tell of so many bytes more; fewer than none where a file begins anew."""
        with self._lock:
            self._advance(count)


class Meter:
    """The bytes of one file; it opens its track when the first are told of, for then their total is known."""

    def __init__(self, label: str, progress: Progress, total: Total) -> None:
        self._label, self._progress, self._all = label, progress, total
        self._stack = ExitStack()
        self._advance: Advance | None = None
        self._position = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.__exit__(kind, error, trace)

    def at(self, position: int, total: int | None) -> None:
        """Tell how many bytes are there, of how many in all."""
        if self._advance is None:
            self._advance = self._stack.enter_context(self._progress.track(self._label, total, of_bytes=True))
        if position != self._position:
            self._advance(position - self._position)
            self._all.add(position - self._position)
            self._position = position
