"""The fault table: what a server may do wrong, and what comes of it."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from fault_server import FaultServer, Reply, serving
from fetch_world import HURRIED, fetch, left_over, noise, wanted

from ecinstruct_build.errors import UserError

DATA = noise(200_000)
OTHER = noise(200_000, seed=2)
GOOD = Reply(DATA)
HALF = 100_000


@dataclass(frozen=True)
class Case:
    """A fault.

    Attributes
    ----------
    first
        The script of the first mirror.
    second
        The script of the second mirror; empty = there is none.
    error
        What the error says; "" = the right bytes come.
    asked
        How often the first mirror is asked.
    known
        Whether size and digest are known beforehand.
    kept
        Whether what came stays for another run.
    """

    first: tuple[Reply, ...]
    second: tuple[Reply, ...] = ()
    error: str = ""
    asked: int = 1
    known: bool = True
    kept: bool = False


TABLE = {
    "no fault": Case((GOOD,)),
    "no fault, nothing known": Case((GOOD,), known=False),
    "cut once": Case((Reply(DATA, cut=HALF), GOOD), asked=2),
    "cut once, nothing known": Case((Reply(DATA, cut=HALF), GOOD), asked=2, known=False),
    "cut always at the same byte": Case(
        (Reply(DATA, cut=HALF, ranges=False),), error="4 times running", asked=4, kept=True
    ),
    "cut always": Case((Reply(DATA, cut=10_000),), error="the connection broke", asked=4, kept=True),
    "cut always, with a second mirror": Case((Reply(DATA, cut=10_000),), (GOOD,), asked=4),
    "cut before any byte": Case((Reply(DATA, cut=0), GOOD), asked=2),
    "cut without a stated length": Case((Reply(DATA, cut=HALF, framing="none"), GOOD), asked=2),
    "cut in chunks": Case((Reply(DATA, cut=HALF, framing="chunked"), GOOD), asked=2),
    "chunked": Case((Reply(DATA, framing="chunked"),)),
    "slow drip": Case((Reply(DATA, pause=0.003),)),
    "stalled once": Case((Reply(DATA, stall=HALF), GOOD), asked=2),
    "stalled always": Case((Reply(DATA, stall=0),), error="sent nothing for 0.2 s", asked=4),
    "stalled always, with a second mirror": Case((Reply(DATA, stall=0),), (GOOD,), asked=4),
    "wrong length stated": Case((Reply(DATA, length=150_000),), error="of 150,000 bytes, and 200,000 are expected"),
    "wrong length stated, with a second mirror": Case((Reply(DATA, length=150_000),), (GOOD,)),
    "longer stated than sent, nothing known": Case((Reply(DATA, length=250_000), GOOD, GOOD), asked=3, known=False),
    "wrong bytes": Case((Reply(OTHER),), error="is expected, and"),
    "wrong bytes, with a second mirror": Case((Reply(OTHER),), (GOOD,)),
    "too few bytes": Case((Reply(DATA[:-1], framing="chunked"),), error="200,000 bytes are expected, and 199,999 came"),
    "no ranges": Case((Reply(DATA, cut=HALF, ranges=False), Reply(DATA, ranges=False)), asked=2),
    "another range than asked for": Case(
        (Reply(DATA, cut=HALF), Reply(DATA, content_range="bytes 0-199999/200000"), GOOD), asked=3
    ),
    "a range of another total": Case(
        (Reply(DATA, cut=HALF), Reply(DATA, content_range=f"bytes {HALF}-299999/300000"), GOOD), asked=3, known=False
    ),
    "an unreadable range": Case((Reply(DATA, cut=HALF), Reply(DATA, content_range="half of it"), GOOD), asked=3),
    "changed in between": Case((Reply(OTHER, cut=HALF), Reply(DATA, etag='"two"')), asked=2, known=False),
    "changed in between, and no validators": Case(
        (Reply(OTHER, cut=HALF, etag=""), Reply(DATA, etag="")), asked=2, known=False
    ),
    "changed in between, and If-Range not understood": Case(
        (
            Reply(OTHER, cut=HALF),
            Reply(DATA[HALF:], 206, {"Content-Range": f"bytes {HALF}-199999/200000", "ETag": '"two"'}),
            Reply(DATA, etag='"two"'),
        ),
        asked=3,
        known=False,
    ),
    "changed unseen": Case((Reply(OTHER, cut=HALF), GOOD), asked=3),
    "changed unseen again and again": Case(
        (Reply(OTHER, cut=HALF), GOOD, Reply(OTHER, cut=HALF), GOOD), error="in pieces that may be", asked=4
    ),
    "shorter than what came": Case((Reply(OTHER, cut=HALF), Reply(DATA[:HALF]), GOOD), asked=3, known=False),
    "not there": Case((Reply(b"no", 404),), error="status 404, there is no such file"),
    "not there, with a second mirror": Case((Reply(b"no", 404),), (GOOD,)),
    "forbidden, with a second mirror": Case((Reply(b"no", 403),), (GOOD,)),
    "gone, with a second mirror": Case((Reply(b"no", 410),), (GOOD,)),
    "no content": Case((Reply(b"", 204),), error="status 204"),
    "503 then fine": Case((Reply(b"busy", 503), GOOD), asked=2),
    "503 with Retry-After then fine": Case((Reply(b"busy", 503, {"Retry-After": "7"}), GOOD), asked=2),
    "503 in the middle": Case((Reply(DATA, cut=HALF), Reply(b"busy", 503), GOOD), asked=3),
    "503 always": Case((Reply(b"busy", 503),), error="status 503, Service Unavailable, 4 times running", asked=4),
    "503 always, with a second mirror": Case((Reply(b"busy", 503),), (GOOD,), asked=4),
    "429 then fine": Case((Reply(b"slow down", 429, {"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}), GOOD), asked=2),
    "500, 502, 504 then fine": Case((Reply(status=500), Reply(status=502), Reply(status=504), GOOD), asked=4),
    "redirected": Case((Reply(status=302, headers={"Location": "/moved"}),)),
    "redirected in a circle": Case(
        (Reply(status=307, headers={"Location": "/first"}),), error="redirects more than 10 times", asked=11
    ),
    "redirected to no address": Case(
        (Reply(status=302, headers={"Location": "ftp://127.0.0.1/x"}),), error="no address"
    ),
    "endless": Case((Reply(DATA, endless=True, framing="none"),), error="more than the 200,000 bytes"),
    "endless, in chunks": Case((Reply(DATA, endless=True, framing="chunked"),), error="more than the 200,000 bytes"),
    "compressed on the way": Case((Reply(DATA, headers={"Content-Encoding": "br"}),), error="the encoding 'br'"),
    "a gzip file called an encoding": Case((Reply(DATA, headers={"Content-Encoding": "gzip"}),)),
    "a page to log in": Case(
        (Reply(b"<html>", headers={"Content-Type": "text/html; charset=utf-8"}),), error="a web page", known=False
    ),
}


@pytest.fixture(scope="module")
def server() -> Iterator[FaultServer]:
    with serving() as server:
        yield server


@pytest.mark.parametrize("name", TABLE)
def test_fault(server: FaultServer, tmp_path: Path, name: str) -> None:
    """Either the right bytes come, or an error that says what happened where; never wrong bytes."""
    case = TABLE[name]
    server.log.clear()
    server.plan("/moved", GOOD)
    urls = [server.plan("/first", *case.first)]
    if case.second:
        urls.append(server.plan("/second", *case.second))
    file = wanted(tmp_path, *urls, of=DATA if case.known else None)
    patience = replace(HURRIED, stall_timeout=0.2) if name.startswith("stalled") else HURRIED
    if case.error:
        with pytest.raises(UserError) as raised:
            fetch(file, settings=patience)
        assert case.error in str(raised.value)
        assert urls[0] in str(raised.value)
        assert not (tmp_path / "data.json.gz").exists()
        assert bool(left_over(tmp_path)) == case.kept
    else:
        (fetched,) = fetch(file, settings=patience)
        assert (tmp_path / "data.json.gz").read_bytes() == DATA
        assert fetched.url == urls[-1]
        assert left_over(tmp_path) == []
    assert len(server.requests("/first")) == case.asked


@pytest.mark.parametrize("name", [name for name, case in TABLE.items() if case.kept])
def test_what_came_before_an_error_is_not_fetched_again(server: FaultServer, tmp_path: Path, name: str) -> None:
    url = server.plan("/first", *TABLE[name].first)
    with pytest.raises(UserError, match=r"bytes that came stay"):
        fetch(wanted(tmp_path, url, of=DATA))
    came = sum(path.stat().st_size for path in tmp_path.glob(".partial/*.partial~"))
    assert came > 0
    server.log.clear()
    server.plan("/first", GOOD)
    fetch(wanted(tmp_path, url, of=DATA))
    assert server.requests("/first")[0].headers["range"] == f"bytes={came}-"
    assert (tmp_path / "data.json.gz").read_bytes() == DATA
