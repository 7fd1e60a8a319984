"""Shape: content too short or too long, options that are no choice, and answers that say nothing.

Words are counted between white space; tokens, where a recipe names a tokenizer, by that tokenizer.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path

from pydantic import Field

from ecinstruct_build.answers import LETTERS
from ecinstruct_build.check import Check, CheckSettings, Evidence, Verdict
from ecinstruct_build.errors import UserError
from ecinstruct_build.example import Example
from ecinstruct_build.text import word_count
from quality.content import field_texts

NEAR = 0.9
"""From this share of a limit on, a length that passed is shown to people who set thresholds."""

BOILERPLATE = (
    "",
    "a",
    "answer",
    "dk",
    "idk",
    "na",
    "n a",
    "nan",
    "no answer",
    "no comment",
    "no help",
    "none",
    "not applicable",
    "null",
    "question",
    "see above",
    "see below",
    "see description",
    "see the description",
    "test",
    "unknown",
    "whats the question",
    "what is the question",
)
"""Free-text answers that answer nothing, in lower case and without punctuation."""

_SORRY = r"(?:(?:i am |im )?(?:so |very )?sorry(?: but)? )?"
_DO_NOT_KNOW = r"(?:i )?(?:just |really )?(?:do not|dont|don t|wouldnt|would not) (?:really )?know"
_THE_ANSWER = r"(?: the answer)?(?: to (?:that|this|your)(?: question)?)?"
_NO_IDEA = r"(?:i )?(?:(?:really )?have |got |ve )?(?:absolutely )?no (?:idea|clue)"
_OF_IT = r"(?: at all)?(?: (?:about|of) (?:that|this|it))?"
_NOT_SURE = r"(?:(?:i am|im|we are) )?not (?:really |too |at all )?sure"
_NOT_UNDERSTOOD = r"(?:i )?(?:do not|dont|don t) understand (?:the|your) question"
_SHRUG = re.compile(
    rf"{_SORRY}(?:{_DO_NOT_KNOW}{_THE_ANSWER}|(?:{_NO_IDEA}|{_NOT_SURE}){_OF_IT}|{_NOT_UNDERSTOOD})"
    r"(?: sorry| good luck)?"
)
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
    tokenizer
        A Hugging Face ``tokenizer.json`` to count tokens with; needs the extra ``tokenizers``.
    max_tokens
        Tokens of fields and context together, without special ones: most. None sets no limit.
    """

    min_words: int = Field(default=1, ge=0)
    max_words: int = Field(default=2000, ge=1)
    min_letters: int = Field(default=3, ge=0)
    max_answer_words: int = Field(default=500, ge=1)
    tokenizer: Path | None = None
    max_tokens: int | None = Field(default=None, ge=1)


def token_counter(tokenizer: Path) -> Callable[[str], int]:
    """Return a function that counts a text's tokens, special ones left out.

    Raises
    ------
    UserError
        If the library is not installed, or the file is absent or no tokenizer.
    """
    try:
        from tokenizers import Tokenizer  # noqa: PLC0415 - an optional extra
    except ImportError as error:
        raise UserError(
            "Counting tokens needs the tokenizers library: install the extra with "
            "`pip install 'ecinstruct-build[tokenizers]'`, or take max_tokens out of the shape check."
        ) from error
    try:
        read = Tokenizer.from_str(tokenizer.read_text(encoding="utf-8"))
    except Exception as error:  # the library raises no narrower one
        raise UserError(
            f"The shape check's tokenizer {tokenizer} cannot be read ({error}). Name a Hugging Face tokenizer.json."
        ) from error
    read.no_truncation()
    read.no_padding()

    @lru_cache(maxsize=2**16)
    def count(text: str) -> int:
        return len(read.encode(text, add_special_tokens=False).ids)

    return count


def judge(examples: Sequence[Example], settings: ShapeSettings, _evidence: Evidence) -> list[Verdict]:
    """Find examples that cannot be read or answered as they stand.

    Raises
    ------
    UserError
        If ``max_tokens`` is set and the tokenizer is missing or cannot be read.
    """
    tokens = _tokens(settings)
    verdicts = [verdict for example in examples for verdict in _faults(example, settings, tokens)]
    return sorted(verdicts, key=lambda verdict: (verdict.example_id, verdict.reason))


def _tokens(settings: ShapeSettings) -> Callable[[str], int] | None:
    if settings.max_tokens is None:
        return None
    if settings.tokenizer is None:
        raise UserError("The shape check's max_tokens needs a tokenizer: name a tokenizer.json file.")
    return token_counter(settings.tokenizer)


def _faults(example: Example, settings: ShapeSettings, tokens: Callable[[str], int] | None) -> Iterator[Verdict]:
    texts = list(field_texts(example))
    words = sum(map(word_count, texts))
    if words < settings.min_words or sum(map(str.isalnum, "".join(texts))) < settings.min_letters:
        yield Verdict(example.example_id, "too short", words, detail=f"{words} words")
    yield from _beyond(example, "too long", words, settings.max_words, "words")
    if tokens is not None and settings.max_tokens is not None:
        yield from _beyond(example, "too many tokens", sum(map(tokens, texts)), settings.max_tokens, "tokens")
    yield from _option_faults(example) if example.options else _answer_faults(example, settings)


def _beyond(example: Example, reason: str, length: int, most: int, unit: str) -> Iterator[Verdict]:
    if length > most:
        yield Verdict(example.example_id, reason, length, detail=f"{length} {unit}")
    elif length > NEAR * most:
        yield Verdict(example.example_id, reason, length, detail=f"{length} {unit} of {most}", remedy="keep")


def _option_faults(example: Example) -> Iterator[Verdict]:
    count = len(example.options)
    if not 2 <= count <= len(LETTERS):
        yield Verdict(example.example_id, "number of options", count, detail=f"{count} options")
    texts = [" ".join(option.text.casefold().split()) for option in example.options]
    if "" in texts:
        yield Verdict(example.example_id, "empty option")
    twice = sorted(text for text, times in Counter(texts).items() if text and times > 1)
    if twice or len({option.key for option in example.options}) < count:
        yield Verdict(example.example_id, "options alike", detail="; ".join(twice))


def _answer_faults(example: Example, settings: ShapeSettings) -> Iterator[Verdict]:
    answer = example.answer
    if not answer:
        yield Verdict(example.example_id, "empty answer")
    elif isinstance(answer, str):
        plain = _NOT_WORDS.sub(" ", _APOSTROPHES.sub("", answer)).strip().casefold()
        if plain in BOILERPLATE or _SHRUG.fullmatch(plain):
            yield Verdict(example.example_id, "answer says nothing", detail=answer)
        else:
            yield from _beyond(example, "answer too long", word_count(answer), settings.max_answer_words, "words")


CHECK = Check(
    name="shape",
    summary="Reject content too short or too long, options that are no choice, and answers that say nothing.",
    settings=ShapeSettings,
    judge=judge,
    reads=lambda settings: (settings.tokenizer,) if settings.tokenizer and settings.max_tokens else (),
)
