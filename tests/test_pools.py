"""Pools: tasks that share a table never share a query, whatever the engine, seed or recipe."""

import functools
import itertools

import ibis
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from ecinstruct_build import chance
from ecinstruct_build.drawing import graded, questions
from ecinstruct_build.drawing.pools import Stretch, in_pool, same_words, same_words_column, take_share
from ecinstruct_build.task import Request


@functools.cache
def engine():
    return ibis.duckdb.connect()


def column(expression):
    return engine().to_pyarrow(expression).column(0).to_pylist()


def test_words_are_compared_without_case_and_spacing_in_python_and_engine_alike():
    texts = ["  Oak\tTea\u00a0 TRAY\n", "ÑANDÚ Ærø ΣΊΣΥΦΟΣ İstanbul ЖУК ẞ", "", " ", "日本　茶", "a\u200bB", "ǅ"]
    table = ibis.memtable(pa.table({"text": texts}))
    assert column(table.select(words=same_words_column(table.text))) == [same_words(text) for text in texts]
    assert same_words(texts[0]) == same_words("oak tea tray") == "oak tea tray"


@settings(max_examples=30, deadline=None)
@given(st.lists(st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\0")), max_size=20))
def test_engine_and_python_agree_on_any_words(texts):
    table = ibis.memtable(pa.table({"text": pa.array(texts, pa.string())}))
    assert column(table.select(words=same_words_column(table.text))) == [same_words(text) for text in texts]


def test_a_stretch_holds_the_identities_whose_number_falls_in_it():
    identities = [f"q{n}" for n in range(2000)]
    table = ibis.memtable(pa.table({"identity": identities}))
    stretches = [
        Stretch(start=0.0, stop=0.2),
        Stretch(start=0.2, stop=0.7),
        Stretch(start=0.7),
        Stretch(start=0.3, stop=0.3),
    ]
    for stretch in stretches:
        found = column(table.filter(in_pool(table.identity, "query", stretch)))
        numbers = {identity: chance.uniform(0, "pool query", identity) for identity in identities}
        assert sorted(found) == sorted(key for key, number in numbers.items() if stretch.start <= number < stretch.stop)


@pytest.mark.parametrize(
    "pools",
    [
        (graded.CLASSIFICATION_POOL, graded.SUBSTITUTE_POOL, graded.RANKING_POOL),
        (questions.ANSWERABILITY_POOL, questions.GENERATION_POOL),
    ],
)
def test_default_pools_cover_everything_once(pools):
    edges = [(pool.start, pool.stop) for pool in pools]
    assert edges[0][0] == 0.0
    assert edges[-1][1] == 1.0
    assert all(left[1] == right[0] for left, right in itertools.pairwise(edges))


@pytest.mark.parametrize("wrong", [{"start": 0.6, "stop": 0.4}, {"stop": 1.5}, {"start": -0.1}, {"end": 1.0}])
def test_a_stretch_that_makes_no_sense_is_refused(wrong):
    with pytest.raises(ValidationError):
        Stretch(**wrong)


@settings(max_examples=15, deadline=None)
@given(st.floats(min_value=0.0, max_value=1.0), st.integers(min_value=0, max_value=30))
def test_a_share_is_kept_and_a_smaller_draw_is_part_of_a_larger_one(share, number):
    identities = [f"i{n}" for n in range(80)]
    rows = ibis.memtable(
        pa.table(
            {"source": ["s"] * 80, "domain": ["ind"] * 80, "id": identities, "good": [n % 2 == 0 for n in range(80)]}
        )
    )

    def drawn(wanted):
        taken = take_share(rows, Request(5, wanted, 0), "test", ["id"], flag="good", share=share)
        return {(row["id"], row["good"]) for row in engine().to_pyarrow(taken).to_pylist()}

    found = drawn(number)
    assert len(found) == number
    assert abs(sum(good for _, good in found) - number * share) <= 0.5
    assert found <= drawn(number + 1)


def test_where_one_kind_runs_short_the_share_holds():
    rows = ibis.memtable(
        pa.table(
            {"source": ["s"] * 10, "domain": ["ind"] * 10, "id": list("abcdefghij"), "good": [True] * 2 + [False] * 8}
        )
    )
    taken = take_share(rows, Request(5, 8, 0), "test", ["id"], flag="good", share=0.5)
    assert sorted(engine().to_pyarrow(taken).column("good").to_pylist()) == [False] * 4 + [True] * 2


@pytest.mark.parametrize(
    ("question", "by_words"),
    [("does it fit?", False), ("does it fit a very small car?", True), ("洗濯機で洗っても色は落ちませんか。", True)],
)
def test_a_question_that_tells_enough_is_one_question_under_any_id(question: str, by_words: bool) -> None:
    asked = questions.Asked({"source": "s", "question_id": "1"}, question, ("a snippet",))
    assert any(group.startswith("question:words:") for group in asked.groups) == by_words
