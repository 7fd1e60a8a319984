"""Difficulty: examples that a few lines of string comparison would solve.

They teach little and flatter whoever is tested on them. Words are compared in lower case, without punctuation;
words that are everywhere do not count as shared.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from pydantic import Field

from ecinstruct_build.check import Action, Check, CheckSettings, Evidence, Verdict
from ecinstruct_build.example import Example
from quality.content import field_texts
from quality.splitting.ties import right_keys

STARS = {"very positive": 5, "positive": 4, "neutral": 3, "negative": 2, "very negative": 1}
"""Stars by the option of a review's feeling."""

_PAIRS = {
    ("left", "right"): "identical titles",
    ("product_1", "product_2"): "identical titles",
    ("query", "product"): "query is the title",
}
_EVERYWHERE = frozenset(
    {"a", "an", "and", "as", "at", "by", "for", "from", "in", "into", "is", "it", "its", "of", "on", "or"}
    | {"per", "the", "this", "to", "with", "new", "pack", "set", "size"}
)
_WORD = re.compile(r"[^\W_]+")
_STATED = re.compile(r"(?<![\w.,])(1|2|3|4|5|one|two|three|four|five)[ -]stars?\b")
_NUMBERS = {"one": 1, "two": 2, "three": 3, "four": 4, "five": 5}
_ABSENT = "None"

Fault = tuple[str, float, str]
"""Reason, score and detail of a verdict."""


class DifficultySettings(CheckSettings):
    """Settings of the difficulty check.

    Attributes
    ----------
    action
        As for every check; examples that are too easy are only flagged unless a recipe says otherwise.
    copied_words
        A free-text answer of so many words or more is too easy if it stands word for word in the input.
    """

    action: Action = "flag"
    copied_words: int = Field(default=5, ge=1)


def judge(examples: Sequence[Example], settings: DifficultySettings, _evidence: Evidence) -> list[Verdict]:
    """Find examples that string comparison solves."""
    verdicts = []
    for example in examples:
        for reason, score, detail in (
            *_pair_faults(example),
            *_option_faults(example),
            *_answer_faults(example, settings),
        ):
            verdicts.append(Verdict(example.example_id, reason, score, detail=detail))
    return sorted(verdicts, key=lambda verdict: (verdict.example_id, verdict.reason))


@lru_cache(maxsize=2**16)
def _plain(text: str) -> str:
    return " ".join(_WORD.findall(text.casefold()))


@lru_cache(maxsize=2**16)
def _telling(text: str) -> frozenset[str]:
    """Return the words of a text that say something."""
    return frozenset(word for word in _plain(text).split() if len(word) > 1) - _EVERYWHERE


def _title(value: Any) -> str:
    title = value.get("title") if isinstance(value, Mapping) else value
    return _plain(title) if isinstance(title, str) else ""


def _pair_faults(example: Example) -> Iterator[Fault]:
    """Yield pairs of one title; two offers of one title that do not match are anything but easy."""
    for (one, other), reason in _PAIRS.items():
        left, right = _title(example.fields.get(one)), _title(example.fields.get(other))
        if left and left == right and not (one == "left" and example.answer == "no"):
            yield reason, 0.0, left


def _option_faults(example: Example) -> Iterator[Fault]:
    text_of = {option.key: option.text for option in example.options}
    right = right_keys(example.answer)
    if not right or not set(right) <= set(text_of):
        return
    if set(STARS) <= set(text_of):
        yield from _stated_stars(example)
    if not all(option.product_id for option in example.options):
        return
    texts = list(field_texts(example))
    best, others = text_of[right[0]], [text for key, text in text_of.items() if key != right[0]]
    inputs, title = {_plain(text) for text in texts}, _plain(best)
    if title and title in inputs and not any(_plain(text) in inputs for text in others):
        yield "right option stands in the input", 0.0, best
    elif isinstance(example.answer, str):
        shared = [_telling(best) & _telling(text) for text in texts]
        words = frozenset().union(*shared)
        if words and all(_telling(text).isdisjoint(told) for told in map(_telling, texts) for text in others):
            yield "only the right option shares words with the input", len(words), " ".join(sorted(words))


def _stated_stars(example: Example) -> Iterator[Fault]:
    found = {stated for text in field_texts(example) for stated in _STATED.findall(text.casefold())}
    if {_NUMBERS.get(stated) or int(stated) for stated in found} == {STARS.get(example.answer)}:
        yield "text tells its stars", 0.0, ", ".join(sorted(found))


def _answer_faults(example: Example, settings: DifficultySettings) -> Iterator[Fault]:
    answer = example.answer
    if example.options or not answer:
        return
    if isinstance(answer, str):
        words = _plain(answer)
        count = len(words.split())
        if count >= settings.copied_words and any(f" {words} " in f" {_plain(text)} " for text in field_texts(example)):
            yield "answer copied from the input", count, answer
    elif isinstance(answer, list | tuple) and all(isinstance(row, Mapping) for row in answer):
        values = [row for row in answer if row.get("value") != _ABSENT]
        whole = {
            (paragraph.get("source"), paragraph.get("text"))
            for paragraph in example.fields.get("paragraphs") or ()
            if isinstance(paragraph, Mapping)
        }
        if values and all((row.get("source"), row.get("value")) in whole for row in values):
            yield "every value is a whole paragraph", len(values), "; ".join(str(row.get("value")) for row in values)


CHECK = Check(
    name="difficulty",
    summary="Flag examples that string comparison solves.",
    settings=DifficultySettings,
    judge=judge,
)
