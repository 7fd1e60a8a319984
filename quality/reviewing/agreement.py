"""How far people who judged the same rows agree, beyond what chance would make them."""

from collections import Counter
from collections.abc import Sequence
from itertools import permutations


def cohen_kappa(pairs: Sequence[tuple[str, str]]) -> float | None:
    """Return Cohen's kappa of two judges.

    Parameters
    ----------
    pairs
        For each row what the one and what the other said, always in this order.

    Returns
    -------
    float or None
        1 where they always agree, 0 where as often as by chance; None where it is undefined: there are no rows, or
        both said the same one thing throughout.
    """
    total = len(pairs)
    agreed = sum(one == other for one, other in pairs) * total
    ones, others = Counter(one for one, _ in pairs), Counter(other for _, other in pairs)
    by_chance = sum(count * others[name] for name, count in ones.items())
    if by_chance == total**2:
        return None
    return (agreed - by_chance) / (total**2 - by_chance)


def krippendorff_alpha(units: Sequence[Sequence[str]]) -> float | None:
    """Return Krippendorff's alpha for nominal values, by any number of judges.

    Parameters
    ----------
    units
        For each row what its judges said, in any order; rows with one judge tell nothing and are left out.

    Returns
    -------
    float or None
        1 where judges of a row always agree, 0 where as often as by chance; None where it is undefined: no row has
        two judges, or all said the same one thing.
    """
    counts: Counter[tuple[str, str, int]] = Counter()
    for unit in units:
        counts.update((one, other, len(unit)) for one, other in permutations(unit, 2))
    values = Counter(value for unit in units if len(unit) > 1 for value in unit)
    total = values.total()
    disagreed = sum(count / (judges - 1) for (one, other, judges), count in sorted(counts.items()) if one != other)
    by_chance = total * total - sum(count * count for count in values.values())
    if not by_chance:
        return None
    return 1 - (total - 1) * disagreed / by_chance
