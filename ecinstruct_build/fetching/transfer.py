"""One attempt at a file: ask one address for what is missing of it, and verify what comes while it comes."""

import re
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import NoReturn

import httpx2

from ecinstruct_build.fetching import lfs, space
from ecinstruct_build.fetching.failures import Broken, Refused, Stopped
from ecinstruct_build.fetching.http import Address, answer
from ecinstruct_build.fetching.meter import Meter
from ecinstruct_build.fetching.partial import Origin, Partial
from ecinstruct_build.fetching.settings import FetchSettings

_RANGE = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18}|\*)", re.ASCII)
_UNSATISFIED = re.compile(r"bytes \*/(\d{1,18})", re.ASCII)


@dataclass(frozen=True)
class Expected:
    """What the whole file must be: bytes and digest, where they are known."""

    size: int | None = None
    sha256: str | None = None

    def with_stated(self, size: int | None, sha256: str | None, by: str) -> "Expected":
        """Return it with what the keeper of the file states.

        Raises
        ------
        Refused
            If the two contradict each other.
        """
        if self.sha256 and sha256 and self.sha256 != sha256:
            raise Refused(f"{by} has a file of SHA-256 {sha256}, and {self.sha256} is expected")
        if self.size is not None and size is not None and self.size != size:
            raise Refused(f"{by} has a file of {size:,} bytes, and {self.size:,} are expected")
        return Expected(self.size if self.size is not None else size, self.sha256 or sha256)


@dataclass(frozen=True)
class Surroundings:
    """What all attempts share: the client, the settings, and whether the work is called off."""

    client: httpx2.Client
    settings: FetchSettings
    stop: threading.Event


class _Pace:
    """Sees to it that a body keeps coming: a few bytes now and then would never end."""

    def __init__(self, settings: FetchSettings) -> None:
        self._window, self._rate = settings.stall_timeout, settings.least_rate
        self._since, self._came = time.monotonic(), 0

    def keep(self, count: int) -> None:
        """Count bytes that came; raise `Broken` if too few came of late."""
        self._came += count
        passed = time.monotonic() - self._since
        if passed >= self._window:
            if self._came < passed * self._rate:
                raise Broken(f"it sent only {self._came:,} bytes in {passed:.0f} s")
            self._since, self._came = time.monotonic(), 0


class Mixed(Broken):
    """What came is not the file, but pieces, perhaps of different versions: whole, it may be."""


@dataclass
class Attempt:
    """One attempt.

    Attributes
    ----------
    address, identity
        Where to ask; what stands for it in the note of the partial file.
    file
        `Remote.file`.
    expected
        What the file must be.
    partial, meter
        Where the bytes go, and who is told of them.
    oid
        The Git LFS object that is asked for; "" = a plain file.
    """

    address: Address
    identity: str
    file: str
    expected: Expected
    partial: Partial
    meter: Meter
    oid: str = ""

    def run(self, around: Surroundings) -> None:
        """Bring the partial file to its end.

        Raises
        ------
        Refused, Broken, Pointer, Stopped
            See there.
        UserError
            If the disk has too little room.
        """
        partial = self.partial
        if not self._is_whole():
            with answer(around.client, self.address, self._continuing(), around.settings) as response:
                if response.status_code == 416:
                    self._end_is_reached(response)
                else:
                    self._take_in(response, around)
        self.meter.at(partial.length, partial.length)
        self._verify()
        partial.seal()

    def _is_whole(self) -> bool:
        """Say whether an earlier run got all of it, and was ended before it could put it in its place."""
        origin = self.partial.origin
        total = self.expected.size if origin is None or origin.total is None else origin.total
        return self.partial.length > 0 and self.partial.length == total and (self._is_ours() or self._has_digest())

    def _is_ours(self) -> bool:
        return self.partial.origin is not None and self.partial.origin.address == self.identity

    def _has_digest(self) -> bool:
        return self.expected.sha256 is not None

    def _continuing(self) -> Mapping[str, str]:
        """Return the headers that ask for what is missing; none where only the whole can be asked for.

        The part of another version of the file must not be added. A server that has our validator decides that; where
        it cannot, the digest of the whole will.
        """
        origin, length = self.partial.origin, self.partial.length
        if not length or origin is None:
            return {}
        ranged = {"Range": f"bytes={length}-"}
        strong = origin.etag if not origin.etag.startswith("W/") else ""
        validator = strong or origin.modified
        if self._is_ours() and validator:
            return ranged | {"If-Range": validator}
        return ranged if self._has_digest() else {}

    def _end_is_reached(self, response: httpx2.Response) -> None:
        """Judge an answer that there is nothing after the bytes that we have."""
        found = _UNSATISFIED.fullmatch(response.headers.get("Content-Range", ""))
        total = int(found[1]) if found else None
        if self.expected.size is not None and total is not None and total != self.expected.size:
            raise Refused(f"it has a file of {total:,} bytes, and {self.expected.size:,} are expected")
        origin = self.partial.origin
        ours = origin is not None and origin.address == self.identity and origin.total in (None, total)
        if total != self.partial.length or not (ours or self._has_digest()):
            self._start_over("it has no more bytes, and those that came are not the whole file")

    def _take_in(self, response: httpx2.Response, around: Surroundings) -> None:
        self._refuse_encoding(response)
        total = self._total(response) if response.status_code == 200 else self._continued_total(response)
        body = response.iter_raw()
        if response.status_code == 200:
            body = self._begin(response, total, body)
        space.require(self.partial.path.parent, (total or 0) - self.partial.length)
        self.meter.at(self.partial.length, total)
        limit = self.expected.size if self.expected.size is not None else total
        pace = _Pace(around.settings)
        for data in body:
            pace.keep(len(data))
            if around.stop.is_set():
                raise Stopped
            if limit is not None and self.partial.length + len(data) > limit:
                self.partial.clear()
                raise Refused(f"it sends more than the {limit:,} bytes that are expected")
            self.partial.write(data)
            self.meter.at(self.partial.length, total)
        whole = total if total is not None else self.expected.size
        framed = "Content-Length" in response.headers or "Transfer-Encoding" in response.headers
        if whole is not None and self.partial.length < whole and (total is not None or not framed):
            raise Broken(f"it ended after {self.partial.length:,} of {whole:,} bytes")

    def _refuse_encoding(self, response: httpx2.Response) -> None:
        """Refuse bytes that are not the file's own; some servers call a .gz file an encoding, which does no harm."""
        encoding = response.headers.get("Content-Encoding", "identity").strip().lower()
        ours = encoding in ("gzip", "x-gzip") and PurePosixPath(self.file).suffix in (".gz", ".tgz")
        if encoding not in ("", "identity") and not ours:
            raise Refused(f"it sends the file in the encoding {encoding[:40]!r}, though it was asked not to")
        kind = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        if kind == "text/html" and not self._has_digest() and not self.file.endswith((".html", ".htm")):
            raise Refused("it answers with a web page in place of the file, perhaps one to log in or to agree")

    def _total(self, response: httpx2.Response) -> int | None:
        length = response.headers.get("Content-Length", "")
        return int(length) if length.isdecimal() and "Transfer-Encoding" not in response.headers else None

    def _continued_total(self, response: httpx2.Response) -> int:
        """Return the bytes of the whole file that a partial answer states.

        Raises
        ------
        Broken
            If it is not the part that was asked for, or of another version: what came so far is thrown away.
        """
        partial = self.partial
        found = _RANGE.fullmatch(response.headers.get("Content-Range", "").strip())
        if found is None or found[3] == "*" or int(found[1]) != partial.length or not partial.length:
            self._start_over("it sent another part of the file than was asked for")
        total, origin = int(found[3]), partial.origin
        if self.expected.size is not None and total != self.expected.size:
            raise Refused(f"it has a file of {total:,} bytes, and {self.expected.size:,} are expected")
        etag = response.headers.get("ETag", "")
        changed = origin is not None and self._is_ours() and origin.etag and etag and origin.etag != etag
        if changed or (origin is not None and origin.total not in (None, total)):
            self._start_over("the file changed there while it was fetched")
        partial.mixed = True
        return total

    def _start_over(self, reason: str) -> NoReturn:
        self.partial.clear()
        raise Broken(f"{reason}: it must be fetched from its beginning")

    def _begin(self, response: httpx2.Response, total: int | None, body: Iterator[bytes]) -> Iterator[bytes]:
        """Begin the file anew with an answer that holds all of it; return its body."""
        if not self.oid:
            body = lfs.refuse_pointer(body, total)
        if self.expected.size is not None and total is not None and total != self.expected.size:
            raise Refused(f"it has a file of {total:,} bytes, and {self.expected.size:,} are expected")
        headers = response.headers
        self.partial.begin(
            Origin(self.identity, headers.get("ETag", ""), headers.get("Last-Modified", ""), total, self.oid)
        )
        return body

    def _verify(self) -> None:
        partial, expected = self.partial, self.expected
        mixed, length, digest = partial.mixed, partial.length, partial.sha256
        if expected.size is not None and length != expected.size:
            partial.clear()
            raise Refused(f"{expected.size:,} bytes are expected, and {length:,} came")
        if expected.sha256 is not None and digest != expected.sha256:
            partial.clear()
            reason = f"SHA-256 {expected.sha256} is expected, and {digest} came"
            raise Mixed(f"{reason}, in pieces that may be of different files") if mixed else Refused(reason)
