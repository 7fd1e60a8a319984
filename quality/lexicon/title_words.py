"""The words of a product's title, told apart by what they say: what it is, which one it is, and in what size or colour.

The vocabulary (``title_words.toml``) is small and English. A word that it does not know is a plain word, so that titles
in other languages are compared by their words and numbers alone.
"""

import re
import tomllib
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

from ecinstruct_build.text import clean

_APOSTROPHE = re.compile(r"(?<=[^\W\d_])['\u2019](?=[^\W\d_])")
# In this order: a fraction of an inch; a word or figure; a mark of feet or inches behind a figure.
_TOKEN = re.compile(
    r"(?<![\w/])\d{1,2}/(?:2|3|4|8|16|32|64)(?![\w/])"
    r"|[^\W_]+(?:(?<=\d)(?:\.\d[^\W_]*|,\d{3}(?!\d)))*"
    r"|(?<=\d)(?:''|[\"'])"
)
_TYPOGRAPHIC = str.maketrans({"\u201d": '"', "\u2033": '"', "\u2032": "'"})
_HYPHENATED = re.compile(r"(?<![^\W_])[^\W_]++(?:-[^\W_]++)+")
_SERIES = 4  # letters that may stand before the hyphen of a part number
_NUMBER = re.compile(r"\d+(?:\.\d+)?|\d{1,2}/\d{1,2}")
_MEASURE = re.compile(r"(\d+(?:\.\d+)?)([a-z]+)")
_GRID = re.compile(r"\d+(?:\.\d+)?[a-z]{0,2}(?:x\d+(?:\.\d+)?[a-z]{0,2})+")
_VERSION = re.compile(r"v\d+(?:\.\d+)*")
# Kinds of words that the vocabulary lists; one that is listed twice is of the last kind.
_LISTED = ("pack", "version", "letter_size", "size", "more_size", "size_name", "shade", "colour_name", "colour")
_OPENS = {"more_size": ("size",), "shade": ("colour", "shade")}
_FARTHEST = 3  # tokens that are looked ahead
_LONGEST_SIZE = 5  # digits and points of a figure that may be a size


@dataclass(frozen=True, slots=True)
class TitleWords:
    """A title, read.

    Attributes
    ----------
    words
        Plain words, in order.
    marks
        What tells one product from its neighbours: numbers without a unit, model and part numbers, ratings
        (`500 W`), numerals in words or Roman figures, and single letters. Sorted, once each.
    variants
        Colours, sizes, measures and quantities. Sorted, repetitions kept.
    """

    words: tuple[str, ...]
    marks: tuple[str, ...]
    variants: tuple[str, ...]


@dataclass(frozen=True)
class Vocabulary:
    """What the vocabulary file says.

    Attributes
    ----------
    kinds
        Kind and one spelling of each known token.
    units, ratings
        One spelling of each unit and rating.
    attached_units, networks, optics, editions, regions, packs, apart
        As the file says.
    """

    kinds: dict[str, tuple[str, str]]
    units: dict[str, str]
    ratings: dict[str, str]
    attached_units: frozenset[str]
    networks: frozenset[str]
    optics: frozenset[str]
    editions: frozenset[str]
    regions: frozenset[str]
    packs: frozenset[str]
    apart: frozenset[str]


@cache
def vocabulary() -> Vocabulary:
    """Return the vocabulary."""
    file = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
    spelled = {
        part: {variant: one for one, variants in file[part].items() for variant in (one, *variants)}
        for part in ("spellings", "units", "ratings", "numerals")
    }
    kinds = {token: ("word", one) for token, one in spelled["spellings"].items()}
    kinds |= {token: ("mark", one) for token, one in spelled["numerals"].items() if not token.isdigit()}
    kinds |= {token: (kind, token) for kind in ("unit", "rating") for token in spelled[f"{kind}s"]}
    kinds |= {token: (kind, token) for kind in _LISTED for token in file[f"{kind}s"]}
    sets = {
        part: frozenset(file[part])
        for part in ("attached_units", "networks", "optics", "editions", "regions", "packs", "apart")
    }
    return Vocabulary(kinds, spelled["units"], spelled["ratings"], **sets)


def read_title(title: str) -> TitleWords:
    """Tell a title's words apart; markup, case, punctuation and compatibility forms of letters do not count."""
    tokens = _tokens(title)
    reader = _Reader(tokens, [_kind(token) for token in tokens])
    reader.read()
    return TitleWords(tuple(reader.words), tuple(sorted(set(reader.marks))), tuple(sorted(reader.variants)))


def name_words(name: str) -> tuple[str, ...]:
    """Return the words of a brand or another name, without telling them apart."""
    return tuple(token for token in _tokens(name) if token[0].isalnum())


def _tokens(text: str) -> list[str]:
    if "&" in text or "<" in text or not (text.isascii() and text.isprintable()):
        text = clean(text)
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text.translate(_TYPOGRAPHIC))
    plain = text.casefold()
    if "'" in plain or "\u2019" in plain:
        plain = _APOSTROPHE.sub("", plain)
    if "-" in plain:
        plain = _HYPHENATED.sub(_closed_up, plain)
    return _TOKEN.findall(plain)


def _closed_up(hyphenated: re.Match[str]) -> str:
    """Close up what is one part number: `BG-E11`, `5488-STC-00300`; not `2-pack`."""
    parts = hyphenated[0].split("-")
    figures = [any(map(str.isdigit, part)) for part in parts]
    begins = not figures[0] and figures[1] and len(parts[0]) <= _SERIES and parts[0] not in vocabulary().units
    if begins or (sum(figures) > 1 and not all(map(str.isdigit, parts))):
        return "".join(parts)
    return hyphenated[0]


@lru_cache(maxsize=1 << 16)
def _kind(token: str) -> tuple[str, str]:
    """Return what a token may be, looked at alone, and its one spelling.

    A kind of the vocabulary, or ``word``, ``mark``, ``number``, ``measure``, ``grid``, ``quote``.
    """
    if known := vocabulary().kinds.get(token):
        return known if token[0].isalnum() else ("quote", token)
    if any(map(str.isdigit, token)):
        return _kind_of_figure(token.replace(",", ""))
    return ("mark" if len(token) == 1 and token.isascii() and token != "a" else "word"), token  # noqa: S105


def _kind_of_figure(token: str) -> tuple[str, str]:
    known = vocabulary()
    if _NUMBER.fullmatch(token):
        return "number", _plain_number(token)
    if _VERSION.fullmatch(token):
        return "mark", _plain_number(token[1:])
    if measure := _MEASURE.fullmatch(token):
        number, letters = _plain_number(measure[1]), measure[2]
        if letters in known.units and token not in known.networks and len(number) <= _LONGEST_SIZE:
            return "measure", number + known.units[letters]
        if letters in known.ratings:
            return "mark", number + known.ratings[letters]
    return ("grid" if _GRID.fullmatch(token) else "mark"), token


def _plain_number(number: str) -> str:
    return number.rstrip("0").rstrip(".") if "." in number else number


class _Reader:
    """One pass over a title's tokens."""

    def __init__(self, tokens: Sequence[str], kinds: Sequence[tuple[str, str]]) -> None:
        self.vocabulary = vocabulary()
        self.end = len(tokens)
        self.tokens, self.kinds = [*tokens, *[""] * _FARTHEST], [*kinds, *[("", "")] * _FARTHEST]
        self.words: list[str] = []
        self.marks: list[str] = []
        self.variants: list[str] = []
        self.at = 0

    def read(self) -> None:
        while self.at < self.end:
            kind, spelling = self.kinds[self.at]
            if kind == "word":
                self.words.append(spelling)
            elif kind == "mark":
                self.marks.append(spelling)
            elif kind in ("number", "measure", "grid"):
                self._figure()
                continue
            elif kind in ("unit", "rating", "pack", "size_name"):
                self._name(kind, spelling)
                continue
            else:
                self._by_neighbours(kind, spelling)
            self.at += 1

    def _kind(self, ahead: int) -> str:
        return self.kinds[self.at + ahead][0]

    def _token(self, ahead: int) -> str:
        return self.tokens[self.at + ahead]

    def _name(self, kind: str, word: str) -> None:
        """Read a word that may announce a size or a quantity: `size 9`, `pack of 3`."""
        ahead = 1
        if kind == "size_name":
            if self._kind(1) in ("number", "size", "letter_size", "more_size"):
                self.variants.append(self.kinds[self.at + 1][1])
                ahead = 2
        elif word in self.vocabulary.packs and self._token(1) == "of" and self._kind(2) in ("number", "mark"):
            self.variants.append(self.kinds[self.at + 2][1] + "pack")
            ahead = 3
        else:
            self.words.append(word)
        self.at += ahead

    def _by_neighbours(self, kind: str, spelling: str) -> None:
        """Read a word that is part of a size or colour, or is not, by what stands next to it."""
        if kind == "colour":
            (self.marks if self._token(1) in self.vocabulary.editions else self.variants).append(spelling)
        elif kind == "size" or self._kind(1) in _OPENS.get(kind, ()):
            self.variants.append(spelling)
        elif kind == "letter_size":
            near = {self._kind(-1), self._kind(1)}
            sized = self.at == self.end - 1 or not near.isdisjoint({"size", "colour", "letter_size"})
            (self.variants if sized else self.marks).append(spelling)
        elif kind == "version":
            if self._kind(1) != "number":
                (self.words if len(spelling) > 1 else self.marks).append(spelling)
        elif kind in ("shade", "more_size"):
            self.words.append(spelling)

    def _figure(self) -> None:
        """Read a number with its unit, or several of them with an `x` between them."""
        figures, measured = [], False
        while True:
            kind, spelling = self.kinds[self.at]
            self.at += 1
            if kind == "number":
                if self._kind(0) == "rating":
                    self.marks.append(spelling + self.vocabulary.ratings[self._token(0)])
                    self.at += 1
                    return
                spelling, kind = self._with_unit(spelling)
            measured = measured or kind == "measure"
            figures.append(spelling)
            if self._token(0) != "x" or self._kind(1) not in ("number", "measure"):
                break
            self.at += 1
        grid = len(figures) > 1 or kind == "grid"
        optical = (grid or figures[0].endswith("mm")) and not self.vocabulary.optics.isdisjoint(self.tokens)
        sized = ((grid or measured) and not optical) or self._pass_shoe_size()
        (self.variants if sized else self.marks).append("x".join(figures))

    def _with_unit(self, number: str) -> tuple[str, str]:
        """Return the number just passed with the unit that follows, passing it too, and ``measure`` if there is one."""
        if "/" in self._token(0) and self._kind(0) == "number" and (unit := self._unit(1)):  # 2 1/2 inch
            self.at += 2
            return f"{number}+{self.kinds[self.at - 2][1]}{unit}", "measure"
        if len(number) <= _LONGEST_SIZE and (unit := self._unit(0)):
            self.at += 1
            return number + unit, "measure"
        return number, "number"

    def _unit(self, ahead: int) -> str:
        """Return the unit that stands there in its one spelling, or ""."""
        token = self._token(ahead)
        unit = self.vocabulary.units.get(token, "")
        if not unit or token in self.vocabulary.attached_units or (token == "in" and self._kind(ahead + 1) == "number"):  # noqa: S105
            return ""  # 3 in 1
        return unit

    def _pass_shoe_size(self) -> bool:
        """Tell whether the number just passed is one, and pass the rest of it: `9 US`, `9 D US`, `9 D(M) US`."""
        for place in range(3):
            if self._token(place) in self.vocabulary.regions:
                self.at += place + 1
                return True
            if self._kind(place) not in ("letter_size", "mark"):
                break
        return False
