"""The probability of uneven letters is that of the chi-square distribution."""

import math

from hypothesis import given
from hypothesis import strategies as st
from scipy.special import chdtrc

from ecinstruct_build.audit.balance import chi_square_tail


@given(statistic=st.floats(0, 2000), degrees=st.integers(1, 702))
def test_it_is_what_scipy_says(statistic: float, degrees: int) -> None:
    expected = float(chdtrc(degrees, statistic))
    assert math.isclose(chi_square_tail(statistic, degrees), expected, rel_tol=1e-9, abs_tol=1e-290)
