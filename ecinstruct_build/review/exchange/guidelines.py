"""What a judge reads before judging: the verdicts, and one page for each task."""

from collections.abc import Iterable

from ecinstruct_build.review.guideline import guideline_of
from ecinstruct_build.review.verdicts import VERDICTS


def guideline_book(tasks: Iterable[str]) -> str:
    """Return the verdicts and the guidelines of some tasks as one page of Markdown."""
    verdicts = "\n".join(f"- **{one.label}**: {one.meaning}" for one in VERDICTS)
    pages = [page for task in tasks if (page := guideline_of(task).strip())]
    return "\n\n".join([f"# Verdicts\n\n{verdicts}", *pages]) + "\n"
