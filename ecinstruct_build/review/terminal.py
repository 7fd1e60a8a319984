"""Show on a terminal what a review takes, and what it found."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from ecinstruct_build.audit.texts import counted
from ecinstruct_build.console import print_whole
from ecinstruct_build.review.desk import TakenIn
from ecinstruct_build.review.report import Disagreement, Figures, ReviewReport
from ecinstruct_build.review.sample import ReviewSample
from ecinstruct_build.review.verdicts import VERDICTS, verdict

if TYPE_CHECKING:
    from ecinstruct_build.review.exchange.records import Exported

_NOTHING = "[dim]-[/dim]"
_SHOWN = 20  # disagreements
_COLUMNS = (
    ("rows", "population"),
    ("strata", "strata"),
    ("items", "items"),
    ("by two people", "doubled"),
    ("judgements", "judgements"),
)


def render_plan(sample: ReviewSample, console: Console) -> None:
    """Print what people are asked for, by task and in all, and what it promises."""
    table = Table(title=f"Review of {escape(sample.dataset)}: what to judge", title_justify="left", show_footer=True)
    plans = sample.plans
    minutes = sum(one.minutes for one in plans)
    table.add_column("task", footer="in all", no_wrap=True)
    for name, attribute in _COLUMNS:
        total = sum(getattr(one, attribute) for one in plans)
        table.add_column(name, footer=f"{total:,}", justify="right", no_wrap=True)
    table.add_column("time", footer=_time(minutes), justify="right", no_wrap=True)
    for one in plans:
        counts = (f"{getattr(one, attribute):,}" for _, attribute in _COLUMNS)
        table.add_row(escape(one.task), *counts, _time(one.minutes))
    print_whole(table, console)
    console.print(escape(_promise(sample)), highlight=False)


def render_review(report: ReviewReport, console: Console, disagreements: int = _SHOWN) -> None:
    """Print what the judges found, how far they agree, and whether each task passes."""
    print_whole(_defects(report), console)
    if report.overall.agreement.doubles:
        print_whole(_agreement(report), console)
    for one in report.disagreements[:disagreements]:
        console.print(_disagreement(one), highlight=False, soft_wrap=True)
    if len(report.disagreements) > disagreements:
        console.print(f"[dim]and {len(report.disagreements) - disagreements:,} more disagreements[/dim]")
    console.print(_conclusion(report), highlight=False)


def render_exported(exported: "Exported", console: Console) -> None:
    """Say how much was handed over, and in which files."""
    file, *beside = (f"[bold]{escape(str(path))}[/bold]" for path in exported.files)
    were = "is" if exported.items == 1 else "are"
    console.print(f"{counted(exported.items, 'item')} {were} in {file}.", highlight=False, soft_wrap=True)
    for path in beside:
        console.print(f"{path} goes with it.", highlight=False, soft_wrap=True)


def taken_in_text(taken: TakenIn) -> str:
    """Say what became of the verdicts of a file."""
    said = [f"{counted(taken.new, 'verdict')} {_were(taken.new)} taken in"]
    if taken.changed:
        said.append(f"{taken.changed:,} {_were(taken.changed)} changed")
    if taken.present:
        said.append(f"{taken.present:,} {_were(taken.present)} there already")
    if taken.skipped:
        many = len(taken.skipped)
        items = f"item{'s' * (many > 1)} {ranges(taken.skipped)}"
        said.append(f"{many:,} {_were(many)} skipped, since others had judged {items} in the meantime")
    return f"{'; '.join(said)}."


def ranges(numbers: Sequence[int]) -> str:
    """Write ascending numbers briefly: ``1-3, 7``."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1][1:] = [number]
        else:
            runs.append([number])
    return ", ".join("-".join(map(str, run)) for run in runs)


def _were(many: int) -> str:
    return "was" if many == 1 else "were"


def _time(minutes: float) -> str:
    whole = round(minutes)
    return f"{whole // 60} h {whole % 60:02} min" if whole >= 60 else f"{whole} min"


def _promise(sample: ReviewSample) -> str:
    settings = sample.settings
    asked = f"at most {_percent(settings.max_defect_rate)} of a task's rows are defective"
    small = [one.task for one in sample.plans if not one.promise]
    if len(small) == len(sample.plans):
        return f"So few items are for a look; they cannot show that {asked}."
    defects = "no defect" if not settings.allowed_defects else f"at most {settings.allowed_defects} defects"
    exceptions = f", but for {', '.join(small)}, where the items are too few" if small else ""
    shows = f"shows at {_percent(settings.confidence)} confidence that {asked}"
    return f"A task with {defects} among its items {shows}{exceptions}."


def _percent(share: float) -> str:
    """Write a share that somebody chose, as exactly as it was chosen."""
    return f"{100 * share:.6g}%"


def _found(share: float) -> str:
    """Write a share that was found."""
    return f"{share:.1%}"


def _defects(report: ReviewReport) -> Table:
    confidence = _percent(report.settings.confidence)
    table = Table(title=f"Review of {escape(report.dataset)}: defects", title_justify="left")
    table.add_column("task", no_wrap=True)
    shown = [kind for kind in VERDICTS if report.overall.by_verdict[kind.name]]
    headers = ["judged", *(kind.label for kind in shown), "defect rate", f"{confidence} Wilson", f"{confidence} exact"]
    for name in (*headers, "at most", "passed"):
        table.add_column(name, justify="right", no_wrap=name not in {kind.label for kind in VERDICTS})
    for one in (*report.tasks, report.overall):
        if one is report.overall:
            table.add_section()
        table.add_row(
            escape(one.task) or "in all",
            f"{one.judged:,} of {one.items:,}",
            *(f"{one.by_verdict[kind.name]:,}" for kind in shown),
            _NOTHING if one.rate is None else _found(one.rate),
            _interval(one.wilson.low, one.wilson.high, one),
            _interval(one.exact.low, one.exact.high, one),
            _NOTHING if one.upper_bound is None or not one.judged else _found(one.upper_bound),
            _passed(one),
        )
    return table


def _interval(low: float, high: float, figures: Figures) -> str:
    return f"{_found(low)} to {_found(high)}" if figures.judged else _NOTHING


def _passed(figures: Figures) -> str:
    if figures.passed is None:
        return "[yellow]not finished[/yellow]" if not figures.finished else "[yellow]too few items[/yellow]"
    return "[green]passed[/green]" if figures.passed else "[red]failed[/red]"


def _agreement(report: ReviewReport) -> Table:
    table = Table(title="Agreement of two judges", title_justify="left")
    table.add_column("task", no_wrap=True)
    for name in ("items", "same verdict", "kappa", "alpha", "good or defective", "kappa", "alpha"):
        table.add_column(name, justify="right", no_wrap=True)
    for one in (*report.tasks, report.overall):
        if one is report.overall:
            table.add_section()
        found = one.agreement
        figures = (found.share, found.kappa, found.alpha, found.share_defect, found.kappa_defect, found.alpha_defect)
        cells = (_NOTHING if figure is None else f"{round(figure, 2) + 0.0:.2f}" for figure in figures)
        table.add_row(escape(one.task) or "in all", f"{found.doubles:,}", *cells)
    return table


def _disagreement(one: Disagreement) -> str:
    said = "; ".join(
        f"{escape(each.annotator)}: {verdict(each.verdict).label}" + (f" ({escape(each.note)})" if each.note else "")
        for each in one.said
    )
    outcome = "undecided, counts as defective" if one.tied else "defective" if one.defective else "good"
    return f"[yellow]disagreement[/yellow] item {one.number}, {escape(one.example_id)}: {said} [dim]({outcome})[/dim]"


def _conclusion(report: ReviewReport) -> str:
    people = f"{counted(report.judgements, 'judgement')} by {counted(report.annotators, 'judge')}"
    ties = sum(one.tied for one in report.disagreements)
    settle = (
        f" A third person may settle {counted(ties, 'item')} that now count{'s' * (ties == 1)} as defective."
        if ties
        else ""
    )
    if report.passed:
        return f"[green]The review passed:[/green] every task; {people}.{settle}"
    if report.passed is None:
        left = "there are too few items to tell" if report.finished else report.overall.left
        return f"[yellow]The review has not passed yet:[/yellow] {left}; {people}.{settle}"
    failed = ", ".join(one.task for one in report.tasks if one.passed is False)
    return f"[red]The review failed:[/red] {escape(failed)}; {people}.{settle}"
