"""Workers start wherever temporary files are, and none outlives the build that started it."""

import os
import select
import subprocess
import sys
from pathlib import Path

import pytest

START = """
import multiprocessing, os, signal, sys
from ecinstruct_build.stages.workers import worker_pool
if __name__ == "__main__":
    with worker_pool(2) as pool:
        for asked in [pool.submit(os.getpid) for _ in range(4)]:
            asked.result()
        print(*(worker.pid for worker in multiprocessing.active_children()), flush=True)
        {then}
"""


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="the system tells the end of others' processes to nobody")
@pytest.mark.parametrize("then", ["pool.submit(signal.pause)", "sys.stdin.read()"], ids=["at work", "idle"])
def test_workers_end_with_a_build_that_is_killed(then: str) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", START.format(then=then)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as build:
        assert build.stdout is not None
        workers = [os.pidfd_open(int(pid)) for pid in build.stdout.readline().split()]
        build.kill()
        build.wait()
    assert workers
    for worker in workers:
        assert select.select([worker], [], [], 30)[0], "a worker goes on without its build"
        os.close(worker)


@pytest.mark.parametrize("short", ["/tmp", "/tmp/is/not/there"])
def test_workers_start_though_the_name_of_the_folder_for_temporary_files_is_long(tmp_path: Path, short: str) -> None:
    place = tmp_path / ("long" * 25)
    place.mkdir()
    program = f"""
from ecinstruct_build.errors import UserError
from ecinstruct_build.stages import workers
import tempfile
workers._SHORT_FOLDER = {short!r}
if __name__ == "__main__":
    try:
        with workers.worker_pool(2) as pool:
            print(pool.submit(len, "four").result(), tempfile.gettempdir())
    except UserError as error:
        print(error)
"""
    env = {**os.environ, "TMPDIR": str(place)}
    done = subprocess.run([sys.executable, "-c", program], env=env, check=True, capture_output=True, text=True)
    if short == "/tmp":
        assert done.stdout.split() == ["4", str(place)], "and all but the sockets stays where it was asked for"
    else:
        assert f"{place}, is too long for the sockets" in done.stdout
        assert done.stdout.endswith(
            "Set TMPDIR to a folder with a name of at most 71 bytes, or do without workers (--jobs 1).\n"
        )
    assert not list(place.iterdir())
