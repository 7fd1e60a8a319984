"""Ask whether there is room on the disk before it is filled."""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from ecinstruct_build.fetching.partial import OutOfRoom

RESERVE = 64 << 20
"""Bytes of every disk that are left to others."""


def require(folder: Path, size: int) -> None:
    """See to it that a folder's disk has room for so many bytes more.

    Raises
    ------
    OutOfRoom
        If it has not.
    """
    require_all({folder: size})


def require_all(sizes: Mapping[Path, int]) -> None:
    """See to it that the disks of some folders have room for so many bytes more in each.

    Raises
    ------
    OutOfRoom
        If one has not.
    """
    needed: dict[int, int] = {}
    there: dict[int, Path] = {}
    for folder, size in sizes.items():
        place = _nearest(folder)
        device = place.stat().st_dev
        needed[device] = needed.get(device, 0) + max(0, size)
        there.setdefault(device, place)
    for device, place in there.items():
        free = shutil.disk_usage(place).free
        if needed[device] and needed[device] + RESERVE > free:
            raise OutOfRoom(
                f"{in_units(needed[device])} are still to come, and the disk that holds {place} has {in_units(free)} "
                f"left, of which {in_units(RESERVE)} are kept free. Make room, or put the corpora on another disk."
            )


def _nearest(folder: Path) -> Path:
    """Return the folder, or the nearest above it that is there."""
    place = Path(os.path.abspath(folder))  # noqa: PTH100 - links are followed by stat, names need not be there
    while not place.exists():
        place = place.parent
    return place


def in_units(size: int) -> str:
    """Return bytes in the unit that people read: "1.5 GB"."""
    value = float(size)
    for unit in ("bytes", "kB", "MB", "GB"):
        if value < 1000:
            return f"{value:.0f} {unit}" if unit == "bytes" or value >= 100 else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} TB"
