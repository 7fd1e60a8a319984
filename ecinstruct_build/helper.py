"""A second process that does some of the work beside this one.

It is started before there is work for it, so that its imports cost no time where a processor is idle. Whatever it is
asked for could be done here as well, and is, if it fails or has ended: so errors are raised as if there were no helper.
"""

import os
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Generator, Iterator
from functools import partial
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from threading import Thread
from types import TracebackType
from typing import Any, Generic, ParamSpec, Self, TypeVar

from ecinstruct_build.memory import peak_of, seldom_collect_garbage

P = ParamSpec("P")
T = TypeVar("T")

_PROGRAM = "import sys; sys.path[:] = sys.argv[3:]; from ecinstruct_build.helper import serve; serve()"


class Helper:
    """A second process, from its start on; use it as a context manager.

    Parameters
    ----------
    processes
        How many processes there may be; if only one, there is no second, and everything is done here.
    prepare
        What the second process does first. As all that it is asked for, a function that a module defines. If that is a
        generator, what comes after its first ``yield`` is done up to the next one whenever nothing is asked.
    """

    def __init__(self, processes: int, prepare: Callable[[], object]) -> None:
        self._processes, self._prepare = processes, prepare
        self._pipe: Connection | None = None
        self._asked: deque[_Asked[Any]] = deque()  # what no answer came to, in order

    def start(self) -> None:
        """Start the second process, if there may be one, it is not there, and the machine has room for it."""
        if self._processes == 1 or self._pipe is not None:
            return
        ours, theirs = Pipe()
        life, our_life = os.pipe()  # nothing is ever written: its end tells that this process ended
        try:
            self._process = subprocess.Popen(  # noqa: S603 - this very interpreter, and our own program
                [sys.executable, "-c", _PROGRAM, str(theirs.fileno()), str(life), *sys.path],
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno(), life],
                process_group=0,  # an interrupt is for the process that waits for this one
            )
        except OSError:  # no more processes, or no memory for one: everything is done here
            ours.close()
            os.close(our_life)
            return
        finally:
            theirs.close()
            os.close(life)
        self._pipe, self._life = ours, our_life
        self.begin(self._prepare)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """End the second process, whatever it does; what it did not answer is done here, if it is waited for."""
        if self._pipe is not None:
            self._process.kill()
            self._process.wait()
            self._pipe.close()
            os.close(self._life)
            self._pipe = None
            for asked in self._asked:
                asked.answer = False, None
            self._asked.clear()

    @property
    def peak_bytes(self) -> int:
        """The memory that it held at its largest."""
        return peak_of(self._process.pid) if self._pipe is not None else 0

    @property
    def is_there(self) -> bool:
        """Whether there is a second process at all."""
        return self._pipe is not None

    @property
    def is_free(self) -> bool:
        """Whether the second process would begin at once."""
        while self._pipe is not None and self._asked and self._pipe.poll():
            self._receive(self._pipe)
        return self.is_there and not self._asked

    def begin(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Callable[[], T]:
        """Ask the second process to call a function; call what is returned to wait for the result.

        It does one thing after the other. Where there is no such process, the function is called here, when its result
        is waited for.
        """
        call = partial(function, *args, **kwargs)
        if self._pipe is None:
            return call
        asked = _Asked(call)
        try:
            self._pipe.send(call)
            self._asked.append(asked)
        except OSError:
            asked.answer = False, None  # it has ended
        return partial(self._wait, self._pipe, asked)

    def _wait(self, pipe: Connection, asked: "_Asked[T]") -> T:
        while asked.answer is None:
            self._receive(pipe)
        succeeded, result = asked.answer
        return result if succeeded else asked.call()

    def _receive(self, pipe: Connection) -> None:
        """Receive the next answer; if the other process has ended, there is none."""
        try:
            answer = pipe.recv()
        except (EOFError, OSError):
            answer = False, None
        self._asked.popleft().answer = answer


class _Asked(Generic[T]):
    """A call that was asked for, and once it is there the answer: whether it succeeded, and the result."""

    def __init__(self, call: Callable[[], T]) -> None:
        self.call = call
        self.answer: tuple[bool, Any] | None = None


def share_processors() -> None:
    """Let Arrow take half of the processors: another process has work for the others at the same time."""
    import pyarrow as pa  # noqa: PLC0415 - whoever starts a helper should not wait for it

    pa.set_cpu_count(max(1, pa.cpu_count() // 2))


def serve() -> None:
    """Be the second process: answer one call after the other. The command line names its ends of the pipes."""
    seldom_collect_garbage()
    Thread(target=_end_with, args=[int(sys.argv[2])], daemon=True).start()
    with Connection(int(sys.argv[1])) as pipe:
        steps: Iterator[object] = iter(())
        while True:
            while not pipe.poll() and _done(steps):
                pass
            call = pipe.recv()
            try:
                result = call()
                if isinstance(result, Generator):
                    steps, result = result, next(result)
                answer = True, result
            except Exception:  # noqa: BLE001 - it is raised where the same is then tried again
                answer = False, None
            pipe.send(answer)


def _done(steps: Iterator[object]) -> bool:
    """Do one step; tell whether there was one. What a step failed to do is done by those who need it."""
    try:
        next(steps)
    except Exception:  # noqa: BLE001 - there is none left; or it failed, and they raise it
        return False
    return True


def _end_with(life: int) -> None:
    """End this process as soon as the other one ended, even if that was killed, so that nothing is written any more."""
    os.read(life, 1)
    os._exit(1)
