"""What the judges of a task look for: ``guideline.md`` in the task's template folder."""

from pathlib import Path

from ecinstruct_build.rendering.template_set import packaged_templates

GUIDELINE = "guideline.md"


def guideline_of(task: str, root: Path | None = None) -> str:
    """Return the guideline of a task as Markdown; "" if it has none.

    Parameters
    ----------
    task
        Module name.
    root
        A folder of template folders that takes the place of the packaged one; what it lacks is taken from that.
    """
    if not task.isidentifier():
        return ""
    for base in [*([root] if root else []), packaged_templates()]:
        path = base / task / GUIDELINE
        if path.is_file():
            return path.read_text(encoding="utf-8")
    return ""
