"""How many rows a review needs and what it shows, held against hand computation, brute force and other libraries."""

from collections import Counter
from itertools import product
from math import comb

import krippendorff
import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from scipy.stats import hypergeom
from statsmodels.stats.inter_rater import cohens_kappa
from statsmodels.stats.proportion import proportion_confint

from quality.reviewing.agreement import cohen_kappa, krippendorff_alpha
from quality.reviewing.intervals import exact, wilson
from quality.reviewing.sizes import borne_defects, is_proportional, sample_size, upper_bound

VERDICTS = ("good", "wrong_answer", "other")
PAIRS = st.lists(st.tuples(st.sampled_from(VERDICTS), st.sampled_from(VERDICTS)), max_size=30)


def at_most(defects: int, population: int, defective: int, judged: int) -> float:
    """Chance of so few defects in a sample, counted out."""
    ways = sum(
        comb(defective, seen) * comb(population - defective, judged - seen) for seen in range(min(defects, judged) + 1)
    )
    return ways / comb(population, judged)


@pytest.mark.parametrize(
    ("population", "size"),
    [
        (0, 0),
        (1, 1),
        (10, 10),  # one defect is too many, and it hides in any row that is left out: 9 rows find it with 90%
        (20, 19),  # one defect, and 19 of 20 rows find it with just 95%
        (33, 32),  # still one defect: 32 of 33 rows find it with 97%, 31 with 94%
        (100, 52),  # four defects: 48*47*46*45 / (100*99*98*97) = 0.0496
        (1_000_000, 99),  # as with replacement: 0.97 ** 99 = 0.049
    ],
)
def test_a_small_task_is_judged_nearly_whole_and_a_large_one_by_a_hundred_rows(population: int, size: int) -> None:
    assert sample_size(population, 0.03, 0.95) == size


@given(
    st.integers(1, 40),
    st.sampled_from((0.01, 0.03, 0.1, 0.29, 0.5)),
    st.sampled_from((0.5, 0.8, 0.95, 0.99)),
    st.integers(0, 3),
)
@settings(max_examples=60)
def test_sizes_are_the_least_that_do(population: int, rate: float, confidence: float, allowed: int) -> None:
    defective = borne_defects(population, rate) + 1
    enough = [
        judged
        for judged in range(population + 1)
        if at_most(allowed, population, defective, judged) <= 1 - confidence + 1e-12
    ]
    assert sample_size(population, rate, confidence, allowed) == min([*enough, population])


def test_a_rate_is_read_as_it_is_written() -> None:
    assert borne_defects(100, 0.29) == 29  # 0.29 * 100 is 28.999999999999996
    assert borne_defects(1000, 0.001) == 1


@given(st.integers(1, 30), st.data(), st.sampled_from((0.8, 0.95)))
@settings(max_examples=60)
def test_bounds_are_the_largest_share_that_is_still_likely(
    population: int, data: st.DataObject, confidence: float
) -> None:
    judged = data.draw(st.integers(1, population))
    defects = data.draw(st.integers(0, judged))
    possible = range(defects, population - (judged - defects) + 1)
    likely = [many for many in possible if at_most(defects, population, many, judged) > 1 - confidence + 1e-12]
    assert upper_bound(defects, judged, population, confidence) == max(likely) / population


def test_judging_everything_leaves_nothing_uncertain() -> None:
    assert upper_bound(2, 50, 50, 0.95) == 2 / 50
    assert upper_bound(0, 0, 50, 0.95) == 1.0
    assert upper_bound(0, 52, 100, 0.95) == 0.03


@given(st.integers(1, 3000), st.sampled_from((0.01, 0.03, 0.1)), st.sampled_from((0.9, 0.95)), st.integers(0, 3))
@example(100, 0.03, 0.95, 0)
@settings(max_examples=100)
def test_a_sample_of_that_size_passes_with_the_allowed_defects_and_fails_with_one_more(
    population: int, rate: float, confidence: float, allowed: int
) -> None:
    judged = sample_size(population, rate, confidence, allowed)
    assume(judged < population)
    assert upper_bound(allowed, judged, population, confidence) <= rate
    assert upper_bound(allowed + 1, judged, population, confidence) > rate


@given(st.integers(1, 400), st.data(), st.sampled_from((0.8, 0.95, 0.99)))
def test_intervals_are_those_of_statsmodels(judged: int, data: st.DataObject, confidence: float) -> None:
    defects = data.draw(st.integers(0, judged))
    for ours, method in ((wilson, "wilson"), (exact, "beta")):
        theirs = proportion_confint(defects, judged, alpha=1 - confidence, method=method)
        assert ours(defects, judged, confidence) == pytest.approx(theirs, abs=1e-9)


def test_nothing_judged_says_nothing() -> None:
    assert wilson(0, 0, 0.95) == exact(0, 0, 0.95) == (0.0, 1.0)


def test_kappa_and_alpha_by_hand() -> None:
    # Ten rows, seven agreements; by chance 0.7 * 0.6 + 0.3 * 0.4 = 0.54.
    pairs = [("good", "good")] * 5 + [("other", "other")] * 2 + [("good", "other")] * 2 + [("other", "good")]
    assert cohen_kappa(pairs) == pytest.approx((0.7 - 0.54) / (1 - 0.54))
    # Of 20 verdicts 13 are good: by chance two differ in 2 * 13 * 7 / (20 * 19), and 6 of 20 did.
    assert krippendorff_alpha(pairs) == pytest.approx(1 - (6 / 20) / (2 * 13 * 7 / (20 * 19)))


@given(PAIRS)
def test_kappa_is_that_of_statsmodels(pairs: list[tuple[str, str]]) -> None:
    counts = Counter(pairs)
    table = np.array([counts[pair] for pair in product(VERDICTS, repeat=2)]).reshape(3, 3)
    ours = cohen_kappa(pairs)
    if not pairs or len({value for pair in pairs for value in pair}) == 1:
        assert ours is None
    else:
        assert ours == pytest.approx(cohens_kappa(table, return_results=False))


@given(st.lists(st.lists(st.sampled_from(VERDICTS), max_size=4), max_size=20))
def test_alpha_is_that_of_krippendorff(units: list[list[str]]) -> None:
    ours = krippendorff_alpha(units)
    values = [value for unit in units if len(unit) > 1 for value in unit]
    if len(set(values)) < 2:
        assert ours is None
        return
    data = np.full((4, len(units)), np.nan)
    for column, unit in enumerate(units):
        data[: len(unit), column] = [VERDICTS.index(value) for value in unit]
    theirs = krippendorff.alpha(reliability_data=data, level_of_measurement="nominal", value_domain=[0, 1, 2])
    assert ours == pytest.approx(theirs)
    assert krippendorff_alpha([unit[::-1] for unit in reversed(units)]) == ours


@pytest.mark.parametrize(
    ("strata", "alike"),
    [
        ({"a": (10, 100), "b": (20, 200)}, True),
        ({"a": (11, 100), "b": (20, 200)}, True),  # as near as whole rows come
        ({"a": (20, 100), "b": (20, 200)}, False),
        ({"a": (0, 5), "b": (20, 200)}, False),  # nobody looked at the small one
        ({"a": (0, 100)}, False),
        ({}, False),
    ],
)
def test_rows_judged_in_proportion_are_told_from_others(strata: dict[str, tuple[int, int]], alike: bool) -> None:
    assert is_proportional(strata) is alike


def test_the_bound_of_a_pool_holds_for_strata_of_which_one_has_all_defects() -> None:
    judged, rows = 30, 100
    for defective in range(1, rows):
        missed = hypergeom.cdf(range(judged + 1), rows, defective, judged)  # none of the other hundred is defective
        bounds = [upper_bound(found, 2 * judged, 2 * rows, 0.95) for found in range(judged + 1)]
        too_low = [found for found, bound in enumerate(bounds) if bound < defective / (2 * rows)]
        assert not too_low or missed[too_low[-1]] <= 0.05 + 1e-9
