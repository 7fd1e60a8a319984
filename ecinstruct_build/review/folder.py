"""The folder of a review: the desk, and what builds and publishing read out of it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ecinstruct_build.recipe import Recipe
from ecinstruct_build.review.database import may_write
from ecinstruct_build.review.desk import Desk
from ecinstruct_build.review.report import review_report
from ecinstruct_build.review.verdict_file import write_verdicts
from ecinstruct_build.store import Store

DESK = "review.sqlite"
VERDICTS = "verdicts.jsonl"
REPORT = "report.json"


@dataclass(frozen=True)
class Reviewed:
    """What people said so far.

    Attributes
    ----------
    desk
        The sample and the answers.
    verdicts
        Files that name the examples that they judged defective, in this review and in those set aside; see
        `ecinstruct_build.review.verdict_file`.
    report
        The figures, as `ecinstruct_build.review.report.ReviewReport.to_json` gives them.
    """

    desk: Desk
    verdicts: tuple[Path, ...]
    report: Mapping[str, Any]


def desk_in(folder: Path) -> Desk | None:
    """Return the desk of a review, or None if there is no review in the folder.

    Raises
    ------
    UserError
        If what is there cannot be read.
    """
    path = folder / DESK
    return Desk.open(path) if path.exists() else None


def reviewed_in(folder: Path) -> Reviewed | None:
    """Return what people said so far, written anew into the folder's files; None if there is no review in it.

    In a folder that cannot be written to the files stay as they are.

    Raises
    ------
    UserError
        If what is there cannot be read, or the file of verdicts is not up to date and cannot be written.
    """
    desk = desk_in(folder)
    if desk is None:
        return None
    written = write_verdicts(desk, folder / VERDICTS)
    report = review_report(desk.sample, desk.answers()).to_json()
    if may_write(folder):
        (folder / REPORT).write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    earlier = sorted(folder.glob("verdicts-*.jsonl"))
    return Reviewed(desk, (*([folder / VERDICTS] if written else []), *earlier), report)


def heeding(recipe: Recipe, reviewed: Reviewed, store: Store) -> Recipe:
    """Return a recipe by which what people judged defective is left out.

    It names copies of their files in the store, since they may go on judging.
    """
    check = recipe.checks["review"]
    verdicts = (*check.model_dump()["verdicts"], *map(store.keep, reviewed.verdicts))
    checks = {**recipe.checks, "review": check.model_copy(update={"verdicts": verdicts})}
    return recipe.model_copy(update={"checks": checks})


def set_aside(folder: Path) -> None:
    """Make room for another sample: the review in the folder is kept under its sample's name, with its verdicts."""
    desk = desk_in(folder)
    if desk is None:
        return
    name = desk.sample.sample_id[:12]
    write_verdicts(desk, folder / f"verdicts-{name}.jsonl")
    for path in sorted(folder.glob(f"{DESK}*")):  # SQLite may have left its log beside it
        path.rename(folder / path.name.replace(DESK, f"review-{name}.sqlite", 1))
