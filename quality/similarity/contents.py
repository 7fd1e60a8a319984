"""The contents of examples as hashed n-grams, each n-gram of an example once."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from ecinstruct_build.example import Example
from quality.content import content_texts
from quality.similarity.ngrams import Cutter, Hashes, Numbers


@dataclass(frozen=True)
class Contents:
    """What examples say, ready to be compared.

    Attributes
    ----------
    examples
        The examples by id, each once; all numbers of examples are places here.
    grams
        The distinct n-grams of all examples, ascending.
    numbers, owners
        Pairs of an n-gram (its place in ``grams``) and an example that holds it, ascending, each once.
    wholes
        Of each example without n-grams, because all its texts are shorter: the hashes of its texts.
    """

    examples: Sequence[Example]
    grams: Hashes
    numbers: Numbers
    owners: Numbers
    wholes: dict[int, frozenset[int]]

    @cached_property
    def sizes(self) -> Numbers:
        """How many n-grams each example has."""
        return np.bincount(self.owners, minlength=len(self.examples))


def contents_of(examples: Iterable[Example], size: int) -> Contents:
    """Cut the texts of examples (`quality.content.content_texts`), one by one, into n-grams of ``size`` words."""
    unique = {example.example_id: example for example in examples}
    ordered = [unique[example_id] for example_id in sorted(unique)]
    texts: list[str] = []
    text_counts = []
    for example in ordered:
        before = len(texts)
        texts += content_texts(example)
        text_counts.append(len(texts) - before)
    example_of = np.repeat(np.arange(len(ordered)), np.array(text_counts, np.int64))
    cut = Cutter().cut(texts)
    del texts
    hashes, text_of = cut.runs(size)
    grams, numbers, owners = _distinct(hashes, example_of[text_of])
    long = np.zeros(len(ordered), bool)
    long[owners] = True
    short = np.flatnonzero(~long[example_of] & (cut.counts > 0))
    wholes: dict[int, set[int]] = {}
    for owner, whole in zip(example_of[short].tolist(), cut.wholes(size - 1)[short].tolist(), strict=True):
        wholes.setdefault(owner, set()).add(whole)
    return Contents(ordered, grams, numbers, owners, {owner: frozenset(parts) for owner, parts in wholes.items()})


def _distinct(hashes: Hashes, owners: Numbers) -> tuple[Hashes, Numbers, Numbers]:
    """Return the distinct hashes ascending, and the distinct pairs of a hash's place and an owner, ascending."""
    order = np.argsort(hashes, kind="stable")  # owners ascend, so they do among equal hashes
    hashes, owners = hashes[order], owners[order]
    new = _begins(hashes)
    numbers = np.cumsum(new) - 1
    kept = new | _begins(owners)
    return hashes[new], numbers[kept], owners[kept]


def _begins(values: npt.NDArray[np.uint64] | Numbers) -> npt.NDArray[np.bool_]:
    """Return where another value begins."""
    return np.concatenate([np.ones(min(1, len(values)), bool), values[1:] != values[:-1]])
