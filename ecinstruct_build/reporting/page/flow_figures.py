"""Figures of what came in and what went out: records, examples, splits, leakage, time."""

from collections import Counter
from collections.abc import Callable, Sequence

from ecinstruct_build.reporting.page.charts import Cell, Kind, Row, kinds_of, matrix, pairs_of_dots, stacked
from ecinstruct_build.reporting.page.data import Counts, ReportData, TaskFlow
from ecinstruct_build.reporting.page.figure import Figure, Table
from ecinstruct_build.reporting.page.svg import Frame
from ecinstruct_build.reporting.page.words import DASH, broken, count, counted, named, place_named, seconds, share
from ecinstruct_build.shortfall import SourceShare

_ENDS = ("in the dataset", "drawn to spare", "dropped by the split", "rejected by a check")

OVER_QUOTA = "over quota"
"""The split's word for an example that was drawn to spare."""

_SHOWN = 12  # reasons
_NARROW = 3  # columns of a matrix that a telephone has room for
_KEPT, _ODD, _BAD, _PLAIN = 0, 1, 4, 7  # the page's colours for what is in, what is not, what is amiss, and the rest


def records(data: ReportData) -> Figure:
    """Draw what became of each corpus's records."""
    kinds = kinds_of(("ingested", "equal to an earlier record", "quarantined as malformed"), (_KEPT, _PLAIN, _BAD))
    most = max((one.records for one in data.sources), default=0) or 1
    rows, table = [], []
    for one in data.sources:
        parts = (one.ingested, one.collapsed, one.quarantined)
        tips = tuple(f"{one.source}: {count(part)} {kind.name}" for part, kind in zip(parts, kinds, strict=True))
        left_out = f"{share(one.collapsed + one.quarantined, one.records)} set aside"
        shown = f"{counted(one.records, 'record')}, {left_out}"
        rows.append(Row(one.source, shown, tuple(part / most for part in parts), tips))
        drawn = (one.drawn, one.examples, sum(one.samples.values()))
        table.append([one.source, *map(count, (one.files, one.records, *parts, *drawn))])
    heads = (
        "corpus",
        "files",
        "records",
        *(kind.name for kind in kinds),
        "examples drawn",
        "examples kept",
        "published rows",
    )
    note = "Every record is ingested, set aside as equal to an earlier one, or quarantined with a reason."
    frame = Frame(
        "records",
        "Records by corpus",
        f"A bar for each of {len(rows)} corpora, the longest of {counted(most, 'record')}.",
    )
    return Figure(frame, note, stacked(frame, rows, kinds), Table(heads, table), kinds)


def sources_of_tasks(data: ReportData) -> Figure:
    """Draw which corpus each task's rows come from."""
    heads = [one.source for one in data.sources]
    most = max((rows for one in data.sources for rows in one.samples.values()), default=0) or 1
    drawn, table = [], []
    for task in data.tasks:
        by_source = {source: sum(found.values()) for source, found in task.sources.items()}
        found = [by_source.get(head, 0) for head in heads]
        cells = [
            Cell(count(rows) if rows else "", rows / most, "" if rows else "none", f"{counted(rows, 'row')} of {head}")
            for rows, head in zip(found, heads, strict=True)
        ]
        drawn.append((named(task.task), cells))
        for source, by_place in task.sources.items():
            counts = [by_place.get(place, 0) for place in data.places]
            table.append([f"{named(task.task)}: {source}", *map(count, counts), count(by_source[source])])
    frame = Frame(
        "origins",
        "Published rows by task and corpus",
        f"Rows of {counted(len(drawn), 'task')} from {len(heads)} corpora; the table has the figures.",
    )
    lines = [head.replace("_", "\n") for head in heads]
    chart = matrix(frame, lines, drawn, cell=62)
    shown = Table(("task: corpus", *map(place_named, data.places), "all"), table)
    note = "The corpus that each row was made from; the table has it by split."
    return Figure(frame, note, chart, shown, sideways=len(heads) > _NARROW)


def shares(data: ReportData) -> Figure:
    """Draw which share each corpus was to have of the tasks whose recipe asks for shares, and which it has."""
    rows, table = [], []
    for task in data.tasks:
        for one in task.shares:
            name, wanted = f"{named(task.task)}: {one.source}", share(one.wanted)
            made = sum(one.made.values()) / (sum(one.every.values()) or 1)
            tips = (f"has {share(made)}", f"asked for: {wanted}")
            short = " \N{BALLOT X}" if any(map(one.is_short, data.splits)) else ""
            rows.append(Row(name, f"{share(made)}, asked for {wanted}{short}", (made, one.wanted), tips))
            table.append([name, wanted, count(one.drawn), *(_share_made(one, split) for split in data.splits)])
    note = (
        "Dot: the corpus's share of the task's examples. Hollow diamond: what the recipe asks for, in every split. A "
        "cross marks less than that in a split, by more than one example: what a corpus lacks, the others make up for. "
        "A dash: the split has no example, or the corpus none out of domain."
    )
    frame = Frame(
        "shares",
        "Shares of the corpora, against what was asked for",
        f"A dot and a diamond on a scale from 0% to 100% for {counted(len(rows), 'share')}.",
    )
    heads = ("task: corpus", "asked for", "examples drawn", *map(place_named, data.splits))
    return Figure(frame, note, pairs_of_dots(frame, rows), Table(heads, table))


def _share_made(one: SourceShare, split: str) -> str:
    made = one.in_split(split)
    if made is None:
        return DASH
    return f"{share(made)}\N{NO-BREAK SPACE}\N{BALLOT X}" if one.is_short(split) else share(made)


def examples(data: ReportData) -> Figure:
    """Draw what became of each task's drawn examples."""
    kinds = kinds_of(_ENDS, (_KEPT, _PLAIN, _ODD, _BAD))
    most = max((one.drawn for one in data.tasks), default=0) or 1
    rows, table = [], []
    for one in data.tasks:
        spare = one.dropped.get(OVER_QUOTA, 0)
        parts = (
            sum(one.examples.values()),
            spare,
            sum(one.dropped.values()) - spare,
            sum(one.rejected.values()),
        )
        tips = tuple(f"{named(one.task)}: {count(part)} {kind.name}" for part, kind in zip(parts, kinds, strict=True))
        shown = f"{count(one.drawn)} drawn, {count(parts[0])} in the dataset"
        rows.append(Row(named(one.task), shown, tuple(part / most for part in parts), tips))
        frozen, published = sum(one.frozen.values()), sum(one.samples.values())
        table.append([named(one.task), *map(count, (one.drawn, *parts, frozen, published))])
    note = (
        "More examples are drawn than are wanted, so that those that checks or the split leave out can be replaced. "
        "An example is published several times where it tests unseen instructions as well."
    )
    frame = Frame(
        "examples",
        "Examples by task",
        f"Bars of drawn examples for {counted(len(rows), 'task')}, the longest {count(most)}, in four parts.",
    )
    heads = ("task", "drawn", *_ENDS, "kept from an earlier build", "published rows")
    return Figure(frame, note, stacked(frame, rows, kinds), Table(heads, table), kinds)


def left_out(data: ReportData) -> Figure:
    """Draw why examples were left out, all tasks together."""
    rejected, dropped = (_summed(data, how) for how in (lambda one: one.rejected, lambda one: one.dropped))
    dropped.pop(OVER_QUOTA, None)
    kinds = (Kind(3, _ODD, _ENDS[2]), Kind(4, _BAD, _ENDS[3]))
    reasons = [(reason, number, (0, number)) for reason, number in rejected.items()]
    reasons += [(f"split: {reason}", number, (number, 0)) for reason, number in dropped.items()]
    reasons.sort(key=lambda one: (-one[1], one[0]))
    most = max((number for _, number, _ in reasons), default=0) or 1
    rows = [
        Row(reason, count(number), tuple(part / most for part in parts)) for reason, number, parts in reasons[:_SHOWN]
    ]
    by_task = [
        [reason, *(count(_of(one, reason)) for one in data.tasks), count(number)] for reason, number, _ in reasons
    ]
    more = len(reasons) - len(rows)
    note = "Reasons of checks carry the check's name." + (
        f" The {len(rows)} most frequent reasons; the table has {more} more." if more else ""
    )
    heads = ("reason", *(named(one.task) for one in data.tasks), "all")
    frame = Frame(
        "left-out",
        "Why examples were left out",
        f"Bars for {counted(len(rows), 'reason')}, the longest {count(most)} examples.",
    )
    return Figure(frame, note, stacked(frame, rows, kinds), Table(heads, by_task), kinds)


def _summed(data: ReportData, reasons_of: Callable[[TaskFlow], Counts]) -> Counter[str]:
    return sum((Counter(reasons_of(one)) for one in data.tasks), Counter[str]())


def _of(task: TaskFlow, reason: str) -> int:
    dropped = task.dropped.get(reason.removeprefix("split: "), 0) if reason.startswith("split: ") else 0
    return task.rejected.get(reason, 0) + dropped


def quotas(data: ReportData) -> Figure:
    """Draw how full each task's splits are."""
    rows, table = [], []
    for one in data.tasks:
        cells, line = [], [named(one.task)]
        for split in data.splits:
            made, wanted = one.examples.get(split, 0) + one.frozen.get(split, 0), one.wanted.get(split, 0)
            line.append(f"{count(made)} of {count(wanted)}")
            tip = f"{named(one.task)}, {place_named(split)}: {line[-1]}"
            if not made and not wanted:
                cells.append(Cell("", 0, "none", tip))
            else:
                cells.append(Cell(count(made), min(1.0, made / max(1, wanted)), "bad" if made < wanted else "", tip))
        rows.append((named(one.task), cells))
        table.append([*line, count(one.made)])
    note = "The darker, the fuller; a cross marks a split with fewer examples than the recipe asks for."
    short = sum(cell.state == "bad" for _, cells in rows for cell in cells)
    frame = Frame(
        "quotas",
        "Examples by split, against the quota",
        f"{counted(short, 'split')} of {counted(len(rows), 'task')} fall short of the quota.",
    )
    heads = [broken(split) for split in data.splits]
    chart = matrix(frame, heads, rows, cell=54)
    return Figure(frame, note, chart, Table(("task", *map(place_named, data.splits), "all"), table))


def places(data: ReportData) -> Figure:
    """Draw the published rows by published split."""
    totals = [(place, sum(one.samples.get(place, 0) for one in data.tasks)) for place in data.places]
    most = max((rows for _, rows in totals), default=0) or 1
    rows = [
        Row(place_named(place), f"{count(number)}, {share(number, data.samples)}", (number / most,))
        for place, number in totals
    ]
    table = [
        [
            named(one.task),
            *(count(one.samples.get(place, 0)) for place in data.places),
            count(sum(one.samples.values())),
        ]
        for one in data.tasks
    ]
    table.append(["all", *(count(number) for _, number in totals), count(data.samples)])
    frame = Frame(
        "places",
        "Published rows by split",
        f"Bars for {counted(len(rows), 'split')}, {count(data.samples)} rows in all.",
    )
    heads = ("task", *map(place_named, data.places), "all")
    return Figure(frame, "", stacked(frame, rows, kinds_of([""])), Table(heads, table))


def leakage(data: ReportData) -> Figure:
    """Draw what splits share."""
    rows, table = [], []
    for one in data.leakage.rows:
        cells, line = [], [one.kind]
        for (left, right), cell in zip(data.leakage.pairs, one.cells, strict=True):
            if cell is None:
                cells.append(Cell(DASH, 0, "none", "nothing of the kind to compare"))
                line.append(DASH)
            else:
                shared, carrying, over = cell
                said = f"{count(shared)} of {count(carrying)}"
                tip = f"{one.kind}: {said} rows of {place_named(right)} share one with {place_named(left)}"
                cells.append(Cell(count(shared), _strength(shared, carrying), "bad" if over else "", tip))
                line.append(said)
        rows.append((one.kind if one.limited else f"{one.kind}, unlimited", cells))
        table.append([*line, one.meaning])
    note = (
        "Rows of the lower split that share something with the upper one, by what is compared. Read by the audit from "
        "the published files alone. A dash: no row has anything of the kind. Unlimited kinds are reported only."
    )
    found = sum(cell.state == "bad" for _, cells in rows for cell in cells)
    frame = Frame(
        "leakage",
        "What splits share",
        f"{counted(found, 'field')} of the matrix exceed a limit." if found else "No field exceeds a limit.",
    )
    heads = [f"{broken(left)}\n↓\n{broken(right)}" for left, right in data.leakage.pairs]
    names = [f"{place_named(left)} → {place_named(right)}" for left, right in data.leakage.pairs]
    chart = matrix(frame, heads, rows, cell=67)
    shown = Table(("kind", *names, "meaning"), table, words=("meaning",))
    return Figure(frame, note, chart, shown, sideways=len(heads) > _NARROW)


def _strength(shared: int, carrying: int) -> float:
    return 0.25 + 0.75 * shared / carrying if shared else 0.0


def retention(data: ReportData) -> Figure:
    """Draw how many in-domain examples the split keeps, against hashing products into splits."""
    rows, table = [], []
    for one in data.tasks:
        found = one.retention
        if found["examples"]:
            kept, hashed = (found[way] / found["examples"] for way in ("kept", "hashing"))
            tips = (f"kept: {share(kept)}", f"by hashing: {share(hashed)}")
            rows.append(Row(named(one.task), f"{share(kept)} against {share(hashed)}", (kept, hashed), tips))
        for products, counts in [("all", found), *sorted(one.retention_by_products.items())]:
            figures = [counts[way] for way in ("examples", "kept", "hashing")]
            shares = [share(part, figures[0]) for part in figures[1:]]
            table.append([f"{named(one.task)}, {products}", *map(count, figures), *shares])
    note = (
        "Dot: in-domain examples that the split could keep. Hollow diamond: what would be left if each product were "
        "hashed into a split. The table has it by products in an example."
    )
    frame = Frame(
        "retention",
        "What a split without leakage keeps",
        f"A dot and a diamond on a scale from 0% to 100% for {counted(len(rows), 'task')}.",
    )
    heads = ("task, products", "examples", "kept", "by hashing", "share kept", "share by hashing")
    return Figure(frame, note, pairs_of_dots(frame, rows), Table(heads, table))


def times(data: ReportData) -> Figure:
    """Draw what each kind of stage took."""
    most = max((one.seconds + one.reused_seconds for one in data.stages), default=0) or 1
    rows, table = [], []
    for one in data.stages:
        said = seconds(one.seconds) if one.ran else f"reused ({seconds(one.reused_seconds)})"
        if one.ran and one.reused:
            said += f" and {counted(one.reused, 'result')} reused"
        rows.append(Row(one.stage, said, (one.seconds / most, one.reused_seconds / most)))
        table.append(
            [one.stage, count(one.ran), figure_of(one.seconds), count(one.reused), figure_of(one.reused_seconds)]
        )
    kinds = kinds_of(("ran in this build", "reused from an earlier one: what it took then"), (_KEPT, _PLAIN))
    frame = Frame("times", "Time by stage", f"Bars for {counted(len(rows), 'stage')}, the longest {seconds(most)}.")
    heads = ("stage", "ran", "seconds", "reused", "seconds then")
    note = "Seconds of each stage's runs together."
    return Figure(frame, note, stacked(frame, rows, kinds), Table(heads, table), kinds)


def figure_of(value: float) -> str:
    """Return seconds with two decimals."""
    return f"{value:.2f}"


def steps(data: ReportData) -> Table:
    """Return what each task counted on its way to its examples."""
    rows: Sequence[Sequence[str]] = [
        (named(one.task), step, count(number)) for one in data.tasks for step, number in one.steps
    ]
    return Table(("task", "step", "count"), rows, words=("step",))


def quarantined(data: ReportData) -> Table:
    """Return why records were quarantined."""
    rows = [
        (one.source, reason, count(number))
        for one in data.sources
        for reason, number in sorted(one.reasons.items(), key=lambda each: (-each[1], each[0]))
    ]
    return Table(("corpus", "reason", "records"), rows, words=("reason",))
