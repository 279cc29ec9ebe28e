"""Laws of exact numbers: a direction is kept, and nothing is rounded that need not be."""

from decimal import Decimal
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from simexchange.rules import (
    ceil_to_step,
    decimal_from,
    exact,
    floor_to_step,
    half_up_to_step,
    truncate_to_step,
)

fractions = st.fractions(min_value=-(10**9), max_value=10**9)
steps = st.integers(1, 10**6).map(lambda n: Decimal(n) / 10**4)
finite_decimals = st.decimals(allow_nan=False, allow_infinity=False, places=12)


@given(fractions, steps)
def test_floor_and_ceil_enclose_the_value_within_one_step(value, step):
    low, high = Fraction(floor_to_step(value, step)), Fraction(ceil_to_step(value, step))

    assert low <= value <= high
    assert high - low == (0 if value % Fraction(step) == 0 else Fraction(step))


@given(fractions, steps)
def test_truncation_never_moves_away_from_zero(value, step):
    cut = Fraction(truncate_to_step(value, step))

    assert abs(cut) <= abs(value) < abs(cut) + Fraction(step)
    assert cut == -Fraction(truncate_to_step(-value, step))


@given(fractions, steps)
def test_half_up_is_nearest_and_treats_both_signs_alike(value, step):
    near = Fraction(half_up_to_step(value, step))

    assert abs(near - value) <= Fraction(step) / 2
    assert near == -Fraction(half_up_to_step(-value, step))


@given(finite_decimals)
def test_a_decimal_goes_through_a_fraction_unchanged(value):
    assert decimal_from(exact(value)) == value
    assert exact(str(value)) == exact(value)


@given(fractions)
def test_a_quotient_without_an_end_is_right_to_its_fortieth_digit(value):
    assert abs(Fraction(decimal_from(value)) - value) <= abs(value) / 10**39
