"""The closing tables say what was made, what is missing and why."""

import io
import re

import publish_rows
from rich.console import Console

from ecinstruct_build.publish.shards import Shard
from ecinstruct_build.summary import render_summary

SHARDS = [Shard("data/t/train-00000-of-00001.parquet", "t", "train", 1200, 3 * 2**20, 0, "00")]


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


def test_examples_stand_against_their_quota_where_it_is_not_met():
    text = shown()
    assert line(text, "product_matching", "4/5") == ["product_matching", "4/5", "3", "3", "-", "13"]
    assert line(text, "sentiment_analysis", "5") == ["sentiment_analysis", "5", "3", "3", "-", "14"]
    assert line(text, "all") == ["all", "9", "6", "6", "-", "27"]


def test_published_rows_are_added_up_by_split():
    text = shown()
    assert line(text, "train", "9")
    assert line(text, "validation", "6")
    assert line(text, "test_unseen_instructions", "6")
    assert re.search(r"train +9\b.* validation +6\b.* test_unseen_instructions +6\b", " ".join(text.splitlines()))


def test_records_are_added_up_by_source():
    assert line(shown(), "kettle_shop") == ["kettle_shop", "2", "2.0 MiB", "3,000", "2,980", "14", "6"]


def test_every_reason_is_counted_over_the_tasks():
    text = shown()
    assert line(text, "rejected") == ["rejected", "language: not English", "2", "4"]
    assert line(text, "dropped") == ["dropped", "straddles | splits", "2", "2"]
    assert line(text, "repaired") == ["repaired", "spelling: two spaces", "2", "6"]
    assert line(text, "flagged") == ["flagged", "length: very long", "2", "2"]


def test_the_one_task_that_a_reason_concerns_is_named():
    tasks = publish_rows.manifest(SHARDS)["tasks"]
    tasks["product_matching"]["flagged"] = {"balance: one label prevails": 7}
    found = ["flagged", "balance: one label prevails"]
    assert line(shown(tasks=tasks), *found) == [*found, "product_matching", "7"]


def test_what_the_split_keeps_stands_beside_what_hashing_would():
    assert line(shown(), "product_matching", "10") == ["product_matching", "10", "90.0%", "40.0%"]


def test_what_the_audit_found_is_said_in_one_sentence():
    text = " ".join(shown().split())
    assert "The audit passed. Held-out rows that share something with training: family 0 of 12, near 1 of 12." in text


def test_reasons_are_not_read_as_markup():
    tasks = publish_rows.manifest(SHARDS)["tasks"]
    tasks["product_matching"]["rejected"] = {"html: [/b] left": 3}
    assert "html: [/b] left" in shown(tasks=tasks)


def test_time_of_reused_stages_is_not_counted():
    assert line(shown(), "ingest") == ["ingest", "1.2", "1", "1"]


def test_the_last_line_sums_up():
    assert shown().splitlines()[-1] == "1 shard, 1,200 rows, 3.0 MiB; peak memory 1.50 GiB."


def test_no_number_is_cut_short_on_a_narrow_terminal():
    assert line(shown(width=30), "kettle_shop") == line(shown(), "kettle_shop")
    assert line(shown(width=30), "all") == line(shown(), "all")


def test_reasons_are_wrapped_to_the_terminal():
    tasks = publish_rows.manifest(SHARDS)["tasks"]
    tasks["product_matching"]["dropped"] = {"a reason that goes on and on " * 5: 1}
    assert max(map(len, shown(width=80, tasks=tasks).splitlines())) <= 80


def test_an_empty_build_is_summed_up_too():
    text = shown(tasks={}, inputs=[], stages=[], shards=[])
    assert "0 shards, 0 rows" in text
    assert "Left out" not in text


def test_settings_of_the_original_layout_are_added_up_over_tasks():
    tasks = publish_rows.manifest(SHARDS)["tasks"]
    tasks["product_matching"]["samples"] = {"IND_Diverse_Instruction/val": 3, "IND_Single_Instruction/val": 4}
    tasks["sentiment_analysis"]["samples"] = {"OOD_Unseen_Instruction/test": 1, "IND_Single_Instruction/val": 2}
    text = shown(tasks=tasks)
    assert line(text, "IND_Single_Instruction/val", "6")
    assert line(text, "OOD_Unseen_Instruction/test", "1")


def test_names_of_tasks_stay_whole_on_a_common_terminal():
    tasks = {"product_substitute_identification": publish_rows.manifest(SHARDS)["tasks"]["product_matching"]}
    text = shown(width=80, tasks=tasks)
    assert line(text, "product_substitute_identification", "4/5")
    assert "\N{HORIZONTAL ELLIPSIS}" not in text
