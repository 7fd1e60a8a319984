"""Blocking: for each text, the most similar texts of another list, without comparing all with all.

Similarity is the weighted Jaccard index of the words, a word weighing the more the rarer it is. Weights are
whole numbers, so that scores, and with them the order, are the same on every machine.
"""

import math
import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

_COMMON = 1000  # a word in more texts than this links too many of them, and says little
_BATCH = 512
_WORD = re.compile(r"\d+(?:\.\d+)+|\w+")  # a number such as 2.0 is one word


def words_of(text: str) -> frozenset[str]:
    """Return the words of a text in small letters."""
    return frozenset(_WORD.findall(text.casefold()))


def most_similar(
    texts: Sequence[str], others: Sequence[str], most: int, groups: Sequence[int], other_groups: Sequence[int]
) -> list[list[int]]:
    """For each text, find the most similar of other texts.

    Parameters
    ----------
    texts, others
        The two lists.
    most
        Others to find for a text; fewer are found where fewer share a word with it.
    groups, other_groups
        A number for each text; texts of one and the same group are not compared.

    Returns
    -------
    list of list of int
        For each text, positions in ``others``, most similar first; ties in order of position. Texts of exactly
        the same words are left out: they may well be of one thing, whatever their groups say.
    """
    words = [sorted(words_of(text)) for text in (*texts, *others)]
    wordings = _numbered(words)
    matrix, weights = _word_matrix(words)
    left, right = matrix[: len(texts)], matrix[len(texts) :]
    totals, other_totals = left @ weights, right @ weights
    columns = right.T.tocsr()
    kinds = np.asarray(other_groups, dtype=np.int64)
    found: list[list[int]] = []
    for start in range(0, len(texts), _BATCH):
        shared: Any = (left[start : start + _BATCH].multiply(weights).tocsr() @ columns).tocsr()
        for row in range(shared.shape[0]):
            span = slice(shared.indptr[row], shared.indptr[row + 1])
            near, common = shared.indices[span], shared.data[span]
            score = common / (totals[start + row] + other_totals[near] - common)
            apart = (kinds[near] != groups[start + row]) & (wordings[len(texts) + near] != wordings[start + row])
            found.append(_best(near[apart], score[apart], most))
    return found


def _best(positions: NDArray[Any], scores: NDArray[np.float64], most: int) -> list[int]:
    order = np.lexsort((positions, -scores))[:most]
    best: list[int] = positions[order].tolist()
    return best


def _numbered(words: Sequence[Sequence[str]]) -> NDArray[np.int64]:
    """Return a number for each text, the same for texts of exactly the same words."""
    numbers: dict[tuple[str, ...], int] = {}
    return np.array([numbers.setdefault(tuple(text), len(numbers)) for text in words], dtype=np.int64)


def _word_matrix(words: Sequence[Sequence[str]]) -> tuple[Any, NDArray[np.int64]]:
    """Return which words stand in which texts, but for the most common ones, and the weight of each word."""
    from scipy import sparse  # noqa: PLC0415 (most commands can do without SciPy)

    counts = Counter(word for text in words for word in text)
    vocabulary = {word: number for number, word in enumerate(sorted(w for w, n in counts.items() if n <= _COMMON))}
    weights = np.array([round(1000 * math.log1p(len(words) / counts[word])) for word in vocabulary], dtype=np.int64)
    known = [[vocabulary[word] for word in text if word in vocabulary] for text in words]
    starts = np.cumsum([0, *(len(text) for text in known)])
    columns = np.fromiter((number for text in known for number in text), dtype=np.int64, count=int(starts[-1]))
    ones = np.ones(len(columns), dtype=np.int64)
    return sparse.csr_array((ones, columns, starts), shape=(len(words), len(vocabulary))), weights
