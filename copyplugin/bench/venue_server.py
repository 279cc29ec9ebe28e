"""A served exchange in a process of its own, with accounts that have money and keys."""

import multiprocessing
import resource
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from multiprocessing.connection import Connection
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from simexchange.clock import SystemClock
from simexchange.core import commands as c
from simexchange.core.exchange import Exchange
from simexchange.core.instrument import Instrument
from simexchange.core.types import (
    MONEY_SCALE,
    AccountKind,
    OrderKind,
    PositionMode,
    PositionSide,
    Side,
    Wallet,
)
from simexchange.server.binance.dialect import BinanceDialect
from simexchange.server.bybit.dialect import BybitDialect
from simexchange.server.keys import FULL
from simexchange.server.serving import Dialect, Server, ServerThread
from simexchange.server.venue import Venue, VenueSettings
from simexchange.simulation import Simulation

SYMBOL = "BTCUSDT"
SERVED: Mapping[str, Callable[[Venue], Dialect]] = {
    "binance": BinanceDialect,
    "bybit": BybitDialect,
}
"""The wire protocols that our exchange speaks."""
_PAGE_BYTES = resource.getpagesize()
_MAKER_MONEY, _MONEY = 10**10 * MONEY_SCALE, 10**4 * MONEY_SCALE


@dataclass(frozen=True, slots=True)
class ServedKey:
    account: str
    key: str
    secret: str


class VenueServer:
    """Serves while it is entered. One `trade` is a leader's order by his own hand."""

    def __init__(self, accounts: int, dialect: str) -> None:
        self.dialect = dialect
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(
            target=_serve, args=(theirs, accounts, dialect), daemon=True
        )
        self.url = ""
        self.keys: list[ServedKey] = []

    def __enter__(self) -> Self:
        self._process.start()
        self.url, self.keys = self._pipe.recv()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._pipe.send("stop")
        self._process.join(30)
        if self._process.is_alive():
            self._process.kill()

    def used(self) -> tuple[float, int]:
        """Return CPU seconds and bytes of memory of the server."""
        self._pipe.send("used")
        return self._pipe.recv()

    def trade(self, account: str) -> None:
        self._pipe.send(("trade", int(account)))
        self._pipe.recv()


def resident_bytes() -> int:
    """Return the memory of this process."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * _PAGE_BYTES


def _serve(pipe: Connection, accounts: int, dialect: str) -> None:
    venue, keys = _build(accounts)
    with ServerThread(lambda: Server((SERVED[dialect](venue),))) as server:
        pipe.send((server.url, keys))
        while True:
            message: Any = pipe.recv()
            if message == "stop":
                return
            if message == "used":
                pipe.send((time.process_time(), resident_bytes()))
                continue
            account = message[1]
            order = c.PlaceOrder(
                account, SYMBOL, Side.BUY, 1, OrderKind.MARKET, position_side=PositionSide.LONG
            )
            server.call(lambda order=order: venue.apply(order))
            pipe.send(None)


def _build(accounts: int) -> tuple[Venue, list[ServedKey]]:
    simulation = Simulation(Exchange(), SystemClock())
    instrument = Instrument(
        symbol=SYMBOL, base="BTC", tick_size=Decimal("0.1"), contract_size=Decimal("0.001")
    )
    simulation.apply(c.ListInstrument(instrument))
    simulation.apply(c.OpenAccount(kind=AccountKind.MAKER))
    simulation.apply(c.Deposit(1, Wallet.CONTRACT, _MAKER_MONEY))
    simulation.apply(c.SetIndex(SYMBOL, 500_000))
    for side, price in ((Side.BUY, 499_990), (Side.SELL, 500_010)):
        simulation.apply(c.PlaceOrder(1, SYMBOL, side, 10**6, OrderKind.LIMIT, price))
    venue = Venue(simulation, VenueSettings(seed="bench"))
    keys: list[ServedKey] = []
    for account in range(2, accounts + 2):
        simulation.apply(c.OpenAccount())
        simulation.apply(c.Deposit(account, Wallet.CONTRACT, _MONEY))
        simulation.apply(c.SetPositionMode(account, PositionMode.HEDGE))
        made = venue.keys.create(account, FULL, venue.now())
        keys.append(ServedKey(str(account), made.key, made.secret))
    return venue, keys
