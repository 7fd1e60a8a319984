"""Manners of fetching: how hosts are treated, what they are told, and what is kept from them."""

import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from io import StringIO
from pathlib import Path

import httpx2
import pytest
from fault_server import FaultServer, Reply, serving
from fetch_world import HURRIED, Listener, fetch, noise, wanted
from rich.console import Console

from ecinstruct_build.console import RichProgress
from ecinstruct_build.errors import UserError
from ecinstruct_build.fetching.download import fetch_all
from ecinstruct_build.fetching.failures import Broken, Refused, shown
from ecinstruct_build.fetching.http import Address, answer
from ecinstruct_build.fetching.mirror import wait_before
from ecinstruct_build.fetching.settings import FetchSettings

DATA = noise(200_000)
HALF = 100_000


def test_a_host_is_asked_for_two_files_at_a_time(server: FaultServer, tmp_path: Path) -> None:
    files = [wanted(tmp_path, server.plan(f"/{n}", Reply(DATA, pause=0.002)), file=str(n)) for n in range(6)]
    server.busiest = 0
    fetch(*files, parallel=6)
    assert server.busiest == 2


def test_a_host_that_was_left_is_free_for_others(server: FaultServer, tmp_path: Path) -> None:
    with serving() as other:
        gone, there = server.plan("/gone", Reply(status=404)), other.plan("/there", Reply(DATA))
        files = [wanted(tmp_path, gone, there, file=str(n)) for n in range(4)]
        fetched = fetch(*files, parallel=2, settings=replace(HURRIED, per_host=1))
    assert {one.url for one in fetched} == {there}


def test_a_busy_host_does_not_hold_up_another(server: FaultServer, tmp_path: Path) -> None:
    with serving() as other:
        slow = [wanted(tmp_path, server.plan(f"/{n}", Reply(DATA, stall=HALF)), file=f"slow{n}") for n in range(3)]
        quick = wanted(tmp_path, other.plan("/quick", Reply(DATA)), file="quick")
        settings = replace(HURRIED, stall_timeout=20.0)
        coming = fetch_all([*slow, quick], progress=Listener(), parallel=3, settings=settings)
        assert next(coming).file == "quick"
        server.released.set()
        server.released = threading.Event()
        coming.close()


def test_waits_double_and_heed_the_server(server: FaultServer, tmp_path: Path) -> None:
    waits: list[float] = []
    settings = FetchSettings(first_wait=1.0, longest_wait=100.0, wait=lambda _stop, seconds: waits.append(seconds))
    busy = [Reply(status=503, headers={"Retry-After": value}) for value in ("0", "30", "9999999999", "soon", "-5")]
    fetch(wanted(tmp_path, server.plan("/file", *busy, Reply(DATA))), settings=settings)
    assert waits == [1.0, 30.0, 100.0, 8.0, 16.0]
    assert wait_before(2000, None, settings) == 100.0


def test_progress_gives_new_patience(server: FaultServer, tmp_path: Path) -> None:
    """A long file over a line that breaks every two megabytes comes in the end."""
    data = noise(12 << 20)
    url = server.plan("/file", Reply(data, cut=2 << 20))
    fetch(wanted(tmp_path, url, of=data))
    assert len(server.requests("/file")) == 6


def test_a_server_that_only_drips_counts_as_stalled(server: FaultServer, tmp_path: Path) -> None:
    url = server.plan("/file", Reply(noise(600_000), pause=0.05))
    settings = replace(HURRIED, stall_timeout=0.25, least_rate=100_000_000, retries=0)
    with pytest.raises(UserError, match=r"it sent only [\d,]+ bytes in \d s\. The [\d,]+ bytes that came stay"):
        fetch(wanted(tmp_path, url), settings=settings)


def test_proxies_of_the_environment_are_heeded(
    server: FaultServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HTTP_PROXY", server.origin)
    server.plan("/file", Reply(DATA))
    fetch(wanted(tmp_path, "http://corpora.invalid/file"))
    assert server.log[0].path == "http://corpora.invalid/file"


def test_a_client_says_who_it_is(server: FaultServer, tmp_path: Path) -> None:
    fetch(wanted(tmp_path, server.plan("/file", Reply(DATA))))
    headers = server.requests("/file")[0].headers
    assert headers["user-agent"].startswith("ecinstruct-build/")
    assert headers["accept-encoding"] == "identity"


def test_credentials_stay_with_their_host(server: FaultServer, tmp_path: Path) -> None:
    with serving() as other:
        there = other.plan("/file", Reply(DATA))
        url = server.plan("/file", Reply(status=302, headers={"Location": there}))
        fetch(wanted(tmp_path, url.replace("http://", "http://me:word@")))
        assert "authorization" in server.requests("/file")[0].headers
        assert "authorization" not in other.requests("/file")[0].headers


def test_own_headers_stay_with_their_origin(server: FaultServer) -> None:
    with serving() as other, httpx2.Client() as client:
        there = other.plan("/file", Reply(DATA))
        url = server.plan("/file", Reply(status=307, headers={"Location": there}))
        with answer(client, Address(url, {"X-Key": "secret"}), {"Range": "bytes=5-"}, HURRIED) as response:
            assert response.read() == DATA[5:]
        assert server.requests("/file")[0].headers["x-key"] == "secret"
        assert "x-key" not in other.requests("/file")[0].headers


def test_an_encrypted_address_does_not_lead_to_an_open_one() -> None:
    def redirect(request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(302, headers={"Location": "http://example.org/file?signature=secret"})

    with httpx2.Client(transport=httpx2.MockTransport(redirect)) as client:
        with pytest.raises(Refused) as raised, answer(client, Address("https://example.org/"), {}, HURRIED):
            pytest.fail("followed")
        assert str(raised.value) == "it redirects to http://example.org/file, which is not encrypted"


def test_no_connection_is_given_up_early(tmp_path: Path) -> None:
    with serving() as gone:
        url = gone.plan("/file", Reply(DATA))
    waits: list[float] = []
    with pytest.raises(UserError, match=r"no connection .*, 3 times running"):
        fetch(wanted(tmp_path, url), settings=replace(HURRIED, wait=lambda _stop, seconds: waits.append(seconds)))
    assert len(waits) == 2


@contextmanager
def deaf() -> Iterator[str]:
    """Offer the address of a host that answers no connection: it listens, and its queue is full."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listening, ExitStack() as stack:
        for _ in range(8):
            caller = stack.enter_context(socket.socket())
            caller.setblocking(False)
            caller.connect_ex(listening.getsockname())
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/file"


@pytest.mark.parametrize(("retries", "tries"), [(5, 3), (1, 2), (0, 1)])
def test_a_host_that_lets_connections_wait_is_given_up_early(
    server: FaultServer, tmp_path: Path, retries: int, tries: int
) -> None:
    waits: list[float] = []
    settings = replace(HURRIED, retries=retries, connect_timeout=0.05, wait=lambda _stop, time: waits.append(time))
    with deaf() as url:
        times = f", {tries} times running" if tries > 1 else ""
        with pytest.raises(UserError, match=rf"/file: no connection within 0\.05 s{times}\.$"):
            fetch(wanted(tmp_path, url), settings=settings)
        assert len(waits) == tries - 1
        mirror = server.plan("/mirror", Reply(DATA))
        assert [one.url for one in fetch(wanted(tmp_path, url, mirror), settings=settings)] == [mirror]


def test_a_proxy_that_connects_to_nobody_is_given_up_early(
    server: FaultServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("https_proxy", "no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HTTPS_PROXY", server.origin)  # which knows nothing of CONNECT
    waits: list[float] = []
    settings = replace(HURRIED, retries=5, wait=lambda _stop, time: waits.append(time))
    with pytest.raises(UserError, match="the proxy would not connect to it, 3 times running"):
        fetch(wanted(tmp_path, "https://corpora.invalid/file"), settings=settings)
    assert len(waits) == 2


def test_addresses_are_shown_without_secrets() -> None:
    assert shown("https://me:word@host:8/path/x.gz?token=secret#secret") == "https://host:8/path/x.gz"
    assert shown("hf://datasets/o/n@main/a b.gz") == "hf://datasets/o/n@main/a b.gz"


def test_failures_that_pass_say_how_long_to_wait() -> None:
    assert (Broken("busy", wait=3.0).wait, Broken("busy").wait) == (3.0, None)


def test_a_terminal_shows_rate_and_time_left_of_what_comes_from_afar(server: FaultServer, tmp_path: Path) -> None:
    console = Console(file=StringIO(), force_terminal=True, width=120, color_system=None)
    with RichProgress(console) as progress:
        fetch(wanted(tmp_path, server.plan("/file", Reply(DATA))), progress=progress)
        fetched = console.file.getvalue()
        with progress.track("count", 10) as advance:
            advance(5)
    counted = console.file.getvalue()[len(fetched) :]
    assert "0.0/200.0 kB ? -:--:--" in fetched
    assert "done fetch shop/data.json.gz 200.0 kB, " in fetched
    assert "0%" in counted
    assert "-:--:--" not in counted
