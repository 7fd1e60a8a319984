"""Samples that become look-alikes only when the split trims their context are found, and one of two is dropped."""

import random
from dataclasses import replace
from itertools import combinations

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from split_world import SETTINGS, example

from ecinstruct_build.engine import EngineSettings
from ecinstruct_build.example import Example, Item, examples_to_table
from ecinstruct_build.progress import Silence
from ecinstruct_build.recipe import load_recipe
from ecinstruct_build.splits import SPLITS
from ecinstruct_build.stages.checks import Checked, check
from ecinstruct_build.stages.lookalikes import (
    duplicate_settings,
    input_words,
    kept_forms,
    like_kept_tests,
    lookalikes,
    settled_lookalikes,
    trimmed_samples,
)
from ecinstruct_build.stages.machine import Machine
from ecinstruct_build.store import Store
from quality.similarity.shingles import shingled
from quality.splitting.leakage import Assigned, drop_alike, drop_like_kept
from quality.splitting.proof import prove
from quality.splitting.quotas import TOO_ALIKE
from quality.splitting.ragged import ragged
from quality.splitting.trimmed import like_earlier_ones
from quality.splitting.web import web_of

TASK = "histories"
SAME = "brass lamp with a green shade and two small feet"
OTHERS = ("seven silver spoons for soup in a plain paper box", "oak shelf that folds flat behind any door or bed")


def history(identity: str, *texts: str) -> Example:
    context = [f"{identity} {place}" for place in range(len(texts))]
    items = tuple(Item(product, text) for product, text in zip(context, texts, strict=True))
    return replace(example(TASK, identity, products=[identity], context=context), context=items)


def checked_by(tmp_path, examples, *, measured: bool) -> Checked:
    machine = Machine(Store(tmp_path), EngineSettings(), 1, Silence())

    def produce(out, _scratch):
        pq.write_table(examples_to_table(examples), out / "examples.parquet")
        return {}

    drawn = {TASK: machine.store.run("draw", TASK, {}, produce)}
    policy = {"duplicates": duplicate_settings(load_recipe("sample"))} if measured else {}
    return check(drawn, policy, 0, machine)


def settled(tmp_path, world, assigned, *, measured=True):
    """Return the pairs that become look-alikes by how examples are assigned."""
    recipe = load_recipe("sample").model_copy(update={"tasks": {TASK: SETTINGS["histories"]}})
    checked = checked_by(tmp_path, world, measured=measured)
    found = lookalikes(recipe, checked, Machine(Store(tmp_path), EngineSettings(), 1, Silence()))
    web = web_of(world, {})
    return settled_lookalikes(recipe, checked, found, web, assigned, words=input_words(checked, found, web))


def assigned_to(web, went) -> Assigned:
    """Put each example, by identity, in a split, with the context items named."""
    rows = [went[example_id] for example_id in web.example_ids]
    splits = np.array([SPLITS.index(split) for split, _ in rows])
    context, empty = ragged([items for _, items in rows]), ragged([()] * len(rows))
    return Assigned(splits, [""] * len(rows), context, empty, splits, np.ones(len(rows), np.bool_))


@pytest.mark.parametrize("measured", [True, False])
def test_a_trimmed_context_that_became_like_a_sample_of_another_split_is_dropped(tmp_path, measured):
    trimmed, whole = history("trimmed", SAME, OTHERS[0]), history("whole", SAME)
    neighbour, apart = history("neighbour", SAME, OTHERS[1]), history("apart", *OTHERS)
    world = [trimmed, whole, neighbour, apart]
    went = {
        trimmed.example_id: ("train", (0,)),
        whole.example_id: ("test", (0,)),
        neighbour.example_id: ("train", (0,)),  # as the trimmed one, but in its split
        apart.example_id: ("validation", (1,)),
    }
    web = web_of(world, {})
    assigned = assigned_to(web, went)
    found = settled(tmp_path, world, assigned, measured=measured)
    pairs = {frozenset(pair) for pair in zip(found["left"].to_pylist(), found["right"].to_pylist(), strict=True)}
    assert pairs == {frozenset({one.example_id, whole.example_id}) for one in (trimmed, neighbour)}
    assert found["score"].to_pylist() == [1.0, 1.0]
    assert all(left < right for left, right in zip(found["left"].to_pylist(), found["right"].to_pylist(), strict=True))
    dropped = drop_alike(web, assigned, found)
    prove(web, SETTINGS, dropped, found)
    assert {
        web.example_ids[row]: dropped.reason[row] for row in np.flatnonzero(dropped.split != assigned.split).tolist()
    } == {trimmed.example_id: TOO_ALIKE, neighbour.example_id: TOO_ALIKE}


def test_nothing_is_compared_where_nothing_was_trimmed(tmp_path):
    world = [history("one", SAME), history("two", SAME)]
    web = web_of(world, {})
    assigned = assigned_to(web, {world[0].example_id: ("train", (0,)), world[1].example_id: ("test", (0,))})
    assert settled(tmp_path, world, assigned).num_rows == 0


LONG = " ".join(f"twin{number}" for number in range(40))


def titles(kind: str, count: int) -> list[str]:
    return [" ".join(f"{kind}{place}x{word}" for word in range(16)) for place in range(count)]


@pytest.mark.parametrize("other_is_trimmed", [True, False])
def test_a_passage_that_trimming_makes_the_most_of_a_sample_is_found(tmp_path, other_is_trimmed):
    trimmed, other = history("trimmed", LONG, *titles("a", 9)), history("other", LONG, *titles("b", 9))
    neighbour = history("neighbour", LONG, *titles("c", 9))  # in the split of the trimmed one
    went = {
        trimmed.example_id: ("train", (0, 1)),
        other.example_id: ("test", (0, 1) if other_is_trimmed else tuple(range(10))),
        neighbour.example_id: ("train", tuple(range(10))),
    }
    world = [trimmed, other, neighbour]
    found = settled(tmp_path, world, assigned_to(web_of(world, {}), went))
    paired = [trimmed, neighbour] if other_is_trimmed else [trimmed]
    assert pairs_in(found) == {(*sorted([one.example_id, other.example_id]),) for one in paired}
    assert found["score"].to_pylist() == [28 / 32] * len(paired)


def test_a_trimmed_sample_that_became_like_a_kept_test_is_dropped(tmp_path):
    worded, passage, other = history("worded", SAME, OTHERS[0]), history("passage", LONG, *titles("a", 9)), OTHERS[1]
    world = [worded, passage, history("other", other, SAME), history("whole", SAME)]
    kept = {"similar": SAME.replace("small ", ""), "holder": " ".join([LONG, *titles("b", 9)]), "far": "plain and red"}
    rows = pa.table({"example_id": list(kept), "input": [f"Bought so far: {text}" for text in kept.values()]})
    web = web_of(world, {})
    went = {one.example_id: ("train", (0,)) for one in world}
    assigned = assigned_to(web, went)
    trimmed = trimmed_samples(checked_by(tmp_path, world, measured=False), web, assigned)
    found = like_kept_tests(trimmed, list(kept_forms(TASK, rows)), 0.7)
    assert found == sorted([worded.example_id, passage.example_id])
    left = drop_like_kept(web, assigned, found)
    gone = np.flatnonzero(left.split != assigned.split).tolist()
    assert {web.example_ids[row]: left.reason[row] for row in gone} == dict.fromkeys(found, TOO_ALIKE)
    assert not left.context.lengths[gone].any()


def pairs_in(found):
    return {*zip(found["left"].to_pylist(), found["right"].to_pylist(), strict=True)}


@given(
    st.lists(st.lists(st.integers(0, 12), max_size=10), max_size=25),
    st.integers(0, 25),
    st.sampled_from([0.3, 0.5, 0.7, 0.9, 1.0]),
    st.integers(1, 5),
    st.randoms(use_true_random=False),
)
def test_exactly_the_pairs_with_a_late_text_that_are_alike_are_found(numbers, first, threshold, least, order):
    texts = [" ".join(f"w{number}" for number in order.sample(row, len(row))) for row in numbers]
    sets = [set(text.split()) for text in texts]
    expected = {}
    for left, right in combinations(range(len(sets)), 2):
        if right >= first and sets[left] and sets[right]:
            score = len(sets[left] & sets[right]) / len(sets[left] | sets[right])
            if score >= (threshold if min(len(sets[left]), len(sets[right])) >= least else 1.0):
                expected[left, right] = score
    found = like_earlier_ones(shingled(texts), first, threshold, least)
    assert dict(zip(zip(found.left.tolist(), found.right.tolist(), strict=True), found.score, strict=True)) == expected


def test_all_of_many_planted_look_alikes_are_found():
    order = random.Random(1)
    texts = [" ".join(f"word{order.randrange(400)}" for _ in range(40)) for _ in range(600)]
    planted = [" ".join(text.split()[4:]) for text in texts[:200]]
    found = like_earlier_ones(shingled([*texts, *planted]), 600, 0.7, 8)
    assert {*zip(found.left.tolist(), found.right.tolist(), strict=True)} == {(n, 600 + n) for n in range(200)}
