"""Words that tell a text's language: the small words of sentences, and the words of every shop.

They settle what models of character sequences doubt. ``Sony black camera with zoom lens`` is English whatever its names
look like, ``Sony FX 30 negro`` is Spanish although all but one of its words would do for an English title.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

_WORD = re.compile(r"[^\W\d_]+")
_SMALL = "small"
_PARTS = ("begins", "ends")
_REST = 3  # letters that a longer word has beside its listed part
_LONGEST = 40  # letters; what is longer is no word


@dataclass(slots=True)
class Witnesses:
    """Distinct telling words of a text in one language.

    Attributes
    ----------
    small
        How many are small words of sentences.
    shop
        How many are words of a shop.
    """

    small: int = 0
    shop: int = 0


@dataclass(frozen=True)
class _Lexicon:
    """Every list, turned round.

    Attributes
    ----------
    languages
        By word, the languages that list it, and whether as a small word.
    parts
        By language, what its longer words are recognised by.
    named
        All languages.
    """

    languages: Mapping[str, Mapping[str, bool]]
    parts: Mapping[str, re.Pattern[str]]
    named: frozenset[str]


def witnesses(text: str, expected: str) -> dict[str, Witnesses]:
    """Count a text's telling words, by language (ISO 639-1).

    A word that the expected language shares with another tells for the expected one only.
    """
    lexicon = _lexicon()
    found: dict[str, Witnesses] = {}
    for word in dict.fromkeys(_WORD.findall(text.casefold())):
        told = lexicon.languages.get(word)
        if told is None:
            told = _by_parts(word) if len(word) <= _LONGEST else {}
        for language in (expected,) if expected in told else told:
            witness = found.setdefault(language, Witnesses())
            if told[language]:
                witness.small += 1
            else:
                witness.shop += 1
    return found


def listed_languages() -> frozenset[str]:
    """Return the languages (ISO 639-1) that have telling words."""
    return _lexicon().named


# Words recur.
@lru_cache(maxsize=2**16)
def _by_parts(word: str) -> Mapping[str, bool]:
    return {language: False for language, pattern in _lexicon().parts.items() if pattern.fullmatch(word)}


@cache
def _lexicon() -> _Lexicon:
    file = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
    languages: dict[str, dict[str, bool]] = {}
    parts = {}
    for language, lists in file.items():
        for name, words in lists.items():
            if name not in _PARTS:
                for word in words.split():
                    languages.setdefault(word, {}).setdefault(language, name == _SMALL)
        if "begins" in lists:
            begins, ends = ("|".join(lists[name].split()) for name in _PARTS)
            parts[language] = re.compile(rf"(?:{begins})\w{{{_REST},}}|\w{{{_REST},}}(?:{ends})")
    return _Lexicon(languages, parts, frozenset(file))
