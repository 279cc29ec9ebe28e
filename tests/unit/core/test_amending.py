"""Changing and cancelling orders."""

from simexchange.core.commands import (
    AmendOrder,
    Batch,
    CancelAll,
    CancelOrder,
    PlaceOrder,
    SetPositionMode,
)
from simexchange.core.events import CommandRejected, Filled, OrderAccepted, OrderAmended
from simexchange.core.types import (
    CancelReason,
    OrderKind,
    PositionMode,
    PositionSide,
    RejectReason,
    TimeInForce,
)
from tests.unit.core.exchange_builders import BUY, SELL, SYMBOL, Desk, names, of_type, usdt


def amend(desk, order_id, **changes):
    return desk.apply(AmendOrder(1, SYMBOL, order_id, **changes))


def first_to_trade(desk):
    return of_type(desk.market(3, SELL, 1), Filled)[0].account


def two_bids():
    desk = Desk()
    desk.limit(1, BUY, 5, 900)
    desk.limit(2, BUY, 5, 900)
    return desk


def test_a_smaller_size_keeps_its_place_in_the_queue():
    desk = two_bids()

    (amended,) = amend(desk, 1, contracts=2)

    assert amended.kept_place
    assert first_to_trade(desk) == 1


def test_a_larger_size_goes_to_the_back_of_the_queue():
    desk = two_bids()

    amend(desk, 1, contracts=6)

    assert first_to_trade(desk) == 2


def test_a_new_price_goes_to_the_back_of_its_queue_even_when_it_returns():
    desk = two_bids()

    amend(desk, 1, price=901)
    amend(desk, 1, price=900)

    assert first_to_trade(desk) == 2


def test_an_amended_price_that_crosses_trades():
    desk = Desk()
    desk.limit(1, BUY, 5, 900)
    desk.limit(2, SELL, 3, 950)

    events = amend(desk, 1, price=950)

    assert names(events) == ["OrderAmended", "Filled", "Filled"]
    assert desk.orders(1) == [(BUY, 2, 950)]


def test_a_post_only_order_amended_to_cross_is_cancelled():
    desk = Desk()
    desk.limit(1, BUY, 5, 900, time_in_force=TimeInForce.POST_ONLY)
    desk.limit(2, SELL, 3, 950)

    (cancelled,) = amend(desk, 1, price=950)

    assert cancelled.reason is CancelReason.POST_ONLY


def test_an_order_amended_to_what_is_filled_already_ends():
    desk = Desk()
    desk.limit(1, BUY, 5, 900)
    desk.market(3, SELL, 3)

    (cancelled,) = amend(desk, 1, contracts=3)

    assert cancelled.reason is CancelReason.FULLY_REDUCED
    assert desk.exchange.account(1).order_hold == 0


def test_an_amendment_the_account_cannot_pay_for_changes_nothing():
    desk = Desk(money=100)
    desk.limit(1, BUY, 5, 900)
    before = desk.exchange.state_hash()

    (refused,) = amend(desk, 1, contracts=500)

    assert refused.reason is RejectReason.INSUFFICIENT_MARGIN
    assert desk.exchange.state_hash() == before


def test_amending_or_cancelling_what_is_not_there_is_refused_by_name():
    desk = Desk()

    for command in (AmendOrder(1, SYMBOL, 7, price=5), CancelOrder(1, SYMBOL, 7)):
        (refused,) = desk.apply(command)
        assert isinstance(refused, CommandRejected)
        assert refused.reason is RejectReason.UNKNOWN_ORDER
    (refused,) = desk.apply(CancelOrder(1, "NONE", 7))
    assert refused.reason is RejectReason.UNKNOWN_INSTRUMENT


def test_one_account_cannot_cancel_the_order_of_another():
    desk = Desk()
    desk.limit(1, BUY, 5, 900)

    (refused,) = desk.apply(CancelOrder(2, SYMBOL, 1))

    assert refused.reason is RejectReason.UNKNOWN_ORDER
    assert desk.orders(1) == [(BUY, 5, 900)]


def test_cancel_all_takes_every_order_of_one_account_only():
    desk = two_bids()
    desk.limit(1, BUY, 1, 800)

    desk.apply(CancelAll(1))

    assert desk.orders(1) == []
    assert desk.orders(2) == [(BUY, 5, 900)]


def test_each_part_of_a_batch_succeeds_or_is_refused_on_its_own():
    desk = Desk()
    events = desk.apply(
        Batch(
            (
                PlaceOrder(1, SYMBOL, BUY, 1, OrderKind.LIMIT, 900),
                PlaceOrder(1, SYMBOL, BUY, 0, OrderKind.LIMIT, 900),
                AmendOrder(1, SYMBOL, 1, price=901),
                CancelOrder(1, SYMBOL, 1),
            )
        )
    )

    assert names(events) == ["OrderAccepted", "OrderRejected", "OrderAmended", "OrderCancelled"]
    assert of_type(events, OrderAmended)[0].price == 901


def test_an_order_is_not_amended_below_the_minimum_notional_unless_it_only_closes():
    desk = Desk(min_notional=usdt(200))
    desk.trade(1, 2, 5, 1_000)
    desk.limit(1, BUY, 3, 900)
    desk.limit(1, SELL, 3, 1_100, reduce_only=True)

    (refused,) = amend(desk, 3, contracts=2)
    (priced,) = amend(desk, 3, price=600)
    (closing,) = amend(desk, 4, contracts=1)

    assert refused.reason is priced.reason is RejectReason.BELOW_MINIMUM_NOTIONAL
    assert isinstance(closing, OrderAmended)


def test_what_closes_a_leg_in_hedge_mode_may_be_of_any_worth():
    desk = Desk(min_notional=usdt(200))
    desk.apply(SetPositionMode(1, PositionMode.HEDGE))
    desk.limit(2, SELL, 3, 1_000)
    desk.limit(1, BUY, 3, 1_000, position_side=PositionSide.LONG)

    (refused,) = desk.limit(1, BUY, 1, 900, position_side=PositionSide.LONG)
    (accepted,) = desk.limit(1, SELL, 1, 1_100, position_side=PositionSide.LONG)

    assert refused.reason is RejectReason.BELOW_MINIMUM_NOTIONAL
    assert isinstance(accepted, OrderAccepted)


def test_what_is_left_of_a_filled_order_may_always_be_given_up():
    desk = Desk(min_notional=usdt(200))
    desk.trade(2, 3, 3, 1_000)
    desk.limit(1, BUY, 3, 900)
    desk.market(2, SELL, 1, reduce_only=True)

    (cancelled,) = amend(desk, 3, contracts=1)

    assert cancelled.reason is CancelReason.FULLY_REDUCED


def test_what_an_amendment_takes_off_is_first_what_would_have_opened():
    desk = Desk()
    desk.trade(1, 2, 5, 1_000)
    desk.limit(1, SELL, 8, 1_100)
    hold = desk.exchange.account(1).order_hold

    amend(desk, 3, contracts=6)
    assert desk.exchange.account(1).order_hold == hold // 3

    amend(desk, 3, contracts=4)
    assert desk.exchange.account(1).order_hold == 0


def test_an_order_made_larger_or_dearer_closes_as_much_as_a_new_one_would():
    desk = Desk()
    desk.trade(1, 2, 5, 1_000)
    desk.limit(1, SELL, 2, 1_100)
    desk.limit(1, SELL, 1, 1_200)

    amend(desk, 3, contracts=4)
    assert desk.exchange.account(1).order_hold == 0  # the position covers 4 and 1

    amend(desk, 4, contracts=3)
    two = desk.exchange.account(1).order_hold
    assert two > 0

    desk.apply(CancelOrder(1, SYMBOL, 3))
    amend(desk, 4, price=1_150)
    assert desk.exchange.account(1).order_hold == 0  # all of the position is free for it now


def test_an_amended_order_that_crosses_closes_first_what_it_can_at_once():
    desk = Desk(money=60)
    desk.trade(1, 2, 5, 1_000)
    desk.limit(3, BUY, 5, 990)
    desk.limit(1, SELL, 1, 1_100)

    events = amend(desk, 4, price=990, contracts=5)

    assert desk.position(1).contracts == 0
    assert of_type(events, Filled)
    assert desk.exchange.account(1).order_hold == 0
