"""Cleaning of upstream text, done late: only for what a task has drawn."""

import html
import re
import unicodedata
from html.parser import HTMLParser

_LOOKS_LIKE_MARKUP = re.compile(r"<[a-zA-Z/!]")
_TAG = re.compile(r"<[a-zA-Z/!][^>]*>?")
_INVISIBLE = re.compile("[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u200b\u2060\ufeff\ufffe\uffff]")
_SILENT = {"script", "style"}
_BREAKS = {"br", "p", "div", "li", "ul", "ol", "tr", "td", "th", "table", "h1", "h2", "h3", "h4", "h5", "h6"}


class _TextOnly(HTMLParser):
    """Collects the text of a piece of HTML, leaving scripts and styles out."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[str] = []
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002
        self._silent += tag in _SILENT
        if tag in _BREAKS:
            self.pieces.append(" ")

    def handle_endtag(self, tag: str) -> None:
        self._silent = max(0, self._silent - (tag in _SILENT))
        if tag in _BREAKS:
            self.pieces.append(" ")

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.pieces.append(data)


def clean(text: str | None) -> str:
    """Return ``text`` as a person would read it: no tags, no entities, no invisible characters, single spaces.

    Entities are resolved until none is left (upstream escapes some twice); Unicode is brought to NFC.
    None becomes "".
    """
    if not text:
        return ""
    for _ in range(3):
        unescaped = html.unescape(text)
        if unescaped == text:
            break
        text = unescaped
    if _LOOKS_LIKE_MARKUP.search(text):
        text = _without_tags(text)
    return " ".join(unicodedata.normalize("NFC", _INVISIBLE.sub("", text)).split())


def _without_tags(text: str) -> str:
    parser = _TextOnly()
    try:
        parser.feed(text)
        parser.close()
    except AssertionError:  # how the standard library refuses a malformed `<![...` declaration
        return _TAG.sub(" ", text)
    return "".join(parser.pieces)


def word_count(text: str | None) -> int:
    """Return the number of whitespace-separated words."""
    return len(text.split()) if text else 0
