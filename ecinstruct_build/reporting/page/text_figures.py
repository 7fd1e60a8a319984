"""Figures of the texts: lengths, labels, positions, instructions, duplicates, languages."""

from collections.abc import Sequence

from ecinstruct_build.reporting.page.charts import Row, columns, histograms, stacked
from ecinstruct_build.reporting.page.contents import BINS
from ecinstruct_build.reporting.page.data import Labels, Lengths, Positions, ReportData
from ecinstruct_build.reporting.page.figure import Figure, Table
from ecinstruct_build.reporting.page.svg import Frame
from ecinstruct_build.reporting.page.words import DASH, count, counted, figure, named, place_named, share

_TICKS = (1, 4, 16, 64, 256, 1024)

_COLUMN_NOTES = {
    "input": "Words of each example's input.",
    "instruction": "Words of each published row's instruction.",
    "output": "Words of each example's output; one word where the answer is a letter.",
}


def lengths(data: ReportData) -> list[Figure]:
    """Draw how long inputs, instructions and outputs are: a histogram for each task."""
    by_column = {column: [one for one in data.lengths if one.column == column] for column in _COLUMN_NOTES}
    return [_lengths(column, found) for column, found in by_column.items() if found]


def _lengths(column: str, found: Sequence[Lengths]) -> Figure:
    used = [place for one in found for place, texts in enumerate(one.bins) if texts]
    first, last = min(used), max(used)
    bins = last - first + 1
    rows = [
        Row(
            label=named(one.task),
            shown=f"median {count(one.median)} · 95% ≤ {count(one.p95)} · most {count(one.longest)}",
            parts=tuple(texts / one.texts for texts in one.bins[first : last + 1]),
            tips=tuple(f"{_bin(place)}: {count(one.bins[place])}" for place in range(first, last + 1)),
        )
        for one in found
    ]
    marks = [tuple((_along(words) - first) / bins for words in (one.median, one.p95)) for one in found]
    ticks = [
        Row(count(words), "", ((BINS.index(words) - first) / bins,))
        for words in _TICKS
        if first <= BINS.index(words) <= last
    ]
    frame = Frame(
        f"lengths-{column}",
        f"Words of {column}s",
        f"A histogram for each of {counted(len(rows), 'task')}; the table has the figures.",
    )
    note = (
        f"{_COLUMN_NOTES[column]} Each step of the scale is half as long again as the one before it, roughly. Solid "
        "line: median; dashed line: 95% are not longer."
    )
    table = [
        [
            named(one.task),
            *map(count, (one.texts, one.median, one.p95, one.longest)),
            *map(count, one.bins[first : last + 1]),
        ]
        for one in found
    ]
    heads = ("task", "texts", "median", "95%", "longest", *(_bin(place) for place in range(first, last + 1)))
    pairs = [(median, p95) for median, p95 in marks]
    return Figure(frame, note, histograms(frame, rows, pairs, ticks), Table(heads, table))


def _bin(place: int) -> str:
    low = BINS[place]
    if place + 1 == len(BINS):
        return f"{count(low)} or more words"
    high = BINS[place + 1] - 1
    return f"{low} words" if high == low else f"{count(low)}-{count(high)} words"


def _along(words: int) -> float:
    """Return where so many words stand on the scale, in bins."""
    place = max(index for index, low in enumerate(BINS) if low <= words)
    if place + 1 == len(BINS):
        return place + 0.5
    return place + (words - BINS[place] + 0.5) / (BINS[place + 1] - BINS[place])


def labels(data: ReportData) -> list[Figure]:
    """Draw each task's labels by split."""
    return [_labels(one) for one in data.labels]


def _labels(one: Labels) -> Figure:
    rows, table = [], []
    for split, counts in one.counts.items():
        total = sum(counts)
        parts = tuple(number / total for number in counts)
        tips = tuple(f"{name}: {share(part)}" for name, part in zip(one.names, parts, strict=True))
        rows.append(Row(place_named(split), counted(total, "example"), parts, tips))
        table.append([place_named(split), *(f"{count(number)} ({share(number, total)})" for number in counts)])
    frame = Frame(
        f"labels-{one.task}",
        f"Labels: {named(one.task)}",
        f"Shares of {counted(len(one.names), 'label')} in {counted(len(rows), 'split')}.",
    )
    chart = stacked(frame, rows)
    return Figure(frame, "", chart, Table(("split", *one.names), table), one.names)


def positions(data: ReportData) -> list[Figure]:
    """Draw at which letters right options stand, where chance orders them."""
    return [_positions(one) for one in data.positions]


def _positions(one: Positions) -> Figure:
    found = [
        (letter, seen, expected, f"{letter}: {count(seen)}, {expected:.1f} expected")
        for letter, seen, expected in one.letters
    ]
    said = "" if one.probability is None else f" Chance alone is as uneven with probability {one.probability:.2g}."
    note = f"{counted(one.examples, 'example')}; the line shows what is expected if all letters are alike.{said}"
    frame = Frame(
        f"positions-{one.task}",
        f"Letters of right options: {named(one.task)}",
        f"Columns for {counted(len(found), 'letter')} with the number expected of each.",
    )
    table = [[letter, count(seen), f"{expected:.1f}"] for letter, seen, expected, _ in found]
    chart = columns(frame, found)
    return Figure(frame, note, chart, Table(("letter", "right", "expected"), table))


def instructions(data: ReportData) -> Figure:
    """Draw how evenly each task's wordings are used in rows of seen instructions, and how many are held out."""
    rows, table = [], []
    for one in data.diversity:
        seen = [wording for wording in one.instructions if not wording.held_out]
        held_out = [wording for wording in one.instructions if wording.held_out]
        used = [sum(wording.rows.values()) for wording in seen]
        total = sum(used) or 1
        parts = tuple(rows_ / total for rows_ in used)
        tips = tuple(f"{wording.template_id}: {share(part)}" for wording, part in zip(seen, parts, strict=True))
        rows.append(Row(named(one.task), f"{len(seen)} seen, {len(held_out)} held out", parts, tips))
        least, most = (share(pick(used, default=0), total) for pick in (min, max))
        unseen = sum(sum(wording.rows.values()) for wording in held_out)
        table.append(
            [named(one.task), *map(count, (len(seen), total)), least, most, *map(count, (len(held_out), unseen))]
        )
    frame = Frame("instructions", "Use of seen instructions", f"A bar in parts for each of {len(rows)} tasks.")
    note = "Each part is one wording's share of the task's rows; held-out wordings stand in rows of their own."
    heads = ("task", "seen", "their rows", "least used", "most used", "held out", "their rows")
    return Figure(frame, note, stacked(frame, rows), Table(heads, table))


def diversity(data: ReportData) -> Table:
    """Return how different each task's instructions, inputs and outputs are."""
    rows = [
        [
            named(one.task),
            *(figure(value) for value in (one.distinct_1, one.distinct_2, one.overlap)),
            share(one.distinct_inputs, one.inputs),
            share(one.distinct_outputs, one.inputs),
        ]
        for one in data.diversity
    ]
    heads = ("task", "distinct-1", "distinct-2", "overlap", "distinct inputs", "distinct outputs")
    return Table(heads, rows)


def wordings(data: ReportData) -> list[tuple[str, Table]]:
    """Return every task's wordings with their rows by published split."""
    heads = ("wording", *map(place_named, data.places), "words of it")
    tables = []
    for one in data.diversity:
        rows = [
            [
                f"{wording.template_id} (held out)" if wording.held_out else wording.template_id,
                *(count(wording.rows.get(place, 0)) for place in data.places),
                wording.text,
            ]
            for wording in one.instructions
        ]
        tables.append((named(one.task), Table(heads, rows, words=("words of it",))))
    return tables


def duplicates(data: ReportData) -> Figure:
    """Draw how many duplicates were left out, by task."""
    kinds = tuple(data.duplicates.counts)
    tasks = sorted({task for counts in data.duplicates.counts.values() for task in counts})
    found = {task: [data.duplicates.counts[kind].get(task, 0) for kind in kinds] for task in tasks}
    most = max((sum(counts) for counts in found.values()), default=0) or 1
    rows = [
        Row(
            named(task),
            counted(sum(counts), "example"),
            tuple(number / most for number in counts),
            tuple(f"{kind}: {count(number)}" for kind, number in zip(kinds, counts, strict=True)),
        )
        for task, counts in found.items()
    ]
    table = [[named(task), *map(count, counts)] for task, counts in found.items()]
    frame = Frame(
        "duplicates",
        "Duplicates left out, by task",
        f"Bars for {counted(len(rows), 'task')}, the longest {counted(most, 'example')}.",
    )
    return Figure(frame, "", stacked(frame, rows), Table(("task", *kinds), table), kinds)


def locales(data: ReportData) -> Figure:
    """Draw the examples of each marketplace, and those left out for their language."""
    kinds = ("in the dataset", "left out for their language", "left out for other reasons, or to spare")
    most = max((one.drawn for one in data.locales), default=0) or 1
    rows, table = [], []
    for one in data.locales:
        foreign = sum(one.foreign.values())
        parts = (one.examples, foreign, max(0, one.drawn - one.examples - foreign))
        rows.append(
            Row(
                one.locale or "none stated",
                f"{counted(one.drawn, 'example')} drawn, {count(foreign)} foreign",
                tuple(part / most for part in parts),
                tuple(f"{kind}: {count(part)}" for kind, part in zip(kinds, parts, strict=True)),
            )
        )
        said = "; ".join(f"{what}: {count(number)}" for what, number in one.foreign.items()) or DASH
        table.append([one.locale or "none stated", count(one.drawn), *map(count, parts), said])
    frame = Frame(
        "locales",
        "Language by marketplace",
        f"Bars for {counted(len(rows), 'marketplace')}, the longest {counted(most, 'example')}.",
    )
    heads = ("marketplace", "drawn", *kinds, "found")
    chart = stacked(frame, rows)
    return Figure(frame, "", chart, Table(heads, table, words=("found",)), kinds)
