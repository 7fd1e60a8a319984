"""Write the report's page for a build that has just been laid out in its folder."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa

from ecinstruct_build.audit.result import Audit
from ecinstruct_build.recipe import Recipe
from ecinstruct_build.reporting.page.data import ReportData
from ecinstruct_build.reporting.page.gather import gather
from ecinstruct_build.reporting.page.leakage import with_audit
from ecinstruct_build.reporting.page.page import PAGE_NAME, draw, page_template, report_page
from ecinstruct_build.stages.built import Built


def report_writer(
    built: Built,
    recipe: Recipe,
    samples: Mapping[str, pa.Table],
    review: Mapping[str, Any] | None,
    manifest: Mapping[str, Any],
) -> Callable[[Path, Audit], None]:
    """Gather and draw all of the report but what the audit says, which may still run.

    Parameters
    ----------
    built, recipe, samples
        The build, what was asked for, and its rows by task.
    review
        What people said so far, as `ecinstruct_build.review.report.ReviewReport.to_json` gives it.
    manifest
        The dataset's manifest.

    Returns
    -------
    Callable
        Writes ``report.html`` into a folder, given what the audit of the dataset found.
    """
    page_template()  # so that it is ready when the audit is
    data = gather(built, recipe, samples, manifest, review)
    return partial(_write, data, draw(data))


def _write(data: ReportData, drawn: Mapping[str, Any], folder: Path, audit: Audit) -> None:
    (folder / PAGE_NAME).write_text(report_page(with_audit(data, audit), drawn), encoding="utf-8", newline="\n")
