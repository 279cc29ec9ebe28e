"""The indexes find what a scan of every position would find, tick by tick, and nothing else."""

from random import Random

import pytest

from simexchange.core.commands import (
    Deposit,
    ListInstrument,
    OpenAccount,
    PlaceOrder,
    SetLeverage,
    SetMarginMode,
    SetMark,
)
from simexchange.core.config import ExchangeConfig
from simexchange.core.cross import is_due, slack
from simexchange.core.events import LiquidationStarted
from simexchange.core.exchange import Exchange
from simexchange.core.types import MarginMode, OrderKind, Side, Wallet
from tests.laws.core.command_streams import TIERS, make_instrument

SYMBOLS = ("BTCUSDT", "ETHUSDT", "XRPUSDT")
START = 6_000


def hold(exchange, holdings):
    """Give each account its positions, against account 1 who can afford anything."""
    at = 0

    def apply(command):
        nonlocal at
        at += 1
        return exchange.apply(command, at)

    apply(OpenAccount())
    apply(Deposit(1, Wallet.CONTRACT, 10**16))
    for symbol in SYMBOLS:
        apply(ListInstrument(make_instrument(symbol, tiers=TIERS)))
        apply(SetMark(symbol, START))
        apply(SetLeverage(1, symbol, 1))
    for number, (is_cross, contracts, spare) in enumerate(holdings, start=2):
        apply(OpenAccount())
        needed = sum(abs(c) for c in contracts) * START * 10_000 // 20
        apply(Deposit(number, Wallet.CONTRACT, needed * 11 // 10 + spare))
        for symbol, signed in zip(SYMBOLS, contracts, strict=True):
            if is_cross:
                apply(SetMarginMode(number, symbol, MarginMode.CROSS))
            apply(SetLeverage(number, symbol, 20))
            if signed:
                side = Side.BUY if signed > 0 else Side.SELL
                limit = OrderKind.LIMIT
                apply(PlaceOrder(1, symbol, Side(-side), abs(signed), limit, START))
                apply(PlaceOrder(number, symbol, side, abs(signed), limit, START))
    return apply


def due_by_scan(exchange, symbol, mark):
    """Return the accounts that moving ``symbol`` to ``mark`` makes due, by looking at all."""
    state = exchange._state
    market = state.markets[symbol]
    before, market.mark = market.mark, mark
    due = set()
    for account in state.accounts.values():
        for position in exchange.positions(account.number):
            if position.symbol == symbol and position.margin_mode is MarginMode.ISOLATED:
                price = position.liquidation_price
                if price is not None and (mark - price) * position.contracts <= 0:
                    due.add(account.number)
        now = slack(account)
        holds = any(p.market is market for p in account.cross_positions.values())
        if account.number and holds and is_due(account, now):
            due.add(account.number)
    market.mark = before
    return due


def some_holdings(random):
    """Return (cross, contracts by symbol, money to spare) for a few accounts."""
    return [
        (
            random.random() < 0.7,
            [random.choice((0, 1, -1)) * random.randrange(1, 300) for _ in SYMBOLS],
            random.randrange(1, 10**8),
        )
        for _ in range(10)
    ]


@pytest.mark.parametrize("seed", range(12))
def test_every_tick_liquidates_exactly_those_whom_a_scan_would(seed):
    random = Random(seed)
    exchange = Exchange(ExchangeConfig(check_every=7))
    apply = hold(exchange, some_holdings(random))
    marks = dict.fromkeys(SYMBOLS, START)
    directions = [random.choice((-1, 1)) for _ in SYMBOLS]
    liquidated = 0
    for _ in range(80):
        for symbol, direction in zip(SYMBOLS, directions, strict=True):
            marks[symbol] += random.randrange(-4, 24) * direction
            expected = due_by_scan(exchange, symbol, marks[symbol])
            events = apply(SetMark(symbol, marks[symbol]))
            started = {e.account for e in events if isinstance(e, LiquidationStarted)}
            assert started == expected
            liquidated += len(started)
    assert liquidated
