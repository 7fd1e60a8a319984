"""Near duplicates between splits: MinHash and LSH find candidates, exact Jaccard decides.

Two inputs are compared as sets of words (runs of letters and digits in normal form). Words that stand in at least
`LAYOUT_SHARE` of the different inputs of a task are its layout and are left out; sets of fewer than `MIN_WORDS` words
are not compared. Equal inputs are exact duplicates, not near ones.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count, pairwise

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import xxhash
from numpy.typing import NDArray

from ecinstruct_build.audit.minhash import Pairs, Places, each_pair, similar_sets
from ecinstruct_build.audit.reading import Published
from ecinstruct_build.audit.result import CELLS, MAX_LISTED, ROLES, Overlap, Shared
from ecinstruct_build.audit.texts import shortened, words

COLUMNS = ("input",)
"""The columns that are read here, besides those that say what a row is."""

LAYOUT_SHARE = 0.9
"""Share of a task's different inputs from which a word is layout."""

LAYOUT_INPUTS = 20
"""Different inputs that a task has at least for anything to be called layout."""

MIN_WORDS = 5
"""Words that an input has at least, layout aside, to be compared."""

_BLOCK = 1 << 12  # inputs that are split into words at once
_BETWEEN_WORDS = np.array(
    [ord(" ") if code < 128 and not chr(code).isalnum() else code for code in range(256)], np.uint8
)


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
    units, cells = _Units(contents, carrying), [_Cell(left, right, contents) for left, right in CELLS]
    places = np.flatnonzero(lefts), np.flatnonzero(rights)
    for found in similar_sets(contents.sets, contents.hashes, *places, threshold):
        for cell in cells:
            cell.add(found, units)
    rows = _Rows(published, contents)
    return [cell.overlap(published, carrying, rows) for cell in cells]


def _contents(published: Published) -> Contents:
    vocabulary: defaultdict[str, int] = defaultdict(count().__next__)
    input_of: dict[str, int] = {}
    unit_of: dict[tuple[str, int], int] = {}
    unit_of_row = np.zeros(len(published.ids), np.int64)
    for row, (task, text) in enumerate(zip(published.tasks, published.normal_inputs, strict=True)):
        made = input_of.setdefault(text, len(input_of))
        unit_of_row[row] = unit_of.setdefault((task, made), len(unit_of))
    texts = list(input_of)
    blocks = (texts[low : low + _BLOCK] for low in range(0, len(texts), _BLOCK))
    numbers = [one for block in blocks for one in word_numbers(block, vocabulary)]
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


def word_numbers(texts: Sequence[str], vocabulary: defaultdict[str, int]) -> list[NDArray[np.int32]]:
    """Return the numbers of the different words of each text in normal form, sorted; new words get a number."""
    spaced = pa.array([text if text.isascii() else " ".join(words(text)) for text in texts], pa.large_string())
    _, offsets, content = spaced.buffers()
    spaced_bytes = _BETWEEN_WORDS.take(np.frombuffer(content, np.uint8), mode="clip")
    lists = pc.ascii_split_whitespace(pa.LargeStringArray.from_buffers(len(texts), offsets, pa.py_buffer(spaced_bytes)))
    found = lists.flatten().dictionary_encode()
    number_of = np.array([vocabulary[word] if word else -1 for word in found.dictionary.to_pylist()], np.int64)
    numbers = number_of.take(found.indices.to_numpy())
    of_text = np.repeat(np.arange(len(texts)), lists.value_lengths().to_numpy())
    # Sorted by text and number, as one number: numpy sorts these in no time.
    both = np.sort((of_text << 32 | numbers)[numbers >= 0])
    both = both[np.diff(both, prepend=-1) > 0]
    ends = np.searchsorted(both >> 32, np.arange(len(texts) + 1))
    numbers = (both & (1 << 32) - 1).astype(np.int32)
    return [numbers[begin:end] for begin, end in pairwise(ends.tolist())]


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
    return [numbers[made][~layout[task][numbers[made]]] for task, made in units]


class _Units:
    """The units that stand in each split, by their set."""

    def __init__(self, contents: Contents, carrying: NDArray[np.bool_]) -> None:
        by_set = np.argsort(contents.set_of_unit, kind="stable")
        self._units = [by_set[carrying[role, by_set]] for role in range(len(ROLES))]
        places = np.arange(len(contents.sets) + 1)
        self._begins = [np.searchsorted(contents.set_of_unit[units], places) for units in self._units]

    def pairs(self, found: Pairs, one: int, other: int) -> Iterator[tuple[Places, Places, NDArray[np.float64]]]:
        """Yield the pairs of units of two splits that have these sets, so many at a time."""
        groups = np.stack([*self._group(found.left, one), *self._group(found.right, other)])
        there = groups[1] * groups[3] > 0
        similarity = found.similarity[there]
        for which, first, second in each_pair(groups[:, there]):
            yield self._units[one][first], self._units[other][second], similarity[which]

    def _group(self, sets: Places, role: int) -> tuple[Places, Places]:
        begins = self._begins[role]
        return begins[sets], begins[sets + 1] - begins[sets]


class _Cell:
    """Gathers what two splits share: all pairs are counted, the most similar ones are kept."""

    def __init__(self, left: str, right: str, contents: Contents) -> None:
        self.left, self.right = left, right
        self._one, self._other = ROLES.index(left), ROLES.index(right)
        self._contents = contents
        self._pairs = 0
        self._hit = np.zeros((2, len(contents.inputs)), bool)
        self._first, self._second, self._similarity = np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0)

    def add(self, found: Pairs, units: _Units) -> None:
        inputs = self._contents.inputs
        for first, second, similarity in units.pairs(found, self._one, self._other):
            near = inputs[first] != inputs[second]
            self._pairs += int(np.count_nonzero(near))
            self._hit[0, first[near]] = True
            self._hit[1, second[near]] = True
            self._keep(first[near], second[near], similarity[near])

    def _keep(self, first: Places, second: Places, similarity: NDArray[np.float64]) -> None:
        """Take what belongs among the most similar pairs; of equals, the first."""
        if len(self._first) == MAX_LISTED:
            last, one, other = self._similarity[-1], self._first[-1], self._second[-1]
            earlier = (first < one) | ((first == one) & (second < other))
            better = (similarity > last) | ((similarity == last) & earlier)
            first, second, similarity = first[better], second[better], similarity[better]
        if not len(first):
            return
        first, second = np.concatenate([self._first, first]), np.concatenate([self._second, second])
        similarity = np.concatenate([self._similarity, similarity])
        best = np.lexsort((second, first, -similarity))[:MAX_LISTED]
        self._first, self._second, self._similarity = first[best], second[best], similarity[best]

    def overlap(self, published: Published, carrying: NDArray[np.bool_], rows: "_Rows") -> Overlap:
        units = [self._contents.unit_of_row[published.roles == role] for role in (self._one, self._other)]
        best = zip(self._first.tolist(), self._second.tolist(), self._similarity.tolist(), strict=True)
        return Overlap(
            kind="near",
            left=self.left,
            right=self.right,
            limit="near_duplicates",
            values=self._pairs,
            left_rows=int(self._hit[0][units[0]].sum()),
            right_rows=int(self._hit[1][units[1]].sum()),
            left_carrying=int(carrying[self._one][units[0]].sum()),
            right_carrying=int(carrying[self._other][units[1]].sum()),
            listed=tuple(
                _shared(published, similarity, rows.of(first, self._one), rows.of(second, self._other))
                for first, second, similarity in best
            ),
        )


class _Rows:
    """Finds the rows of a unit in a split."""

    def __init__(self, published: Published, contents: Contents) -> None:
        self._roles = published.roles
        self._order = np.argsort(contents.unit_of_row, kind="stable")
        self._begins = np.searchsorted(contents.unit_of_row[self._order], np.arange(len(contents.inputs) + 1))

    def of(self, unit: int, role: int) -> list[int]:
        rows = self._order[self._begins[unit] : self._begins[unit + 1]]
        found: list[int] = rows[self._roles[rows] == role].tolist()
        return found


def _shared(published: Published, similarity: float, left: Sequence[int], right: Sequence[int]) -> Shared:
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
