"""Liquidation where something is missing: a mark price, or a whole step of contracts."""

from simexchange.core.commands import (
    Deposit,
    ListInstrument,
    OpenAccount,
    PlaceOrder,
    SetIndex,
    SetLeverage,
    SetMarginMode,
    Withdraw,
)
from simexchange.core.events import (
    BankruptcyTakeover,
    Deleveraged,
    InsuranceFundMoved,
    LiquidationStarted,
    OrderCancelled,
    PositionLiquidated,
)
from simexchange.core.instrument import MarginTier
from simexchange.core.types import CancelReason, MarginMode, OrderKind, Wallet
from tests.unit.core.exchange_builders import (
    BUY,
    SELL,
    SYMBOL,
    Desk,
    make_instrument,
    names,
    of_type,
    usdt,
)

NEW = "NEWUSDT"
TIERS = (
    MarginTier(floor=0, maintenance_rate=1_000_000, max_leverage=50),
    MarginTier(floor=usdt(1_000), maintenance_rate=5_000_000, max_leverage=15, deduction=usdt(40)),
)


def desk_with_an_unpriced_instrument(money=100):
    """Account 1 is long 10 in both instruments, cross, 5 times; one never had a price."""
    desk = Desk(money=money, fund=1_000)
    desk.apply(ListInstrument(make_instrument(symbol=NEW, base="NEW")))
    desk.apply(OpenAccount())
    desk.apply(Deposit(4, Wallet.CONTRACT, usdt(10_000)))
    for symbol in (SYMBOL, NEW):
        desk.apply(SetMarginMode(1, symbol, MarginMode.CROSS))
        desk.apply(SetLeverage(1, symbol, 50))
        desk.apply(PlaceOrder(4, symbol, SELL, 10, OrderKind.LIMIT, 1_000))
        desk.apply(PlaceOrder(1, symbol, BUY, 10, OrderKind.LIMIT, 1_000))
    return desk


def test_a_cross_position_without_a_mark_price_counts_at_its_cost():
    desk = desk_with_an_unpriced_instrument()

    priced, unpriced = desk.exchange.positions(1)

    assert unpriced.unrealized_pnl == 0
    assert unpriced.bankruptcy_price is None
    # 100 - 4 for the other + p - 1,000 = 0.004 p, at p = 907.63: toward the entry
    assert priced.liquidation_price == 908
    assert desk.exchange.equity(1) == usdt(100)


def test_an_account_with_an_unpriced_position_is_liquidated_in_what_has_a_price():
    desk = desk_with_an_unpriced_instrument()
    price = desk.position(1).liquidation_price

    assert of_type(desk.mark(price + 1), LiquidationStarted) == []
    events = desk.mark(price)

    assert [e.symbol for e in of_type(events, PositionLiquidated)] == [SYMBOL]
    assert desk.position(1).contracts == 0
    assert desk.exchange.position(1, NEW).contracts == 10
    assert desk.balance(1) > 0


def test_the_first_mark_price_liquidates_a_position_that_has_waited_for_it():
    desk = desk_with_an_unpriced_instrument()
    desk.mark(1)  # far beyond bankruptcy: only the share of the unpriced position is left
    assert desk.exchange.position(1, NEW).contracts == 10

    events = desk.apply(SetIndex(NEW, 1_000))

    assert [e.symbol for e in of_type(events, PositionLiquidated)] == [NEW]
    assert desk.balance(1) == 0
    assert desk.exchange.positions(1) == []


def test_an_account_with_unpriced_positions_alone_waits_for_a_price():
    desk = Desk(money=30, mark=None)
    desk.apply(SetMarginMode(1, SYMBOL, MarginMode.CROSS))
    desk.trade(1, 2, 20, 100)
    desk.apply(Withdraw(1, Wallet.CONTRACT, usdt(10)))

    desk.wait(60)

    assert desk.exchange.positions(1)[0].liquidation_price is not None
    (started,) = of_type(desk.mark(1), LiquidationStarted)
    assert started.account == 1


def stepped(**instrument):
    desk = Desk(tiers=TIERS, **instrument)
    desk.leverage(1, 12)
    desk.leverage(2, 1)
    desk.trade(1, 2, 20, 1_000)
    price = desk.position(1).liquidation_price
    desk.limit(3, BUY, 20, price)
    (liquidated,) = of_type(desk.mark(price), PositionLiquidated)
    return desk, liquidated, price


def test_a_partial_liquidation_sells_whole_steps_and_leaves_what_its_owner_can_close():
    desk, liquidated, price = stepped(contracts_step=4, min_contracts=4)

    assert liquidated.contracts % 4 == 0
    left = desk.position(1).contracts
    assert left > 0
    assert left * price < 10_000 <= (left + 4) * price


def test_a_liquidation_leaves_nothing_smaller_than_the_smallest_order():
    desk, liquidated, _ = stepped(contracts_step=4, min_contracts=12)

    assert liquidated.contracts == 20
    assert desk.position(1).contracts == 0


def test_what_a_cross_account_lost_by_a_bad_trade_is_paid_by_the_fund_and_not_by_the_other_side():
    desk = desk_with_an_unpriced_instrument()
    desk.apply(SetIndex(NEW, 1_000))
    desk.apply(Deposit(4, Wallet.CONTRACT, usdt(100_000)))
    desk.limit(3, BUY, 10, 1)
    desk.market(1, SELL, 10)  # a loss of 999 with 100
    assert desk.exchange.equity(1) == -usdt(899)

    events = desk.apply(SetIndex(NEW, 990))

    (paid,) = of_type(events, InsuranceFundMoved)
    assert (paid.account, paid.money, paid.cause) == (1, -usdt(899), "shortfall")
    (takeover,) = of_type(events, BankruptcyTakeover)
    assert takeover.value == usdt(1_000)  # at its old mark, where nothing was left
    assert desk.balance(1) == 0


def test_who_could_not_bear_the_price_is_passed_over_when_others_are_deleveraged():
    desk = Desk(accounts=4)
    desk.leverage(1, 10)
    desk.leverage(4, 20)
    desk.trade(1, 3, 10, 1_000)  # bankrupt at 900
    desk.trade(3, 4, 5, 850)  # bankrupt at 892.5: first in rank, and 900 is too much for it

    events = desk.mark(800)

    deleveraged = of_type(events, Deleveraged)
    assert [(e.account, e.contracts, e.rank) for e in deleveraged] == [(3, 5, 0)]
    assert desk.position(4).contracts == -5
    (takeover,) = of_type(events, BankruptcyTakeover)
    assert takeover.contracts == 5
    assert all(desk.balance(number) >= 0 for number in (1, 3, 4))


def test_an_order_that_loses_more_than_there_is_is_filled_before_its_rest_is_cancelled():
    desk = Desk(accounts=3, fund=1_000)
    desk.apply(Withdraw(1, Wallet.CONTRACT, usdt(9_700)))
    desk.trade(1, 2, 10, 1_000)
    desk.limit(1, SELL, 13, 500)  # closes 10, opens 3

    events = desk.limit(3, BUY, 12, 500)

    told = names(event for event in events if getattr(event, "account", None) == 1)
    assert told == ["InsuranceFundMoved", "Filled", "OrderCancelled"]
    (cancelled,) = of_type(events, OrderCancelled)
    assert (cancelled.remaining, cancelled.reason) == (1, CancelReason.INSUFFICIENT_MARGIN)
    assert desk.balance(1) == 0
    assert desk.orders(1) == []


def test_what_remains_of_a_taker_that_lost_more_than_there_is_does_not_rest():
    desk = Desk(accounts=3, fund=1_000)
    desk.apply(Withdraw(1, Wallet.CONTRACT, usdt(9_700)))
    desk.trade(1, 2, 10, 1_000)
    desk.limit(3, BUY, 12, 500)

    events = desk.limit(1, SELL, 13, 500)  # closes 10, opens 3

    (cancelled,) = of_type(events, OrderCancelled)
    assert (cancelled.remaining, cancelled.reason) == (1, CancelReason.INSUFFICIENT_MARGIN)
    assert desk.balance(1) == 0
    assert desk.orders(1) == []
