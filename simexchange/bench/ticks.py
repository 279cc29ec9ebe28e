"""What a mark tick costs with many open positions and plan orders."""

import time
from collections.abc import Iterator

from simexchange.bench.workload import MID, SYMBOL, instrument
from simexchange.core.commands import (
    Command,
    Deposit,
    ListInstrument,
    OpenAccount,
    PlaceOrder,
    PlacePlanOrder,
    SetLeverage,
    SetMarginMode,
    SetMark,
)
from simexchange.core.config import ExchangeConfig
from simexchange.core.events import CommandRejected, OrderRejected, PlanOrderRejected
from simexchange.core.exchange import Exchange
from simexchange.core.types import (
    MONEY_SCALE,
    MarginMode,
    OrderKind,
    Side,
    TriggerBy,
    TriggerDirection,
    Wallet,
)

_CALM = (MID + 1, MID, MID - 1, MID)
_LEVERAGES = (5, 10, 20)
_CONTRACTS = 10
_DEPOSIT = 10_000 * MONEY_SCALE


def crowded_exchange(positions: int, margin_mode: MarginMode = MarginMode.ISOLATED) -> Exchange:
    """Return an exchange with `positions` open positions and half as many resting plans.

    Each position is an account of its own, half of them long and half short.
    """
    # The full check looks at every account: what it costs is no part of a tick.
    exchange = Exchange(ExchangeConfig(check_every=0))
    for command in _crowd(positions, margin_mode):
        for event in exchange.apply(command, 0):
            assert not isinstance(event, CommandRejected | OrderRejected | PlanOrderRejected), event
    exchange.check()
    return exchange


def calm_tick_us(exchange: Exchange, ticks: int) -> float:
    """Return the CPU microseconds of one mark tick that reaches no price of anybody."""
    apply = exchange.apply
    commands = [SetMark(SYMBOL, _CALM[n % len(_CALM)]) for n in range(ticks)]
    for command in commands:  # once unmeasured: the first tick indexes positions
        apply(command, exchange.now + 1)
    before = exchange.now + 1
    start = time.thread_time_ns()
    for at, command in enumerate(commands, start=before):
        apply(command, at)
    spent = time.thread_time_ns() - start
    assert exchange.now == before + ticks - 1, "a tick was refused, and nothing was measured"
    return spent / ticks / 1_000


def rough_event_us(exchange: Exchange, ticks: int) -> tuple[float, int]:
    """Return the CPU microseconds of one event while the mark falls through prices, and how many.

    Every tick lies ten basis points below the one before: plans fire and positions are liquidated.
    One calm tick goes before, unmeasured: it indexes the positions that trades have touched.
    """
    commands = [SetMark(SYMBOL, MID - (n + 1) * MID // 1_000) for n in range(ticks)]
    at = exchange.now
    exchange.apply(SetMark(SYMBOL, MID + 1), at)
    events = 0
    start = time.thread_time_ns()
    for n, command in enumerate(commands):
        events += len(exchange.apply(command, at + n))
    return (time.thread_time_ns() - start) / max(1, events) / 1_000, events


def _crowd(positions: int, margin_mode: MarginMode) -> Iterator[Command]:
    yield ListInstrument(instrument())
    yield SetMark(SYMBOL, MID)
    for number in range(1, positions + 1):
        yield OpenAccount()
        yield Deposit(number, Wallet.CONTRACT, _DEPOSIT)
        if margin_mode is MarginMode.CROSS:
            yield SetMarginMode(number, SYMBOL, margin_mode)
        leverage = _LEVERAGES[number // 2 % len(_LEVERAGES)]
        if leverage != instrument().default_leverage:
            yield SetLeverage(number, SYMBOL, leverage)
        side = Side.BUY if number % 2 else Side.SELL
        price = MID + number % 200 // 2 - 50  # entries, so liquidation prices, differ
        yield PlaceOrder(number, SYMBOL, side, _CONTRACTS, OrderKind.LIMIT, price)
    for number in range(1, positions + 1, 2):
        yield PlacePlanOrder(
            number,
            SYMBOL,
            Side.SELL,
            _CONTRACTS,
            MID - 100 - number % 60_000,
            trigger_by=TriggerBy.MARK,
            direction=TriggerDirection.FALLS,
            reduce_only=True,
        )
