"""How patiently files are fetched, and what archives may hold."""

import threading
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class FetchSettings:
    """How to fetch.

    Attributes
    ----------
    retries
        How often an address is asked again after a failure that may pass, while nothing more comes.
    first_wait, longest_wait
        Seconds before the first such try, doubled for each further one, and at most; also the most that a server's
        ``Retry-After`` is heeded.
    connect_timeout, stall_timeout
        Seconds to wait for a connection; for a server that sends nothing.
    least_rate
        Bytes a second, over the time of a stall, below which a server counts as stalled too.
    per_host
        Connections to one host at a time.
    redirects
        Redirections to follow one after another.
    keep_archives
        Whether an archive stays beside what was unpacked from it.
    most_unpacked, ratio
        Bytes that an archive may unpack to, in all; and how many times its own size.
    wait
        Waits so many seconds, or until the event is set.
    """

    retries: int = 5
    first_wait: float = 1.0
    longest_wait: float = 120.0
    connect_timeout: float = 30.0
    stall_timeout: float = 60.0
    least_rate: int = 500
    per_host: int = 2
    redirects: int = 10
    keep_archives: bool = False
    most_unpacked: int = 2**40
    ratio: int = 200
    wait: Callable[[threading.Event, float], object] = threading.Event.wait
