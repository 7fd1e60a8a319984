"""The report on the last build, gathered anew from its stages and its folder."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ecinstruct_build.audit.page import JSON_NAME
from ecinstruct_build.errors import UserError
from ecinstruct_build.publish.card_info import published_manifest
from ecinstruct_build.recipe import Recipe
from ecinstruct_build.reporting.page.data import ReportData
from ecinstruct_build.reporting.page.gather import gather
from ecinstruct_build.reporting.page.leakage import with_audit
from ecinstruct_build.reporting.planted.gathering import score_build, scores_json
from ecinstruct_build.stages.built import Built
from ecinstruct_build.stages.samples import read_samples


def report_on(built: Built, raw: Path, recipe: Recipe, dataset: Path, review: Mapping[str, Any] | None) -> ReportData:
    """Gather the report on the last build anew, with the scores of planted defects if its corpora have any.

    Parameters
    ----------
    built, raw, recipe
        The last build, the upstream files that it was made from, and what was asked for.
    dataset
        The folder that it was published to.
    review
        What people said so far.

    Raises
    ------
    UserError
        If the folder holds no dataset, or that of another build or an earlier version.
    """
    manifest = published_manifest(dataset)
    if [one["key"] for one in manifest["stages"]] != [stage.key for stage in built.stages]:
        raise UserError(
            f"The dataset in {dataset} is not what the last build made. Say with --dataset where that is, or build "
            "again."
        )
    samples = {task: read_samples(stage) for task, stage in built.rendered.items()}
    audit = json.loads((dataset / JSON_NAME).read_text(encoding="utf-8"))
    planted = scores_json(score_build(built, raw))
    return with_audit(gather(built, recipe, samples, manifest, review, planted=planted), audit)
