"""Whose turn it is: no host is asked for more files at a time than is polite."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from ecinstruct_build.fetching.failures import Stopped

Job = TypeVar("Job")

_GLANCE = 1.0
"""Seconds between two looks whether the work was called off."""


class Turns:
    """Lets so many at a host at a time."""

    def __init__(self, per_host: int) -> None:
        self._per_host = per_host
        self._busy: Counter[str] = Counter()
        self._change = threading.Condition()

    @contextmanager
    def at(self, host: str, stop: threading.Event) -> Iterator[None]:
        """Wait for a turn at a host, and keep it meanwhile.

        Raises
        ------
        Stopped
            If the work is called off.
        """
        with self._change:
            while self._busy[host] >= self._per_host:
                if stop.is_set():
                    raise Stopped
                self._change.wait(_GLANCE)
            self._busy[host] += 1
        try:
            yield
        finally:
            with self._change:
                self._busy[host] -= 1
                self._change.notify_all()

    def first_free(self, jobs: list[Job], host: Callable[[Job], str]) -> int:
        """Return the index of the first job whose host has a turn free; of the first where none has."""
        with self._change:
            for index, job in enumerate(jobs):
                if self._busy[host(job)] < self._per_host:
                    return index
        return 0
