"""Cleaning of upstream text, done late: only for what a task has drawn.

Upstream text is hostile at times: everything here takes time in proportion to its length, and nothing raises.
"""

import html
import re
import unicodedata
from html.parser import HTMLParser

_ROUNDS = 3
_UNFINISHED = 16  # tags and comments without an end that a text may hold before it is no longer parsed as HTML
_MARKS = 30  # Unicode's own limit for a stream-safe text
_ELEMENTS = (
    "a abbr acronym address applet area article aside audio b base basefont bdi bdo bgsound big blink blockquote body "
    "br button canvas caption center cite code col colgroup data datalist dd del details dfn dialog dir div dl dt em "
    "embed fieldset figcaption figure font footer form frame frameset h1 h2 h3 h4 h5 h6 head header hgroup hr html i "
    "iframe img input ins isindex kbd keygen label legend li link listing main map mark marquee math menu menuitem "
    "meta meter nav nobr noembed noframes noscript object ol optgroup option output p param picture plaintext pre "
    "progress q rb rp rt rtc ruby s samp script search section select slot small source spacer span strike strong "
    "style sub summary sup svg table tbody td template textarea tfoot th thead time title tr track tt u ul var video "
    "wbr xmp"
)
_LOOKS_LIKE_MARKUP = re.compile(r"<[a-zA-Z/!]")
_TAG = re.compile(r"<[a-zA-Z/!?][^<>]*>")
# Word's tags have a prefix: o:p, st1:place.
_NO_TAG = re.compile(
    rf"<(?=/?[a-z])(?!/?(?:(?:{_ELEMENTS.replace(' ', '|')})(?![^\s/>])|[a-z][a-z0-9]{{0,9}}:[a-z]))", re.IGNORECASE
)
_LONG_REFERENCE = re.compile(r"&#(?:[0-9]{8,}|[xX][0-9a-fA-F]{7,});?")
_INVISIBLE = re.compile("[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u200b\u2060\ufeff\ufffe\uffff]")
_PERHAPS_MARKS = re.compile(rf"[^\w\s\x00-\x7f]{{{_MARKS + 1},}}")
_SILENT = {"script", "style"}
_BREAKS = {"br", "p", "div", "li", "ul", "ol", "tr", "td", "th", "table", "h1", "h2", "h3", "h4", "h5", "h6"}


class UnparsableError(ValueError):
    """A text that is no HTML: it holds too many tags or comments without an end."""


class BoundedParser(HTMLParser):
    """The standard library's parser, held to time in proportion to the text.

    It looks for the end of each tag and comment as far as the text goes, and where there is none
    begins again behind the next bracket: quadratic work on a text of open tags.

    Raises
    ------
    UnparsableError
        From ``feed`` and ``close``, after a dozen or so tags and comments without an end.
    """

    _unfinished = 0

    def parse_starttag(self, i: int) -> int:
        """Parse a start tag."""
        return self._counted(super().parse_starttag(i))

    def parse_endtag(self, i: int) -> int:
        """Parse an end tag."""
        return self._counted(super().parse_endtag(i))

    def parse_comment(self, i: int, report: bool = True) -> int:  # noqa: FBT001, FBT002 - as inherited
        """Parse a comment."""
        return self._counted(super().parse_comment(i, report))

    def parse_pi(self, i: int) -> int:
        """Parse a processing instruction."""
        return self._counted(super().parse_pi(i))

    def parse_html_declaration(self, i: int) -> int:
        """Parse a declaration."""
        return self._counted(super().parse_html_declaration(i))

    def _counted(self, end: int) -> int:
        self._unfinished += end < 0
        if self._unfinished > _UNFINISHED:
            raise UnparsableError("too many tags and comments without an end")
        return end


class _TextOnly(BoundedParser):
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

    Entities are resolved up to three times over (upstream escapes some twice), and tags go whether they were
    escaped or not. What stands in angle brackets without being an HTML tag is text: ``size <M> only``. Unicode is
    brought to NFC, with at most thirty combining marks in a row. None becomes "".
    """
    if not text:
        return ""
    for _ in range(_ROUNDS):
        unescaped = html.unescape(without_long_references(text))
        if unescaped == text:
            break
        text = unescaped
    if _LOOKS_LIKE_MARKUP.search(text):
        text = _without_tags(text)
    text = _PERHAPS_MARKS.sub(lambda run: _fewer_marks(run[0]), _INVISIBLE.sub("", text))
    return " ".join(unicodedata.normalize("NFC", text).split())


def without_long_references(text: str) -> str:
    """Return ``text`` with numeric references beyond Unicode (``&#99999999;``), of any length, as U+FFFD.

    The standard library's ``int`` refuses thousands of digits, and its parsers of HTML raise.
    """
    return _LONG_REFERENCE.sub(_shortened, text) if "&#" in text else text


def word_count(text: str | None) -> int:
    """Return the number of whitespace-separated words."""
    return len(text.split()) if text else 0


def _shortened(reference: re.Match[str]) -> str:
    end = ";" if reference[0].endswith(";") else ""
    base = reference[0][2] if reference[0][2] in "xX" else ""
    digits = reference[0][2 + len(base) :].rstrip(";").lstrip("0") or "0"
    return f"&#{base}{digits}{end}" if len(digits) < 8 else "\ufffd"


def _without_tags(text: str) -> str:
    # The parser resolves entities once more, which these escapes make up for.
    text = _NO_TAG.sub("&lt;", text.replace("&", "&amp;"))
    parser = _TextOnly()
    try:
        parser.feed(text)
        parser.close()
    except (UnparsableError, AssertionError):  # AssertionError: how the parser refuses a malformed `<![...`
        return html.unescape(_TAG.sub(" ", text))
    return "".join(parser.pieces)


def _fewer_marks(run: str) -> str:
    """Leave out all but the first of many combining marks in a row, which take quadratic time to put in order."""
    kept, marks = [], 0
    for character in run:
        marks = marks + 1 if unicodedata.combining(character) else 0
        if marks <= _MARKS:
            kept.append(character)
    return "".join(kept)
