"""What the tests of fetching share: files to fetch, patience for tests, and a listener that keeps what it is told."""

import hashlib
import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ecinstruct_build.fetching.download import Fetched, Wanted, fetch_all
from ecinstruct_build.fetching.partial import HIDDEN
from ecinstruct_build.fetching.settings import FetchSettings
from ecinstruct_build.progress import Advance
from ecinstruct_build.source import Remote

HURRIED = FetchSettings(retries=3, first_wait=0.0, longest_wait=0.0, connect_timeout=5.0, stall_timeout=5.0)


def noise(size: int, seed: int = 1) -> bytes:
    """Return bytes that no one would take for others."""
    return random.Random(seed).randbytes(size)


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def wanted(folder: Path, *urls: str, file: str = "data.json.gz", of: bytes | None = None, **known: Any) -> Wanted:
    """Return a file to fetch; ``of`` = the bytes whose size and digest are expected."""
    size, digest = (None, None) if of is None else (len(of), sha256(of))
    return Wanted("shop", Remote(file, urls, **known), folder, size, digest)


def fetch(*files: Wanted, settings: FetchSettings = HURRIED, progress: Any = None, parallel: int = 4) -> list[Fetched]:
    return list(fetch_all(files, progress=progress or Listener(), parallel=parallel, settings=settings))


def left_over(folder: Path) -> list[str]:
    """Return the names of what is not whole yet."""
    hidden = folder / HIDDEN
    return sorted(path.name for path in hidden.iterdir()) if hidden.is_dir() else []


class Listener:
    """Keeps what it is told: notes, and of each track its total and how far it came."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.totals: dict[str, int | None] = {}
        self.reached: dict[str, int] = {}

    @contextmanager
    def track(self, label: str, total: int | None = None, *, of_bytes: bool = False) -> Iterator[Advance]:
        self.totals[label] = total
        self.reached[label] = 0

        def advance(steps: int) -> None:
            self.reached[label] += steps

        yield advance

    def note(self, message: str) -> None:
        self.notes.append(message)
