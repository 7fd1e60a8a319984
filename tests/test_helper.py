"""A second process does some of the work, and nobody can tell but by the time it takes."""

import os
import select
import signal
import subprocess
import sys
from collections.abc import Callable, Collection, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from building import SmallBuild
from split_world import SETTINGS, WEIGHTS, clustered

from ecinstruct_build.audit.aside import begin_audit
from ecinstruct_build.audit.limits import AuditLimits
from ecinstruct_build.audit.run import audit_dataset
from ecinstruct_build.errors import UserError
from ecinstruct_build.helper import Helper
from ecinstruct_build.publish.card_info import read_samples
from ecinstruct_build.publish.dataset import Publication, publish
from ecinstruct_build.publish.folder import read_manifest
from quality.splitting.leakage import assign
from quality.splitting.web import web_of

pytestmark = pytest.mark.slow

STARTED = """
import os, sys
from ecinstruct_build.helper import Helper
if __name__ == "__main__":
    helper = Helper(2, os.getpid)
    helper.start()
    print(helper.begin(os.getpid)(), flush=True)
    helper.begin(sys.stdin.read)
    sys.stdin.read()
"""


@pytest.fixture
def helper() -> Iterator[Helper]:
    with Helper(2, os.getpid) as second:
        second.start()
        yield second


DONE: list[str] = []


def steps() -> Iterator[None]:
    DONE.append("first")
    yield
    DONE.append("then")
    yield
    raise ValueError("too much")


def steps_done() -> list[str]:
    return DONE


def wait_for_its_end(handle: int) -> bool:
    return bool(select.select([handle], [], [], 20)[0])


def test_it_works_in_another_process_one_thing_after_the_other(helper: Helper) -> None:
    answers = [helper.begin(os.getpid), helper.begin(pow, 2, 10), helper.begin(os.getpid)]
    first, power, last = (answer() for answer in reversed(answers))
    assert first == last != os.getpid()
    assert power == 1024
    assert helper.is_free
    assert helper.peak_bytes > 2**20


def test_it_gets_ready_in_steps_and_goes_on_when_nothing_is_asked() -> None:
    with Helper(2, steps) as second:
        second.start()
        assert second.begin(steps_done)()[:1] == ["first"]
        while second.begin(steps_done)() != ["first", "then"]:
            pass
        assert second.begin(pow, 2, 10)() == 1024  # after a step that failed
        assert second.is_there


def test_one_process_does_everything_itself() -> None:
    with Helper(1, os.getpid) as alone:
        alone.start()
        assert alone.begin(os.getpid)() == os.getpid()
        assert not alone.is_there
        assert not alone.is_free


def test_a_machine_with_no_room_for_another_process_does_everything_in_one(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise BlockingIOError

    with Helper(2, os.getpid) as alone:
        monkeypatch.setattr(subprocess, "Popen", refuse)
        before = len(list(Path("/proc/self/fd").iterdir()))
        alone.start()
        assert len(list(Path("/proc/self/fd").iterdir())) == before
        assert alone.begin(os.getpid)() == os.getpid()
        assert not alone.is_there
        assert alone.peak_bytes == 0


def test_an_error_is_raised_as_if_there_were_no_helper(helper: Helper) -> None:
    answer = helper.begin(int, "no number")
    with pytest.raises(ValueError, match="no number"):
        answer()
    assert helper.begin(os.getpid)() != os.getpid()  # and it goes on


def test_what_a_killed_helper_cannot_answer_is_done_here(helper: Helper) -> None:
    other = helper.begin(os.getpid)()
    handle = os.pidfd_open(other)
    asked_before = helper.begin(signal.pause)  # it never answers
    asked_later = helper.begin(pow, 2, 10)
    os.kill(other, signal.SIGKILL)
    assert wait_for_its_end(handle)
    os.close(handle)
    assert helper.begin(pow, 2, 11)() == 2048
    assert asked_later() == 1024
    assert asked_before is not None


def test_it_ends_with_the_process_that_started_it() -> None:
    main = subprocess.Popen([sys.executable, "-c", STARTED], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert main.stdout is not None
    handle = os.pidfd_open(int(main.stdout.readline()))
    main.kill()
    main.communicate()
    assert wait_for_its_end(handle)
    os.close(handle)


def test_two_processes_place_examples_as_one_does(helper: Helper) -> None:
    near = [clustered(60, cluster=5, seed=seed) for seed in range(6)]  # which share products of one name: a web each
    apart = [
        replace(one, identity=f"{web} {one.identity}", products=tuple(f"{web} {product}" for product in one.products))
        for web, world in enumerate(near)
        for one in world
    ]
    web, shared = web_of(apart, {}), Shared(helper)
    alone, both = assign(web, SETTINGS, WEIGHTS, 3), assign(web, SETTINGS, WEIGHTS, 3, beside=shared)
    assert shared.asked > 1
    assert np.array_equal(alone.split, both.split)
    assert alone.reason == both.reason
    assert np.array_equal(alone.packed, both.packed)


class Shared:
    """Asks a helper for every second thing, however busy it is."""

    def __init__(self, helper: Helper) -> None:
        self._helper, self.asked, self._turn = helper, 0, False

    @property
    def is_free(self) -> bool:
        self._turn = not self._turn
        return self._turn

    def begin(self, function: Callable[..., Any], *args: Any) -> Callable[[], Any]:
        self.asked += 1
        return self._helper.begin(function, *args)


def test_two_processes_find_in_a_dataset_what_one_finds(small_build: SmallBuild, helper: Helper) -> None:
    limits = AuditLimits(jaccard=0.5, html_share=0.0)
    whole = audit_dataset(small_build.out, limits)
    assert sum(one.values for one in whole.overlaps if one.kind == "near")
    assert begin_audit(small_build.out, limits, helper)() == whole
    with Helper(1, os.getpid) as alone:
        assert begin_audit(small_build.out, limits, alone)() == whole


def test_what_two_processes_cannot_audit_is_told(tmp_path: Path, helper: Helper) -> None:
    with pytest.raises(UserError, match="There are no shards"):
        begin_audit(tmp_path, AuditLimits(), helper)()


def books_of(folder: Path) -> dict[str, Any]:
    return dict(read_manifest(folder) or {})


def read_in(process: int, folder: Path, tasks: Collection[str] | None = None) -> dict[str, pa.Table]:
    """Read published samples in one process only; in another it fails, as on a disk that is full for a while."""
    if os.getpid() != process:
        raise OSError(28, "No space left on device")
    samples = read_samples(folder, books_of(folder))
    return {name: rows for name, rows in samples.items() if tasks is None or name in tasks}


def test_the_audit_reads_what_the_helper_failed_to_write(
    small_build: SmallBuild, tmp_path: Path, helper: Helper
) -> None:
    published = books_of(small_build.out)
    read = partial(read_in, os.getpid(), small_build.out)
    what = Publication(small_build.recipe, read, lambda: published, generated=True)
    again = publish(what, tmp_path / "again", refused=tmp_path / "refused", helper=helper)
    assert again["shards"] == published["shards"]
    assert again["audit"] == published["audit"]


def read_in_one(process: int, folder: Path, tasks: Collection[str] | None = None) -> dict[str, pa.Table]:
    """Read published samples; in another process than the one that is named, never come to an end."""
    if os.getpid() != process:
        signal.pause()
    return read_in(os.getpid(), folder, tasks)


def test_a_publication_that_fails_leaves_no_helper_at_work_on_it(
    small_build: SmallBuild, tmp_path: Path, helper: Helper
) -> None:
    def refuse() -> dict[str, Any]:
        raise UserError("no books")

    other = os.pidfd_open(helper.begin(os.getpid)())
    read = partial(read_in_one, os.getpid(), small_build.out)
    what = Publication(small_build.recipe, read, refuse, generated=True)
    with pytest.raises(UserError, match="no books"):
        publish(what, tmp_path / "out", refused=tmp_path / "refused", helper=helper)
    assert select.select([other], [], [], 0)[0], "it has ended"
    os.close(other)
    assert not list(tmp_path.iterdir())
    assert helper.begin(os.getpid)() == os.getpid()


def test_what_a_stopped_helper_was_asked_for_is_done_here(helper: Helper) -> None:
    never, later = helper.begin(signal.pause), helper.begin(pow, 2, 10)
    helper.stop()
    assert later() == 1024
    assert not helper.is_free
    assert never is not None


def test_arrow_does_without_pandas_until_a_frame_is_asked_for() -> None:
    told = """
import sys
from ecinstruct_build.lazily import spare_pandas
import pyarrow as pa
spare_pandas()
pa.table({"number": [1, None]})
print("pandas" in sys.modules)
print(pa.table({"number": [1, 2]}).to_pandas()["number"].sum())
import pandas as pd
print(pa.array(pd.Series([1.5, float("nan")])).null_count)
"""
    plain = "import sys, pyarrow as pa; pa.array([1]); print('pandas' in sys.modules)"
    said = subprocess.run([sys.executable, "-c", told], check=True, capture_output=True, text=True).stdout.split()
    assert said == ["False", "3", "1"]
    without = subprocess.run([sys.executable, "-c", plain], check=True, capture_output=True, text=True)
    assert without.stdout == "True\n"  # else there is nothing to be spared
