"""The file by which a build learns what people judged defective."""

from contextlib import suppress
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
    answers alone; a file that is there is replaced whole or stays as it is, and is not touched if it says just this.

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
    content = "".join(f"{line}\n" for line in lines).encode()
    partial = path.with_name(f".{path.name}.partial")
    try:
        if path.is_file() and path.read_bytes() == content:
            return len(lines)
        partial.write_bytes(content)
        sync(partial)
        partial.replace(path)
        sync(path.parent)
    except OSError as error:
        with suppress(OSError):
            partial.unlink(missing_ok=True)
        if lines or path.exists():
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
