"""The report on the checks of a finished build, from its stages."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ecinstruct_build.errors import UserError, did_you_mean
from ecinstruct_build.example import Example
from ecinstruct_build.registry import CHECKS
from ecinstruct_build.reporting.checks import clusters_of, counts_of, described, nearest, report_json
from ecinstruct_build.reporting.planted.gathering import score_build, scores_json
from ecinstruct_build.reporting.planted.rules import RULES
from ecinstruct_build.reporting.planted.score import Score
from ecinstruct_build.stages.built import Built
from ecinstruct_build.stages.examples import read_examples


def report_on_checks(
    built: Built, raw: Path, *, check: str | None = None, task: str | None = None, count: int = 5
) -> dict[str, Any]:
    """Report what the checks of a build found.

    Parameters
    ----------
    built, raw
        The build, and the folder of upstream files that it was made from: planted defects are scored if it holds
        generated corpora and no task is named.
    check
        The check whose examples are shown; None shows counts only.
    task
        The task to report on; None = all.
    count
        Examples to show, for each reason; groups of examples that are alike.

    Returns
    -------
    dict
        See `ecinstruct_build.reporting.checks.report_json`.

    Raises
    ------
    UserError
        If there is no such check, or the build has no such task.
    """
    if check is not None:
        CHECKS.get(check)
    if task is not None and task not in built.drawn:
        raise UserError(
            f"The last build has no task '{task}'.{did_you_mean(task, built.drawn)} It has: {', '.join(built.drawn)}."
        )
    tasks = [task] if task else list(built.drawn)
    verdicts = {name: built.checked.verdicts(name) for name in tasks}
    counts = counts_of(verdicts, {name: built.drawn[name].facts["drawn"] for name in tasks})
    chosen = nearest(check, verdicts, count) if check else []
    named = {row[key] for _, row in chosen for key in ("example_id", "peer") if row[key]}
    return report_json(
        [row for row in counts if check in (None, row.check)],
        described(chosen, _examples(built, named)),
        clusters_of(check, verdicts, count) if check else [],
        scores_json(_of_check(score_build(built, raw), check)) if task is None else [],
    )


def _examples(built: Built, named: set[str]) -> Mapping[str, Example]:
    """Return examples as checks left them: what they mask is shown to nobody."""
    found: dict[str, Example] = {}
    for task, stage in built.checked.repaired.items():
        own = [example_id for example_id in named if example_id.rpartition(":")[0] == task]
        if own:
            found |= {one.example_id: one for one in read_examples(stage, own, spare_options=False)}
    return found


def _of_check(scores: Sequence[Score], check: str | None) -> list[Score]:
    """Return the scores of kinds that a check finds."""
    return [
        score
        for score in scores
        if check is None or any(finding.startswith(f"{check}: ") for finding in RULES[score.kind].findings)
    ]
