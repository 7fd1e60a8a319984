"""No worker process outlives the build that started it."""

import os
import select
import subprocess
import sys

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
