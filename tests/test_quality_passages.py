"""Shared passages: the pairs of examples that share much of their text, and what hangs together by them."""

import random
from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations
from unittest import mock

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from passage_texts import PROSE, prose, review

from ecinstruct_build.check import PAIR_SCHEMA
from ecinstruct_build.example import Example, Item
from quality.content import content_texts
from quality.similarity.passages import CROWD, shared_passages
from quality.similarity.shingles import words


def runs(texts: Iterable[str], size: int) -> set[tuple[str, ...]]:
    cut = (words(text) for text in texts)
    return {tuple(part[start : start + size]) for part in cut for start in range(len(part) - size + 1)}


# Few words and short runs, so that texts overlap by chance.
texts = st.lists(st.sampled_from(["a", "b", "c", "Ünd", "e_1", "\u8336"]), max_size=12).map(" ".join)
contents = st.lists(texts, min_size=1, max_size=3)


def made(rows: Sequence[Sequence[str]]) -> list[Example]:
    return [
        Example("t", "corpus", str(number), "ind", "us", (), {str(place): text for place, text in enumerate(row)}, "a")
        for number, row in enumerate(rows)
    ]


def pairs_of(table: pa.Table) -> dict[tuple[str, str], float]:
    assert table.schema == PAIR_SCHEMA
    rows = table.to_pylist()
    assert all(row["left"] < row["right"] and row["reason"] == "shared passage" for row in rows)
    assert [(row["left"], row["right"]) for row in rows] == sorted((row["left"], row["right"]) for row in rows)
    return {(row["left"], row["right"]): row["score"] for row in rows}


def expected_pairs(examples: Sequence[Example], size: int, share: float) -> dict[tuple[str, str], float]:
    own = {one.example_id: runs(content_texts(one), size) for one in examples}
    return {
        (left, right): round(len(own[left] & own[right]) / smaller, 6)
        for left, right in combinations(sorted(own), 2)
        if (smaller := min(len(own[left]), len(own[right]))) and len(own[left] & own[right]) >= share * smaller
    }


@given(st.lists(contents, max_size=12), st.integers(1, 4), st.sampled_from([0.01, 0.3, 0.5, 1]), st.randoms())
def test_pairs_are_those_of_comparing_everything(
    rows: list[list[str]], size: int, share: float, order: random.Random
) -> None:
    examples = [one for one in made(rows) if runs(content_texts(one), size)]
    shuffled = order.sample(examples, len(examples))
    assert pairs_of(shared_passages(shuffled, ngram=size, share=share)) == expected_pairs(examples, size, share)


def test_less_than_the_share_is_no_pair() -> None:
    examples = [review("a", f"{prose(1, 40)} {prose(2, 60)}"), review("b", f"{prose(1, 40)} {prose(3, 48)}")]
    assert pairs_of(shared_passages(examples, share=0.37)) == expected_pairs(examples, 13, 0.37) == {}
    assert list(pairs_of(shared_passages(examples, share=0.36)).values()) == [round(28 / 76, 6)]


def test_short_texts_are_pairs_where_they_are_equal_and_hang_together() -> None:
    examples = [
        review(str(number), text) for number, text in enumerate(["love it", "Love it!", "loved it", "LOVE  it"])
    ]
    examples.append(review("0", "love, it", task="other"))
    found = pairs_of(shared_passages(examples))
    same = sorted(one.example_id for one in examples if "loved" not in one.fields["review"])
    assert found == {(same[0], other): 1.0 for other in same[1:]}


def test_pairs_are_found_across_tasks_and_in_the_context() -> None:
    told = review("a", PROSE)
    history = Example(
        "history", "corpus", "b", "ind", "us", (), {}, "x", context=(Item("p", prose(1, 20)), Item("q", PROSE))
    )
    assert pairs_of(shared_passages([told, history, review("c", prose(2, 40))])) == {
        (history.example_id, told.example_id): 1.0
    }


def parts_of(examples: Sequence[Example], pairs: Mapping[tuple[str, str], float]) -> set[frozenset[str]]:
    parent = {one.example_id: one.example_id for one in examples}

    def root(key: str) -> str:
        while parent[key] != key:
            parent[key] = parent[parent[key]]
            key = parent[key]
        return key

    for left, right in pairs:
        parent[root(left)] = root(right)
    parts: dict[str, set[str]] = {}
    for key in parent:
        parts.setdefault(root(key), set()).add(key)
    return {frozenset(part) for part in parts.values()}


def test_a_crowd_that_shares_a_passage_hangs_together_without_all_its_pairs() -> None:
    count = 6 * CROWD
    # Long ones share the passage too, but it is a small part of them: they are pairs with short ones only.
    examples = [review(str(number), f"{prose(number, 200 if number % 3 else 20)} {PROSE}") for number in range(count)]
    found = pairs_of(shared_passages(examples))
    expected = expected_pairs(examples, 13, 0.5)
    assert found.items() <= expected.items()
    assert len(found) <= 2 * count
    assert parts_of(examples, found) == parts_of(examples, expected)
    assert len(parts_of(examples, found)) == 1
    assert found == pairs_of(shared_passages(examples[::-1]))


def test_boilerplate_ties_no_examples_that_say_more_than_that() -> None:
    examples = [review(str(number), f"{prose(number, 60)} {PROSE}") for number in range(3 * CROWD)]
    examples.append(review("twin", f"{prose(7, 60)} {prose(3, 10)} {PROSE}"))
    found = pairs_of(shared_passages(examples, share=0.5))
    ids = sorted([examples[7].example_id, examples[-1].example_id])
    assert set(found) == {(ids[0], ids[1])}
    assert found == expected_pairs(examples, 13, 0.5)


def test_examples_hang_together_by_two_crowds_whoever_else_is_in_them() -> None:
    first, second = prose(1001, 60), prose(1002, 60)
    pair = [review(f"pair {seed}", f"{first} {prose(seed, 70)} {second}") for seed in (1, 2)]
    others = [review(f"{seed}", f"{first} {prose(seed, 100)}") for seed in range(3, 63)]
    others += [review(f"{seed}", f"{second} {prose(seed, 100)}") for seed in range(63, 123)]
    assert CROWD < 60
    examples = [*others, *pair]
    found = pairs_of(shared_passages(examples))
    assert frozenset(one.example_id for one in pair) in parts_of(examples, found)
    assert found == pairs_of(shared_passages(pair)) == expected_pairs(examples, 13, 0.5)


# Texts of passages that recur, in parts, beside words of their own.
passages = st.tuples(st.integers(0, 7), st.integers(1, 8)).map(
    lambda drawn: " ".join(f"p{drawn[0]}x{place}" for place in range(drawn[1]))
)
mixtures = st.lists(st.tuples(st.lists(passages, max_size=5), st.integers(0, 12)), min_size=1, max_size=40)


@settings(max_examples=300)
@given(mixtures, st.integers(1, 3), st.integers(1, 4), st.sampled_from([0.2, 0.3, 0.5, 0.7, 1]), st.randoms())
def test_what_shares_enough_hangs_together_however_it_is_crowded(
    drawn: list[tuple[list[str], int]], size: int, crowd: int, share: float, order: random.Random
) -> None:
    rows = [
        [*parts, " ".join(f"own{number}x{place}" for place in range(own))] for number, (parts, own) in enumerate(drawn)
    ]
    examples = [one for one in made(rows) if runs(content_texts(one), size)]
    with (
        mock.patch("quality.similarity.passages.CROWD", crowd),
        mock.patch("quality.similarity.crowds._AT_ONCE", order.choice([1, 30, 1000])),
    ):
        found = pairs_of(shared_passages(order.sample(examples, len(examples)), ngram=size, share=share))
    expected = expected_pairs(examples, size, share)
    assert found.items() <= expected.items()
    assert parts_of(examples, found) == parts_of(examples, expected)


def test_pairs_are_the_same_however_few_are_in_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    order = random.Random(4)
    passages = [prose(seed, 20) for seed in range(9)]
    examples = [review(str(number), " ".join(order.sample(passages, 3))) for number in range(150)]
    whole = shared_passages(examples)
    assert whole.num_rows > 300
    monkeypatch.setattr("quality.similarity.passages._AT_ONCE", 100)
    assert shared_passages(examples) == whole
