"""How many rows people must judge, and what that says of the rows that nobody judged.

A task has a known number of rows of which some are drawn without putting any back, so defects in the sample follow
the hypergeometric distribution: the sample for a small task is nearly all of it, and judging all of it leaves nothing
uncertain.
"""

from collections.abc import Mapping
from fractions import Fraction
from math import floor

from scipy.stats import hypergeom

_ROUNDING = 1e-12  # of probabilities: 19 of 20 rows find one defect with 95%, not with a hair less


def sample_size(population: int, max_defect_rate: float, confidence: float, allowed_defects: int = 0) -> int:
    """Return how many rows to judge, so that few defects among them show that few are among all.

    Parameters
    ----------
    population
        Rows of the task.
    max_defect_rate
        Largest share of defective rows that is borne.
    confidence
        Probability with which a task of more defects is to be found out.
    allowed_defects
        Defects in the sample that still pass.

    Returns
    -------
    int
        The least number of rows of which a task with more defects than are borne shows at most ``allowed_defects``
        with a probability of at most ``1 - confidence``; all rows where no smaller number does.
    """
    too_many = borne_defects(population, max_defect_rate) + 1
    enough, too_few = population, allowed_defects
    while enough - too_few > 1:
        middle = (enough + too_few) // 2
        if _is_likely(allowed_defects, population, too_many, middle, confidence):
            too_few = middle
        else:
            enough = middle
    return enough


def borne_defects(population: int, max_defect_rate: float) -> int:
    """Return how many of the rows may be defective, reading the rate as it is written (0.29 of 100 is 29)."""
    return floor(Fraction(str(max_defect_rate)) * population)


def is_proportional(strata: Mapping[str, tuple[int, int]]) -> bool:
    """Tell whether rows were judged in proportion to the rows of each stratum, to less than one row.

    Then few defects among all that were judged are no likelier than in one sample of all rows without strata (the sum
    of independent draws varies most where their chances are alike), so that `upper_bound` of the pool holds.

    Parameters
    ----------
    strata
        By name: rows judged, and all rows.
    """
    judged, population = (sum(pair[place] for pair in strata.values()) for place in (0, 1))
    return judged > 0 and all(
        own > 0 and abs(own * population - judged * rows) < population for own, rows in strata.values()
    )


def upper_bound(defects: int, judged: int, population: int, confidence: float) -> float:
    """Return the largest share of defective rows in the population that what was seen leaves likely enough.

    Parameters
    ----------
    defects, judged
        Defective rows among those judged.
    population
        All rows, those judged among them.
    confidence
        One-sided: with more defects than the bound, so few would be seen with a probability of at most
        ``1 - confidence``.

    Returns
    -------
    float
        From 0 to 1; 1 where nothing was judged.
    """
    if not judged or not population:
        return 1.0
    likely, unlikely = defects, population - (judged - defects) + 1
    while unlikely - likely > 1:
        middle = (likely + unlikely) // 2
        if _is_likely(defects, population, middle, judged, confidence):
            likely = middle
        else:
            unlikely = middle
    return likely / population


def _is_likely(seen: int, population: int, defective: int, judged: int, confidence: float) -> bool:
    """Tell whether at most so many defects are seen with a probability of more than ``1 - confidence``."""
    return bool(hypergeom.cdf(seen, population, defective, judged) > 1 - confidence + _ROUNDING)
