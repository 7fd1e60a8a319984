"""Amazon-Google: two software shops' listings, and which of them are the same product.

Makers sell families of near-identical siblings (version, edition, platform, licence), so that what does not match
reads almost like what does. The second shop words its listings carelessly.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import product as combinations
from pathlib import Path
from typing import Any

from ecinstruct_build.sample_corpora.draws import Dice
from ecinstruct_build.sample_corpora.ledger import Entry, Place
from ecinstruct_build.sample_corpora.text_files import LineFile
from ecinstruct_build.sample_corpora.vocabulary import words
from ecinstruct_build.sample_corpora.world import World

SOURCE = "amazon_google"
AMAZON = "Amazon.csv"
GOOGLE = "GoogleProducts.csv"
MAPPING = "Amzon_GoogleProducts_perfectMapping.csv"

_FAMILIES = 9  # for each shelf of a category that is not broader than usual
_SIBLINGS, _ONLY_GOOGLE = 8, 12  # of a family: in the first shop, and in the second alone
_IN_BOTH = 0.86
_SECOND_LISTING = 0.11
_REPEATED, _BROKEN = 0.008, 0.003
_GARBLED = 0.015  # names with a registered sign read in the wrong encoding
_COPIED = 0.06  # of those in both: the second shop took the first one's title as it is
_SIGN = "\xc2\xae"
_GOOGLE_ID = "http://www.google.com/base/feeds/snippets/"


@dataclass(frozen=True)
class _Title:
    """One piece of software: a sibling of its family."""

    maker: dict[str, Any]
    line: str
    version: str
    platform: str
    edition: str
    licence: str
    cents: int


@dataclass(frozen=True)
class _Listed:
    """A listing as written: its place with its id, its title, and whether its line can be read."""

    place: Place
    name: str
    readable: bool


def write(world: World, folder: Path) -> tuple[dict[str, int], list[Entry]]:
    """Write the two tables and the mapping; returns lines by file name, and what was planted."""
    with (
        LineFile(folder / AMAZON) as amazon,
        LineFile(folder / GOOGLE) as google,
        LineFile(folder / MAPPING) as mapping,
    ):
        header = '"id",{},"description","manufacturer","price"\r'
        amazon.write([header.format('"title"').encode()])
        google.write([header.format('"name"').encode()])
        mapping.write([b'"idAmazon","idGoogleBase"'])
        shops = _Shops(world, amazon, google, mapping)
        for number in range(round(world.shelves / max(1, world.breadth)) * _FAMILIES):
            shops.family(number)
        counts = {AMAZON: amazon.lines, GOOGLE: google.lines, MAPPING: mapping.lines}
    return counts, shops.entries


class _Shops:
    """Lists titles in both shops and keeps the ledger."""

    def __init__(self, world: World, amazon: LineFile, google: LineFile, mapping: LineFile) -> None:
        self.entries: list[Entry] = []
        self._world = world
        self._files = {AMAZON: amazon, GOOGLE: google}
        self._mapping = mapping
        self._listed = 0
        self._defects = Dice(world.seed, "software defects", "")

    def family(self, number: int) -> None:
        """List the siblings of a family: some in both shops, some in the first, more in the second alone."""
        dice = Dice(self._world.seed, "software family", str(number))
        siblings = dice.sample(list(_family(self._world, number, dice)), _SIBLINGS + _ONLY_GOOGLE)
        for place, title in enumerate(siblings):
            here = (
                [self._amazon(title, dice) for _ in range(1 + dice.chance(_SECOND_LISTING))]
                if place < _SIBLINGS
                else []
            )
            for again in here[1:]:
                ids = (*again.place.ids, *here[0].place.ids)
                self.entries.append(
                    Entry(
                        "family_twin",
                        SOURCE,
                        AMAZON,
                        again.place.line,
                        ids,
                        here[0].place,
                        reason="relisted",
                        field="title",
                    )
                )
            both = dice.chance(_IN_BOTH)
            copied = here[0] if here and here[0].readable and self._defects.chance(_COPIED) else None
            there = (
                [self._google(title, dice, copied) for _ in range(1 + dice.chance(_SECOND_LISTING))]
                if both or not here
                else []
            )
            self._mapping.write(
                f'"{left.place.ids[0]}","{right.place.ids[0]}"'.encode() for left in here for right in there
            )

    def _amazon(self, title: _Title, dice: Dice) -> _Listed:
        identity = f"b000{_serial(self._world, self._next(), 36**6):0>6}"
        parts = [title.line, title.version, title.edition, title.licence]
        name = " ".join(part for part in parts if part) + dice.pick(
            (f" ({title.platform})", f" for {title.platform}", "")
        )
        garbled, signed = self._defects.chance(_GARBLED), dice.chance(0.05)
        if garbled or signed:
            name = name.replace(title.maker["short"], title.maker["short"] + (_SIGN if garbled else "\xae"), 1)
        description = "" if dice.chance(0.09) else _description(title, dice)
        maker = "" if dice.chance(0.02) else title.maker["name"]
        price = "0" if dice.chance(0.15) else _price(title.cents)
        return self._write(AMAZON, identity, [identity, name, description, maker], price, dice)

    def _google(self, title: _Title, dice: Dice, copied: _Listed | None) -> _Listed:
        number = (self._next() * 61_803_398_874_989_484_821 + self._world.seed * 1_000_003) % (9 * 10**19)
        identity = f"{_GOOGLE_ID}{number + 10**19}"
        name = _careless_name(title, dice)
        if copied is not None:
            name = copied.name
        description = "" if dice.chance(0.06) else name if dice.chance(0.2) else _description(title, dice)
        maker = title.maker["short"] if dice.chance(0.08) else ""
        cents = int(title.cents * (0.8 + 0.3 * dice.unit()))
        price = f'"{_price(cents)} gbp"' if dice.chance(0.02) else _price(cents)
        listed = self._write(GOOGLE, identity, [identity, name, description, maker], price, dice)
        if copied is not None and listed.readable:
            ids = (identity, *copied.place.ids)
            self.entries.append(
                Entry(
                    "trivial_pair",
                    SOURCE,
                    GOOGLE,
                    listed.place.line,
                    ids,
                    copied.place,
                    note="same title",
                    field="name",
                )
            )
        return listed

    def _write(self, file: str, identity: str, texts: list[str], price: str, dice: Dice) -> _Listed:
        target = self._files[file]
        line, broken = target.lines + 1, dice.chance(_BROKEN)
        if broken:
            texts = ["", *texts[1:]]
            self.entries.append(Entry("malformed_line", SOURCE, file, line, (identity,), reason="missing_id"))
        elif _SIGN in texts[1]:
            field = "title" if file == AMAZON else "name"
            self.entries.append(
                Entry("mojibake", SOURCE, file, line, (identity,), reason="cp1252", note=_SIGN, field=field)
            )
        if "&amp;" in texts[2] and not broken:
            self.entries.append(Entry("html", SOURCE, file, line, (identity,), note="&amp;", field="description"))
        row = (",".join([*map(_quoted, texts), price]) + "\r").encode("latin-1")
        target.write([row])
        if dice.chance(_REPEATED) and not broken:
            target.write([row])
            first = Place(file, line, (identity,))
            self.entries.append(Entry("exact_duplicate_line", SOURCE, file, line + 1, (identity,), first))
        return _Listed(Place(file, line, (identity,)), texts[1], readable=not broken)

    def _next(self) -> int:
        self._listed += 1
        return self._listed


def _family(world: World, number: int, dice: Dice) -> Iterator[_Title]:
    """Return all siblings of family ``number``; different numbers are different families."""
    bank = _bank()
    lines = [(maker, line) for maker in bank["maker"] for line in maker["lines"]]
    kinds = bank["sibling"]
    every = len(lines) * len(kinds["version"]) * len(kinds["platform"])
    issue, place = divmod(number, every)
    # A stride that shares no factor with the number of families visits each of them once.
    place = (place * 619 + world.seed) % every
    place, which = divmod(place, len(lines))
    version, platform = divmod(place, len(kinds["platform"]))
    maker, line = lines[which]
    base = 1500 + dice.below(300) * 100
    for step, (edition, licence) in enumerate(combinations(kinds["edition"], kinds["licence"])):
        release = kinds["version"][version] + (f" r{issue + 1}" if issue else "")
        cents = base + 1000 * step + 99
        yield _Title(maker, line, release, kinds["platform"][platform], edition, licence, cents)


def _careless_name(title: _Title, dice: Dice) -> str:
    short = _bank()["short"]
    parts = [title.line, title.version, title.edition, title.licence]
    told = [short[part] if part in short and dice.chance(0.6) else part for part in parts if part]
    if dice.chance(0.35):
        told.append(short.get(title.platform, title.platform))
    if dice.chance(0.3):
        told[1:] = dice.sample(told[1:], len(told))
    if dice.chance(0.12) and len(told) > 2:
        told.pop()
    return " ".join(told)


def _description(title: _Title, dice: Dice) -> str:
    opening = dice.pick((f"{title.line} {title.version}", f"the {title.edition} of {title.line}", title.line))
    tail = dice.pick(
        (
            f" runs on {title.platform}.",
            " includes a printed guide &amp; a year of updates.",
            f" version {title.version}, {title.edition}{', ' + title.licence if title.licence else ''}.",
            " easy to install, easy to learn.",
            "",
        )
    )
    return f"{opening} {title.maker['about']}.{tail}"


def _price(cents: int) -> str:
    return f"{cents / 100:.2f}".rstrip("0").rstrip(".")


def _quoted(text: str) -> str:
    doubled = text.replace('"', '""')
    return f'"{doubled}"' if text else ""


def _serial(world: World, number: int, space: int) -> str:
    digits = "0123456789abcdefghijklmnopqrstuvwxyz"
    value, letters = (number * 1_291_367 + world.seed * 31 + 700_001) % space, ""
    while value:
        value, digit = divmod(value, 36)
        letters = digits[digit] + letters
    return letters


@cache
def _bank() -> dict[str, Any]:
    return words("software")
