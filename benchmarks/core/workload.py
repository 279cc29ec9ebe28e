"""The mixed workload: 60 % limits near mid (1 in 7 marketable), 30 % cancels, 10 % market orders.

A thousand accounts, one instrument, and a mark tick after every hundred operations. Commands are
made beforehand; a cancel names an order that the same stream left alive, so the stream is played
once on a throw-away exchange while it is made.
"""

from decimal import Decimal
from random import Random

from simexchange.core.commands import (
    CancelOrder,
    Command,
    Deposit,
    ListInstrument,
    OpenAccount,
    PlaceOrder,
    SetIndex,
)
from simexchange.core.config import ExchangeConfig
from simexchange.core.events import Filled, OrderAccepted, OrderCancelled
from simexchange.core.exchange import Exchange
from simexchange.core.instrument import Instrument
from simexchange.core.types import MONEY_SCALE, OrderKind, Side, Wallet

ACCOUNTS = 1_000
MID = 600_000
SYMBOL = "BTCUSDT"
MARKET_SIZE = 40  # market orders take what limits bring and cancels leave: the book stays level


def set_up(accounts: int = ACCOUNTS) -> list[Command]:
    commands: list[Command] = [
        ListInstrument(
            Instrument(
                symbol=SYMBOL,
                base="BTC",
                tick_size=Decimal("0.1"),
                contract_size=Decimal("0.001"),
            )
        )
    ]
    for number in range(1, accounts + 1):
        commands.append(OpenAccount())
        commands.append(Deposit(number, Wallet.CONTRACT, 1_000_000 * MONEY_SCALE))
    commands.append(SetIndex(SYMBOL, MID))
    return commands


class Maker:
    """Makes the stream by playing it."""

    def __init__(self, seed: int, resting: int) -> None:
        self.random = Random(seed)
        self.exchange = Exchange(ExchangeConfig(closed_orders_kept=1))
        self.at = 0
        self.alive: list[tuple[int, int]] = []
        self.places: dict[int, int] = {}
        self.set_up = set_up()
        for command in self.set_up:
            self._play(command)
        self.prefill: list[Command] = []
        per_price = 10
        for i in range(resting):
            distance = 40 + i // 2 // per_price
            side = Side.BUY if i % 2 else Side.SELL
            price = MID - int(side) * distance
            self.prefill.append(self._limit(side, price))
            self._play(self.prefill[-1])

    def stream(self, operations: int) -> list[Command]:
        made: list[Command] = []
        for i in range(operations):
            command = self._next()
            made.append(command)
            self._play(command)
            if i % 100 == 99:
                made.append(SetIndex(SYMBOL, MID + self.random.randrange(-20, 21)))
                self._play(made[-1])
        return made

    def _next(self) -> Command:
        choice = self.random.random()
        if choice < 0.3 and self.alive:
            order_id, account = self.alive[self.random.randrange(len(self.alive))]
            return CancelOrder(account, SYMBOL, order_id)
        side = Side.BUY if self.random.random() < 0.5 else Side.SELL
        if choice < 0.4:
            return PlaceOrder(
                self.random.randrange(1, ACCOUNTS + 1),
                SYMBOL,
                side,
                self.random.randrange(1, MARKET_SIZE),
                OrderKind.MARKET,
            )
        marketable = self.random.randrange(7) == 0
        distance = -self.random.randrange(3) if marketable else self.random.randrange(1, 40)
        return self._limit(side, MID - int(side) * distance)

    def _limit(self, side: Side, price: int) -> PlaceOrder:
        number = self.random.randrange(1, ACCOUNTS + 1)
        return PlaceOrder(
            number, SYMBOL, side, self.random.randrange(1, 20), OrderKind.LIMIT, price
        )

    def _play(self, command: Command) -> None:
        self.at += 1_000
        for event in self.exchange.apply(command, self.at):
            if isinstance(event, OrderAccepted) and event.price is not None:
                self._add(event.order_id, event.account)
            elif isinstance(event, OrderCancelled) or (
                isinstance(event, Filled) and event.order_filled == event.order_contracts
            ):
                self._drop(event.order_id)

    def _add(self, order_id: int, account: int) -> None:
        self.places[order_id] = len(self.alive)
        self.alive.append((order_id, account))

    def _drop(self, order_id: int) -> None:
        place = self.places.pop(order_id, None)
        if place is None:
            return
        last = self.alive.pop()
        if place < len(self.alive):
            self.alive[place] = last
            self.places[last[0]] = place
