"""Level out: what one split has beyond its quotas goes, in whole components, to a split that lacks it."""

import numpy as np
import numpy.typing as npt

from quality.splitting.ragged import Integers
from quality.splitting.refinement import Floats


def level(counts: Floats, homes: Integers, wanted: Floats, rank: Integers, fixed: npt.NDArray[np.bool_]) -> Integers:
    """Choose components that move to another split.

    A component moves only from where every quota that it serves stays filled without it, so that no split comes to
    lack anything; the one that fills most of what is missing moves first.

    Parameters
    ----------
    counts
        Examples of each component (row) by task (column).
    homes
        The split of each component.
    wanted
        The quotas by split and task.
    rank
        Settles ties between components.
    fixed
        Components that stay.

    Returns
    -------
    The split of each component afterwards.
    """
    homes = homes.copy()
    there = np.zeros_like(wanted)
    np.add.at(there, homes, counts)
    for split in np.argsort(wanted.sum(axis=1), kind="stable").tolist():
        while True:
            missing = np.maximum(wanted[split] - there[split], 0)
            useful = (np.minimum(counts, missing) / np.maximum(wanted[split], 1)).sum(axis=1)
            not_missed = ((counts == 0) | (counts <= (there - wanted)[homes])).all(axis=1)
            movable = np.flatnonzero((homes != split) & ~fixed & not_missed & (useful > 0))
            if not len(movable):
                break
            best = movable[np.lexsort((rank[movable], -np.round(useful[movable], 9)))[0]]
            there[homes[best]] -= counts[best]
            there[split] += counts[best]
            homes[best] = split
    return homes
