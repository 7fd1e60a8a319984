"""From where rows are drawn: each stratum gives its share, and so does each group of strata that stand together."""

from collections.abc import Mapping
from itertools import accumulate
from typing import NamedTuple

from ecinstruct_build.chance import digest, uniform


class Stratum(NamedTuple):
    """Rows that are alike in where they come from: task, split, source and template, the coarsest first."""

    task: str
    split: str
    source: str
    template: str


def allocate(strata: Mapping[Stratum, int], total: int, seed: int) -> dict[Stratum, int]:
    """Divide a sample among strata in proportion to their rows.

    The strata are laid end to end, split by split and within these source by source, and the sample's places stand on
    them at equal distances from a start drawn by key. So each stratum, each source within a split and each split gets
    its exact share rounded up or down, and every row is as likely to be drawn as any other: strata whose share is less
    than one row are not passed over.

    Parameters
    ----------
    strata
        Rows of each stratum.
    total
        Size of the sample, at most the number of all rows.
    seed
        Seed of the keyed start.

    Returns
    -------
    dict
        Rows to draw from each stratum, in the order of laying; depends on no order and on no other task's strata as
        long as those are divided by themselves.
    """
    order = sorted(strata, key=lambda one: (*one[:3], digest(seed, "review template", "|".join(one))))
    rows = sum(strata.values())
    if not rows:
        return dict.fromkeys(order, 0)
    start = int(uniform(seed, "review start", "|".join(sorted({one.task for one in strata}))) * rows)
    ends = list(accumulate(strata[one] for one in order))
    places = [0, *((end * total + start) // rows for end in ends)]
    return {one: after - before for one, before, after in zip(order, places, places[1:], strict=False)}
