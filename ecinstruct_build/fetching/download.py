"""Get upstream files onto disk: several at once, whole, verified, and in such a way that a broken run goes on."""

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue

from filelock import FileLock, Timeout

from ecinstruct_build.errors import UserError
from ecinstruct_build.fetching import mirror, space
from ecinstruct_build.fetching.failures import Stopped
from ecinstruct_build.fetching.http import open_client
from ecinstruct_build.fetching.meter import Meter, Total
from ecinstruct_build.fetching.partial import OutOfRoom, Partial, open_partial, places
from ecinstruct_build.fetching.settings import FetchSettings
from ecinstruct_build.fetching.transfer import Expected, Surroundings
from ecinstruct_build.fetching.turns import Turn, Turns
from ecinstruct_build.fetching.unpack import Damaged, Unpacked, is_below, unpack
from ecinstruct_build.file_digests import digest_of
from ecinstruct_build.progress import Advance, Progress
from ecinstruct_build.source import Remote

__all__ = ["Fetched", "Unpacked", "Wanted", "fetch_all"]

_GLANCE = 0.5
"""Seconds between two looks at what another process holds."""

_FAREWELL = 1.0
"""Seconds that the threads are waited for when the work is called off."""


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

    @property
    def label(self) -> str:
        """How messages name it."""
        return f"{self.source}/{self.remote.file}"

    @property
    def expected(self) -> Expected:
        """What is known of it, from whom ever."""
        remote = self.remote
        return Expected(remote.size if self.size is None else self.size, self.sha256 or remote.sha256)


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
    settings = settings or FetchSettings()
    _refuse_places(wanted)
    space.require_all(_to_come(wanted))
    stop = threading.Event()
    results: SimpleQueue[Fetched | BaseException] = SimpleQueue()
    with open_client(settings) as client, ExitStack() as stack:
        around = Surroundings(client, settings, stop)
        total = Total(stack.enter_context(_track_all(wanted, progress)))
        fetcher = _Fetcher(list(wanted), around, progress, total, results)
        # Daemons: whoever interrupts the program does not wait for a server that says nothing.
        threads = [
            threading.Thread(target=fetcher.work, name="fetch", daemon=True)
            for _ in range(min(max(1, parallel), len(wanted)))
        ]
        for thread in threads:
            thread.start()
        try:
            yield from _results(results, len(wanted))
        finally:
            fetcher.call_off()
            deadline = time.monotonic() + _FAREWELL
            for thread in threads:
                thread.join(max(0.0, deadline - time.monotonic()))
            for folder in sorted({one.folder for one in wanted}):
                with suppress(OSError):
                    places(folder, "").lock.parent.rmdir()


def _refuse_places(wanted: Sequence[Wanted]) -> None:
    taken: set[Path] = set()
    for one in wanted:
        for path in (one.remote.file, *one.remote.yields):
            if not is_below(path):
                raise UserError(f"{one.label}: {path!r} is no path below the corpus's folder. Mend its remote.")
        place = one.folder / one.remote.file
        if place in taken:
            raise UserError(f"{one.label} is asked for twice. Name it once.")
        taken.add(place)


def _to_come(wanted: Sequence[Wanted]) -> dict[Path, int]:
    """Return the bytes that each folder is still to get, as far as sizes are known."""
    sizes: dict[Path, int] = {}
    for one in wanted:
        size, place, partial = (
            one.expected.size,
            one.folder / one.remote.file,
            places(one.folder, one.remote.file).bytes,
        )
        if size is not None and not (place.is_file() and place.stat().st_size == size):
            there = partial.stat().st_size if partial.is_file() else 0
            sizes[one.folder] = sizes.get(one.folder, 0) + max(0, size - there)
    return sizes


@contextmanager
def _track_all(wanted: Sequence[Wanted], progress: Progress) -> Iterator[Advance]:
    if len(wanted) < 2:
        yield lambda _count: None
        return
    sizes = [one.expected.size for one in wanted]
    total = None if None in sizes else sum(size or 0 for size in sizes)
    with progress.track(f"fetch {len(wanted)} files", total, of_bytes=True) as advance:
        yield advance


def _results(results: "SimpleQueue[Fetched | BaseException]", count: int) -> Iterator[Fetched]:
    """Yield what is fetched; raise what keeps all from going on at once, and the rest at the end."""
    failed = []
    for _ in range(count):
        result = results.get()
        if isinstance(result, Fetched):
            yield result
        elif isinstance(result, UserError) and not isinstance(result, OutOfRoom):
            failed.append(str(result))
        else:
            raise result
    if failed:
        raise UserError(" ".join(sorted(failed)))


class _Fetcher:
    """Fetches files one by one; several threads share it."""

    def __init__(
        self,
        pending: list[Wanted],
        around: Surroundings,
        progress: Progress,
        total: Total,
        results: "SimpleQueue[Fetched | BaseException]",
    ) -> None:
        self._pending, self._around, self._progress = pending, around, progress
        self._total, self._results = total, results
        self._turns = Turns(around.settings.per_host, around.stop)

    def work(self) -> None:
        """Fetch what is pending, until nothing is."""
        while (taken := self._turns.take(self._pending, _first_host)) is not None:
            one, turn = taken
            try:
                with turn:
                    result = self._fetch(one, turn)
            except OSError as error:
                self._results.put(UserError(f"{one.label} could not be written: {error.strerror} ({error.filename})."))
            except BaseException as error:  # noqa: BLE001 - it is raised where the results are read
                self._results.put(error)
            else:
                self._results.put(result)

    def call_off(self) -> None:
        """Keep all threads from going on."""
        self._turns.call_off()

    def _fetch(self, one: Wanted, turn: Turn) -> Fetched:
        remote, place = one.remote, one.folder / one.remote.file
        if not remote.urls:
            raise UserError(f"{one.label} must be fetched by a person. {remote.steps}".rstrip())
        with self._held(one) as waited:
            there = _standing(place, one.expected, trusted=waited)
            if there is not None:
                return Fetched(one.source, remote.file, "", *there, self._unpack(one, place))
            with (
                open_partial(places(one.folder, remote.file)) as partial,
                Meter(f"fetch {one.label}", self._progress, self._total) as meter,
            ):
                url = mirror.get(one.label, remote, one.expected, partial, meter, self._around, turn)
                try:
                    unpacked = self._unpack(one, partial.path)
                except Damaged:
                    partial.clear()
                    raise
                self._put_in_place(one, partial, place)
                return Fetched(one.source, remote.file, url, partial.length, partial.sha256, unpacked)

    @contextmanager
    def _held(self, one: Wanted) -> Iterator[bool]:
        """Keep other processes from fetching the same file; offer whether one did until now."""
        path, waited = places(one.folder, one.remote.file).lock, False
        lock = FileLock(path)
        while True:
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                lock.acquire(timeout=_GLANCE)
                break
            except FileNotFoundError:
                continue  # another process, being finished, just removed the folder
            except Timeout:
                if self._around.stop.is_set():
                    raise Stopped from None
                if not waited:
                    self._progress.note(f"{one.label} is being fetched by another process; waiting for it.")
                waited = True
        try:
            yield waited
        finally:
            path.unlink(missing_ok=True)
            lock.release()

    def _unpack(self, one: Wanted, archive: Path) -> tuple[Unpacked, ...]:
        if not one.remote.holds:
            return ()
        scratch = places(one.folder, one.remote.file).unpacked
        return unpack(archive, one.label, one.remote.holds, one.folder, scratch, self._around.settings)

    def _put_in_place(self, one: Wanted, partial: Partial, place: Path) -> None:
        if one.remote.holds and not self._around.settings.keep_archives:
            partial.remove()
            return
        place.parent.mkdir(parents=True, exist_ok=True)
        partial.move(place)


def _first_host(one: Wanted) -> str:
    return mirror.host_of(one.remote.urls[0]) if one.remote.urls else ""


def _standing(place: Path, expected: Expected, *, trusted: bool) -> tuple[int, str] | None:
    """Return bytes and digest of a file that is in its place already, or None if it is not, or not the right one.

    Where its digest is not known, it is the right one if another process has just fetched it.
    """
    if not place.is_file() or (expected.sha256 is None and not trusted):
        return None
    size = place.stat().st_size
    if expected.size not in (None, size):
        return None
    sha256 = digest_of(place)
    return (size, sha256) if expected.sha256 in (None, sha256) else None
