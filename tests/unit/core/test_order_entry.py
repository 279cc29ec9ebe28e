"""What happens to a new order."""

from random import Random

import pytest

from simexchange.core.commands import (
    CancelOrder,
    Deposit,
    OpenAccount,
    PlaceOrder,
    SetMarginMode,
    SetPositionMode,
)
from simexchange.core.events import Filled, OrderAccepted, OrderCancelled, OrderRejected
from simexchange.core.types import (
    CancelReason,
    Liquidity,
    MarginMode,
    OrderKind,
    OrderStatus,
    PositionMode,
    PositionSide,
    RejectReason,
    SelfTradePrevention,
    TimeInForce,
    Wallet,
)
from tests.unit.core.exchange_builders import BUY, SELL, SYMBOL, Desk, names, of_type, usdt


def reason(events):
    (rejection,) = events
    assert isinstance(rejection, OrderRejected)
    return rejection.reason


def test_a_market_order_against_an_empty_book_is_accepted_and_cancelled():
    desk = Desk()

    accepted, cancelled = desk.market(1, BUY, 5)

    assert isinstance(accepted, OrderAccepted)
    assert isinstance(cancelled, OrderCancelled)
    assert cancelled.reason is CancelReason.NO_LIQUIDITY
    assert cancelled.remaining == 5


def test_a_taker_gets_the_makers_price_and_both_sides_are_told():
    desk = Desk()
    desk.limit(1, SELL, 5, 990)

    _, maker, taker = desk.limit(2, BUY, 3, 1_000)

    assert (maker.account, maker.liquidity, maker.price) == (1, Liquidity.MAKER, 990)
    assert (taker.account, taker.liquidity, taker.price) == (2, Liquidity.TAKER, 990)
    assert (taker.order_filled, taker.order_contracts) == (3, 3)
    assert maker.position_contracts == -3
    assert taker.entry_cost == usdt(297)


def test_better_prices_trade_first_and_older_orders_first_within_a_price():
    desk = Desk(accounts=4)
    desk.limit(1, SELL, 1, 1_001)
    desk.limit(2, SELL, 1, 1_000)
    desk.limit(3, SELL, 1, 1_000)

    makers = of_type(desk.market(4, BUY, 3), Filled)[::2]

    assert [maker.account for maker in makers] == [2, 3, 1]


@pytest.mark.parametrize(
    ("time_in_force", "filled", "expected"),
    [
        (TimeInForce.IOC, 3, CancelReason.IMMEDIATE_OR_CANCEL),
        (TimeInForce.FOK, 0, CancelReason.FILL_OR_KILL),
    ],
)
def test_what_may_not_rest_is_cancelled_with_its_reason(time_in_force, filled, expected):
    desk = Desk()
    desk.limit(1, SELL, 3, 1_000)

    cancelled = desk.limit(2, BUY, 5, 1_000, time_in_force=time_in_force)[-1]

    assert (cancelled.filled, cancelled.reason) == (filled, expected)
    assert desk.orders(2) == []


def test_a_post_only_order_that_would_trade_is_refused():
    desk = Desk()
    desk.limit(1, SELL, 3, 1_000)

    assert (
        reason(desk.limit(2, BUY, 1, 1_000, time_in_force=TimeInForce.POST_ONLY))
        is RejectReason.POST_ONLY_WOULD_CROSS
    )
    assert names(desk.limit(2, BUY, 1, 999, time_in_force=TimeInForce.POST_ONLY)) == [
        "OrderAccepted"
    ]


# the first reason that applies is the one that is given
@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"account": 9, "symbol": "NONE"}, RejectReason.UNKNOWN_ACCOUNT),
        ({"symbol": "NONE", "price": None}, RejectReason.UNKNOWN_INSTRUMENT),
        ({"price": None, "contracts": 0}, RejectReason.INVALID_PRICE),
        ({"price": 0}, RejectReason.INVALID_PRICE),
        ({"kind": OrderKind.MARKET}, RejectReason.INVALID_PRICE),
        ({"contracts": 0, "position_side": PositionSide.LONG}, RejectReason.INVALID_CONTRACTS),
        ({"contracts": 1}, RejectReason.BELOW_MINIMUM),
        ({"contracts": 3}, RejectReason.INVALID_CONTRACTS),
        ({"contracts": 1_002}, RejectReason.ABOVE_MAXIMUM),
        ({"position_side": PositionSide.LONG}, RejectReason.POSITION_SIDE_MISMATCH),
        ({"client_order_id": "mine"}, RejectReason.DUPLICATE_CLIENT_ORDER_ID),
        ({"price": 1_101}, RejectReason.PRICE_OUTSIDE_BAND),
        ({"price": 900, "contracts": 2}, RejectReason.BELOW_MINIMUM_NOTIONAL),
        ({"reduce_only": True}, RejectReason.REDUCE_ONLY_REJECTED),
        ({"contracts": 1_000, "price": 1_100}, RejectReason.INSUFFICIENT_MARGIN),
    ],
)
def test_a_refusal_gives_the_first_reason_and_a_sentence(changes, expected):
    desk = Desk(
        min_contracts=2,
        max_contracts=1_000,
        contracts_step=2,
        price_band=10_000_000,
        min_notional=usdt(190),
    )
    desk.limit(1, BUY, 4, 900, client_order_id="mine")
    fields = {
        "account": 1,
        "symbol": SYMBOL,
        "side": BUY,
        "contracts": 4,
        "kind": OrderKind.LIMIT,
        "price": 1_000,
    }

    (rejection,) = desk.apply(PlaceOrder(**(fields | changes)))

    assert rejection.reason is expected
    assert " " in rejection.message


def test_a_client_order_id_stays_used_after_its_order_has_ended():
    desk = Desk()
    desk.limit(1, BUY, 1, 900, client_order_id="once")
    desk.apply(CancelOrder(1, SYMBOL, client_order_id="once"))

    assert (
        reason(desk.limit(1, BUY, 1, 900, client_order_id="once"))
        is RejectReason.DUPLICATE_CLIENT_ORDER_ID
    )
    assert desk.exchange.order_by_client_id(1, "once").status is OrderStatus.CANCELLED
    assert names(desk.limit(2, BUY, 1, 900, client_order_id="once")) == ["OrderAccepted"]


def test_an_order_holds_initial_margin_fee_and_loss_against_the_mark():
    desk = Desk(taker_fee=100_000, mark=1_000)
    desk.leverage(1, 10)

    desk.limit(1, BUY, 1, 1_100)

    # 110 / 10 + 110 × 0.1 % + 10 behind the mark
    assert desk.exchange.account(1).order_hold == usdt("21.11")
    assert desk.exchange.available_balance(1) == usdt(10_000) - usdt("21.11")


def test_the_hold_of_an_order_is_gone_when_it_is_filled_or_cancelled():
    desk = Desk(taker_fee=123_457, maker_fee=123_457)
    desk.leverage(1, 7)
    desk.limit(1, BUY, 10, 999)
    desk.limit(1, BUY, 10, 998)
    for _ in range(10):
        desk.market(2, SELL, 1)

    desk.apply(CancelOrder(1, SYMBOL, order_id=2))

    assert desk.exchange.account(1).order_hold == 0


def test_a_market_order_trades_no_further_than_its_slippage_bound():
    desk = Desk(market_slippage=1_000_000)
    desk.limit(1, SELL, 1, 1_010)
    desk.limit(1, SELL, 1, 1_011)

    cancelled = desk.market(2, BUY, 2)[-1]

    assert (cancelled.filled, cancelled.reason) == (1, CancelReason.NO_LIQUIDITY)


def test_the_number_of_open_orders_is_limited():
    desk = Desk(max_open_orders=2)
    desk.limit(1, BUY, 1, 900)
    desk.limit(1, BUY, 1, 900)

    assert reason(desk.limit(1, BUY, 1, 900)) is RejectReason.TOO_MANY_ORDERS


# ---------------------------------------------------------------- one self


@pytest.mark.parametrize(
    ("mode", "maker_left", "taker_left"),
    [
        (SelfTradePrevention.TAKER, [(SELL, 3, 1_000)], []),
        (SelfTradePrevention.MAKER, [], [(BUY, 5, 1_000)]),
        (SelfTradePrevention.BOTH, [], []),
        (SelfTradePrevention.DECREMENT, [], [(BUY, 2, 1_000)]),
    ],
)
def test_sub_accounts_of_one_owner_do_not_trade_with_each_other(mode, maker_left, taker_left):
    desk = Desk(accounts=1)
    for number in (2, 3):
        desk.apply(OpenAccount(owner=1))
        desk.apply(Deposit(number, Wallet.CONTRACT, usdt(10_000)))
    desk.limit(2, SELL, 3, 1_000)

    events = desk.limit(3, BUY, 5, 1_000, self_trade_prevention=mode)

    assert of_type(events, Filled) == []
    assert desk.orders(2) == maker_left
    assert desk.orders(3) == taker_left


def test_without_prevention_an_owner_trades_with_himself():
    desk = Desk()
    desk.limit(1, SELL, 3, 1_000)

    assert len(of_type(desk.limit(1, BUY, 3, 1_000), Filled)) == 2
    assert desk.position(1).contracts == 0


# ---------------------------------------------------------------- closing


def test_a_reduce_only_order_is_cut_to_the_position_and_never_turns_it():
    desk = Desk()
    desk.trade(1, 2, 5, 1_000)
    desk.limit(3, BUY, 20, 1_000)

    accepted = desk.market(1, SELL, 20, reduce_only=True)[0]

    assert accepted.contracts == 5
    assert desk.position(1).contracts == 0


def test_resting_reduce_only_orders_shrink_with_the_position_and_end_with_it():
    desk = Desk()
    desk.trade(1, 2, 10, 1_000)
    desk.limit(1, SELL, 10, 1_200, reduce_only=True)
    desk.limit(1, SELL, 4, 1_300, reduce_only=True)
    desk.limit(3, BUY, 10, 1_000)

    desk.market(1, SELL, 3)
    assert desk.orders(1) == [(SELL, 7, 1_200), (SELL, 4, 1_300)]
    events = desk.market(1, SELL, 7)

    assert desk.orders(1) == []
    assert {e.reason for e in of_type(events, OrderCancelled)} == {CancelReason.REDUCE_ONLY}


def test_an_order_against_the_position_needs_no_money_for_what_it_closes():
    desk = Desk(money=1_000)
    desk.leverage(1, 1)
    desk.trade(1, 2, 10, 1_000)
    assert desk.exchange.available_balance(1) == 0

    desk.limit(1, SELL, 10, 1_100)

    assert desk.exchange.account(1).order_hold == 0
    assert reason(desk.limit(1, SELL, 1, 1_100)) is RejectReason.INSUFFICIENT_MARGIN


def test_an_order_whose_position_was_closed_by_another_holds_money_or_is_cancelled():
    desk = Desk(accounts=4, money=2_000)
    desk.leverage(1, 1)
    desk.trade(1, 2, 10, 1_000)
    desk.limit(1, SELL, 10, 1_100)  # closes, holds nothing
    desk.limit(3, BUY, 10, 1_000)

    desk.market(1, SELL, 10)

    assert desk.position(1).contracts == 0
    assert desk.exchange.account(1).order_hold == usdt(1_100)


def test_an_order_that_flips_opens_only_what_goes_beyond_the_position():
    desk = Desk(money=1_200)
    desk.leverage(1, 1)
    desk.trade(1, 2, 10, 1_000)
    desk.limit(3, BUY, 12, 1_000)

    fill = of_type(desk.market(1, SELL, 12), Filled)[-1]

    assert (fill.closed_contracts, fill.position_contracts) == (10, -2)
    assert desk.position(1).margin == usdt(200)


# ---------------------------------------------------------------- hedge mode


def test_in_hedge_mode_both_legs_are_apart_and_the_side_against_a_leg_closes_it():
    desk = Desk()
    desk.apply(SetPositionMode(1, PositionMode.HEDGE))
    desk.limit(2, SELL, 20, 1_000)
    desk.limit(3, BUY, 20, 990)

    desk.market(1, BUY, 6, position_side=PositionSide.LONG)
    desk.market(1, SELL, 4, position_side=PositionSide.SHORT)
    desk.market(1, SELL, 2, position_side=PositionSide.LONG)

    assert desk.position(1, side=PositionSide.LONG).contracts == 4
    assert desk.position(1, side=PositionSide.SHORT).contracts == 4
    assert (
        reason(desk.market(1, BUY, 1, position_side=PositionSide.NET))
        is RejectReason.POSITION_SIDE_MISMATCH
    )


def test_a_hedge_order_against_a_leg_never_opens_the_other():
    desk = Desk()
    desk.apply(SetPositionMode(1, PositionMode.HEDGE))
    desk.limit(2, SELL, 20, 1_000)
    desk.market(1, BUY, 6, position_side=PositionSide.LONG)
    desk.limit(3, BUY, 20, 990)

    desk.market(1, SELL, 9, position_side=PositionSide.LONG)

    assert desk.exchange.positions(1) == []
    assert (
        reason(desk.market(1, SELL, 1, position_side=PositionSide.LONG))
        is RejectReason.REDUCE_ONLY_REJECTED
    )


# ---------------------------------------------------------------- to the last unit


@pytest.mark.parametrize(("short_of", "expected"), [(0, OrderAccepted), (1, OrderRejected)])
def test_an_order_is_accepted_when_the_money_is_there_to_the_last_unit(short_of, expected):
    desk = Desk(accounts=1, money="0.00000001", taker_fee=100_000)
    # 100 / 7 and a fee of 0.1 %, each rounded up
    cost = 1_428_571_429 + usdt("0.1")
    desk.apply(Deposit(1, Wallet.CONTRACT, cost - 1 - short_of))
    desk.leverage(1, 7)

    assert isinstance(desk.limit(1, BUY, 1, 1_000)[0], expected)


def test_what_stays_on_hold_after_a_partial_fill_is_rounded_up():
    desk = Desk()
    desk.leverage(1, 7)
    desk.limit(1, BUY, 3, 1_000)
    assert desk.exchange.account(1).order_hold == 4_285_714_286  # 300 / 7

    desk.market(2, SELL, 1)

    assert desk.exchange.account(1).order_hold == 2_857_142_858  # two thirds of it


@pytest.mark.parametrize(
    "mode", [mode for mode in SelfTradePrevention if mode is not SelfTradePrevention.NONE]
)
def test_a_fill_or_kill_order_does_not_count_the_orders_of_its_own_owner(mode):
    desk = Desk()
    desk.limit(1, SELL, 5, 1_000)
    desk.limit(2, SELL, 5, 1_000)
    fok = {"time_in_force": TimeInForce.FOK, "self_trade_prevention": mode}

    events = desk.limit(1, BUY, 10, 1_000, **fok)

    assert names(events) == ["OrderAccepted", "OrderCancelled"]
    assert desk.orders(1) == [(SELL, 5, 1_000)]


def test_a_fill_or_kill_order_counts_what_closes_a_position_once():
    desk = Desk(accounts=4)
    desk.trade(2, 3, 10, 1_000)
    desk.limit(2, SELL, 10, 1_010, reduce_only=True)
    desk.limit(2, SELL, 10, 1_010, reduce_only=True)

    killed = desk.limit(1, BUY, 11, 1_010, time_in_force=TimeInForce.FOK)
    filled = desk.limit(1, BUY, 10, 1_010, time_in_force=TimeInForce.FOK)

    assert names(killed) == ["OrderAccepted", "OrderCancelled"]
    assert desk.position(1).contracts == 10
    assert "OrderCancelled" in names(filled)  # the other one: nothing is left to close


def test_a_fill_or_kill_order_counts_what_an_order_before_the_closing_one_will_have_closed():
    desk = Desk(accounts=4)
    desk.trade(2, 3, 10, 1_000)
    desk.limit(2, SELL, 10, 1_100)  # the position is promised to this one
    desk.limit(2, SELL, 10, 1_005)  # not to this one, which closes it all the same
    desk.limit(2, SELL, 10, 1_010, reduce_only=True)

    killed = desk.limit(1, BUY, 20, 1_010, time_in_force=TimeInForce.FOK)

    assert names(killed) == ["OrderAccepted", "OrderCancelled"]
    assert desk.position(1).contracts == 0


def test_an_order_that_has_closed_all_it_promised_is_looked_at_by_its_position_no_more():
    desk = Desk()
    desk.limit(2, SELL, 5, 1_000)
    desk.limit(1, BUY, 5, 1_000)
    desk.limit(1, SELL, 8, 1_010)

    desk.limit(2, BUY, 5, 1_010)  # closes the five; the desk checks everything

    assert [order.remaining for order in desk.exchange.open_orders(1)] == [3]
    desk.apply(CancelOrder(1, SYMBOL, desk.exchange.open_orders(1)[0].order_id))
    assert desk.exchange.open_orders(1) == []


def test_a_fill_or_kill_order_counts_on_nobody_who_loses_his_money_by_its_first_fill():
    desk = Desk(money=95)
    desk.apply(SetMarginMode(2, SYMBOL, MarginMode.CROSS))
    desk.trade(1, 2, 5, 1_000)
    desk.limit(2, BUY, 5, 1_150)
    desk.limit(2, BUY, 2, 1_090)

    killed = desk.limit(3, SELL, 7, 1_080, time_in_force=TimeInForce.FOK)

    assert of_type(killed, Filled) == []
    assert len(of_type(desk.limit(3, SELL, 5, 1_080, time_in_force=TimeInForce.FOK), Filled)) == 2


@pytest.mark.parametrize("money", [10_000, 232])
def test_a_fill_or_kill_order_counts_on_who_can_pay_for_what_he_no_longer_closes(money):
    desk = Desk(money=money)
    desk.apply(Deposit(3, Wallet.CONTRACT, usdt(10_000)))
    desk.trade(1, 2, 4, 1_000)
    desk.limit(2, BUY, 4, 994)  # promised to close the short: holds no money
    desk.limit(2, BUY, 16, 1_013)  # closes it first, and goes on

    events = desk.limit(3, SELL, 19, 993, time_in_force=TimeInForce.FOK)

    assert [fill.contracts for fill in of_type(events, Filled)] == [16, 16, 3, 3]


@pytest.mark.parametrize("seed", range(8))
def test_a_fill_or_kill_order_is_filled_whole_or_not_at_all_whoever_runs_out_of_money(seed):
    random = Random(seed)
    for _ in range(25):
        desk = Desk(money=random.randrange(60, 400), mark=random.choice([990, 1_000, 1_010]))
        if random.random() < 1 / 2:
            desk.apply(SetMarginMode(2, SYMBOL, MarginMode.CROSS))
        for number in (1, 3):
            desk.apply(Deposit(number, Wallet.CONTRACT, usdt(10_000)))
        desk.trade(1, 2, random.randint(1, 8), random.randint(985, 1_015))
        for _ in range(4):
            desk.limit(2, BUY, random.randint(1, 10), random.randint(950, 1_090))
        wanted = random.randint(2, 30)

        events = desk.limit(
            3, SELL, wanted, random.randint(950, 1_000), time_in_force=TimeInForce.FOK
        )

        assert sum(fill.contracts for fill in of_type(events, Filled)) in {0, 2 * wanted}
