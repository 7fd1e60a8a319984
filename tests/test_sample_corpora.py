"""The sample corpora as files: the same every time, whole or not there, in upstream's forms, as large as asked."""

import ast
import hashlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from sample_corpora_reading import CATEGORIES, Corpora, json_or_none, metadata_file, raw_lines

from ecinstruct_build.errors import UserError
from ecinstruct_build.sample_corpora import LEDGER, write_sample_corpora

GENERATE = """
import sys
from pathlib import Path
from ecinstruct_build.sample_corpora import write_sample_corpora
if __name__ == "__main__":
    done = lambda file, lines: print(file, flush=True)
    write_sample_corpora(Path(sys.argv[1]), scale=float(sys.argv[2]), seed=5, jobs=int(sys.argv[3]), progress=done)
"""


INTERRUPTED = """
import os, signal, sys, threading
from multiprocessing import active_children
from pathlib import Path
from ecinstruct_build.sample_corpora import write_sample_corpora


def interrupt_others():
    while not active_children():
        pass
    for process in active_children():
        os.kill(process.pid, signal.SIGINT)


if __name__ == "__main__":
    interrupting = threading.Thread(target=interrupt_others)
    interrupting.start()
    write_sample_corpora(Path(sys.argv[1]), scale=0.02, jobs=2)
    interrupting.join()
"""


def generate(script: Path, out: Path, scale: float, jobs: int, **environment: str) -> "subprocess.Popen[bytes]":
    script.write_text(GENERATE)
    command = [sys.executable, str(script), str(out), str(scale), str(jobs)]
    return subprocess.Popen(command, env={**os.environ, **environment}, stdout=subprocess.PIPE)


def digests(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_same_bytes_for_any_number_of_jobs_and_any_hash_seed(tmp_path: Path) -> None:
    runs = [
        generate(tmp_path / f"run{jobs}.py", tmp_path / f"out{jobs}", 0.05, jobs, PYTHONHASHSEED=str(jobs))
        for jobs in (1, 2)
    ]
    assert [run.communicate() and run.returncode for run in runs] == [0, 0]
    assert digests(tmp_path / "out1") == digests(tmp_path / "out2")


def test_an_interrupt_is_for_the_process_that_waits_for_the_others(tmp_path: Path) -> None:
    (tmp_path / "run.py").write_text(INTERRUPTED)
    command = [sys.executable, str(tmp_path / "run.py"), str(tmp_path / "out")]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "out" / LEDGER).exists()


def test_another_seed_gives_other_words_and_other_ids(tmp_path: Path) -> None:
    one = write_sample_corpora(tmp_path / "one", scale=0.02, seed=1, jobs=1)
    two = write_sample_corpora(tmp_path / "two", scale=0.02, seed=2, jobs=1)
    assert one.files.keys() == two.files.keys()
    same = digests(one.out).items() & digests(two.out).items()
    assert not same


def test_the_summary_counts_what_is_in_the_files(corpora: Corpora) -> None:
    assert corpora.summary.reviews == pytest.approx(22_000, rel=0.03)
    assert sum(corpora.summary.planted.values()) == len(corpora.ledger)
    for path, count in corpora.summary.files.items():
        source, _, file = path.partition("/")
        found = corpora.rows(source, file) if path.endswith(".parquet") else corpora.lines(source, file)
        assert len(found) == count, path
    written = {str(path.relative_to(corpora.folder)) for path in corpora.folder.rglob("*") if path.is_file()}
    assert written == {*corpora.summary.files, LEDGER}


def sizes(files: dict[str, int]) -> list[int]:
    return [
        files["amazon_reviews_2018/Electronics.csv"],
        files["amazon_reviews_2018/meta_Electronics.json.gz"],
        files["esci/shopping_queries_dataset_examples.parquet"],
        files["amazonqa/train-qar.jsonl"],
    ]


def test_everything_grows_in_proportion_to_a_small_scale(corpora: Corpora, tmp_path: Path) -> None:
    quarter = sizes(write_sample_corpora(tmp_path / "quarter", scale=0.25, jobs=1).files)
    whole = sizes(corpora.summary.files)
    assert (quarter[0], whole[0]) == (1000, 4000)
    for few, more in zip(quarter, whole, strict=True):
        assert more == pytest.approx(4 * few, rel=0.2)


@pytest.mark.slow
def test_above_scale_1_reviews_grow_in_proportion_and_products_slower(corpora: Corpora, tmp_path: Path) -> None:
    large = sizes(write_sample_corpora(tmp_path / "large", scale=4, jobs=2).files)
    whole = sizes(corpora.summary.files)
    assert large[0] == 4 * whole[0]
    for few, more in zip(whole[1:], large[1:], strict=True):
        assert more == pytest.approx(4**0.7 * few, rel=0.2)


def test_a_tiny_world_is_complete(tmp_path: Path) -> None:
    summary = write_sample_corpora(tmp_path / "tiny", scale=0.001, jobs=1)
    assert all(summary.files.values())


def test_killed_in_the_middle_leaves_no_folder_and_the_next_run_clears_up(tmp_path: Path) -> None:
    run = generate(tmp_path / "run.py", tmp_path / "out", 0.5, 1)
    assert run.stdout is not None
    first = run.stdout.readline()
    run.send_signal(signal.SIGKILL)
    run.wait()
    assert first.startswith(b"amazon_reviews_2018/")
    assert not (tmp_path / "out").exists()
    write_sample_corpora(tmp_path / "out", scale=0.01, jobs=1)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "run.py"]


def test_a_failure_leaves_nothing_behind(tmp_path: Path) -> None:
    def fail(file: str, lines: int) -> None:
        raise RuntimeError(file)

    with pytest.raises(RuntimeError):
        write_sample_corpora(tmp_path / "out", scale=0.01, jobs=1, progress=fail)
    assert not list(tmp_path.iterdir())


def test_earlier_corpora_are_replaced_and_anything_else_is_left_alone(tmp_path: Path) -> None:
    out = tmp_path / "out"
    write_sample_corpora(out, scale=0.01, jobs=1)
    (out / "stray").write_text("from an earlier version")
    write_sample_corpora(out, scale=0.01, jobs=1)
    assert not (out / "stray").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["out"]

    other = tmp_path / "thesis"
    other.mkdir()
    (other / "chapter1.txt").write_text("precious")
    with pytest.raises(UserError, match="thesis"):
        write_sample_corpora(other, scale=0.01, jobs=1)
    assert (other / "chapter1.txt").read_text() == "precious"


@pytest.mark.parametrize("scale", [0, -1.0, float("nan")])
def test_a_senseless_scale_is_refused(tmp_path: Path, scale: float) -> None:
    with pytest.raises(UserError, match="scale"):
        write_sample_corpora(tmp_path / "out", scale=scale)


def test_every_line_but_the_planted_ones_reads_as_upstream_does(corpora: Corpora) -> None:
    broken = {(entry.source, entry.file, entry.line) for entry in corpora.planted("malformed_line")}
    for path in corpora.summary.files:
        source, _, file = path.partition("/")
        if ".json" not in file:
            continue
        literal = source == "amazon_reviews_2014" and file.startswith("meta_")
        for number, line in enumerate(corpora.lines(source, file), 1):
            if (source, file, number) not in broken:
                record = ast.literal_eval(line.decode()) if literal else json_or_none(line)
                assert isinstance(record, dict), (path, number)


def test_review_records_have_upstreams_keys_and_types(corpora: Corpora) -> None:
    seen: dict[str, set[type]] = {}
    for category in CATEGORIES:
        for record in corpora.reviews(category):
            for key, value in record.items():
                seen.setdefault(key, set()).add(type(value))
    assert seen == {
        "overall": {float},
        "verified": {bool},
        "reviewTime": {str},
        "reviewerID": {str},
        "asin": {str},
        "style": {dict},
        "reviewerName": {str},
        "reviewText": {str},
        "summary": {str},
        "unixReviewTime": {int},
        "vote": {str},
    }
    reviews = [record for category in CATEGORIES for record in corpora.reviews(category)]
    assert any("reviewText" not in record for record in reviews)
    assert any("summary" not in record for record in reviews)
    assert any("," in record.get("vote", "") for record in reviews)
    assert all(value.startswith(" ") for record in reviews for value in record.get("style", {}).values())


def test_metadata_has_both_forms_and_upstreams_quirks(corpora: Corpora) -> None:
    keys, prices, ranks, titles = {}, set(), set(), []
    for category in CATEGORIES:
        records = list(corpora.records("amazon_reviews_2018", metadata_file(category)))
        keys[category] = {key for record in records for key in record}
        prices |= {record["price"] for record in records}
        ranks |= {type(record["rank"]) for record in records}
        titles += [record["title"] for record in records if "title" in record]
    common = set.intersection(*keys.values())
    assert all(keys[category] - common == {"image"} for category in CATEGORIES[:4])
    assert keys["Cell_Phones_and_Accessories"] - common == {"imageURL", "imageURLHighRes"}
    assert "" in prices
    assert any(price.isspace() for price in prices)
    assert any(price[:1] == "." for price in prices)
    assert ranks == {str, list}
    assert any(title.startswith("<span") for title in titles)


def test_amazon_google_tables_are_latin_1_with_crlf(corpora: Corpora) -> None:
    for name, count in {"Amazon.csv": 600, "GoogleProducts.csv": 1400}.items():
        content = (corpora.folder / "amazon_google" / name).read_bytes()
        assert content.count(b"\r\n") == content.count(b"\n") == pytest.approx(count, rel=0.1)
    with pytest.raises(UnicodeDecodeError):
        (corpora.folder / "amazon_google" / "Amazon.csv").read_text("utf-8")
    google = corpora.csv_rows("amazon_google", "GoogleProducts.csv")
    assert any(row["price"].endswith(" gbp") for row in google)
    assert sum(not row["manufacturer"] for row in google) > 0.8 * len(google)
    amazon = corpora.csv_rows("amazon_google", "Amazon.csv")
    assert any(row["price"] == "0" for row in amazon)
    assert any(not row["description"] for row in amazon)


def test_gzip_headers_carry_no_name_and_no_time(corpora: Corpora) -> None:
    for path in corpora.folder.rglob("*.gz"):
        header = path.read_bytes()[:10]
        assert header[3] == 0, path
        assert header[4:8] == bytes(4), path


def test_real_pieces_have_the_same_keys(corpora: Corpora, real_corpora: Path) -> None:
    real = real_corpora / "amazon_reviews_2018"
    pieces = {
        "meta_Magazine_Subscriptions.json.gz": metadata_file("Electronics"),
        "metaFiles2/meta_Magazine_Subscriptions.json.gz": metadata_file("Cell_Phones_and_Accessories"),
    }
    for theirs, ours in pieces.items():
        order = list(json.loads(raw_lines(real / theirs)[0]))
        assert list(next(corpora.records("amazon_reviews_2018", ours))) == order


def test_a_link_leads_to_the_corpora_however_often_they_are_written(tmp_path: Path) -> None:
    (tmp_path / "large").mkdir()
    (tmp_path / "link").symlink_to("large")
    for _ in range(2):
        write_sample_corpora(tmp_path / "link", scale=0.01, jobs=1, sources=["amazon_google"])
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "large" / "amazon_google").is_dir()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["large", "link"]
