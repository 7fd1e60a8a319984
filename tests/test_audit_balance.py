"""The probability of uneven letters: by chi-square where letters are expected often, exactly where they are not."""

import math
import random
from string import ascii_uppercase

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import chdtrc

from ecinstruct_build.audit.balance import Letters, at_least, chi_square_tail, position_p


@given(statistic=st.floats(0, 2000), degrees=st.integers(1, 702))
def test_it_is_what_scipy_says(statistic: float, degrees: int) -> None:
    expected = float(chdtrc(degrees, statistic))
    assert math.isclose(chi_square_tail(statistic, degrees), expected, rel_tol=1e-9, abs_tol=1e-290)


@given(st.integers(1, 60), st.integers(0, 60), st.integers(2, 26))
def test_equal_chances_give_the_binomial_tail(rows: int, number: int, options: int) -> None:
    exact = sum(math.comb(rows, k) * (options - 1) ** (rows - k) for k in range(number, rows + 1)) / options**rows
    assert math.isclose(at_least(number, [1 / options] * rows), exact, rel_tol=1e-9)


def rows_of(right: str, options: int) -> list[Letters]:
    return [(letter, tuple(ascii_uppercase[:options])) for letter in right]


def test_few_rows_with_many_options_are_judged() -> None:
    found = position_p(rows_of("B" * 50, 20))
    assert found is not None
    assert math.isclose(found, 20 * 20.0**-50, rel_tol=1e-5)
    a_third = position_p(rows_of("B" * 17 + (ascii_uppercase[:20] * 2)[:33], 20))
    assert a_third is not None
    assert a_third < 1e-6


def test_a_letter_that_few_rows_have_is_judged_beside_common_ones() -> None:
    even = rows_of("ABCD" * 100, 4)
    skewed = position_p(even + rows_of("T" * 15, 20))
    assert skewed is not None
    assert skewed < 1e-6
    fair = position_p(even + rows_of("ABDEFGHIJKLMNPT", 20))
    assert fair is not None
    assert fair > 0.01


@pytest.mark.parametrize("letters", [[], rows_of("A" * 9, 1), rows_of("A", 1)])
def test_rows_without_a_choice_say_nothing(letters: list[Letters]) -> None:
    assert position_p(letters) is None


@given(rows=st.integers(1, 150), options=st.lists(st.integers(2, 26), min_size=1, max_size=3), seed=st.integers(0))
def test_even_letters_raise_no_alarm(rows: int, options: list[int], seed: int) -> None:
    chance = random.Random(seed)
    shapes = [tuple(ascii_uppercase[: chance.choice(options)]) for _ in range(rows)]
    found = position_p([(chance.choice(shape), shape) for shape in shapes])
    assert found is not None
    assert 1e-6 < found <= 1


def test_even_letters_are_seldom_called_uneven() -> None:
    chance = random.Random(1)
    shape = tuple(ascii_uppercase[:20])
    found = [position_p([(chance.choice(shape), shape) for _ in range(50)]) for _ in range(1000)]
    assert sum(one is None or one < 0.05 for one in found) <= 75
