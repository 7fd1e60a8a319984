"""Fetch: the upstream files that a recipe needs, into the raw folder, before anything is read.

It keeps nothing in the stage store: what it makes are files in the raw folder and entries in the lock.
"""

from pathlib import Path

from ecinstruct_build.errors import UserError
from ecinstruct_build.fetching.carry_out import carry_out
from ecinstruct_build.fetching.lock import Lock
from ecinstruct_build.fetching.plan import make_plan, wishes_of
from ecinstruct_build.fetching.report import by_hand_words, size_words
from ecinstruct_build.progress import Progress
from ecinstruct_build.recipe import Recipe


def fetch(recipe: Recipe, raw: Path | None, lock: Path, progress: Progress) -> None:
    """Get every upstream file that the recipe takes and that is not in ``raw`` yet, and lock it.

    Raises
    ------
    UserError
        If there is no folder to put them in, a file cannot be had or is wrong, or a person must still get one.
    """
    if raw is None:
        raise UserError("Say where to put the files that are fetched with --raw FOLDER (make: RAW=...).")
    entries = Lock(lock)
    plan = make_plan(wishes_of(recipe), raw, entries, progress)
    if plan.to_fetch:
        progress.note(f"to fetch into {raw}: {size_words([item.remote for item in plan.to_fetch])}.")
    outcome = carry_out(plan, raw, entries, progress=progress)
    if outcome.to_get:
        raise UserError(by_hand_words(outcome.to_get))
