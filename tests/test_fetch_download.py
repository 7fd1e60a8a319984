"""Fetching files: what stays, what is asked for, who is told what."""

import errno
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fault_server import FaultServer, Reply, serving
from fetch_world import HURRIED, Listener, fetch, left_over, noise, sha256, wanted

from ecinstruct_build.errors import UserError
from ecinstruct_build.fetching import space
from ecinstruct_build.fetching.download import Fetched, fetch_all
from ecinstruct_build.fetching.partial import Partial, places
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


def test_a_folder_that_cannot_be_written_to_is_told(server: FaultServer, tmp_path: Path) -> None:
    (tmp_path / "shop").write_bytes(b"a file")
    with pytest.raises(UserError, match=r"shop/data.json.gz could not be written: .*shop"):
        fetch(wanted(tmp_path / "shop", server.plan("/file", Reply(DATA))))


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
