"""Time the sample corpora generator: ``python benchmarks/sample_corpora.py [--scale 50] [--jobs 2]``.

Prints reviews a second over the whole generation (every corpus, not reviews alone), by the clock and by the processor,
with the size on disk and the largest memory of a worker. The goal is 50,000 reviews/s on two cores at scale 50.
"""

import argparse
import resource
import tempfile
import time
from pathlib import Path

from ecinstruct_build.sample_corpora import write_sample_corpora


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", type=float, default=50.0)
    parser.add_argument("--jobs", type=int, default=2)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        summary = write_sample_corpora(Path(folder) / "corpora", scale=arguments.scale, jobs=arguments.jobs)
        seconds = time.perf_counter() - started
        size = sum(path.stat().st_size for path in summary.out.rglob("*") if path.is_file())
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    busy = sum(usage.ru_utime + usage.ru_stime for usage in usages)
    peak = max(usage.ru_maxrss for usage in usages) / 1024
    print(f"scale {arguments.scale:g}, {arguments.jobs} jobs: {summary.reviews:,} reviews, {size / 1e6:,.0f} MB")
    print(f"by the clock      {seconds:7.1f} s   {summary.reviews / seconds:10,.0f} reviews/s")
    print(f"by the processor  {busy:7.1f} s   {summary.reviews / busy:10,.0f} reviews/s a core")
    print(f"largest process   {peak:7.0f} MiB")


if __name__ == "__main__":
    main()
