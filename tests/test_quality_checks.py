"""The checks: what they find, what they leave alone, and that the order of examples does not matter."""

import random
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import xxhash
from datasketch import MinHash
from foreign_titles import FOREIGN, FRENCH, GERMAN, ITALIAN, JAPANESE, SPANISH
from hypothesis import given, settings
from hypothesis import strategies as st

from ecinstruct_build.check import Evidence, Verdict
from ecinstruct_build.example import Example, Item, Option
from ecinstruct_build.registry import CHECKS
from quality import duplicates, language, shape
from quality.duplicates import DuplicateSettings
from quality.language import LanguageSettings, detect_foreign
from quality.minhash import PERMUTATIONS, shingled, signatures, similar_pairs, words
from quality.shape import ShapeSettings

ENGLISH = (
    "Stainless steel kettle with a whistling lid, two quarts",
    "Vornell K-300 cordless drill driver kit, 12V, grey",
    "Pack of six ankle socks for women, assorted colors",
    "Odelle Paris matte lipstick in rosewood",
    "Tessaro Milano leather wallet with coin pocket, brown",
    "USB C to HDMI adapter cable, 6 ft, braided",
    "Kinder garden tool set for kids with canvas tote bag",
    "Brixholm LED ceiling light fixture, dimmable, 18W",
    "El Mirador ground coffee, medium roast, 12 oz",
    "Replacement water filter for Halden H20 and H22 pitchers",
    "Sazuki folding yoga mat, extra thick, non slip, teal",
    "Dog harness no pull with handle, reflective, large",
    "This blender is loud but it does what I hoped it would do.",
    "My husband wears these every day and they still look new.",
)
PROSE = (
    "The zipper broke on the second trip, though the fabric itself feels strong and the pockets are where one "
    "wants them, so I am keeping it and having the zipper replaced at the shop around the corner."
)


def review(identity: str, text: str, answer: Any = "good", *, locale: str = "us", task: str = "reviews") -> Example:
    return Example(task, "corpus", identity, "ind", locale, (), {"review": text}, answer)


def choice(identity: str, options: Sequence[Option], answer: Any, text: str = "Which one is the kettle?") -> Example:
    return Example("choices", "corpus", identity, "ind", "us", (), {"text": text}, answer, options=tuple(options))


def reasons(verdicts: Sequence[Verdict]) -> dict[str, str]:
    return {verdict.example_id: verdict.reason for verdict in verdicts}


def test_the_checks_are_found_by_name() -> None:
    assert {"duplicates", "language", "shape"} <= set(CHECKS.names())
    assert all(CHECKS.get(name).name == name for name in CHECKS.names())


@pytest.mark.parametrize("text", ENGLISH)
def test_english_titles_full_of_names_pass(text: str) -> None:
    assert detect_foreign(text, "en", LanguageSettings()) is None


def test_foreign_texts_are_found() -> None:
    missed = [text for text in FOREIGN if detect_foreign(text, "en", LanguageSettings()) is None]
    assert len(missed) < 0.05 * len(FOREIGN)


@pytest.mark.parametrize(
    ("expected", "texts"), [("es", SPANISH), ("de", GERMAN), ("fr", FRENCH), ("it", ITALIAN), ("ja", JAPANESE)]
)
def test_texts_in_the_language_of_their_marketplace_pass(expected: str, texts: Sequence[str]) -> None:
    assert [text for text in texts if detect_foreign(text, expected, LanguageSettings())] == []


def test_short_texts_and_unknown_marketplaces_are_not_judged() -> None:
    examples = [review("short", "très bon"), review("elsewhere", FRENCH[0], locale="zz")]
    assert language.judge(examples, LanguageSettings(), Evidence()) == []


def test_language_reads_all_fields_and_the_context() -> None:
    plain = review("plain", ENGLISH[0])
    fields = {"paragraphs": [{"source": "title", "text": GERMAN[0]}, {"source": "brand", "text": GERMAN[1]}]}
    nested = Example("t", "corpus", "nested", "ind", "us", (), fields, "yes")
    history = Example(
        "t", "corpus", "history", "ind", "us", (), {}, "yes", context=tuple(Item("p", text) for text in SPANISH[:3])
    )
    found = language.judge([plain, nested, history], LanguageSettings(), Evidence())
    assert {verdict.example_id for verdict in found} == {nested.example_id, history.example_id}
    assert all(verdict.reason == "foreign language" and verdict.score > 0.5 for verdict in found)


def test_the_same_text_twice_is_kept_once_whatever_its_case_and_spaces() -> None:
    examples = [review("a", PROSE), review("b", PROSE.upper()), review("c", f"  {PROSE}\n")]
    found = duplicates.judge(examples, DuplicateSettings(), Evidence())
    assert set(reasons(found).values()) == {"exact duplicate"}
    assert len(found) == 2
    (kept,) = {one.example_id for one in examples} - set(reasons(found))
    assert {verdict.peer for verdict in found} == {kept}


def test_of_the_same_text_with_different_answers_none_is_kept() -> None:
    examples = [review("a", PROSE, "good"), review("b", PROSE, "bad"), review("c", PROSE, "good")]
    found = duplicates.judge(examples, DuplicateSettings(), Evidence())
    assert list(reasons(found).values()) == ["contradicting duplicate"] * 3
    answers = {one.example_id: one.answer for one in examples}
    assert all(answers[verdict.example_id] != answers[verdict.peer] for verdict in found)


def test_a_near_duplicate_names_a_kept_example_and_the_true_similarity() -> None:
    examples = [review("a", PROSE), review("b", PROSE.replace("corner", "block")), review("c", ENGLISH[-1] * 3)]
    (verdict,) = duplicates.judge(examples, DuplicateSettings(), Evidence())
    one, other = set(words(examples[0].fields["review"])), set(words(examples[1].fields["review"]))
    assert verdict.reason == "near duplicate"
    assert {verdict.example_id, verdict.peer} == {examples[0].example_id, examples[1].example_id}
    assert verdict.score == pytest.approx(len(one & other) / len(one | other), abs=1e-6)


def test_of_a_chain_of_near_duplicates_every_rejected_one_is_like_a_kept_one() -> None:
    vocabulary = [f"word{number}" for number in range(60)]
    chain = [review(str(start), " ".join(vocabulary[start : start + 30])) for start in range(0, 30, 2)]
    found = duplicates.judge(chain, DuplicateSettings(), Evidence())
    assert 3 <= len(chain) - len(found) < 10
    assert not {verdict.peer for verdict in found} & set(reasons(found))


def test_products_whose_titles_differ_by_a_word_are_no_duplicates() -> None:
    titles = [
        f"Halden insulated steel water bottle with straw lid and carry loop, {color}" for color in ("teal", "plum")
    ]
    pairs = [
        Example("product_matching", "corpus", color, "ind", "us", (), {"left": "kettle", "right": color}, "no")
        for color in titles
    ]
    assert duplicates.judge(pairs, DuplicateSettings(), Evidence()) == []
    assert len(duplicates.judge(pairs, DuplicateSettings(exact_only=()), Evidence())) == 1


def test_one_query_with_many_products_is_no_repetition() -> None:
    examples = [
        Example("graded", "corpus", title, "ind", "us", (), {"query": "steel kettle", "product": title}, "E")
        for title in ENGLISH
    ]
    assert duplicates.judge(examples, DuplicateSettings(), Evidence()) == []


def test_equal_histories_that_go_on_differently_are_two_examples() -> None:
    def history(user: str, following: str, wrong: str) -> Example:
        options = (Option(following, f"title {following}", following), Option(wrong, f"title {wrong}", wrong))
        context = (Item("p1", ENGLISH[0]), Item("p2", ENGLISH[1]))
        return Example(
            "sequential_recommendation",
            "corpus",
            user,
            "ind",
            "us",
            (),
            {},
            following,
            context=context,
            options=options,
        )

    assert duplicates.judge([history("u", "p3", "p5"), history("v", "p4", "p6")], DuplicateSettings(), Evidence()) == []
    assert (
        len(duplicates.judge([history("u", "p3", "p5"), history("v", "p3", "p6")], DuplicateSettings(), Evidence()))
        == 1
    )


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_no_check_depends_on_the_order_of_examples(data: st.DataObject) -> None:
    vocabulary = PROSE.split()
    texts = st.lists(st.integers(0, len(vocabulary) - 1), max_size=3).map(
        lambda gone: " ".join(word for place, word in enumerate(vocabulary) if place not in gone)
    )
    rows = data.draw(
        st.lists(st.tuples(texts | st.sampled_from(FOREIGN + ENGLISH), st.sampled_from("ab")), max_size=25)
    )
    examples = [review(str(number), text, answer) for number, (text, answer) in enumerate(rows)]
    shuffled = data.draw(st.permutations(examples))
    assert duplicates.judge(shuffled, DuplicateSettings(), Evidence(seed=3)) == duplicates.judge(
        examples, DuplicateSettings(), Evidence(seed=3)
    )
    assert shape.judge(shuffled, ShapeSettings(), Evidence(seed=3)) == shape.judge(
        examples, ShapeSettings(), Evidence(seed=3)
    )
    assert language.judge(shuffled, LanguageSettings(), Evidence(seed=3)) == language.judge(
        examples, LanguageSettings(), Evidence(seed=3)
    )


def random_texts(count: int) -> list[str]:
    """Texts of 10 to 40 words, a third of them another one with a few words changed."""
    order = random.Random(8)
    made: list[list[str]] = []
    for _ in range(count):
        if made and order.random() < 0.35:
            text = list(order.choice(made))
            for _ in range(order.randint(0, 6)):
                text[order.randrange(len(text))] = f"w{order.randrange(3000)}"
        else:
            text = [f"w{order.randrange(3000)}" for _ in range(order.randint(10, 40))]
        made.append(text)
    return [" ".join(text) for text in made]


def test_signatures_are_those_of_datasketch() -> None:
    texts = random_texts(20)
    mine = signatures(shingled(texts))
    for row, text in enumerate(texts):
        theirs = MinHash(num_perm=PERMUTATIONS, hashfunc=xxhash.xxh32_intdigest)
        theirs.update_batch([word.encode() for word in set(words(text))])
        assert np.array_equal(mine[row], theirs.hashvalues)


def test_nearly_all_similar_pairs_are_found_and_no_other() -> None:
    texts = shingled(random_texts(900))
    true = {
        (left, right)
        for right in range(len(texts.sets))
        for left in range(right)
        if len(texts.sets[left] & texts.sets[right]) >= 0.8 * len(texts.sets[left] | texts.sets[right])
    }
    found = {(pair.left, pair.right) for pair in similar_pairs(texts, 0.8, [f"{n:05}" for n in range(900)])}
    assert len(true) > 100
    assert found <= true
    assert len(found) >= 0.98 * len(true)


def test_a_crowd_of_look_alikes_is_reduced_to_one() -> None:
    examples = [review(str(number), f"{PROSE} number {number}") for number in range(300)]
    found = duplicates.judge(examples, DuplicateSettings(), Evidence())
    assert len(found) == 299
    assert len({verdict.peer for verdict in found}) == 1


GOOD_OPTIONS = (Option("a", "a kettle"), Option("b", "a pan"), Option("c", "a lid"))


@pytest.mark.parametrize(
    ("example", "reason"),
    [
        (review("empty", ""), "too short"),
        (review("dots", "... ! ..."), "too short"),
        (review("long", "word " * 4001), "too long"),
        (review("silent", PROSE, ""), "empty answer"),
        (review("nothing", PROSE, "I don\u2019t know."), "answer says nothing"),
        (review("na", PROSE, "N/A"), "answer says nothing"),
        (review("lengthy", PROSE, "word " * 501), "answer too long"),
        (choice("one", GOOD_OPTIONS[:1], "a"), "number of options"),
        (choice("many", [Option(str(n), f"option {n}") for n in range(27)], "0"), "number of options"),
        (choice("blank", [*GOOD_OPTIONS, Option("d", " ")], "a"), "empty option"),
        (choice("alike", [*GOOD_OPTIONS, Option("d", "A  pan")], "a"), "options alike"),
        (choice("none", GOOD_OPTIONS, "z"), "answer not among the options"),
        (choice("ranked", GOOD_OPTIONS, ["a", "a", "b"]), "answer not among the options"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_shape_rejects(example: Example, reason: str) -> None:
    assert reasons(shape.judge([example], ShapeSettings(), Evidence())) == {example.example_id: reason}


@pytest.mark.parametrize(
    "example",
    [
        review("plain", PROSE, "yes"),
        review("number", "kettle", "2 quarts"),
        review("attributes", PROSE, [{"attribute": "Color", "value": "red", "source": "title"}]),
        review("wide", JAPANESE[0], "yes", locale="jp"),
        choice("letter", GOOD_OPTIONS, "b"),
        choice("ranking", GOOD_OPTIONS, ["c", "a", "b"]),
    ],
    ids=lambda example: example.identity,
)
def test_shape_lets_pass(example: Example) -> None:
    assert shape.judge([example], ShapeSettings(), Evidence()) == []
