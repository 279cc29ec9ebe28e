"""Liquidation, told as stories."""

from simexchange.core.commands import AdvanceTime, SetMarginMode, SetPositionMode
from simexchange.core.events import (
    BankruptcyTakeover,
    Deleveraged,
    Filled,
    InsuranceFundMoved,
    LiquidationStarted,
    OrderCancelled,
    PositionLiquidated,
)
from simexchange.core.instrument import MarginTier
from simexchange.core.types import CancelReason, MarginMode, PositionMode, PositionSide
from tests.unit.core.exchange_builders import BUY, SELL, SYMBOL, Desk, names, of_type, usdt

TIERS = (
    MarginTier(floor=0, maintenance_rate=1_000_000, max_leverage=50),
    MarginTier(floor=usdt(1_000), maintenance_rate=5_000_000, max_leverage=15, deduction=usdt(40)),
)


def long_position(leverage=10, **more):
    desk = Desk(**more)
    desk.leverage(1, leverage)
    desk.leverage(2, 1)
    desk.trade(1, 2, 10, 1_000)
    return desk


def test_without_a_book_the_fund_takes_the_position_at_the_bankruptcy_price():
    desk = long_position(fund=1_000)
    price = desk.position(1).liquidation_price

    events = desk.mark(price)

    assert names(events) == [
        "MarkPriceSet",
        "LiquidationStarted",
        "BankruptcyTakeover",
        "PositionLiquidated",
    ]
    (takeover,) = of_type(events, BankruptcyTakeover)
    assert takeover.value == usdt(900)
    assert desk.position(0).contracts == 10
    assert desk.balance(1) == usdt(9_900)


def test_the_fund_sells_what_it_took_over_when_the_book_allows():
    desk = long_position(fund=1_000)
    mark = desk.position(1).liquidation_price
    desk.mark(mark)
    desk.limit(3, BUY, 10, mark)

    desk.apply(AdvanceTime())

    assert desk.position(0).contracts == 0
    assert desk.balance(0) == usdt(1_000) + usdt(mark - 900)


def test_a_liquidation_goes_through_the_book_first_and_what_is_left_is_the_accounts():
    desk = long_position(liquidation_fee=0)
    price = desk.position(1).liquidation_price
    desk.limit(3, BUY, 10, price)

    events = desk.mark(price)

    (liquidated,) = of_type(events, PositionLiquidated)
    assert (liquidated.through_book, liquidated.taken_over) == (10, 0)
    assert desk.balance(1) == usdt(9_900) + usdt(price - 900)
    assert liquidated.realized_pnl == usdt(price - 1_000)


def test_the_liquidation_fee_goes_to_the_fund_but_never_takes_more_than_is_left():
    desk = long_position(liquidation_fee=300_000)
    price = desk.position(1).liquidation_price
    desk.limit(3, BUY, 5, price)
    desk.limit(3, BUY, 5, 901)

    (moved,) = of_type(desk.mark(price), InsuranceFundMoved)

    assert moved.cause == "liquidation_fee"
    assert desk.balance(0) == moved.money
    assert desk.balance(1) >= usdt(9_900)


def test_only_as_much_is_sold_as_brings_the_position_into_the_lower_tier():
    desk = long_position(leverage=10, tiers=TIERS, mark=1_100)
    price = desk.position(1).liquidation_price
    assert price * 10 < 10_000  # in the lower tier at once: liquidated whole
    desk = Desk(tiers=TIERS)
    desk.leverage(1, 12)
    desk.leverage(2, 1)
    desk.trade(1, 2, 20, 1_000)
    price = desk.position(1).liquidation_price
    desk.limit(3, BUY, 20, price)

    events = desk.mark(price)

    (liquidated,) = of_type(events, PositionLiquidated)
    left = desk.position(1)
    assert 0 < left.contracts < 20
    assert left.contracts * price < 10_000 <= (left.contracts + 1) * price
    assert liquidated.contracts == 20 - left.contracts
    assert left.liquidation_price < price


def test_liquidation_cancels_the_orders_of_its_instrument_first():
    desk = long_position(fund=1_000)
    desk.limit(1, SELL, 10, 1_500)
    desk.limit(1, BUY, 1, 500)

    events = desk.mark(desk.position(1).liquidation_price)

    cancelled = of_type(events, OrderCancelled)
    assert [e.reason for e in cancelled] == [CancelReason.LIQUIDATION] * 2
    assert desk.exchange.account(1).order_hold == 0


def test_a_gap_below_the_bankruptcy_price_costs_the_fund_and_not_the_account():
    desk = long_position(fund=1_000)
    desk.mark(800)
    assert desk.balance(1) == usdt(9_900)
    desk.limit(3, BUY, 10, 800)

    desk.apply(AdvanceTime())

    assert desk.balance(0) == usdt(1_000) - usdt(100)


def test_when_the_fund_cannot_pay_the_most_profitable_and_leveraged_are_closed_first():
    desk = Desk(accounts=4)
    for number, leverage in ((1, 10), (2, 2), (3, 20), (4, 5)):
        desk.leverage(number, leverage)
    desk.limit(2, SELL, 4, 1_000)
    desk.limit(3, SELL, 4, 1_000)
    desk.limit(4, SELL, 2, 1_000)
    desk.market(1, BUY, 10)
    lights = dict.fromkeys((2, 3, 4), 0)
    desk.mark(950)
    for number in lights:
        lights[number] = desk.exchange.deleveraging_lights(number, SYMBOL)

    events = desk.mark(800)

    deleveraged = of_type(events, Deleveraged)
    assert [(e.account, e.contracts) for e in deleveraged] == [(3, 4), (4, 2), (2, 4)]
    assert [e.value for e in deleveraged] == [usdt(360), usdt(180), usdt(360)]
    assert lights == {3: 5, 4: 3, 2: 2}
    assert desk.balance(0) == 0
    assert desk.balance(1) == usdt(9_900)
    assert desk.balance(3) == usdt(10_040)


def test_a_cross_account_is_liquidated_when_its_whole_equity_meets_the_requirement():
    desk = Desk(money=100, fund=1_000)
    desk.apply(SetMarginMode(1, SYMBOL, MarginMode.CROSS))
    desk.leverage(2, 15)
    desk.trade(1, 2, 10, 1_000)
    price = desk.position(1).liquidation_price

    assert of_type(desk.mark(price + 1), LiquidationStarted) == []
    (started,) = of_type(desk.mark(price), LiquidationStarted)

    assert started.liquidation_price == price
    assert desk.position(1).contracts == 0
    assert desk.balance(1) == 0


def test_both_legs_of_a_cross_hedge_share_one_liquidation_price():
    desk = Desk(money=1_000, fund=10_000)
    desk.apply(SetPositionMode(1, PositionMode.HEDGE))
    desk.apply(SetMarginMode(1, SYMBOL, MarginMode.CROSS))
    desk.leverage(1, 50)
    desk.leverage(2, 100)
    desk.limit(2, SELL, 100, 1_000)
    desk.market(1, BUY, 100, position_side=PositionSide.LONG)
    desk.limit(3, BUY, 40, 1_000)
    desk.market(1, SELL, 40, position_side=PositionSide.SHORT)
    long = desk.position(1, side=PositionSide.LONG)
    short = desk.position(1, side=PositionSide.SHORT)

    assert long.liquidation_price == short.liquidation_price

    before = of_type(desk.mark(long.liquidation_price + 1), LiquidationStarted)
    at = of_type(desk.mark(long.liquidation_price), LiquidationStarted)
    assert 1 not in {event.account for event in before}
    assert 1 in {event.account for event in at}


def test_a_loss_beyond_everything_an_account_has_is_paid_by_the_fund():
    desk = Desk(accounts=3, money=100, fund=1_000)
    desk.leverage(1, 10)
    desk.trade(1, 2, 10, 1_000)
    desk.limit(3, BUY, 10, 800)

    events = desk.market(1, SELL, 10)

    (moved,) = of_type(events, InsuranceFundMoved)
    assert moved.money == -usdt(100)
    assert desk.balance(1) == 0
    assert of_type(events, Filled)[-1].realized_pnl == -usdt(200)
