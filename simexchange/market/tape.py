"""Recorded public trades, traded again: the tape of one or more instruments as a moving market.

Each recorded trade is offered by one account and taken by another, at the recorded price and for
the recorded size. Whoever has an order in the book stands in between, by price and time as on any
exchange: a resting order is filled when the tape trades through its price, and at its price after
what was there before it.
"""

import csv
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from pathlib import Path

import msgspec

from simexchange.core.commands import CancelAll, Command, PlaceOrder
from simexchange.core.instrument import Instrument
from simexchange.core.types import OrderKind, Side, TimeInForce
from simexchange.market.driver import EndOfRecord
from simexchange.market.l2 import CaptureError, PublicTrade, read_capture

CSV_SUFFIX = ".csv"
CSV_COLUMNS = ("price", "qty", "time", "is_buyer_maker")


class RecordedTrade(msgspec.Struct, frozen=True):
    """One trade: time in microseconds since the epoch, price in ticks, and who took."""

    at: int
    price: int
    contracts: int
    side: Side  # of the taker


def read_trades(path: Path | str, instrument: Instrument) -> tuple[RecordedTrade, ...]:
    """Return the trades of a record in the order of time.

    A file whose name ends in `.csv` has the columns of Binance's public archive (price, qty, time
    in milliseconds, is_buyer_maker, in any order, others ignored); any other is a raw capture of
    streams as `read_capture` reads it. Rows without a quantity, which venues send for trades that
    the market did not see, are left out. CaptureError names what cannot be used.
    """
    path = Path(path)
    rows = _csv_rows(path) if path.suffix == CSV_SUFFIX else _capture_rows(path)
    trades = [_trade(path, trade, instrument) for trade in rows if Decimal(trade.quantity)]
    if not trades:
        raise CaptureError(f"{path} has no trade")
    trades.sort(key=lambda trade: trade.at)  # stable: of one instant, as recorded
    return tuple(trades)


def _trade(path: Path, trade: PublicTrade, instrument: Instrument) -> RecordedTrade:
    try:
        price = instrument.price_to_ticks(Decimal(trade.price))
        contracts = instrument.contracts_from_base(Decimal(trade.quantity))
    except ValueError as error:  # off the grid, in the instrument's words
        raise CaptureError(f"{path}: {error}") from error
    if price < 1:
        raise CaptureError(f"{path}: a trade at {trade.price} is no trade of a perpetual")
    side = Side.SELL if trade.buyer_is_maker else Side.BUY
    return RecordedTrade(trade.time_ms * 1000, price, contracts, side)


def _capture_rows(path: Path) -> Iterator[PublicTrade]:
    for message in read_capture(path):
        if isinstance(message, PublicTrade):
            yield message


def _csv_rows(path: Path) -> Iterator[PublicTrade]:
    try:
        with path.open(newline="", encoding="utf-8") as file:
            reader = csv.DictReader(file)
            missing = [name for name in CSV_COLUMNS if name not in (reader.fieldnames or ())]
            if missing:
                raise CaptureError(f"{path} has no column {', '.join(missing)}")
            for line, row in enumerate(reader, start=2):
                yield _csv_trade(path, line, row)
    except (OSError, UnicodeDecodeError) as error:
        raise CaptureError(f"{path}: cannot be read: {error}") from error


def _csv_trade(path: Path, line: int, row: Mapping[str, str]) -> PublicTrade:
    flags = {"true": True, "false": False}
    try:
        price, quantity = Decimal(row["price"]), Decimal(row["qty"])
        return PublicTrade(
            int(row["time"]), f"{price:f}", f"{quantity:f}", flags[row["is_buyer_maker"].lower()]
        )
    except (InvalidOperation, ValueError, KeyError, AttributeError, TypeError) as error:
        raise CaptureError(f"{path}, line {line}: {row} is not a trade") from error


class TapeIndex:
    """The last recorded price of each instrument as its index; a source for MarketDriver.

    A step takes in `step_us` of the record, which begins with the earliest trade of all; an
    instrument that has not traded yet stands at its first price. `trades` are those of the step.
    """

    def __init__(self, tapes: Mapping[str, Sequence[RecordedTrade]], *, step_us: int) -> None:
        assert step_us > 0
        assert tapes, "an index needs an instrument"
        self.step_us = step_us
        self.step_number = 0
        self._tapes = tapes
        self._places = dict.fromkeys(tapes, 0)
        self.began_at = min(tape[0].at for tape in tapes.values())
        self.ends_at = max(tape[-1].at for tape in tapes.values())
        self.at = self.began_at
        self.prices: Mapping[str, int] = {symbol: tape[0].price for symbol, tape in tapes.items()}
        self.trades: Mapping[str, Sequence[RecordedTrade]] = {}

    @property
    def steps(self) -> int:
        """How many steps the record has in all."""
        return (self.ends_at - self.began_at) // self.step_us + 1

    def step(self) -> Mapping[str, int]:
        """Move on by `step_us` of the record; raise EndOfRecord when all of it has been traded."""
        if self.at > self.ends_at:
            raise EndOfRecord
        self.at += self.step_us
        self.step_number += 1
        self.trades = {symbol: self._until(symbol, self.at) for symbol in self._tapes}
        self.prices = {
            symbol: trades[-1].price if trades else self.prices[symbol]
            for symbol, trades in self.trades.items()
        }
        return self.prices

    def _until(self, symbol: str, at: int) -> Sequence[RecordedTrade]:
        tape, first = self._tapes[symbol], self._places[symbol]
        last = first
        while last < len(tape) and tape[last].at < at:
            last += 1
        self._places[symbol] = last
        return tape[first:last]


class TapePlayer:
    """Trades each step's recorded trades: `offers` puts them up, `takes` takes them."""

    def __init__(self, index: TapeIndex, *, offers: int, takes: int) -> None:
        assert offers != takes, "nobody trades with himself"
        self.account = takes
        self._index = index
        self._offers = offers

    def act(self, step: int, prices: Mapping[str, int]) -> Iterator[Command]:
        """Yield the commands of this step's trades, in the order of the record."""
        for symbol, trades in self._index.trades.items():
            for trade in trades:
                yield self._order(self._offers, symbol, trade, Side(-trade.side), TimeInForce.GTC)
                yield self._order(self.account, symbol, trade, trade.side, TimeInForce.IOC)
                yield CancelAll(self._offers, symbol)

    def _order(
        self,
        account: int,
        symbol: str,
        trade: RecordedTrade,
        side: Side,
        time_in_force: TimeInForce,
    ) -> PlaceOrder:
        return PlaceOrder(
            account, symbol, side, trade.contracts, OrderKind.LIMIT, trade.price, time_in_force
        )
