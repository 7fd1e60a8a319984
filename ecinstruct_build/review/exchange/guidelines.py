"""What a judge reads before judging: the verdicts, and one page for each task."""

from collections.abc import Iterable

from ecinstruct_build.packaged import packaged_folder
from ecinstruct_build.registry import TASKS
from ecinstruct_build.review.verdicts import VERDICTS


def guideline_of(task: str) -> str:
    """Return the guideline of a task in Markdown, or "" for a task that is not ours."""
    page = packaged_folder("templates") / task / "guideline.md"
    return page.read_text(encoding="utf-8").strip() if task in TASKS.names() and page.is_file() else ""


def guideline_book(tasks: Iterable[str]) -> str:
    """Return the verdicts and the guidelines of some tasks as one page of Markdown."""
    verdicts = "\n".join(f"- **{one.label}**: {one.meaning}" for one in VERDICTS)
    pages = [page for task in tasks if (page := guideline_of(task))]
    return "\n\n".join([f"# Verdicts\n\n{verdicts}", *pages]) + "\n"
