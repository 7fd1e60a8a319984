"""Worker processes: started once for a build, only if there is work for them, and never left behind."""

import multiprocessing
import multiprocessing.util
import os
import tempfile
from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import ExitStack, contextmanager
from threading import Lock, Thread

from ecinstruct_build.errors import UserError
from ecinstruct_build.memory import seldom_collect_garbage

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # as malloc.h numbers them
_KEPT_BYTES = 64 << 20

_LONGEST_FOLDER = 104 - len("/pymp-12345678/listener-12345678") - 1  # macOS has 104 bytes for a whole path, Linux 108
_SHORT_FOLDER = "/tmp"  # noqa: S108 - multiprocessing makes a folder of its own in it, for this user alone


class Workers:
    """Worker processes, started when first asked for.

    Parameters
    ----------
    stack
        Ends them.
    jobs
        How many there may be; if only one, there are none, and everything is done in this process.
    """

    def __init__(self, stack: ExitStack, jobs: int) -> None:
        self._stack, self._jobs = stack, jobs
        self._lock = Lock()
        self._pool: Executor | None = None

    def __call__(self) -> Executor | None:
        """Return them, or None where there is to be one process only."""
        with self._lock:
            if self._pool is None:
                self._pool = self._stack.enter_context(worker_pool(self._jobs))
            return self._pool

    def start(self) -> None:
        """Have them start: a pool waits with that until there is something to do."""
        if self._pool is None and (pool := self()):
            for _ in range(self._jobs):
                pool.submit(os.getpid)


@contextmanager
def worker_pool(jobs: int) -> Iterator[Executor | None]:
    """Offer worker processes, or None where there is to be one process only."""
    if jobs == 1:
        yield None
        return
    from concurrent.futures import ProcessPoolExecutor  # noqa: PLC0415 - only what starts workers need wait for it

    _place_sockets()
    # For the workers, whose NumPy multiplies nothing: threads for that would look for work that there is none of.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    context = multiprocessing.get_context("forkserver")
    # Arrow imports pandas at its first array: once for all workers is enough.
    context.set_forkserver_preload(["ecinstruct_build.ingesting.ingest", "pandas"])
    with ProcessPoolExecutor(jobs, mp_context=context, initializer=_prepare_worker) as pool:
        yield pool


def _place_sockets() -> None:
    """Have multiprocessing put its sockets into a folder with a short name, where that of TMPDIR is too long for them.

    Raises
    ------
    UserError
        If there is no such folder.
    """
    usual = tempfile.gettempdir()
    if len(os.fsencode(usual)) <= _LONGEST_FOLDER:
        return
    tempfile.tempdir = _SHORT_FOLDER
    try:
        multiprocessing.util.get_temp_dir()  # from then on it is the same
    except OSError as error:
        raise UserError(
            f"The name of the folder for temporary files, {usual}, is too long for the sockets of worker processes, "
            f"and {_SHORT_FOLDER} cannot be used instead ({error.strerror}). Set TMPDIR to a folder with a name of at "
            f"most {_LONGEST_FOLDER} bytes, or do without workers (--jobs 1)."
        ) from error
    finally:
        tempfile.tempdir = usual


def _prepare_worker() -> None:
    """Keep the memory of one block for the next: the system would clear it each time, a tenth of the work."""
    import ctypes  # noqa: PLC0415 - stored results need neither

    import pyarrow as pa  # noqa: PLC0415

    Thread(target=_end_with_parent, daemon=True).start()
    seldom_collect_garbage()
    pa.set_memory_pool(pa.system_memory_pool())
    settle = getattr(ctypes.CDLL(None), "mallopt", None)  # glibc has it
    if settle:
        settle(_TRIM_THRESHOLD, _KEPT_BYTES)
        settle(_MMAP_THRESHOLD, _KEPT_BYTES)


def _end_with_parent() -> None:
    """End this worker when the process that started it has ended: if that was killed, nobody else tells it."""
    if parent := multiprocessing.parent_process():
        parent.join()
        os._exit(1)
