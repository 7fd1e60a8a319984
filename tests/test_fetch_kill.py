"""Processes that are killed while they fetch: whoever gives the command again gets the right bytes."""

import io
import multiprocessing
import os
import random
import signal
import sys
import zipfile
from collections.abc import Iterator
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import pytest
from fault_server import FaultServer, Reply, serving
from fetch_world import HURRIED, Listener, left_over, noise, sha256, wanted

from ecinstruct_build.fetching.download import fetch_all
from ecinstruct_build.fetching.partial import HIDDEN

CONTEXT = multiprocessing.get_context("forkserver")
KILLS = 20
IN_FLIGHT = 256 << 10
"""Bytes that a server may have sent and a killed process not have written."""


@pytest.fixture
def server() -> Iterator[FaultServer]:
    CONTEXT.set_forkserver_preload(["ecinstruct_build.fetching.download", "pytest"])
    with serving() as server:
        yield server


def fetch_here(folder: Path, asked: list[tuple[str, str, tuple[tuple[str, str], ...]]], kill_at: int) -> None:
    """Fetch files in a process of its own, which is killed before its n-th change to a name; 0 = never."""
    if kill_at:
        sys.addaudithook(Executioner(folder, kill_at))
    files = [wanted(folder, url, file=file, holds=holds) for file, url, holds in asked]
    for _ in fetch_all(files, progress=Listener(), settings=HURRIED, parallel=1):
        pass


class Executioner:
    """Kills its own process before it changes a name in a folder for the n-th time."""

    def __init__(self, folder: Path, kill_at: int) -> None:
        self.folder, self.left = str(folder), kill_at

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        changes = ("open", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.truncate", "os.link")
        if event in changes and str(arguments[0]).startswith(self.folder):
            self.left -= 1
            if not self.left:
                os.kill(os.getpid(), signal.SIGKILL)


def start(folder: Path, *asked: tuple[str, str, tuple[tuple[str, str], ...]], kill_at: int = 0) -> BaseProcess:
    process = CONTEXT.Process(target=fetch_here, args=(folder, list(asked), kill_at), daemon=True)
    process.start()
    return process


def finish(process: BaseProcess) -> int:
    process.join(60)
    code = process.exitcode
    assert code is not None, "it hangs"
    return code


@pytest.mark.slow
def test_a_process_that_is_killed_many_times_ends_with_the_right_bytes(server: FaultServer, tmp_path: Path) -> None:
    """And what came before a kill is not fetched again."""
    chance, data = random.Random(5), noise(6 << 20)
    asked = ("big.json.gz", server.plan("/big", Reply(data, pause=0.0005)), ())
    for _ in range(KILLS):
        process = start(tmp_path, asked)
        enough = server.sent["/big"] + chance.randrange(len(data) // KILLS)
        with server.change:
            assert server.change.wait_for(lambda: server.sent["/big"] >= enough, timeout=60)  # noqa: B023
        os.kill(process.pid or 0, signal.SIGKILL)
        assert finish(process) == -signal.SIGKILL
        assert not (tmp_path / "big.json.gz").exists()
    assert finish(start(tmp_path, asked)) == 0
    assert sha256((tmp_path / "big.json.gz").read_bytes()) == sha256(data)
    assert left_over(tmp_path) == []
    starts = [request.headers.get("range", "bytes=0-") for request in server.requests("/big")]
    assert starts == sorted(starts, key=lambda one: int(one[6:-1]))
    assert server.sent["/big"] <= len(data) + KILLS * IN_FLIGHT
    assert int(starts[-1][6:-1]) > len(data) // 4


@pytest.mark.slow
def test_a_kill_before_any_change_to_a_name_does_no_harm(server: FaultServer, tmp_path: Path) -> None:
    """Each moment between two steps is tried, of a plain file and of an archive."""
    data, part = noise(50_000), b"id,name\n1,mug\n"
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("in/part.csv", part)
    file = ("deep/data.json.gz", server.plan("/data", Reply(data)), ())
    archived = ("a.zip", server.plan("/a.zip", Reply(packed.getvalue())), (("in/part.csv", "part.csv"),))
    code, moment = -signal.SIGKILL, 0
    while code:
        moment += 1
        folder = tmp_path / str(moment)
        folder.mkdir()
        code = finish(start(folder, file, archived, kill_at=moment))
        assert code in (0, -signal.SIGKILL)
        if (folder / "deep/data.json.gz").exists():
            assert (folder / "deep/data.json.gz").read_bytes() == data
        if (folder / "part.csv").exists():
            assert (folder / "part.csv").read_bytes() == part
        assert finish(start(folder, file, archived)) == 0
        found = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
        assert found == {"deep/data.json.gz": data, "part.csv": part}
        assert not (folder / HIDDEN).exists()
    assert moment > 20


def test_two_processes_that_fetch_the_same_file_share_it(server: FaultServer, tmp_path: Path) -> None:
    data = noise(1 << 20)
    asked = ("big.json.gz", server.plan("/big", Reply(data, pause=0.001)), ())
    processes = [start(tmp_path, asked) for _ in range(3)]
    assert [finish(process) for process in processes] == [0, 0, 0]
    assert (tmp_path / "big.json.gz").read_bytes() == data
    assert left_over(tmp_path) == []
