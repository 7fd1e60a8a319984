"""Cut texts into sets of words (or runs of words), held as numbers: what texts are compared by.

Texts are cut in blocks, by passes over bytes rather than one word at a time; `words` says the same one text at a time.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

_BLOCK = 2_000_000  # characters (of ordinary texts) that are cut at a time
_BLOCK_TEXTS = 100_000
_WORD = re.compile(r"\w+")
_SPACE = 32
# Of ASCII only letters, digits and the underscore are of a word; of what is not ASCII, only words are looked at.
_FOLDED = bytes(
    ord(chr(code).lower()) if code > 127 or chr(code).isalnum() or chr(code) == "_" else _SPACE for code in range(128)
) + bytes(range(128, 256))

WORDS_TYPE = pa.list_(pa.dictionary(pa.int32(), pa.string()))


@dataclass(frozen=True)
class Shingled:
    """Texts as sets of shingles.

    Attributes
    ----------
    shingles
        The distinct shingles; a shingle's number is its place here.
    numbers
        The shingle numbers of one text after the other, ascending and without repetition within a text.
    offsets
        The numbers of text ``i`` are ``numbers[offsets[i]:offsets[i + 1]]``.
    """

    shingles: Sequence[str]
    numbers: npt.NDArray[np.int32]
    offsets: npt.NDArray[np.int64]

    @property
    def sizes(self) -> npt.NDArray[np.int64]:
        """How many distinct shingles each text has."""
        return np.diff(self.offsets)

    def take(self, rows: npt.NDArray[np.int64]) -> "Shingled":
        """Return the texts at ``rows``, in that order."""
        sizes = self.sizes[rows]
        offsets = _summed(sizes)
        places = np.arange(offsets[-1]) + np.repeat(self.offsets[rows] - offsets[:-1], sizes)
        return Shingled(self.shingles, self.numbers[places], offsets)

    def to_arrow(self) -> pa.ListArray:
        """Return the texts as a column of `WORDS_TYPE`."""
        values = pa.DictionaryArray.from_arrays(pa.array(self.numbers), pa.array(self.shingles, pa.string()))
        return pa.ListArray.from_arrays(pa.array(self.offsets, pa.int32()), values)


def words(text: str) -> list[str]:
    """Return the words of a text: letters and digits, compatibility forms and case made equal."""
    return _WORD.findall(unicodedata.normalize("NFKC", text).casefold())


def shingled(texts: Sequence[str], size: int = 1) -> Shingled:
    """Cut texts into the sets of their runs of ``size`` words (1: word sets); a shorter text is one run."""
    numbers: dict[str, int] = {}
    parts = []
    for block in _blocks(texts):
        found, counts = _words_of(block)
        if size > 1:
            found, counts = _runs(found, counts, size)
        parts.append(_sets(_numbered(found, numbers), counts, len(numbers)))
    return _joined(numbers, parts)


def from_arrow(column: pa.ChunkedArray) -> Shingled:
    """Read back what `Shingled.to_arrow` wrote, whatever the dictionaries of the chunks.

    Raises
    ------
    ValueError
        If a value is null.
    """
    numbers: dict[str, int] = {}
    parts = []
    for chunk in column.chunks:
        values = chunk.flatten()
        if chunk.null_count or values.null_count:
            raise ValueError("a measured text without its words")
        counts = np.from_dlpack(chunk.value_lengths()).astype(np.int64)
        parts.append(_sets(_numbered(values, numbers), counts, len(numbers)))
    return _joined(numbers, parts)


def _joined(numbers: dict[str, int], parts: list[tuple[npt.NDArray[np.int32], npt.NDArray[np.int64]]]) -> Shingled:
    flat = [np.empty(0, np.int32), *(part for part, _ in parts)]
    sizes = [np.empty(0, np.int64), *(size for _, size in parts)]
    return Shingled(list(numbers), np.concatenate(flat), _summed(np.concatenate(sizes)))


def _summed(sizes: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    return np.concatenate([[0], np.cumsum(sizes)])


def _blocks(texts: Sequence[str]) -> Iterator[Sequence[str]]:
    start = length = 0
    for position, text in enumerate(texts):
        length += len(text)
        if length >= _BLOCK or position - start >= _BLOCK_TEXTS:
            yield texts[start : position + 1]
            start, length = position + 1, 0
    if start < len(texts):
        yield texts[start:]


def _words_of(texts: Sequence[str]) -> tuple[pa.Array, npt.NDArray[np.int64]]:
    """Return the words of all texts, one text after the other, and how many each has."""
    pieces = [text.encode() if text.isascii() else " ".join(words(text)).encode() for text in texts]
    folded = b"".join((b" ", b" ".join(pieces), b" ")).translate(_FOLDED)
    inside = np.frombuffer(folded, np.uint8) != _SPACE
    edges = np.flatnonzero(inside[1:] != inside[:-1])
    begins, ends = edges[::2], edges[1::2]
    text_ends = np.cumsum(np.fromiter(map(len, pieces), np.int64, len(pieces)) + 1)
    counts = np.diff(np.searchsorted(begins, text_ends), prepend=0)
    offsets = _summed(ends - begins)
    kind = pa.large_string() if offsets[-1] > np.iinfo(np.int32).max else pa.string()
    offsets = offsets if pa.types.is_large_string(kind) else offsets.astype(np.int32)
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(folded.translate(None, b" "))]
    return pa.Array.from_buffers(kind, len(begins), buffers), counts


def _runs(found: pa.Array, counts: npt.NDArray[np.int64], size: int) -> tuple[pa.Array, npt.NDArray[np.int64]]:
    """Return the runs of ``size`` words, text after text, and how many each has; a shorter text is one run."""
    starts = np.cumsum(counts) - counts
    runs = np.where(counts > size, counts - size + 1, np.minimum(counts, 1))
    first = np.repeat(starts - (np.cumsum(runs) - runs), runs) + np.arange(runs.sum())
    end = np.repeat(starts + counts, runs)
    columns = []
    for step in range(min(size, counts.max(initial=0))):
        column = found.take(pa.array(np.minimum(first + step, len(found) - 1)))
        columns.append(pc.if_else(pa.array(first + step < end), column, pa.scalar(None, column.type)))
    if not columns:
        return found, runs
    return pc.binary_join_element_wise(*columns, " ", null_handling="skip"), runs


def _numbered(values: pa.Array, numbers: dict[str, int]) -> npt.NDArray[np.int64]:
    """Return the number of each value, giving new values new numbers."""
    if not pa.types.is_dictionary(values.type):
        values = values.dictionary_encode()
    known = [numbers.setdefault(value, len(numbers)) for value in values.dictionary.to_pylist()]
    numbered: npt.NDArray[np.int64] = np.array(known, np.int64)[np.from_dlpack(values.indices)]
    return numbered


def _sets(
    flat: npt.NDArray[np.int64], counts: npt.NDArray[np.int64], limit: int
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int64]]:
    """Return the numbers of each text ascending and once each, and how many are left of each."""
    if not len(flat):
        return np.empty(0, np.int32), np.zeros(len(counts), np.int64)
    bits = limit.bit_length()
    keys = np.repeat(np.arange(len(counts)) << bits, counts)
    keys |= flat
    keys.sort()
    keys = keys[np.concatenate(([True], keys[1:] != keys[:-1]))]
    return (keys & ((1 << bits) - 1)).astype(np.int32), np.bincount(keys >> bits, minlength=len(counts))
