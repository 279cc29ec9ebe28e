"""A small exchange for sentences: money in whole USDT, prices in ticks of 0.1, one event a call."""

from decimal import Decimal

from simexchange.core.commands import (
    AdvanceTime,
    Deposit,
    ListInstrument,
    OpenAccount,
    PlaceOrder,
    PlacePlanOrder,
    SetIndex,
    SetLeverage,
    SetMark,
)
from simexchange.core.config import ExchangeConfig
from simexchange.core.exchange import Exchange
from simexchange.core.instrument import Instrument
from simexchange.core.types import MONEY_SCALE, OrderKind, Side, TriggerBy, Wallet

SYMBOL = "BTCUSDT"
BUY, SELL = Side.BUY, Side.SELL


def usdt(amount) -> int:
    return int(Decimal(str(amount)) * MONEY_SCALE)


def make_instrument(**changes) -> Instrument:
    """One tick of one contract is worth 0.1 USDT; no fees unless asked for."""
    fields = {
        "symbol": SYMBOL,
        "base": "BTC",
        "tick_size": Decimal("0.1"),
        "contract_size": Decimal(1),
        "maker_fee": 0,
        "taker_fee": 0,
    }
    return Instrument(**(fields | changes))


class Desk:
    """An exchange, checked after every command, with shorthand for what tests do often."""

    def __init__(self, accounts=3, money=10_000, fund=0, mark=1_000, **instrument):
        self.exchange = Exchange(ExchangeConfig(check_every=1, insurance_fund=usdt(fund)))
        self.at = 0
        self.apply(ListInstrument(make_instrument(**instrument)))
        for number in range(1, accounts + 1):
            self.apply(OpenAccount())
            self.apply(Deposit(number, Wallet.CONTRACT, usdt(money)))
        if mark:
            self.apply(SetIndex(SYMBOL, mark))

    def apply(self, command, at=None):
        self.at = self.at + 1 if at is None else at
        return self.exchange.apply(command, self.at)

    def limit(self, number, side, contracts, price, **more):
        return self.apply(
            PlaceOrder(number, SYMBOL, side, contracts, OrderKind.LIMIT, price, **more)
        )

    def market(self, number, side, contracts, **more):
        return self.apply(PlaceOrder(number, SYMBOL, side, contracts, OrderKind.MARKET, **more))

    def trade(self, buyer, seller, contracts, price):
        """Let two accounts trade with each other; the seller rests."""
        self.limit(seller, SELL, contracts, price)
        return self.limit(buyer, BUY, contracts, price)

    def plan(self, number, side, contracts, trigger, by=TriggerBy.MARK, **more):
        return self.apply(PlacePlanOrder(number, SYMBOL, side, contracts, trigger, by, **more))

    def leverage(self, number, leverage):
        return self.apply(SetLeverage(number, SYMBOL, leverage))

    def mark(self, price):
        return self.apply(SetMark(SYMBOL, price))

    def wait(self, seconds):
        return self.apply(AdvanceTime(), self.at + seconds * 1_000_000)

    def position(self, number, **side):
        return self.exchange.position(number, SYMBOL, **side)

    def balance(self, number):
        return self.exchange.account(number).contract_balance

    def orders(self, number):
        return [(o.side, o.remaining, o.price) for o in self.exchange.open_orders(number)]


def of_type(events, kind):
    return [event for event in events if isinstance(event, kind)]


def names(events):
    return [type(event).__name__ for event in events]
