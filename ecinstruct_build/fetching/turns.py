"""Whose turn it is: no host is asked for more files at a time than is polite."""

import threading
from collections import Counter
from collections.abc import Callable
from types import TracebackType
from typing import Self, TypeVar

from ecinstruct_build.fetching.failures import Stopped

Job = TypeVar("Job")

_GLANCE = 1.0
"""Seconds between two looks whether the work was called off."""


class Turns:
    """Lets so many at a host at a time."""

    def __init__(self, per_host: int, stop: threading.Event) -> None:
        self._per_host, self._stop = per_host, stop
        self._busy: Counter[str] = Counter()
        self._change = threading.Condition()

    def take(self, jobs: list[Job], host: Callable[[Job], str]) -> "tuple[Job, Turn] | None":
        """Take the first job out of a list whose host has a turn free, and that turn; wait until there is one.

        Returns None once no job is left, or the work is called off.
        """
        with self._change:
            while jobs and not self._stop.is_set():
                for index, job in enumerate(jobs):
                    if self._busy[host(job)] < self._per_host:
                        self._busy[host(job)] += 1
                        return jobs.pop(index), Turn(self, host(job))
                self._change.wait(_GLANCE)
        return None

    def enter(self, host: str) -> None:
        """Wait for a turn at a host.

        Raises
        ------
        Stopped
            If the work is called off.
        """
        with self._change:
            while self._busy[host] >= self._per_host:
                if self._stop.is_set():
                    raise Stopped
                self._change.wait(_GLANCE)
            self._busy[host] += 1

    def leave(self, host: str) -> None:
        """Give a turn back."""
        with self._change:
            self._busy[host] -= 1
            self._change.notify_all()

    def call_off(self) -> None:
        """Call the work off."""
        self._stop.set()
        with self._change:
            self._change.notify_all()


class Turn:
    """A turn at one host, which may be given back for one at another."""

    def __init__(self, turns: Turns, host: str) -> None:
        self._turns = turns
        self._host: str | None = host

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._host is not None:
            self._turns.leave(self._host)

    def move(self, host: str) -> None:
        """Give the turn back, and wait for one at another host.

        Raises
        ------
        Stopped
            If the work is called off.
        """
        if host == self._host or self._host is None:
            return
        self._turns.leave(self._host)
        self._host = None
        self._turns.enter(host)
        self._host = host
