"""Get one file: its addresses in order, each with patience, until it is there whole."""

from urllib.parse import urlsplit

from ecinstruct_build.errors import UserError
from ecinstruct_build.fetching import hub, lfs
from ecinstruct_build.fetching.failures import Broken, Pointer, Refused, Stopped, shown
from ecinstruct_build.fetching.http import Address
from ecinstruct_build.fetching.meter import Meter
from ecinstruct_build.fetching.partial import Origin, Partial, identity
from ecinstruct_build.fetching.settings import FetchSettings
from ecinstruct_build.fetching.transfer import Attempt, Expected, Mixed, Surroundings
from ecinstruct_build.fetching.turns import Turn
from ecinstruct_build.source import Remote

_PROGRESS = 1 << 20
"""Bytes that count as progress: who gets so many more has reason to go on."""


def host_of(url: str) -> str:
    """Return the host that an address is asked of."""
    return urlsplit(hub.endpoint() if url.startswith(hub.PREFIX) else url).netloc.rpartition("@")[2]


def get(  # noqa: PLR0917
    label: str,
    remote: Remote,
    expected: Expected,
    partial: Partial,
    meter: Meter,
    around: Surroundings,
    turn: Turn,
) -> str:
    """Bring a partial file to its end from the first address that can, and return that address.

    Raises
    ------
    UserError
        If no address can; it says what became of each.
    """
    told = []
    for url in remote.urls:
        try:
            turn.move(host_of(url))
            _Mirror(url, remote.file, expected, partial, meter, around).get()
        except Refused as error:
            told.append(f"{shown(url)}: {error}")
        else:
            return url
    kept = f" The {partial.length:,} bytes that came stay for the next run." if partial.length else ""
    raise UserError(f"{label} could not be fetched. {'; '.join(told)}.{kept}")


class _Mirror:
    """One address, asked until it gave the file or is given up."""

    def __init__(  # noqa: PLR0917
        self, url: str, file: str, expected: Expected, partial: Partial, meter: Meter, around: Surroundings
    ) -> None:
        self._url, self._file, self._partial, self._meter, self._around = url, file, partial, meter, around
        self._expected = expected
        self._identity = identity(url)
        self._mixed = False
        self._pointer = self._noted = _pointer_of(partial.origin, self._identity)

    def get(self) -> None:
        """Bring the partial file to its end; raise `Refused` where that cannot be."""
        failures, furthest = 0, self._partial.length
        while True:
            try:
                return self._attempt().run(self._around)
            except Pointer as pointer:
                if self._pointer is not None:
                    raise Refused("Git LFS pointers come in place of the file") from None
                self._pointer = pointer
            except Refused:
                if self._noted is None:
                    raise
                self._pointer = self._noted = None  # what an earlier run was told may hold no longer
            except Broken as error:
                if self._partial.length >= furthest + _PROGRESS:
                    failures = 0
                furthest = max(furthest, self._partial.length)
                failures += 1
                self._bear(error, failures)

    def _attempt(self) -> Attempt:
        if self._around.stop.is_set():
            raise Stopped
        address = self._address()
        expected = self._expected.with_stated(address.size, address.sha256, "it")
        oid = self._pointer.oid if self._pointer else ""
        return Attempt(address, self._identity, self._file, expected, self._partial, self._meter, oid)

    def _address(self) -> Address:
        settings = self._around.settings
        if self._pointer is not None:
            self._expected.with_stated(self._pointer.size, self._pointer.oid, "its Git LFS pointer")
            repository = lfs.repository_of(self._url)
            if repository is None:
                raise Refused("a Git LFS pointer came, and the address does not tell of which repository it is")
            return lfs.address_of(self._around.client, repository, self._pointer, settings)
        return hub.address_of(self._url, settings) if self._url.startswith(hub.PREFIX) else Address(self._url)

    def _bear(self, error: Broken, failures: int) -> None:
        """Wait before the next try, or give the address up."""
        settings = self._around.settings
        most = settings.retries if error.retries is None else min(error.retries, settings.retries)
        twice = isinstance(error, Mixed) and self._mixed
        self._mixed = self._mixed or isinstance(error, Mixed)
        if failures > most or twice:
            raise Refused(f"{error}, {failures} times running" if failures > 1 else str(error)) from error
        settings.wait(self._around.stop, wait_before(failures, error.wait, settings))


def _pointer_of(origin: Origin | None, address: str) -> Pointer | None:
    """Return the pointer that an earlier run met at an address."""
    if origin is None or not origin.oid or origin.address != address or origin.total is None:
        return None
    return Pointer(origin.oid, origin.total)


def wait_before(failures: int, asked: float | None, settings: FetchSettings) -> float:
    """Return the seconds to wait after so many failures one after another; a server may ask for more."""
    own = min(settings.first_wait * 2.0 ** min(failures - 1, 30), settings.longest_wait)
    return own if asked is None else max(own, asked)
