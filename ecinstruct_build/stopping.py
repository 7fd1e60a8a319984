"""The end that others ask of a process: by SIGTERM, or by SIGHUP when its terminal closes."""

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Timer, get_ident
from types import FrameType

_SIGNALS = (signal.SIGTERM, signal.SIGHUP)


_AGAIN = 0.01  # seconds after which a request is made again


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

    def ask_again(lost: "sys.UnraisableHookArgs") -> None:
        # It came while an object was being destroyed, where Python lets nothing through.
        if came and isinstance(lost.exc_value, KeyboardInterrupt):
            Timer(_AGAIN, signal.pthread_kill, (get_ident(), came[0])).start()
        else:
            hook(lost)

    heeded = [number for number in _SIGNALS if signal.getsignal(number) == signal.SIG_DFL]
    for number in heeded:
        signal.signal(number, interrupt)
    hook, sys.unraisablehook = sys.unraisablehook, ask_again
    try:
        yield
    except BaseException as end:
        done = isinstance(end, SystemExit) and not end.code
        if came and not done:  # whatever failed then: the processes that work for this one may have been asked, too
            raise SystemExit(128 + came[0]) from None
        raise
    finally:
        sys.unraisablehook = hook
        for number in heeded:
            signal.signal(number, signal.SIG_DFL)
