"""Find all pairs of similar texts: MinHash in bulk, bands by sorting, and every pair verified.

The signatures are datasketch's, value for value (`MinHash.update_batch` under its scheme ``affine32`` with
xxh32), computed for all texts at once.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import xxhash

PERMUTATIONS = 128
_BUCKET = 32  # members of a bucket that all others of it are compared with
_LEAST_RECALL = 0.98  # of pairs that are exactly as similar as the threshold

_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Pair:
    """Two texts, by position, and the exact Jaccard similarity of their shingles."""

    left: int
    right: int
    score: float


@dataclass(frozen=True)
class Shingled:
    """Texts as sets of shingle numbers.

    Attributes
    ----------
    sets
        The shingle numbers of each text.
    hashes
        A 32-bit hash of each shingle, by number.
    """

    sets: list[frozenset[int]]
    hashes: npt.NDArray[np.uint32]


def words(text: str) -> list[str]:
    """Return the words of a text: letters and digits, compatibility forms and case made equal."""
    return _WORD.findall(unicodedata.normalize("NFKC", text).casefold())


def shingled(texts: Sequence[str], size: int = 1) -> Shingled:
    """Cut texts into the sets of their runs of ``size`` words (1: word sets); a shorter text is one run."""
    number: dict[str, int] = {}
    sets = []
    for text in texts:
        parts = words(text)
        if size > 1 and parts:
            parts = [" ".join(parts[start : start + size]) for start in range(max(1, len(parts) - size + 1))]
        sets.append(frozenset(number.setdefault(part, len(number)) for part in parts))
    hashes = np.fromiter((xxhash.xxh32_intdigest(part.encode()) for part in number), np.uint32, len(number))
    return Shingled(sets, hashes)


def signatures(texts: Shingled) -> npt.NDArray[np.uint32]:
    """Return the MinHash signature of each text (row); no text may be empty."""
    from datasketch import MinHash  # noqa: PLC0415 (it imports SciPy, which most commands can do without)

    multipliers, offsets = MinHash(num_perm=PERMUTATIONS, scheme="affine32").permutations
    mixed = _mixed(texts.hashes)
    lengths = np.fromiter((len(part) for part in texts.sets), np.int64, len(texts.sets))
    flat = np.fromiter((shingle for part in texts.sets for shingle in part), np.int64, int(lengths.sum()))
    starts = np.cumsum(lengths) - lengths
    result = np.empty((len(texts.sets), PERMUTATIONS), np.uint32)
    for column in range(PERMUTATIONS):
        permuted = mixed * np.uint32(multipliers[column]) + np.uint32(offsets[column])
        result[:, column] = np.minimum.reduceat(permuted[flat], starts)
    return result


def similar_pairs(texts: Shingled, threshold: float, order: Sequence[str]) -> list[Pair]:
    """Return pairs of texts whose Jaccard similarity is at least ``threshold``.

    Parameters
    ----------
    texts
        The texts; empty ones are similar to nothing.
    threshold
        Least similarity, above 0.
    order
        A key of each text. In a crowd of look-alikes every one is compared with the first by key, not with all.

    Returns
    -------
    Pairs with ``left`` before ``right`` by key, in order of both; of those exactly at the threshold, about one in
    fifty may be missed, of clearly similar ones none to speak of.
    """
    filled = [position for position, part in enumerate(texts.sets) if part]
    filled.sort(key=lambda position: order[position])
    if len(filled) < 2:
        return []
    ranked = Shingled([texts.sets[position] for position in filled], texts.hashes)
    pairs = []
    for left, right in _candidates(signatures(ranked), threshold).tolist():
        one, other = ranked.sets[left], ranked.sets[right]
        shared = len(one & other)
        score = shared / (len(one) + len(other) - shared)
        if score >= threshold:
            pairs.append(Pair(filled[left], filled[right], score))
    return pairs


def _candidates(rows: npt.NDArray[np.uint32], threshold: float) -> npt.NDArray[np.int64]:
    """Return the distinct pairs of rows, smaller first, that agree in a whole band."""
    width = _band_width(threshold)
    found = [np.empty((0, 2), np.int64)]
    for start in range(0, PERMUTATIONS - width + 1, width):
        band = np.ascontiguousarray(rows[:, start : start + width]).view(np.dtype((np.void, 4 * width))).ravel()
        order = np.argsort(band, kind="stable")
        new = np.concatenate(([True], band[order][1:] != band[order][:-1]))
        firsts = np.flatnonzero(new)
        place = np.arange(len(order)) - np.repeat(firsts, np.diff(np.append(firsts, len(order))))
        for step in range(_BUCKET):
            later = np.flatnonzero(place > step)
            if not len(later):
                break
            found.append(np.stack([order[later - place[later] + step], order[later]], axis=1))
    return np.unique(np.concatenate(found), axis=0)


def _band_width(threshold: float) -> int:
    """Return the widest band that finds enough of the pairs exactly as similar as the threshold."""
    for width in range(32, 1, -1):
        if 1 - (1 - threshold**width) ** (PERMUTATIONS // width) >= _LEAST_RECALL:
            return width
    return 1


def _mixed(hashes: npt.NDArray[np.uint32]) -> npt.NDArray[np.uint32]:
    """Mix 32-bit hashes by MurmurHash3's finaliser, as datasketch does before it permutes."""
    mixed = hashes ^ (hashes >> np.uint32(16))
    mixed = mixed * np.uint32(0x85EBCA6B)
    mixed = mixed ^ (mixed >> np.uint32(13))
    mixed = mixed * np.uint32(0xC2B2AE35)
    return np.asarray(mixed ^ (mixed >> np.uint32(16)), np.uint32)
