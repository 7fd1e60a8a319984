"""How much memory processes held at their largest, and how often they look for what they no longer need."""

import gc
import re
import resource
from pathlib import Path

_PEAK = re.compile(r"^VmHWM:\s+(\d+) kB$", re.MULTILINE)


def peak_of(pid: int) -> int:
    """Return the largest memory that a living process has held, in bytes; 0 where the system does not say."""
    try:
        found = _PEAK.search(Path(f"/proc/{pid}/status").read_text())
    except OSError:
        return 0
    return 1024 * int(found[1]) if found else 0


def own_peak() -> int:
    """Return the largest memory that this process has held, in bytes."""
    return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def largest_child() -> int:
    """Return the largest memory that any ended child process has held, in bytes."""
    return 1024 * resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss


def seldom_collect_garbage() -> None:
    """Look for unreachable objects less often: what a build makes or imports is held to the end.

    By default Python looks through all objects again and again while many are made, which takes a tenth of the time.
    """
    gc.set_threshold(200_000, 50, 1_000)
    gc.freeze()  # and never again among what is there now
