"""The closing tables say what was made, what is missing and why."""

import io
import re

import publish_rows
from rich.console import Console

from ecinstruct_build.publish.shards import Shard
from ecinstruct_build.summary import render_summary

SHARDS = [Shard("data/t/train-00000-of-00001.parquet", "t", "train", 1200, 3 * 2**20, "00")]


def shown(width: int = 120, **changes) -> str:
    console = Console(file=io.StringIO(), width=width)
    render_summary(publish_rows.manifest(SHARDS) | changes, console)
    return console.file.getvalue()


def line(text: str, *words: str) -> list[str]:
    """The cells of the only line that begins with these words."""
    (found,) = [cells for row in text.splitlines() if (cells := _cells(row))[: len(words)] == list(words)]
    return found


def _cells(row: str) -> list[str]:
    return re.split(r" {2,}", row.strip())


def test_examples_stand_against_their_quota():
    assert line(shown(), "product_matching", "4 / 5") == ["product_matching", "4 / 5", "3 / 3", "3 / 3", "-"]


def test_published_rows_are_added_up():
    text = shown()
    assert line(text, "all")[1:] == ["9", "6", "6", "6", "27"]
    assert "train" in text
    assert "test_unseen_instructions" in text


def test_records_are_added_up_by_source():
    assert line(shown(), "kettle_shop") == ["kettle_shop", "2", "2.0 MiB", "3,000", "2,980", "14", "6"]


def test_every_reason_is_shown_with_its_count():
    text = shown(width=160)
    assert "language: not English" in text
    assert "straddles | splits" in text
    assert "length: very long" in text


def test_reasons_are_not_read_as_markup():
    tasks = publish_rows.manifest(SHARDS)["tasks"]
    tasks["product_matching"]["rejected"] = {"html: [/b] left": 3}
    assert "html: [/b] left" in shown(tasks=tasks)


def test_time_of_reused_stages_is_not_counted():
    assert line(shown(), "ingest") == ["ingest", "1.2", "1", "1"]


def test_the_last_line_sums_up():
    assert shown().splitlines()[-1] == "1 shard, 1,200 rows, 3.0 MiB; peak memory 1.50 GiB."


def test_it_fits_a_narrow_terminal():
    assert max(map(len, shown(width=60).splitlines())) <= 60


def test_an_empty_build_is_summed_up_too():
    text = shown(tasks={}, inputs=[], stages=[], shards=[])
    assert "0 shards, 0 rows" in text
    assert "Left out" not in text


def test_settings_of_the_original_layout_are_added_up_by_split():
    tasks = publish_rows.manifest(SHARDS)["tasks"]
    tasks["product_matching"]["samples"] = {"IND_Diverse_Instruction/val": 3, "IND_Single_Instruction/val": 4}
    tasks["sentiment_analysis"]["samples"] = {"OOD_Unseen_Instruction/test": 1, "IND_Single_Instruction/train": 2}
    text = shown(tasks=tasks)
    assert line(text, "task", "train", "val") == ["task", "train", "val", "test", "all"]
    assert line(text, "all") == ["all", "2", "7", "1", "10"]
