"""The audit's search for near duplicates, against brute force."""

import random
import re
from collections import defaultdict
from itertools import count
from pathlib import Path

import numpy as np
import pytest
import xxhash
from audit_rows import clean_dataset, jaccard, nearly, sentence, write_shards
from hypothesis import given
from hypothesis import strategies as st

from ecinstruct_build.audit.limits import AuditLimits
from ecinstruct_build.audit.minhash import MISS, bands_for, similar_sets
from ecinstruct_build.audit.near import word_numbers
from ecinstruct_build.audit.result import MAX_LISTED
from ecinstruct_build.audit.run import audit_dataset
from ecinstruct_build.audit.texts import normal, plain, words

Found = dict[tuple[int, int], float]


def brute_force(sets: list[frozenset[int]], lefts: range, rights: range, threshold: float) -> Found:
    found = {}
    for one in lefts:
        for other in rights:
            similarity = len(sets[one] & sets[other]) / len(sets[one] | sets[other])
            if similarity >= threshold:
                found[one, other] = similarity
    return found


def searched(sets: list[frozenset[int]], lefts: range, rights: range, threshold: float) -> Found:
    size = max(map(max, sets)) + 1
    hashes = np.array([xxhash.xxh3_64_intdigest(str(word).encode()) for word in range(size)], np.uint64)
    arrays = [np.array(sorted(one), np.int32) for one in sets]
    found: Found = {}
    for block in similar_sets(arrays, hashes, np.array(lefts), np.array(rights), threshold):
        pairs = list(zip(block.left.tolist(), block.right.tolist(), strict=True))
        assert not found.keys() & set(pairs)
        assert len(set(pairs)) == len(pairs)
        found |= zip(pairs, block.similarity.tolist(), strict=True)
    return found


def family_of_sets(chance: random.Random, families: int, members: int) -> list[frozenset[int]]:
    """Sets of 5 to 80 words, and for each some that differ from it in up to a third of the words."""
    sets: dict[frozenset[int], None] = {}
    for _ in range(families):
        base = chance.sample(range(3000), chance.randint(5, 80))
        for _ in range(members):
            changed = list(base)
            for place in chance.sample(range(len(base)), chance.randint(0, len(base) // 3)):
                changed[place] = chance.randrange(3000)
            sets[frozenset(changed)] = None
    return list(sets)


@pytest.mark.parametrize("threshold", [0.5, 0.7, 0.8, 0.9, 1.0])
def test_every_similar_pair_is_found(threshold: float) -> None:
    sets = family_of_sets(random.Random(7), 60, 8)
    lefts, rights = range(0, len(sets), 2), range(1, len(sets), 2)
    expected = brute_force(sets, lefts, rights, threshold)
    if threshold < 1:
        assert len(expected) > 10
    assert searched(sets, lefts, rights, threshold) == expected


@given(st.lists(st.frozensets(st.integers(0, 30), min_size=1, max_size=25), min_size=2, max_size=12, unique=True))
def test_no_pair_is_found_that_is_not_similar(sets: list[frozenset[int]]) -> None:
    everything = range(len(sets))
    expected = brute_force(sets, everything, everything, 0.8)
    found = searched(sets, everything, everything, 0.8)
    assert found.items() <= expected.items()
    assert set(found) >= {(place, place) for place in everything}


@pytest.mark.parametrize("threshold", [0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.0])
def test_bands_miss_as_little_as_promised(threshold: float) -> None:
    rows, bands = bands_for(threshold)
    assert (1 - threshold**rows) ** bands <= MISS
    assert rows * bands <= 200


def test_a_crowd_of_equal_looking_texts_is_searched_in_parts() -> None:
    common = set(range(40))
    sets = [frozenset(common | {100 + number}) for number in range(800)]
    found = searched(sets, range(400), range(400, 800), 0.9)
    assert len(found) == 400 * 400


def test_near_duplicates_are_told_from_exact_ones_and_from_layout(tmp_path: Path) -> None:
    made = clean_dataset({"train": 40, "test": 5}, tasks=["Sentiment_Analysis"])
    chance = random.Random(2)
    train, test = made.rows["Sentiment_Analysis", "train"], made.rows["Sentiment_Analysis", "test"]
    layout = "Read the following review that a customer wrote about one of the many products in our shop today"
    for row in [*train, *test]:
        row["input"] = f"{layout}: {sentence(chance, 12)}"
    train[0]["input"] = test[0]["input"].upper()
    payload = test[1]["input"].split(": ")[1]
    train[1]["input"] = f"{layout}: {nearly(payload, chance, 1)}"
    train[2]["input"] = f"{layout}: {payload.rstrip('.')}!"
    test[2]["input"] = f"{layout}: four little words only."
    train[3]["input"] = f"{layout}: only four little words."
    found = [
        one
        for one in audit_dataset(write_shards(made, tmp_path)).overlaps
        if (one.left, one.right) == ("train", "test")
    ]
    near, exact = (next(one for one in found if one.kind == kind) for kind in ("near", "input"))
    assert {(one.left, one.right): one.similarity for one in near.listed} == {
        (train[1]["example_id"], test[1]["example_id"]): round(jaccard(train[1]["input"].split(": ")[1], payload), 6),
        (train[2]["example_id"], test[1]["example_id"]): 1.0,
    }
    assert (near.values, near.right_rows) == (2, 1)
    assert [one.right for one in exact.listed] == [test[0]["example_id"]]
    assert near.right_carrying == 4


def test_all_pairs_are_counted_and_the_most_alike_are_listed(tmp_path: Path) -> None:
    made = clean_dataset({"train": 220, "test": 220}, tasks=["Sentiment_Analysis"])
    chance = random.Random(4)
    templates = [sentence(chance, 30), sentence(chance, 18)]
    for role in ("train", "test"):
        for number, row in enumerate(made.rows["Sentiment_Analysis", role]):
            row["input"] = f"{templates[number % 2]} {role}{number}"
    found = audit_dataset(write_shards(made, tmp_path)).overlaps
    near = next(one for one in found if (one.kind, one.left, one.right) == ("near", "train", "test"))
    assert (near.values, near.left_rows, near.right_rows) == (2 * 110 * 110, 220, 220)
    assert len(near.listed) == MAX_LISTED
    assert {one.similarity for one in near.listed} == {round(30 / 32, 6)}
    firsts = [one.left for one in near.listed]
    assert firsts == sorted(firsts)
    assert len({(one.left, one.right) for one in near.listed}) == MAX_LISTED


def test_the_threshold_is_the_limits(tmp_path: Path) -> None:
    made = clean_dataset({"train": 30, "test": 5}, tasks=["Sentiment_Analysis"])
    row = made.rows["Sentiment_Analysis", "train"][0]
    row["input"] = nearly(made.rows["Sentiment_Analysis", "test"][0]["input"], random.Random(0), 5)
    write_shards(made, tmp_path)
    assert audit_dataset(tmp_path).passed
    assert not audit_dataset(tmp_path, AuditLimits(jaccard=0.65)).passed


@given(st.text())
def test_normal_form_is_stable(text: str) -> None:
    assert normal(normal(text)) == normal(text)
    assert plain(plain(text)) == plain(text)


@given(st.text() | st.text(st.characters(max_codepoint=127), max_size=40))
def test_plain_form_is_the_words_of_the_normal_form(text: str) -> None:
    assert plain(text) == " ".join(words(normal(text)))
    if text.isascii():
        assert words(text) == re.findall("[0-9A-Za-z]+", text)


def test_normal_form_sees_through_case_spaces_and_wide_letters() -> None:
    assert normal(" \ufb01ne\tSTRASSE  \uff21\uff22 stra\u00dfe\n") == "fine strasse ab strasse"


def test_scripts_without_spaces_have_words_of_one_character() -> None:
    assert words(normal("赤い箱 USB-C 128GB")) == ["赤", "い", "箱", "usb", "c", "128gb"]


@given(st.lists(st.text() | st.text(st.sampled_from("aB1_ .-\t\néß語ー\x1c\xa0"), max_size=30), max_size=6))
def test_texts_have_the_same_words_split_together_or_one_by_one(texts: list[str]) -> None:
    texts = [normal(text) for text in texts]
    vocabulary = defaultdict[str, int](count(3).__next__)
    numbers = word_numbers(texts, vocabulary)
    assert [one.tolist() for one in numbers] == [sorted({vocabulary[word] for word in words(text)}) for text in texts]
    assert sorted(vocabulary) == sorted({word for text in texts for word in words(text)})
