"""Keyed randomness: the same everywhere, fair, and moved by nothing but its key."""

import subprocess
import sys
from collections import Counter

import ibis
import pyarrow as pa
import pytest
from handmade import duckdb
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare

from ecinstruct_build import chance


@given(st.integers(0, 99), st.lists(st.text(min_size=1, max_size=20), min_size=1, max_size=5, unique=True))
def test_the_engine_and_python_agree(seed: int, identities: list[str]) -> None:
    identities = [identity.replace("\0", "") for identity in identities]
    table = ibis.memtable(pa.table({"identity": identities}))
    column = duckdb().to_pyarrow(table.select(key=chance.digest_column(seed, "test", table.identity)))
    assert column["key"].to_pylist() == [chance.digest(seed, "test", identity) for identity in identities]


def test_the_hash_seed_of_the_process_changes_nothing() -> None:
    code = "from ecinstruct_build.chance import shuffle; print(shuffle(list('abcdefgh'), 1, 'test', 'x'))"
    outputs = {
        subprocess.run(
            [sys.executable, "-c", code], env={"PYTHONHASHSEED": seed}, capture_output=True, check=True
        ).stdout
        for seed in ("0", "1", "2")
    }
    assert len(outputs) == 1


def test_uniform_is_uniform_and_seeds_differ() -> None:
    draws = [chance.uniform(3, "test", str(number)) for number in range(20_000)]
    assert chisquare([count for _, count in sorted(Counter(int(draw * 20) for draw in draws).items())]).pvalue > 1e-4
    assert all(0 <= draw < 1 for draw in draws)
    assert chance.uniform(3, "test", "1") != chance.uniform(4, "test", "1") != chance.uniform(4, "other", "1")


@given(st.lists(st.text(max_size=4), unique=True, max_size=8), st.randoms(use_true_random=False))
def test_shuffle_depends_on_the_items_and_not_on_their_order(items: list[str], mixer: object) -> None:
    mixed = list(items)
    mixer.shuffle(mixed)
    assert chance.shuffle(items, 0, "test", "x") == chance.shuffle(mixed, 0, "test", "x")


def test_choose_reaches_every_item_and_refuses_an_empty_choice() -> None:
    assert {chance.choose("abcd", 0, "test", str(number)) for number in range(200)} == set("abcd")
    with pytest.raises(IndexError):
        chance.choose([], 0, "test", "x")
