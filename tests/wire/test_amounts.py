"""Texts of the wire and integers of the exchange, there and back."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simexchange.server.amounts import Grid, fraction_text, money_from, money_text
from tests.wire.rig import BTC_PERPETUAL, ETH_PERPETUAL

money = st.integers(0, 10**24)


@given(money)
def test_money_survives_the_wire(amount: int) -> None:
    text = money_text(amount)
    assert money_from(text) == amount
    assert Decimal(text) == Decimal(amount).scaleb(-8)
    assert money_text(-amount) == (f"-{text}" if amount else "0")


@given(st.sampled_from([BTC_PERPETUAL, ETH_PERPETUAL]), st.integers(1, 10**12))
def test_prices_and_sizes_survive_the_wire(instrument, count: int) -> None:
    grid = Grid(instrument)
    assert grid.prices.count(grid.price(count)) == count
    assert Decimal(grid.price(count)) == instrument.ticks_to_price(count)
    assert grid.quantities.count(grid.quantity(count)) == count
    assert Decimal(grid.quantity(count)) == instrument.base_from_contracts(count)


@given(st.fractions(0, 10**6))
def test_a_shortened_fraction_is_off_by_at_most_half_a_unit(value: Fraction) -> None:
    assert abs(Fraction(fraction_text(value, 8)) - value) <= Fraction(1, 2 * 10**8)


@pytest.mark.parametrize(
    "text", ["", "-1", "+1", "1e3", "1.", ".5", "1,5", " 1", "0x1", "nan", "inf", "1" * 30, "½"]
)
def test_what_is_no_plain_decimal_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="plain decimal"):
        money_from(text)


@pytest.mark.parametrize("text", ["50000.05", "0.01", "49999.999999999"])
def test_a_price_off_the_tick_is_refused_not_rounded(text: str) -> None:
    with pytest.raises(ValueError, match=r"multiple|decimals"):
        Grid(BTC_PERPETUAL).prices.count(text)


def test_zeros_beyond_the_grid_change_nothing() -> None:
    assert Grid(BTC_PERPETUAL).prices.count("50000.1000") == 500_001
    assert money_from("1.000000000000") == 10**8
