"""Find all pairs of similar texts: MinHash in bulk, bands by sorting, and every pair verified.

The signatures are datasketch's, value for value (`MinHash.update_batch` under its scheme ``affine32`` with
xxh32), computed for all texts at once. They know of no threshold: asking for another one sorts other bands.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import xxhash

from quality.similarity.shingles import Shingled

PERMUTATIONS = 128
_LEAST_RECALL = 0.98  # of pairs that are exactly as similar as the threshold
_DEVIATIONS = 5  # how far below the threshold, in standard deviations, a signature's estimate may lie
_LONG = 64  # shingles of two texts from which on comparing signatures first is cheaper
_LEADERS = 128  # members of a bucket that all others of it are compared with
_TILE = 1 << 16  # hashes that are permuted at a time: they stay in the processor's cache
_SLICE = 1024  # signatures that are looked at at a time
_PAIRS = 1 << 21  # candidates that are looked at at a time
_VERIFIED = 1 << 15  # candidates that are verified at a time

Rows = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Pairs:
    """Pairs of texts, by position, in order of ``left`` and ``right``.

    Attributes
    ----------
    left, right
        Positions of the two texts, the smaller one left.
    score
        Exact Jaccard similarity of their shingles.
    """

    left: Rows
    right: Rows
    score: npt.NDArray[np.float64]


def signatures(texts: Shingled) -> npt.NDArray[np.uint32]:
    """Return the MinHash signature of each text (row); that of a text without shingles is all ones."""
    from datasketch import MinHash  # noqa: PLC0415 (it imports SciPy, which most commands can do without)

    multipliers, offsets = MinHash(num_perm=PERMUTATIONS, scheme="affine32").permutations
    keys = list(zip(multipliers.astype(np.uint32), offsets.astype(np.uint32), strict=True))
    codes = (xxhash.xxh32_intdigest(shingle.encode()) for shingle in texts.shingles)
    mixed = _mixed(np.fromiter(codes, np.uint32, len(texts.shingles)))
    result = np.full((len(texts.sizes), PERMUTATIONS), np.iinfo(np.uint32).max, np.uint32)
    for rows, places in _tiles(texts):
        result[rows] = _least(mixed[texts.numbers[places]], keys)
    return result


def similar_pairs(texts: Shingled, rows: npt.NDArray[np.uint32], threshold: float) -> Pairs:
    """Return pairs of texts whose Jaccard similarity is at least ``threshold``.

    In a crowd of look-alikes every one is compared with the first 128 by position, not with all.

    Parameters
    ----------
    texts
        The texts, in an order that depends on their keys alone; empty ones are similar to nothing.
    rows
        Their signatures.
    threshold
        Least similarity, above 0.

    Returns
    -------
    Verified pairs only. Of those exactly at the threshold, about one in fifty may be missed, of clearly similar ones
    none to speak of.
    """
    from scipy.sparse import csr_array  # noqa: PLC0415

    shape = (len(texts.sizes), len(texts.shingles))
    members = csr_array((np.ones(len(texts.numbers), np.int8), texts.numbers, texts.offsets), shape=shape)
    sizes = texts.sizes
    left, right = _candidates(rows, sizes, threshold)
    found = [(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0))]
    for start in range(0, len(left), _VERIFIED):
        one, other = left[start : start + _VERIFIED], right[start : start + _VERIFIED]
        shared = np.diff(members[one].multiply(members[other]).indptr).astype(np.int64)
        score = shared / (sizes[one] + sizes[other] - shared)
        keep = score >= threshold
        found.append((one[keep], other[keep], score[keep]))
    return Pairs(*(np.concatenate(parts) for parts in zip(*found, strict=True)))


def _tiles(texts: Shingled) -> Iterator[tuple[Rows, Rows]]:
    """Yield texts of about one size with a matrix of where their shingles stand, a column for each text.

    Shorter texts are filled up with their last shingle, which changes no minimum.
    """
    sizes = texts.sizes
    steps = np.maximum(1, 1 << np.maximum(0, np.frexp(sizes)[1] - 4).astype(np.int64))
    heights = -(-sizes // steps) * steps
    order = np.argsort(heights, kind="stable")
    order = order[heights[order] > 0]
    for group in np.split(order, np.flatnonzero(np.diff(heights[order])) + 1):
        if len(group):
            height = int(heights[group[0]])
            width = max(1, min(_SLICE, _TILE // height))
            for start in range(0, len(group), width):
                rows = group[start : start + width]
                steps_down = np.minimum(np.arange(height)[:, None], sizes[rows] - 1)
                yield rows, texts.offsets[rows] + steps_down


def _least(hashes: npt.NDArray[np.uint32], keys: list[tuple[np.uint32, np.uint32]]) -> npt.NDArray[np.uint32]:
    """Return, for each column of hashes (row), the least of them under each permutation (column)."""
    permuted = np.empty_like(hashes)
    least = np.empty((len(keys), hashes.shape[1]), np.uint32)
    for place, (multiplier, offset) in enumerate(keys):
        np.multiply(hashes, multiplier, out=permuted)
        np.add(permuted, offset, out=permuted)
        np.minimum.reduce(permuted, axis=0, out=least[place])
    return least.T


def _candidates(signed: npt.NDArray[np.uint32], sizes: Rows, threshold: float) -> tuple[Rows, Rows]:
    """Return distinct pairs of texts, smaller first, that agree in a whole band and may be similar."""
    filled = np.flatnonzero(sizes)
    spread = _DEVIATIONS * np.sqrt(threshold * (1 - threshold) / PERMUTATIONS)
    least = int(PERMUTATIONS * (threshold - spread))
    count = max(len(signed), 1)
    near = held = np.empty(0, np.int64)
    for keys in _band_keys(signed, filled, _band_width(threshold)):
        for left, right in _bucket_pairs(keys, filled):
            alike = np.minimum(sizes[left], sizes[right]) >= threshold * np.maximum(sizes[left], sizes[right])
            held = np.concatenate([held, left[alike] * count + right[alike]])
            if len(held) > _PAIRS:
                near, held = _distinct([near, _agreeing(signed, sizes, held, least)]), held[:0]
    return np.divmod(_distinct([near, _agreeing(signed, sizes, held, least)]), count)


def _agreeing(signed: npt.NDArray[np.uint32], sizes: Rows, pairs: Rows, least: int) -> Rows:
    """Return the distinct pairs without those of long texts whose signatures agree in too few permutations.

    Short texts are verified as soon as their signatures are compared.
    """
    pairs = _distinct([pairs])
    left, right = np.divmod(pairs, max(len(signed), 1))
    keep = np.ones(len(pairs), bool)
    long = np.flatnonzero(sizes[left] + sizes[right] > _LONG)
    for start in range(0, len(long), _SLICE):
        part = long[start : start + _SLICE]
        keep[part] = np.count_nonzero(signed[left[part]] == signed[right[part]], axis=1) >= least
    return pairs[keep]


def _distinct(parts: list[Rows]) -> Rows:
    keys = np.concatenate(parts)
    keys.sort()
    return keys[np.concatenate(([True], keys[1:] != keys[:-1]))] if len(keys) else keys


def _band_keys(signed: npt.NDArray[np.uint32], filled: Rows, width: int) -> npt.NDArray[np.uint64]:
    """Mix each band (row) of each text (column) into one number; different bands rarely share one."""
    bands = PERMUTATIONS // width
    keys = np.zeros((bands, len(filled)), np.uint64)
    for start in range(0, len(filled), _SLICE):
        part = keys[:, start : start + _SLICE]
        rows = np.ascontiguousarray(signed[filled[start : start + _SLICE], : bands * width].T)
        for column in rows.reshape(bands, width, -1).swapaxes(0, 1):
            part ^= column
            part *= np.uint64(0x9E3779B97F4A7C15)
            part ^= part >> np.uint64(29)
    return keys


def _bucket_pairs(keys: npt.NDArray[np.uint64], filled: Rows) -> Iterator[tuple[Rows, Rows]]:
    """Yield, many at a time, pairs of texts with equal keys: each text with the first ones of its bucket."""
    mask = np.uint64((1 << len(keys).bit_length()) - 1)  # the low bits give way to the place, so that one sort does
    ranked = (keys & ~mask) | np.arange(len(keys), dtype=np.uint64)
    ranked.sort()
    order = (ranked & mask).astype(np.int64)
    ranked &= ~mask
    follows = np.concatenate(([False], ranked[1:] == ranked[:-1]))[: len(ranked)]
    shared = follows.copy()
    shared[:-1] |= follows[1:]
    order, follows = filled[order[shared]], follows[shared]
    firsts = np.flatnonzero(~follows)
    place = np.arange(len(order)) - np.repeat(firsts, np.diff(np.append(firsts, len(order))))
    later = np.flatnonzero(place)
    held: list[tuple[Rows, Rows]] = []
    for step in range(_LEADERS):
        later = later[place[later] > step]
        if not len(later):
            break
        held.append((order[later - place[later] + step], order[later]))
        if sum(len(left) for left, _ in held) > _PAIRS:
            yield _both(held)
            held = []
    if held:
        yield _both(held)


def _both(held: list[tuple[Rows, Rows]]) -> tuple[Rows, Rows]:
    return np.concatenate([left for left, _ in held]), np.concatenate([right for _, right in held])


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
