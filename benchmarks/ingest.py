"""Time ingest against `datasets` and pandas on one file of Amazon reviews, in the same run.

    python benchmarks/ingest.py [FILE.json.gz] [--reviews 300000] [--workers 2] [--repeat 1]

Without FILE a reviews file is generated. Each contender runs in a process of its own, first on a small file that is not
timed (so imports and the start of workers do not count). Ours does more than the others: it validates, quarantines,
collapses repeats and writes Parquet; `datasets` reads into its Arrow cache, pandas into frames that are thrown away.
Memory is the peak of the process plus, for ours, that of each worker (pages that they share are counted for each).
"""

import argparse
import gzip
import importlib
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

SOURCE = "amazon_reviews_2018"
SYLLABLES = ("ba", "co", "di", "fer", "gan", "hol", "is", "jun", "kel", "lo", "mar", "nat", "per", "quo", "tem", "vor")
OPTIONS = ("Size", "Color", "Style", "Pattern", "Package Quantity", "Format", "Flavor", "Scent", "Length", "Material")


def main() -> None:
    """Parse the command line and run every contender, or one of them for its parent."""
    parser = argparse.ArgumentParser(description="Time ingest against datasets and pandas.")
    parser.add_argument("file", nargs="?", type=Path, help="a reviews file, .json.gz; generated if left out")
    parser.add_argument("--reviews", type=int, default=300_000, help="reviews to generate")
    parser.add_argument("--workers", type=int, default=2, help="worker processes of our ingest")
    parser.add_argument("--repeat", type=int, default=1, help="runs of each; the fastest counts")
    parser.add_argument("--contender", choices=sorted(CONTENDERS), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.contender:
        print(json.dumps(CONTENDERS[options.contender](options.file, options.workers)))
        return
    with tempfile.TemporaryDirectory() as folder:
        file = options.file or generate(Path(folder, "Home_and_Kitchen.json.gz"), options.reviews)
        report(file, options.workers, options.repeat)


def report(file: Path, workers: int, repeat: int) -> None:
    """Run every contender in turn and print a line for each."""
    print(f"{file.name}: {file.stat().st_size / 1e6:.1f} MB compressed; {os.cpu_count()} cores, {workers} workers")
    print(f"{'':12}{'rows':>10}{'seconds':>10}{'rows/s':>10}{'against datasets':>18}{'cpu s':>8}{'peak MiB':>10}")
    results: dict[str, dict[str, float]] = {}
    for _ in range(repeat):  # in turn, so that a busy moment of the machine does not fall on one alone
        for name in CONTENDERS:
            command = [sys.executable, __file__, str(file), "--workers", str(workers), "--contender", name]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode:
                print(f"{name:12}failed: {done.stderr.strip().splitlines()[-1]}")
                continue
            result = json.loads(done.stdout.splitlines()[-1])
            results[name] = min(results.get(name, result), result, key=lambda either: float(either["seconds"]))
    base = results.get("datasets")
    for name, result in results.items():
        speed = result["rows"] / result["seconds"]
        ratio = f"{speed / (base['rows'] / base['seconds']):.2f}" if base else "-"
        print(
            f"{name:12}{result['rows']:>10,.0f}{result['seconds']:>10.2f}{speed:>10,.0f}{ratio:>18}"
            f"{result['cpu']:>8.1f}{result['peak']:>10,.0f}"
        )


def measure(run: Callable[[Path], int], file: Path, processes: int = 0) -> dict[str, float]:
    """Time ``run``, which returns how many rows of a file it read."""
    with tempfile.TemporaryDirectory() as folder:
        run(generate(Path(folder, file.name), 2000))
    before = _cpu(resource.RUSAGE_SELF)
    start = time.perf_counter()
    rows = run(file)
    seconds = time.perf_counter() - start
    return {"rows": rows, "seconds": seconds, "cpu": _cpu(resource.RUSAGE_SELF) - before, "processes": processes}


def with_children(result: dict[str, float]) -> dict[str, float]:
    """Add the peak memory in MiB of this process and its finished children, and the children's processor time."""
    own, child = (resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    cpu = result["cpu"] + _cpu(resource.RUSAGE_CHILDREN)
    return result | {"peak": (own + result["processes"] * child) / 1024, "cpu": cpu}


def _cpu(who: int) -> float:
    usage = resource.getrusage(who)
    return usage.ru_utime + usage.ru_stime


def run_ours(file: Path, workers: int) -> dict[str, float]:
    """Ingest into canonical tables."""
    from concurrent.futures import ProcessPoolExecutor  # noqa: PLC0415 - each contender pays for its own imports

    from ecinstruct_build.ingesting.ingest import ingest_file  # noqa: PLC0415
    from ecinstruct_build.ingesting.readers import Limits  # noqa: PLC0415
    from ecinstruct_build.registry import SOURCES  # noqa: PLC0415

    importlib.import_module("pandas")  # Arrow imports it at its first array; as in the pipeline, before workers start
    source = SOURCES.get(SOURCE)

    def ingest(path: Path) -> int:
        # Blocks small enough for every worker to get some of a small file.
        limits = Limits(block_bytes=min(Limits().block_bytes, max(1 << 16, path.stat().st_size // 4)))
        with tempfile.TemporaryDirectory() as folder:
            out, scratch = Path(folder, "out"), Path(folder, "scratch")
            return ingest_file(path, source, path.name, out, scratch, pool, lambda _: None, limits).records

    with ProcessPoolExecutor(workers) as pool:
        result = measure(ingest, file, workers)
    return with_children(result)


def run_datasets(file: Path, _: int) -> dict[str, float]:
    """Load with the JSON loader of `datasets`."""
    os.environ["HF_HUB_OFFLINE"] = "1"
    import datasets  # noqa: PLC0415

    datasets.disable_progress_bars()

    def load(path: Path) -> int:
        with tempfile.TemporaryDirectory() as cache:
            return len(datasets.load_dataset("json", data_files=str(path), split="train", cache_dir=cache))

    return with_children(measure(load, file))


def run_pandas(file: Path, _: int) -> dict[str, float]:
    """Read in chunks with pandas."""
    import pandas as pd  # noqa: PLC0415

    def read(path: Path) -> int:
        with pd.read_json(path, lines=True, chunksize=50_000) as chunks:
            return sum(len(chunk) for chunk in chunks)

    return with_children(measure(read, file))


def generate(path: Path, reviews: int) -> Path:
    """Write a file of reviews in upstream's form, one in fifty repeated."""
    rng = random.Random(0)
    words = ["".join(rng.choices(SYLLABLES, k=rng.randint(1, 4))) for _ in range(5000)]
    with gzip.open(path, "wb", compresslevel=3) as file:
        for number in range(reviews):
            record = {
                "overall": float(rng.randint(1, 5)),
                "verified": rng.random() < 0.9,
                "reviewTime": "05 29, 2018",
                "reviewerID": f"A{rng.randrange(10**6):013d}",
                "asin": f"B{rng.randrange(10**5):09d}",
                "reviewerName": " ".join(rng.choices(words, k=2)),
                "reviewText": " ".join(rng.choices(words, k=1 + int(rng.expovariate(1 / 55)))),
                "summary": " ".join(rng.choices(words, k=4)),
                "unixReviewTime": 1_400_000_000 + number,
            }
            # What upstream has in some records only: keys of style differ by product, and any of these may be absent.
            if rng.random() < 0.6:
                record["style"] = {f"{option}:": " Large" for option in rng.sample(OPTIONS, rng.randint(1, 2))}
            if number % 9 == 0:
                record["vote"] = "1,341"
            if number % 40 == 0:
                record["image"] = ["https://images.example/1.jpg"]
            if number % 200 == 0:
                del record["reviewText"]
            line = json.dumps(record).encode() + b"\n"
            file.write(line * (2 if number % 50 == 0 else 1))
    return path


CONTENDERS = {"ours": run_ours, "datasets": run_datasets, "pandas": run_pandas}

if __name__ == "__main__":
    main()
