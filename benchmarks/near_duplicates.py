"""Measure finding near duplicates, beside other tools: time, memory, and how many true pairs are found.

    python benchmarks/near_duplicates.py TEXTS.jsonl.gz [--peers datasketch,rensa,...] [--peer-python rensa=PATH ...]

TEXTS has one JSON object with a field ``text`` on each line. Every tool gets the same texts, words, 128 permutations
and threshold 0.8, in a process of its own, and is timed from texts in memory to duplicate pairs or clusters (starting
Python, importing and reading are not timed): on the clock, and by the processor's time, its children included. A tool
that is not installed is left out; ``--peer-python`` names the interpreter of an environment that has it (with NumPy
and PyArrow too).

- ``ours``: quality/similarity/{shingles,minhash}.py; every pair is verified by the exact similarity.
- ``datasketch``: MinHash and MinHashLSH in a plain loop.
- ``rensa``: RMinHash and RMinHashLSH in bulk; ``rensa-deduplicator`` compares sketches too; ``rensa-rho`` looks at some
  of the words and says which texts have a duplicate, not of what.
- ``text-dedup``: its MinHash command, one process for each core. ``datatrove``: its MinHash steps in one process.

Recall: of the pairs of a sample of the texts whose exact similarity is at least 0.8, all counted by brute force, how
many the tool joins, directly or through others (``rensa-rho``: how many it flags both of). Precision: of the pairs that
a tool names, how many are in truth that similar; a cluster is taken for its members paired with the first of them
(``rensa-rho``: of 2,000 flagged texts, how many have a similar text).
"""

import argparse
import gzip
import importlib.metadata
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from quality.similarity.shingles import Shingled, shingled, words

PERMUTATIONS, THRESHOLD, BANDS = 128, 0.8, 16
NOT_INSTALLED = 3
WHO = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
Links = list[tuple[int, int]]
Run = Callable[[], Any]


def ours(texts: Sequence[str], _folder: Path) -> tuple[Run, Callable[[Any], Any]]:
    import datasketch  # noqa: F401, PLC0415
    import scipy.sparse  # noqa: F401, PLC0415

    from quality.similarity.minhash import signatures, similar_pairs  # noqa: PLC0415

    def run() -> Any:
        cut = shingled(texts)
        return similar_pairs(cut, signatures(cut), THRESHOLD)

    return run, lambda pairs: np.stack([pairs.left, pairs.right], axis=1)


def datasketch(texts: Sequence[str], _folder: Path) -> tuple[Run, Callable[[Any], Any]]:
    from datasketch import MinHash, MinHashLSH  # noqa: PLC0415

    def run() -> Links:
        index = MinHashLSH(threshold=THRESHOLD, num_perm=PERMUTATIONS)
        links: Links = []
        for number, text in enumerate(texts):
            sketch = MinHash(num_perm=PERMUTATIONS)
            for word in set(words(text)):
                sketch.update(word.encode())
            links += [(other, number) for other in index.query(sketch)]
            index.insert(number, sketch)
        return links

    return run, list


def rensa(texts: Sequence[str], _folder: Path) -> tuple[Run, Callable[[Any], Any]]:
    from rensa import RMinHash, RMinHashLSH  # noqa: PLC0415

    def run() -> Links:
        sketches = RMinHash.from_token_sets([words(text) for text in texts], num_perm=PERMUTATIONS, seed=42)
        index = RMinHashLSH(threshold=THRESHOLD, num_perm=PERMUTATIONS, num_bands=BANDS)
        index.insert_many(sketches)
        found = index.query_all(sketches)
        return [(other, number) for number, others in enumerate(found) for other in others if other < number]

    return run, list


def rensa_deduplicator(texts: Sequence[str], _folder: Path) -> tuple[Run, Callable[[Any], Any]]:
    from rensa import RMinHash, RMinHashDeduplicator  # noqa: PLC0415

    def run() -> Links:
        sketches = RMinHash.from_token_sets([words(text) for text in texts], num_perm=PERMUTATIONS, seed=42)
        kept = RMinHashDeduplicator(threshold=THRESHOLD, num_perm=PERMUTATIONS, use_lsh=True, num_bands=BANDS)
        keep = kept.add_pairs((str(number), sketch) for number, sketch in enumerate(sketches))
        repeated = [number for number, flag in enumerate(keep) if not flag]
        peers = kept.get_duplicate_sets([sketches[number] for number in repeated])
        return [(int(peer), number) for number, others in zip(repeated, peers, strict=True) for peer in others]

    return run, list


def rensa_rho(texts: Sequence[str], _folder: Path) -> tuple[Run, Callable[[Any], Any]]:
    from rensa import RMinHash, RMinHashLSH  # noqa: PLC0415

    def run() -> Any:
        matrix = RMinHash.digest_matrix_from_token_sets_rho(
            [words(text) for text in texts], num_perm=PERMUTATIONS, seed=42
        )
        index = RMinHashLSH(threshold=THRESHOLD, num_perm=PERMUTATIONS, num_bands=8)
        return index.query_duplicate_flags_matrix_one_shot(matrix)

    return run, lambda flags: np.flatnonzero(flags)[:, None]


def text_dedup(texts: Sequence[str], folder: Path) -> tuple[Run, Callable[[Any], Any]]:
    os.environ["HF_HUB_OFFLINE"] = "1"
    import datasets  # noqa: PLC0415
    import text_dedup.minhash as tool  # noqa: PLC0415

    given, output = folder / "given", folder / "output"

    def run() -> Any:
        datasets.Dataset.from_dict({"text": [" ".join(words(text)) for text in texts]}).save_to_disk(given)
        options = {
            "path": given, "output": output, "column": "text", "num_perm": PERMUTATIONS, "threshold": THRESHOLD,
            "ngram": 1, "min_length": 1, "hash_func": "xxh3", "hash_bits": 32, "num_proc": os.cpu_count(),
        }  # fmt: skip
        arguments = [f"--{name}={value}" for name, value in options.items()]
        tool.main(["--local", "--debug", *arguments], standalone_mode=False)
        return tool.uf

    return run, lambda joined: [
        (root, number) for number in range(len(texts)) if (root := joined.find(number)) != number
    ]


def datatrove(texts: Sequence[str], folder: Path) -> tuple[Run, Callable[[Any], Any]]:
    from datatrove.data import Document  # noqa: PLC0415
    from datatrove.pipeline.dedup import minhash as tool  # noqa: PLC0415
    from datatrove.utils.text import TextNormConfig  # noqa: PLC0415
    from datatrove.utils.word_tokenizers import WordTokenizer  # noqa: PLC0415

    class OurWords(WordTokenizer):
        def word_tokenize(self, text: str) -> list[str]:
            return words(text)

        def sent_tokenize(self, text: str) -> list[str]:
            return [text]

        def span_tokenize(self, text: str) -> list[tuple[int, int]]:
            return [(0, len(text))]

    as_it_is = TextNormConfig(**dict.fromkeys(TextNormConfig.__dataclass_fields__, False))
    config = tool.MinhashConfig(
        n_grams=1, num_buckets=BANDS, hashes_per_bucket=PERMUTATIONS // BANDS, norm_config=as_it_is
    )

    def run() -> Links:
        signed, paired = str(folder / "signed"), str(folder / "paired")
        documents = (Document(text=text, id=str(number)) for number, text in enumerate(texts))
        tool.MinhashDedupSignature(signed, config, OurWords()).run(documents)
        for bucket in range(BANDS):
            tool.MinhashDedupBuckets(signed, paired, config=config).run(rank=bucket, world_size=BANDS)
        found = [np.fromfile(path, "<u4").reshape(-1, 4) for path in sorted(Path(paired).glob("*.dups"))]
        return np.unique(np.concatenate(found)[:, [1, 3]], axis=0).tolist()

    return run, list


TOOLS = {
    "ours": ours, "datasketch": datasketch, "rensa": rensa, "rensa-deduplicator": rensa_deduplicator,
    "rensa-rho": rensa_rho, "text-dedup": text_dedup, "datatrove": datatrove,
}  # fmt: skip
PACKAGES = {"ours": "datasketch", "rensa-deduplicator": "rensa", "rensa-rho": "rensa"}


@dataclass(frozen=True)
class Result:
    """What a tool took (seconds, processor seconds, MB of each run), and found: pairs of texts, or texts alone."""

    seconds: list[float]
    processor: list[float]
    memory: list[float]
    version: str
    found: Any


def read(path: Path) -> list[str]:
    with (gzip.open if path.suffix == ".gz" else open)(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line)["text"] for line in lines]


def processor_seconds() -> float:
    return sum(resource.getrusage(who).ru_utime + resource.getrusage(who).ru_stime for who in WHO)


def child(name: str, path: Path, answer: Path) -> int:
    """Run one tool once, leave what it found at ``answer`` and say on standard output what it took."""
    texts = read(path)
    with tempfile.TemporaryDirectory() as scratch:
        os.chdir(scratch)
        try:
            run, links_of = TOOLS[name](texts, Path(scratch))
        except ImportError as error:
            print(error, file=sys.stderr)
            return NOT_INSTALLED
        begin, busy = time.perf_counter(), processor_seconds()
        found = run()
        seconds, busy = time.perf_counter() - begin, processor_seconds() - busy
        peak = sum(resource.getrusage(who).ru_maxrss for who in WHO)
        np.save(answer, np.array(links_of(found), np.int64))
    version = importlib.metadata.version(PACKAGES.get(name, name)) if name != "ours" else ""
    print(json.dumps({"seconds": seconds, "processor": busy, "memory": peak / 1024, "version": version}))
    return 0


def run_tool(name: str, python: str, path: Path, repeats: int, folder: Path) -> Result | None:
    rows: list[dict[str, Any]] = []
    answer = folder / f"{name}.npy"
    for _ in range(repeats):
        command = [python, __file__, str(path), "--child", name, "--answer", str(answer)]
        environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[1])}
        done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
        if done.returncode == NOT_INSTALLED:
            print(f"{name} is left out, as it is not installed: {done.stderr.strip().splitlines()[-1]}")
            return None
        if done.returncode:
            print(f"{name} failed:\n{done.stderr[-2000:]}")
            return None
        rows.append(json.loads(done.stdout.strip().splitlines()[-1]))
    found = np.load(answer)
    taken = [[row[name] for row in rows] for name in ("seconds", "processor", "memory")]
    return Result(*taken, rows[0]["version"], found)


def similar_by_force(cut: Shingled, rows: Any) -> Iterator[tuple[Any, Any]]:
    """Yield all pairs (row, other text) of similarity at least 0.8, by counting shared words of all texts."""
    from scipy.sparse import csr_array  # noqa: PLC0415

    shape = (len(cut.sizes), len(cut.shingles))
    members = csr_array((np.ones(len(cut.numbers), np.int32), cut.numbers, cut.offsets), shape=shape)
    others = members.T.tocsr()
    for start in range(0, len(rows), 500):
        block = rows[start : start + 500]
        shared = (members[block] @ others).tocoo()
        score = shared.data / (cut.sizes[block][shared.row] + cut.sizes[shared.col] - shared.data)
        keep = (score >= THRESHOLD) & (block[shared.row] != shared.col)
        yield block[shared.row[keep]], shared.col[keep]


def truth_of(cut: Shingled, sample: Any) -> Any:
    pairs = [np.stack(pair, axis=1) for pair in similar_by_force(cut.take(sample), np.arange(len(sample)))]
    both = np.concatenate(pairs)
    return sample[both[both[:, 0] < both[:, 1]]]


def quality_of(result: Result, cut: Shingled, truth: Any) -> tuple[float, float]:
    """Return recall and precision."""
    found = result.found
    if found.ndim == 2 and found.shape[1] == 1:
        flags = np.zeros(len(cut.sizes), bool)
        flags[found.ravel()] = True
        some = np.random.default_rng(0).permutation(found.ravel())[:2000]
        true = {int(row) for rows, _ in similar_by_force(cut, some) for row in rows}
        return float(flags[truth].all(axis=1).mean()), len(true) / len(some)
    from scipy.sparse import coo_array  # noqa: PLC0415
    from scipy.sparse.csgraph import connected_components  # noqa: PLC0415

    found = found.reshape(-1, 2)
    graph = coo_array((np.ones(len(found)), (found[:, 0], found[:, 1])), shape=(len(cut.sizes),) * 2)
    group = connected_components(graph, directed=False)[1]
    sets = [frozenset(part.tolist()) for part in np.split(cut.numbers, cut.offsets[1:-1])]
    right = sum(
        len(sets[one] & sets[other]) >= THRESHOLD * len(sets[one] | sets[other]) for one, other in found.tolist()
    )
    return float((group[truth[:, 0]] == group[truth[:, 1]]).mean()), right / max(1, len(found))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("path", type=Path)
    parser.add_argument("--peers", default=",".join(name for name in TOOLS if name != "ours"))
    parser.add_argument("--peer-python", action="append", default=[], metavar="NAME=PATH")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--sample", type=int, default=20_000)
    parser.add_argument("--child", help=argparse.SUPPRESS)
    parser.add_argument("--answer", type=Path, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    path = chosen.path.resolve()
    if chosen.child:
        return child(chosen.child, path, chosen.answer)
    pythons = dict(pair.split("=", 1) for pair in chosen.peer_python)
    names = ["ours", *filter(None, chosen.peers.split(","))]
    with tempfile.TemporaryDirectory() as folder:
        runs = {
            name: run_tool(name, pythons.get(name, sys.executable), path, chosen.repeats, Path(folder))
            for name in names
        }
    texts = read(path)
    cut = shingled(texts)
    sample = np.sort(np.random.default_rng(0).permutation(len(texts))[: chosen.sample])
    truth = truth_of(cut, sample)
    print(
        f"{len(texts):,} texts; {len(truth):,} similar pairs in a sample of {len(sample):,}; {os.cpu_count()} cores\n"
    )
    print("| tool | seconds (median) | of runs | processor s | texts/s | peak MB | found | recall | precision |")
    print("| --- | ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    for name, result in runs.items():
        if result:
            seconds = statistics.median(result.seconds)
            recall, precision = quality_of(result, cut, truth)
            cells = [
                f"{name} {result.version}".strip(),
                f"{seconds:.2f}",
                " ".join(f"{one:.2f}" for one in result.seconds),
                f"{statistics.median(result.processor):.2f}",
                f"{len(texts) / seconds:,.0f}",
                f"{statistics.median(result.memory):.0f}",
                f"{len(result.found):,}",
                f"{recall:.4f}",
                f"{precision:.4f}",
            ]
            print(f"| {' | '.join(cells)} |")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
