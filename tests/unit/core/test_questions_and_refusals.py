"""What the exchange answers, and how it refuses what cannot be."""

import pytest

from simexchange.core.commands import (
    AdjustMargin,
    AmendPlanOrder,
    CancelAll,
    Deposit,
    ForceReject,
    PlacePlanOrder,
    SetFeeTier,
    SetFundingInterval,
    SetFundingRate,
    SetIndex,
    SetIndexSources,
    SetLeverage,
    SetMarginMode,
    SetMark,
    SetPositionMode,
)
from simexchange.core.events import FundingPaid, PositionLiquidated
from simexchange.core.instrument import FundingRules
from simexchange.core.types import (
    HOUR_US,
    MarginMode,
    OrderKind,
    PositionMode,
    PositionSide,
    RejectReason,
    TriggerBy,
    Wallet,
)
from simexchange.history import History
from tests.unit.core.exchange_builders import BUY, SELL, SYMBOL, Desk, of_type, usdt


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (Deposit(9, Wallet.SPOT, 1), RejectReason.UNKNOWN_ACCOUNT),
        (CancelAll(9), RejectReason.UNKNOWN_ACCOUNT),
        (CancelAll(1, "NONE"), RejectReason.UNKNOWN_INSTRUMENT),
        (SetLeverage(9, SYMBOL, 5), RejectReason.UNKNOWN_ACCOUNT),
        (SetLeverage(1, SYMBOL, 5, PositionSide.LONG), RejectReason.POSITION_SIDE_MISMATCH),
        (SetMarginMode(1, "NONE", MarginMode.CROSS), RejectReason.UNKNOWN_INSTRUMENT),
        (SetPositionMode(9, PositionMode.HEDGE), RejectReason.UNKNOWN_ACCOUNT),
        (SetPositionMode(1, PositionMode.ONE_WAY), RejectReason.UNCHANGED),
        (SetFeeTier(9, 0, 0), RejectReason.UNKNOWN_ACCOUNT),
        (SetFeeTier(1, 10**8, 0), RejectReason.INVALID_AMOUNT),
        (AdjustMargin(1, SYMBOL, PositionSide.NET, 5), RejectReason.NO_POSITION),
        (AdjustMargin(1, SYMBOL, PositionSide.NET, 0), RejectReason.INVALID_AMOUNT),
        (SetIndex("NONE", 5), RejectReason.UNKNOWN_INSTRUMENT),
        (SetIndex(SYMBOL, 0), RejectReason.INVALID_PRICE),
        (SetMark(SYMBOL, -1), RejectReason.INVALID_PRICE),
        (SetIndexSources(SYMBOL, (0,)), RejectReason.INVALID_PRICE),
        (SetFundingRate("NONE", 5), RejectReason.UNKNOWN_INSTRUMENT),
        (SetFundingInterval(SYMBOL, 5), RejectReason.INVALID_REQUEST),
        (ForceReject(9, "order", 1), RejectReason.UNKNOWN_ACCOUNT),
        (ForceReject(1, "everything", 1), RejectReason.INVALID_REQUEST),
        (ForceReject(1, "order", -1), RejectReason.INVALID_REQUEST),
        (AmendPlanOrder(9, SYMBOL, 1), RejectReason.UNKNOWN_ACCOUNT),
        (AmendPlanOrder(1, "NONE", 1), RejectReason.UNKNOWN_INSTRUMENT),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_changes(command, expected):
    desk = Desk(funding=FundingRules())
    before = desk.exchange.state_hash()

    (refused,) = desk.apply(command)

    assert refused.reason is expected
    assert refused.command == type(command).__name__
    assert desk.exchange.state_hash() == before


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"account": 9}, RejectReason.UNKNOWN_ACCOUNT),
        ({"trigger_price": 0}, RejectReason.INVALID_PRICE),
        ({"callback_rate": 10**8, "trigger_price": 0}, RejectReason.INVALID_PRICE),
        ({"callback_rate": 10**6}, RejectReason.INVALID_PRICE),
        ({"kind": OrderKind.LIMIT}, RejectReason.INVALID_PRICE),
        ({"price": 5}, RejectReason.INVALID_PRICE),
        ({"contracts": 0}, RejectReason.INVALID_CONTRACTS),
        ({"close_position": True}, RejectReason.INVALID_CONTRACTS),
        ({"position_side": PositionSide.LONG}, RejectReason.POSITION_SIDE_MISMATCH),
        ({"client_order_id": "used"}, RejectReason.DUPLICATE_CLIENT_ORDER_ID),
        ({"trigger_by": TriggerBy.LAST}, RejectReason.NO_PRICE),
    ],
)
def test_a_plan_order_that_cannot_be_is_refused_with_its_reason(changes, expected):
    desk = Desk()
    desk.limit(1, BUY, 1, 900, client_order_id="used")
    fields = {
        "account": 1,
        "symbol": SYMBOL,
        "side": BUY,
        "contracts": 1,
        "trigger_price": 990,
        "trigger_by": TriggerBy.MARK,
    }

    (rejected,) = desk.apply(PlacePlanOrder(**(fields | changes)))

    assert rejected.reason is expected


def test_plan_orders_are_limited_in_number():
    desk = Desk(max_open_plans=1)
    desk.plan(1, BUY, 1, 990)

    assert desk.plan(1, BUY, 1, 990)[0].reason is RejectReason.TOO_MANY_ORDERS


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"trigger_price": 990}, RejectReason.UNCHANGED),
        ({"trigger_price": 1_000}, RejectReason.WOULD_TRIGGER_NOW),
        ({"trigger_price": 0}, RejectReason.INVALID_PRICE),
        ({"price": 5}, RejectReason.INVALID_PRICE),
        ({"contracts": 0}, RejectReason.INVALID_CONTRACTS),
    ],
)
def test_a_plan_order_is_not_amended_into_something_that_cannot_be(changes, expected):
    desk = Desk()
    desk.plan(1, BUY, 1, 990)

    (refused,) = desk.apply(AmendPlanOrder(1, SYMBOL, 1, **changes))

    assert refused.reason is expected


def test_the_exchange_answers_for_book_prices_orders_and_accounts():
    desk = Desk(funding=FundingRules())
    exchange = desk.exchange
    desk.limit(1, BUY, 2, 990)
    desk.limit(1, BUY, 3, 990)
    desk.limit(2, SELL, 4, 1_010)
    desk.plan(3, BUY, 1, 900)

    assert (exchange.best_bid(SYMBOL), exchange.best_ask(SYMBOL)) == (990, 1_010)
    assert exchange.depth(SYMBOL) == ([(990, 5)], [(1_010, 4)])
    assert exchange.last_price(SYMBOL) is None
    assert exchange.index_price(SYMBOL) == 1_000
    assert exchange.order(3).remaining == 4
    assert exchange.order(99) is None
    assert exchange.order_by_client_id(1, "none") is None
    assert exchange.plan(3, 1).trigger_price == 900
    assert exchange.plan(3, 2) is None
    assert [i.symbol for i in exchange.instruments] == [SYMBOL]
    assert exchange.instrument(SYMBOL).base == "BTC"
    assert exchange.funding(SYMBOL).next_funding_at == 8 * HOUR_US
    assert exchange.deleveraging_lights(1, SYMBOL) == 0
    assert exchange.equity(1) == usdt(10_000)
    assert exchange.now == desk.at
    assert "sum: 0" in exchange.ledger_text()


def test_an_ended_order_can_be_asked_for_until_many_later_ones_have_ended():
    desk = Desk()
    desk.market(1, BUY, 1)
    assert desk.exchange.order(1).status == "cancelled"
    assert desk.exchange.order(1, account=1).status == "cancelled"

    for _ in range(1_100):
        desk.market(1, BUY, 1)

    assert desk.exchange.order(1) is None
    assert desk.exchange.order(1_101) is not None


def test_the_views_show_a_cross_position_by_what_backs_it():
    desk = Desk(money=1_000)
    desk.apply(SetMarginMode(1, SYMBOL, MarginMode.CROSS))
    desk.trade(1, 2, 10, 1_000)

    view = desk.position(1)

    assert view.margin == usdt(100)
    assert view.bankruptcy_price == 0
    assert view.margin_mode is MarginMode.CROSS


def test_history_keeps_public_trades_liquidations_and_funding():
    history, desk = History(), Desk(funding=FundingRules(), fund=1_000)
    desk.apply(SetFundingRate(SYMBOL, 100_000))
    history.listen(desk.trade(1, 2, 10, 1_000))
    paid = desk.wait(8 * 3_600)
    history.listen(paid)
    events = desk.mark(desk.position(1).liquidation_price)
    history.listen(events)

    assert [trade.account for trade in history.trades(SYMBOL)] == [1]
    assert history.funding(1) == [e for e in of_type(paid, FundingPaid) if e.account == 1]
    assert history.liquidations(1)[0] == of_type(events, PositionLiquidated)[0]
    assert history.candles("NONE", 1) == []
