"""Figures of what was found by people, and of planted defects."""

from collections.abc import Mapping, Sequence
from typing import Any

from ecinstruct_build.reporting.page.charts import Row, Whisker, kinds_of, stacked, whiskers
from ecinstruct_build.reporting.page.figure import Figure, Table
from ecinstruct_build.reporting.page.reviewed import Review, Reviewed
from ecinstruct_build.reporting.page.svg import Frame
from ecinstruct_build.reporting.page.words import DASH, count, counted, figure, named, share

_SHOWN = 20  # disagreements, and places of a kind of defect that were missed


def verdict_of(one: Reviewed) -> str:
    """Say whether a task passes, in a word or two."""
    if one.passed is None:
        return "too small to tell" if one.finished and not one.promise else "not finished"
    return "passed" if one.passed else "failed"


def defect_rates(review: Review) -> Figure:
    """Draw each task's defect rate with its interval, against what the recipe tolerates."""
    tasks = (*review.tasks, review.overall)
    states = {True: "good", False: "bad", None: "open"}
    rows, table = [], []
    for one in tasks:
        name = named(one.task) or "All tasks"
        verdict = verdict_of(one)
        rate = "nothing judged" if one.rate is None else f"{counted(one.defects, 'defect')} in {count(one.judged)}"
        rows.append(Whisker(name, f"{rate}, {verdict}", one.rate, one.low, one.high, states[one.passed]))
        interval = f"{share(one.low)} to {share(one.high)}" if one.rate is not None else DASH
        rated = DASH if one.rate is None else share(one.rate)
        bound = DASH if one.upper_bound is None else share(one.upper_bound)
        numbers = (one.population, one.items, one.judged, one.defects)
        agreed = DASH if one.agreement is None else share(one.agreement)
        table.append(
            [
                *(name, *map(count, numbers), rated, interval, bound, verdict),
                *(count(one.doubles), agreed, figure(one.kappa), figure(one.alpha)),
            ]
        )
    limit, sure = share(review.max_defect_rate), share(review.confidence)
    note = (
        f"Share of judged rows that are defective, with Wilson's interval ({sure}). A task passes if at most {limit} "
        f"of all its rows are defective, at {sure} confidence. Dot: passed; diamond: failed; hollow dot: cannot be "
        "told yet."
    )
    frame = Frame(
        "review-rates",
        "Defects that people found",
        f"Dots with intervals for {counted(len(review.tasks), 'task')} and all together; the limit is {limit}.",
    )
    figures = ("rows", "to judge", "judged", "defects", "rate", "interval", "upper bound", "verdict")
    heads = ("task", *figures, "doubles", "agreement", "kappa", "alpha")
    chart = whiskers(frame, rows, review.max_defect_rate)
    return Figure(frame, note, chart, Table(heads, table, words=("verdict",)))


def verdicts(review: Review) -> Table:
    """Return how often each verdict was given, by task."""
    kinds = tuple(review.overall.verdicts)
    rows = [
        (named(one.task) or "All tasks", *(count(one.verdicts.get(kind, 0)) for kind in kinds))
        for one in (*review.tasks, review.overall)
    ]
    return Table(("task", *(kind.replace("_", " ") for kind in kinds)), rows)


def planted(scores: Sequence[Mapping[str, Any]]) -> Figure:
    """Draw how many planted defects were found, by kind."""
    rows, table = [], []
    for one in scores:
        name = one["kind"].replace("_", " ")
        found, reachable = one["found"], one["reachable"]
        precise = None if one["natural"] and one["right"] < one["findings"] else one["precision"]
        form = one["form"] or "all"
        numbers = (one["planted"], reachable, found, one["findings"], one["right"])
        table.append([f"{name}: {form}", *map(count, numbers), figure(one["recall"], 3), figure(precise, 3)])
        if not one["form"] and reachable:
            parts = (found / reachable, 1 - found / reachable)
            rows.append(Row(name, f"{count(found)} of {count(reachable)}", parts, (f"found: {found}", "missed")))
    note = (
        "Defects that the generator of the sample corpora planted, as far as an example shows them. Precision is not "
        "said where the generated world has cases of its own."
    )
    frame = Frame(
        "planted",
        "Planted defects that were found",
        f"A bar in two parts, found and missed, for each of {counted(len(rows), 'kind')}.",
    )
    heads = ("kind and form", "planted", "shown", "found", "findings", "right", "recall", "precision")
    kinds = kinds_of(("found", "missed"), (0, 4))
    return Figure(frame, note, stacked(frame, rows, kinds), Table(heads, table), kinds)


def disagreements(review: Review) -> Table:
    """Return the rows about which people disagreed."""
    rows = [
        (str(number), example, ", ".join(said).replace("_", " "), "defective" if defective else "good")
        for number, example, defective, said in review.disagreements[:_SHOWN]
    ]
    return Table(("item", "example", "verdicts", "counts as"), rows, words=("example", "verdicts", "counts as"))


def missed(scores: Sequence[Mapping[str, Any]]) -> Table:
    """Return where planted defects stand that were not found."""
    rows = []
    for one in scores:
        if not one["form"] and one["missed"]:
            more = len(one["missed"]) - _SHOWN
            places = ", ".join(one["missed"][:_SHOWN]) + (f" and {count(more)} more" if more > 0 else "")
            rows.append((one["kind"].replace("_", " "), places))
    return Table(("kind", "missed at"), rows, words=("missed at",))
