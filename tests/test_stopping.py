"""Whoever asks a process to end gets a prompt end with nothing half-done left behind."""

import hashlib
import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer

from ecinstruct_build.commands.options import listener
from ecinstruct_build.file_digests import digest_of
from ecinstruct_build.sample_corpora import write_sample_corpora
from ecinstruct_build.stopping import stopping_as_if_interrupted

STOPPED = "Stopped. Finished stages are kept; the same command goes on from there."
RECIPE = """
name = "one"
[sources.amazon_google]
[tasks.product_matching]
quota = { train = 20, test = 5 }
"""
# The build is asked to end when it calls a function the first time.
ASKED_TO_END = """
import os, signal, threading
from ecinstruct_build import cli
import {module} as module
def ask(*_, **__):
    os.{kill}(os.getpid(), signal.{name})
    if threading.current_thread() is threading.main_thread():
        signal.pause()
    raise RuntimeError("whatever fails then")
module.{function} = ask
cli.main()
"""
WORKERS_KILLED = """
import multiprocessing, os
from ecinstruct_build import cli
from ecinstruct_build.ingesting import ingest
def kill(job, scratch, out, pool):
    for worker in multiprocessing.active_children():
        worker.kill()
    pool.submit(os.getpid).result()
ingest._assemble = kill
cli.main()
"""
MOMENTS = {
    "ingest": ("ecinstruct_build.ingesting.ingest", "_assemble"),
    "split": ("ecinstruct_build.stages.split", "assign"),
    "publish": ("ecinstruct_build.publish.dataset", "write_manifest"),
}


def test_what_keeps_nothing_does_not_say_that_it_goes_on(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit) as left, listener(quiet=True, resumes=False):
        raise KeyboardInterrupt
    assert (left.value.exit_code, capfd.readouterr().err) == (130, "Stopped. The same command begins anew.\n")


@pytest.fixture
def build(small_world: Path, tmp_path: Path) -> list[str]:
    """The arguments of a small build by several processes."""
    (tmp_path / "one.toml").write_text(RECIPE)
    return ["build", "one.toml", "--raw", str(small_world), "--out", "shop/dataset", "--jobs", "2"]


@pytest.fixture
def temporary() -> Iterator[Path]:
    """The folder for temporary files: its path is short, as that of a socket has to be, which workers put there."""
    with tempfile.TemporaryDirectory(dir="/tmp") as name:
        yield Path(name)


def run(program: str, arguments: list[str], folder: Path, temporary: Path) -> subprocess.CompletedProcess[str]:
    """Run a program; what it starts has its streams, so that this returns when all of that has ended."""
    return subprocess.run(
        [sys.executable, "-c", program, *arguments],
        cwd=folder,
        env={**os.environ, "TMPDIR": str(temporary), "COLUMNS": "100"},
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
        start_new_session=True,
    )


@pytest.mark.parametrize(("moment", "name"), [("ingest", "SIGTERM"), ("split", "SIGHUP"), ("publish", "SIGTERM")])
def test_a_build_that_is_asked_to_end_puts_all_away(
    build: list[str], tmp_path: Path, temporary: Path, moment: str, name: str
) -> None:
    module, function = MOMENTS[moment]
    done = run(
        ASKED_TO_END.format(module=module, function=function, name=name, kill="kill"), build, tmp_path, temporary
    )
    assert done.returncode == 128 + signal.Signals[name], done.stderr
    assert [line for line in done.stderr.splitlines() if not line.startswith("done ")] == [STOPPED]
    assert not list(temporary.iterdir())
    assert not list((tmp_path / "shop").iterdir())
    assert not [path for path in tmp_path.rglob("*") if path.name.startswith(("unfinished-", "waiting-"))]


LOST = """
import os, signal
from ecinstruct_build.stopping import stopping_as_if_interrupted

class Dying:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGTERM)

with stopping_as_if_interrupted():
    dying = Dying()
    del dying
    signal.pause()
"""


def test_a_request_that_comes_while_an_object_is_destroyed_is_not_lost(tmp_path: Path, temporary: Path) -> None:
    done = run(LOST, [], tmp_path, temporary)
    assert (done.returncode, done.stderr) == (128 + signal.SIGTERM, "")


def finish_although_asked_to_end() -> None:
    with stopping_as_if_interrupted():
        try:
            os.kill(os.getpid(), signal.SIGTERM)
            signal.pause()
        except KeyboardInterrupt:
            sys.exit(0)


def test_work_that_was_finished_all_the_same_says_so() -> None:
    with pytest.raises(SystemExit) as end:
        finish_although_asked_to_end()
    assert end.value.code == 0


def test_workers_may_be_asked_to_end_at_the_same_time(build: list[str], tmp_path: Path, temporary: Path) -> None:
    module, function = MOMENTS["publish"]
    program = ASKED_TO_END.format(module=module, function=function, name="SIGTERM", kill="killpg")
    done = run(program, build, tmp_path, temporary)
    assert done.returncode == 128 + signal.SIGTERM
    assert done.stderr.splitlines()[-1] == STOPPED
    assert "Traceback" not in done.stderr


def test_workers_that_are_killed_are_an_error_with_a_way_out(build: list[str], tmp_path: Path, temporary: Path) -> None:
    done = run(WORKERS_KILLED, build, tmp_path, temporary)
    told = " ".join(line for line in done.stderr.splitlines() if not line.startswith("done "))
    assert (done.returncode, told[:36]) == (1, "Error: A worker process was killed, ")
    assert "--jobs" in told


def test_what_a_process_was_told_to_ignore_does_not_end_it() -> None:
    program = (
        "import os, signal, sys; signal.signal(signal.SIGHUP, signal.SIG_IGN); from ecinstruct_build import cli\n"
        "cli.run = lambda: (os.kill(os.getpid(), signal.SIGHUP), print('here'))\ncli.main()"
    )
    done = subprocess.run([sys.executable, "-c", program], check=False, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "here\n", "")


def test_nothing_waits_for_the_digest_of_a_large_file(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(bytes(range(256)) * 4096)
    calls: list[str] = []

    def stop_soon() -> None:
        calls.append("asked")
        if len(calls) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        digest_of(file, stop_soon)
    assert len(calls) == 2
    assert digest_of(file) == hashlib.sha256(file.read_bytes()).hexdigest()


def test_workers_that_write_corpora_end_with_the_work(tmp_path: Path) -> None:
    another = multiprocessing.get_context("spawn").Process(target=signal.pause)
    another.start()

    def interrupt(file: str, lines: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_sample_corpora(tmp_path / "out", scale=0.01, jobs=2, progress=interrupt)
    assert multiprocessing.active_children() == [another]
    another.kill()
    another.join()
    assert not list(tmp_path.iterdir())
