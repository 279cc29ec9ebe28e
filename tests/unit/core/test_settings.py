"""Leverage, modes, margin, fees: what may be changed when."""

import pytest

from simexchange.core.commands import (
    AdjustMargin,
    SetFeeTier,
    SetLeverage,
    SetMarginMode,
    SetPositionMode,
)
from simexchange.core.events import CommandRejected, Filled, LeverageSet, MarginAdjusted
from simexchange.core.instrument import MarginTier
from simexchange.core.types import MarginMode, PositionMode, PositionSide, RejectReason
from tests.unit.core.exchange_builders import BUY, SELL, SYMBOL, Desk, of_type, usdt

NET = PositionSide.NET


def refusal(events):
    (event,) = events
    assert isinstance(event, CommandRejected)
    return event.reason


def long_position(leverage=10, **more):
    """Account 1 is long 10 contracts at 100 USDT, worth 1,000 USDT."""
    desk = Desk(**more)
    desk.leverage(1, leverage)
    desk.trade(1, 2, 10, 1_000)
    return desk


def test_an_isolated_position_holds_its_initial_margin():
    desk = long_position()

    assert desk.position(1).margin == usdt(100)
    assert desk.balance(1) == usdt(9_900)


def test_margin_can_be_added_and_taken_out_again():
    desk = long_position()

    (added,) = desk.apply(AdjustMargin(1, SYMBOL, NET, usdt(50)))
    farther = desk.position(1).liquidation_price
    (taken,) = desk.apply(AdjustMargin(1, SYMBOL, NET, -usdt(50)))

    assert isinstance(added, MarginAdjusted)
    assert added.margin == usdt(150)
    assert taken.margin == usdt(100)
    assert farther < desk.position(1).liquidation_price


def test_margin_is_not_taken_below_what_the_leverage_demands():
    desk = long_position()
    desk.apply(AdjustMargin(1, SYMBOL, NET, usdt(50)))

    assert refusal(desk.apply(AdjustMargin(1, SYMBOL, NET, -usdt(51)))) is RejectReason.MARGIN_LIMIT


def test_margin_without_which_the_position_is_liquidated_is_refused_by_that_name():
    desk = long_position()
    desk.mark(950)

    events = desk.apply(AdjustMargin(1, SYMBOL, NET, -usdt(99)))

    assert refusal(events) is RejectReason.WOULD_LIQUIDATE
    assert desk.position(1).margin == usdt(100)


def test_profit_at_the_mark_price_does_not_let_margin_be_taken_out():
    desk = long_position(fund=10_000)
    desk.mark(1_500)

    assert refusal(desk.apply(AdjustMargin(1, SYMBOL, NET, -usdt(1)))) is RejectReason.MARGIN_LIMIT


def test_no_more_margin_can_be_added_than_is_available():
    desk = long_position(money=200)
    desk.limit(1, BUY, 1, 500)

    assert refusal(desk.apply(AdjustMargin(1, SYMBOL, NET, usdt(96)))) is RejectReason.MARGIN_LIMIT
    assert desk.apply(AdjustMargin(1, SYMBOL, NET, usdt(95)))[0].balance == usdt(5)


def test_raised_leverage_lets_margin_out_and_lowered_leverage_is_refused_while_open():
    desk = long_position()

    (event,) = desk.leverage(1, 20)
    desk.apply(AdjustMargin(1, SYMBOL, NET, -usdt(50)))

    assert isinstance(event, LeverageSet)
    assert desk.position(1).margin == usdt(50)
    assert refusal(desk.leverage(1, 10)) is RejectReason.LEVERAGE_NOT_LOWERED


def test_open_orders_hold_by_the_new_leverage_at_once():
    desk = Desk(money=100)
    desk.leverage(1, 10)
    desk.limit(1, BUY, 10, 900)

    desk.leverage(1, 20)
    assert desk.exchange.account(1).order_hold == usdt(45)
    assert refusal(desk.leverage(1, 5)) is RejectReason.INSUFFICIENT_MARGIN


@pytest.mark.parametrize(("money", "is_refused"), [(179, True), (180, False)])
def test_lower_leverage_must_be_affordable_for_the_open_orders_to_the_last_unit(money, is_refused):
    desk = Desk(money=money)
    desk.leverage(1, 10)
    desk.limit(1, BUY, 10, 900)

    (event,) = desk.leverage(1, 5)

    assert isinstance(event, CommandRejected) is is_refused


@pytest.mark.parametrize("leverage", [0, -1, 126])
def test_leverage_outside_its_range_is_refused(leverage):
    assert refusal(Desk().leverage(1, leverage)) is RejectReason.LEVERAGE_OUT_OF_RANGE


def test_a_larger_position_allows_less_leverage():
    tiers = (
        MarginTier(floor=0, maintenance_rate=400_000, max_leverage=125),
        MarginTier(
            floor=usdt(2_000), maintenance_rate=1_000_000, max_leverage=20, deduction=usdt(12)
        ),
    )
    desk = Desk(tiers=tiers)
    desk.leverage(1, 50)

    (rejected,) = desk.limit(1, BUY, 20, 1_000)
    assert rejected.reason is RejectReason.EXCEEDS_TIER
    desk.limit(1, BUY, 10, 1_000)
    assert desk.limit(1, BUY, 10, 1_000)[0].reason is RejectReason.EXCEEDS_TIER
    desk.leverage(1, 20)
    desk.limit(1, BUY, 10, 1_000)
    assert refusal(desk.leverage(1, 21)) is RejectReason.EXCEEDS_TIER


def test_hedge_legs_have_leverage_of_their_own():
    desk = Desk()
    desk.apply(SetPositionMode(1, PositionMode.HEDGE))

    desk.apply(SetLeverage(1, SYMBOL, 5, PositionSide.LONG))
    desk.apply(SetLeverage(1, SYMBOL, 7, PositionSide.SHORT))

    assert desk.position(1, side=PositionSide.LONG).leverage == 5
    assert desk.position(1, side=PositionSide.SHORT).leverage == 7
    assert len(desk.apply(SetLeverage(1, SYMBOL, 9))) == 2


@pytest.mark.parametrize(
    "command",
    [SetPositionMode(1, PositionMode.HEDGE), SetMarginMode(1, SYMBOL, MarginMode.CROSS)],
)
def test_modes_change_only_without_orders_and_positions(command):
    desk = Desk()
    desk.limit(1, BUY, 1, 900)
    assert refusal(desk.apply(command)) is RejectReason.OPEN_ORDERS
    desk.market(2, SELL, 1)
    assert refusal(desk.apply(command)) is RejectReason.OPEN_POSITION
    desk.limit(3, BUY, 1, 900)
    desk.market(1, SELL, 1)

    assert not isinstance(desk.apply(command)[0], CommandRejected)
    assert refusal(desk.apply(command)) is RejectReason.UNCHANGED


def test_margin_cannot_be_added_to_a_cross_position():
    desk = Desk()
    desk.apply(SetMarginMode(1, SYMBOL, MarginMode.CROSS))
    desk.trade(1, 2, 10, 1_000)

    events = desk.apply(AdjustMargin(1, SYMBOL, NET, usdt(5)))

    assert refusal(events) is RejectReason.NOT_ISOLATED


def test_a_cross_position_ties_up_initial_margin_and_unrealized_loss():
    desk = Desk()
    desk.apply(SetMarginMode(1, SYMBOL, MarginMode.CROSS))
    desk.trade(1, 2, 10, 1_000)
    assert desk.balance(1) == usdt(10_000)
    assert desk.exchange.available_balance(1) == usdt(9_900)

    desk.mark(990)
    assert desk.exchange.available_balance(1) == usdt(9_890)
    desk.mark(1_100)
    assert desk.exchange.available_balance(1) == usdt(9_900)


def test_an_account_with_fee_rates_of_its_own_pays_by_them():
    desk = Desk(maker_fee=20_000, taker_fee=50_000)
    desk.apply(SetFeeTier(1, -10_000, 30_000))
    desk.limit(1, SELL, 10, 1_000)

    maker, taker = of_type(desk.limit(2, BUY, 10, 1_000), Filled)

    assert maker.fee == -usdt("0.1")
    assert taker.fee == usdt("0.5")
    assert desk.exchange.ledger.fees == usdt("0.4")


def test_dearer_fees_cancel_the_orders_an_account_can_no_longer_hold_money_for():
    desk = Desk(money=100)
    desk.limit(1, BUY, 5, 1_000)
    desk.limit(1, BUY, 5, 1_000)
    assert desk.exchange.available_balance(1) == 0

    desk.apply(SetFeeTier(1, 100_000, 100_000))

    assert desk.orders(1) == [(BUY, 5, 1_000)]
