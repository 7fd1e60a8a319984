"""Near duplicates between splits: MinHash and LSH find candidates, exact Jaccard decides.

Two inputs are compared as sets of words (runs of letters and digits in normal form). Words that stand in at least
`LAYOUT_SHARE` of the different inputs of a task are its layout and are left out; sets of fewer than `MIN_WORDS` words
are not compared. Equal inputs are exact duplicates, not near ones.
"""

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count

import numpy as np
import xxhash
from numpy.typing import NDArray

from ecinstruct_build.audit.reading import Published
from ecinstruct_build.audit.result import CELLS, MAX_LISTED, ROLES, Overlap, Shared
from ecinstruct_build.audit.texts import shortened, words

LAYOUT_SHARE = 0.9
"""Share of a task's different inputs from which a word is layout."""

LAYOUT_INPUTS = 20
"""Different inputs that a task has at least for anything to be called layout."""

MIN_WORDS = 5
"""Words that an input has at least, layout aside, to be compared."""

MISS = 1e-4
"""Probability, at most, that a pair at the threshold is not found."""

_CHUNK = 1 << 18  # pairs that are looked at in one go
_MOST_ROWS = 8  # of a band
_DEVIATIONS = 8  # by which a signature's agreement may fall short of the threshold before a pair is dropped


@dataclass(frozen=True)
class Contents:
    """The different inputs of a dataset as sets of words.

    Attributes
    ----------
    unit_of_row
        For each row the place of its (task, input) among the units.
    inputs
        For each unit the place of its input among the different inputs: units of two tasks may share one.
    set_of_unit
        For each unit the place of its set of words, or -1 if it is too small to be compared.
    sets
        The different sets, as sorted word numbers.
    hashes
        For each word number a hash of the word.
    """

    unit_of_row: NDArray[np.int64]
    inputs: NDArray[np.int64]
    set_of_unit: NDArray[np.int64]
    sets: list[NDArray[np.int32]]
    hashes: NDArray[np.uint64]


@dataclass(frozen=True)
class Pairs:
    """Pairs of sets with a Jaccard similarity of a threshold or more; parallel arrays."""

    left: NDArray[np.int64]
    right: NDArray[np.int64]
    similarity: NDArray[np.float64]


def near_duplicates(published: Published, threshold: float) -> list[Overlap]:
    """Return the pairs of nearly equal inputs between each two splits."""
    contents = _contents(published)
    carrying = np.zeros((len(ROLES), len(contents.set_of_unit)), bool)
    known = published.roles >= 0
    carrying[published.roles[known], contents.unit_of_row[known]] = True
    carrying[:, contents.set_of_unit < 0] = False
    in_sets = np.zeros((len(ROLES), len(contents.sets)), bool)
    role, unit = np.nonzero(carrying)
    in_sets[role, contents.set_of_unit[unit]] = True
    lefts = in_sets[[ROLES.index(name) for name in dict.fromkeys(left for left, _ in CELLS)]].any(axis=0)
    rights = in_sets[1:].any(axis=0)
    pairs = similar_sets(contents.sets, contents.hashes, np.flatnonzero(lefts), np.flatnonzero(rights), threshold)
    finder = _Finder(published, contents, carrying, pairs)
    return [finder.overlap(left, right) for left, right in CELLS]


def similar_sets(
    sets: Sequence[NDArray[np.int32]],
    hashes: NDArray[np.uint64],
    lefts: NDArray[np.int64],
    rights: NDArray[np.int64],
    threshold: float,
) -> Pairs:
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

    Returns
    -------
    Pairs
        By left, then right. Each similarity is exact; a pair at the threshold is missing with a probability of
        `MISS`, others with less.
    """
    rows, bands = bands_for(threshold)
    wanted = np.unique(np.concatenate([lefts, rights]))
    if not len(lefts) or not len(rights):
        return Pairs(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0))
    signatures = np.zeros((len(sets), rows * bands), np.uint32)
    signatures[wanted] = _signatures([sets[place] for place in wanted], hashes, rows * bands)
    sizes = np.fromiter((len(one) for one in sets), np.int64, len(sets))
    expected = rows * bands * threshold
    least = expected - _DEVIATIONS * math.sqrt(rows * bands * threshold * (1 - threshold))
    survivors = np.zeros(0, np.int64)  # pairs as left * len(sets) + right, sorted
    for band in range(bands):
        keys = _band_keys(signatures[:, band * rows : (band + 1) * rows])
        fresh = [survivors]
        for one, other in _same_key(keys, lefts, rights):
            fits = np.minimum(sizes[one], sizes[other]) >= threshold * np.maximum(sizes[one], sizes[other]) - 1e-9
            pairs = _missing(one[fits] * len(sets) + other[fits], survivors)
            first, second = np.divmod(pairs, len(sets))
            agreed = np.count_nonzero(signatures[first] == signatures[second], axis=1)
            fresh.append(pairs[agreed >= least])
        survivors = np.sort(np.concatenate(fresh))  # a pair comes once in a band, and only if it is new
    return _verified(sets, np.stack(np.divmod(survivors, len(sets)), axis=1), threshold)


def bands_for(threshold: float) -> tuple[int, int]:
    """Return rows and bands by which a pair at the threshold is missed with a probability of `MISS` at most."""
    rows = _MOST_ROWS if threshold > 0.86 else max(1, round(math.log(0.32) / math.log(threshold)))
    hit = threshold**rows
    return rows, 1 if hit >= 1 else math.ceil(math.log(MISS) / math.log(1 - hit))


def _contents(published: Published) -> Contents:
    vocabulary: defaultdict[str, int] = defaultdict(count().__next__)
    input_of: dict[str, int] = {}
    unit_of: dict[tuple[str, int], int] = {}
    numbers: list[NDArray[np.int32]] = []
    unit_of_row = np.zeros(len(published.ids), np.int64)
    for row, (task, text) in enumerate(zip(published.tasks, published.normal_inputs, strict=True)):
        made = input_of.setdefault(text, len(input_of))
        if made == len(numbers):
            found = dict.fromkeys(words(text))
            numbers.append(np.fromiter(map(vocabulary.__getitem__, found), np.int32, len(found)))
        unit_of_row[row] = unit_of.setdefault((task, made), len(unit_of))
    sets_of_units = _without_layout(unit_of, numbers, len(vocabulary))
    places: dict[bytes, int] = {}
    sets: list[NDArray[np.int32]] = []
    set_of_unit = np.full(len(unit_of), -1, np.int64)
    for unit, one in enumerate(sets_of_units):
        if len(one) >= MIN_WORDS:
            place = places.setdefault(one.tobytes(), len(places))
            if place == len(sets):
                sets.append(one)
            set_of_unit[unit] = place
    hashes = np.fromiter((xxhash.xxh3_64_intdigest(word.encode("utf-8", "replace")) for word in vocabulary), np.uint64)
    return Contents(
        unit_of_row, np.fromiter((made for _, made in unit_of), np.int64, len(unit_of)), set_of_unit, sets, hashes
    )


def _without_layout(
    units: dict[tuple[str, int], int], numbers: Sequence[NDArray[np.int32]], size: int
) -> list[NDArray[np.int32]]:
    """Return the word numbers of each unit, sorted, without those that nearly all inputs of its task have."""
    by_task: dict[str, list[int]] = {}
    for task, made in units:
        by_task.setdefault(task, []).append(made)
    layout: dict[str, NDArray[np.bool_]] = {}
    for task, made_by_task in by_task.items():
        counts = np.bincount(np.concatenate([numbers[made] for made in made_by_task]), minlength=size)
        enough = len(made_by_task) >= LAYOUT_INPUTS
        layout[task] = (counts >= LAYOUT_SHARE * len(made_by_task)) & enough
    return [np.sort(numbers[made][~layout[task][numbers[made]]]) for task, made in units]


def _signatures(sets: Sequence[NDArray[np.int32]], hashes: NDArray[np.uint64], length: int) -> NDArray[np.uint32]:
    """Return the MinHash signature of each set: the least of its words' hashes, under so many hash functions."""
    flat = np.concatenate(sets)
    starts = np.concatenate([[0], np.cumsum([len(one) for one in sets])[:-1]])
    found = np.empty((length, len(sets)), np.uint32)
    for place in range(length):
        hashed = _mixed(hashes ^ np.uint64(xxhash.xxh3_64_intdigest(f"audit minhash {place}".encode())))
        found[place] = np.minimum.reduceat(hashed[flat], starts)
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


def _same_key(
    keys: NDArray[np.uint64], lefts: NDArray[np.int64], rights: NDArray[np.int64]
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Yield all pairs of a left and a right with the same key, so many at a time."""
    ordered = lefts[np.argsort(keys[lefts], kind="stable")]
    begins = np.searchsorted(keys[ordered], keys[rights], side="left")
    counts = np.searchsorted(keys[ordered], keys[rights], side="right") - begins
    hit = np.flatnonzero(counts)
    begins, counts, others = begins[hit], counts[hit], rights[hit]
    ends = np.cumsum(counts)
    total = int(ends[-1]) if len(ends) else 0
    for low in range(0, total, _CHUNK):
        pair = np.arange(low, min(low + _CHUNK, total))
        which = np.searchsorted(ends, pair, side="right")
        yield ordered[begins[which] + pair - (ends[which] - counts[which])], others[which]


def _missing(values: NDArray[np.int64], known: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the values that do not stand in a sorted array."""
    if not len(known):
        return values
    places = np.minimum(np.searchsorted(known, values), len(known) - 1)
    missing: NDArray[np.int64] = values[known[places] != values]
    return missing


def _verified(sets: Sequence[NDArray[np.int32]], pairs: NDArray[np.int64], threshold: float) -> Pairs:
    """Keep the pairs whose exact similarity is the threshold or more."""
    cached: dict[int, frozenset[int]] = {}
    for place in np.unique(pairs).tolist():
        cached[place] = frozenset(sets[place].tolist())
    scores = np.zeros(len(pairs))
    for number, (one, other) in enumerate(pairs.tolist()):
        common = len(cached[one] & cached[other])
        scores[number] = common / (len(cached[one]) + len(cached[other]) - common)
    kept = scores >= threshold
    return Pairs(pairs[kept, 0], pairs[kept, 1], scores[kept])


class _Finder:
    """Turns pairs of sets into what two splits share."""

    def __init__(self, published: Published, contents: Contents, carrying: NDArray[np.bool_], pairs: Pairs) -> None:
        self._published = published
        self._contents = contents
        self._carrying = carrying
        self._pairs = pairs
        self._row_order = np.argsort(contents.unit_of_row, kind="stable")
        self._units_by_set: dict[int, list[int]] = {}
        for unit, place in enumerate(contents.set_of_unit.tolist()):
            if place >= 0:
                self._units_by_set.setdefault(place, []).append(unit)

    def overlap(self, left: str, right: str) -> Overlap:
        one, other = ROLES.index(left), ROLES.index(right)
        found = sorted(
            (
                (-score, first, second)
                for first_set, second_set, score in zip(
                    self._pairs.left.tolist(), self._pairs.right.tolist(), self._pairs.similarity.tolist(), strict=True
                )
                for first, second in self._units(first_set, second_set, one, other)
            )
        )
        roles, unit_of_row = self._published.roles, self._contents.unit_of_row
        firsts, seconds = [first for _, first, _ in found], [second for _, _, second in found]
        return Overlap(
            kind="near",
            left=left,
            right=right,
            limit="near_duplicates",
            values=len(found),
            left_rows=int(np.isin(unit_of_row[roles == one], firsts).sum()),
            right_rows=int(np.isin(unit_of_row[roles == other], seconds).sum()),
            left_carrying=int(self._carrying[one][unit_of_row[roles == one]].sum()),
            right_carrying=int(self._carrying[other][unit_of_row[roles == other]].sum()),
            listed=tuple(
                self._shared(-score, first, second, one, other) for score, first, second in found[:MAX_LISTED]
            ),
        )

    def _units(self, first_set: int, second_set: int, one: int, other: int) -> Iterator[tuple[int, int]]:
        """Yield the pairs of different inputs that have these sets and stand in these splits."""
        inputs = self._contents.inputs
        lefts = [unit for unit in self._units_by_set[first_set] if self._carrying[one, unit]]
        rights = [unit for unit in self._units_by_set[second_set] if self._carrying[other, unit]] if lefts else []
        for first in lefts:
            for second in rights:
                if inputs[first] != inputs[second]:
                    yield first, second

    def _shared(self, similarity: float, first: int, second: int, one: int, other: int) -> Shared:
        left, right = self._rows(first, one), self._rows(second, other)
        published = self._published
        return Shared(
            value=shortened(published.inputs[left[0]]),
            other=shortened(published.inputs[right[0]]),
            similarity=round(similarity, 6),
            left=published.ids[left[0]],
            left_task=published.tasks[left[0]],
            left_rows=len(left),
            right=published.ids[right[0]],
            right_task=published.tasks[right[0]],
            right_rows=len(right),
        )

    def _rows(self, unit: int, role: int) -> list[int]:
        ordered = self._contents.unit_of_row
        begin, end = np.searchsorted(ordered, [unit, unit + 1], sorter=self._row_order)
        rows = self._row_order[begin:end]
        found: list[int] = rows[self._published.roles[rows] == role].tolist()
        return found
