from decimal import Decimal, Inexact
from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from copyplugin.domain.money import (
    MONEY_STEP,
    ceil_to_step,
    floor_to_step,
    is_storable,
    money_ceil,
    money_floor,
    product,
    total,
    truncate_money,
)
from tests.laws.domain.domain_strategies import instruments, prices, signed_money

decimals = st.decimals(
    min_value=-(10**12), max_value=10**12, allow_nan=False, allow_infinity=False, places=12
)
sizes = decimals.map(abs)
steps = st.sampled_from([Decimal("0.3"), Decimal("0.5"), Decimal("0.00000001"), Decimal(7)])
fractions = st.fractions(-(10**9), 10**9)


@given(sizes, steps)
def test_a_value_lies_between_its_floor_and_its_ceiling_less_than_a_step_apart(value, step):
    low, high = floor_to_step(value, step), ceil_to_step(value, step)

    assert low <= value <= high
    assert Fraction(low) % Fraction(step) == Fraction(high) % Fraction(step) == 0
    assert value - low < step
    assert high - value < step


def test_a_floor_is_taken_of_the_exact_quotient_not_of_a_rounded_one():
    value, step = Decimal("0.8999999999999999999999999999"), Decimal("0.3")

    assert value / step == 3  # what a division would have said
    assert floor_to_step(value, step) == Decimal("0.6")


@given(signed_money, st.integers(0, 8))
def test_truncation_goes_toward_zero_by_less_than_the_last_place(amount, places):
    cut = truncate_money(amount, places)

    assert abs(cut) <= abs(amount)
    assert abs(amount - cut) < Decimal(1).scaleb(-places)
    assert cut == 0 or (cut > 0) == (amount > 0)


@given(fractions)
def test_credits_are_rounded_down_and_requirements_up_to_what_can_be_stored(value):
    low, high = money_floor(value), money_ceil(value)

    assert is_storable(low)
    assert is_storable(high)
    assert Fraction(low) <= value <= Fraction(high)
    assert value - Fraction(low) < Fraction(MONEY_STEP)
    assert Fraction(high) - value < Fraction(MONEY_STEP)


@given(st.lists(decimals, max_size=5))
def test_a_product_and_a_sum_are_exact(terms):
    wanted = Fraction(1)
    for term in terms:
        wanted *= Fraction(term)
    assume(len(str(wanted.numerator)) <= 60)

    try:
        result = product(*terms)
    except Inexact:
        assert len(str(wanted.numerator)) + len(str(wanted.denominator)) > 60
    else:
        assert Fraction(result) == wanted
    assert Fraction(total(*terms)) == sum(map(Fraction, terms))


def test_a_product_that_would_be_rounded_raises():
    with pytest.raises(Inexact):
        product(Decimal("1." + "1" * 40), Decimal("1." + "1" * 40))


@pytest.mark.parametrize("text", ["NaN", "Infinity", "0.000000001", "1E-9"])
def test_what_is_finer_than_the_last_unit_or_no_number_cannot_be_stored(text):
    assert not is_storable(Decimal(text))


@given(instruments(), prices)
def test_the_smallest_order_is_the_least_that_meets_both_minimums(instrument, price):
    smallest = instrument.smallest_order(price)

    def is_enough(contracts):
        worth = instrument.notional(contracts, price)
        return contracts >= instrument.contracts_min and worth >= instrument.notional_min

    assert is_enough(smallest)
    assert not is_enough(smallest - 1)


@given(instruments(), prices)
def test_a_price_is_rounded_to_its_neighbours_on_the_grid(instrument, price):
    low, high = instrument.round_price_down(price), instrument.round_price_up(price)

    assert low <= price <= high
    assert price - low < instrument.tick_size
    assert high - price < instrument.tick_size
