"""Writes all sample corpora: one job a file or group of files, in worker processes, then one rename."""

import multiprocessing
import signal
from collections import Counter
from collections.abc import Callable, Collection, Generator, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from ecinstruct_build.beside import folder_beside, put_right, swap_in
from ecinstruct_build.durable import sync_tree
from ecinstruct_build.errors import UserError, did_you_mean
from ecinstruct_build.sample_corpora import (
    abt_buy,
    ae110k,
    amazon_google,
    amazon_m2,
    amazon_reviews_2023,
    amazonqa,
    deepmatcher,
    esci,
    ledger,
    mave,
    mcauley_qa,
    metadata_2018,
    oa_mine,
    reviews_2014,
    reviews_2018,
    walmart_amazon,
    wdc_products,
)
from ecinstruct_build.sample_corpora.shared_texts import partnered
from ecinstruct_build.sample_corpora.vocabulary import CATEGORIES
from ecinstruct_build.sample_corpora.world import World

LEDGER = "ledger.jsonl"
USUAL = ("amazon_google", "amazon_reviews_2014", "amazon_reviews_2018", "amazonqa", "esci", "mave")
"""The sources that are written where nobody says which: those of the sample recipe."""

_OTHERS = (amazon_m2, mcauley_qa, abt_buy, walmart_amazon, deepmatcher, wdc_products, ae110k, oa_mine)

_Written = tuple[dict[str, int], list[ledger.Entry]]


@dataclass(frozen=True)
class Summary:
    """What was written.

    Attributes
    ----------
    out
        The folder that holds one folder a source, and the ledger.
    files
        Lines (or rows) of every file, by path within ``out``, sorted.
    planted
        Number of planted defects by kind, sorted.
    reviews
        Lines of the 2018 and 2014 review files together.
    """

    out: Path
    files: dict[str, int]
    planted: dict[str, int]
    reviews: int


@dataclass(frozen=True)
class _Job:
    """One file, or a group of files that are written together."""

    source: str
    write: Callable[..., _Written]
    arguments: tuple[int, ...] = ()


def write_sample_corpora(
    out: Path,
    scale: float = 1.0,
    seed: int = 0,
    jobs: int = 2,
    progress: Callable[[str, int], None] | None = None,
    *,
    breadth: float = 1.0,
    sources: Collection[str] = USUAL,
) -> Summary:
    """Write the sample corpora: ``<out>/<source>/<upstream name>`` and ``<out>/ledger.jsonl``.

    The same scale, breadth and seed give the same bytes, whatever ``jobs`` and whichever other sources are written. The
    folder appears whole or not at all; one that holds earlier sample corpora is replaced.

    Parameters
    ----------
    out
        Where the corpora go.
    scale
        Size: 1 is about 20,000 reviews of 2,000 products. Reviews grow in proportion; above 1, products, queries and
        questions grow with its 0.7th power.
    seed
        Decides everything that is chosen.
    jobs
        Worker processes.
    progress
        Called as ``progress(file, lines)`` when a file is done.
    breadth
        How many times more products, queries and questions there are for the same number of reviews.
    sources
        The corpora to write, by the names of their adapters; see `written_sources`.

    Raises
    ------
    UserError
        If ``scale`` or ``breadth`` is not positive, a source is not written, ``out`` holds something else, or another
        run is writing it.
    """
    _refuse_senseless(out, scale, breadth, sources)
    world = World(seed, float(scale), float(breadth))
    place = out.resolve()
    place.parent.mkdir(parents=True, exist_ok=True)
    put_right(place)
    with folder_beside(place) as folder:
        written = _run(world, folder, [job for job in _jobs() if job.source in sources], jobs, progress)
        entries = partnered([entry for _, planted in written for entry in planted])
        (folder / LEDGER).write_bytes(ledger.encode(entries))
        sync_tree(folder)
        swap_in(folder, place)
    files = {path: lines for counts, _ in written for path, lines in counts.items()}
    planted = Counter(entry.kind for entry in entries)
    reviews = sum(lines for path, lines in files.items() if path.endswith("_5.json.gz"))
    return Summary(out, dict(sorted(files.items())), dict(sorted(planted.items())), reviews)


def _refuse_senseless(out: Path, scale: float, breadth: float, sources: Collection[str]) -> None:
    """Raise an error about what cannot be written."""
    if not 0 < scale < 10_000:
        raise UserError(f"The scale of the sample corpora must be above 0 and below 10000, not {scale}.")
    if not 0 < breadth <= 100:
        raise UserError(f"The breadth of the sample corpora must be above 0 and at most 100, not {breadth}.")
    for source in sources:
        if source not in written_sources():
            raise UserError(
                f"There is no sample corpus of '{source}'.{did_you_mean(source, written_sources())} "
                f"There are: {', '.join(written_sources())}."
            )
    if out.exists() and not (out / LEDGER).exists() and (not out.is_dir() or any(out.iterdir())):
        raise UserError(f"{out} exists and does not hold sample corpora; name another folder.")


def written_sources() -> list[str]:
    """Return the names of all sources that there are sample corpora of, sorted."""
    return sorted({job.source for job in _jobs()})


def _jobs() -> list[_Job]:
    """Return all jobs in the order of the ledger; the long ones come first."""
    numbers = range(len(CATEGORIES))
    return [
        *(_Job(reviews_2018.SOURCE, reviews_2018.write, (number,)) for number in numbers),
        _Job(reviews_2014.SOURCE, reviews_2014.write_reviews),
        _Job(esci.SOURCE, esci.write),
        _Job(amazonqa.SOURCE, amazonqa.write),
        *(_Job(metadata_2018.SOURCE, metadata_2018.write, (number,)) for number in numbers),
        _Job(mave.SOURCE, mave.write),
        _Job(reviews_2014.SOURCE, reviews_2014.write_metadata),
        _Job(amazon_google.SOURCE, amazon_google.write),
        *(_Job(amazon_reviews_2023.SOURCE, amazon_reviews_2023.write_reviews, (number,)) for number in numbers),
        *(_Job(amazon_reviews_2023.SOURCE, amazon_reviews_2023.write_metadata, (number,)) for number in numbers),
        *(_Job(module.SOURCE, module.write) for module in _OTHERS),
    ]


def _run(
    world: World, folder: Path, todo: list[_Job], jobs: int, progress: Callable[[str, int], None] | None
) -> list[_Written]:
    """Do all jobs; results come back in the order of the jobs."""
    done: dict[int, _Written] = {}
    with closing(_results(world, folder, todo, jobs)) as results:
        for number, result in results:
            done[number] = result
            for path, lines in result[0].items():
                if progress:
                    progress(path, lines)
    return [done[number] for number in range(len(todo))]


def _results(world: World, folder: Path, todo: list[_Job], jobs: int) -> Generator[tuple[int, _Written]]:
    if jobs <= 1:
        yield from ((number, _do(job, world, folder)) for number, job in enumerate(todo))
        return
    # Processes are spawned, for forking one that has threads (of an engine, say) is not safe.
    context = multiprocessing.get_context("spawn")
    others = multiprocessing.active_children()
    with ProcessPoolExecutor(min(jobs, len(todo)), mp_context=context) as pool:
        try:
            with _uninterrupted():
                futures = {pool.submit(_do, job, world, folder): number for number, job in enumerate(todo)}
            for future in as_completed(futures):
                yield futures[future], future.result()
        except BaseException:  # nobody wants the rest any more, and the folder goes with it
            for process in multiprocessing.active_children():
                if process not in others:
                    process.kill()
            raise


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """Put an interrupt off; processes that are started meanwhile heed none, for the one that waits ends them."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _do(job: _Job, world: World, folder: Path) -> _Written:
    counts, entries = job.write(world, *job.arguments, folder / job.source)
    return {f"{job.source}/{file}": lines for file, lines in counts.items()}, entries
