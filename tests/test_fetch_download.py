"""Fetching files: what stays, what is asked for, who is told what."""

import errno
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx2
import pytest
from fault_server import FaultServer, Reply, serving
from fetch_world import HURRIED, Listener, fetch, left_over, noise, sha256, wanted

from ecinstruct_build.errors import UserError
from ecinstruct_build.fetching import space
from ecinstruct_build.fetching.download import Fetched, fetch_all
from ecinstruct_build.fetching.failures import Broken, Refused, shown
from ecinstruct_build.fetching.http import Address, answer
from ecinstruct_build.fetching.mirror import wait_before
from ecinstruct_build.fetching.partial import Partial, places
from ecinstruct_build.fetching.settings import FetchSettings
from ecinstruct_build.registry import SOURCES

DATA = noise(200_000)
HALF = 100_000


@pytest.fixture(scope="module")
def server() -> Iterator[FaultServer]:
    with serving() as server:
        yield server


@pytest.fixture(autouse=True)
def fresh_log(server: FaultServer) -> None:
    server.log.clear()
    server.sent.clear()


def interrupted(server: FaultServer, folder: Path, **reply: Any) -> str:
    """Fetch half of a file, and return its address, which serves all of it from now on."""
    url = server.plan("/file", Reply(DATA, cut=HALF, **reply), Reply(status=403))
    with pytest.raises(UserError):
        fetch(wanted(folder, url))
    server.log.clear()
    server.sent.clear()
    return server.plan("/file", Reply(DATA, **reply))


def test_what_is_fetched_is_told(server: FaultServer, tmp_path: Path) -> None:
    url = server.plan("/file", Reply(DATA))
    fetched = fetch(wanted(tmp_path / "shop", url, file="deep/down/data.json.gz", of=DATA))
    assert fetched == [Fetched("shop", "deep/down/data.json.gz", url, len(DATA), sha256(DATA))]
    assert (tmp_path / "shop/deep/down/data.json.gz").read_bytes() == DATA
    assert not (tmp_path / "shop/.partial").exists()


def test_a_later_run_goes_on_where_the_first_ended(server: FaultServer, tmp_path: Path) -> None:
    url = interrupted(server, tmp_path)
    fetch(wanted(tmp_path, url))
    (request,) = server.requests("/file")
    assert request.headers["range"] == f"bytes={HALF}-"
    assert request.headers["if-range"] == '"one"'
    assert server.sent["/file"] == HALF
    assert (tmp_path / "data.json.gz").read_bytes() == DATA


def test_the_date_stands_in_for_a_weak_etag(server: FaultServer, tmp_path: Path) -> None:
    date = "Wed, 21 Oct 2015 07:28:00 GMT"
    url = interrupted(server, tmp_path, etag='W/"one"', modified=date)
    fetch(wanted(tmp_path, url))
    assert server.requests("/file")[0].headers["if-range"] == date
    assert server.sent["/file"] == HALF


def test_without_validators_a_known_digest_lets_it_go_on(server: FaultServer, tmp_path: Path) -> None:
    url = interrupted(server, tmp_path, etag="")
    fetch(wanted(tmp_path, url, of=DATA))
    assert "if-range" not in server.requests("/file")[0].headers
    assert server.sent["/file"] == HALF


def test_without_validators_and_digest_it_begins_anew(server: FaultServer, tmp_path: Path) -> None:
    url = interrupted(server, tmp_path, etag="")
    fetch(wanted(tmp_path, url))
    assert server.sent["/file"] == len(DATA)


@pytest.mark.parametrize(("known", "sent"), [(True, HALF), (False, len(DATA))])
def test_another_mirror_goes_on_only_if_the_digest_is_known(
    server: FaultServer, tmp_path: Path, *, known: bool, sent: int
) -> None:
    interrupted(server, tmp_path)
    url = server.plan("/mirror", Reply(DATA))
    fetch(wanted(tmp_path, url, of=DATA if known else None))
    assert server.sent["/mirror"] == sent
    assert (tmp_path / "data.json.gz").read_bytes() == DATA


def test_a_partial_file_without_its_note_is_not_built_upon(server: FaultServer, tmp_path: Path) -> None:
    where = places(tmp_path, "data.json.gz")
    where.bytes.parent.mkdir()
    where.bytes.write_bytes(b"?" * 50)
    fetch(wanted(tmp_path, server.plan("/file", Reply(DATA))))
    assert (tmp_path / "data.json.gz").read_bytes() == DATA


def test_bytes_of_an_earlier_run_that_spoil_the_digest_are_fetched_again(server: FaultServer, tmp_path: Path) -> None:
    url = interrupted(server, tmp_path)
    places(tmp_path, "data.json.gz").bytes.write_bytes(b"?" * HALF)
    fetch(wanted(tmp_path, url, of=DATA))
    assert [request.status for request in server.requests("/file")] == [206, 200]
    assert (tmp_path / "data.json.gz").read_bytes() == DATA


def test_pieces_that_spoil_the_digest_twice_are_enough(server: FaultServer, tmp_path: Path) -> None:
    """A server that breaks off and changes the file without a word is not asked for gigabytes again and again."""
    other = Reply(DATA[::-1], cut=HALF)
    url = server.plan("/file", other, Reply(DATA), other, Reply(DATA), other, Reply(DATA))
    with pytest.raises(UserError, match="came, in pieces that may be of different files"):
        fetch(wanted(tmp_path, url, of=DATA), settings=replace(HURRIED, retries=20))
    assert len(server.log) == 4


def test_a_whole_partial_file_needs_no_request(server: FaultServer, tmp_path: Path) -> None:
    url = interrupted(server, tmp_path)
    places(tmp_path, "data.json.gz").bytes.write_bytes(DATA)
    (fetched,) = fetch(wanted(tmp_path, url))
    assert (server.log, fetched.sha256) == ([], sha256(DATA))


def test_a_file_that_is_there_is_not_fetched(server: FaultServer, tmp_path: Path) -> None:
    (tmp_path / "data.json.gz").write_bytes(DATA)
    (fetched,) = fetch(wanted(tmp_path, server.plan("/file", Reply(DATA)), of=DATA))
    assert (server.log, fetched.url, fetched.sha256) == ([], "", sha256(DATA))


def test_a_wrong_file_that_is_there_is_replaced(server: FaultServer, tmp_path: Path) -> None:
    (tmp_path / "data.json.gz").write_bytes(DATA[::-1])
    fetch(wanted(tmp_path, server.plan("/file", Reply(DATA)), of=DATA))
    assert (tmp_path / "data.json.gz").read_bytes() == DATA


def test_the_error_names_every_address_and_no_secret(server: FaultServer, tmp_path: Path) -> None:
    first = server.plan("/first", Reply(status=404)).replace("http://", "http://me:word@") + "?token=secret#secret"
    second = server.plan("/second", Reply(DATA[::-1])) + "?signature=secret"
    with pytest.raises(UserError) as raised:
        fetch(wanted(tmp_path, first, second, of=DATA))
    message = str(raised.value)
    assert message == (
        f"shop/data.json.gz could not be fetched. {server.origin}/first: status 404, there is no such file; "
        f"{server.origin}/second: SHA-256 {sha256(DATA)} is expected, and {sha256(DATA[::-1])} came."
    )


def test_a_bad_file_does_not_keep_the_others_away(server: FaultServer, tmp_path: Path) -> None:
    bad = [wanted(tmp_path, server.plan(f"/bad{n}", Reply(status=404)), file=f"bad{n}") for n in range(2)]
    good = [wanted(tmp_path, server.plan(f"/good{n}", Reply(DATA)), file=f"good{n}") for n in range(3)]
    with pytest.raises(UserError, match=r"shop/bad0 could not .* shop/bad1 could not"):
        fetch(*bad, *good)
    assert all((tmp_path / f"good{n}").read_bytes() == DATA for n in range(3))


def test_what_a_person_must_fetch_says_how(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"shop/data.json.gz must be fetched by a person. Fill in the form."):
        fetch(wanted(tmp_path, steps="Fill in the form."))


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


def test_who_stops_listening_stops_the_work(server: FaultServer, tmp_path: Path) -> None:
    url = server.plan("/endless", Reply(DATA, endless=True, framing="none"))
    quick = wanted(tmp_path, server.plan("/quick", Reply(DATA)), file="quick")
    coming = fetch_all([wanted(tmp_path, url), quick], progress=Listener(), settings=HURRIED)
    next(coming)
    coming.close()
    assert not any(thread.name.startswith("fetch") for thread in threading.enumerate())


def test_progress_is_told_in_bytes(server: FaultServer, tmp_path: Path) -> None:
    url = interrupted(server, tmp_path)
    listener = Listener()
    other = wanted(tmp_path, server.plan("/other", Reply(DATA, cut=HALF), Reply(DATA, etag='"new"')), file="other")
    fetch(wanted(tmp_path, url), other, progress=listener)
    assert listener.totals["fetch shop/data.json.gz"] == len(DATA)
    assert listener.reached == {
        "fetch 2 files": 2 * len(DATA),
        "fetch shop/data.json.gz": len(DATA),
        "fetch shop/other": len(DATA),
    }


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


def test_a_folder_that_cannot_be_written_to_is_told(server: FaultServer, tmp_path: Path) -> None:
    (tmp_path / "shop").write_bytes(b"a file")
    with pytest.raises(UserError, match=r"shop/data.json.gz could not be written: .*shop"):
        fetch(wanted(tmp_path / "shop", server.plan("/file", Reply(DATA))))


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
    with pytest.raises(UserError, match=r"no connection .*, the 3rd time running"):
        fetch(wanted(tmp_path, url), settings=replace(HURRIED, wait=lambda _stop, seconds: waits.append(seconds)))
    assert len(waits) == 2


def test_a_full_disk_is_told_before_anything_is_fetched(
    server: FaultServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = space.RESERVE + 300_000
    monkeypatch.setattr(space.shutil, "disk_usage", lambda _path: type("Usage", (), {"free": free}))
    folders = [tmp_path / "one", tmp_path / "two"]
    files = [wanted(folder, server.plan("/file", Reply(DATA)), of=DATA) for folder in folders]
    with pytest.raises(UserError, match=r"400 kB are still to come, and the disk that holds .* has 67.4 MB left"):
        fetch(*files)
    assert server.log == []
    folders[0].mkdir()
    (folders[0] / "data.json.gz").write_bytes(DATA)
    assert len(fetch(*files)) == 2


def test_a_file_of_unknown_size_is_weighed_when_it_comes(
    server: FaultServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(space.shutil, "disk_usage", lambda _path: type("Usage", (), {"free": space.RESERVE + HALF}))
    with pytest.raises(UserError, match=r"200 kB are still to come"):
        fetch(wanted(tmp_path, server.plan("/file", Reply(DATA))))
    assert sum(path.stat().st_size for path in tmp_path.glob(".partial/*.partial~")) == 0


def test_what_came_before_the_disk_was_full_stays(
    server: FaultServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = server.plan("/file", Reply(DATA))
    fill_after(monkeypatch, HALF)
    with pytest.raises(UserError, match=r"is full\. The 1\d\d,\d\d\d bytes that came of .* stay there\. Make room"):
        fetch(wanted(tmp_path, url))
    monkeypatch.undo()
    fetch(wanted(tmp_path, url))
    assert "range" in server.requests("/file")[-1].headers
    assert (tmp_path / "data.json.gz").read_bytes() == DATA


def fill_after(monkeypatch: pytest.MonkeyPatch, room: int) -> None:
    """Let a disk be full once so many bytes are written to it."""

    class Full:
        def __init__(self, handle: Any) -> None:
            self.handle = handle

        def __getattr__(self, name: str) -> Any:
            return getattr(self.handle, name)

        def write(self, data: bytes) -> int:
            if self.handle.tell() >= room:
                raise OSError(errno.ENOSPC, "No space left on device")
            return int(self.handle.write(data))

    take_up = Partial.__init__
    monkeypatch.setattr(Partial, "__init__", lambda self, where, handle: take_up(self, where, Full(handle)))


def test_a_second_process_waits_and_takes_what_the_first_got(server: FaultServer, tmp_path: Path) -> None:
    """Locks are of open files, so another fetch in this process stands for one in another."""
    reply = Reply(DATA, stall=HALF, ranges=False)
    url = server.plan("/file", reply)
    settings = replace(HURRIED, stall_timeout=20.0)
    listeners, fetched = [Listener(), Listener()], []

    def run(listener: Listener) -> None:
        fetched.extend(fetch_all([wanted(tmp_path, url)], progress=listener, settings=settings))

    threads = [threading.Thread(target=run, args=(listener,)) for listener in listeners]
    for thread in threads:
        thread.start()
    noted = threading.Event()
    while not any(listener.notes for listener in listeners):
        noted.wait(0.02)
    server.plan("/file", Reply(DATA))
    server.released.set()
    for thread in threads:
        thread.join(20)
    server.released = threading.Event()
    assert sorted(one.url for one in fetched) == ["", url]
    assert {one.sha256 for one in fetched} == {sha256(DATA)}
    assert left_over(tmp_path) == []


def test_nothing_partial_is_taken_for_an_upstream_file(tmp_path: Path) -> None:
    taken = []
    for name in SOURCES.names():
        source = SOURCES.get(name)
        for kind in source.files:
            pieces = places(tmp_path, kind.example)
            names = [pieces.bytes, pieces.note, pieces.lock, pieces.unpacked / "0"]
            taken += [path for path in names if source.kind_of(path.relative_to(tmp_path).as_posix())]
    assert taken == []


def test_a_long_name_has_a_place_of_its_own(tmp_path: Path) -> None:
    names = {places(tmp_path, f"{letter * 250}/{letter}.csv").bytes.name for letter in "äb"}
    assert len(names) == 2
    assert max(len(name.encode()) for name in names) < 255


@pytest.mark.parametrize("file", ["../out", "/etc/out", "a/../../out", "C:/out", "a\0b", ""])
def test_a_place_outside_the_folder_is_refused(tmp_path: Path, file: str) -> None:
    with pytest.raises(UserError, match="no path below the corpus's folder"):
        fetch(wanted(tmp_path, "http://127.0.0.1/x", file=file))


def test_a_file_asked_for_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="is asked for twice"):
        fetch(wanted(tmp_path, "http://127.0.0.1/x"), wanted(tmp_path, "http://127.0.0.1/y"))


def test_addresses_are_shown_without_secrets() -> None:
    assert shown("https://me:word@host:8/path/x.gz?token=secret#secret") == "https://host:8/path/x.gz"
    assert shown("hf://datasets/o/n@main/a b.gz") == "hf://datasets/o/n@main/a b.gz"


def test_failures_that_pass_say_how_long_to_wait() -> None:
    assert (Broken("busy", wait=3.0).wait, Broken("busy").wait) == (3.0, None)
