"""What the split promises beyond keeping nodes apart: look-alikes, kept tests, quotas, proof and report."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from split_world import FAMILIES, MANY, SETTINGS, WEIGHTS, clustered, example, pairs_of, split_of, worlds

from ecinstruct_build.example import Example
from ecinstruct_build.splits import SPLITS, Split
from ecinstruct_build.task import Quota, TaskSettings
from ecinstruct_build.tasks.attribute_value_extraction import AttributeValueExtractionSettings
from quality.splitting.leakage import Assigned, Kept, assign, drop_alike
from quality.splitting.levelling import level
from quality.splitting.placement import NOWHERE
from quality.splitting.proof import LeakError, prove
from quality.splitting.quotas import KEPT_TESTS, OVER_QUOTA, SHARED_WITH_OOD, STRADDLES, TOO_ALIKE
from quality.splitting.ragged import Integers
from quality.splitting.refinement import Floats
from quality.splitting.retention import by_hashing, retention
from quality.splitting.web import Web, read_web, web_of

pytestmark = pytest.mark.slow

NO_PAIRS = pairs_of([])


@st.composite
def worlds_with_pairs(draw: st.DrawFn) -> tuple[list[Example], list[tuple[Example, Example]]]:
    world = draw(worlds())
    position = st.integers(0, len(world) - 1)
    drawn = draw(st.lists(st.tuples(position, position), max_size=20))
    return world, [(world[left], world[right]) for left, right in drawn if left != right]


@settings(max_examples=60, deadline=None)
@given(worlds_with_pairs(), st.integers(0, 3))
def test_no_two_look_alikes_stand_in_two_splits(
    made: tuple[list[Example], list[tuple[Example, Example]]], seed: int
) -> None:
    world, alike = made
    assigned = split_of(world, alike=alike, seed=seed)
    for one, other in alike:
        splits = {assigned[one.example_id].split, assigned[other.example_id].split} - {None}
        assert len(splits) <= 1


def test_planted_look_alikes_are_kept_together_and_nearly_all_survive() -> None:
    world = [example("pairs", str(number), products=[f"x{number}"]) for number in range(2000)]
    alike = [(world[number], world[number + 1000]) for number in range(1000)]
    assigned = split_of(world, families={}, alike=alike)
    assert all(assigned[one.example_id].split == assigned[other.example_id].split for one, other in alike)
    assert Counter(one.split for one in assigned.values())[None] == 0
    apart = split_of(world, families={})
    assert sum(apart[one.example_id].split != apart[other.example_id].split for one, other in alike) > 200


def test_members_of_a_crowd_stay_together_though_only_its_hub_is_named_with_each() -> None:
    world = [example("pairs", str(number), products=[f"x{number}"]) for number in range(300)]
    hub = max(world, key=lambda one: one.example_id)
    assigned = split_of(world, families={}, alike=[(hub, one) for one in world if one is not hub])
    assert len({one.split for one in assigned.values()}) == 1


def test_what_is_too_like_an_out_of_domain_sample_is_dropped() -> None:
    outside = [example("pairs", f"out{number}", products=[f"o{number}"], domain="ood") for number in range(5)]
    inside = [example("pairs", f"in{number}", products=[f"i{number}"]) for number in range(5)]
    assigned = split_of([*outside, *inside], alike=zip(outside, inside, strict=True))
    assert {assigned[one.example_id].split for one in outside} == {"test_ood"}
    assert {assigned[one.example_id].reason for one in inside} == {TOO_ALIKE}


def test_samples_that_became_alike_when_trimmed_lose_the_one_that_is_filled_later() -> None:
    world = [example("pairs", str(number), products=[f"x{number}"]) for number in range(200)]
    web = web_of(world, {})
    found = assign(web, SETTINGS, WEIGHTS, 0)
    ids = np.asarray(web.example_ids, object)
    test, train = (ids[found.split == SPLITS.index(split)][0] for split in ("test", "train"))
    by_id = {one.example_id: one for one in world}
    pairs = pairs_of([(by_id[train], by_id[test])])
    with pytest.raises(LeakError, match="look-alikes"):
        prove(web, SETTINGS, found, pairs)
    mended = drop_alike(web, found, pairs)
    prove(web, SETTINGS, mended, pairs)
    gone = np.flatnonzero(mended.split != found.split).tolist()
    assert [ids[row] for row in gone] == [train]
    assert mended.reason[gone[0]] == TOO_ALIKE


def test_kept_tests_hold_their_nodes_and_all_else_goes_to_training() -> None:
    world = [example("pairs", str(number), products=[f"x{number}"], groups=["attribute:Color"]) for number in range(50)]
    outside = example("pairs", "outside", products=["z"], groups=["attribute:Size"], domain="ood")
    nodes: dict[str, Split] = {"family|x0": "test", "family|x1": "validation", "family|x2": "test_ood"}
    nodes["group|attribute:Material"] = "test_ood"
    other = example("pairs", "held attribute", products=["y"], groups=["attribute:Material"])
    kept = Kept(nodes=nodes, alike=[world[3].example_id], frozen=True)
    assigned = split_of([*world, outside, other], families={}, kept=kept)
    assert [assigned[one.example_id].reason for one in world[:4]] == [
        KEPT_TESTS,
        KEPT_TESTS,
        SHARED_WITH_OOD,
        TOO_ALIKE,
    ]
    assert {assigned[one.example_id].split for one in world[4:]} == {"train"}
    assert assigned[outside.example_id].reason == KEPT_TESTS
    assert assigned[other.example_id].reason == SHARED_WITH_OOD


@settings(max_examples=30, deadline=None)
@given(worlds(), worlds())
def test_frozen_tests_share_nothing_with_what_is_added(first: list[Example], second: list[Example]) -> None:
    before = split_of(first)
    nodes: dict[str, Split] = {}
    for one in first:
        went = before[one.example_id]
        if went.split and went.split != "train":
            shown = {option.key: option.product_id for option in (*one.options, *one.spare_options)}
            products = {*one.products, *(one.context[item].product_id for item in went.context)}
            products |= {shown[key] for key in went.options}
            nodes.update({f"family|{FAMILIES.get(product, product)}": went.split for product in products})
            nodes.update({f"group|{group}": went.split for group in one.groups})
    after = split_of(second, kept=Kept(nodes=nodes, frozen=True))
    for one in second:
        went = after[one.example_id]
        if went.split:
            assert went.split == "train"
            shown = {option.key: option.product_id for option in (*one.options, *one.spare_options)}
            products = {*one.products, *(one.context[item].product_id for item in went.context)}
            products |= {shown[key] for key in went.options}
            assert not nodes.keys() & {f"family|{FAMILIES.get(product, product)}" for product in products}
            assert not nodes.keys() & {f"group|{group}" for group in one.groups}


def test_the_policy_target_judges_all_but_the_context() -> None:
    world = [
        example("histories", str(number), products=[f"x{number}"], context=["shared", f"c{number}"])
        for number in range(400)
    ]
    by_target = {**SETTINGS, "histories": TaskSettings(quota=MANY, leakage="target")}
    assigned = split_of(world, families={}, settings=by_target)
    assert {one.context for one in assigned.values()} == {(0, 1)}
    assert {one.split for one in assigned.values()} == {"train", "validation", "test"}


def test_a_short_split_takes_what_another_has_too_much_of() -> None:
    world = [example("pairs", str(number), products=[f"x{number}"]) for number in range(100)]
    wanted = {**SETTINGS, "pairs": TaskSettings(quota=Quota(train=40, validation=30, test=30))}
    assigned = split_of(world, families={}, settings=wanted)
    assert Counter(one.split for one in assigned.values()) == {"train": 40, "validation": 30, "test": 30}


@st.composite
def unlevelled(draw: st.DrawFn) -> tuple[Floats, Integers, Floats, Integers, npt.NDArray[np.bool_]]:
    """Components of one or two tasks that are unevenly spread over three splits."""
    size, tasks = draw(st.integers(1, 40)), draw(st.integers(1, 3))
    count = st.lists(st.sampled_from([0.0, 0.0, 1.0, 1.0, 2.0, 7.0]), min_size=tasks, max_size=tasks)
    counts = np.array(draw(st.lists(count, min_size=size, max_size=size)))
    homes = np.array(draw(st.lists(st.sampled_from([0, 0, 0, 1, 2]), min_size=size, max_size=size)))
    quota = st.lists(st.integers(0, 12), min_size=tasks, max_size=tasks)
    wanted = np.array(draw(st.lists(quota, min_size=3, max_size=3)), np.float64)
    fixed = np.array(draw(st.lists(st.booleans(), min_size=size, max_size=size)))
    return counts, homes, wanted, np.array(draw(st.permutations(range(size)))), fixed & (homes > 0)


@given(unlevelled())
def test_of_all_that_can_be_spared_the_most_useful_moves_first(
    world: tuple[Floats, Integers, Floats, Integers, npt.NDArray[np.bool_]],
) -> None:
    counts, homes, wanted, rank, fixed = world
    expected = homes.copy()
    for split in np.argsort(wanted.sum(axis=1), kind="stable").tolist():
        while True:  # every component is looked at anew for every move
            there = np.array([counts[expected == other].sum(axis=0) for other in range(3)])
            missing = np.maximum(wanted[split] - there[split], 0)
            use = np.round((np.minimum(counts, missing) / np.maximum(wanted[split], 1)).sum(axis=1), 9)
            spared = ((counts == 0) | (counts <= (there - wanted)[expected])).all(axis=1)
            movable = np.flatnonzero(spared & ~fixed & (expected != split) & (use > 0))
            if not len(movable):
                break
            expected[min(movable.tolist(), key=lambda row: (-use[row], rank[row]))] = split
    assert level(counts, homes, wanted, rank, fixed).tolist() == expected.tolist()


def test_a_short_split_takes_whole_queries_that_another_can_spare() -> None:
    world = [
        example("pairs", f"{query} {number}", products=[f"x{query} {number}"], groups=[f"query:{query}"])
        for query in range(20)
        for number in range(30)
    ]
    wanted = {**SETTINGS, "pairs": TaskSettings(quota=Quota(train=400, validation=50, test=50))}
    for seed in range(5):
        assigned = split_of(world, families={}, settings=wanted, seed=seed)
        found = Counter(one.split for one in assigned.values() if one.split)
        assert found == {"train": 400, "validation": 50, "test": 50}


def test_an_example_that_straddles_two_placements_is_used_if_no_sample_needs_its_nodes() -> None:
    world = clustered(600, cluster=20)
    few = {**SETTINGS, "pairs": TaskSettings(quota=Quota(train=10, validation=10, test=10))}
    assigned = split_of(world, families={}, settings=few)
    assert Counter(one.split for one in assigned.values() if one.split) == {"train": 10, "validation": 10, "test": 10}
    assert {one.reason for one in assigned.values() if not one.split} <= {OVER_QUOTA, STRADDLES}


@settings(max_examples=30, deadline=None)
@given(worlds())
def test_the_report_counts_every_candidate_once(world: list[Example]) -> None:
    web = web_of(world, FAMILIES)
    found = assign(web, SETTINGS, WEIGHTS, 0)
    report = retention(web, SETTINGS, found, by_hashing(web, SETTINGS, WEIGHTS, 0))
    for task, rows in report.items():
        mine = np.asarray([name == task for name in web.tasks], np.bool_) & found.candidate
        for column in ("examples", "kept", "hashing"):
            assert sum(int(row[column]) for row in rows[1:]) == rows[0][column]
        assert rows[0]["examples"] == mine.sum()
        assert rows[0]["kept"] == (found.packed[mine] != NOWHERE).sum()


def test_hashing_keeps_as_many_pairs_as_chance_says() -> None:
    world = [example("pairs", str(number), products=[f"x{number}", f"y{number}"]) for number in range(3000)]
    web = web_of(world, {})
    rows = retention(web, SETTINGS, assign(web, SETTINGS, WEIGHTS, 0), by_hashing(web, SETTINGS, WEIGHTS, 0))["pairs"]
    assert [row["products"] for row in rows] == ["all", "2"]
    assert rows[0]["kept"] == 3000
    assert int(rows[0]["hashing"]) / 3000 == pytest.approx(0.8**2 + 0.1**2 + 0.1**2, abs=0.03)


def proven(world: Sequence[Example]) -> tuple[Web, Assigned]:
    web = web_of(world, {})
    found = assign(web, SETTINGS, WEIGHTS, 0)
    prove(web, SETTINGS, found, NO_PAIRS)
    return web, found


def moved(found: Assigned, row: int, split: Split) -> Assigned:
    changed = found.split.copy()
    changed[row] = SPLITS.index(split)
    return replace(found, split=changed)


@pytest.mark.parametrize(
    "shared",
    [
        example("pairs", "", products=["shared"]),
        example("pairs", "", groups=["user:u"]),
        example("pairs", "", options=["shared", "other"]),
        example("pairs", "", products=["own"], context=["shared"]),
    ],
)
def test_the_proof_finds_a_sample_put_in_the_wrong_split(shared: Example) -> None:
    world = [replace(shared, identity=str(number)) for number in range(30)]
    web, found = proven(world)
    home = SPLITS[found.split[0]]
    with pytest.raises(LeakError, match="in two splits: "):
        prove(web, SETTINGS, moved(found, 0, "train" if home != "train" else "test"), NO_PAIRS)


def test_the_proof_finds_an_attribute_on_both_sides_of_the_domain() -> None:
    world = [example("pairs", str(number), products=[f"x{number}"], groups=["attribute:Color"]) for number in range(30)]
    web, found = proven(world)
    with pytest.raises(LeakError, match="attribute:Color"):
        prove(web, SETTINGS, moved(found, 0, "test_ood"), NO_PAIRS)


def test_the_proof_finds_a_held_out_category_in_training() -> None:
    by_category = {**SETTINGS, "pairs": TaskSettings(quota=MANY, ood=("Tools",))}
    world = [replace(example("pairs", str(number), products=[f"x{number}"]), category="Books") for number in range(9)]
    web, found = proven(world)
    prove(web, by_category, found, NO_PAIRS)
    with pytest.raises(LeakError, match="category Books"):
        prove(web, by_category, moved(found, 0, "test_ood"), NO_PAIRS)
    held = replace(world[0], category="Tools")
    web, found = proven([held])
    with pytest.raises(LeakError, match="category Tools"):
        prove(web, by_category, found, NO_PAIRS)


def test_the_proof_finds_a_held_out_attribute_in_training_and_takes_no_category_for_one() -> None:
    def holding_out(*names: str) -> dict[str, TaskSettings]:
        return {**SETTINGS, "pairs": AttributeValueExtractionSettings(quota=MANY, ood=names)}

    asked = [
        example("pairs", name, products=[name], groups=[f"attribute:{name}"], domain=domain)
        for name, domain in (("Color", "ind"), ("Voltage", "ood"))
    ]
    web, found = proven([replace(one, category="Kettles") for one in asked])
    prove(web, holding_out("Voltage", "Kettles"), found, NO_PAIRS)
    with pytest.raises(LeakError, match="attribute:Color is out of domain and stands among"):
        prove(web, holding_out("Voltage", "Color"), found, NO_PAIRS)


def test_the_proof_says_what_it_looked_at() -> None:
    world = [
        example("pairs", str(number), products=[f"x{number}"], groups=[f"user:{number}", "attribute:Color"])
        for number in range(200)
    ]
    web, found = proven(world)
    counts = prove(web, SETTINGS, found, pairs_of([(world[0], world[0])]))
    assert sum(counts[split]["samples"] for split in ("train", "validation", "test")) == 200
    assert counts["train"]["family"] == counts["train"]["user"] == counts["train"]["samples"]
    assert counts["test"]["attribute"] == 1
    assert counts["pairs"] == {"look-alikes": 1}


@settings(max_examples=20, deadline=None)
@given(worlds_with_pairs())
def test_a_web_that_was_written_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, made: tuple[list[Example], list[tuple[Example, Example]]]
) -> None:
    world, alike = made
    folder = tmp_path_factory.mktemp("web")
    spun = web_of(world, FAMILIES, pairs_of(alike))
    spun.write(folder)
    read = read_web(folder)
    one, other = (assign(web, SETTINGS, WEIGHTS, 0) for web in (spun, read))
    assert one.split.tolist() == other.split.tolist()
    assert one.reason == other.reason
    assert one.options.to_lists() == other.options.to_lists()
    shown = [web.option_values.take(pa.array(one.options.values)).to_pylist() for web in (spun, read)]
    assert shown[0] == shown[1]
