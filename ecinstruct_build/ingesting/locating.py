"""Find where a value stands in a product's text, for corpora that give attribute values without their places."""

from collections.abc import Iterable, Sequence
from typing import Any, Protocol

from ecinstruct_build.text import clean

_LONGEST_VALUE = 200  # characters; a longer value is no attribute's, and looking for it could take long
_DECIMAL_MARKS = ".,"


class TextPart(Protocol):
    """A piece of text, such as `ecinstruct_build.drawing.paragraphs.Paragraph`."""

    @property
    def text(self) -> str:
        """The text."""


def locate(text: str, value: str) -> tuple[int, int] | None:
    """Return where ``value`` first stands in ``text`` as words of its own, as [begin, end), or None.

    Case does not count, nor how much white space stands between the words of the value. A value within a longer word
    or number does not count: ``5`` does not stand in ``2.5`` or in ``MX5``.

    Parameters
    ----------
    text
        Text with single spaces.
    value
        At most 200 characters; a longer one is not looked for.
    """
    return _find(_folded(text), " ".join(value.split()))


def evidences(values: Iterable[str], paragraphs: Sequence[TextPart]) -> list[dict[str, Any]]:
    """Return where each value first stands in each paragraph, as rows of the ``attribute`` table's evidences.

    Parameters
    ----------
    values
        An attribute's values. One that stands nowhere as it is written is looked for mended of markup and entities.
    paragraphs
        The text, such as `ecinstruct_build.drawing.paragraphs.product_paragraphs` returns it.

    Returns
    -------
    list of dict
        ``value`` (as the paragraph has it), ``pid``, ``begin`` and ``end``, in reading order.
    """
    folded = [_folded(paragraph.text) for paragraph in paragraphs]
    found: set[tuple[int, int, int]] = set()
    for value in values:
        places = _places(folded, value)
        if not places and ("&" in value or "<" in value):
            places = _places(folded, clean(value))
        found.update(places)
    return [
        {"value": paragraphs[pid].text[begin:end], "pid": pid, "begin": begin, "end": end}
        for pid, begin, end in sorted(found)
    ]


def _places(folded: Sequence[str], value: str) -> list[tuple[int, int, int]]:
    words = " ".join(value.split())
    found = ((pid, _find(text, words)) for pid, text in enumerate(folded))
    return [(pid, *place) for pid, place in found if place is not None]


def _folded(text: str) -> str:
    """Return ``text`` in small letters, each at its old place."""
    small = text.lower()
    if len(small) == len(text):
        return small
    return "".join(letter.lower() if len(letter.lower()) == 1 else letter for letter in text)


def _find(folded: str, value: str) -> tuple[int, int] | None:
    wanted = _folded(value)
    if not wanted or len(wanted) > _LONGEST_VALUE:
        return None
    begin = folded.find(wanted)
    while begin >= 0:
        end = begin + len(wanted)
        if not _goes_on(folded, begin - 1, wanted[0], -1) and not _goes_on(folded, end, wanted[-1], 1):
            return begin, end
        begin = folded.find(wanted, begin + 1)
    return None


def _goes_on(text: str, position: int, inner: str, step: int) -> bool:
    """Say whether the word or number that ends with ``inner`` goes on at ``position``."""
    if not inner.isalnum() or not 0 <= position < len(text):
        return False
    letter = text[position]
    if letter in _DECIMAL_MARKS and inner.isdigit():
        beyond = position + step
        return 0 <= beyond < len(text) and text[beyond].isdigit()
    return letter.isalnum() or letter == "_"
