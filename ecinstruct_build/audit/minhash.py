"""Pairs of similar sets: MinHash and LSH find candidates, exact Jaccard decides.

Pairs come in blocks, each once, so that memory is bounded however many there are. Where many sets look alike (one
template with a word of its own in each), their common words are counted as a matrix product.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import xxhash
from numpy.typing import NDArray

MISS = 1e-4
"""Probability, at most, that a pair at the threshold is not found."""

_CHUNK = 1 << 18  # pairs that are listed in one go
_PIECE = 1 << 14  # pairs whose signatures are compared in one go
_CROWD = 1 << 10  # pairs of sets with one key, from which they are compared as matrices
_SIDE = 1 << 10  # sets on each side of such a comparison
_CELLS = 1 << 23  # of a matrix of sets by words; beyond, sets with one key are compared pair by pair
_FEW = 1 / 16  # share of new pairs from which it is quicker to list them
_MOST_ROWS = 8  # of a band
_DEVIATIONS = 8  # by which a signature's agreement may fall short of the threshold before a pair is dropped

Places = NDArray[np.int64]


@dataclass(frozen=True)
class Pairs:
    """Pairs of sets with a Jaccard similarity of a threshold or more; parallel arrays."""

    left: Places
    right: Places
    similarity: NDArray[np.float64]


def similar_sets(
    sets: Sequence[NDArray[np.int32]],
    hashes: NDArray[np.uint64],
    lefts: Places,
    rights: Places,
    threshold: float,
) -> Iterator[Pairs]:
    """Find all pairs of one of ``lefts`` and one of ``rights`` that are similar, a set and itself included.

    Parameters
    ----------
    sets
        Different sets of word numbers, sorted; none empty.
    hashes
        A hash of each word by its number.
    lefts, rights
        Places in ``sets``.
    threshold
        Jaccard similarity from which a pair is returned, above 0.

    Yields
    ------
    Pairs
        Blocks of pairs in no order that matters; each pair once. Each similarity is exact; a pair at the threshold
        is missing with a probability of `MISS`, others with less.
    """
    if not len(lefts) or not len(rights):
        return
    rows, bands = bands_for(threshold)
    wanted = np.unique(np.concatenate([lefts, rights]))
    signatures = np.zeros((len(sets), rows * bands), np.uint32)
    signatures[wanted] = _signatures([sets[place] for place in wanted], hashes, rows * bands)
    keys = np.stack([_band_keys(signatures[:, band * rows : (band + 1) * rows]) for band in range(bands)])
    sizes = np.fromiter((len(one) for one in sets), np.int64, len(sets))
    search = _Search(sets, sizes, signatures, keys, threshold)
    for band in range(bands):
        yield from search.in_band(band, lefts, rights)


def bands_for(threshold: float) -> tuple[int, int]:
    """Return rows and bands by which a pair at the threshold is missed with a probability of `MISS` at most."""
    rows = _MOST_ROWS if threshold > 0.86 else max(1, round(math.log(0.32) / math.log(threshold)))
    hit = threshold**rows
    return rows, 1 if hit >= 1 else math.ceil(math.log(MISS) / math.log(1 - hit))


@dataclass(frozen=True)
class _Search:
    """Finds the similar pairs among those with the same key in a band.

    A pair may have the same key in several bands: it counts in the first of them, and is new there.
    """

    sets: Sequence[NDArray[np.int32]]
    sizes: Places
    signatures: NDArray[np.uint32]
    keys: NDArray[np.uint64]  # bands by sets
    threshold: float

    def in_band(self, band: int, lefts: Places, rights: Places) -> Iterator[Pairs]:
        """Yield the similar pairs that are new in a band."""
        keys = self.keys[band]
        lefts, rights = (side[np.argsort(keys[side], kind="stable")] for side in (lefts, rights))
        left_keys, left_begins, left_counts = np.unique(keys[lefts], return_index=True, return_counts=True)
        right_keys, right_begins, right_counts = np.unique(keys[rights], return_index=True, return_counts=True)
        _, one, other = np.intersect1d(left_keys, right_keys, assume_unique=True, return_indices=True)
        groups = np.stack([left_begins[one], left_counts[one], right_begins[other], right_counts[other]])
        crowded = groups[1] * groups[3] >= _CROWD
        for _, first, second in each_pair(groups[:, ~crowded]):
            yield self._one_by_one(lefts[first], rights[second], band, 0)
        for begin, count, other_begin, other_count in groups[:, crowded].T.tolist():
            for low in range(begin, begin + count, _SIDE):
                block = lefts[low : min(low + _SIDE, begin + count)]
                for other_low in range(other_begin, other_begin + other_count, _SIDE):
                    yield self._at_once(
                        block, rights[other_low : min(other_low + _SIDE, other_begin + other_count)], band
                    )

    def _at_once(self, lefts: Places, rights: Places, band: int) -> Pairs:
        """Compare each of some sets with each of others."""
        new = np.ones((len(lefts), len(rights)), bool)
        looked, many = 0, True
        while looked < band and many:
            new &= self.keys[looked][lefts][:, None] != self.keys[looked][rights]
            looked, many = looked + 1, bool(np.count_nonzero(new) > _FEW * new.size)
        common = self._common(lefts, rights) if many else None
        if common is None:
            first, second = np.nonzero(new)
            return self._one_by_one(lefts[first], rights[second], band, looked)
        similarity = common / (self.sizes[lefts][:, None] + self.sizes[rights] - common)
        first, second = np.nonzero(new & (similarity >= self.threshold))
        return Pairs(lefts[first], rights[second], similarity[first, second])

    def _common(self, lefts: Places, rights: Places) -> NDArray[np.float64] | None:
        """Return how many words each two sets have in common, or None if it takes too large a matrix."""
        sides = [np.concatenate([self.sets[place] for place in side]) for side in (lefts, rights)]
        shared = np.intersect1d(sides[0], sides[1])
        if len(shared) * max(len(lefts), len(rights)) > _CELLS:
            return None
        matrices = []
        for places, flat in zip((lefts, rights), sides, strict=True):
            inside = np.isin(flat, shared)
            rows = np.repeat(np.arange(len(places)), self.sizes[places])[inside]
            matrix = np.zeros((len(places), len(shared)), np.float32)
            matrix[rows, np.searchsorted(shared, flat[inside])] = 1
            matrices.append(matrix)
        return (matrices[0] @ matrices[1].T).astype(np.float64)

    def _one_by_one(self, first: Places, second: Places, band: int, looked: int) -> Pairs:
        """Compare pairs that may have had the same key in the bands from ``looked`` on."""
        least, most = (choose(self.sizes[first], self.sizes[second]) for choose in (np.minimum, np.maximum))
        fits = least >= self.threshold * most - 1e-9
        first, second = first[fits], second[fits]
        for earlier in range(looked, band):
            new = self.keys[earlier][first] != self.keys[earlier][second]
            first, second = first[new], second[new]
        parts = [
            self._verified(first[low : low + _PIECE], second[low : low + _PIECE])
            for low in range(0, len(first), _PIECE)
        ]
        if not parts:
            return Pairs(first, second, np.zeros(0))
        return Pairs(
            np.concatenate([one.left for one in parts]),
            np.concatenate([one.right for one in parts]),
            np.concatenate([one.similarity for one in parts]),
        )

    def _verified(self, first: Places, second: Places) -> Pairs:
        """Keep the pairs whose exact similarity is the threshold or more."""
        length = self.signatures.shape[1]
        agreed = np.count_nonzero(self.signatures[first] == self.signatures[second], axis=1)
        spread = math.sqrt(length * self.threshold * (1 - self.threshold))
        likely = agreed >= length * self.threshold - _DEVIATIONS * spread
        first, second = first[likely], second[likely]
        known = {place: frozenset(self.sets[place].tolist()) for place in np.union1d(first, second).tolist()}
        common = np.fromiter(
            (len(known[one] & known[other]) for one, other in zip(first.tolist(), second.tolist(), strict=True)),
            np.int64,
            len(first),
        )
        similarity = common / (self.sizes[first] + self.sizes[second] - common)
        kept = similarity >= self.threshold
        return Pairs(first[kept], second[kept], similarity[kept])


def each_pair(groups: Places) -> Iterator[tuple[Places, Places, Places]]:
    """Yield all pairs within groups, so many at a time.

    Parameters
    ----------
    groups
        Four rows: the first left of each group, how many lefts, the first right, how many rights.

    Yields
    ------
    tuple
        The group of each pair, its left and its right.
    """
    begins, _, other_begins, other_counts = groups
    counts = groups[1] * other_counts
    ends = np.cumsum(counts)
    total = int(ends[-1]) if len(ends) else 0
    for low in range(0, total, _CHUNK):
        pair = np.arange(low, min(low + _CHUNK, total))
        which = np.searchsorted(ends, pair, side="right")
        first, second = np.divmod(pair - (ends[which] - counts[which]), other_counts[which])
        yield which, begins[which] + first, other_begins[which] + second


def _signatures(sets: Sequence[NDArray[np.int32]], hashes: NDArray[np.uint64], length: int) -> NDArray[np.uint32]:
    """Return the MinHash signature of each set: the least of its words' hashes, under so many hash functions."""
    flat = np.concatenate(sets).astype(np.intp)  # what numpy indexes with: converted once, not each time
    starts = np.concatenate([[0], np.cumsum([len(one) for one in sets])[:-1]])
    found, taken = np.empty((length, len(sets)), np.uint32), np.empty(len(flat), np.uint32)
    for place in range(length):
        hashed = _mixed(hashes ^ np.uint64(xxhash.xxh3_64_intdigest(f"audit minhash {place}".encode())))
        hashed.take(flat, mode="clip", out=taken)  # every word has a hash; to look for others takes thrice as long
        np.minimum.reduceat(taken, starts, out=found[place])
    return found.T


def _mixed(values: NDArray[np.uint64]) -> NDArray[np.uint32]:
    """Scatter numbers evenly (the finisher of SplitMix64), and keep 32 bits."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return (values >> np.uint64(32)).astype(np.uint32)


def _band_keys(band: NDArray[np.uint32]) -> NDArray[np.uint64]:
    keys = np.zeros(len(band), np.uint64)
    for column in band.T:
        keys = (keys ^ column) * np.uint64(0x9E3779B97F4A7C15)
        keys ^= keys >> np.uint64(29)
    return keys
