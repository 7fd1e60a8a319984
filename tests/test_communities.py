"""Communities: the web is cut once, and the splits of every seed are made of them."""

from collections import Counter
from functools import cache
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from split_world import SETTINGS, WEIGHTS, clustered, example, worlds

from ecinstruct_build.example import Example
from ecinstruct_build.splits import SPLITS
from quality.splitting.leakage import assign, communities_of
from quality.splitting.placement import NOWHERE
from quality.splitting.web import Web, web_of


@cache
def web() -> Web:
    return web_of(clustered(3000, cluster=20), {})


def by_name(spun: Web, seed: int = 0) -> dict[str, str]:
    """Return the community of each node, both by name."""
    parts = communities_of(spun, SETTINGS, WEIGHTS, seed)
    return {name: spun.nodes[part] for name, part in zip(spun.nodes, parts.tolist(), strict=True)}


@settings(max_examples=30, deadline=None)
@given(worlds(), st.randoms(use_true_random=False))
def test_communities_depend_on_the_set_of_examples_alone(world: list[Example], order: Random) -> None:
    shuffled = list(world)
    order.shuffle(shuffled)
    assert by_name(web_of(world, {})) == by_name(web_of(shuffled, {}))


def test_what_hangs_on_nothing_here_moves_no_community() -> None:
    others = range(200)
    elsewhere = [example("pairs", f"e{one}", products=[f"e{one % 40}", f"e{one % 7}"]) for one in others]
    alone, both = by_name(web()), by_name(web_of([*clustered(3000, cluster=20), *elsewhere], {}))
    assert {name: both[name] for name in alone} == alone


def test_a_community_is_named_by_its_smallest_node_and_small_beside_the_splits() -> None:
    parts = communities_of(web(), SETTINGS, WEIGHTS, 0)
    members = np.bincount(parts, minlength=len(parts))
    assert all(parts[part] == part for part in np.flatnonzero(members))
    assert np.count_nonzero(members) >= 40  # a tenth of the examples is to be made of four or more
    assert np.count_nonzero(members) < len(parts) / 5


@pytest.mark.parametrize("seed", range(4))
def test_one_cut_serves_the_splits_of_every_seed(seed: int) -> None:
    parts = communities_of(web(), SETTINGS, WEIGHTS, 9)
    one, anew = (assign(web(), SETTINGS, WEIGHTS, seed, parts=given) for given in (parts, None))
    kept, kept_anew = (np.count_nonzero(found.packed != NOWHERE) for found in (one, anew))
    assert kept > 0.97 * kept_anew
    counts = Counter(one.packed[one.packed != NOWHERE].tolist())
    assert [counts[split] / kept for split in range(3)] == pytest.approx([0.8, 0.1, 0.1], abs=0.02)


def test_where_one_split_takes_all_nothing_is_cut_and_nothing_straddles() -> None:
    weights = {"train": 0.0, "validation": 3.0}
    parts = communities_of(web(), SETTINGS, weights, 0)
    assert parts.tolist() == list(range(len(parts)))
    found = assign(web(), SETTINGS, weights, 0, parts=parts)
    assert set(found.packed[found.candidate].tolist()) == {SPLITS.index("validation")}


def test_seeds_choose_different_packings_of_the_same_communities() -> None:
    parts = communities_of(web(), SETTINGS, WEIGHTS, 0)
    tests = [
        set(np.flatnonzero(assign(web(), SETTINGS, WEIGHTS, seed, parts=parts).packed == 2).tolist())
        for seed in range(3)
    ]
    assert all(len(one & other) < len(one | other) / 2 for one in tests for other in tests if one is not other)


def test_a_community_that_has_become_too_large_is_cut_anew() -> None:
    """As where most examples of a component went to the out-of-domain test after it was cut."""
    everything = np.zeros(len(web().nodes), np.int64)
    found = assign(web(), SETTINGS, WEIGHTS, 0, parts=everything)
    counts = Counter(found.packed.tolist())
    assert min(counts[split] for split in range(3)) > 0.08 * len(web().example_ids)
