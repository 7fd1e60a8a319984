"""Text of a dataset on a page: characters that would hide or turn text are named, and long texts are cut."""

import re
import unicodedata

from markupsafe import Markup, escape

LONG = 4_000
"""Characters of a text that a page shows before it asks."""

# Controls but for tab and line feed, marks that turn or isolate text, and what takes no room at all; the joiners, which
# emoji and several scripts need, are left alone.
_HIDDEN = re.compile(
    "[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffc\ufffe\uffff"
    "\U000e0000-\U000e007f]"
)


def visible(text: str) -> Markup:
    """Return a text as HTML in which hidden characters are replaced with their code points, marked as such."""
    parts: list[Markup] = []
    end = 0
    for match in _HIDDEN.finditer(text):
        name = unicodedata.name(match[0], "control character").lower()
        mark = Markup('<span class="mark" title="{}">U+{:04X}</span>').format(name, ord(match[0]))
        parts += [escape(text[end : match.start()]), mark]
        end = match.end()
    return Markup("").join([*parts, escape(text[end:])])


def cut(text: str, limit: int = LONG) -> tuple[str, str]:
    """Return the beginning of a text and its rest, cut between words where there is one near; ("text", "") if short."""
    if len(text) <= limit + limit // 8:
        return text, ""
    space = text.rfind(" ", limit - limit // 8, limit)
    end = space + 1 if space > 0 else limit
    return text[:end], text[end:]
