"""CPU time of one mark tick with 1,000 / 10,000 / 100,000 open positions and half as many plans.

    python benchmarks/core/ticks.py [ticks]

Positions are isolated (half of the accounts) and cross (the other half), with liquidation prices
spread over a wide range. A calm tick moves the mark by a tick or two and touches nobody. Prints
one JSON object; ``growth`` is the largest against the smallest.
"""

import gc
import json
import statistics
import sys
import time
from decimal import Decimal

from simexchange.core.commands import (
    Deposit,
    ListInstrument,
    OpenAccount,
    PlaceOrder,
    PlacePlanOrder,
    SetLeverage,
    SetMarginMode,
    SetMark,
)
from simexchange.core.exchange import Exchange
from simexchange.core.instrument import Instrument
from simexchange.core.types import (
    MONEY_SCALE,
    MarginMode,
    OrderKind,
    Side,
    TriggerBy,
    Wallet,
)

SYMBOL = "BTCUSDT"
MARK = 600_000


def with_positions(count: int) -> tuple[Exchange, int]:
    """Return an exchange with ``count`` positions, long and short in turn, and its time."""
    exchange = Exchange()
    commands = [
        ListInstrument(
            Instrument(
                symbol=SYMBOL,
                base="BTC",
                tick_size=Decimal("0.1"),
                contract_size=Decimal("0.001"),
            )
        ),
        SetMark(SYMBOL, MARK),
    ]
    for number in range(1, count + 1):
        commands.append(OpenAccount())
        commands.append(Deposit(number, Wallet.CONTRACT, 1_000 * MONEY_SCALE))
        if number % 4 in (0, 3):
            commands.append(SetMarginMode(number, SYMBOL, MarginMode.CROSS))
        commands.append(SetLeverage(number, SYMBOL, 2 + number % 15))
        side = Side.BUY if number % 2 else Side.SELL
        commands.append(
            PlaceOrder(number, SYMBOL, side, 1 + number // 2 % 7, OrderKind.LIMIT, MARK)
        )
        if number % 2:
            distance = 10_000 + number * 7 % 200_000
            trigger = MARK + (distance if number % 4 == 1 else -distance)
            commands.append(PlacePlanOrder(number, SYMBOL, Side.SELL, 1, trigger, TriggerBy.MARK))
    at = 0
    for command in commands:
        at += 10
        exchange.apply(command, at)
    return exchange, at


def microseconds_per_tick(exchange: Exchange, at: int, ticks: int) -> float:
    commands = [SetMark(SYMBOL, MARK + offset) for offset in (1, 2, 1, 0)] * (ticks // 4)
    exchange.apply(SetMark(SYMBOL, MARK), at)
    gc.collect()
    gc.freeze()
    rounds = []
    for _ in range(5):
        start = time.process_time()
        for command in commands:
            at += 10
            exchange.apply(command, at)
        rounds.append((time.process_time() - start) / len(commands) * 1e6)
    return statistics.median(rounds)


def main() -> None:
    ticks = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    times = {}
    for count in (1_000, 10_000, 100_000):
        exchange, at = with_positions(count)
        times[str(count)] = round(microseconds_per_tick(exchange, at, ticks), 2)
    growth = round(times["100000"] / times["1000"], 2)
    print(json.dumps({"tick_us": times, "growth": growth}))


if __name__ == "__main__":
    main()
