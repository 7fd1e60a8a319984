"""Two-sided intervals for a share of defects."""

from typing import Literal, NamedTuple

from scipy.stats import binomtest


class Interval(NamedTuple):
    """Where a share lies, from ``low`` to ``high``."""

    low: float
    high: float


def wilson(defects: int, judged: int, confidence: float) -> Interval:
    """Return Wilson's score interval, near the confidence on average; everything where nothing was judged."""
    return _interval(defects, judged, confidence, "wilson")


def exact(defects: int, judged: int, confidence: float) -> Interval:
    """Return the interval of Clopper and Pearson, which never falls short of the confidence; else as `wilson`."""
    return _interval(defects, judged, confidence, "exact")


def _interval(defects: int, judged: int, confidence: float, method: Literal["wilson", "exact"]) -> Interval:
    if not judged:
        return Interval(0.0, 1.0)
    found = binomtest(defects, judged).proportion_ci(confidence_level=confidence, method=method)
    return Interval(float(found.low), float(found.high))
