"""Orders that close whatever else the account has resting, told as stories."""

import pytest

from simexchange.core.commands import SetPositionMode
from simexchange.core.events import (
    Filled,
    OrderAccepted,
    OrderAmended,
    OrderCancelled,
    OrderRejected,
    PlanOrderAccepted,
    PlanOrderFailed,
    SelfTradePrevented,
)
from simexchange.core.types import (
    CancelReason,
    PositionMode,
    PositionSide,
    RejectReason,
    SelfTradePrevention,
    TimeInForce,
)
from tests.unit.core.exchange_builders import BUY, SELL, Desk, of_type, usdt


def long_position(contracts=10, **more):
    desk = Desk(**more)
    desk.trade(1, 2, contracts, 1_000)
    return desk


def test_the_acceptance_of_an_order_that_only_reduces_does_not_call_it_close_on_trigger():
    desk = long_position()

    (accepted,) = of_type(desk.limit(1, SELL, 5, 1_010, reduce_only=True), OrderAccepted)

    assert accepted.reduce_only
    assert not accepted.close_on_trigger


def test_it_never_opens_whether_or_not_it_says_reduce_only():
    desk = long_position()
    desk.limit(3, BUY, 50, 990)

    events = desk.market(1, SELL, 50, close_on_trigger=True)

    (accepted,) = of_type(events, OrderAccepted)
    assert accepted.reduce_only
    assert accepted.close_on_trigger
    assert accepted.contracts == 10
    assert desk.position(1).contracts == 0
    (refused,) = of_type(desk.market(1, SELL, 1, close_on_trigger=True), OrderRejected)
    assert refused.reason is RejectReason.REDUCE_ONLY_REJECTED


def test_other_orders_that_close_the_position_are_cut_to_what_it_leaves_oldest_first():
    desk = long_position()
    desk.limit(1, SELL, 3, 1_100, reduce_only=True)
    desk.limit(1, SELL, 5, 1_200, reduce_only=True)
    desk.limit(1, SELL, 4, 1_300, reduce_only=True)

    events = desk.limit(1, SELL, 6, 1_050, close_on_trigger=True)

    (cut,) = of_type(events, OrderAmended)
    (gone,) = of_type(events, OrderCancelled)
    assert (cut.price, cut.contracts, cut.reason) == (1_200, 1, CancelReason.CLOSE_ON_TRIGGER)
    assert gone.reason is CancelReason.CLOSE_ON_TRIGGER
    assert desk.orders(1) == [(SELL, 3, 1_100), (SELL, 1, 1_200), (SELL, 6, 1_050)]


def test_the_newest_orders_go_where_the_account_may_have_no_more():
    desk = long_position(max_open_orders=2)
    desk.limit(1, BUY, 1, 900)
    desk.limit(1, BUY, 1, 910)
    (refused,) = of_type(desk.limit(1, SELL, 10, 1_050, reduce_only=True), OrderRejected)
    assert refused.reason is RejectReason.TOO_MANY_ORDERS

    desk.limit(1, SELL, 10, 1_050, close_on_trigger=True)

    assert desk.orders(1) == [(BUY, 1, 900), (SELL, 10, 1_050)]


@pytest.mark.parametrize(
    "mode", [mode for mode in SelfTradePrevention if mode is not SelfTradePrevention.NONE]
)
def test_an_own_order_in_its_way_is_cancelled_and_never_itself(mode):
    desk = long_position()
    desk.limit(1, BUY, 2, 990)
    desk.limit(3, BUY, 10, 980)

    events = desk.market(1, SELL, 10, close_on_trigger=True, self_trade_prevention=mode)

    assert of_type(events, SelfTradePrevented)
    assert desk.position(1).contracts == 0
    assert desk.orders(1) == []


def test_an_account_whose_money_is_all_held_by_orders_still_closes_at_a_loss():
    desk = long_position(contracts=100, money=1_100, taker_fee=100_000, fund=1_000)
    free = desk.exchange.available_balance(1)
    desk.limit(1, BUY, free // usdt(8.1), 800)
    desk.limit(3, BUY, 100, 895)  # a loss of 1,050 from a margin of 1,000

    events = desk.market(1, SELL, 100, close_on_trigger=True)

    assert sum(e.contracts for e in of_type(events, Filled) if e.account == 1) == 100
    assert desk.position(1).contracts == 0
    assert desk.balance(1) >= desk.exchange.account(1).order_hold


def test_a_refused_one_moves_no_other_order():
    desk = long_position()
    desk.limit(1, SELL, 10, 1_100, reduce_only=True)
    desk.limit(3, BUY, 1, 990)

    post_only = {"time_in_force": TimeInForce.POST_ONLY, "close_on_trigger": True}
    (refused,) = of_type(desk.limit(1, SELL, 10, 990, **post_only), OrderRejected)

    assert refused.reason is RejectReason.POST_ONLY_WOULD_CROSS
    assert desk.orders(1) == [(SELL, 10, 1_100)]


def test_a_plan_order_becomes_one_when_it_fires():
    desk = long_position()
    desk.limit(1, SELL, 10, 1_100, reduce_only=True)
    desk.limit(3, BUY, 10, 950)
    (accepted,) = of_type(desk.plan(1, SELL, 4, 950, close_on_trigger=True), PlanOrderAccepted)

    desk.mark(950)

    assert accepted.close_on_trigger
    assert accepted.reduce_only
    assert desk.position(1).contracts == 6
    assert desk.orders(1) == [(SELL, 6, 1_100)]


def test_in_hedge_mode_it_closes_its_own_leg():
    desk = Desk()
    desk.apply(SetPositionMode(1, PositionMode.HEDGE))
    desk.limit(2, SELL, 10, 1_000)
    desk.market(1, BUY, 10, position_side=PositionSide.LONG)
    desk.limit(3, BUY, 10, 990)
    desk.limit(1, SELL, 10, 1_100, position_side=PositionSide.LONG)

    opening = desk.market(1, SELL, 4, position_side=PositionSide.SHORT, close_on_trigger=True)
    desk.market(1, SELL, 4, position_side=PositionSide.LONG, close_on_trigger=True)

    assert of_type(opening, OrderRejected)[0].reason is RejectReason.REDUCE_ONLY_REJECTED
    assert desk.position(1, side=PositionSide.LONG).contracts == 6
    assert desk.orders(1) == [(SELL, 6, 1_100)]


@pytest.mark.parametrize(
    ("limits", "held", "left"),
    [({"min_contracts": 12}, 8, 0), ({"max_market_contracts": 6}, 8, 2)],
)
def test_a_plan_that_closes_the_position_closes_as_much_as_one_order_may(limits, held, left):
    desk = Desk(**limits)
    desk.trade(1, 2, 20, 1_000)
    desk.limit(3, BUY, 20, 990)
    desk.limit(1, SELL, 12, 990)
    assert desk.position(1).contracts == held
    desk.limit(3, BUY, 20, 900)
    desk.plan(1, SELL, 0, 950, close_position=True)

    events = desk.mark(950)

    assert not of_type(events, PlanOrderFailed)
    assert desk.position(1).contracts == left
