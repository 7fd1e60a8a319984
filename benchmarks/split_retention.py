"""Measure what the split keeps of real sessions and purchase histories, beside hashing each product.

    python benchmarks/split_retention.py [CORPORA] [--seed N]

CORPORA holds upstream files as `<source>/<upstream name>` (default: $ECINSTRUCT_REAL_CORPORA).
Sessions are judged by the policy `strict` (every product of a session in one split) and users' histories, the last
purchase being the answer, by `strict` and by `trim`. Hashing gives each product and user a split by its own hash.
"""

import argparse
import gzip
import json
import os
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pyarrow.parquet as pq

from ecinstruct_build import chance
from ecinstruct_build.example import Example, Item
from ecinstruct_build.splits import Split
from ecinstruct_build.task import LeakagePolicy, Quota, TaskSettings
from quality.leakage import Assignment, assign
from quality.packing import draw_share

WEIGHTS: Mapping[Split, float] = {"train": 10, "validation": 1, "test": 1}
NO_LIMIT = Quota(train=10**9, validation=10**9, test=10**9)
HISTORIES = (
    "amazon_reviews_2018/Magazine_Subscriptions_5.json.gz",
    "amazon_reviews_2018/AMAZON_FASHION_5.json.gz",
    "amazon_reviews_2014/reviews_Digital_Music_5.json.gz",
)


def sessions(corpora: Path) -> list[Example]:
    rows = {}
    for name in ("task2_public_test_sessions_test", "task3_test_phrase1_sessions_test"):
        table = pq.read_table(corpora / f"amazon_m2/{name}.parquet", columns=["prev_items", "locale"])
        for number, row in enumerate(table.to_pylist()):
            products = tuple(sorted({f"asin:{item}" for item in row["prev_items"]}))
            rows[f"{name}:{number}"] = Example(
                "sessions", "amazon_m2", f"{name}:{number}", "ind", row["locale"].lower(), products, {}, ""
            )
    return list(rows.values())


def histories(path: Path) -> list[Example]:
    bought: dict[str, dict[str, int]] = {}
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            review = json.loads(line)
            times = bought.setdefault(review["reviewerID"], {})
            times[review["asin"]] = min(review["unixReviewTime"], times.get(review["asin"], 2**40))
    examples = []
    for user, times in bought.items():
        items = [f"asin:{asin}" for asin in sorted(times, key=lambda asin: (times[asin], asin))]
        if len(items) >= 2:
            context = tuple(Item(item, "") for item in items[:-1])
            groups = (f"user:{user}",)
            examples.append(
                Example("history", "x", user, "ind", "us", (items[-1],), {}, "", groups=groups, context=context)
            )
    return examples


def by_hashing(examples: Sequence[Example], policy: LeakagePolicy, seed: int) -> list[tuple[str | None, int]]:
    """Return the split of each example, or None, and the items of its context that stay."""
    shares = [weight / sum(WEIGHTS.values()) for weight in WEIGHTS.values()]

    def split_of(node: str) -> str:
        return list(WEIGHTS)[draw_share(shares, chance.uniform(seed, "hash", node))]

    found: list[tuple[str | None, int]] = []
    for example in examples:
        core = {split_of(node) for node in (*example.products, *example.groups)}
        inside = sum({split_of(item.product_id)} == core for item in example.context)
        lost = len(core) > 1 or (
            inside < len(example.context) if policy == "strict" else example.context and not inside
        )
        found.append((None if lost else core.pop(), inside))
    return found


def by_communities(examples: Sequence[Example], policy: LeakagePolicy, seed: int) -> list[Assignment]:
    settings = {example.task: TaskSettings(quota=NO_LIMIT, leakage=policy) for example in examples[:1]}
    assigned = {one.example_id: one for one in assign({examples[0].task: examples}, settings, {}, dict(WEIGHTS), seed)}
    return [assigned[example.example_id] for example in examples]


def table(
    title: str, examples: Sequence[Example], policy: LeakagePolicy, seed: int, length: Callable[[Example], int]
) -> None:
    started = time.perf_counter()
    ours = [(one.split, len(one.context)) for one in by_communities(examples, policy, seed)]
    seconds = time.perf_counter() - started
    hashed = by_hashing(examples, policy, seed)
    print(f"\n{title}, {policy}: {len(examples):,} examples, split in {seconds:.1f} s")
    print("| length | examples | hashing keeps | test | ours keeps | validation | test | context kept |")
    print("|---|---|---|---|---|---|---|---|")
    bounds = [(low, low) for low in range(2, 9)] + [(9, 16), (17, 10**6), (2, 10**6), (5, 10**6)]
    for low, high in bounds:
        rows = [row for row, example in enumerate(examples) if low <= length(example) <= high]
        if not rows:
            continue
        name = str(low) if low == high else f"{low}-{high}" if high < 10**6 else f">= {low}"
        kept = [row for row in rows if ours[row][0]]
        items = sum(len(examples[row].context) for row in kept)
        print(
            f"| {name} | {len(rows):,} | {share(hashed, rows)} | {count(hashed, rows, 'test'):,} | {share(ours, rows)} "
            f"| {count(ours, rows, 'validation'):,} | {count(ours, rows, 'test'):,} "
            f"| {sum(ours[row][1] for row in kept) / items if items else 1:.0%} |"
        )


def share(found: Sequence[tuple[str | None, int]], rows: Sequence[int]) -> str:
    return f"{sum(found[row][0] is not None for row in rows) / len(rows):.1%}"


def count(found: Sequence[tuple[str | None, int]], rows: Sequence[int], split: str) -> int:
    return sum(found[row][0] == split for row in rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpora", nargs="?", type=Path, default=os.environ.get("ECINSTRUCT_REAL_CORPORA"))
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    if arguments.corpora is None:
        parser.error("say where the corpora are")
    corpora = Path(arguments.corpora)
    table("Sessions", sessions(corpora), "strict", arguments.seed, lambda example: len(example.products))
    for name in HISTORIES:
        examples = histories(corpora / name)
        for policy in ("strict", "trim"):
            table(name, examples, policy, arguments.seed, lambda example: len(example.context) + 1)


if __name__ == "__main__":
    main()
