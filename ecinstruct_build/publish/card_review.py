"""The part of the card on what people found who judged a sample of the rows."""

from collections.abc import Iterator, Mapping
from typing import Any

from ecinstruct_build.publish import markdown
from ecinstruct_build.publish.card_info import CardInfo
from ecinstruct_build.review.verdicts import VERDICTS

_PASSED = {True: "passed", False: "**failed**", None: "cannot be told yet"}


def review(info: CardInfo) -> Iterator[str]:
    """Yield how many rows people judged, what they found by task, how sure that is, and how far they agree."""
    yield "## Review by people\n"
    found = info.review
    if not found or not found["overall"]["judged"]:
        yield "The rows were not reviewed by people.\n"
        return
    overall, settings = found["overall"], found["settings"]
    confidence = f"{settings['confidence']:.0%}"
    yield (
        f"{_count(found['annotators'], 'person', 'people')} judged {overall['judged']:,} of {overall['items']:,} rows "
        f"that were drawn by task, split, source and template (sample `{found['sample_id']}`). A task passes if at "
        f"most {settings['max_defect_rate']:.1%} of its rows are defective at {confidence} confidence; *at most* is "
        "the largest share of defective rows that the sample leaves likely. The interval is Wilson's.\n"
    )
    columns = ("task", "rows", "judged", "defective", "rate", f"{confidence} interval", "at most", "outcome")
    lines = [(one["task"], *_figures(one)) for one in found["tasks"]]
    yield markdown.table(columns, [*lines, ("all", *_figures(overall))], right=len(columns) - 1)
    yield f"{_kinds(overall['by_verdict'])}\n\n{_agreement(overall['agreement'])}\n"


def _figures(one: Mapping[str, Any]) -> tuple[object, ...]:
    rate = "" if one["rate"] is None else f"{one['rate']:.1%}"
    low, high = one["wilson"]
    return (
        one["population"],
        one["judged"],
        one["defects"],
        rate,
        f"{low:.1%} to {high:.1%}" if one["judged"] else "",
        "" if one["upper_bound"] is None else f"{one['upper_bound']:.1%}",
        _PASSED[one["passed"]],
    )


def _kinds(by_verdict: Mapping[str, int]) -> str:
    said = [f"{kind.label} {by_verdict[kind.name]:,}" for kind in VERDICTS if by_verdict.get(kind.name)]
    return f"Verdicts: {', '.join(said)}."


def _agreement(found: Mapping[str, Any]) -> str:
    if not found["doubles"]:
        return "No row was judged by two people."
    said = (
        f"{_count(found['doubles'], 'row was', 'rows were')} judged by two people who did not see each other's verdict"
    )
    measures = [("the same verdict", found["share"], ".1%"), ("Cohen's kappa", found["kappa"], ".2f")]
    measures.append(("Krippendorff's alpha", found["alpha"], ".2f"))
    return f"{said}: {', '.join(f'{name} {_number(value, form)}' for name, value, form in measures)}."


def _number(value: float | None, form: str) -> str:
    return "undefined" if value is None else format(value, form)


def _count(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"
