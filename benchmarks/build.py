"""Time a whole build and the regeneration of its splits, on generated corpora.

    python benchmarks/build.py --scale 50

Scale 50 is about a million reviews. Prints seconds, peak memory as the manifest bounds it, and what share of the
whole build the splits take when they are regenerated with another seed: each time by a command of its own, from the
start of the process to its end, and with several seeds in one command.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

SEEDS = (7, 8, 9, 10, 11)


def run(command: str, raw: Path, folder: Path, *options: str) -> tuple[float, dict[str, Any]]:
    """Run an ``ecinstruct`` command on the corpora; return its seconds and its manifest."""
    places = ["--raw", str(raw), "--out", str(folder / "dataset"), "--work", str(folder / "work"), "--json"]
    started = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", "from ecinstruct_build.cli import main; main()", command, "sample", *places, *options],
        check=True,
        capture_output=True,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": ""},  # what is installed has its byte code, so here it is kept
    )
    return time.perf_counter() - started, json.loads(done.stdout)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", type=float, default=50.0)
    parser.add_argument("--raw", type=Path, help="use these corpora instead of generating some")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        raw = options.raw or folder / "corpora"
        if options.raw is None:
            command = ["sample-corpora", str(raw), "--scale", str(options.scale), "--quiet"]
            subprocess.run(
                [sys.executable, "-c", "from ecinstruct_build.cli import main; main()", *command], check=True
            )
        whole, manifest = run("build", raw, folder)
        again, _ = run("build", raw, folder)
        split = statistics.median(run("splits", raw, folder, "--seed", str(seed))[0] for seed in SEEDS)
        several, _ = run("splits", raw, folder, "--seeds", ",".join(str(seed + 100) for seed in SEEDS))
    reviews = sum(entry["rows"].get("review", 0) for entry in manifest["inputs"])
    by_stage: dict[str, float] = {}
    for stage in manifest["stages"]:
        by_stage[stage["stage"]] = by_stage.get(stage["stage"], 0.0) + stage["seconds"]
    print(f"reviews            {reviews:12,}")
    print(f"records            {sum(entry['records'] for entry in manifest['inputs']):12,}")
    print(f"whole build        {whole:12.1f} s")
    for name, seconds in by_stage.items():
        print(f"  {name:16} {seconds:12.1f} s")
    print(f"nothing changed    {again:12.1f} s  {again / whole:6.1%} of the whole")
    print(f"splits regenerated {split:12.1f} s  {split / whole:6.1%} of the whole (median of {len(SEEDS)})")
    each = several / len(SEEDS)
    print(f"several at once    {each:12.1f} s  {each / whole:6.1%} of the whole, for each of {len(SEEDS)} seeds")
    print(f"peak memory        {manifest['peak_memory_bytes'] / 2**20:12.0f} MiB at most")


if __name__ == "__main__":
    main()
