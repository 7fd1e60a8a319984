"""Write a folder beside its place and swap it in, so that it is there whole or not at all."""

import fcntl
import glob
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ecinstruct_build.durable import sync
from ecinstruct_build.errors import UserError


def put_right(out: Path) -> None:
    """Undo what killed runs left: bring back a folder that was moved aside, clear half-written ones away.

    Raises
    ------
    UserError
        If another run is writing the folder.
    """
    old = _old(out)
    if old.exists() and not out.exists():
        old.rename(out)
    for building in sorted(out.parent.glob(f".{glob.escape(out.name)}.building-*")):
        if _is_held(building):
            raise UserError(f"Another run is writing {out}. Wait for it, or choose another folder.")
        shutil.rmtree(building)
    if old.exists():
        shutil.rmtree(old)


@contextmanager
def folder_beside(out: Path) -> Iterator[Path]:
    """Yield a new folder next to ``out``, locked while this process lives; remove what is left of it."""
    building = out.parent / f".{out.name}.building-{os.getpid()}"
    building.mkdir()
    lock = os.open(building, os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield building
    finally:
        os.close(lock)
        shutil.rmtree(building, ignore_errors=True)


def swap_in(building: Path, out: Path) -> None:
    """Put a folder in the place of ``out``, which stays what it was if that fails."""
    old = _old(out)
    if out.exists():
        out.rename(old)
    try:
        building.rename(out)
    except BaseException:
        if old.exists() and not out.exists():
            old.rename(out)
        raise
    sync(out.parent)
    shutil.rmtree(old, ignore_errors=True)


def _is_held(building: Path) -> bool:
    lock = os.open(building, os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(lock)
    return False


def _old(out: Path) -> Path:
    return out.parent / f".{out.name}.old"
