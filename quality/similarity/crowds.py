"""Find what hangs together by several crowds at once, when no one of them is enough to tell.

A crowd is a set of examples that hold the same n-grams. Two examples may share much of their text by two and more
crowds although each is far from the shortest of every one of them. To find them without comparing each with each:

- A crowd all of whose members hang together already is left out; so one that ties an example on its own never counts.
- Examples of the very same crowds count once, by the shortest, which is tied to whatever any of them is tied to.
- An example that shares enough with another shares one of its rarer crowds: of the commoner ones, those that are not
  enough together are not searched (the prefix filter of set similarity joins). Boilerplate that is too little of an
  example to tie it to anything costs nothing, however many have it.

The work is the number of members, distinct by their crowds, of the crowds that are searched, summed over the
examples, distinct likewise, that have enough text in crowds to be tied by it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from quality.similarity.ngrams import Numbers, mixed

if TYPE_CHECKING:
    from scipy.sparse import csr_array

_AT_ONCE = 1 << 18  # members of crowds that are looked at together
_TINY = 1e-9

Reals = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Crowds:
    """Sets of examples, and how many n-grams each set shares.

    Attributes
    ----------
    members
        The examples, by number, of one crowd after the other.
    sizes
        How many examples each crowd has; none has fewer than one.
    weights
        How many n-grams are held by exactly the members of each crowd.
    """

    members: Numbers
    sizes: Numbers
    weights: Numbers

    def where(self, kept: npt.NDArray[np.bool_]) -> "Crowds":
        """Return some of the crowds."""
        return Crowds(self.members[np.repeat(kept, self.sizes)], self.sizes[kept], self.weights[kept])

    def pairs_with(self, lengths: Numbers) -> tuple[Numbers, Numbers]:
        """Return the shortest member of each crowd, once for each of its other members, and those."""
        if not len(self.sizes):
            return self.members, self.members
        ranks = lengths[self.members] * len(lengths) + self.members
        shortest = np.minimum.reduceat(ranks, np.cumsum(self.sizes) - self.sizes) % len(lengths)
        hubs = np.repeat(shortest, self.sizes)
        others = hubs != self.members
        return hubs[others], self.members[others]


def components(count: int, left: Numbers, right: Numbers) -> Numbers:
    """Return a number for each of ``count`` things, the same for those that pairs tie together."""
    from scipy.sparse import coo_array  # noqa: PLC0415 (most commands can do without SciPy)
    from scipy.sparse.csgraph import connected_components  # noqa: PLC0415

    graph = coo_array((np.ones(len(left), np.int64), (left, right)), shape=(count, count))
    return connected_components(graph, directed=False)[1].astype(np.int64)


def tied_by_several(crowds: Crowds, wanted: Reals, parts: Numbers) -> tuple[Numbers, Numbers]:
    """Return pairs of examples by which all hang together that share enough n-grams of crowds.

    Parameters
    ----------
    crowds
        The crowds.
    wanted
        Of each example, how many n-grams another must share with it to be tied to it; of two, the lower number holds.
    parts
        Of each example, a number that is the same for those known to hang together.

    Returns
    -------
    Pairs of two parts each, all of which share enough. Two examples of different parts that share enough n-grams of
    crowds hang together by them.
    """
    starts = np.cumsum(crowds.sizes) - crowds.sizes
    if not len(starts):
        return crowds.members, crowds.members
    there = parts[crowds.members]
    crowds = crowds.where(np.minimum.reduceat(there, starts) != np.maximum.reduceat(there, starts))
    if not len(crowds.sizes):
        return crowds.members, crowds.members
    kinds = _kinds(crowds, wanted)
    ties = [_spelled_out(kinds, *found) for found in _with_first(kinds, wanted[kinds.shortest])]
    left, right = (np.concatenate([np.empty(0, np.int64), *(pair[side] for pair in ties)]) for side in (0, 1))
    apart = parts[left] != parts[right]
    return left[apart], right[apart]


@dataclass(frozen=True)
class _Kinds:
    """Examples of the same crowds as one kind; kinds are numbered by what is wanted of their shortest example.

    Attributes
    ----------
    held
        The n-grams of each kind (row) in each crowd (column); crowds come by the number of kinds they have.
    shortest
        The example of each kind of which the least is wanted.
    members, starts
        The examples of one kind after the other, and where each begins; one start more than kinds.
    """

    held: "csr_array"
    shortest: Numbers
    members: Numbers
    starts: Numbers


def _kinds(crowds: Crowds, wanted: Reals) -> _Kinds:
    from scipy.sparse import csr_array  # noqa: PLC0415

    crowd = np.repeat(np.arange(len(crowds.sizes)), crowds.sizes)
    order = np.lexsort((crowd, crowds.members))
    crowd, owners = crowd[order], crowds.members[order]
    examples, firsts = np.unique(owners, return_index=True)
    names = np.add.reduceat(mixed(crowd), firsts)
    by_length = np.lexsort((examples, wanted[examples]))
    _, leads, kind = np.unique(names[by_length], return_index=True, return_inverse=True)
    rank = np.empty(len(leads), np.int64)
    rank[np.argsort(leads)] = np.arange(len(leads))
    kind = rank[kind]
    leads = np.sort(leads)
    members = examples[by_length][np.argsort(kind, kind="stable")]
    starts = np.concatenate([[0], np.cumsum(np.bincount(kind))])
    lengths = np.diff(np.concatenate([firsts, [len(crowd)]]))
    rows = np.full(int(examples[-1]) + 1, -1)
    rows[examples[by_length][leads]] = np.arange(len(leads))
    row = np.repeat(rows[examples], lengths)
    row, column = row[row >= 0], crowd[row >= 0]
    counts = np.bincount(column, minlength=len(crowds.sizes))
    places = np.empty(len(counts), np.int64)
    places[np.argsort(counts, kind="stable")] = np.arange(len(counts))
    held = csr_array((crowds.weights[column], (row, places[column])), shape=(len(leads), len(counts)))
    held.sort_indices()
    return _Kinds(held, examples[by_length][leads], members, starts)


def _with_first(kinds: _Kinds, wanted: Reals) -> Iterator[tuple[Numbers, Numbers, npt.NDArray[np.bool_]]]:
    """Yield pairs of kinds that share what the first, not longer one wants, and whether the second is new to us."""
    held, needed = kinds.held, wanted - _TINY
    prefix = _rarer(held, needed)
    rest = held.sum(axis=1) - prefix.sum(axis=1)
    has = held.astype(np.bool_).astype(np.int64)
    holders = has.T.tocsr()
    work = np.cumsum(prefix.astype(np.bool_) @ np.diff(holders.indptr).astype(np.int64))
    known = np.zeros(held.shape[0], np.bool_)
    begin = 0
    while begin < held.shape[0]:
        done = work[begin - 1] if begin else 0
        end = max(begin + 1, int(np.searchsorted(work, done + _AT_ONCE, side="right")))
        shared = (prefix[begin:end] @ holders).tocoo()
        first, second = shared.coords[0].astype(np.int64) + begin, shared.coords[1].astype(np.int64)
        likely = (second >= first) & (shared.data + rest[first] >= needed[first])
        first, second, counts = first[likely], second[likely], shared.data[likely]
        partly = rest[first] > 0
        counts[partly] = held[first[partly]].multiply(has[second[partly]]).sum(axis=1)
        enough = counts >= needed[first]
        first, second = first[enough], second[enough]
        order = np.lexsort((first, second))
        first, second = first[order], second[order]
        new = ~known[second] & np.concatenate([np.ones(min(1, len(second)), np.bool_), second[1:] != second[:-1]])
        known[second] = True
        yield first, second, new
        begin = end


def _rarer(held: "csr_array", needed: Reals) -> "csr_array":
    """Return, of each kind, its crowds but for the last ones that are less than what is needed, even all together."""
    from scipy.sparse import csr_array  # noqa: PLC0415

    row = np.repeat(np.arange(held.shape[0]), np.diff(held.indptr))
    running = np.cumsum(held.data)
    ends = np.concatenate([[0], running])[held.indptr[1:]]
    kept = ends[row] - running + held.data >= needed[row]
    return csr_array((held.data[kept], (row[kept], held.indices[kept])), shape=held.shape)


def _spelled_out(kinds: _Kinds, first: Numbers, second: Numbers, new: npt.NDArray[np.bool_]) -> tuple[Numbers, Numbers]:
    """Return pairs of kinds as pairs of examples: all of a kind that is new, else the shortest."""
    lengths = np.diff(kinds.starts)[second[new]]
    offsets = np.cumsum(lengths) - lengths
    places = np.arange(lengths.sum()) + np.repeat(kinds.starts[second[new]] - offsets, lengths)
    left = np.concatenate([np.repeat(kinds.shortest[first[new]], lengths), kinds.shortest[first[~new]]])
    return left, np.concatenate([kinds.members[places], kinds.shortest[second[~new]]])
