"""The checks: what they find, what they leave alone, and that the order of examples does not matter."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from foreign_titles import (
    FOREIGN,
    FRENCH,
    GERMAN,
    ITALIAN,
    JAPANESE,
    JAPANESE_WITH_NAMES,
    SHORT,
    SPANISH,
    SPANISH_WITH_NAMES,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from ecinstruct_build.check import Evidence, Verdict
from ecinstruct_build.errors import UserError
from ecinstruct_build.example import Example, Item, Option
from ecinstruct_build.registry import CHECKS
from quality import language, shape
from quality.language import LanguageSettings, detect_foreign
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
    ("expected", "texts"),
    [
        ("es", SPANISH + SPANISH_WITH_NAMES),
        ("de", GERMAN),
        ("fr", FRENCH),
        ("it", ITALIAN),
        ("ja", JAPANESE + JAPANESE_WITH_NAMES),
    ],
)
def test_texts_in_the_language_of_their_marketplace_pass(expected: str, texts: Sequence[str]) -> None:
    assert [text for text in texts if detect_foreign(text, expected, LanguageSettings())] == []


@pytest.mark.parametrize("text", SHORT)
def test_letters_and_small_words_give_short_foreign_texts_away(text: str) -> None:
    assert detect_foreign(text, "en", LanguageSettings()) is not None


@pytest.mark.parametrize(("expected", "most_missed"), [("ja", 0), ("es", 2), ("de", 3)])
def test_english_texts_are_foreign_elsewhere(expected: str, most_missed: int) -> None:
    missed = [text for text in ENGLISH if detect_foreign(text, expected, LanguageSettings()) is None]
    assert len(missed) <= most_missed


def test_the_marketplace_that_the_source_states_decides_what_is_expected() -> None:
    verdicts = {
        locale: language.judge([review("x", SPANISH[0], locale=locale)], LanguageSettings(), Evidence())
        for locale in ("us", "es", "ES", "mx", "de", "jp", "zz", "")
    }
    rejected = {locale for locale, found in verdicts.items() if any(each.remedy == "reject" for each in found)}
    assert rejected == {"us", "de", "jp"}


def test_texts_that_passed_by_little_are_kept_for_those_who_set_thresholds() -> None:
    examples = [review(str(number), text) for number, text in enumerate((*FOREIGN, *ENGLISH))]
    strict = LanguageSettings(second_confidence=0.7)
    lenient = LanguageSettings(second_confidence=0.99999999)
    passed = language.judge(examples, lenient, Evidence())
    near = {each.example_id for each in passed if each.remedy == "keep"}
    assert near
    assert near <= {each.example_id for each in language.judge(examples, strict, Evidence()) if each.remedy == "reject"}


def test_fields_too_short_to_tell_are_judged_together() -> None:
    pieces = {"a": "Lámpara de mesa", "b": "con pantalla", "c": "color marfil"}
    assert not any(detect_foreign(text, "en", LanguageSettings()) for text in pieces.values())
    whole = Example("t", "corpus", "whole", "ind", "us", (), pieces, "yes")
    assert [each.remedy for each in language.judge([whole], LanguageSettings(), Evidence())] == ["reject"]


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
