"""Measure what the split keeps of real sessions and purchase histories, beside hashing each product.

    python benchmarks/split_retention.py [CORPORA] [--seeds 0,1,2]

CORPORA holds upstream files as `<source>/<upstream name>` (default: $ECINSTRUCT_REAL_CORPORA).
Sessions are judged by the policy `strict` (every product of a session in one split) and users' histories, the last
purchase being the answer, by `strict`, `trim` and `target`. Hashing gives each product and user a split by its own
hash. Kept is what falls wholly in one split, before quotas; the last three columns are of the first seed.
"""

import argparse
import gzip
import json
import os
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import get_args

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq

from ecinstruct_build.example import Example, Item
from ecinstruct_build.splits import SPLITS, Split
from ecinstruct_build.task import LeakagePolicy, Quota, TaskSettings
from quality.splitting.leakage import assign, communities_of
from quality.splitting.placement import NOWHERE
from quality.splitting.ragged import Integers
from quality.splitting.retention import by_hashing
from quality.splitting.web import web_of

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


def table(
    title: str,
    examples: Sequence[Example],
    policy: LeakagePolicy,
    seeds: Sequence[int],
    length: Callable[[Example], int],
) -> None:
    settings = {examples[0].task: TaskSettings(quota=NO_LIMIT, leakage=policy)}
    web = web_of(examples, {})
    by_id = {example.example_id: length(example) for example in examples}
    lengths = np.fromiter((by_id[example_id] for example_id in web.example_ids), np.int64, len(by_id))
    started = time.perf_counter()
    parts = communities_of(web, settings, WEIGHTS, seeds[0])
    cut, started = time.perf_counter() - started, time.perf_counter()
    ours = [assign(web, settings, WEIGHTS, seed, parts=parts) for seed in seeds]
    seconds = (time.perf_counter() - started) / len(seeds)
    hashed = by_hashing(web, settings, WEIGHTS, seeds[0])
    print(f"\n{title}, {policy}: {len(lengths):,} examples, cut in {cut:.1f} s, split in {seconds:.1f} s")
    print(
        f"| length | examples | hashing keeps | test | {' | '.join(f'seed {seed} keeps' for seed in seeds)} "
        "| validation | test | context kept |"
    )
    print(f"|---|---|---|---|{'---|' * len(seeds)}---|---|---|")
    bounds = [(low, low) for low in range(2, 9)] + [(9, 16), (17, 10**6), (2, 10**6), (5, 10**6)]
    for low, high in bounds:
        rows = (lengths >= low) & (lengths <= high)
        if not rows.any():
            continue
        name = str(low) if low == high else f"{low}-{high}" if high < 10**6 else f">= {low}"
        kept = rows & (ours[0].split != NOWHERE)
        items = web.context.lengths[kept].sum()
        print(
            f"| {name} | {rows.sum():,} | {share(hashed, rows)} | {count(hashed, rows, 'test'):,} "
            f"| {' | '.join(share(one.packed, rows) for one in ours)} "
            f"| {count(ours[0].packed, rows, 'validation'):,} | {count(ours[0].packed, rows, 'test'):,} "
            f"| {ours[0].context.lengths[kept].sum() / items if items else 1:.0%} |"
        )


def share(splits: Integers, rows: npt.NDArray[np.bool_]) -> str:
    return f"{(splits[rows] != NOWHERE).mean():.1%}"


def count(splits: Integers, rows: npt.NDArray[np.bool_], split: Split) -> int:
    return int((splits[rows] == SPLITS.index(split)).sum())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpora", nargs="?", type=Path, default=os.environ.get("ECINSTRUCT_REAL_CORPORA"))
    parser.add_argument("--seeds", type=lambda text: [int(seed) for seed in text.split(",")], default=[0, 1, 2])
    arguments = parser.parse_args()
    if arguments.corpora is None:
        parser.error("say where the corpora are")
    corpora = Path(arguments.corpora)
    table("Sessions", sessions(corpora), "strict", arguments.seeds, lambda example: len(example.products))
    for name in HISTORIES:
        examples = histories(corpora / name)
        for policy in get_args(LeakagePolicy):
            table(name, examples, policy, arguments.seeds, lambda example: len(example.context) + 1)


if __name__ == "__main__":
    main()
