"""Figures of the texts: lengths, labels, positions, instructions, duplicates, languages."""

from collections.abc import Sequence

from ecinstruct_build.reporting.page.charts import Row, columns, histograms, kinds_of, stacked
from ecinstruct_build.reporting.page.contents import BINS
from ecinstruct_build.reporting.page.data import Labels, Lengths, Positions, ReportData
from ecinstruct_build.reporting.page.figure import Figure, Table
from ecinstruct_build.reporting.page.svg import Frame
from ecinstruct_build.reporting.page.words import DASH, count, counted, figure, named, place_named, share

_TICKS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048)

_COLUMN_NOTES = {
    "input": "Words of each example's input.",
    "instruction": "Words of each published row's instruction.",
    "output": "Words of each example's output.",
}


def lengths(data: ReportData) -> list[Figure]:
    """Draw how long inputs, instructions and outputs are: a histogram for each task."""
    by_column = {column: [one for one in data.lengths if one.column == column] for column in _COLUMN_NOTES}
    return [_lengths(column, found) for column, found in by_column.items() if found]


def _lengths(column: str, found: Sequence[Lengths]) -> Figure:
    drawn = [one for one in found if one.longest > 1]
    used = [place for one in drawn for place, texts in enumerate(one.bins) if texts]
    first, last = min(used, default=0), max(used, default=0)
    places, bins = range(first, last + 1), last - first + 1
    rows = [
        Row(
            label=named(one.task),
            shown=f"median {count(one.median)}, 95% up to {count(one.p95)}, longest {count(one.longest)}",
            parts=tuple(one.bins[place] / one.texts for place in places),
            tips=tuple(f"{_bin(place)}: {count(one.bins[place])}" for place in places),
        )
        for one in drawn
    ]
    marks = [((_along(one.median) - first) / bins, (_along(one.p95) - first) / bins) for one in drawn]
    ticks = [(count(words), (BINS.index(words) - first) / bins) for words in _TICKS if BINS.index(words) in places]
    frame = Frame(
        f"lengths-{column}",
        f"Words of {column}s",
        f"A histogram for each of {counted(len(rows), 'task')}; the table has the figures.",
    )
    note = (
        f"{_COLUMN_NOTES[column]} The scale doubles every four steps. Solid line: median; dashed: 95% are not longer."
    )
    if len(drawn) < len(found):
        note += f" {counted(len(found) - len(drawn), 'task')} with answers of one word are in the table only."
    table = [
        [named(one.task), *map(count, (one.texts, one.median, one.p95, one.longest, *one.bins[first : last + 1]))]
        for one in found
    ]
    heads = ("task", "texts", "median", "95%", "longest", *map(_bin, places))
    return Figure(frame, note, histograms(frame, rows, marks, ticks), Table(heads, table))


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
    kinds = kinds_of(one.names)
    return Figure(frame, "", stacked(frame, rows, kinds), Table(("split", *one.names), table), kinds)


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
    longest = max((len(row.parts) for row in rows), default=0)
    frame = Frame("instructions", "Use of seen instructions", f"A bar in parts for each of {len(rows)} tasks.")
    note = (
        "Each part is one wording's share of the task's rows, numbered as in the lists below; held-out wordings stand "
        "in rows of their own."
    )
    heads = ("task", "seen", "their rows", "least used", "most used", "held out", "their rows")
    return Figure(frame, note, stacked(frame, rows, kinds_of([""] * longest)), Table(heads, table))


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
                f"{place}. {wording.template_id}{' (held out)' if wording.held_out else ''}",
                *(count(wording.rows.get(place, 0)) for place in data.places),
                wording.text,
            ]
            for place, wording in enumerate(one.instructions, 1)
        ]
        tables.append((named(one.task), Table(heads, rows, words=("words of it",))))
    return tables


def duplicates(data: ReportData) -> Figure:
    """Draw how many duplicates were left out, by task."""
    kinds = kinds_of(tuple(data.duplicates.counts))
    tasks = sorted({task for counts in data.duplicates.counts.values() for task in counts})
    found = {task: [data.duplicates.counts[kind.name].get(task, 0) for kind in kinds] for task in tasks}
    most = max((sum(counts) for counts in found.values()), default=0) or 1
    rows = []
    for task, counts in found.items():
        tips = tuple(f"{kind.name}: {count(number)}" for kind, number in zip(kinds, counts, strict=True))
        parts = tuple(number / most for number in counts)
        rows.append(Row(named(task), counted(sum(counts), "example"), parts, tips))
    table = [[named(task), *map(count, counts)] for task, counts in found.items()]
    told = f"Bars for {counted(len(rows), 'task')}, the longest {counted(most, 'example')}."
    frame = Frame("duplicates", "Duplicates left out, by task", told)
    heads = ("task", *(kind.name for kind in kinds))
    return Figure(frame, "", stacked(frame, rows, kinds), Table(heads, table), kinds)


def locales(data: ReportData) -> Figure:
    """Draw the examples of each marketplace, and those left out for their language."""
    names = ("in the dataset", "left out for their language", "left out for other reasons, or to spare")
    kinds = kinds_of(names, (0, 4, 7))
    most = max((one.drawn for one in data.locales), default=0) or 1
    rows, table = [], []
    for one in data.locales:
        foreign, name = sum(one.foreign.values()), one.locale or "none stated"
        numbers = (one.examples, foreign, max(0, one.drawn - one.examples - foreign))
        tips = tuple(f"{kind}: {count(number)}" for kind, number in zip(names, numbers, strict=True))
        shown = f"{counted(one.drawn, 'example')} drawn, {count(foreign)} foreign"
        rows.append(Row(name, shown, tuple(number / most for number in numbers), tips))
        said = "; ".join(f"{what}: {count(number)}" for what, number in one.foreign.items()) or DASH
        table.append([name, count(one.drawn), *map(count, numbers), said])
    told = f"Bars for {counted(len(rows), 'marketplace')}, the longest {counted(most, 'example')}."
    frame = Frame("locales", "Language by marketplace", told)
    heads = ("marketplace", "drawn", *names, "found")
    return Figure(frame, "", stacked(frame, rows, kinds), Table(heads, table, words=("found",)), kinds)
