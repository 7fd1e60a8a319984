"""How answers are written for a model to learn, and read back from what a model says.

Each kind of answer is a pair of inverse functions: ``format`` turns an example's answer into output text
and ``parse`` turns output text into the answer. Letters are positions in the options as lettered.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from ecinstruct_build.errors import UserError

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

OptionOrder = Literal["none", "fixed", "shuffled"]


class UnreadableAnswerError(UserError):
    """Text that is not an answer of its kind."""


@dataclass(frozen=True)
class AnswerKind:
    """A form of answer.

    Attributes
    ----------
    name
        For people.
    option_order
        Whether the task has lettered options, and whether their order is chance's.
    format
        ``format(answer, option_keys)``: the output text; ``option_keys`` are in letter order.
    parse
        ``parse(text, option_keys)``: the answer; raises `UnreadableAnswerError`.
    """

    name: str
    option_order: OptionOrder
    format: Callable[[Any, Sequence[str]], str]
    parse: Callable[[str, Sequence[str]], Any]


def _letter_of(answer: str, option_keys: Sequence[str]) -> str:
    return LETTERS[list(option_keys).index(answer)]


def _key_of(letter: str, option_keys: Sequence[str]) -> str:
    position = LETTERS.find(letter) if len(letter) == 1 else -1
    if not 0 <= position < len(option_keys):
        raise UnreadableAnswerError(f"{letter!r} is not the letter of one of {len(option_keys)} options")
    return option_keys[position]


def _parse_letter(text: str, option_keys: Sequence[str]) -> str:
    return _key_of(text.strip(), option_keys)


def _format_ranking(answer: Sequence[str], option_keys: Sequence[str]) -> str:
    return ",".join(_letter_of(key, option_keys) for key in answer)


def _parse_ranking(text: str, option_keys: Sequence[str]) -> list[str]:
    keys = [_key_of(letter.strip(), option_keys) for letter in text.split(",")]
    if len(set(keys)) != len(keys) or len(keys) != len(option_keys):
        raise UnreadableAnswerError(f"{text!r} does not rank each of {len(option_keys)} options once")
    return keys


def _format_yes_no(answer: str, _option_keys: Sequence[str]) -> str:
    if answer not in ("yes", "no"):
        raise ValueError(f"{answer!r} is neither yes nor no")
    return answer


def _parse_yes_no(text: str, _option_keys: Sequence[str]) -> str:
    word = text.strip().lower()
    if word not in ("yes", "no"):
        raise UnreadableAnswerError(f"{text!r} is neither yes nor no")
    return word


def _format_attributes(answer: Sequence[dict[str, str]], _option_keys: Sequence[str]) -> str:
    ordered = [{name: row[name] for name in ("attribute", "value", "source")} for row in answer]
    return json.dumps(ordered, ensure_ascii=False)


def _parse_attributes(text: str, _option_keys: Sequence[str]) -> list[dict[str, str]]:
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        raise UnreadableAnswerError(f"not JSON: {error}") from error
    names = {"attribute", "value", "source"}
    if not isinstance(value, list) or any(not isinstance(row, dict) or set(row) != names for row in value):
        raise UnreadableAnswerError("not a JSON list of objects with attribute, value and source")
    return value


def _format_text(answer: str, _option_keys: Sequence[str]) -> str:
    return answer


def _parse_text(text: str, _option_keys: Sequence[str]) -> str:
    if not text.strip():
        raise UnreadableAnswerError("the answer is empty")
    return text.strip()


FIXED_LETTER = AnswerKind("one letter; options always in the same order", "fixed", _letter_of, _parse_letter)
SHUFFLED_LETTER = AnswerKind("one letter; options in keyed order", "shuffled", _letter_of, _parse_letter)
RANKING = AnswerKind("letters, best first, separated by commas", "shuffled", _format_ranking, _parse_ranking)
YES_NO = AnswerKind("yes or no", "none", _format_yes_no, _parse_yes_no)
ATTRIBUTE_LIST = AnswerKind(
    "JSON list of objects with attribute, value and source", "none", _format_attributes, _parse_attributes
)
FREE_TEXT = AnswerKind("free text", "none", _format_text, _parse_text)
