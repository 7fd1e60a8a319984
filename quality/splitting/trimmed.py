"""Find which texts a few trimmed ones have become like, exactly, without comparing each with all."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from quality.similarity.shingles import Shingled
from quality.splitting.ragged import Integers, Ragged

_ROUNDING = 1e-9


@dataclass(frozen=True)
class Likeness:
    """Pairs of texts, by position, in order of ``right`` and ``left``.

    Attributes
    ----------
    left, right
        Positions of the two texts, the smaller one left.
    score
        Exact Jaccard similarity of their words.
    """

    left: Integers
    right: Integers
    score: npt.NDArray[np.float64]


def like_earlier_ones(texts: Shingled, first: int, threshold: float, min_words: int) -> Likeness:
    """Return the pairs of which one is among the last texts.

    A text that is like one with ``n`` words has at least ``threshold * n`` of them, and so at least one of any few
    that are more than the rest: only texts with one of its rarest words are looked at.

    Parameters
    ----------
    texts
        The texts.
    first
        Where the last ones begin: each of them is compared with all before it.
    threshold
        Least Jaccard similarity of their words.
    min_words
        Distinct words that both have at least, unless their words are the same.
    """
    words = Ragged(texts.numbers.astype(np.int64), texts.offsets)
    sizes, frequency = words.lengths, np.bincount(words.values, minlength=len(texts.shingles))
    last = range(first, len(sizes))
    rare = [_rarest(_row(words, text), frequency, threshold) for text in last]
    asked = np.zeros(len(frequency), np.bool_)
    asked[np.concatenate([np.zeros(0, np.int64), *rare])] = True
    kept = np.flatnonzero(asked[words.values])
    kept = kept[np.argsort(words.values[kept], kind="stable")]
    counts = np.where(asked, frequency, 0)
    holders = Ragged(words.owners[kept], np.concatenate([[0], np.cumsum(counts)]))  # of each word that is asked for
    found = [(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0))]
    mine = np.zeros(len(frequency), np.bool_)
    for text, few in zip(last, rare, strict=True):
        others = np.unique(holders.take(few).values)
        others = others[others < text]
        mine[_row(words, text)] = True
        beside = words.take(others)
        shared = beside.count(mine[beside.values])
        mine[_row(words, text)] = False
        score = shared / (sizes[others] + sizes[text] - shared)
        short = np.minimum(sizes[others], sizes[text]) < min_words
        alike = score >= np.where(short, 1.0, threshold)
        found.append((others[alike], np.full(int(alike.sum()), text), score[alike]))
    return Likeness(*(np.concatenate(parts) for parts in zip(*found, strict=True)))


def _rarest(words: Integers, frequency: Integers, threshold: float) -> Integers:
    """Return so many of a text's words that one of them stands in every text that is like it."""
    needed = int(np.ceil(threshold * len(words) - _ROUNDING))
    few: Integers = words[np.argsort(frequency[words], kind="stable")][: len(words) - max(needed, 1) + 1]
    return few


def _row(rows: Ragged, row: int) -> Integers:
    return rows.values[rows.starts[row] : rows.starts[row + 1]]
