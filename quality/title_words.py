"""The words of a product's title, told apart by what they say: what it is, which one it is, and in what size or colour.

Vocabularies are small and English. A word that none of them knows is a plain word, so that titles in other languages
are compared by their words and numbers alone.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from ecinstruct_build.text import clean

COLOURS = frozenset(
    "amber aqua beige black blue brown burgundy charcoal clear copper coral cream cyan fuchsia gold golden gray green "
    "grey indigo ivory khaki lavender lime magenta maroon mauve mint multicolor multicolour multicolored mustard navy "
    "olive orange peach pink plum purple red rust salmon sand silver tan taupe teal turquoise violet white yellow "
    "assorted".split()
)
_SHADES = frozenset("light dark bright pale deep matte glossy metallic hot royal rose baby sky off jet".split())
_SIZES = frozenset(
    "small medium large xlarge xxlarge xxxlarge xs xxs sm med lg xl xxl xxxl 2xl 3xl 4xl 5xl 2x 3x 4x 5x".split()
)
_MORE = frozenset({"extra", "x", "xx", "xxx"})  # before a size
_LETTER_SIZES = frozenset("sml")
_NAMES_A_SIZE = frozenset({"size", "sz"})
_REGIONS = frozenset({"us", "uk", "eu"})  # of shoe sizes
_FILLERS = frozenset("color colour colors colours size sz".split())

_UNITS = {
    spelling: names[0]
    for names in (
        ("in", "inch", "inches", '"', "''"),
        ("ft", "foot", "feet", "'"),
        ("yd", "yard", "yards"),
        ("mm", "millimeter", "millimeters"),
        ("cm", "centimeter", "centimeters"),
        ("m", "meter", "meters", "metre", "metres"),
        ("oz", "ounce", "ounces", "floz"),
        ("lb", "lbs", "pound", "pounds"),
        ("g", "gm", "gr", "gram", "grams"),
        ("kg", "kilo", "kilogram", "kilograms"),
        ("mg", "milligram", "milligrams"),
        ("ml", "milliliter", "milliliters"),
        ("l", "lt", "ltr", "liter", "liters", "litre", "litres"),
        ("gal", "gallon", "gallons"),
        ("qt", "quart", "quarts"),
        ("pt", "pint", "pints"),
        ("cup", "cups"),
        ("mb", "megabyte", "megabytes"),
        ("gb", "gig", "gigabyte", "gigabytes"),
        ("tb", "terabyte", "terabytes"),
        ("pack", "packs", "pk", "pks", "pkg", "packet", "packets"),
        ("count", "counts", "ct", "cnt"),
        ("pc", "pcs", "piece", "pieces"),
        ("pair", "pairs", "pr"),
        ("set", "sets"),
        ("box", "boxes"),
        ("bottle", "bottles"),
        ("can", "cans"),
        ("bag", "bags"),
        ("roll", "rolls"),
        ("sheet", "sheets"),
        ("tablet", "tablets", "tab", "tabs"),
        ("capsule", "capsules", "caps", "cap", "softgels"),
    )
    for spelling in names
}
_ONLY_ATTACHED = frozenset({"m", "g", "l"})  # `10m`, but `5 m` may be anything
_RATINGS = {
    spelling: names[0]
    for names in (
        ("w", "watt", "watts"),
        ("v", "volt", "volts"),
        ("mp", "megapixel", "megapixels"),
        ("mah",),
        ("ghz",),
        ("mhz",),
        ("hz",),
        ("dpi",),
    )
    for spelling in names
}
"""Measures that tell products apart: another power, another product."""
_PACKED = frozenset("pack set box case lot bundle carton bag package quantity qty".split())  # before `of 3`
_OPTICS = frozenset(
    "lens lenses zoom telephoto macro binocular binoculars scope riflescope telescope monocular magnification".split()
)
_NUMERALS = {
    **{word: str(number) for number, word in enumerate("one two three four five six seven eight nine ten".split(), 1)},
    **{word: f"{number}th" for number, word in enumerate("first second third fourth fifth sixth".split(), 1)},
    **{f"{number}{ending}": f"{number}th" for number, ending in ((1, "st"), (2, "nd"), (3, "rd"))},
    **{roman: roman for roman in "ii iii iv vi vii viii ix xi xii xiii xiv xv xvi xvii xviii xix xx".split()},
}
_VERSIONS = frozenset({"v", "ver", "version", "vers"})
_SPECIAL = _NAMES_A_SIZE | _PACKED | _MORE | _SHADES | _VERSIONS | _FILLERS
_SPELLINGS = {"volume": "vol", "volumes": "vol", "vols": "vol"}

_APOSTROPHE = re.compile(r"(?<=[^\W\d_])['’](?=[^\W\d_])")
_TOKEN = re.compile(
    r"(?<![\w/])\d{1,2}/(?:2|3|4|8|16|32|64)(?![\w/])|[^\W_]+(?:(?<=\d)(?:\.\d[^\W_]*|,\d{3}(?!\d)))*|(?<=\d)(?:''|′′|[\"”'′])"
)
_HYPHENATED = re.compile(r"[^\W_]+(?:-[^\W_]+)+")
_SERIES = 4  # letters that may stand before the hyphen of a part number
_NUMBER = re.compile(r"\d+(?:\.\d+)?|\d{1,2}/\d{1,2}")
_MEASURE = re.compile(r"(\d+(?:\.\d+)?)([a-z]+)")
_GRID = re.compile(r"\d+(?:\.\d+)?[a-z]{0,2}(?:x\d+(?:\.\d+)?[a-z]{0,2})+")
_VERSION = re.compile(r"v\d+(?:\.\d+)*")
_QUOTES = {"′′": '"', "”": '"', "′": "'"}


@dataclass(frozen=True, slots=True)
class TitleWords:
    """A title, read.

    Attributes
    ----------
    words
        Plain words, in order.
    marks
        What tells one product from its neighbours: numbers without a unit, model and part numbers, ratings
        (`500 W`), numerals in words or Roman figures, and single letters. Sorted, repetitions kept.
    variants
        Colours, sizes, measures and quantities. Sorted, repetitions kept.
    """

    words: tuple[str, ...]
    marks: tuple[str, ...]
    variants: tuple[str, ...]


def read_title(title: str) -> TitleWords:
    """Tell a title's words apart; markup, case, punctuation and compatibility forms of letters do not count."""
    tokens = _tokens(title)
    kinds = [_kind(token) for token in tokens]
    reader = _Reader(tokens, kinds, optical=not _OPTICS.isdisjoint(tokens))
    reader.read()
    return TitleWords(tuple(reader.words), tuple(sorted(reader.marks)), tuple(sorted(reader.variants)))


def name_words(name: str) -> tuple[str, ...]:
    """Return the words of a brand or another name, without telling them apart."""
    return tuple(token for token in _tokens(name) if token[0].isalnum())


def _tokens(text: str) -> list[str]:
    if "&" in text or "<" in text:
        text = clean(text)
    plain = (text if text.isascii() else unicodedata.normalize("NFKC", text)).casefold()
    if "'" in plain or "’" in plain:
        plain = _APOSTROPHE.sub("", plain)
    if "-" in plain:
        plain = _HYPHENATED.sub(_one_number, plain)
    return _TOKEN.findall(plain)


def _one_number(hyphenated: re.Match[str]) -> str:
    """Close up what is one part number: `BG-E11`, `5488-STC-00300`; not `2-pack`."""
    parts = hyphenated[0].split("-")
    with_digits = [any(character.isdigit() for character in part) for part in parts]
    begins = not with_digits[0] and with_digits[1] and len(parts[0]) <= _SERIES and parts[0] not in _UNITS
    if begins or (sum(with_digits) > 1 and not all(part.isdigit() for part in parts)):
        return "".join(parts)
    return hyphenated[0]


@lru_cache(maxsize=1 << 16)
def _kind(token: str) -> tuple[str, str]:
    """Return what a token may be, looked at alone, and its one spelling.

    Kinds: ``word``, ``special`` (a word that its neighbours may make part of a size), ``mark``, ``number``, ``measure``, ``grid``, ``unit``, ``rating``, ``colour``, ``size``,
    ``letter``, ``quote``.
    """
    token = _QUOTES.get(token, token)
    if not token[0].isalnum():
        return "quote", token
    if token in COLOURS:
        return "colour", token
    if token in _SIZES:
        return "size", token
    if token in _LETTER_SIZES:
        return "letter", token
    if token in _NUMERALS:
        return "mark", _NUMERALS[token]
    if token in _UNITS:
        return "unit", token
    if token in _RATINGS:
        return "rating", token
    if any(character.isdigit() for character in token):
        return _kind_with_digits(token)
    if len(token) == 1 and token.isascii() and token not in "ax":
        return "mark", token
    return "special" if token in _SPECIAL else "word", _SPELLINGS.get(token, token)


def _kind_with_digits(token: str) -> tuple[str, str]:
    token = token.replace(",", "")
    if _NUMBER.fullmatch(token):
        return "number", _plain_number(token)
    if _VERSION.fullmatch(token):
        return "mark", _plain_number(token[1:])
    if (measure := _MEASURE.fullmatch(token)) and (unit := _UNITS.get(measure[2])):
        network = unit == "g" and measure[1] in {"2", "3", "4", "5"}
        return ("mark", token) if network else ("measure", _plain_number(measure[1]) + unit)
    if measure and (rating := _RATINGS.get(measure[2])):
        return "mark", _plain_number(measure[1]) + rating
    if _GRID.fullmatch(token):
        return "grid", token
    return "mark", token


def _plain_number(number: str) -> str:
    return number.rstrip("0").rstrip(".") if "." in number else number


class _Reader:
    """One pass over a title's tokens."""

    def __init__(self, tokens: Sequence[str], kinds: Sequence[tuple[str, str]], *, optical: bool) -> None:
        self.tokens, self.kinds, self.optical = tokens, kinds, optical
        self.words: list[str] = []
        self.marks: list[str] = []
        self.variants: list[str] = []
        self.at = 0

    def read(self) -> None:
        while self.at < len(self.tokens):
            kind, spelling = self.kinds[self.at]
            if kind == "word":
                self.words.append(spelling)
                self.at += 1
            elif kind == "special":
                self._special(spelling)
            elif kind in ("number", "measure", "grid"):
                self._figure()
            elif kind == "colour":
                if self._token(1) in ("edition", "version"):
                    self.marks.append(spelling)
                else:
                    self.variants.append(spelling)
                self.at += 1
            elif kind in ("size", "letter"):
                sized = kind == "size" or self._stands_as_size()
                (self.variants if sized else self.marks).append(spelling)
                self.at += 1
            else:
                if kind != "quote":
                    (self.marks if kind == "mark" else self.words).append(spelling)
                self.at += 1

    def _kind_of(self, ahead: int) -> str:
        place = self.at + ahead
        return self.kinds[place][0] if 0 <= place < len(self.kinds) else ""

    def _token(self, ahead: int) -> str:
        place = self.at + ahead
        return self.tokens[place] if 0 <= place < len(self.tokens) else ""

    def _special(self, word: str) -> None:
        if word in _NAMES_A_SIZE and self._kind_of(1) in ("number", "size", "letter", "mark"):
            self.variants.append(self.kinds[self.at + 1][1])
            self.at += 2
        elif word in _PACKED and self._token(1) == "of" and self._kind_of(2) == "number":
            self.variants.append(self.kinds[self.at + 2][1] + "pack")
            self.at += 3
        elif (word in _MORE and self._kind_of(1) == "size") or (word in _SHADES and self._kind_of(1) == "colour"):
            self.variants.append(word)
            self.at += 1
        elif word in _VERSIONS and self._kind_of(1) == "number":
            self.at += 1
        else:
            if word not in _FILLERS:
                self.words.append(word)
            self.at += 1

    def _figure(self) -> None:
        """Read a number with its unit, or several of them with an `x` between them."""
        figures, measured = [], False
        while True:
            kind, spelling = self.kinds[self.at]
            self.at += 1
            if kind == "number":
                if self._kind_of(0) == "number" and "/" in self._token(0) and self._unit(1):
                    spelling += "+" + self._token(0)
                    self.at += 1
                if unit := self._unit(0):
                    spelling += unit
                    self.at += 1
                    measured = True
                elif rating := (_RATINGS[self._token(0)] if self._kind_of(0) == "rating" else ""):
                    self.marks.append(spelling + rating)
                    self.at += 1
                    return
            measured = measured or kind == "measure"
            figures.append(spelling)
            if self._token(0) != "x" or self._kind_of(1) not in ("number", "measure"):
                break
            self.at += 1
        grid = len(figures) > 1 or kind == "grid"
        if (grid and not self.optical) or (measured and not (self.optical and figures[0].endswith("mm"))):
            self.variants.append("x".join(figures))
        elif self._shoe_size():
            self.variants.append(figures[0])
        else:
            self.marks.append("x".join(figures))

    def _unit(self, ahead: int) -> str:
        """Return the unit that stands there in its one spelling, or ""."""
        kind, token = self._kind_of(ahead), self._token(ahead)
        if kind not in ("unit", "quote") or token in _ONLY_ATTACHED:
            return ""
        if token == "in" and self._kind_of(ahead + 1) == "number":  # 3 in 1
            return ""
        return _UNITS[_QUOTES.get(token, token)]

    def _shoe_size(self) -> bool:
        regions = [place for place in (0, 1, 2) if self._token(place) in _REGIONS]
        return bool(regions) and all(self._kind_of(place) in ("letter", "mark") for place in range(regions[0]))

    def _stands_as_size(self) -> bool:
        """Tell whether a single letter is a size: it ends the title, or stands by another size or a colour."""
        near = {self._kind_of(-1), self._kind_of(1)}
        return self.at == len(self.tokens) - 1 or not near.isdisjoint({"size", "colour", "letter"})
