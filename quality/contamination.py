"""Contamination: training text that stands in a test set, whoever made it.

Texts are compared by their runs of words (n-grams), as hashes: those of the examples are held, and the test sets
are read past them, so a test set may be of any size. An n-gram never spans two texts of an example.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import Field, field_validator

from ecinstruct_build.check import Check, CheckSettings, Evidence, Verdict
from ecinstruct_build.example import Example
from quality.content import content_texts
from quality.similarity.contents import Contents, contents_of
from quality.similarity.ngrams import Cut, Cutter, Numbers, look_up
from quality.similarity.shingles import words
from quality.similarity.test_sets import Row, read_rows, test_files

_BLOCK = 1 << 21  # characters of a test set in hand
_TOLD_WORDS = 13


class ContaminationSettings(CheckSettings):
    """Settings of the contamination check.

    Attributes
    ----------
    test_sets
        Files (JSON lines, plain or gzipped, and Parquet) and folders of them that no example may overlap with; one
        path, or a list of them.
    columns
        Their columns to read, one name or a list; none means every column with text.
    ngram
        Words in a row that are compared as one. An example all of whose texts are shorter is compared as a whole: it
        stands in a test set if one row has all its texts, in strings of their own, in JSON within a string or in
        labelled lines.
    share
        Share of an example's n-grams found in the test sets, all together, from which it overlaps; from half of it
        the overlap is told.
    """

    test_sets: tuple[Path, ...] = ()
    columns: tuple[str, ...] = ()
    ngram: int = Field(default=13, ge=1)
    share: float = Field(default=0.5, gt=0, le=1)

    @field_validator("test_sets", "columns", mode="before")
    @classmethod
    def _listed(cls, value: Any) -> Any:
        """Take one path or name for a list of one."""
        return (value,) if isinstance(value, str | Path) else value


@dataclass
class _Overlaps:
    """What of the examples was found, and where first.

    Attributes
    ----------
    grams
        For each n-gram of the examples, the place in ``rows`` of the first row that has it, or -1.
    wholes
        For each example without n-grams that was found, the place of the first row that has all its texts.
    rows
        File and place of rows in which something was found first.
    """

    grams: Numbers
    wholes: dict[int, int] = field(default_factory=dict)
    rows: list[tuple[str, str]] = field(default_factory=list)


def judge(examples: Sequence[Example], settings: ContaminationSettings, _evidence: Evidence) -> list[Verdict]:
    """Find examples that stand in a test set, or whose text overlaps with it."""
    files = test_files(settings.test_sets)
    if not files:
        return []
    contents = contents_of(examples, settings.ngram)
    overlaps = _overlaps(contents, settings)
    verdicts = [
        _verdict(contents.examples[owner], 1.0, "the same texts", overlaps.rows[row], settings)
        for owner, row in overlaps.wholes.items()
    ]
    hits = np.bincount(contents.owners[overlaps.grams[contents.numbers] >= 0], minlength=len(contents.examples))
    shares = hits / np.maximum(contents.sizes, 1)
    for owner in np.flatnonzero((shares >= settings.share / 2) & (hits > 0)).tolist():
        run, row = _first_shared(contents, owner, overlaps.grams, settings.ngram)
        verdicts.append(_verdict(contents.examples[owner], float(shares[owner]), run, overlaps.rows[row], settings))
    return sorted(verdicts, key=lambda verdict: verdict.example_id)


def _verdict(
    example: Example, share: float, run: str, row: tuple[str, str], settings: ContaminationSettings
) -> Verdict:
    return Verdict(
        example.example_id,
        "stands in a test set" if share == 1 else "overlaps a test set",
        round(share, 6),
        detail=f"{row[0]}, {row[1]}: {run}",
        remedy="reject" if share >= settings.share else "keep",
    )


def _first_shared(contents: Contents, owner: int, grams: Numbers, size: int) -> tuple[str, int]:
    """Return the first n-gram of an example that stands in a test set, shortened, and the number of the row."""
    for text in content_texts(contents.examples[owner]):
        hashes, _ = Cutter().cut([text]).runs(size)
        places, known = look_up(contents.grams, hashes)
        found = np.flatnonzero(known & (grams[places] >= 0)) if len(places) else places
        if len(found):
            run = words(text)[found[0] : found[0] + min(size, _TOLD_WORDS)]
            return " ".join(run) + (" \u2026" if size > _TOLD_WORDS else ""), int(grams[places[found[0]]])
    raise ValueError("no shared n-gram")


def _overlaps(contents: Contents, settings: ContaminationSettings) -> _Overlaps:
    """Read the test sets past the examples."""
    overlaps = _Overlaps(np.full(len(contents.grams), -1))
    wholes = _Wholes(contents)
    cutter = Cutter()
    for block in _blocks(read_rows(settings.test_sets, settings.columns)):
        cut = cutter.cut(text for row in block for text in row.texts)
        row_of = np.repeat(np.arange(len(block)), [len(row.texts) for row in block])
        hashes, text_of = cut.runs(settings.ngram)
        places, known = look_up(contents.grams, hashes)
        known[known] = overlaps.grams[places[known]] < 0
        grams, firsts = np.unique(places[known], return_index=True)
        rows, number = np.unique(row_of[text_of[known]][firsts], return_inverse=True)
        overlaps.grams[grams] = len(overlaps.rows) + number
        overlaps.rows += [(block[row].file, block[row].place) for row in rows.tolist()]
        for owner, row in wholes.found(cut, row_of, settings.ngram):
            overlaps.wholes[owner] = len(overlaps.rows)
            overlaps.rows.append((block[row].file, block[row].place))
    return overlaps


class _Wholes:
    """Looks for rows that have all texts of an example, for examples whose texts are short; each is found once."""

    def __init__(self, contents: Contents) -> None:
        self._owners: dict[frozenset[int], list[int]] = {}
        for owner, texts in contents.wholes.items():
            self._owners.setdefault(texts, []).append(owner)
        counts = Counter(text for texts in self._owners for text in texts)
        # The rarest of its texts leads to an example: a query rather than the product that many queries led to.
        self._by_rarest: dict[int, list[frozenset[int]]] = {}
        for texts in self._owners:
            self._by_rarest.setdefault(min(texts, key=lambda text: (counts[text], text)), []).append(texts)
        self._rarest = np.array(sorted(self._by_rarest), np.uint64)

    def found(self, cut: Cut, row_of: Numbers, size: int) -> Iterator[tuple[int, int]]:
        """Yield the examples that were not found before, with the row (of those of the texts cut) that has them."""
        hashes = cut.wholes(size - 1)
        short = (cut.counts > 0) & (cut.counts < size)
        leads = look_up(self._rarest, hashes)[1] & short
        for row in np.unique(row_of[leads]).tolist():
            begin, end = np.searchsorted(row_of, [row, row + 1])
            there = dict.fromkeys(hashes[begin:end][short[begin:end]].tolist())
            for text in there:
                led_to = self._by_rarest.get(text, [])
                found = [texts for texts in led_to if all(part in there for part in texts)]
                if found:
                    self._by_rarest[text] = [texts for texts in led_to if not all(part in there for part in texts)]
                yield from ((owner, row) for texts in found for owner in self._owners.pop(texts))


def _blocks(rows: Iterable[Row]) -> Iterator[list[Row]]:
    """Yield rows in blocks of bounded length, so that a test set is never held as a whole."""
    block, length = [], 0
    for row in rows:
        block.append(row)
        length += sum(map(len, row.texts)) + len(row.texts)
        if length >= _BLOCK:
            yield block
            block, length = [], 0
    if block:
        yield block


CHECK = Check(
    name="contamination",
    summary="Reject examples whose text stands in a test set.",
    settings=ContaminationSettings,
    judge=judge,
    reads=lambda settings: test_files(settings.test_sets),
)
