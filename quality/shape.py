"""Shape: content too short or too long, options that are no choice, and answers that say nothing."""

import re
from collections.abc import Iterator, Sequence

from pydantic import Field

from ecinstruct_build.answers import LETTERS
from ecinstruct_build.check import Check, CheckSettings, Evidence, Verdict
from ecinstruct_build.example import Example
from ecinstruct_build.text import word_count
from quality.content import field_texts
from quality.ties import right_keys

BOILERPLATE = (
    "",
    "a",
    "answer",
    "dont know",
    "dk",
    "i do not know",
    "i dont know",
    "i have no idea",
    "idk",
    "na",
    "n a",
    "no answer",
    "no idea",
    "none",
    "not applicable",
    "not sure",
    "null",
    "nan",
    "question",
    "see above",
    "see below",
    "test",
    "unknown",
)
"""Free-text answers that answer nothing, in lower case and without punctuation."""

_APOSTROPHES = re.compile(r"['\u2019`]")
_NOT_WORDS = re.compile(r"[\W_]+")


class ShapeSettings(CheckSettings):
    """Settings of the shape check.

    Attributes
    ----------
    min_words, max_words
        Words of fields and context together: fewest and most.
    min_letters
        Letters or digits of fields and context together: fewest, for scripts that write no spaces.
    max_answer_words
        Words of a free-text answer: most.
    """

    min_words: int = Field(default=1, ge=0)
    max_words: int = Field(default=2000, ge=1)
    min_letters: int = Field(default=3, ge=0)
    max_answer_words: int = Field(default=500, ge=1)


def judge(examples: Sequence[Example], settings: ShapeSettings, _evidence: Evidence) -> list[Verdict]:
    """Find examples that cannot be read or answered as they stand."""
    verdicts = [verdict for example in examples for verdict in _faults(example, settings)]
    return sorted(verdicts, key=lambda verdict: (verdict.example_id, verdict.reason))


def _faults(example: Example, settings: ShapeSettings) -> Iterator[Verdict]:
    texts = list(field_texts(example))
    words = sum(word_count(text) for text in texts)
    if words < settings.min_words or sum(map(str.isalnum, "".join(texts))) < settings.min_letters:
        yield Verdict(example.example_id, "too short", words, detail=f"{words} words")
    if words > settings.max_words:
        yield Verdict(example.example_id, "too long", words, detail=f"{words} words")
    yield from _option_faults(example) if example.options else _answer_faults(example, settings)


def _option_faults(example: Example) -> Iterator[Verdict]:
    count = len(example.options)
    if not 2 <= count <= len(LETTERS):
        yield Verdict(example.example_id, "number of options", count, detail=f"{count} options")
    texts = [" ".join(option.text.casefold().split()) for option in example.options]
    if "" in texts:
        yield Verdict(example.example_id, "empty option")
    twice = sorted({text for text in texts if text and texts.count(text) > 1})
    if twice or len({option.key for option in example.options}) < count:
        yield Verdict(example.example_id, "options alike", detail="; ".join(twice))
    right = right_keys(example.answer)
    if not right or not set(right) <= {option.key for option in example.options} or len(set(right)) < len(right):
        yield Verdict(example.example_id, "answer not among the options", detail=str(example.answer))


def _answer_faults(example: Example, settings: ShapeSettings) -> Iterator[Verdict]:
    answer = example.answer
    if not answer:
        yield Verdict(example.example_id, "empty answer")
    elif isinstance(answer, str):
        words = word_count(answer)
        if _NOT_WORDS.sub(" ", _APOSTROPHES.sub("", answer)).strip().casefold() in BOILERPLATE:
            yield Verdict(example.example_id, "answer says nothing", detail=answer)
        elif words > settings.max_answer_words:
            yield Verdict(example.example_id, "answer too long", words, detail=f"{words} words")


CHECK = Check(
    name="shape",
    summary="Reject content too short or too long, options that are no choice, and answers that say nothing.",
    settings=ShapeSettings,
    judge=judge,
)
