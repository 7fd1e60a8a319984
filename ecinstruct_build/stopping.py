"""The end that others ask of a process: by SIGTERM, or by SIGHUP when its terminal closes."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_SIGNALS = (signal.SIGTERM, signal.SIGHUP)


@contextmanager
def stopping_as_if_interrupted() -> Iterator[None]:
    """Take a request to end for an interrupt, so that all that is unfinished is put away.

    What the process was told to ignore, as ``nohup`` does, it ignores.

    Raises
    ------
    SystemExit
        If there was one: its status is 128 and the signal's number, as a shell has it.
    """
    came: list[int] = []

    def interrupt(number: int, _frame: FrameType | None) -> None:
        came.append(number)
        raise KeyboardInterrupt

    heeded = [number for number in _SIGNALS if signal.getsignal(number) == signal.SIG_DFL]
    for number in heeded:
        signal.signal(number, interrupt)
    try:
        yield
    except BaseException:
        if came:  # whatever failed then: the processes that work for this one may have been asked to end as well
            raise SystemExit(128 + came[0]) from None
        raise
    finally:
        for number in heeded:
            signal.signal(number, signal.SIG_DFL)
