"""What is drawn for review: every stratum's share, by key, and enough to show what the recipe asks for."""

import json
import random
from collections import Counter
from fractions import Fraction
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from publish_rows import row
from review_world import SIZES, drawn, made_rows, publish, published

from ecinstruct_build.errors import UserError
from ecinstruct_build.review.rows import CONTENT, read_rows, row_digest
from ecinstruct_build.review.sample import ReviewSample, draw_sample
from ecinstruct_build.review.settings import ReviewSettings
from quality.reviewing.strata import Stratum, allocate

STRATA = st.dictionaries(
    st.builds(Stratum, st.just("t"), st.sampled_from("abc"), st.sampled_from("xy"), st.text("pqrs", max_size=2)),
    st.integers(1, 50),
    min_size=1,
)


@given(STRATA, st.data(), st.integers(0, 3))
def test_every_stratum_and_every_split_gives_its_share_rounded(
    strata: dict[Stratum, int], data: st.DataObject, seed: int
) -> None:
    rows = sum(strata.values())
    total = data.draw(st.integers(0, rows))
    places = allocate(strata, total, seed)
    assert sum(places.values()) == total
    assert places.keys() == strata.keys()
    for depth in (4, 3, 2, 1):
        sizes: Counter[tuple[str, ...]] = Counter()
        given_: Counter[tuple[str, ...]] = Counter()
        for stratum, size in strata.items():
            sizes[stratum[:depth]] += size
            given_[stratum[:depth]] += places[stratum]
        for group, size in sizes.items():
            assert abs(given_[group] - Fraction(total * size, rows)) < 1
            assert given_[group] <= size
    backwards = dict(reversed(strata.items()))
    assert allocate(backwards, total, seed) == places


@pytest.mark.parametrize("place", [1, 2, 3])
def test_strata_too_small_for_a_row_of_their_own_are_drawn_as_often_as_others(place: int) -> None:
    """Ten of 4 rows (splits, sources or templates) beside one of 160, and 10 places: each is due every fifth time."""
    names = [["t", "train", "shop", "template"] for _ in range(10)]
    for number, name in enumerate(names):
        name[place] = f"small{number}"
    small = [Stratum(*name) for name in names]
    strata = {Stratum("t", "train", "shop", "template"): 160} | dict.fromkeys(small, 4)
    seeds = 400
    times = Counter(stratum for seed in range(seeds) for stratum, count in allocate(strata, 10, seed).items() if count)
    for stratum in small:
        assert 0.12 < times[stratum] / seeds < 0.28


def test_the_sample_does_not_depend_on_the_order_of_rows_or_files(tmp_path: Path) -> None:
    rows = {task: made_rows(task, count) for task, count in SIZES.items()}
    sample = draw_sample(publish(tmp_path / "a", rows), ReviewSettings(max_defect_rate=0.1))
    for own in rows.values():
        random.Random(3).shuffle(own)
    other = publish(tmp_path / "b", rows)
    shard = next((other / "data" / "sentiment_analysis").glob("train*"))
    whole = pq.read_table(shard)
    pq.write_table(whole.slice(20), shard.with_name("train-00001-of-00002.parquet"))
    pq.write_table(whole.slice(0, 20), shard.with_name("train-00000-of-00002.parquet"))
    shard.unlink()
    assert draw_sample(other, ReviewSettings(max_defect_rate=0.1)) == sample


def test_another_task_moves_nothing(tmp_path: Path) -> None:
    alone = drawn(tmp_path / "a", max_defect_rate=0.1)
    published(tmp_path / "b" / "dataset", {**SIZES, "answer_generation": 30})
    together = drawn(tmp_path / "b", max_defect_rate=0.1)

    def own(sample: ReviewSample) -> list[tuple[str, bool]]:
        return [(item.row, item.doubled) for item in sample.items if item.task in SIZES]

    assert sorted(own(together)) == sorted(own(alone))
    assert [plan for plan in together.plans if plan.task in SIZES] == list(alone.plans)
    for task in SIZES:
        order = [[one.row for one in sample.items if one.task == task] for sample in (alone, together)]
        assert order[0] == order[1]


def test_another_seed_draws_other_rows_of_a_stratum_and_the_same_seed_the_same(tmp_path: Path) -> None:
    alike = [row("sentiment_analysis", "train", "IND_Diverse_Instruction", number) for number in range(40)]
    publish(tmp_path / "dataset", {"sentiment_analysis": alike})
    first, again, other = (drawn(tmp_path, seed, items=10) for seed in (0, 0, 1))
    assert first == again
    assert len({item.row for item in first.items} & {item.row for item in other.items}) < 7
    assert first.sample_id != other.sample_id


def test_sizes_promise_what_the_recipe_asks_for(tmp_path: Path) -> None:
    sample = drawn(tmp_path, max_defect_rate=0.1, confidence=0.9, double_share=0.25, seconds=60)
    matching, sentiment = sample.plans
    # 40 rows, five defects are too many: 13 rows leave one in nine chances to see none, 14 less than one in ten.
    assert (matching.population, matching.items, matching.promise) == (40, 14, True)
    assert (matching.doubled in (3, 4), matching.judgements) == (True, 14 + matching.doubled)
    assert matching.minutes == matching.judgements
    assert (sentiment.task, sentiment.population) == ("sentiment_analysis", 60)
    assert matching.strata == len({(i % 7 if i % 7 > 3 else 0, i % 3 > 0, i % 5 // 2) for i in range(40)})
    assert len(sample.items) == matching.items + sentiment.items
    assert {task: len(rows) for task, rows in sample.population.items()} == SIZES
    assert drawn(tmp_path, max_defect_rate=0.1, confidence=0.9, allowed_defects=1).plans[0].items > 14


def test_a_limit_divides_evenly_and_promises_nothing(tmp_path: Path) -> None:
    sample = drawn(tmp_path, items=7)
    assert sorted(plan.items for plan in sample.plans) == [3, 4]
    assert not any(plan.promise for plan in sample.plans)
    assert [item.number for item in sample.items] == list(range(1, 8))
    roomy = drawn(tmp_path, items=10_000)
    assert all(plan.promise for plan in roomy.plans)
    assert roomy.items == drawn(tmp_path).items
    with pytest.raises(UserError, match="one at least"):
        drawn(tmp_path, items=0)


def test_every_prefix_is_balanced_over_tasks_and_doubles_are_spread(tmp_path: Path) -> None:
    sample = drawn(tmp_path, max_defect_rate=0.1, double_share=0.25)
    sizes = {plan.task: plan.items for plan in sample.plans}
    counts = dict.fromkeys(sizes, 0)
    for item in sample.items:
        counts[item.task] += 1
        open_tasks = [task for task in sizes if counts[task] < sizes[task]]
        assert max(counts.values()) - min([counts[task] for task in open_tasks] or [max(counts.values())]) <= 1
    for task in sizes:
        marks = [item.doubled for item in sample.items if item.task == task]
        for begin in range(len(marks) - 4 + 1):
            assert sum(marks[begin : begin + 4]) == 1
    assert not any(item.doubled for item in drawn(tmp_path, double_share=0).items)
    assert all(item.doubled for item in drawn(tmp_path, double_share=1).items)


def test_a_few_items_of_many_tasks_are_doubled_in_proportion(tmp_path: Path) -> None:
    published(tmp_path / "dataset", {f"task{number}": 10 for number in range(20)})
    sample = drawn(tmp_path, items=40, double_share=0.2)
    assert 4 <= sum(item.doubled for item in sample.items) <= 12


def test_items_carry_the_text_that_was_published(tmp_path: Path) -> None:
    sample = drawn(tmp_path, max_defect_rate=0.1)
    rows = {one["example_id"]: one for task, count in SIZES.items() for one in made_rows(task, count)}
    for item in sample.items:
        published_row = rows[item.example_id]
        assert item.content == {name: published_row[name] for name in CONTENT}
        assert item.row == row_digest(item.example_id, item.content)
        assert (item.source, item.template_id) == (published_row["source"], published_row["template_id"])
        assert (item.locale, item.category) == ("us", "Kitchen")
    assert {item.split for item in sample.items} <= {"train", "validation", "test", "test_unseen_instructions"}


def test_the_same_text_in_two_splits_is_one_row(tmp_path: Path) -> None:
    same = {"example_id": "sentiment_analysis:1", "instruction": "Judge.", "input": "Fine."}
    rows = [
        row("sentiment_analysis", "test", "IND_Unseen_Instruction", 1, **same),
        row("sentiment_analysis", "test", "IND_Diverse_Instruction", 1, **same),
        row("sentiment_analysis", "test", "IND_Single_Instruction", 1, **same),
        row("sentiment_analysis", "test", "IND_Single_Instruction", 2, instruction="Judge differently."),
        row("sentiment_analysis", "test", "IND_Diverse_Instruction", 3, example_id="sentiment_analysis:2"),
    ]
    table = read_rows(publish(tmp_path, {"sentiment_analysis": rows}, layout="ecinstruct"))
    found = {one["example_id"]: one["split"] for one in table.to_pylist()}
    assert len(table) == 3
    assert found["sentiment_analysis:1"] == "test"
    assert found["sentiment_analysis:testind000002"] == "test IND_Single_Instruction"


def test_a_sample_survives_being_written_down(tmp_path: Path) -> None:
    sample = drawn(tmp_path)
    assert ReviewSample.from_json(json.loads(json.dumps(sample.to_json()))) == sample


def test_what_cannot_be_read_is_said(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no published dataset"):
        draw_sample(tmp_path, ReviewSettings())
    data = tmp_path / "data"
    data.mkdir()
    pq.write_table(pa.table({"example_id": ["a"], "input": ["b"]}), data / "train-00000-of-00001.parquet")
    with pytest.raises(UserError, match=r"train-00000-of-00001\.parquet' has no column .*instruction"):
        draw_sample(tmp_path, ReviewSettings())
    (data / "train-00000-of-00001.parquet").write_bytes(b"PAR1 not really")
    with pytest.raises(UserError, match="cannot be read"):
        draw_sample(tmp_path, ReviewSettings())
