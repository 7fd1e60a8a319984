"""The checks: what they find, what they leave alone, and that the order of examples does not matter."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from foreign_titles import FOREIGN, JAPANESE
from hypothesis import given, settings
from hypothesis import strategies as st

from ecinstruct_build.check import Evidence, Verdict
from ecinstruct_build.errors import UserError
from ecinstruct_build.example import Example, Option
from ecinstruct_build.registry import CHECKS
from quality import language, shape
from quality.language import LanguageSettings
from quality.shape import ShapeSettings

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


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_no_check_depends_on_the_order_of_examples(data: st.DataObject) -> None:
    vocabulary = PROSE.split()
    texts = st.lists(st.integers(0, len(vocabulary) - 1), max_size=3).map(
        lambda gone: " ".join(word for place, word in enumerate(vocabulary) if place not in gone)
    )
    rows = data.draw(st.lists(st.tuples(texts | st.sampled_from(FOREIGN), st.sampled_from("ab")), max_size=25))
    examples = [review(str(number), text, answer) for number, (text, answer) in enumerate(rows)]
    shuffled = data.draw(st.permutations(examples))
    assert shape.judge(shuffled, ShapeSettings(), Evidence(seed=3)) == shape.judge(
        examples, ShapeSettings(), Evidence(seed=3)
    )
    assert language.judge(shuffled, LanguageSettings(), Evidence(seed=3)) == language.judge(
        examples, LanguageSettings(), Evidence(seed=3)
    )


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
        (review("shrug", PROSE, "Sorry, no idea at all about that."), "answer says nothing"),
        (review("lengthy", PROSE, "word " * 501), "answer too long"),
        (choice("one", GOOD_OPTIONS[:1], "a"), "number of options"),
        (choice("many", [Option(str(n), f"option {n}") for n in range(27)], "0"), "number of options"),
        (choice("blank", [*GOOD_OPTIONS, Option("d", " ")], "a"), "empty option"),
        (choice("alike", [*GOOD_OPTIONS, Option("d", "A  pan")], "a"), "options alike"),
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


@pytest.mark.parametrize(
    "answer",
    [
        "Sorry, I really don't know.",
        "I have no idea!",
        "im not sure",
        "I don't know the answer to that question",
        "idk",
    ],
)
def test_answers_that_only_shrug_say_nothing(answer: str) -> None:
    found = shape.judge([review("x", PROSE, answer)], ShapeSettings(), Evidence())
    assert [verdict.reason for verdict in found] == ["answer says nothing"]


@pytest.mark.parametrize(
    "answer", ["I don't know, mine has two drawers.", "Not sure it fits: mine was 30 inches.", "No"]
)
def test_answers_that_shrug_and_then_tell_pass(answer: str) -> None:
    assert shape.judge([review("x", PROSE, answer)], ShapeSettings(), Evidence()) == []


@pytest.mark.parametrize(
    ("words", "remedies"), [(90, []), (91, ["keep"]), (100, ["keep"]), (101, ["reject"]), (5000, ["reject"])]
)
def test_texts_that_are_nearly_too_long_are_kept_for_those_who_set_thresholds(words: int, remedies: list[str]) -> None:
    found = shape.judge([review("x", "word " * words)], ShapeSettings(max_words=100), Evidence())
    assert [(verdict.reason, verdict.remedy, verdict.score) for verdict in found] == [
        ("too long", remedy, words) for remedy in remedies
    ]


@pytest.fixture
def tokenizer(tmp_path: Path) -> Path:
    """A tokenizer of letters: each is a token, and a special one would stand in front."""
    tokenizers = pytest.importorskip("tokenizers")
    made = tokenizers.Tokenizer(tokenizers.models.WordLevel({"[CLS]": 0, "[UNK]": 1, "w": 2}, unk_token="[UNK]"))
    made.pre_tokenizer = tokenizers.pre_tokenizers.Split("", "isolated")
    made.post_processor = tokenizers.processors.TemplateProcessing(single="[CLS] $A", special_tokens=[("[CLS]", 0)])
    made.enable_truncation(5)
    made.save(str(tmp_path / "tokenizer.json"))
    return tmp_path / "tokenizer.json"


def test_tokens_are_counted_with_the_tokenizer_of_the_recipe(tokenizer: Path) -> None:
    usual = ShapeSettings(tokenizer=tokenizer, max_tokens=20)
    examples = [review(str(length), "w" * length) for length in (18, 19, 20, 21, 400)]
    found = {verdict.score: (verdict.reason, verdict.remedy) for verdict in shape.judge(examples, usual, Evidence())}
    assert found == {
        19: ("too many tokens", "keep"),
        20: ("too many tokens", "keep"),
        21: ("too many tokens", "reject"),
        400: ("too many tokens", "reject"),
    }
    assert list(CHECKS.get("shape").reads(usual)) == [tokenizer]
    assert list(CHECKS.get("shape").reads(ShapeSettings())) == []


def test_a_tokenizer_that_is_missing_or_none_is_a_plain_error(tmp_path: Path) -> None:
    pytest.importorskip("tokenizers")
    (tmp_path / "broken.json").write_text("{}")
    for tokenizer, says in (
        (None, "needs a tokenizer"),
        (tmp_path / "absent.json", "cannot be read"),
        (tmp_path / "broken.json", "cannot be read"),
    ):
        with pytest.raises(UserError, match=says):
            shape.judge([review("x", PROSE)], ShapeSettings(tokenizer=tokenizer, max_tokens=9), Evidence())
