"""Orders that are good till a date: they rest until then, and not a moment longer."""

import pytest

from simexchange.core.commands import AmendOrder, CancelOrder, PlaceOrder
from simexchange.core.events import Filled, OrderCancelled, OrderRejected
from simexchange.core.types import CancelReason, OrderKind, RejectReason, TimeInForce
from tests.unit.core.exchange_builders import BUY, SELL, SYMBOL, Desk, of_type

SECOND = 1_000_000


def bid(desk: Desk, price: int = 990, contracts: int = 5, **terms: object):
    """Let account 1 bid, by default until second 60."""
    terms = {"expires_at": 60 * SECOND, **terms}
    command = PlaceOrder(1, SYMBOL, BUY, contracts, OrderKind.LIMIT, price, **terms)
    return desk.apply(command)


def test_it_ends_at_its_time_and_holds_nothing_any_more():
    desk = Desk()
    bid(desk)
    [order] = desk.exchange.open_orders(1)
    assert order.expires_at == 60 * SECOND
    assert desk.exchange.account(1).order_hold > 0

    assert not of_type(desk.wait(59), OrderCancelled)
    (ended,) = of_type(desk.wait(10), OrderCancelled)

    assert (ended.reason, ended.at, ended.remaining) == (CancelReason.EXPIRED, 60 * SECOND, 5)
    assert desk.exchange.account(1).order_hold == 0
    assert not desk.exchange.open_orders(1)


def test_an_order_of_the_moment_at_which_it_ends_does_not_meet_it():
    desk = Desk()
    bid(desk, expires_at=desk.at + 2)

    events = desk.apply(PlaceOrder(2, SYMBOL, SELL, 5, OrderKind.MARKET), at=desk.at + 1)

    assert not of_type(events, Filled)
    assert [event.reason for event in of_type(events, OrderCancelled)] == [
        CancelReason.EXPIRED,
        CancelReason.NO_LIQUIDITY,
    ]


def test_only_what_is_left_of_it_ends():
    desk = Desk()
    bid(desk)
    desk.market(2, SELL, 2)

    (ended,) = of_type(desk.wait(61), OrderCancelled)

    assert (ended.filled, ended.remaining) == (2, 3)


def test_a_filled_or_cancelled_order_ends_once():
    desk = Desk()
    bid(desk)
    desk.market(2, SELL, 5)
    bid(desk, 980)
    [order] = desk.exchange.open_orders(1)
    desk.apply(CancelOrder(1, SYMBOL, order.order_id))

    assert not of_type(desk.wait(61), OrderCancelled)


def test_a_time_that_outlives_its_order_ends_no_other():
    desk = Desk()
    bid(desk)
    [order] = desk.exchange.open_orders(1)
    desk.apply(CancelOrder(1, SYMBOL, order.order_id))

    for _ in range(1_000):  # until the exchange forgot it, and long after
        bid(desk, expires_at=None)
        [order] = desk.exchange.open_orders(1)
        desk.apply(CancelOrder(1, SYMBOL, order.order_id))
    for _ in range(200):
        bid(desk, expires_at=None, contracts=1)

    assert not of_type(desk.wait(61), OrderCancelled)
    assert len(desk.exchange.open_orders(1)) == 200


def test_an_amended_order_keeps_its_time():
    desk = Desk()
    bid(desk)
    [order] = desk.exchange.open_orders(1)
    desk.apply(AmendOrder(1, SYMBOL, order.order_id, price=991, contracts=7))

    (ended,) = of_type(desk.wait(61), OrderCancelled)

    assert (ended.at, ended.remaining) == (60 * SECOND, 7)


@pytest.mark.parametrize(
    "terms",
    [
        {"expires_at": 0},
        {"time_in_force": TimeInForce.IOC},
        {"time_in_force": TimeInForce.FOK},
    ],
)
def test_what_cannot_end_then_is_refused(terms):
    desk = Desk()

    (refused,) = bid(desk, **terms)

    assert isinstance(refused, OrderRejected)
    assert refused.reason is RejectReason.INVALID_REQUEST


def test_a_market_order_takes_no_time():
    desk = Desk()
    command = PlaceOrder(1, SYMBOL, BUY, 5, OrderKind.MARKET, expires_at=60 * SECOND)

    (refused,) = desk.apply(command)

    assert refused.reason is RejectReason.INVALID_REQUEST


def test_a_plan_that_became_a_limit_order_ends_at_its_time_all_the_same():
    desk = Desk()
    desk.plan(1, BUY, 3, 990, kind=OrderKind.LIMIT, price=980, expires_at=60 * SECOND)
    desk.mark(990)
    desk.limit(2, SELL, 1, 990)
    desk.limit(1, BUY, 1, 990)
    [order] = desk.exchange.open_orders(1)
    assert order.expires_at == 60 * SECOND

    (ended,) = of_type(desk.wait(61), OrderCancelled)

    assert (ended.order_id, ended.reason) == (order.order_id, CancelReason.EXPIRED)


def test_a_plan_that_would_have_ended_already_is_refused():
    desk = Desk()
    desk.wait(10)

    (refused,) = desk.plan(1, BUY, 1, 990, expires_at=SECOND)

    assert refused.reason is RejectReason.INVALID_REQUEST


def test_two_exchanges_that_differ_in_an_expiry_only_have_two_hashes():
    one, other = Desk(), Desk()
    bid(one)
    bid(other, expires_at=61 * SECOND)

    assert one.exchange.event_hash == other.exchange.event_hash
    assert one.exchange.state_hash() != other.exchange.state_hash()
