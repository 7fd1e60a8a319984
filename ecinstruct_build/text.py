"""Upstream text made whitespace-plain or, going further, clean: late, only for what a task has drawn.

Upstream text is hostile at times: everything here takes time in proportion to its length, and nothing raises.
"""

import html
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser

from ecinstruct_build.lazily import ftfy, mojibake
from ecinstruct_build.patterns import compiled_later

MARKUP = "markup"
ENTITIES = "entities"
MOJIBAKE = "mojibake"
INVISIBLE = "invisible characters"

_ROUNDS = 3
_UNFINISHED = 16  # tags and comments without an end that a text may hold before it is no longer parsed as HTML
_MARKS = 30  # Unicode's own limit for a stream-safe text
_SEEN = 40  # characters of a fault that are shown
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
_NAME = rf"(?:{_ELEMENTS.replace(' ', '|')})(?![^\s/>])|[a-z][a-z0-9]{{0,9}}:[a-z]"
_NO_TAG = compiled_later(rf"<(?=/?[a-z])(?!/?(?:{_NAME}))", re.IGNORECASE)
_FIRST_TAG = compiled_later(rf"<(?:/?(?:{_NAME})|[/!?])[^<>]{{0,{_SEEN}}}>?", re.IGNORECASE)
# Upstream cuts some texts off within a tag; the parser takes what is left of it for text.
_CUT_TAG = compiled_later(rf"<(?:{_ELEMENTS.replace(' ', '|')})\s[a-z-]{{1,30}}\s?=[^<>]*\Z", re.IGNORECASE)
_REFERENCE = re.compile(r"&[#a-zA-Z][a-zA-Z0-9]{0,31};?")
# Upstream took what follows an ampersand for a reference, and ended it: `R&B; singer`, `?a=1&b;=2`.
_NO_REFERENCE = re.compile(r"&[a-zA-Z][a-zA-Z0-9]{0,31};+(?![a-zA-Z0-9])")
_LONG_REFERENCE = re.compile(r"&#(?:[0-9]{8,}|[xX][0-9a-fA-F]{7,});?")
# Joiners, direction marks and soft hyphens mean something only beside letters of other scripts than Latin.
_HIDDEN = re.compile(
    "[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u200b\u2060-\u2064\ufeff\ufff9-\ufffb\ufffe\uffff]"
    "|(?<![^\u0000-\u024f])[\u00ad\u200c-\u200f\u202a-\u202e\u2066-\u2069]+(?![^\u0000-\u024f])"
)
# Some controls count as white space for Python; a no-break space behind these letters is half of a garbled letter.
_NO_WHITE_SPACE = re.compile("[\u001c-\u001f\u0085]|(?<=[\u00c2\u00c3])\u00a0")
_WHITE_SPACE = re.compile("(?:[^\\S\u001c-\u001f\u0085\u00a0]|(?<![\u00c2\u00c3])\u00a0)+")
_PERHAPS_MARK = re.compile("[^\u0000-\u02ff\u2000-\u20cf\u2100-\u2bff]")
_PERHAPS_MARKS = re.compile(rf"[^\w\s\x00-\x7f]{{{_MARKS + 1},}}")
# Garbled letters come in pairs, but for these: a quick look before a long one.
_PERHAPS_GARBLED = re.compile(r"[^\x00-\x7f](?:[^\x00-\x7f]|(?<=[\u0080-\u009f\u00c2\u00c3\u0152\u0153]))")
_SILENT = {"script", "style"}
_BREAKS = {"br", "p", "div", "li", "ul", "ol", "tr", "td", "th", "table", "h1", "h2", "h3", "h4", "h5", "h6"}


@dataclass(frozen=True, slots=True)
class Mended:
    """A text after repair.

    Attributes
    ----------
    text
        The text as a person would read it.
    found
        What was repaired, by kind (``MARKUP``, ``ENTITIES``, ``MOJIBAKE``, ``INVISIBLE``), with the first that was
        seen of it.
    settled
        Whether mending the text again would leave it as it is. Text that was escaped over and over does not settle.
    garbled
        Share of its characters that are lost (U+FFFD) or still seem decoded by the wrong encoding.
    """

    text: str
    found: Mapping[str, str] = field(default_factory=dict)
    settled: bool = True
    garbled: float = 0.0


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


def plain(text: str | None) -> str:
    """Return ``text`` as upstream has it, but for white space (single spaces), and Unicode in NFC; None becomes "".

    At most thirty combining marks in a row are kept. Markup, entities and invisible characters stay.
    """
    if not text:
        return ""
    if text.isascii():
        return _single_spaces(text)
    if _PERHAPS_MARK.search(text):
        text = _PERHAPS_MARKS.sub(lambda run: _fewer_marks(run[0]), text)
    return _single_spaces(unicodedata.normalize("NFC", text))


def clean(text: str | None) -> str:
    """Return ``text`` as a person would read it: no tags, no entities, no invisible characters, single spaces.

    Entities are resolved (upstream escapes some twice), ``R&B;`` becomes ``R&B``, and tags go whether they were escaped
    or not. What stands in angle brackets without being an HTML tag is text: ``size <M> only``. Text that was decoded by
    the wrong encoding is decoded anew where that is certain. Unicode is brought to NFC, with at most thirty combining
    marks in a row. None becomes "".
    """
    return mend(text).text


def mend(text: str | None) -> Mended:
    """Return what `clean` returns, and what was repaired on the way."""
    text = plain(text)
    found: dict[str, str] = {}
    before = text
    for _ in range(_ROUNDS):
        if not _is_suspect(text):
            return Mended(text, found, garbled=text.count("\ufffd") / max(1, len(text)))
        before, text = text, _mended_once(text, found)
        if text == before:
            break
    settled = text == before or _mended_once(text, {}) == text
    return Mended(text, found, settled, _garbled_share(text))


def without_long_references(text: str) -> str:
    """Return ``text`` with numeric references beyond Unicode (``&#99999999;``), of any length, as U+FFFD.

    The standard library's ``int`` refuses thousands of digits, and its parsers of HTML raise.
    """
    return _LONG_REFERENCE.sub(_shortened, text) if "&#" in text else text


def word_count(text: str | None) -> int:
    """Return the number of whitespace-separated words."""
    return len(text.split()) if text else 0


def _single_spaces(text: str) -> str:
    if text.isprintable():
        if "  " not in text and text.strip(" ") == text:
            return text
    elif _NO_WHITE_SPACE.search(text):
        return _WHITE_SPACE.sub(" ", text).strip(" ")
    return " ".join(text.split())


def _is_suspect(text: str) -> bool:
    return "&" in text or "<" in text or _holds_hidden(text) or _is_garbled(text)


def _holds_hidden(text: str) -> bool:
    return not text.isprintable() and _HIDDEN.search(text) is not None


def _is_garbled(text: str) -> bool:
    return not text.isascii() and _PERHAPS_GARBLED.search(text) is not None and mojibake.is_bad(text)


def _mended_once(text: str, found: dict[str, str]) -> str:
    """Repair each kind of fault in turn and note in ``found`` what was seen."""
    for _ in range(_ROUNDS):
        unescaped = _without_references(text) if "&" in text else text
        if unescaped == text:
            break
        found.setdefault(ENTITIES, _first_reference(text))
        text = unescaped
    if _LOOKS_LIKE_MARKUP.search(text):
        bare = _CUT_TAG.sub("", _without_tags(text))
        if bare != text:
            tag = _FIRST_TAG.search(text)
            found.setdefault(MARKUP, tag[0] if tag else "<")
            text = bare
    if _is_garbled(text):
        decoded = _decoded(text)
        if decoded != text and mojibake.badness(decoded) < mojibake.badness(text):
            found.setdefault(MOJIBAKE, _first_garbled(text))
            text = decoded
    hidden = _HIDDEN.search(text)
    if hidden:
        found.setdefault(INVISIBLE, f"U+{ord(hidden[0][0]):04X}")
        text = _HIDDEN.sub("", text)
    # No space is half of a letter any more.
    return plain(" ".join(text.split()))


def _garbled_share(text: str) -> float:
    pairs = mojibake.badness(text) if _is_garbled(text) else 0
    # One odd pair is met in good text too: a degree sign after a capital, a trademark after an accent.
    return min(1.0, (text.count("\ufffd") + (2 * pairs if pairs > 1 else 0)) / max(1, len(text)))


def _decoded(text: str) -> str:
    """Decode garbled letters anew: all at once or, where good letters stand in the way, word by word."""
    encodings = ftfy.TextFixerConfig(explain=False)
    decoded = ftfy.fix_encoding(text, encodings)
    if not mojibake.is_bad(decoded):
        return decoded
    words = decoded.split(" ")
    return " ".join([ftfy.fix_encoding(word, encodings) if _is_garbled(word) else word for word in words])


def _without_references(text: str) -> str:
    """Resolve references; what is none, such as ``R&B;``, loses the semicolon that upstream gave it."""
    text = _NO_REFERENCE.sub(_without_semicolons, text) if ";" in text else text
    return html.unescape(without_long_references(text))


def _without_semicolons(found: re.Match[str]) -> str:
    name = found[0].rstrip(";")
    return name if html.unescape(f"{name};") == f"{name};" else found[0]


def _first_reference(text: str) -> str:
    changed = (each[0] for each in _REFERENCE.finditer(text) if _without_references(each[0]) != each[0])
    return next(changed, "&")


def _first_garbled(text: str) -> str:
    """Return the words that hold the first garbled letters, if they are short."""
    place = mojibake.BADNESS_RE.search(text)
    start, end = place.span() if place else (0, 1)
    before = text[max(0, start - _SEEN // 2) : start].rpartition(" ")[2]
    after = text[end : end + _SEEN // 2].partition(" ")[0]
    return f"{before}{text[start:end]}{after}"


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
