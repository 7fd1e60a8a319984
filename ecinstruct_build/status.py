"""What a stage store holds."""

from pathlib import Path
from typing import Any

from ecinstruct_build.errors import UserError
from ecinstruct_build.store import RECORD


def store_status(work: Path) -> list[dict[str, Any]]:
    """Count a store's finished and unfinished results.

    Returns
    -------
    list of dict
        By stage: ``stage``, ``finished``, ``unfinished`` (killed; the next build goes on from them), ``bytes``.

    Raises
    ------
    UserError
        If the folder is no stage store.
    """
    if not (work / ".lock").exists():
        raise UserError(f"There is no stage store in {work}. Build something first, or say where it is with --work.")
    partial = [folder.name for folder in (work / "partial").glob("*") if folder.is_dir()]
    stages = sorted({record.parent.parent.name for record in work.glob(f"*/*/{RECORD}")})
    return [
        {
            "stage": stage,
            "finished": sum(1 for _ in (work / stage).glob(f"*/{RECORD}")),
            "unfinished": sum(name.startswith(f"{stage}-") for name in partial),
            "bytes": sum(path.stat().st_size for path in (work / stage).rglob("*") if path.is_file()),
        }
        for stage in stages
    ]
