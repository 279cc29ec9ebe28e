"""The mixed workload: limits near mid, cancels of living orders, market orders.

The stream is made once by playing it on a scratch exchange, so that every cancel names an order
that lives at that moment; what is measured is the same commands on a fresh exchange. The book
neither fills up nor runs dry: market orders are twice as large while more orders rest than should.
"""

from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice
from multiprocessing import get_context
from random import Random
from typing import Self

import msgspec

from simexchange.core.commands import (
    CancelOrder,
    Command,
    Deposit,
    ListInstrument,
    OpenAccount,
    PlaceOrder,
    SetMark,
)
from simexchange.core.events import Filled, OrderAccepted, OrderCancelled
from simexchange.core.exchange import Exchange
from simexchange.core.instrument import Instrument, MarginTier
from simexchange.core.types import MONEY_SCALE, OrderKind, Side, Wallet

SYMBOL = "BTCUSDT"
MID = 650_000  # ticks of 0.1 USDT
DEEP_LEVELS = 2_000
_LIMIT_SHARE, _CANCEL_SHARE = 0.60, 0.30  # the rest are market orders
_MARKETABLE = 1 / 7
_NEAR_TICKS = 40
_LARGEST = 20
_USUALLY_RESTING = 800
_CHUNK = 1_000
_DEPOSIT = 10**7 * MONEY_SCALE


_UNPACK = msgspec.msgpack.Decoder(list[Command])


@dataclass(frozen=True, slots=True)
class PackedCommands:
    """Commands as bytes, each made anew when it is its turn.

    So an exchange has the memory to itself. A hundred thousand commands kept as objects leave it
    the gaps between them, and what it puts there is spread over as many lines of the processor's
    cache: an operation costs a tenth more.
    """

    chunks: tuple[bytes, ...]
    count: int

    @classmethod
    def of(cls, commands: Iterable[Command]) -> Self:
        """Pack ``commands``, a thousand to a chunk."""
        chunks: list[bytes] = []
        count = 0
        rest = iter(commands)
        while chunk := list(islice(rest, _CHUNK)):
            chunks.append(msgspec.msgpack.encode(chunk))
            count += len(chunk)
        return cls(tuple(chunks), count)

    def __len__(self) -> int:
        return self.count

    def __iter__(self) -> Iterator[Command]:
        for chunk in self.arriving():
            yield from chunk

    def arriving(self) -> Iterator[list[Command]]:
        """Yield the commands a thousand at a time, each made just before.

        So they are where a command is that has just arrived: in the processor's cache.
        """
        for chunk in self.chunks:
            yield unpacked(chunk)


@dataclass(frozen=True, slots=True)
class Workload:
    """`setting_up` prepares accounts and, for a deep book, what rests; `measured` is timed."""

    setting_up: PackedCommands
    measured: PackedCommands


def mixed_workload(
    *, orders: int, seed: int, accounts: int, resting: int = 0, cancels_any: bool = False
) -> Workload:
    """Return `orders` commands, 60 % limits (1 in 7 marketable), 30 % cancels, 10 % markets.

    `resting` orders are put into the book first, spread over 2,000 prices: the same stream then
    runs in a deep book. Where `cancels_any` is set they are cancelled as all others are, and it is
    another stream. Raises ValueError for fewer than two accounts.
    """
    if accounts < 2:  # noqa: PLR2004 - one account would trade with itself alone
        message = f"the workload needs at least 2 accounts, not {accounts}"
        raise ValueError(message)
    stream = Stream(seed=seed, accounts=accounts, resting=resting, cancels_any=cancels_any)
    measured = PackedCommands.of(stream.commands(orders))
    return Workload(PackedCommands.of(stream.setting_up), measured)


def workload_made_apart(
    *, orders: int, seed: int, accounts: int, resting: int = 0, cancels_any: bool = False
) -> Workload:
    """Return what `mixed_workload` returns, made by a process of its own.

    It leaves its memory full of holes, into which the measured exchange would have to fit.
    """
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as apart:
        made = apart.submit(
            mixed_workload,
            orders=orders,
            seed=seed,
            accounts=accounts,
            resting=resting,
            cancels_any=cancels_any,
        )
        return made.result()


def prepared_exchange(setting_up: Iterable[Command], exchange: Exchange | None = None) -> Exchange:
    """Return an exchange, if none is given a fresh one, with the set-up applied at time 0."""
    exchange = exchange or Exchange()
    for command in setting_up:
        exchange.apply(command, 0)
    return exchange


def unpacked(content: bytes) -> list[Command]:
    """Return the commands of one chunk."""
    return _UNPACK.decode(content)


def instrument(symbol: str = SYMBOL) -> Instrument:
    """Return a perpetual with several margin tiers, as real ones have."""
    tiers = [MarginTier(floor=0, maintenance_rate=400_000, max_leverage=125)]
    for notional, rate, leverage in ((50_000, 500_000, 100), (250_000, 1_000_000, 50)):
        floor, below = notional * MONEY_SCALE, tiers[-1]
        deduction = below.deduction + floor * (rate - below.maintenance_rate) // 10**8
        tiers.append(
            MarginTier(
                floor=floor, maintenance_rate=rate, max_leverage=leverage, deduction=deduction
            )
        )
    return Instrument(
        symbol=symbol,
        base=symbol.removesuffix("USDT"),
        tick_size=Decimal("0.1"),
        contract_size=Decimal("0.001"),
        tiers=tuple(tiers),
    )


def _listing(accounts: int) -> Iterator[Command]:
    yield ListInstrument(instrument())
    yield SetMark(SYMBOL, MID)
    for number in range(1, accounts + 1):
        yield OpenAccount()
        yield Deposit(number, Wallet.CONTRACT, _DEPOSIT)


def _resting(random: Random, accounts: int, resting: int) -> Iterator[Command]:
    """Yield bids below and asks above the prices that the stream trades at."""
    for n in range(resting):
        away = _NEAR_TICKS + 1 + n // 2 % (DEEP_LEVELS // 2)
        side = Side.BUY if n % 2 else Side.SELL
        yield _limit(random, accounts, side, MID - away * side)


class Stream:
    """The mixed commands of one seed, one after another without end."""

    def __init__(
        self, *, seed: int, accounts: int, resting: int = 0, cancels_any: bool = False
    ) -> None:
        self._random = Random(seed)  # noqa: S311 - a reproducible stream, not a secret
        self._accounts = accounts
        self._scratch = _Scratch(Exchange())
        self._should_rest = _USUALLY_RESTING + (resting if cancels_any else 0)
        deep = Random(f"{seed} deep")  # noqa: S311 - repeatable; apart, so that the stream is the same
        self.setting_up = (*_listing(accounts), *_resting(deep, accounts, resting))
        for command in self.setting_up:
            self._scratch.apply(command)
        if not cancels_any:
            self._scratch.forget_living()

    def commands(self, count: int) -> Iterator[Command]:
        """Yield the next `count` commands."""
        for _ in range(count):
            command = self._next()
            self._scratch.apply(command)
            yield command

    def _next(self) -> Command:
        random, scratch, accounts = self._random, self._scratch, self._accounts
        draw = random.random()
        side = Side.BUY if random.random() < 1 / 2 else Side.SELL
        if _LIMIT_SHARE <= draw < _LIMIT_SHARE + _CANCEL_SHARE and scratch.living:
            account, order_id = scratch.some_living(random)
            return CancelOrder(account, SYMBOL, order_id)
        if draw < _LIMIT_SHARE + _CANCEL_SHARE:
            is_marketable = random.random() < _MARKETABLE
            away = random.randint(1, _NEAR_TICKS) * (-1 if is_marketable else 1)
            return _limit(random, accounts, side, MID - away * side)
        largest = _LARGEST * 2 if len(scratch.living) > self._should_rest else _LARGEST
        return PlaceOrder(
            random.randint(1, accounts), SYMBOL, side, random.randint(1, largest), OrderKind.MARKET
        )


def _limit(random: Random, accounts: int, side: Side, price: int) -> PlaceOrder:
    return PlaceOrder(
        random.randint(1, accounts),
        SYMBOL,
        side,
        random.randint(1, _LARGEST),
        OrderKind.LIMIT,
        price,
    )


class _Scratch:
    """An exchange on which the stream is made, and the orders that live on it."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self.living: list[tuple[int, int]] = []
        self._places: dict[int, int] = {}

    def apply(self, command: Command) -> None:
        for event in self._exchange.apply(command, 0):
            if isinstance(event, OrderAccepted):
                if event.kind is OrderKind.LIMIT:
                    self._places[event.order_id] = len(self.living)
                    self.living.append((event.account, event.order_id))
            elif isinstance(event, OrderCancelled) or (
                isinstance(event, Filled) and event.order_filled == event.order_contracts
            ):
                self._remove(event.order_id)

    def forget_living(self) -> None:
        self.living.clear()
        self._places.clear()

    def some_living(self, random: Random) -> tuple[int, int]:
        return self.living[random.randrange(len(self.living))]

    def _remove(self, order_id: int) -> None:
        place = self._places.pop(order_id, None)
        if place is None:
            return
        last = self.living.pop()
        if last[1] != order_id:
            self.living[place] = last
            self._places[last[1]] = place
