"""Build the paper's recipe over generated corpora, and hold its counts against the paper's.

    python benchmarks/paper_counts.py

Prints the rows of each task and split, their sums beside the paper's 92,022 / 9,253 / 9,253 and 6,000 out of domain,
what `ecinstruct parity` counts, the seconds and the memory. The exit status is 1 if any count is another one, or a
difference is unexplained. The corpora and the dataset need about 3 GB of disk for as long as it runs.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any, get_args

from ecinstruct_build.parity.compare import Parity, Verdict, compare, read_facts
from ecinstruct_build.parity.measure import measure
from ecinstruct_build.recipe import load_recipe

SPLITS = ("train", "validation", "test", "test_ood")


def ecinstruct(*arguments: str) -> float:
    """Run the command; return its seconds."""
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", "from ecinstruct_build.cli import main; main()", *arguments], check=True)
    return time.perf_counter() - started


def generate(raw: Path, scale: float, breadth: float, seed: int) -> float:
    """Write the corpora that the recipe reads; return the seconds."""
    wanted = [argument for name in load_recipe("ecinstruct").sources for argument in ("--sources", name)]
    size = ["--scale", str(scale), "--breadth", str(breadth), "--seed", str(seed)]
    return ecinstruct("sample-corpora", str(raw), *wanted, *size, "--quiet")


def print_counts(rows: dict[str, Counter[str]], facts: dict[str, Any]) -> bool:
    """Print the table of counts; return whether all are the paper's."""
    right = True
    print(f"{'task':35}" + "".join(f"{split:>12}" for split in SPLITS))
    for task in (name for name in facts["corpora"] if name != "from"):
        paper = dict(facts["counts"].get(task, facts["counts"]["each"]))
        paper["test_ood"] = facts["out_of_domain"]["test_ood"] if task in facts["out_of_domain"]["tasks"] else 0
        ours = {split: rows.get(task, Counter())[split] for split in SPLITS}
        right &= ours == paper
        print(f"{task:35}" + "".join(f"{ours[split]:>12,}" for split in SPLITS) + ("" if ours == paper else "  <"))
    ours = {split: sum(found[split] for found in rows.values()) for split in SPLITS}
    for name, sums in (("all", ours), ("the paper", facts["totals"])):
        print(f"{name:35}" + "".join(f"{sums[split]:>12,}" for split in SPLITS) + f"  = {total(sums):,}")
    return right and total(ours) == facts["size"]["examples"]


def total(sums: dict[str, int]) -> int:
    """Return the examples of all splits."""
    return sum(sums[split] for split in SPLITS)


def print_verdicts(parity: Parity) -> bool:
    """Print how many differences there are of each kind, and those without a reason; return whether there are none."""
    counts = Counter(line.verdict for line in parity.lines)
    print("parity: " + ", ".join(f"{counts[verdict]} {verdict}" for verdict in get_args(Verdict)))
    for line in parity.lines:
        if line.verdict != "same":
            print(f"  {line.verdict}: {line.task}, {line.what}: {line.ours}; the paper {line.original}. {line.reason}")
    return parity.passed


def main() -> None:
    """Generate, build, compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", type=float, default=40.0)
    parser.add_argument("--breadth", type=float, default=8.0)
    parser.add_argument("--seed", type=int, default=0, help="of the generated corpora")
    parser.add_argument("--folder", type=Path, help="keep corpora, work and dataset here")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary)
        raw, out = folder / "raw", folder / "dataset"
        generating = generate(raw, options.scale, options.breadth, options.seed)
        places = ["--raw", str(raw), "--out", str(out), "--work", str(folder / "work")]
        building = ecinstruct("build", "ecinstruct", *places, "--quiet")
        dataset, facts = measure(out), read_facts()
    right = print_counts({task: found.rows for task, found in dataset.tasks.items()}, facts)
    passed = print_verdicts(compare(dataset, facts))
    print(f"corpora {generating:.0f} s, build {building:.0f} s, {generating + building:.0f} s together")
    print(f"peak memory of the build {dataset.manifest['peak_memory_bytes'] / 2**30:.1f} GiB at most")
    sys.exit(0 if right and passed else 1)


if __name__ == "__main__":
    main()
