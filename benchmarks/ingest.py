"""Time ingest against DuckDB, Polars, `datasets` and pandas on the same gzipped JSON lines, in the same run.

    python benchmarks/ingest.py [--reviews 1000000] [--workers 2] [--repeat 5] [--polars PYTHON] [--folder FOLDER]

The same reviews stand in one large file and in 400; a further layout has 2,000 files of 50 reviews. Contenders take
turns, each in a process of its own, first on a few small files that are not timed (so imports and the start of workers
do not count); medians are printed. Memory is the largest sum over the process and its children of what each holds
(shared pages dealt out among them), sampled in a run of its own. A contender that is not installed is left out;
``--polars`` names the Python that has Polars, if this one has not.

What each does, from the gzipped files to Parquet compressed with LZ4, on the same disk, two threads or workers each:

- *ours* runs the whole stage as a build does: digests of the input and of the output, every record held against its
  types and bounds, malformed ones quarantined with a reason, repeats collapsed, line numbers kept, all of it synced to
  disk and resumable after a kill.
- *duckdb*, *polars* read the fields of our review table with the types given to them, join ids, take commas out of
  votes and write its columns. They check nothing, keep repeats, no line numbers, sync nothing, fail on malformed lines.
- *duckdb accounted* writes the same and, in SQL, tells malformed lines, collapses repeats and keeps line numbers.
- *polars accounted* does as much as it can: malformed lines are left out, rows of equal values are collapsed.
- *duckdb fields*, *polars fields* write the eight fields as they stand: less than any adapter has to do.
- *datasets* reads into its Arrow cache, pandas into frames that are thrown away.
"""

import argparse
import gzip
import json
import os
import random
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

SOURCE = "amazon_reviews_2018"
SYLLABLES = ("ba", "co", "di", "fer", "gan", "hol", "is", "jun", "kel", "lo", "mar", "nat", "per", "quo", "tem", "vor")
OPTIONS = ("Size", "Color", "Style", "Pattern", "Package Quantity", "Format", "Flavor", "Scent", "Length", "Material")
FIELDS = {
    "overall": "DOUBLE",
    "reviewerID": "VARCHAR",
    "asin": "VARCHAR",
    "unixReviewTime": "BIGINT",
    "verified": "BOOLEAN",
    "reviewText": "VARCHAR",
    "summary": "VARCHAR",
    "vote": "VARCHAR",
}
REVIEW_TABLE = """
    reviewerID || '|' || upper(asin) || '|' || unixReviewTime AS review_id, 'asin:' || upper(asin) AS product_id,
    reviewerID AS user_id, overall AS rating, summary AS title, reviewText AS text, unixReviewTime AS timestamp,
    CAST(replace(vote, ',', '') AS BIGINT) AS helpful, verified, 'Home_and_Kitchen' AS category,
    'amazon_reviews_2018' AS catalogue, 'us' AS locale, 'amazon_reviews_2018' AS source, filename AS file
"""
Run = Callable[[Sequence[Path], Path], int]
"""Reads files, writes into a folder, and returns how many records it read."""


def main() -> None:
    """Parse the command line and run every contender, or one of them for its parent."""
    parser = argparse.ArgumentParser(description="Time ingest against other readers of JSON lines.")
    parser.add_argument("--reviews", type=int, default=1_000_000, help="reviews to generate")
    parser.add_argument("--workers", type=int, default=2, help="worker processes of ours, threads of the others")
    parser.add_argument("--repeat", type=int, default=5, help="runs of each; the median counts")
    parser.add_argument("--polars", default=sys.executable, metavar="PYTHON", help="the Python that has Polars")
    parser.add_argument("--folder", type=Path, help="where to keep the generated files for the next run")
    parser.add_argument("--layouts", default=",".join(LAYOUTS), help="which layouts to time")
    parser.add_argument("--contenders", default=",".join(TAKING_PART), help="who takes part")
    parser.add_argument("--contender", choices=sorted(CONTENDERS), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.contender:
        files = [Path(name) for name in json.load(sys.stdin)]
        print(json.dumps(measure(CONTENDERS[options.contender](options.workers), files)))
        return
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.folder or Path(scratch)
        corpora = write_layouts(folder, options.reviews)
        for name in options.layouts.split(","):
            report(LAYOUTS[name], sorted(corpora[name].iterdir()), options)


def report(title: str, files: Sequence[Path], options: argparse.Namespace) -> None:
    """Run every contender in turn on the files of a layout, and print a line for each."""
    size = sum(file.stat().st_size for file in files) / 1e6
    print(f"\n{title}: {size:.1f} MB compressed; {os.cpu_count()} cores, {options.workers} workers or threads")
    names = [name for name in options.contenders.split(",") if available(name, options)]
    runs: dict[str, list[dict[str, float]]] = {name: [] for name in names}
    for _ in range(options.repeat):  # in turn, so that a busy moment of the machine does not fall on one alone
        for name in names:
            runs[name].append(run_apart(name, files, options))
    peaks = {name: run_apart(name, files, options, sampled=True)["peak"] for name in names}
    print(f"{'':16}{'rows':>10}{'seconds':>9}{'rows/s':>10}{'ours is':>10}{'cpu s':>8}{'peak MiB':>10}")
    base = statistics.median(one["seconds"] for one in runs[names[0]])
    for name in names:
        seconds, cpu = (statistics.median(one[key] for one in runs[name]) for key in ("seconds", "cpu"))
        rows, ratio = runs[name][0]["rows"], f"{seconds / base:.2f}x" if name != names[0] else ""
        figures = f"{rows:>10,.0f}{seconds:>9.2f}{rows / seconds:>10,.0f}{ratio:>10}{cpu:>8.2f}{peaks[name]:>10.0f}"
        print(f"{name:16}{figures}")


def available(name: str, options: argparse.Namespace) -> bool:
    """Say whether a contender can run, and print a word if not."""
    module = "ecinstruct_build" if name == "ours" else name.split(maxsplit=1)[0]
    command = [interpreter(name, options), "-c", f"import {module}"]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        print(f"{name:16}left out: {command[0]} has no {module}")
        return False
    return True


def interpreter(name: str, options: argparse.Namespace) -> str:
    """Return the Python that runs a contender."""
    return str(options.polars) if name.startswith("polars") else sys.executable


def run_apart(
    name: str, files: Sequence[Path], options: argparse.Namespace, *, sampled: bool = False
) -> dict[str, float]:
    """Run a contender in a process of its own and return what it measured; ``sampled`` adds its peak memory in MiB."""
    command = [interpreter(name, options), __file__, "--workers", str(options.workers), "--contender", name]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        peak, over = [0.0], threading.Event()

        def sample() -> None:
            while not over.wait(0.05):
                peak[0] = max(peak[0], sum(map(_held, _tree(child.pid))))

        sampler = threading.Thread(target=sample)
        if sampled:
            sampler.start()
        said, _ = child.communicate(json.dumps([str(file.resolve()) for file in files]))
        over.set()
        if sampled:
            sampler.join()
    if child.returncode:
        raise SystemExit(f"{name} failed")
    return {**json.loads(said.splitlines()[-1]), "peak": peak[0]}


def measure(run: Run, files: Sequence[Path]) -> dict[str, float]:
    """Time ``run`` on files, with the processor time of this process and its children."""
    with tempfile.TemporaryDirectory(dir=files[0].parents[1]) as name:
        folder = Path(name)
        few = [folder / "few" / f"Few_{number}.json.gz" for number in range(3)]
        few[0].parent.mkdir()
        for path in few:
            write_lines(path, list(reviews(500)))
        run(few, folder / "warm")
        cpu, start = _processor_seconds(), time.perf_counter()
        rows = run(files, folder / "all")
        return {"rows": rows, "seconds": time.perf_counter() - start, "cpu": _processor_seconds() - cpu}


def ours(workers: int) -> Run:
    """Return our ingest stage."""
    from ecinstruct_build.engine import EngineSettings  # noqa: PLC0415 - each contender pays for its own imports
    from ecinstruct_build.progress import Silence  # noqa: PLC0415
    from ecinstruct_build.recipe import load_recipe  # noqa: PLC0415
    from ecinstruct_build.stages.corpora import ingest  # noqa: PLC0415
    from ecinstruct_build.stages.machine import Machine  # noqa: PLC0415
    from ecinstruct_build.store import Store  # noqa: PLC0415

    def run(files: Sequence[Path], out: Path) -> int:
        raw = out / "raw" / SOURCE
        raw.parent.mkdir(parents=True)
        raw.symlink_to(files[0].parent)
        recipe = out / "recipe.toml"
        recipe.write_text(f'name = "benchmark"\n[sources.{SOURCE}]\n[tasks.sentiment_analysis]\n')
        machine = Machine(Store(out / "work"), EngineSettings(threads=workers), workers, Silence())
        return sum(file.facts["records"] for file in ingest(load_recipe(recipe), out / "raw", machine).files)

    return run


def duckdb(workers: int, columns: str = REVIEW_TABLE) -> Run:
    """Return DuckDB's reader of JSON lines, copying to Parquet."""
    import duckdb  # noqa: PLC0415

    connection = duckdb.connect(config={"threads": workers})
    fields = "{" + ", ".join(f"{name}: '{kind}'" for name, kind in FIELDS.items()) + "}"

    def run(files: Sequence[Path], out: Path) -> int:
        out.mkdir()
        names = [str(file) for file in files]
        read = f"read_json({names!r}, format='newline_delimited', columns={fields}, filename=true)"
        query = f"COPY (SELECT {columns} FROM {read}) TO '{out / 'all.parquet'}' (FORMAT parquet, COMPRESSION lz4_raw)"
        row = connection.execute(query).fetchone()
        return int(row[0]) if row else 0

    return run


def duckdb_accounted(workers: int) -> Run:
    """Return DuckDB reading lines as text, each accounted for: malformed, repeated, or parsed and copied to Parquet."""
    import duckdb  # noqa: PLC0415

    connection = duckdb.connect(config={"threads": workers})
    columns = re.sub(r"\b(" + "|".join(FIELDS) + r")\b", r"read.\1", REVIEW_TABLE)

    def run(files: Sequence[Path], out: Path) -> int:
        out.mkdir()
        names = [str(file) for file in files]
        connection.execute(f"""
            CREATE OR REPLACE TABLE accounted AS
            WITH lines AS (
                SELECT filename, row_number() OVER () AS line, raw
                FROM read_csv({names!r}, columns={{'raw': 'VARCHAR'}}, header=false, delim='\x01', quote='', escape='',
                              auto_detect=false, max_line_size={64 << 20}, filename=true)
            ), firsts AS (
                SELECT *, row_number() OVER (PARTITION BY filename, md5_number(raw) ORDER BY line) > 1 AS repeated
                FROM lines
            )
            SELECT filename, line, repeated, json_valid(raw) AS well_formed,
                   CASE WHEN well_formed AND NOT repeated THEN json_transform(raw, '{json.dumps(FIELDS)}') END AS read
            FROM firsts
        """)
        kept = f"SELECT {columns}, line FROM accounted WHERE read IS NOT NULL ORDER BY line"
        connection.execute(f"COPY ({kept}) TO '{out / 'all.parquet'}' (FORMAT parquet, COMPRESSION lz4_raw)")
        row = connection.execute("SELECT count(*) FROM accounted").fetchone()
        return int(row[0]) if row else 0

    return run


def polars(workers: int, *, whole_table: bool = True, accounted: bool = False) -> Run:
    """Return Polars' lazy reader of JSON lines, streaming to Parquet."""
    os.environ["POLARS_MAX_THREADS"] = str(workers)
    import polars as pl  # type: ignore[import-not-found,unused-ignore]  # noqa: PLC0415

    types = {"DOUBLE": pl.Float64, "VARCHAR": pl.String, "BIGINT": pl.Int64, "BOOLEAN": pl.Boolean}
    schema = {name: types[kind] for name, kind in FIELDS.items()}
    asin = pl.col("asin").str.to_uppercase()
    table = {
        "review_id": pl.concat_str("reviewerID", asin, pl.col("unixReviewTime").cast(pl.String), separator="|"),
        "product_id": pl.concat_str(pl.lit("asin:"), asin),
        "user_id": pl.col("reviewerID"),
        "rating": pl.col("overall"),
        "title": pl.col("summary"),
        "text": pl.col("reviewText"),
        "timestamp": pl.col("unixReviewTime"),
        "helpful": pl.col("vote").str.replace_all(",", "", literal=True).cast(pl.Int64),
        "verified": pl.col("verified"),
        "category": pl.lit("Home_and_Kitchen"),
        "catalogue": pl.lit(SOURCE),
        "locale": pl.lit("us"),
        "source": pl.lit(SOURCE),
        "file": pl.col("file"),
    }

    def run(files: Sequence[Path], out: Path) -> int:
        out.mkdir()
        told = {"row_index_name": "line", "ignore_errors": True} if accounted else {}
        rows = pl.scan_ndjson(list(files), schema=schema, include_file_paths="file" if whole_table else None, **told)
        if accounted:
            rows = rows.unique([*schema, "file"], keep="first", maintain_order=True)
            rows = rows.filter(~pl.all_horizontal(pl.col(*schema).is_null())).select("line", **table)
        elif whole_table:
            rows = rows.select(**table)
        rows.sink_parquet(out / "all.parquet", compression="lz4")
        return int(pl.scan_parquet(out / "all.parquet").select(pl.len()).collect().item())

    return run


def datasets(_: int) -> Run:
    """Return the JSON loader of `datasets`."""
    os.environ["HF_HUB_OFFLINE"] = "1"
    import datasets  # noqa: PLC0415

    datasets.disable_progress_bars()

    def run(files: Sequence[Path], out: Path) -> int:
        names = [str(file) for file in files]
        return len(datasets.load_dataset("json", data_files=names, split="train", cache_dir=str(out)))

    return run


def pandas(_: int) -> Run:
    """Return pandas, reading in chunks."""
    import pandas as pd  # noqa: PLC0415

    def run(files: Sequence[Path], _: Path) -> int:
        rows = 0
        for file in files:
            with pd.read_json(file, lines=True, chunksize=50_000) as chunks:
                rows += sum(len(chunk) for chunk in chunks)
        return rows

    return run


def write_layouts(folder: Path, count: int) -> Mapping[str, Path]:
    """Write the files of every layout, unless they are there; return the folders."""
    places = {name: folder / name for name in LAYOUTS}
    if not all(place.exists() for place in places.values()):
        lines = list(reviews(count))
        for name, place in places.items():
            place.mkdir(parents=True, exist_ok=True)
            taken, files = {"large": (lines, 1), "many": (lines, 400), "tiny": (lines[:100_000], 2000)}[name]
            height = -(-len(taken) // files)
            for number in range(files):
                part = taken[number * height : (number + 1) * height]
                write_lines(place / f"Part_{number:04d}.json.gz", part)
    return places


def write_lines(path: Path, lines: Sequence[bytes]) -> None:
    """Write lines to a gzipped file."""
    with gzip.open(path, "wb", compresslevel=3) as file:
        file.write(b"".join(lines))


def reviews(count: int) -> Iterator[bytes]:
    """Yield reviews in upstream's form, one in fifty repeated."""
    rng = random.Random(0)
    words = ["".join(rng.choices(SYLLABLES, k=rng.randint(1, 4))) for _ in range(5000)]
    for number in range(count):
        record: dict[str, Any] = {
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
        yield from [line] * (2 if number % 50 == 0 else 1)


def _tree(root: int) -> list[int]:
    """Return a process and all below it."""
    below: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
            below.setdefault(parent, []).append(int(entry.name))
    found = [root]
    for process in found:
        found += below.get(process, [])
    return found


def _held(process: int) -> float:
    """Return the memory of a process in MiB, of shared pages its share."""
    try:
        lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


def _processor_seconds() -> float:
    """Return what this process and all below it have used of the processors, ended ones included."""
    ticks = 0
    for process in _tree(os.getpid()):
        try:
            said = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        ticks += sum(map(int, said[11:15]))
    return ticks / os.sysconf("SC_CLK_TCK")


TAKING_PART = ("ours", "duckdb", "duckdb fields", "polars", "polars fields", "duckdb accounted", "polars accounted")
LAYOUTS = {"large": "one large file", "many": "the same in 400 files", "tiny": "2,000 files of 50 records"}
CONTENDERS: Mapping[str, Callable[[int], Run]] = {
    "ours": ours,
    "duckdb": duckdb,
    "duckdb accounted": duckdb_accounted,
    "duckdb fields": partial(duckdb, columns=", ".join(FIELDS)),
    "polars": polars,
    "polars accounted": partial(polars, accounted=True),
    "polars fields": partial(polars, whole_table=False),
    "datasets": datasets,
    "pandas": pandas,
}

if __name__ == "__main__":
    main()
