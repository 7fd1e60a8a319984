"""Write the report's page for a build that has just been laid out in its folder."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from ecinstruct_build.audit.page import JSON_NAME
from ecinstruct_build.recipe import Recipe
from ecinstruct_build.reporting.page.gather import gather
from ecinstruct_build.reporting.page.page import PAGE_NAME, report_page
from ecinstruct_build.stages.built import Built


def write_report(  # noqa: PLR0917 - what a build leaves, and the two that its folder adds
    built: Built,
    recipe: Recipe,
    samples: Mapping[str, pa.Table],
    review: Mapping[str, Any] | None,
    folder: Path,
    manifest: Mapping[str, Any],
) -> None:
    """Write ``report.html`` into a folder that holds the dataset and its audit.

    Parameters
    ----------
    built, recipe, samples
        The build, what was asked for, and its rows by task.
    review
        What people said so far, as `ecinstruct_build.review.report.ReviewReport.to_json` gives it.
    folder, manifest
        The dataset's folder, and its manifest.
    """
    audit = json.loads((folder / JSON_NAME).read_text(encoding="utf-8"))
    data = gather(built, recipe, samples, manifest, audit, review, restricted_texts=manifest["generated"])
    (folder / PAGE_NAME).write_text(report_page(data), encoding="utf-8", newline="\n")
