"""A product's own paragraphs, in the order and with the cleaning that MAVE's labels count in.

MAVE publishes labels only: a value's paragraph number and its characters. The text has to be rebuilt from
2018 product metadata exactly as MAVE cleaned it, or the numbers point elsewhere.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html.entities import html5

from ecinstruct_build.text import BoundedParser, UnparsableError, without_long_references

_SILENT = frozenset({"script", "style"})
_MARKUP_LEFT = ("<a href", "javascript:", "background-color:", "background-image:", " li:", ".aloha")
_CSS_STARTS = (".", "#", "div")


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A piece of a product's text and the part of its page that it comes from.

    Attributes
    ----------
    source
        ``title``, ``description``, ``feature``, ``price`` or ``brand``.
    text
        One line of text without tags.
    """

    source: str
    text: str


class _TextNodes(BoundedParser):
    """Collects text nodes: every tag or comment ends one, scripts and styles hold none."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=False)
        self.pieces: list[str] = []
        self._silent = False

    def handle_starttag(self, tag: str, _attrs: list[tuple[str, str | None]]) -> None:
        self._silent = self._silent or tag in _SILENT
        self.pieces.append(" ")

    def handle_endtag(self, tag: str) -> None:
        self._silent = self._silent and tag not in _SILENT
        self.pieces.append(" ")

    def handle_comment(self, _data: str) -> None:
        self.pieces.append(" ")

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.pieces.append(data)

    def handle_charref(self, name: str) -> None:
        self.handle_data(self.unescape_reference(f"#{name}"))

    def handle_entityref(self, name: str) -> None:
        self.handle_data(self.unescape_reference(name))

    @staticmethod
    def unescape_reference(name: str) -> str:
        """Return the character that ``&name;`` stands for; an unknown name stays, without its semicolon."""
        if not name.startswith("#"):
            return html5.get(f"{name};", f"&{name}")
        number = int(name[2:], 16) if name[1] in "xX" else int(name[1:])
        if 0x80 <= number <= 0x9F:
            return bytes([number]).decode("windows-1252", "replace")
        return chr(number) if 0 < number < 0xD800 or 0xDFFF < number <= 0x10FFFF else "\ufffd"


def _without_tags(text: str) -> str:
    """Return the text nodes of a piece of HTML, joined by single spaces; nothing of a heap of open tags."""
    if "<" not in text and "&" not in text:
        return " ".join(text.split())
    parser = _TextNodes()
    try:
        parser.feed(without_long_references(text))
        parser.close()
    except UnparsableError:
        return ""
    except AssertionError:  # how the standard library refuses a malformed `<![...` declaration
        return " ".join(text.split())
    return " ".join("".join(parser.pieces).split())


def _looks_like_markup(text: str) -> bool:
    return any(mark in text for mark in _MARKUP_LEFT)


def _looks_like_css(text: str) -> bool:
    tokens = text.split()
    styled = sum(token.startswith(_CSS_STARTS) or "px" in token or token.count("-") > 1 for token in tokens)
    return styled > 20 and styled / len(tokens) > 0.3


def _pieces(
    title: str | None, description: str | None, features: Sequence[str] | None, price: str | None, brand: str | None
) -> Iterator[tuple[str, str]]:
    """Yield (source, raw text) in MAVE's order."""
    if title and "getTime" not in title:  # a script that stands in for the name on broken pages
        yield "title", title
    for piece in (description or "").split("\n"):
        yield "description", piece
    for feature in features or ():
        yield "feature", feature or ""
    yield "price", price or ""
    yield "brand", brand or ""


def product_paragraphs(
    title: str | None,
    description: str | None,
    features: Sequence[str] | None,
    price: str | None,
    brand: str | None,
) -> tuple[Paragraph, ...]:
    """Return a product's paragraphs so that MAVE's ``pid``, ``begin`` and ``end`` point into them.

    Parameters
    ----------
    title, description, features, price, brand
        Columns of the ``product`` table, untouched; each line of ``description`` is a paragraph of its own.

    Returns
    -------
    tuple of Paragraph
        In the order title, description, feature, price, brand. Tags, styles and scripts are removed and white space
        is collapsed; empty paragraphs and those that still look like HTML or CSS are left out. A product
        without a title has no paragraphs.
    """
    cleaned = (
        Paragraph(source, _without_tags(text)) for source, text in _pieces(title, description, features, price, brand)
    )
    kept = tuple(
        paragraph
        for paragraph in cleaned
        if paragraph.text and not _looks_like_markup(paragraph.text) and not _looks_like_css(paragraph.text)
    )
    return kept if kept and kept[0].source == "title" else ()
