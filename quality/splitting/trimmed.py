"""Find which texts a few trimmed ones have become like, exactly, without comparing each with all."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyarrow import feather

from quality.similarity.contents import Contents
from quality.similarity.ngrams import Hashes, look_up
from quality.similarity.shingles import Shingled
from quality.splitting.ragged import Integers, Ragged, from_arrow

_ROUNDING = 1e-9
_HITS = 4  # rare words that two like texts share: with fewer asked for, far more texts are looked at


@dataclass(frozen=True)
class Likeness:
    """Pairs of texts, by position, in order of ``right`` and ``left``.

    Attributes
    ----------
    left, right
        Positions of the two texts: of one that was there before, and of the one compared with it.
    score
        How alike they are, exactly.
    """

    left: Integers
    right: Integers
    score: npt.NDArray[np.float64]

    def where(self, kept: npt.NDArray[np.bool_]) -> "Likeness":
        """Return some of the pairs."""
        return Likeness(self.left[kept], self.right[kept], self.score[kept])


@dataclass(frozen=True)
class Passages:
    """The n-grams of examples, and who holds them.

    Attributes
    ----------
    grams
        The distinct hashes, ascending.
    holders
        The examples, by position, that hold each of them.
    sizes
        How many distinct n-grams each example has, whether or not they stand in ``grams``.
    """

    grams: Hashes
    holders: Ragged
    sizes: Integers

    def write(self, folder: Path) -> None:
        """Write them to two files of a folder."""
        grams = pa.table({"gram": pa.array(self.grams), "holders": self.holders.to_arrow()})
        for name, table in (("grams", grams), ("sizes", pa.table({"size": pa.array(self.sizes)}))):
            feather.write_feather(table, str(folder / f"{name}.arrow"), compression="zstd")


def read_passages(folder: Path) -> Passages:
    """Read back what `Passages.write` wrote."""
    grams, sizes = (feather.read_table(folder / f"{name}.arrow") for name in ("grams", "sizes"))
    return Passages(grams["gram"].to_numpy(), from_arrow(grams["holders"]), sizes["size"].to_numpy())


def passages_of(contents: Contents, wanted: npt.NDArray[np.bool_]) -> Passages:
    """Return the n-grams of examples that stand in one of those that are wanted."""
    asked = np.zeros(len(contents.grams), np.bool_)
    asked[contents.numbers[wanted[contents.owners]]] = True
    kept = asked[contents.numbers]
    counts = np.bincount(contents.numbers[kept], minlength=len(asked))[asked]
    holders = Ragged(contents.owners[kept], np.concatenate([[0], np.cumsum(counts)]))
    return Passages(contents.grams[asked], holders, contents.sizes)


def holders_of_passages(
    passages: Passages, contents: Contents, share: float, looked_at: npt.NDArray[np.bool_]
) -> Likeness:
    """Return the pairs of an earlier example and a trimmed one of which one holds much of the other.

    Parameters
    ----------
    passages
        N-grams of the earlier examples: at least all that stand in a trimmed one too.
    contents
        The trimmed examples.
    share
        Share of the n-grams of the one with fewer that stand in the other.
    looked_at
        Which of the earlier examples count.
    """
    holders = passages.holders.where(looked_at[passages.holders.values])
    places, known = look_up(passages.grams, contents.grams)
    known = known[contents.numbers]
    order = np.argsort(contents.owners[known], kind="stable")
    counts = np.bincount(contents.owners[known], minlength=len(contents.examples))
    held = Ragged(places[contents.numbers[known][order]], np.concatenate([[0], np.cumsum(counts)]))
    found = [(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0))]
    for text in np.flatnonzero(held.lengths).tolist():
        others, shared = np.unique(holders.take(_row(held, text)).values, return_counts=True)
        score = shared / np.minimum(passages.sizes[others], contents.sizes[text])
        enough = score >= share - _ROUNDING
        found.append((others[enough], np.full(int(enough.sum()), text), score[enough]))
    return Likeness(*(np.concatenate(parts) for parts in zip(*found, strict=True)))


def like_earlier_ones(texts: Shingled, first: int, threshold: float, min_words: int) -> Likeness:
    """Return the pairs of which one is among the last texts.

    A text that is like one with ``n`` words has at least ``threshold * n`` of them, and so at least four of any few
    that are four more than the rest: only texts of about its length with four of its rarest words are looked at.

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
        least = _needed(sizes[text], threshold)
        others = _repeated(holders.take(few).values, min(_HITS, least))
        others = others[(others < text) & (sizes[others] >= least) & (_needed(sizes[others], threshold) <= sizes[text])]
        mine[_row(words, text)] = True
        beside = words.take(others)
        shared = beside.count(mine[beside.values])
        mine[_row(words, text)] = False
        score = shared / (sizes[others] + sizes[text] - shared)
        short = np.minimum(sizes[others], sizes[text]) < min_words
        alike = score >= np.where(short, 1.0, threshold)
        found.append((others[alike], np.full(int(alike.sum()), text), score[alike]))
    return Likeness(*(np.concatenate(parts) for parts in zip(*found, strict=True)))


def _needed(size: npt.ArrayLike, threshold: float) -> Any:
    """Return how many of the words of a text, at least, stand in one that is like it: a number, or an array of them."""
    return np.maximum(np.ceil(threshold * np.asarray(size) - _ROUNDING), 1).astype(np.int64)


def _rarest(words: Integers, frequency: Integers, threshold: float) -> Integers:
    """Return so many of a text's words that `_HITS` of them stand in every text that is like it, or all that must."""
    needed = int(_needed(len(words), threshold))
    few: Integers = words[np.argsort(frequency[words], kind="stable")][: len(words) - needed + min(_HITS, needed)]
    return few


def _repeated(values: Integers, times: int) -> Integers:
    """Return the different values that stand there so many times or more, ascending."""
    ordered = np.sort(values)
    begins = np.flatnonzero(np.diff(ordered, prepend=ordered[:1] - 1))
    return ordered[begins[np.diff(begins, append=len(ordered)) >= times]]


def _row(rows: Ragged, row: int) -> Integers:
    return rows.values[rows.starts[row] : rows.starts[row + 1]]
