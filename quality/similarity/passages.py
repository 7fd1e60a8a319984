"""Find all pairs of examples that share so much of their text that they must not stand in two splits.

Passages stand in many examples at times: a product's description, a shop's boilerplate. Two things keep that
from growing with the square of their number. N-grams with the very same owners, as those of one passage have, are
looked at once, with their number for a weight. And of n-grams in a crowd (more than `CROWD` examples) each owner is
compared with the shortest of them alone, the first by id among equals: where the crowd's n-grams are enough to tie
any two of its examples, they are enough to tie both to the shortest, so the crowd stays connected. Examples that no
one crowd ties, but several together, are looked for among what does not hang together by then
(`quality.similarity.crowds`).
"""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ecinstruct_build.check import PAIR_SCHEMA
from ecinstruct_build.example import Example
from quality.similarity.contents import Contents, contents_of
from quality.similarity.crowds import Crowds, components, tied_by_several
from quality.similarity.ngrams import Numbers, mixed

CROWD = 50
"""Examples that hold the same n-gram and are still compared each with each."""

_REASON = "shared passage"
_AT_ONCE = 1 << 22  # pairs, or n-grams of pairs, in hand
_TINY = 1e-9
_NONE: Numbers = np.empty(0, np.int64)

Reals = npt.NDArray[np.float64]
Weighed = tuple[Numbers, Numbers]
"""Pairs of examples, each as left * examples + right, and a weight of each."""


def shared_passages(examples: Sequence[Example], *, ngram: int = 13, share: float = 0.5) -> pa.Table:
    """Return the pairs of examples, of any tasks, of which one holds much of the other.

    Parameters
    ----------
    examples
        The examples; their order does not matter.
    ngram
        Words in a row that are compared as one.
    share
        Share of the n-grams of the one with fewer that stand in the other, from which two are a pair. Examples all of
        whose texts are shorter than an n-gram are pairs if they consist of the same texts.

    Returns
    -------
    Rows of `PAIR_SCHEMA` in order of both ids, with the share as score. Not every pair within crowds is named, but
    any two examples that share so much hang together by those that are.
    """
    return passages_within(contents_of(examples, ngram), share)


def passages_within(contents: Contents, share: float) -> pa.Table:
    """Return what `shared_passages` does, of examples that are cut into n-grams already."""
    pairs, scores = _tied(contents, share)
    equal = _equal_wholes(contents)
    pairs = np.concatenate([pairs, equal])
    scores = np.concatenate([scores, np.ones(len(equal))])
    order = np.lexsort((pairs[:, 1], pairs[:, 0]))
    ids = pa.array([example.example_id for example in contents.examples], pa.string())
    columns = {
        "left": ids.take(pa.array(pairs[order, 0])),
        "right": ids.take(pa.array(pairs[order, 1])),
        "reason": pa.repeat(pa.scalar(_REASON, pa.string()), len(pairs)),
        "score": pa.array(np.round(scores[order], 6)),
    }
    return pa.table(columns, schema=PAIR_SCHEMA)


def _equal_wholes(contents: Contents) -> Numbers:
    """Pair examples of the same short texts with the first of them."""
    firsts: dict[frozenset[int], int] = {}
    pairs = [(firsts.setdefault(texts, owner), owner) for owner, texts in sorted(contents.wholes.items())]
    return np.array([pair for pair in pairs if pair[0] != pair[1]], np.int64).reshape(-1, 2)


def _tied(contents: Contents, share: float) -> tuple[Numbers, Reals]:
    """Return the pairs of examples with n-grams, as rows of two numbers, and the share of each."""
    count = len(contents.examples)
    starts, sizes, weights = _owner_lists(contents)
    crowded = sizes > CROWD
    keys, shared = _summed(_pairs_of_few(contents, starts[~crowded], sizes[~crowded], weights[~crowded]))
    if not crowded.any():
        return _enough(contents, keys, shared, share)
    crowds = Crowds(contents.owners[_ranges(starts[crowded], sizes[crowded])], sizes[crowded], weights[crowded])
    hubs = _keys(count, *crowds.pairs_with(contents.sizes))
    keys, shared = _merged([keys, hubs], [shared, np.zeros(len(hubs), np.int64)])
    in_crowds = np.bincount(crowds.members, weights=np.repeat(crowds.weights, crowds.sizes), minlength=count)
    left, right = np.divmod(keys, count)
    more = np.minimum(in_crowds[left], in_crowds[right])  # at most so many n-grams of crowds they share
    needed = share * np.minimum(contents.sizes[left], contents.sizes[right]) - _TINY
    doubtful = (more > 0) & (shared + more >= needed)
    shared[doubtful] = _intersections(contents, left[doubtful], right[doubtful])
    pairs, scores = _enough(contents, keys, shared, share)
    parts = components(count, pairs[:, 0], pairs[:, 1])
    late = np.unique(_keys(count, *tied_by_several(crowds, (contents.sizes * share).astype(np.float64), parts)))
    others, other_scores = _enough(contents, late, _intersections(contents, *np.divmod(late, count)), share)
    return np.concatenate([pairs, others]), np.concatenate([scores, other_scores])


def _keys(count: int, one: Numbers, other: Numbers) -> Numbers:
    return np.where(one < other, one * count + other, other * count + one)


def _enough(contents: Contents, keys: Numbers, shared: Numbers, share: float) -> tuple[Numbers, Reals]:
    """Return those of pairs that share enough, and what share it is."""
    left, right = np.divmod(keys, max(1, len(contents.examples)))
    scores = shared / np.minimum(contents.sizes[left], contents.sizes[right])
    kept = scores >= share - _TINY
    return np.column_stack([left, right])[kept], scores[kept]


def _ranges(starts: Numbers, lengths: Numbers) -> Numbers:
    """Return the numbers from each start on, as many as its length says."""
    offsets = np.cumsum(lengths) - lengths
    places: Numbers = np.arange(lengths.sum()) + np.repeat(starts - offsets, lengths)
    return places


def _owner_lists(contents: Contents) -> tuple[Numbers, Numbers, Numbers]:
    """Return where the distinct lists of two and more owners start, their lengths, and how many n-grams have them."""
    sizes = np.bincount(contents.numbers, minlength=len(contents.grams))
    starts = np.cumsum(sizes) - sizes
    if not len(starts):
        return starts, sizes, sizes
    names = np.add.reduceat(mixed(contents.owners), starts)
    shared = np.flatnonzero(sizes > 1)
    _, firsts, weights = np.unique(names[shared], return_index=True, return_counts=True)
    return starts[shared[firsts]], sizes[shared[firsts]], weights


def _pairs_of_few(contents: Contents, starts: Numbers, sizes: Numbers, weights: Numbers) -> Iterator[Weighed]:
    """Yield each with each of the owners of every list, with the list's weight."""
    order = np.argsort(-sizes, kind="stable")
    starts, weights = starts[order], weights[order]
    longer = np.bincount(sizes, minlength=CROWD + 1)[::-1].cumsum()[::-1]  # lists of so many owners or more
    for second in range(1, CROWD):
        count = longer[second + 1]
        right = contents.owners[starts[:count] + second]
        for first in range(second if count else 0):
            left = contents.owners[starts[:count] + first]
            yield left * len(contents.examples) + right, weights[:count]


def _summed(parts: Iterable[Weighed]) -> Weighed:
    """Add the weights of equal pairs up, a bounded number of them at a time."""
    keys, weights, length = [_NONE], [_NONE], 0
    for more, weight in parts:
        keys.append(more)
        weights.append(weight)
        length += len(more)
        if length >= max(_AT_ONCE, len(keys[0])):
            key, total = _merged(keys, weights)
            keys, weights, length = [key], [total], 0
    return _merged(keys, weights)


def _merged(keys: Sequence[Numbers], weights: Sequence[Numbers]) -> Weighed:
    key, weight = np.concatenate(keys), np.concatenate(weights)
    if not len(key):
        return key, weight
    order = np.argsort(key)
    key, weight = key[order], weight[order]
    starts = np.flatnonzero(np.concatenate([[True], key[1:] != key[:-1]]))
    return key[starts], np.add.reduceat(weight, starts)


def _intersections(contents: Contents, left: Numbers, right: Numbers) -> Numbers:
    """Count the n-grams that the two examples of each pair share."""
    order = np.argsort(contents.owners, kind="stable")
    numbers, sizes = contents.numbers[order], contents.sizes
    keys = contents.owners[order] * len(contents.grams) + numbers
    starts = np.cumsum(sizes) - sizes
    swapped = sizes[left] > sizes[right]
    short, long = np.where(swapped, right, left), np.where(swapped, left, right)
    ends = np.cumsum(sizes[short])
    counts = [_NONE]
    begin = 0
    while begin < len(short):
        done = ends[begin - 1] if begin else 0
        end = max(begin + 1, int(np.searchsorted(ends, done + _AT_ONCE, side="right")))
        lengths = sizes[short[begin:end]]
        places = _ranges(starts[short[begin:end]], lengths)
        wanted = np.repeat(long[begin:end], lengths) * len(contents.grams) + numbers[places]
        found = keys[np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)] == wanted
        counts.append(np.add.reduceat(found, np.cumsum(lengths) - lengths, dtype=np.int64))
        begin = end
    return np.concatenate(counts)
