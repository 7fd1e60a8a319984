"""The language check: titles in another language than their marketplace's are found, however full of names."""

from collections.abc import Sequence

import pytest
from foreign_titles import (
    FOREIGN,
    FRENCH,
    GERMAN,
    ITALIAN,
    JAPANESE,
    JAPANESE_WITH_NAMES,
    ONE_WORD,
    SHORT,
    SPANISH,
    SPANISH_WITH_NAMES,
)
from hypothesis import given
from hypothesis import strategies as st

from ecinstruct_build.check import Evidence
from ecinstruct_build.example import Example, Item
from quality import language
from quality.language import LanguageSettings, detect_foreign, examine
from quality.lexicon.telling_words import Witnesses, witnesses

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
NAMES = (
    "Grauwerk Motion Sensor Light Delta 220 - 1600 Lumens (IP68)",
    "Ironbark Summit 650 LED Bulb, 3000 Lumens, 45 Watts",
    "REDOAK BLUETOOTH 5.0 DOOR LOCK SATIN BRASS SABLE 30",
    "Kettering LED Bulb Orbit 690 - 5 Watts (300 Lumens)",
    "Nordkabel Mini Indoor Camera Heron 40",
    "Voltera Digital Camera EX-40, 12.1 Megapixel",
    "Kindergarten Learning Games Deluxe",
    "Armand Petit Solar Chronograph, Grand Prix Edition",
    "Café Primavera Tortellini Parmesan",
    "Bianchetti Veloce Pro II Tempo Trainer",
)
"""English titles that look like other languages to models of letters."""


def review(identity: str, text: str, locale: str = "us") -> Example:
    return Example("reviews", "corpus", identity, "ind", locale, (), {"review": text}, "good")


@pytest.mark.parametrize("text", ENGLISH + NAMES)
def test_english_titles_full_of_names_pass(text: str) -> None:
    assert detect_foreign(text, "en", LanguageSettings()) is None


def test_foreign_texts_are_found() -> None:
    missed = [text for text in (*FOREIGN, *SPANISH_WITH_NAMES) if not detect_foreign(text, "en", LanguageSettings())]
    assert len(missed) < 0.02 * len(FOREIGN)


@pytest.mark.parametrize(("expected", "text"), [(name, text) for name in ONE_WORD for text in ONE_WORD[name]])
def test_one_word_gives_the_language_of_a_title_of_names_away(expected: str, text: str) -> None:
    found = detect_foreign(text, "en", LanguageSettings())
    assert found is not None
    assert found[0] == expected
    assert detect_foreign(text, expected, LanguageSettings()) is None


@pytest.mark.parametrize("text", ["That noir was not for me", "Is it rojo or is it not", "Rouge with more of it"])
def test_small_english_words_outweigh_a_foreign_one(text: str) -> None:
    assert detect_foreign(text, "en", LanguageSettings()) is None


@pytest.mark.parametrize("text", SHORT)
def test_letters_and_small_words_give_short_foreign_texts_away(text: str) -> None:
    assert detect_foreign(text, "en", LanguageSettings()) is not None


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


@pytest.mark.parametrize(("expected", "most_missed"), [("ja", 0), ("es", 1), ("de", 2), ("fr", 1), ("it", 2)])
def test_english_texts_are_foreign_elsewhere(expected: str, most_missed: int) -> None:
    missed = [text for text in ENGLISH if detect_foreign(text, expected, LanguageSettings()) is None]
    assert len(missed) <= most_missed


def test_the_marketplace_that_the_source_states_decides_what_is_expected() -> None:
    verdicts = {
        locale: language.judge([review("x", SPANISH[0], locale)], LanguageSettings(), Evidence())
        for locale in ("us", "es", "ES", "mx", "de", "jp", "zz", "")
    }
    rejected = {locale for locale, found in verdicts.items() if any(each.remedy == "reject" for each in found)}
    assert rejected == {"us", "de", "jp"}


def test_texts_in_doubt_that_passed_are_kept_for_those_who_set_thresholds() -> None:
    examples = [review(str(number), text) for number, text in enumerate((*FOREIGN, *ENGLISH, *NAMES))]
    usual = LanguageSettings(threshold=0.9999, doubt=0.05, second_confidence=1.0)
    strict = LanguageSettings(threshold=0.05, doubt=0.05)
    verdicts = language.judge(examples, usual, Evidence())
    near = {each.example_id: each.score for each in verdicts if each.remedy == "keep"}
    assert near
    assert all(usual.doubt <= score < usual.threshold for score in near.values())
    assert set(near) <= {each.example_id for each in language.judge(examples, strict, Evidence())}


def test_langdetect_decides_what_is_left_in_doubt() -> None:
    alone = LanguageSettings(threshold=0.9, doubt=0.9)
    asked = LanguageSettings(threshold=0.9, doubt=0.05)
    doubtful = [text for text in (*FOREIGN, *SHORT) if not detect_foreign(text, "en", alone)]
    assert doubtful
    assert len([text for text in doubtful if detect_foreign(text, "en", asked)]) > 0.5 * len(doubtful)


def test_fields_too_short_or_too_doubtful_to_tell_are_judged_together() -> None:
    short = {"a": "Bordado a mano", "b": "sin costuras", "c": "para regalar"}
    doubtful = {"left": "Stol med armar av massiv bok", "right": "Bord till trettio personer utomhus"}
    for fields in (short, doubtful):
        assert not any(detect_foreign(text, "en", LanguageSettings()) for text in fields.values())
        whole = Example("t", "corpus", "whole", "ind", "us", (), fields, "yes")
        assert [each.remedy for each in language.judge([whole], LanguageSettings(), Evidence())] == ["reject"]


def test_short_texts_and_unknown_marketplaces_are_not_judged() -> None:
    examples = [review("short", "très bon"), review("one word", "Noir"), review("elsewhere", FRENCH[0], "zz")]
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


def test_words_of_both_languages_tell_for_the_expected_one() -> None:
    text = "Lampe rouge avec chargeur"
    assert witnesses(text, "en") == {"de": Witnesses(shop=1), "fr": Witnesses(small=1, shop=3)}
    assert witnesses(text, "de") == {"de": Witnesses(shop=1), "fr": Witnesses(small=1, shop=2)}


def test_long_words_are_known_by_their_parts() -> None:
    assert witnesses("Herrenregenjacke Reiseuhr", "en") == {"de": Witnesses(shop=2)}
    assert witnesses("Spielberg kindergarten " + "x" * 100 + "uhr", "en") == {}


@given(st.text(max_size=200), st.sampled_from(["en", "es", "ja"]))
def test_any_text_gets_a_probability(text: str, expected: str) -> None:
    found = examine(text, expected, LanguageSettings())
    assert 0 <= found.probability <= 1
    assert not found.foreign or found.probability >= LanguageSettings().threshold
