"""Publish a built dataset to the Hugging Face Hub: prove it again, ask what people said, stage it, push it."""

import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from ecinstruct_build.audit.limits import AuditLimits
from ecinstruct_build.audit.page import verdict
from ecinstruct_build.audit.run import audit_dataset
from ecinstruct_build.errors import UserError
from ecinstruct_build.progress import Progress
from ecinstruct_build.publish.card_info import published_manifest
from ecinstruct_build.publish.hub.push import Pushed, ensure_reachable, push
from ecinstruct_build.publish.hub.target import Target
from ecinstruct_build.publish.settings import PublishSettings
from ecinstruct_build.publish.staging import stage
from ecinstruct_build.review.folder import Reviewed
from ecinstruct_build.review.gate import gate
from ecinstruct_build.review.settings import ReviewSettings


def release(
    dataset: Path,
    target: Target,
    *,
    scratch: Path,
    review: Reviewed | None,
    fates: Callable[[Sequence[str]], Mapping[str, str]] | None,
    dry_run: bool,
    progress: Progress,
) -> Pushed:
    """Bring the dataset in a folder to the Hub.

    Parameters
    ----------
    dataset
        A folder that a build wrote; it is left as it is.
    target
        Where to.
    scratch
        A folder of ours to lay out in what is uploaded; what it held is removed.
    review
        The review, if there is one.
    fates
        Says what became of examples that are no longer published.
    dry_run
        Say what would happen and do nothing.
    progress
        Who listens.

    Raises
    ------
    UserError
        If the folder holds no dataset of ours, its audit or its review does not pass, the terms of a source forbid it,
        or the Hub refuses.
    """
    recipe = published_manifest(dataset)["recipe"]
    _refuse_unreviewed(review, dataset, ReviewSettings(**recipe.get("review", {})))
    ensure_reachable(target, progress)
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    try:
        with progress.track("stage"):
            terms = PublishSettings(**recipe.get("publish", {}))
            stage(dataset, scratch, terms, review=review.report if review else None)
        with progress.track("audit"):
            _refuse_leaks(dataset, AuditLimits(**recipe["audit"]))
        return push(scratch, target, fates=fates, dry_run=dry_run, progress=progress)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _refuse_leaks(dataset: Path, limits: AuditLimits) -> None:
    audit = audit_dataset(dataset, limits)
    if not audit.passed:
        shown = "; ".join(map(str, audit.exceeded[:3]))
        raise UserError(
            f"The audit of {dataset} failed ({verdict(audit)}), so nothing was published: {shown}. "
            f"'ecinstruct audit {dataset} --out <folder>' shows the rows."
        )


def _refuse_unreviewed(review: Reviewed | None, dataset: Path, settings: ReviewSettings) -> None:
    if reasons := gate(review.desk if review else None, dataset, settings):
        more = f" And {len(reasons) - 3} more; 'ecinstruct review report' shows them." if len(reasons) > 3 else ""
        raise UserError(f"Nothing was published, since the review does not allow it. {' '.join(reasons[:3])}{more}")
