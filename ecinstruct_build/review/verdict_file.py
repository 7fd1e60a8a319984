"""The file by which a build learns what people judged defective."""

from pathlib import Path

from ecinstruct_build.durable import sync
from ecinstruct_build.errors import UserError
from ecinstruct_build.example import dump_json
from ecinstruct_build.review.desk import Desk
from ecinstruct_build.review.outcomes import Outcome, outcomes_of


def write_verdicts(desk: Desk, path: Path) -> int:
    """Write the defective items of a review as JSON lines, in order of example.

    Each line has ``example_id``, ``row`` (see `ecinstruct_build.review.rows.row_digest`), ``verdict`` (the
    worst that was said of it), ``annotators`` (how many judged it) and ``notes``, sorted. The bytes depend on the
    answers alone; a file that is there is replaced whole or stays as it is.

    Returns
    -------
    int
        How many lines were written.

    Raises
    ------
    UserError
        If the file cannot be written.
    """
    defective = [one for one in outcomes_of(desk.sample, desk.answers()) if one.defective]
    lines = [_line(one) for one in sorted(defective, key=lambda one: (one.item.example_id, one.item.row))]
    partial = path.with_name(f".{path.name}.partial")
    try:
        partial.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        sync(partial)
        partial.replace(path)
        sync(path.parent)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise UserError(f"The verdict file '{path}' cannot be written: {error.strerror}.") from None
    return len(lines)


def _line(outcome: Outcome) -> str:
    return dump_json(
        {
            "example_id": outcome.item.example_id,
            "row": outcome.item.row,
            "verdict": outcome.verdict,
            "annotators": len(outcome.answers),
            "notes": sorted({answer.note for answer in outcome.answers if answer.note}),
        }
    )
