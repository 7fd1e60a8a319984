"""Whether shares are the original's, and if not, whether the books of the build prove why.

A difference is explained by what the recipe asks for, or by what the corpora held before anything was drawn. Either
says which shares are to be expected, and ours have to be these: what else the draw, the checks or the split did to them
is not explained.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Any

import numpy as np
from scipy.sparse import coo_array

from ecinstruct_build.drawing.labels import read_labels
from ecinstruct_build.parity.measure import Measured

TOLERANCE = 0.05
"""Total variation distance (0 to 1, half the sum of differences of shares) up to which two sets of shares are same."""

_FEW = 2  # rows that say nothing, whatever is in them
_SLICE = 1024  # rows that are compared with all at a time, so that little memory is enough

Shares = Mapping[str, float]


@dataclass(frozen=True)
class Expected:
    """The shares that the books make one expect, and what does so."""

    shares: Shares
    reason: str


def distance(ours: Shares, original: Shares) -> float:
    """Return the total variation distance of two sets of counts or shares: 0 = same shares, 1 = nothing in common."""
    mine, theirs = sum(ours.values()), sum(original.values())
    if not mine or not theirs:
        return 1.0
    return sum(abs(ours.get(key, 0) / mine - original.get(key, 0) / theirs) for key in {**ours, **original}) / 2


def independence(ties: Sequence[Sequence[str]]) -> float:
    """Return how many independent rows say as much as these, for each of them.

    Rows that share a family or group come into a split together, and such rows are alike: n rows of which p ordered
    pairs share something, each row with itself among them, say as much as n^2 / p rows drawn one by one (for clusters
    of m1, m2, ... rows that is n^2 / (m1^2 + m2^2 + ...), Kish's effective size of a sample). Rows that only others
    link are not alike: in a dense catalogue that would be all of them, and any shares would do.

    Parameters
    ----------
    ties
        The names of what each row stands on.
    """
    names: dict[str, int] = {}
    ends = [(row, names.setdefault(name, len(names))) for row, listed in enumerate(ties) for name in listed]
    if not ends:
        return 1.0
    rows, tied = np.transpose(ends)
    stands = coo_array((np.ones(len(ends), np.int64), (rows, tied)), shape=(len(ties), len(names))).tocsr()
    slices = (stands[begin : begin + _SLICE] for begin in range(0, len(ties), _SLICE))
    pairs: int = sum((some @ stands.T).nnz for some in slices) + sum(not listed for listed in ties)
    return len(ties) / pairs


def reason_of(ours: Mapping[str, int], expected: Expected | None, order: Shares, independent: float = 1.0) -> str:
    """Return why our counts have other shares than the original, or "" if the books do not prove it.

    Parameters
    ----------
    ours
        What was counted.
    expected
        What the books make one expect, if they do.
    order
        The order in which shares are told.
    independent
        What `independence` says of the rows that were counted.
    """
    if expected is None or distance(ours, expected.shares) > _allowed(ours, expected.shares, independent):
        return ""
    return f"{expected.reason}: {percent(expected.shares, order)}"


def too_few(ours: Mapping[str, int], expected: Expected | None, original: Shares, independent: float = 1.0) -> str:
    """Return why counts are too few to be held against shares, or "" if they are not.

    They are if they say as much as two rows or fewer, or if `reason_of` would find a reason for any counts of so many.
    Where nothing was counted at all, that is no matter of chance.

    Parameters
    ----------
    ours, expected, independent
        See `reason_of`.
    original
        The original's shares.
    """
    counted = sum(ours.values())
    number = counted * independent
    if not number or (number > _FEW and not _always_explained(ours, expected, original, independent)):
        return ""
    alike = f", and alike: they say as much as {number:.1f} drawn one by one" if independent < 1 else ""
    return f"{counted:,} are too few to tell{alike}"


def _always_explained(ours: Mapping[str, int], expected: Expected | None, original: Shares, independent: float) -> bool:
    """Say whether even counts of nothing but the label that is least to be expected would be explained."""
    if expected is None:
        return False
    shares = expected.shares
    furthest = 1 - min(shares.get(name, 0) for name in {**original, **shares}) / sum(shares.values())
    return _allowed(ours, shares, independent) >= furthest


def _allowed(ours: Mapping[str, int], shares: Shares, independent: float) -> float:
    """Return how far counts may be from shares: the tolerance or, where they are few, three standard deviations."""
    number, whole = sum(ours.values()) * independent, sum(shares.values())
    parts = (share / whole for share in shares.values())
    return max(TOLERANCE, 3 * sum(sqrt(part * (1 - part) / number) for part in parts) / 2) if number else 0.0


def percent(counts: Shares, order: Shares) -> str:
    """Return shares in words, in a given order."""
    total = sum(counts.values()) or 1
    return ", ".join(f"{name} {counts.get(name, 0) / total:.0%}" for name in {**order, **counts})


def candidates(account: Mapping[str, Any], found: Measured, place: str) -> dict[str, float] | None:
    """Return the shares of labels among the candidates of a split, or None if the books do not have them.

    What several corpora gave is weighed by the rows of the split that are of each.
    """
    pools = read_labels(account.get("funnel", ()), "ood" if place == "test_ood" else "ind")
    rows = found.places.get(place, Counter())
    if not rows or not all(source in pools for source in rows):
        return None
    mixed: defaultdict[str, float] = defaultdict(float)
    for source, count in rows.items():
        for label, number in pools[source].items():
            mixed[label] += count * number / pools[source].total()
    return mixed


def expected_answers(
    task: str, account: Mapping[str, Any], asked: Mapping[str, Any], found: Measured, place: str
) -> Expected | None:
    """Return the shares of answers that the recipe or the candidates make one expect in a split, if they do.

    Parameters
    ----------
    task
        Its name.
    account, asked
        What the manifest has of it: its account, and the recipe's settings.
    found, place
        What its rows hold, and the split.
    """
    if asked.get("positive_share") is not None:
        share = asked["positive_share"]
        return Expected({"yes": share, "no": 1 - share}, "the recipe asks for it")
    if asked.get("balance") == "uniform":
        return Expected({"A": 1, "other": 4}, "the recipe asks for each number of stars as often")
    pool = candidates(account, found, place)
    return Expected(_answers(task, pool), "so do the candidates of the corpora") if pool else None


def _answers(task: str, pool: Shares) -> dict[str, float]:
    """Turn labels of candidates into the answers that samples have; those that nobody asks for are ``other``."""
    if task == "sentiment_analysis":
        first = pool.get("very positive", 0)
        return {"A": first, "other": sum(pool.values()) - first}
    if task == "product_substitute_identification":
        first = pool.get("S", 0)
        return {"yes": first, "no": sum(pool.values()) - first}
    return dict(pool)


def expected_lists(
    account: Mapping[str, Any], asked: Mapping[str, Any], found: Measured
) -> tuple[Expected | None, Expected | None]:
    """Return the lengths and the grades that the queries of the corpora and the recipe's weights make one expect.

    See `expected_answers`; the labels of a query are the grades of its products, such as ``ESI``.
    """
    pool, weights = candidates(account, found, "test"), asked.get("length_weights")
    if not pool or not weights:
        return None, None
    lengths: defaultdict[str, float] = defaultdict(float)
    grades: defaultdict[str, float] = defaultdict(float)
    for held, queries in pool.items():
        for length, share in _lengths(len(held), weights).items():
            lengths[str(length)] += queries * share
            for grade in held:
                grades[grade] += queries * share * length / len(held)
    reason = "so do the queries of the corpora, by the recipe's weights of lengths"
    return Expected(dict(sorted(lengths.items())), reason), Expected(grades, reason)


def _lengths(grades: int, weights: Sequence[float]) -> dict[int, float]:
    """Return the share of each length among lists of a query with so many grades."""
    possible = weights[: grades - 1]
    if not sum(possible):
        return {grades: 1.0}
    return {length: weight / sum(possible) for length, weight in enumerate(possible, start=2)}
