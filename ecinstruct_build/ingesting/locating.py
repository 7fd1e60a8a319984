"""Find where a value stands in a product's text, for corpora that give attribute values without their places."""

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import islice
from typing import Any, Protocol

from ecinstruct_build.text import clean

_PLACES = 10  # of one value in one text
_SEARCHED = 200  # longer values are sought to the letter only
_DECIMAL_MARKS = ".,"
_LEAST_PART = 3  # characters of a value that is found within a longer word: one letter stands in nearly every word


class TextPart(Protocol):
    """A piece of text, such as `ecinstruct_build.drawing.paragraphs.Paragraph`."""

    @property
    def text(self) -> str:
        """The text."""


def locate(text: str, value: str, *, within_words: bool) -> tuple[tuple[int, int], ...]:
    """Return where ``value`` stands in ``text`` as [begin, end), at most ten places, in order.

    It is sought as words of its own: to the letter; if it does not stand there, regardless of case and of the kind
    and amount of white space. White space around it does not count. ``5`` is no number of its own in ``2.5``. A value
    without a letter or digit, such as ``-``, says nothing and is found nowhere.

    Parameters
    ----------
    text, value
        Any texts; a value of more than 200 characters is sought to the letter only.
    within_words
        Whether places within longer words are taken where there are no others: those of three characters or more that
        a word, a part in ``camelCase`` or a number begins with. ``Print`` in ``Printed``, not ``men`` in ``women``,
        ``M`` in ``Maple`` or ``203`` in ``20302``.
    """
    value = value.strip()
    if not any(map(str.isalnum, value)):
        return ()
    for way in (_to_the_letter, _in_any_case):
        alone = (place for place in way(text, value) if _stands_alone(text, *place))
        if found := tuple(islice(alone, _PLACES)):
            return found
    for way in (_to_the_letter, _in_any_case) if within_words else ():
        parts = (place for place in way(text, value) if _is_part(text, *place))
        if found := tuple(islice(parts, _PLACES)):
            return found
    return ()


def evidences(values: Iterable[str], paragraphs: Sequence[TextPart]) -> list[dict[str, Any]]:
    """Return where values stand in paragraphs as words of their own, as the ``attribute`` table's evidences.

    Parameters
    ----------
    values
        An attribute's values. One that stands nowhere as it is written is sought mended of markup and entities.
    paragraphs
        The text, such as `ecinstruct_build.drawing.paragraphs.product_paragraphs` returns it.

    Returns
    -------
    list of dict
        ``value`` (as the paragraph has it), ``pid``, ``begin`` and ``end``, in reading order.
    """
    found: set[tuple[int, int, int]] = set()
    for value in values:
        places = _places(paragraphs, value)
        if not places and ("&" in value or "<" in value):
            places = _places(paragraphs, clean(value))
        found.update(places)
    return [
        {"value": paragraphs[pid].text[begin:end], "pid": pid, "begin": begin, "end": end}
        for pid, begin, end in sorted(found)
    ]


def _places(paragraphs: Sequence[TextPart], value: str) -> list[tuple[int, int, int]]:
    found = ((pid, locate(paragraph.text, value, within_words=False)) for pid, paragraph in enumerate(paragraphs))
    return [(pid, *place) for pid, places in found for place in places]


def _to_the_letter(text: str, value: str) -> Iterator[tuple[int, int]]:
    begin = text.find(value)
    while begin >= 0:
        yield begin, begin + len(value)
        begin = text.find(value, begin + len(value))


def _in_any_case(text: str, value: str) -> Iterator[tuple[int, int]]:
    if len(value) <= _SEARCHED:
        yield from (match.span() for match in _pattern(value).finditer(text))


@lru_cache(maxsize=4096)
def _pattern(value: str) -> re.Pattern[str]:
    """Return what finds the value's words in any case; an attribute has few values, and many products."""
    return re.compile(r"\s+".join(map(re.escape, value.split())), re.IGNORECASE)


def _stands_alone(text: str, begin: int, end: int) -> bool:
    return not _goes_on(text, begin, -1) and not _goes_on(text, end - 1, 1)


def _is_part(text: str, begin: int, end: int) -> bool:
    """Say whether what stands within a longer word may be what was meant."""
    if end - begin < _LEAST_PART or _cuts_number(text, begin, -1) or _cuts_number(text, end - 1, 1):
        return False
    before, first = text[begin - 1 : begin], text[begin]
    return not (before.isalpha() and first.isalpha()) or (before.islower() and first.isupper())


def _cuts_number(text: str, inner: int, step: int) -> bool:
    return text[inner].isdigit() and _goes_on(text, inner, step) and not text[inner + step].isalpha()


def _goes_on(text: str, inner: int, step: int) -> bool:
    """Say whether the word or number whose last letter stands at ``inner`` goes on in the direction of ``step``."""
    outer, beyond = inner + step, inner + 2 * step
    if not text[inner].isalnum() or not 0 <= outer < len(text):
        return False
    if text[outer] in _DECIMAL_MARKS and text[inner].isdigit():
        return 0 <= beyond < len(text) and text[beyond].isdigit()
    return text[outer].isalnum()
