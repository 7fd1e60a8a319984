"""Exact and near duplicates: what is found within a task and across tasks, how surely, and from what measures."""

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecinstruct_build.check import PAIR_SCHEMA, Evidence, Verdict
from ecinstruct_build.example import Example, Item, Option
from quality import duplicates
from quality.duplicates import DuplicateSettings, clusters, judge, measure, similar_examples
from quality.similarity import minhash
from quality.similarity.shingles import words

PROSE = (
    "The zipper broke on the second trip, though the fabric itself feels strong and the pockets are where one "
    "wants them, so I am keeping it and having the zipper replaced at the shop around the corner."
)
OTHER = "My husband wears these every day while he works in the garden and they still look new after a whole year."
TITLES = ("Stainless steel kettle with a whistling lid, two quarts", "Folding yoga mat, extra thick, non slip, teal")


def review(identity: str, text: str, answer: Any = "good", *, task: str = "reviews") -> Example:
    return Example(task, "corpus", identity, "ind", "us", (), {"review": text}, answer)


def reasons(verdicts: Sequence[Verdict]) -> dict[str, str]:
    return {verdict.example_id: verdict.reason for verdict in verdicts}


def found_in(examples: Sequence[Example], seed: int = 0, **chosen: Any) -> list[Verdict]:
    return judge(examples, DuplicateSettings(**chosen), Evidence(seed))


def jaccard(one: str, other: str) -> float:
    left, right = set(words(one)), set(words(other))
    return len(left & right) / len(left | right)


def without(text: str, *places: int) -> str:
    return " ".join(word for place, word in enumerate(text.split()) if place not in places)


def test_the_same_text_twice_is_kept_once_whatever_its_case_and_spaces() -> None:
    examples = [review("a", PROSE), review("b", PROSE.upper()), review("c", f"  {PROSE}\n")]
    found = found_in(examples)
    assert set(reasons(found).values()) == {"exact duplicate"}
    assert len(found) == 2
    (kept,) = {one.example_id for one in examples} - set(reasons(found))
    assert {verdict.peer for verdict in found} == {kept}


def test_of_the_same_text_with_different_answers_none_is_kept() -> None:
    examples = [review("a", PROSE, "good"), review("b", PROSE, "bad"), review("c", PROSE, "good")]
    found = found_in(examples)
    assert list(reasons(found).values()) == ["contradicting duplicate"] * 3
    answers = {one.example_id: one.answer for one in examples}
    assert all(answers[verdict.example_id] != answers[verdict.peer] for verdict in found)


def test_a_near_duplicate_names_a_kept_example_and_the_true_similarity() -> None:
    examples = [review("a", PROSE), review("b", PROSE.replace("corner", "block")), review("c", OTHER)]
    (verdict,) = found_in(examples)
    assert verdict.reason == "near duplicate"
    assert verdict.remedy == "reject"
    assert {verdict.example_id, verdict.peer} == {examples[0].example_id, examples[1].example_id}
    assert verdict.score == pytest.approx(jaccard(PROSE, PROSE.replace("corner", "block")), abs=1e-6)


def test_two_questions_on_one_text_are_two_examples() -> None:
    def asked(identity: str, question: str, text: str = PROSE) -> Example:
        return Example("answering", "corpus", identity, "ind", "us", (), {"question": question, "text": text}, "yes")

    zipper, pockets = asked("a", "Is the zipper strong?"), asked("b", "How many pockets are there?")
    again = asked("c", "Is the zipper strong?", PROSE.replace("corner", "block"))
    assert found_in([zipper, pockets]) == []
    assert {verdict.reason for verdict in found_in([zipper, pockets, again])} == {"near duplicate"}


def test_of_a_chain_of_near_duplicates_every_rejected_one_is_like_a_kept_one() -> None:
    vocabulary = [f"word{number}" for number in range(60)]
    chain = [review(str(start), " ".join(vocabulary[start : start + 30])) for start in range(0, 30, 2)]
    found = [verdict for verdict in found_in(chain) if verdict.remedy == "reject"]
    assert 3 <= len(chain) - len(found) < 10
    assert not {verdict.peer for verdict in found} & set(reasons(found))


def test_a_copy_of_a_rejected_example_names_the_kept_one_too() -> None:
    nearly = without(PROSE, 4)
    examples = [review("a", PROSE), review("b", PROSE.upper()), review("c", nearly), review("d", nearly.upper())]
    for seed in range(8):
        found = found_in(examples, seed)
        (kept,) = {one.example_id for one in examples} - set(reasons(found))
        assert {verdict.peer for verdict in found} == {kept}
        assert sorted(reasons(found).values()) == ["exact duplicate", "near duplicate", "near duplicate"]


def test_a_pair_just_below_the_threshold_is_kept_and_shown() -> None:
    other = without(PROSE, 3, 9, 12, 13, 17, 18, 19)
    score = jaccard(PROSE, other)
    (verdict,) = found_in([review("a", PROSE), review("b", other)], threshold=score + 0.01)
    assert (verdict.remedy, verdict.reason) == ("keep", "almost a near duplicate")
    assert verdict.score == pytest.approx(score, abs=1e-6)
    assert verdict.peer
    assert found_in([review("a", PROSE), review("b", other)], threshold=score + 0.01, margin=0.0) == []


def test_products_whose_titles_differ_by_a_word_are_no_duplicates() -> None:
    titles = [
        f"Halden insulated steel water bottle with straw lid and carry loop, {color}" for color in ("teal", "plum")
    ]
    pairs = [
        Example("product_matching", "corpus", color, "ind", "us", (), {"left": "kettle", "right": color}, "no")
        for color in titles
    ]
    assert found_in(pairs) == []
    assert len(found_in(pairs, exact_only=())) == 1


def test_one_query_with_many_products_is_no_repetition() -> None:
    examples = [
        Example("graded", "corpus", title, "ind", "us", (), {"query": "steel kettle", "product": title}, "E")
        for title in TITLES
    ]
    assert found_in(examples) == []


def test_equal_histories_that_go_on_differently_are_two_examples() -> None:
    def history(user: str, following: str, wrong: str) -> Example:
        options = (Option(following, f"title {following}", following), Option(wrong, f"title {wrong}", wrong))
        context = (Item("p1", TITLES[0]), Item("p2", TITLES[1]))
        task = "sequential_recommendation"
        return Example(task, "corpus", user, "ind", "us", (), {}, following, context=context, options=options)

    assert found_in([history("u", "p3", "p5"), history("v", "p4", "p6")]) == []
    assert len(found_in([history("u", "p3", "p5"), history("v", "p3", "p6")])) == 1


def test_a_crowd_of_look_alikes_is_reduced_to_one() -> None:
    found = found_in([review(str(number), f"{PROSE} number {number}") for number in range(300)])
    assert len(found) == 299
    assert len({verdict.peer for verdict in found}) == 1


def graded(task: str, identity: str, title: str, answer: str) -> Example:
    return Example(task, "esci", identity, "ind", "us", (), {"query": "steel kettle", "product": title}, answer)


CLASSIFICATION, SUBSTITUTE = "multiclass_product_classification", "product_substitute_identification"


def test_tasks_that_draw_one_pool_are_flagged_and_lose_nothing() -> None:
    examples = [
        graded(task, str(n), title, "S") for task in (CLASSIFICATION, SUBSTITUTE) for n, title in enumerate(TITLES)
    ]
    found = found_in(examples)
    assert [(verdict.reason, verdict.remedy) for verdict in found] == [("same content in another task", "flag")] * 2
    assert all(verdict.example_id.split(":")[1] == verdict.peer.split(":")[1] for verdict in found)


def test_tasks_that_draw_one_pool_share_nothing_where_the_recipe_wants_it() -> None:
    examples = [
        graded(task, str(n), title, "S") for task in (CLASSIFICATION, SUBSTITUTE) for n, title in enumerate(TITLES)
    ]
    found = found_in(examples, across="reject")
    assert [(verdict.reason, verdict.remedy) for verdict in found] == [("same content in another task", "reject")] * 2
    assert not {verdict.peer for verdict in found} & set(reasons(found))


@pytest.mark.parametrize("across", ["reject", "flag"])
def test_prose_of_two_tasks_is_compared_too(across: str) -> None:
    examples = [review("a", PROSE), review("b", PROSE.replace("corner", "block"), task="stars"), review("c", OTHER)]
    (verdict,) = found_in(examples, across=across)
    assert (verdict.reason, verdict.remedy) == ("near duplicate in another task", across)
    assert verdict.example_id.split(":")[0] != verdict.peer.split(":")[0]


def test_different_answers_to_the_same_content_contradict_within_a_task_only() -> None:
    found = found_in([review("a", PROSE, "good"), review("b", PROSE, "bad", task="stars")])
    assert [verdict.reason for verdict in found] == ["same content in another task"]


def test_two_listings_are_the_same_pair_whichever_comes_first() -> None:
    def pair(identity: str, left: str, right: str, answer: str) -> Example:
        fields = {"left": {"title": left, "price": "5"}, "right": {"title": right}}
        return Example("product_matching", "corpus", identity, "ind", "us", (), fields, answer)

    def turned(identity: str, answer: str) -> Example:
        fields = {"left": {"title": "yoga MAT"}, "right": {"title": "Mat", "price": "5"}}
        return Example("product_matching", "corpus", identity, "ind", "us", (), fields, answer)

    found = found_in([pair("a", "mat", "Yoga mat", "yes"), turned("b", "yes"), pair("c", "Yoga mat", "mat", "yes")])
    assert list(reasons(found).values()) == ["exact duplicate"]
    found = found_in([pair("a", "mat", "Yoga mat", "yes"), turned("b", "no")])
    assert {verdict.reason for verdict in found} == {"contradicting duplicate"}


WORD_LISTS = st.lists(st.integers(0, len(PROSE.split()) - 1), max_size=6)
ROWS = st.lists(st.tuples(WORD_LISTS, st.sampled_from("ab"), st.sampled_from(["reviews", "stars"])), max_size=25)


@given(ROWS, st.randoms(use_true_random=False), st.sampled_from(["reject", "flag"]))
@settings(max_examples=60)
def test_verdicts_do_not_depend_on_any_order_and_name_kept_peers(
    rows: list[tuple[list[int], str, str]], order: random.Random, across: str
) -> None:
    examples = [review(str(n), without(PROSE, *gone), answer, task=task) for n, (gone, answer, task) in enumerate(rows)]
    chosen = DuplicateSettings(across=across)
    measures = pa.concat_tables(
        [measure([one for one in examples if one.task == task], chosen) for task in ("reviews", "stars")]
    )
    expected = judge(examples, chosen, Evidence(3, measures))
    shuffled = order.sample(examples, len(examples))
    mixed = measures.take(pa.array(order.sample(range(len(examples)), len(examples)), pa.int64()))
    assert judge(shuffled, chosen, Evidence(3, mixed)) == expected
    assert similar_examples(mixed, 0.7, 8) == similar_examples(measures, 0.7, 8)
    rejected = {verdict.example_id for verdict in expected if verdict.remedy == "reject"}
    texts = {one.example_id: one.fields["review"] for one in examples}
    for verdict in expected:
        assert verdict.score == pytest.approx(jaccard(texts[verdict.example_id], texts[verdict.peer]), abs=1e-6)
        assert (verdict.peer in rejected) == (verdict.reason == "contradicting duplicate")


def test_thresholds_are_asked_again_of_the_same_measures(monkeypatch: pytest.MonkeyPatch) -> None:
    examples = [review(str(n), " ".join(random.Random(n // 3).sample(PROSE.split(), 30 - n % 3))) for n in range(30)]
    measures = measure(examples, DuplicateSettings())
    fresh = [judge(examples, DuplicateSettings(threshold=at), Evidence()) for at in (0.5, 0.7, 0.95, 1.0)]

    def never(*_: object) -> None:
        raise AssertionError

    for module, name in ((duplicates, "signatures"), (duplicates, "shingled"), (minhash, "signatures")):
        monkeypatch.setattr(module, name, never)
    again = [judge(examples, DuplicateSettings(threshold=at), Evidence(0, measures)) for at in (0.5, 0.7, 0.95, 1.0)]
    assert again == fresh
    assert len({len(found) for found in again}) > 2


def test_measures_survive_a_file(tmp_path: Path) -> None:
    examples = [review(str(n), text) for n, text in enumerate((PROSE, PROSE.replace("corner", "block"), OTHER, ""))]
    parts = [measure(examples[:2], DuplicateSettings()), measure(examples[2:], DuplicateSettings())]
    for number, part in enumerate(parts):
        pq.write_table(part, tmp_path / f"{number}.parquet")
    read = pa.concat_tables([pq.read_table(tmp_path / f"{number}.parquet") for number in (1, 0)])
    assert judge(examples, DuplicateSettings(), Evidence(0, read)) == found_in(examples)


def test_measures_of_other_examples_are_refused() -> None:
    examples = [review("a", PROSE), review("b", OTHER)]
    both = measure(examples, DuplicateSettings())
    for wrong in (both.slice(0, 1), pa.concat_tables([both, both.slice(0, 1)])):
        with pytest.raises(ValueError, match="measure"):
            judge(examples, DuplicateSettings(), Evidence(0, wrong))
    with pytest.raises(ValueError, match="measure"):
        judge(examples[:1], DuplicateSettings(), Evidence(0, both))


def test_nothing_is_nothing() -> None:
    assert found_in([]) == []
    nothing = measure([], DuplicateSettings())
    assert similar_examples(nothing, 0.7, 8).num_rows == 0
    assert judge([], DuplicateSettings(), Evidence(0, nothing)) == []
    assert found_in([review("a", ""), review("b", " \n"), review("c", "\ud800 ...")]) == []


def test_similar_examples_are_of_all_tasks_titles_included() -> None:
    alike = graded(SUBSTITUTE, "b", f"{TITLES[0]} black", "no")
    examples = [graded(CLASSIFICATION, "a", TITLES[0], "E"), alike, review("c", "so good"), review("d", "So  good")]
    pairs = similar_examples(measure(examples, DuplicateSettings()), 0.7, 8)
    assert pairs.schema == PAIR_SCHEMA
    expected = [sorted(one.example_id for one in pair) for pair in (examples[:2], examples[2:])]
    assert [[row["left"], row["right"]] for row in pairs.to_pylist()] == sorted(expected)
    assert {row["reason"] for row in pairs.to_pylist()} == {"near duplicate"}


def test_a_crowd_of_look_alikes_stays_together() -> None:
    crowd = [review(str(number), f"{PROSE} number {number}") for number in range(400)]
    pairs = similar_examples(measure([*crowd, review("other", OTHER)], DuplicateSettings()), 0.7, 8)
    (cluster,) = clusters(pairs)
    assert cluster.members == tuple(sorted(one.example_id for one in crowd))


def paired(verdicts: Sequence[Verdict]) -> pa.Table:
    rows = [(min(one.example_id, one.peer), max(one.example_id, one.peer), one.reason, one.score) for one in verdicts]
    return pa.table([list(column) for column in zip(*rows, strict=True)], schema=PAIR_SCHEMA)


def test_clusters_hold_every_pair_and_its_similarity() -> None:
    examples = [review(str(n), f"{text} {n}") for n, text in enumerate([PROSE] * 4 + [OTHER] * 2)]
    large, small = clusters(paired(found_in(examples)))
    assert large.members == tuple(sorted(one.example_id for one in examples[:4]))
    assert small.members == tuple(sorted(one.example_id for one in examples[4:]))
    assert len(large.pairs) == 3
    texts = {one.example_id: one.fields["review"] for one in examples}
    for left, right, _, score in (*large.pairs, *small.pairs):
        assert score == pytest.approx(jaccard(texts[left], texts[right]), abs=1e-6)
