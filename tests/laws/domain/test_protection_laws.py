"""Where take profit and stop loss lie (P1): exact, on the right side, rounded the right way."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from copyplugin.domain.fill import PositionSide
from copyplugin.domain.liquidation import IsolatedPosition, estimated_liquidation_price
from copyplugin.domain.money import Contracts, Money, Price, Ratio, money_ceil
from copyplugin.domain.plan_order import TriggerDirection
from copyplugin.domain.protection import (
    RATIO_STEP,
    PlanKind,
    ProtectedPosition,
    direction_of,
    exact_trigger,
    greatest_ratio_at_full_use,
    greatest_stop_ratio,
    is_beyond_liquidation,
    is_through,
    trigger_price,
)
from tests.laws.domain.domain_strategies import instruments, prices, sides

LONG, SHORT = PositionSide.LONG, PositionSide.SHORT
kinds = st.sampled_from(PlanKind)
amounts = st.integers(1, 10**9).map(lambda n: Money(Decimal(n).scaleb(-2)))
ratios = st.integers(1, 30_000).map(lambda n: Ratio(Decimal(n).scaleb(-4)))


@st.composite
def positions(draw):
    return ProtectedPosition(
        position_side=draw(sides),
        contracts=Contracts(draw(st.integers(1, 10**6))),
        entry_cost=Money(Decimal(draw(st.integers(10**6, 10**16))).scaleb(-8)),
    )


def profit_at(price: Fraction, position: ProtectedPosition, instrument) -> Fraction:
    base = position.contracts * Fraction(instrument.contract_size)
    gain = price * base - Fraction(position.entry_cost)
    return gain if position.position_side is LONG else -gain


@given(kind=kinds, position=positions(), instrument=instruments(), amount=amounts, ratio=ratios)
def test_the_trigger_is_where_the_position_has_gained_or_lost_what_was_set(
    kind, position, instrument, amount, ratio
):
    exact = exact_trigger(kind, position, instrument, copy_amount=amount, ratio=ratio)

    wanted = Fraction(amount) * Fraction(ratio)
    expected = wanted if kind is PlanKind.TAKE_PROFIT else -wanted
    assert profit_at(exact, position, instrument) == expected


@given(kind=kinds, position=positions(), instrument=instruments(), amount=amounts, ratio=ratios)
def test_the_trigger_on_the_grid_is_less_than_a_tick_away_and_never_later(
    kind, position, instrument, amount, ratio
):
    exact = exact_trigger(kind, position, instrument, copy_amount=amount, ratio=ratio)
    found = trigger_price(kind, position, instrument, copy_amount=amount, ratio=ratio)

    tick = Fraction(instrument.tick_size)
    if found is None:
        assert exact < tick
        return
    assert Fraction(found) % tick == 0
    assert abs(Fraction(found) - exact) < tick
    if direction_of(kind, position.position_side) is TriggerDirection.RISES:
        assert found <= exact
    else:
        assert found >= exact
    direction = direction_of(kind, position.position_side)
    before = -instrument.tick_size if direction is TriggerDirection.RISES else instrument.tick_size
    assert is_through(direction, found, found)
    assert not is_through(direction, found, Price(found + before))


@given(
    kind=kinds,
    position=positions(),
    instrument=instruments(),
    amount=amounts,
    smaller=ratios,
    larger=ratios,
)
def test_a_larger_ratio_lies_no_nearer_to_the_entry(
    kind, position, instrument, amount, smaller, larger
):
    assume(smaller <= larger)
    near = trigger_price(kind, position, instrument, copy_amount=amount, ratio=smaller)
    far = trigger_price(kind, position, instrument, copy_amount=amount, ratio=larger)

    if direction_of(kind, position.position_side) is TriggerDirection.RISES:
        assert near is None or (far is not None and far >= near)
    elif far is not None:
        assert near is not None
        assert far <= near


@pytest.mark.parametrize(
    ("kind", "side", "direction", "price"),
    [
        (PlanKind.TAKE_PROFIT, LONG, TriggerDirection.RISES, "133.3"),
        (PlanKind.TAKE_PROFIT, SHORT, TriggerDirection.FALLS, "66.7"),
        (PlanKind.STOP_LOSS, LONG, TriggerDirection.FALLS, "66.7"),
        (PlanKind.STOP_LOSS, SHORT, TriggerDirection.RISES, "133.3"),
    ],
)
@given(data=st.data())
def test_the_four_formulas_of_the_seed(kind, side, direction, price, data):
    """Hp 100, Vol 3, S 1, A 1000, pct 10 %: the distance is 100 / 3."""
    instrument = data.draw(
        instruments().filter(lambda one: one.contract_size == 1 and one.tick_size == Decimal("0.1"))
    )
    position = ProtectedPosition(
        position_side=side, contracts=Contracts(3), entry_cost=Money(Decimal(300))
    )

    found = trigger_price(
        kind,
        position,
        instrument,
        copy_amount=Money(Decimal(1000)),
        ratio=Ratio(Decimal("0.1")),
    )

    assert found == Decimal(price)
    assert direction_of(kind, side) is direction


def margined(position: ProtectedPosition, margin: Money) -> IsolatedPosition:
    return IsolatedPosition(
        position_side=position.position_side,
        contracts=position.contracts,
        entry_cost=position.entry_cost,
        initial_margin=margin,
    )


@given(
    position=positions(),
    instrument=instruments(),
    leverage=st.integers(1, 50).map(lambda n: Ratio(Decimal(n))),
    maintenance=st.integers(1, 100).map(lambda n: Ratio(Decimal(n).scaleb(-4))),
)
def test_the_greatest_ratio_for_the_whole_amount_fires_before_liquidation_and_a_step_more_may_not(
    position, instrument, leverage, maintenance
):
    """The copy amount is the whole margin, as when the follow is set up."""
    amount = money_ceil(Fraction(position.entry_cost) / Fraction(leverage))
    ratio = greatest_ratio_at_full_use(
        leverage=leverage, maintenance_rate=maintenance, taker_fee=instrument.taker_fee
    )
    assume(ratio > 0)
    rate = Fraction(maintenance) + Fraction(instrument.taker_fee)
    base = position.contracts * Fraction(instrument.contract_size)
    sign = 1 if position.position_side is LONG else -1
    liquidation = (Fraction(position.entry_cost) - sign * Fraction(amount)) / (
        base * (1 - sign * rate)
    )

    def stop(wanted: Ratio) -> Fraction:
        return exact_trigger(
            PlanKind.STOP_LOSS, position, instrument, copy_amount=amount, ratio=wanted
        )

    assert not is_beyond_liquidation(position.position_side, stop(ratio), liquidation)
    if position.position_side is SHORT and rate > 0:
        more = Ratio(ratio + 2 * RATIO_STEP)
        rounding = Fraction(1, 10**8) / base  # the margin was rounded up
        assert stop(more) >= liquidation - 2 * rounding


@given(position=positions(), instrument=instruments(), amount=amounts, margin=ratios)
def test_the_greatest_ratio_of_a_position_fires_before_its_liquidation_and_a_step_more_does_not(
    position, instrument, amount, margin
):
    liquidation = estimated_liquidation_price(
        margined(
            position, money_ceil(Fraction(position.entry_cost) * min(1, Fraction(margin)) / 2)
        ),
        instrument,
        maintenance_rate=Ratio(Decimal("0.005")),
        maintenance_deduction=Money(Decimal(0)),
    )
    ratio = greatest_stop_ratio(position, instrument, copy_amount=amount, liquidation=liquidation)
    assume(liquidation is not None)

    def is_too_late(wanted: Ratio) -> bool:
        stop = exact_trigger(
            PlanKind.STOP_LOSS, position, instrument, copy_amount=amount, ratio=wanted
        )
        return is_beyond_liquidation(position.position_side, stop, liquidation)

    if ratio > 0:
        assert not is_too_late(ratio)
    assert is_too_late(Ratio(ratio + RATIO_STEP))


@given(prices, sides)
def test_a_stop_just_where_the_position_is_liquidated_comes_too_late(price, side):
    assert is_beyond_liquidation(side, price, price)
