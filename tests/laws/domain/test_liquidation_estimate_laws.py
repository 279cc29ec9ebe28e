from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from copyplugin.domain.fill import PositionSide
from copyplugin.domain.identifiers import Symbol
from copyplugin.domain.instrument import Instrument
from copyplugin.domain.liquidation import (
    IsolatedPosition,
    estimated_liquidation_price,
    seed_liquidation_price,
)
from copyplugin.domain.money import Contracts, Money, Ratio
from tests.laws.domain.domain_strategies import contracts, sides

ENTRY = Decimal(28_000)
BTC = Instrument(
    symbol=Symbol("BTCUSDT"),
    base="BTC",
    settle="USDT",
    tick_size=Decimal("0.01"),
    contract_size=Decimal("0.001"),
    contracts_min=Contracts(1),
    contracts_max=Contracts(10**9),
    notional_min=Money(Decimal(5)),
    leverage_max=Ratio(Decimal(125)),
    maker_fee=Ratio(Decimal("0.0002")),
    taker_fee=Ratio(Decimal("0.0006")),
)
leverages = st.integers(2, 125)
rates = st.integers(0, 20).map(lambda n: Ratio(Decimal(n) / 10_000))
maintenance_rates = st.integers(10, 100).map(lambda n: Ratio(Decimal(n) / 10_000))


def position_at(side, leverage, number=1000) -> IsolatedPosition:
    cost = Money(ENTRY * BTC.contract_size * number)
    return IsolatedPosition(
        position_side=side,
        contracts=Contracts(number),
        entry_cost=cost,
        initial_margin=Money(cost / leverage),
    )


def estimate(position, rate="0.004", fee="0.0006", deduction="0"):
    return estimated_liquidation_price(
        position,
        replace(BTC, taker_fee=Ratio(Decimal(fee))),
        maintenance_rate=Ratio(Decimal(rate)),
        maintenance_deduction=Money(Decimal(deduction)),
    )


def seed_price(position, rate="0.004", fee="0.0006"):
    return seed_liquidation_price(
        position,
        BTC,
        maintenance_margin=Money(position.entry_cost * Decimal(rate)),
        fee_rate=Ratio(Decimal(fee)),
    )


def seed_price_as_printed(position, rate, fee):
    """Return what the old back office prints: (1+R) on both sides."""
    base = position.contracts * Fraction(BTC.contract_size)
    room = Fraction(position.initial_margin) - Fraction(position.entry_cost) * Fraction(rate)
    sign = 1 if position.position_side is PositionSide.LONG else -1
    return (Fraction(position.entry_cost) * (1 + Fraction(fee)) - sign * room) / base


@pytest.mark.parametrize(
    ("leverage", "fee", "rate", "printed", "mended", "ours"),
    [  # worked numbers of a short at 28 000
        (10, "0.0006", "0.004", "30704.80", "30671.20", "30658.97"),
        (20, "0.0006", "0.005", "29276.80", "29243.20", "29236.28"),
        (100, "0.0006", "0.004", "28184.80", "28151.20", "28150.51"),
        (100, "0.0010", "0.004", "28196.00", "28140.00", "28139.30"),
        (125, "0.0020", "0.004", "28168.00", "28056.00", "28055.67"),
    ],
)
def test_the_worked_shorts_come_out_as_written(leverage, fee, rate, printed, mended, ours):
    short = position_at(PositionSide.SHORT, leverage)

    assert seed_price_as_printed(short, rate, fee) == Fraction(printed)
    assert seed_price(short, rate, fee) == Fraction(mended)
    assert abs(estimate(short, rate, fee) - Decimal(ours)) <= Decimal("0.01")


@given(leverages, maintenance_rates, rates)
def test_the_printed_short_promises_two_fees_of_the_entry_more_room_than_there_is(
    leverage, rate, fee
):
    short = position_at(PositionSide.SHORT, leverage)

    promised = seed_price_as_printed(short, rate, fee) - seed_price(short, rate, fee)

    assert promised == 2 * Fraction(fee) * Fraction(ENTRY)


@given(leverages, maintenance_rates, rates)
def test_the_printed_long_is_right_for_a_fee_on_the_entry_notional(leverage, rate, fee):
    long = position_at(PositionSide.LONG, leverage)

    assert seed_price(long, rate, fee) == seed_price_as_printed(long, rate, fee)


@given(leverages, maintenance_rates, rates)
def test_long_and_short_are_mirror_images_about_the_entry(leverage, rate, fee):
    long, short = (seed_price(position_at(side, leverage), rate, fee) for side in PositionSide)

    assert long + short == 2 * Fraction(ENTRY)


@given(sides, leverages, maintenance_rates, rates, rates)
def test_a_higher_fee_brings_the_liquidation_nearer_to_the_entry(side, leverage, rate, one, other):
    low, high = sorted([one, other])
    position = position_at(side, leverage)

    for price_at in (seed_price, estimate):
        cheap, dear = price_at(position, rate, low), price_at(position, rate, high)
        assume(cheap is not None)
        if side is PositionSide.LONG:
            assert cheap <= dear
        else:
            assert cheap >= dear


@given(sides, leverages, contracts, maintenance_rates, rates)
def test_the_estimate_is_the_last_tick_before_equity_falls_to_the_maintenance_margin(
    side, leverage, number, rate, fee
):
    position = position_at(side, leverage, number)
    price = estimate(position, rate, fee)
    assume(price is not None)
    sign = 1 if side is PositionSide.LONG else -1
    base = number * Fraction(BTC.contract_size)

    def surplus(at):
        gain = sign * (Fraction(at) * base - Fraction(position.entry_cost))
        need = (Fraction(rate) + Fraction(fee)) * Fraction(at) * base
        return Fraction(position.initial_margin) + gain - need

    one_tick_worse = Fraction(price) - sign * Fraction(BTC.tick_size)
    assert surplus(price) >= 0
    assert surplus(one_tick_worse) < 0


def test_a_long_whose_margin_covers_all_of_it_cannot_be_liquidated():
    covered = replace(position_at(PositionSide.LONG, 1), initial_margin=Money(ENTRY * 2))

    assert estimate(covered) is None


def test_a_deduction_of_the_tier_leaves_more_room():
    short = position_at(PositionSide.SHORT, 20)

    assert estimate(short, deduction="10") > estimate(short)
