"""What tests share, made once for all the processes that run them."""

import os
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest
from filelock import FileLock

T = TypeVar("T")


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], T]) -> T:
    """Return what ``make(folder)`` returned to the first process of the run that asked for ``name``.

    The folder stays for all tests to read; a test that writes works on a copy. What a process that died left
    unfinished is made anew.

    Parameters
    ----------
    factory
        Pytest's own, which knows the folder of the run.
    name
        What is made; one name for one ``make``.
    make
        Fills a new folder and returns something that can be pickled.
    """
    run = factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        run = run.parent  # every worker has a folder of its own in the folder of the run
    folder, finished, unfinished = (run / f"shared-{name}{end}" for end in ("", ".pickle", ".part"))
    with FileLock(run / f"shared-{name}.lock"):
        if not finished.exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            unfinished.write_bytes(pickle.dumps(make(folder)))
            unfinished.rename(finished)
    return pickle.loads(finished.read_bytes())  # type: ignore[no-any-return]
