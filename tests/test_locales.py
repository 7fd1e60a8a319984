"""One table says what language a marketplace's texts are in; the check, the audit and the card all go by it."""

from typing import get_args

import pytest
from foreign_titles import FRENCH, GERMAN, ITALIAN, JAPANESE, SPANISH

from ecinstruct_build.audit.language import expected_language, foreign_language
from ecinstruct_build.check import Evidence
from ecinstruct_build.example import Example, Item
from ecinstruct_build.locales import LANGUAGES, language_of
from quality import language
from quality.language import LanguageSettings
from sources import amazon_m2

OWN = {"de": GERMAN, "fr": FRENCH, "it": ITALIAN, "es": SPANISH, "jp": JAPANESE}
DUTCH = (
    "Roestvrijstalen waterkoker met fluit, twee liter, zwart",
    "Set van zes keukenmessen met houten blok voor dagelijks gebruik",
    "Zachte handdoeken van katoen, 4 stuks, 70 x 140 cm",
)
PORTUGUESE = (
    "Chaleira de aço inoxidável com apito, dois litros, preta",
    "Conjunto de seis facas de cozinha com suporte de madeira",
    "Toalhas macias de algodão, 4 peças, 70 x 140 cm",
)
ENGLISH = (
    "Stainless steel kettle with a whistling lid, two quarts",
    "Pack of six ankle socks for women, assorted colors",
    "Replacement water filter for pitchers, set of three, fits most models",
)


def history(locale: str, titles: tuple[str, ...]) -> Example:
    items = tuple(Item(str(number), title) for number, title in enumerate(titles))
    return Example("t", "corpus", "x", "ind", locale, (), {"category": ""}, "yes", context=items)


def rejected(locale: str, titles: tuple[str, ...]) -> bool:
    found = language.judge([history(locale, titles)], LanguageSettings(), Evidence())
    return any(verdict.remedy == "reject" for verdict in found)


@pytest.mark.parametrize("locale", sorted(OWN))
def test_visits_to_a_marketplace_pass_in_its_own_language_alone(locale: str) -> None:
    for named, titles in OWN.items():
        assert rejected(locale, tuple(titles[:4])) == (named != locale)
    assert rejected(locale, ENGLISH)


@pytest.mark.parametrize(("locale", "titles"), [("nl", DUTCH), ("br", PORTUGUESE), ("in", ENGLISH)])
def test_further_marketplaces_expect_their_language_too(locale: str, titles: tuple[str, ...]) -> None:
    assert not rejected(locale, titles)
    assert rejected(locale, tuple(GERMAN[:3]))


@pytest.mark.parametrize("locale", ["cn", "se", "zz", ""])
def test_what_cannot_be_told_is_not_judged(locale: str) -> None:
    assert not rejected(locale, tuple(GERMAN[:3]))


@pytest.mark.parametrize("locale", sorted(OWN))
def test_the_audit_expects_the_same_languages(locale: str) -> None:
    expected = expected_language(locale.upper())
    assert expected == language_of(locale)
    assert expected is not None
    for named, titles in OWN.items():
        said = foreign_language(" ".join(titles[:4]), expected)
        assert said == ("" if named == locale else language_of(named))


def test_the_original_names_no_locale_and_is_english() -> None:
    assert expected_language("") == "en"
    assert expected_language("zz") is None
    assert language_of("") is None


def test_every_marketplace_of_a_corpus_has_a_language() -> None:
    assert {amazon_m2.LOCALES[locale] for locale in get_args(amazon_m2.Locale)} <= set(LANGUAGES)
