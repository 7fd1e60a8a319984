"""Draw the report as one HTML page that needs nothing else: it opens from disk, offline, and prints."""

from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any

from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup

from ecinstruct_build.reporting.page import flow_figures, review_figures, text_figures, words
from ecinstruct_build.reporting.page.data import ReportData
from ecinstruct_build.reporting.page.findings import findings, tiles

PAGE_NAME = "report.html"


@cache
def page_template() -> Template:
    """Return the page's template; compiling it takes a while, once."""
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return environment.from_string(_packaged("page.html.jinja"))


def report_page(data: ReportData, drawn: Mapping[str, Any] | None = None) -> str:
    """Return the page; ``drawn`` is what `draw` returned, if it was called before the audit was there."""
    shown = dict(draw(data) if drawn is None else drawn)
    shown["figures"] = shown["figures"] | {"leakage": flow_figures.leakage(data)}
    return page_template().render(data=data, tiles=tiles(data), findings=findings(data), words=words, **shown)


def draw(data: ReportData) -> dict[str, Any]:
    """Return all that the page shows whatever the audit found, by its name in the template."""
    return {
        "style": Markup(_packaged("page.css")),  # noqa: S704 - our own file
        "figures": _figures(data),
        "steps": flow_figures.steps(data),
        "reasons": flow_figures.quarantined(data),
        "diversity": text_figures.diversity(data),
        "wordings": text_figures.wordings(data),
        "verdicts": review_figures.verdicts(data.review) if data.review else None,
        "disagreements": review_figures.disagreements(data.review) if data.review else None,
        "missed": review_figures.missed(data.planted),
    }


def _packaged(name: str) -> str:
    return resources.files("ecinstruct_build.reporting.page").joinpath(name).read_text(encoding="utf-8")


def _figures(data: ReportData) -> dict[str, Any]:
    """Return the figures by name but the audit's; those that a build has nothing for are left out."""
    figures = {
        "records": flow_figures.records(data),
        "origins": flow_figures.sources_of_tasks(data),
        "examples": flow_figures.examples(data),
        "left_out": flow_figures.left_out(data),
        "quotas": flow_figures.quotas(data),
        "places": flow_figures.places(data),
        "retention": flow_figures.retention(data),
        "lengths": text_figures.lengths(data),
        "labels": text_figures.labels(data),
        "positions": text_figures.positions(data),
        "instructions": text_figures.instructions(data),
        "locales": text_figures.locales(data),
        "times": flow_figures.times(data),
    }
    if any(task.shares for task in data.tasks):
        figures["shares"] = flow_figures.shares(data)
    if data.duplicates.counts:
        figures["duplicates"] = text_figures.duplicates(data)
    if data.planted:
        figures["planted"] = review_figures.planted(data.planted)
    if data.review:
        figures["review"] = review_figures.defect_rates(data.review)
    return figures
