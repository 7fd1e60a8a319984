"""What is written shall outlive a power cut."""

import errno
import os
from pathlib import Path

DISK_FULL = (errno.ENOSPC, errno.EDQUOT)
"""Numbers of the errors that say there is no room left, on the disk or in the user's share of it."""


def sync(path: Path) -> None:
    """Flush a file's content, or a folder's entries, to disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sync_tree(folder: Path) -> None:
    """Flush everything in a folder, and the folder itself, to disk."""
    for path in sorted(folder.rglob("*")):
        sync(path)
    sync(folder)
