"""Texts as hashes of their runs of words (n-grams): what passages are compared by.

A run is a polynomial of the 64-bit hashes of its words, so that all runs of many texts come from a few passes over
one array. Two runs of different words have one hash about once in 2 ** 64.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import xxhash

from quality.similarity.shingles import words

Hashes = npt.NDArray[np.uint64]
Numbers = npt.NDArray[np.int64]

_FACTOR = np.uint64(0x9E3779B97F4A7C15)
_KNOWN_WORDS = 1 << 20
_AT_ONCE = 1 << 20  # hashes that are held as Python's numbers
# Letters and digits in lower case, the underscore, and spaces for all other bytes: the words of an ASCII text.
_FOLDED = bytes(ord(chr(byte).lower()) if chr(byte).isalnum() or byte == 95 else 32 for byte in range(128)) + bytes(128)


@dataclass(frozen=True)
class Cut:
    """Texts as hashed words.

    Attributes
    ----------
    hashes
        The hash of each word, one text after the other.
    counts
        How many words each text has.
    """

    hashes: Hashes
    counts: Numbers

    def runs(self, size: int) -> tuple[Hashes, Numbers]:
        """Return the hash of each run of ``size`` words within a text, in order, and the text that it is of."""
        number = max(0, len(self.hashes) - size + 1)
        mixed = np.zeros(number, np.uint64)
        for step in range(size):
            mixed *= _FACTOR
            mixed += self.hashes[step : step + number]
        runs = np.maximum(self.counts - size + 1, 0)
        texts = np.repeat(np.arange(len(runs)), runs)
        begins = np.cumsum(self.counts) - self.counts
        places = np.arange(len(texts)) + np.repeat(begins - (np.cumsum(runs) - runs), runs)
        return mixed[places], texts

    def wholes(self, longest: int) -> Hashes:
        """Return one hash of each text of at most ``longest`` words; those of longer texts mean nothing."""
        begins = np.cumsum(self.counts) - self.counts
        mixed = self.counts.astype(np.uint64)
        if not len(self.hashes):
            return mixed
        for step in range(longest):
            there = step < self.counts
            word = self.hashes[np.minimum(begins + step, len(self.hashes) - 1)]
            mixed = np.where(there, mixed * _FACTOR + word, mixed)
        return mixed


class Cutter:
    """Cuts texts into hashed words, remembering the hashes of words seen before."""

    def __init__(self) -> None:
        self._known = _WordHashes()

    def cut(self, texts: Iterable[str]) -> Cut:
        """Return the words of texts as hashes."""
        done: list[Hashes] = []
        hashes: list[int] = []
        counts: list[int] = []
        for text in texts:
            found = _words_of(text)
            hashes += map(self._known.__getitem__, found)
            counts.append(len(found))
            if len(hashes) >= _AT_ONCE:
                done.append(np.array(hashes, np.uint64))
                hashes = []
            if len(self._known) > _KNOWN_WORDS:
                self._known.clear()
        return Cut(np.concatenate([*done, np.array(hashes, np.uint64)]), np.array(counts, np.int64))


class _WordHashes(dict[bytes, int]):
    def __missing__(self, word: bytes) -> int:
        value = self[word] = xxhash.xxh64_intdigest(word)
        return value


def _words_of(text: str) -> list[bytes]:
    """Return what `words` does, as bytes; ASCII texts, which most are, go several times as fast."""
    if text.isascii():
        return text.encode().translate(_FOLDED).split()
    return [word.encode("utf-8", "surrogatepass") for word in words(text)]


def mixed(numbers: Numbers) -> Hashes:
    """Spread numbers over 64 bits (the finaliser of SplitMix64), so that sums of them name sets."""
    spread = (numbers.astype(np.uint64) + np.uint64(1)) * _FACTOR
    spread = (spread ^ (spread >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    spread = (spread ^ (spread >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return spread ^ (spread >> np.uint64(31))


def look_up(table: Hashes, hashes: Hashes) -> tuple[Numbers, npt.NDArray[np.bool_]]:
    """Return the place of each hash in an ascending table, and whether it stands there; the place may be any if not."""
    if not len(table):
        return np.zeros(len(hashes), np.int64), np.zeros(len(hashes), bool)
    places = np.minimum(np.searchsorted(table, hashes), len(table) - 1)
    return places, table[places] == hashes
