"""Page through the samples of a published folder and, where its build is at hand, what the checks said of examples."""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ecinstruct_build.browsing.findings import Finding, Findings, example_content
from ecinstruct_build.browsing.library import Facet, Library, dataset_files
from ecinstruct_build.browsing.verdict_shelf import VerdictShelf
from ecinstruct_build.browsing.words import words_of
from ecinstruct_build.errors import UserError
from ecinstruct_build.example import Example

ANY_CHECK = "any"
"""The name under which the findings of all checks are asked for."""

SIZES = (10, 25, 50, 100)
"""Samples that a page may hold."""

_CONTENT = ("instruction", "input", "options", "output", "few_shot_example")


@dataclass(frozen=True)
class Asked:
    """What is asked for; "" does not narrow it.

    Attributes
    ----------
    task, split, source
        As published: the task by module name, the split as on the Hub.
    check, action, reason
        Only examples that a check said something of: which check (or `ANY_CHECK`), what was done, and why.
    words
        Words that all must occur in instruction, input, options and output, in whatever case; phrases in double quotes.
    example
        One example, by id.
    page, size
        Which page, from 1, and how many samples it holds.
    """

    task: str = ""
    split: str = ""
    source: str = ""
    check: str = ""
    action: str = ""
    reason: str = ""
    words: str = ""
    example: str = ""
    page: int = 1
    size: int = 25


@dataclass(frozen=True)
class Sample:
    """A published row, or an example that has none.

    Attributes
    ----------
    number
        Its place among all that was found, from 1.
    example_id, task, split, source, setting
        As published; the split is "" for an example that was not published.
    content
        ``instruction``, ``input``, ``options``, ``output`` and ``few_shot_example``; of an example, its fields as JSON.
    row
        All columns that hold something, as text; empty for an example.
    findings
        What the checks said of the example.
    """

    number: int
    example_id: str
    task: str
    split: str
    source: str
    setting: str
    content: Mapping[str, str]
    row: Mapping[str, str]
    findings: tuple[Finding, ...] = ()

    @property
    def is_published(self) -> bool:
        """Whether it is a row of the dataset."""
        return bool(self.row)


@dataclass(frozen=True)
class Page:
    """A page of what was found.

    Attributes
    ----------
    asked
        What was asked for, its page being one that there is.
    words
        The words that were searched for.
    samples
        What stands on the page.
    total, pages
        How many samples were found, and on how many pages.
    choices
        For each of ``task``, ``split``, ``source``, ``check``, ``action`` and ``reason`` that there is to choose by:
        its values (`ANY_CHECK` among them) and how many samples each would leave, without those that would leave none.
    """

    asked: Asked
    words: tuple[str, ...]
    samples: tuple[Sample, ...]
    total: int
    pages: int
    choices: Mapping[str, Mapping[str, int]] = field(default_factory=dict)


class Shelf:
    """The samples of a dataset, and what checks said; for several threads.

    The dataset may be built anew meanwhile: the next page is of the new one.

    Parameters
    ----------
    dataset
        A published folder, any folder of files in ECInstruct's columns, or such a file.
    findings
        What the checks of its build found; None = not at hand.

    Raises
    ------
    UserError
        If there is nothing to show, or it cannot be read.
    """

    def __init__(self, dataset: Path, findings: Findings | None = None) -> None:
        if not dataset.exists():
            raise UserError(
                f"There is no dataset in '{dataset}'. Make one with 'make dataset', or say where it is with --dataset."
            )
        self.name = dataset.resolve().name
        self._dataset = dataset
        self._verdicts = VerdictShelf(findings) if findings else None
        self._lock = threading.Lock()
        self._state = _state(dataset)
        self._library = Library(dataset)

    def page(
        self,
        *,
        task: str = "",
        split: str = "",
        source: str = "",
        check: str = "",
        action: str = "",
        reason: str = "",
        words: str = "",
        example: str = "",
        page: int = 1,
        size: int = 25,
    ) -> Page:
        """Return a page of samples; see `Asked` for what may be asked for.

        A value that no sample has leaves nothing, and neither does any check where no findings are at hand; a page
        beyond the last is the last.

        Raises
        ------
        UserError
            If the dataset can no longer be read.
        """
        asked = Asked(task, split, source, check, action, reason, words, example, page, max(1, min(size, SIZES[-1])))
        library = self._current()
        if check:
            if self._verdicts is None:
                return Page(asked, words_of(words), (), 0, 1)
            return self._of_check(asked, library, self._verdicts)
        return self._of_rows(asked, library)

    def _current(self) -> Library:
        """Return the rows as they stand in the files now."""
        with self._lock:
            state = _state(self._dataset)
            if state != self._state:
                self._library, self._state = Library(self._dataset), state
            return self._library

    def _of_rows(self, asked: Asked, library: Library) -> Page:
        words = words_of(asked.words)
        facets = {"task": library.task, "split": library.split, "source": library.source}
        base = np.ones(len(library), dtype=np.bool_)
        if asked.example:
            base &= np.fromiter((one == asked.example for one in library.example_ids), np.bool_, len(library))
        if words:
            base &= library.search(words)
        chosen, choices = _narrowed(base, facets, asked)
        numbers = np.flatnonzero(chosen)
        if self._verdicts:
            choices["check"] = _checks(self._verdicts)
        if not len(numbers) and asked.example and self._verdicts:
            return self._of_example(asked, library, self._verdicts)
        first, last, asked = _span(asked, len(numbers))
        rows = [int(number) for number in numbers[first:last]]
        said = self._verdicts.said_of({library.example_ids[row] for row in rows}) if self._verdicts else {}
        samples = _samples(library, rows, range(first + 1, last + 1), said)
        return Page(asked, words, samples, len(numbers), _pages(len(numbers), asked.size), choices)

    def _of_check(self, asked: Asked, library: Library, verdicts: VerdictShelf) -> Page:
        words = words_of(asked.words)
        facets = {name: verdicts.facets[name] for name in ("task", "check", "action", "reason")}
        check = "" if asked.check == ANY_CHECK else asked.check
        base = verdicts.holding(words)
        wanted = Asked(task=asked.task, check=check, action=asked.action, reason=asked.reason)
        chosen, choices = _narrowed(base, facets, wanted, verdicts.things)
        any_check = _narrowed(base, facets, replace(wanted, check=""), verdicts.things)[0]
        choices["check"] = {ANY_CHECK: len(np.unique(verdicts.things[any_check])), **choices["check"]}
        ids = verdicts.examples_of(chosen)
        first, last, asked = _span(asked, len(ids))
        samples = _of_examples(library, verdicts, ids[first:last], first + 1)
        return Page(asked, words, samples, len(ids), _pages(len(ids), asked.size), choices)

    def _of_example(self, asked: Asked, library: Library, verdicts: VerdictShelf) -> Page:
        """Return the page of an example that was not published."""
        samples = _of_examples(library, verdicts, [asked.example], 1)
        return Page(asked, words_of(asked.words), samples, len(samples), 1, {"check": _checks(verdicts)})


def _of_examples(library: Library, verdicts: VerdictShelf, ids: Sequence[str], first: int) -> tuple[Sample, ...]:
    """Return examples as their first published row or, without one, as they are."""
    wanted = set(ids)
    rows = {one: row for row, one in reversed(list(enumerate(library.example_ids))) if one in wanted}
    said = verdicts.said_of(ids)
    numbers = {one: number for number, one in enumerate(ids, start=first)}
    published = _samples(library, list(rows.values()), [numbers[one] for one in rows], said)
    unpublished = [
        _unpublished(example, numbers[one], said.get(one, ()))
        for one, example in verdicts.examples([one for one in ids if one not in rows]).items()
    ]
    return tuple(sorted([*published, *unpublished], key=lambda sample: sample.number))


def _samples(
    library: Library, rows: Sequence[int], numbers: Sequence[int], said: Mapping[str, tuple[Finding, ...]]
) -> tuple[Sample, ...]:
    """Return published rows by their place in the library, with their numbers on the page."""
    found = []
    for row, number, columns in zip(rows, numbers, library.read(rows), strict=True):
        shown = {name: text for name, text in columns.items() if text}
        found.append(
            Sample(
                number=number,
                example_id=library.example_ids[row],
                task=_value(library.task, row),
                split=_value(library.split, row),
                source=_value(library.source, row),
                setting=shown.get("setting", ""),
                content={name: columns.get(name, "") for name in _CONTENT},
                row=shown,
                findings=said.get(library.example_ids[row], ()),
            )
        )
    return tuple(found)


def _unpublished(example: Example, number: int, said: tuple[Finding, ...]) -> Sample:
    content = example_content(example)
    return Sample(number, example.example_id, example.task, "", example.source, "", content, {}, said)


def _narrowed(
    base: NDArray[np.bool_], facets: Mapping[str, Facet], asked: Asked, things: NDArray[np.int64] | None = None
) -> tuple[NDArray[np.bool_], dict[str, Mapping[str, int]]]:
    """Return what passes all facets, and what each value of each would leave, the others being as they are."""
    masks = {name: facet.mask(getattr(asked, name)) for name, facet in facets.items() if getattr(asked, name)}
    chosen: NDArray[np.bool_] = np.logical_and.reduce([base, *masks.values()])
    choices: dict[str, Mapping[str, int]] = {}
    for name, facet in facets.items():
        if not any(facet.names):
            continue
        others = np.logical_and.reduce([base, *(mask for other, mask in masks.items() if other != name)])
        choices[name] = facet.counts(others, things)
    return chosen, choices


def _checks(verdicts: VerdictShelf) -> dict[str, int]:
    """Return the checks, and of how many examples each said something."""
    facet = verdicts.facets["check"]
    everything = np.ones(len(facet.codes), dtype=np.bool_)
    return {ANY_CHECK: len(np.unique(verdicts.things)), **facet.counts(everything, verdicts.things)}


def _value(facet: Facet, row: int) -> str:
    return facet.names[int(facet.codes[row])]


def _span(asked: Asked, total: int) -> tuple[int, int, Asked]:
    """Return where the page begins and ends, and what was asked for with a page that there is."""
    page = max(1, min(asked.page, _pages(total, asked.size)))
    first = (page - 1) * asked.size
    settled = replace(asked, page=page)
    return first, min(first + asked.size, total), settled


def _pages(total: int, size: int) -> int:
    return max(1, -(-total // size))


def _state(dataset: Path) -> tuple[tuple[str, int, int], ...]:
    """Return what changes when a file of the dataset does."""
    try:
        stats = [(str(path), path.stat()) for path in dataset_files(dataset)]
    except OSError as error:
        raise UserError(f"The dataset in '{dataset}' cannot be read: {error.strerror}.") from error
    return tuple((name, stat.st_mtime_ns, stat.st_size) for name, stat in stats)
