"""The split: nothing stands in two splits, nothing disappears, and nothing moves without need."""

import random
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from split_world import FAMILIES, MANY, SETTINGS, WEIGHTS, Went, clustered, example, split_of, worlds

from ecinstruct_build.example import Example
from ecinstruct_build.splits import SPLITS, Split
from ecinstruct_build.task import Quota, TaskSettings
from quality.splitting.quotas import FEW_OPTIONS, LEFT_OUT, OVER_QUOTA, SHARED_WITH_OOD, SHORT_CONTEXT, STRADDLES


def published_things(one: Example, assignment: Went, families: Mapping[str, str]) -> set[str]:
    """What a published sample shows: families of facts, of the context that stays and of shown options; groups."""
    shown = {option.key: option.product_id for option in (*one.options, *one.spare_options)}
    products = {
        *one.products,
        *(one.context[position].product_id for position in assignment.context),
        *(shown[key] for key in assignment.options),
    }
    return {families.get(product, product) for product in products} | set(one.groups)


def assert_nothing_leaks(
    examples: Sequence[Example], assigned: Mapping[str, Went], families: Mapping[str, str] = FAMILIES
) -> None:
    homes: defaultdict[str, set[Split]] = defaultdict(set)
    for one in examples:
        assignment = assigned[one.example_id]
        if assignment.split:
            for thing in published_things(one, assignment, families):
                homes[thing].add(assignment.split)
    straddling = {thing: splits for thing, splits in homes.items() if len(splits) > 1}
    assert not straddling


def assert_each_is_placed_or_told_why_not(examples: Sequence[Example], assigned: Mapping[str, Went]) -> None:
    assert set(assigned) == {one.example_id for one in examples}
    for one in examples:
        assignment = assigned[one.example_id]
        assert bool(assignment.split) != bool(assignment.reason)
        if assignment.split:
            assert (assignment.split == "test_ood") == (one.domain == "ood")
            assert len(assignment.options) == len(one.options)
            assert len(set(assignment.options)) == len(assignment.options)
            if one.options:
                assert one.answer in assignment.options
        else:
            assert assignment.reason in {OVER_QUOTA, STRADDLES, SHARED_WITH_OOD, SHORT_CONTEXT, FEW_OPTIONS}
            assert (assignment.context, assignment.options) == ((), ())


def assert_no_quota_is_exceeded(assigned: Mapping[str, Went]) -> None:
    filled = Counter((example_id.split(":")[0], one.split) for example_id, one in assigned.items() if one.split)
    for (task, split), count in filled.items():
        assert count <= getattr(SETTINGS[task].quota, split)


@settings(max_examples=100, deadline=None)
@given(worlds(), st.integers(0, 3))
def test_nothing_leaks_disappears_or_exceeds_a_quota(world: list[Example], seed: int) -> None:
    assigned = split_of(world, seed=seed)
    assert_nothing_leaks(world, assigned)
    assert_each_is_placed_or_told_why_not(world, assigned)
    assert_no_quota_is_exceeded(assigned)


@settings(max_examples=60, deadline=None)
@given(worlds(), st.sets(st.integers(0, 59), max_size=4))
def test_what_is_left_out_late_moves_nothing_and_others_come_in(world: list[Example], places: set[int]) -> None:
    before = split_of(world)
    gone = {one.example_id for place, one in enumerate(world) if place in places}
    after = split_of(world, left_out=gone)
    assert_nothing_leaks(world, after)
    for name in before.keys() - gone:
        if before[name].split:
            assert after[name] == before[name]
        elif after[name].split:
            assert before[name].reason == OVER_QUOTA
        else:
            assert after[name].reason
    for name in gone:
        assert after[name] == Went(None, LEFT_OUT, (), ())


def test_what_was_over_quota_comes_in_for_what_is_left_out_in_every_split() -> None:
    quota = {"pairs": TaskSettings(quota=Quota(train=8, validation=2, test=2, test_ood=3))}
    alone = [example("pairs", str(n), products=[f"q{n}"], domain="ood" if n < 10 else "ind") for n in range(60)]
    before = split_of(alone, settings=quota)
    placed = {split: sorted(name for name, went in before.items() if went.split == split) for split in SPLITS}
    gone = {names[0] for names in placed.values()}
    after = split_of(alone, settings=quota, left_out=gone)
    assert Counter(went.split for went in after.values()) == Counter(went.split for went in before.values()) + Counter(
        {None: 0}
    )
    assert not any(after[name].split for name in gone)


@settings(max_examples=40, deadline=None)
@given(worlds(), st.randoms(use_true_random=False))
def test_the_order_of_examples_does_not_matter(world: list[Example], order: random.Random) -> None:
    shuffled = list(world)
    order.shuffle(shuffled)
    assert split_of(shuffled) == split_of(world)


@settings(max_examples=30, deadline=None)
@given(worlds(), worlds())
def test_disjoint_examples_of_other_tasks_move_nothing(world: list[Example], others: list[Example]) -> None:
    mine = [one for one in world if one.task != "choices"]
    names = {product: f"other {product}" for product in FAMILIES}
    theirs = [
        example(
            "choices",
            f"other {number}",
            products=[names[product] for product in one.all_products],
            groups=[f"q{group}" for group in one.groups],
            domain=one.domain,
        )
        for number, one in enumerate(others)
    ]
    alone, together = split_of(mine), split_of([*theirs, *mine])
    assert {example_id: together[example_id] for example_id in alone} == alone


def test_one_giant_component_is_cut_at_little_loss_and_to_the_weights() -> None:
    world = clustered(6000, cluster=20, tasks=("pairs", "histories"))
    assigned = split_of(world, families={})
    assert_nothing_leaks(world, assigned, {})
    kept = Counter((example_id.split(":")[0], one.split) for example_id, one in assigned.items() if one.split)
    assert sum(kept.values()) > 0.85 * len(world)
    for task in ("pairs", "histories"):
        total = sum(kept[task, split] for split in WEIGHTS)
        for split, weight in WEIGHTS.items():
            assert kept[task, split] / total == pytest.approx(weight / 10, abs=0.02)


def test_small_components_follow_the_weights() -> None:
    world = [example("pairs", str(number), products=[f"x{number}", f"y{number}"]) for number in range(5000)]
    kept = Counter(one.split for one in split_of(world).values())
    for split, weight in WEIGHTS.items():
        assert kept[split] / 5000 == pytest.approx(weight / 10, abs=0.02)


def test_queries_that_tie_many_products_each_follow_the_weights_whole() -> None:
    examples = [
        Example(
            "t", "s", f"{query}-{product}", "ind", "us", (f"p:{query}-{product}",), {}, "x", groups=(f"query:{query}",)
        )
        for query in range(120)
        for product in range(40)
    ]
    settings = {"t": TaskSettings(quota=Quota(train=10_000, validation=10_000, test=10_000))}
    counts = Counter(one.split for one in split_of(examples, families={}, settings=settings).values())
    assert counts[None] == 0
    assert 40 * 4 <= counts["validation"] <= 40 * 24
    assert 40 * 4 <= counts["test"] <= 40 * 24


def test_another_seed_gives_another_split() -> None:
    world = clustered(600, cluster=20)
    one, other = split_of(world, seed=1, families={}), split_of(world, seed=2, families={})
    assert sum(one[key].split != other[key].split for key in one) > 60


def test_variants_of_a_product_stay_together() -> None:
    world = [
        example("pairs", f"{number}{side}", products=[f"{side}{number}"]) for number in range(300) for side in "ab"
    ]
    families = {f"{side}{number}": f"family {number}" for number in range(300) for side in "ab"}
    assigned = split_of(world, families=families)
    homes = defaultdict(set)
    for one in world:
        homes[families[one.products[0]]].add(assigned[one.example_id].split)
    assert all(len(splits) == 1 for splits in homes.values())
    assert len(set().union(*homes.values())) == 3


def test_an_out_of_domain_product_is_taken_from_the_in_domain_examples() -> None:
    world = [
        example("pairs", "outside", products=["p0"], domain="ood"),
        example("pairs", "variant", products=["p1", "p8"]),
        example("pairs", "free", products=["p4"]),
        example("histories", "trimmed", products=["p6"], context=["p0", "p6"]),
    ]
    assigned = {one.identity: split_of(world)[one.example_id] for one in world}
    assert assigned["outside"].split == "test_ood"
    assert assigned["variant"].reason == SHARED_WITH_OOD
    assert assigned["free"].split
    assert assigned["trimmed"].split
    assert assigned["trimmed"].context == (1,)


def test_out_of_domain_examples_beyond_the_quota_take_nothing() -> None:
    outside = [example("pairs", f"out{number}", products=[f"o{number}"], domain="ood") for number in range(9)]
    inside = [example("pairs", f"in{number}", products=[f"o{number}"]) for number in range(9)]
    assigned = split_of([*outside, *inside])
    reasons = Counter(assigned[one.example_id].reason for one in [*outside, *inside])
    assert reasons == {"": 9, OVER_QUOTA: 4, SHARED_WITH_OOD: 5}


def test_attributes_keep_the_domains_apart_but_not_the_in_domain_splits() -> None:
    world = [
        example("pairs", str(number), products=[f"x{number}"], groups=["attribute:Color"]) for number in range(200)
    ]
    assert len({one.split for one in split_of(world).values()}) == 3
    held_out = example("pairs", "held out", products=["z"], groups=["attribute:Color"], domain="ood")
    assert {one.reason for one in split_of([*world, held_out]).values()} == {"", SHARED_WITH_OOD}


def test_a_history_is_trimmed_to_its_split_or_dropped_when_too_little_is_left() -> None:
    order = random.Random(3)
    world = [
        example(
            "histories", str(number), groups=[f"user:{number}"], context=[f"c{order.randrange(60)}" for _ in "12345"]
        )
        for number in range(300)
    ]
    found = split_of(world, families={})
    lengths = Counter(len(one.context) for one in found.values() if one.split)
    assert lengths[0] == 0
    assert sum(lengths[length] for length in (1, 2, 3, 4)) > 0
    demanding = {**SETTINGS, "histories": TaskSettings(quota=MANY, leakage="trim", min_context=4)}
    dropped = split_of(world, families={}, settings=demanding)
    assert any(one.reason == SHORT_CONTEXT for one in dropped.values())
    assert all(len(one.context) >= 4 for one in dropped.values() if one.split)


def test_wrong_options_of_other_splits_are_replaced_and_the_right_one_never() -> None:
    order = random.Random(4)
    settings = {**SETTINGS, "choices": TaskSettings(quota=MANY)}
    world = []
    for number in range(200):
        chosen = [f"c{pick}" for pick in order.sample(range(400), 60)]
        world.append(example("choices", str(number), options=[f"r{number}", *chosen[:4]], spares=chosen[4:]))
        world.append(example("pairs", str(number), products=[f"c{2 * number}", f"c{2 * number + 1}"]))
    assigned = split_of(world, families={}, settings=settings)
    assert_nothing_leaks(world, assigned, {})
    kept = [
        (one, assigned[one.example_id]) for one in world if one.task == "choices" and assigned[one.example_id].split
    ]
    assert {assignment.split for _, assignment in kept} == {"train", "validation", "test"}
    assert all(assignment.options[0] == one.answer and len(assignment.options) == 5 for one, assignment in kept)
    assert any(assignment.options[1:] != tuple(o.key for o in one.options[1:]) for one, assignment in kept)


@pytest.mark.parametrize(
    ("wrong", "spares"),
    [
        (["shared"], ["own {}"]),
        (["variant of shared"], ["own {}"]),
        (["taken"], ["shared", "own {}"]),
        (["taken"], ["variant of shared", "own {}"]),
        (["shared"], ["taken"]),
    ],
)
def test_a_wrong_option_that_two_splits_want_goes_to_the_test(wrong: list[str], spares: list[str]) -> None:
    world = [
        example("choices", f"{n}", options=[f"right {n}", *wrong], spares=[one.format(n) for one in spares])
        for n in range(60)
    ]
    outside = example("pairs", "outside", products=["taken"], domain="ood")
    families = {"shared": "shared", "variant of shared": "shared"}
    settings = {**SETTINGS, "choices": TaskSettings(quota=MANY)}
    assigned = split_of([*world, outside], families=families, settings=settings)
    homes = defaultdict(set)
    for one in world:
        found = assigned[one.example_id]
        homes["shared" if families.keys() & set(found.options) else "own"].add(found.split)
    others = {"own": {"train", "validation"}} if any("own" in spare for spare in spares) else {}
    assert homes == {"shared": {"test"}, **others}


def test_a_wrong_option_out_of_domain_gives_way_to_what_is_held_out_anyway() -> None:
    world = [
        example("pairs", "outside", products=["held"], domain="ood"),
        example("choices", "outside", options=["right", "wanted", "held too"], spares=["free", "held"], domain="ood"),
        example("choices", "second", options=["right too", "other"], spares=["held variant", "held"], domain="ood"),
        example("histories", "outside", context=["held too"], domain="ood"),
        *(example("pairs", product, products=[product]) for product in ("wanted", "free", "other")),
    ]
    families = {"right too": "held", "held variant": "held"}
    assigned = {f"{one.task} {one.identity}": split_of(world, families=families)[one.example_id] for one in world}
    assert assigned["choices outside"].options == ("right", "held", "held too")
    assert assigned["choices second"].options == ("right too", "other")
    assert {assigned[f"pairs {product}"].reason for product in ("wanted", "free")} == {""}
    assert assigned["pairs other"].reason == SHARED_WITH_OOD


def test_a_wrong_option_is_never_a_variant_of_the_right_one() -> None:
    world = [example("choices", "one", options=["p0", "p1", "p4"], spares=["p5", "p9"])]
    assert split_of(world)[world[0].example_id].options == ("p0", "p9", "p4")


def test_options_that_cannot_be_replaced_tie_the_example() -> None:
    world = [example("choices", str(number), options=[f"x{number}", f"y{number}"]) for number in range(20)]
    world += [example("pairs", str(number), products=[f"y{number}"]) for number in range(20)]
    assert_nothing_leaks(world, split_of(world))


def test_a_split_without_weight_stays_empty() -> None:
    world = clustered(300, cluster=20)
    splits = {one.split for one in split_of(world, families={}, weights={"train": 3, "test": 1}).values()}
    assert splits == {"train", "test", None}
    plenty = [example("pairs", str(number), products=[f"x{number}"]) for number in range(300)]
    wanted = {"pairs": TaskSettings(quota=Quota(train=100, validation=20, test=20))}
    went = split_of(plenty, families={}, settings=wanted, weights={"train": 3, "test": 1}).values()
    assert Counter(one.split for one in went) == {"train": 100, "test": 20, None: 180}, "even if there is enough for it"
    with pytest.raises(ValueError, match="weight"):
        split_of(world, weights={"test_ood": 1})
