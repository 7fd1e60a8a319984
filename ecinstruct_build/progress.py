"""How long work tells of itself: a stage opens a track and advances it; who listens decides what to show."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

Advance = Callable[[int], None]


class Progress(Protocol):
    """Someone who listens to a build."""

    def track(self, label: str, total: int | None = None, *, of_bytes: bool = False) -> AbstractContextManager[Advance]:
        """Open a piece of work of ``total`` steps (None = unknown); the value advances it by so many steps.

        Where steps are bytes that come from afar, their rate and the time that is left are worth telling.
        """

    def note(self, message: str) -> None:
        """Tell something worth knowing, such as a quota that cannot be met."""


class Silence:
    """Listens to nothing."""

    @contextmanager
    def track(self, label: str, total: int | None = None, *, of_bytes: bool = False) -> Iterator[Advance]:  # noqa: ARG002
        """Show nothing."""
        yield lambda _steps: None

    def note(self, message: str) -> None:
        """Say nothing."""
