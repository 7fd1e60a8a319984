"""An audit in a few numbers, for a manifest and a card."""

from typing import Any

from ecinstruct_build.audit.result import TRAIN, Audit


def summary(audit: Audit) -> dict[str, Any]:
    """Return whether the audit passed, and what held-out rows share with training.

    Returns
    -------
    dict
        ``passed``; ``rows`` read; ``with_training``: by kind of thing, the held-out rows that have any of it
        (``carrying``) and those that share it with training (``sharing``), all held-out splits together.
    """
    kinds: dict[str, dict[str, int]] = {}
    for overlap in audit.overlaps:
        if overlap.left == TRAIN and overlap.right_carrying:
            counts = kinds.setdefault(overlap.kind, {"carrying": 0, "sharing": 0})
            counts["carrying"] += overlap.right_carrying
            counts["sharing"] += overlap.right_rows
    return {"passed": audit.passed, "rows": audit.rows, "with_training": dict(sorted(kinds.items()))}
