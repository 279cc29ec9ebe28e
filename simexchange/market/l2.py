"""A recorded order book: one snapshot and its stream of changes, rebuilt level by level.

The format is a raw capture of Binance's USD-M streams: a line is the local receive time in
nanoseconds, a space and the message as it came: depth changes (`@depth@0ms`), best bid and ask
(`@bookTicker`), trades, and one REST snapshot of the book.
"""

import gzip
import zlib
from collections.abc import Collection, Iterator, Mapping
from decimal import Decimal
from pathlib import Path

import msgspec

from simexchange.core.exchange import Exchange
from simexchange.core.instrument import Instrument
from simexchange.core.types import Side
from simexchange.market.driver import EndOfRecord
from simexchange.market.ladder import Quote
from simexchange.market.maker import Requote, requote

Level = tuple[str, str]  # price and base quantity, as the venue wrote them
GZIP_SUFFIX = ".gz"


class CaptureError(ValueError):
    """A capture cannot be used; the message names the line and what is wrong with it."""


class Snapshot(msgspec.Struct, frozen=True, rename="camel"):
    """The whole book after update `last_update_id`."""

    last_update_id: int
    bids: tuple[Level, ...]
    asks: tuple[Level, ...]


class DepthChange(msgspec.Struct, frozen=True, tag="depthUpdate", tag_field="e"):
    """New quantities of some levels; 0 takes a level away. Update ids `first` to `last`."""

    time_ms: int = msgspec.field(name="T")
    first: int = msgspec.field(name="U")
    last: int = msgspec.field(name="u")
    previous: int = msgspec.field(name="pu")
    bids: tuple[Level, ...] = msgspec.field(name="b")
    asks: tuple[Level, ...] = msgspec.field(name="a")


class Ticker(msgspec.Struct, frozen=True, tag="bookTicker", tag_field="e"):
    """The best bid and ask after update `update_id`."""

    time_ms: int = msgspec.field(name="T")
    update_id: int = msgspec.field(name="u")
    bid: str = msgspec.field(name="b")
    bid_quantity: str = msgspec.field(name="B")
    ask: str = msgspec.field(name="a")
    ask_quantity: str = msgspec.field(name="A")


class PublicTrade(msgspec.Struct, frozen=True, tag="trade", tag_field="e"):
    time_ms: int = msgspec.field(name="T")
    price: str = msgspec.field(name="p")
    quantity: str = msgspec.field(name="q")
    buyer_is_maker: bool = msgspec.field(name="m")


StreamMessage = DepthChange | Ticker | PublicTrade
Message = Snapshot | StreamMessage


class _Envelope(msgspec.Struct, frozen=True):
    data: StreamMessage


def read_capture(path: Path | str) -> Iterator[Message]:
    """Yield the messages of a capture in the order of the file; raise CaptureError at a fault."""
    path = Path(path)
    opener = gzip.open if path.suffix == GZIP_SUFFIX else open
    line = 0
    try:
        with opener(path, "rb") as capture:
            for text in capture:
                line += 1
                yield _message(text)
    except (OSError, EOFError, zlib.error) as error:
        raise CaptureError(f"{path}: cannot be read after line {line}: {error}") from error
    except msgspec.MsgspecError as error:
        raise CaptureError(f"{path}, line {line}: {error}") from error


def _message(text: bytes) -> Message:
    _, _, body = text.partition(b" ")
    if b'"stream"' in body[:16]:
        return msgspec.json.decode(body, type=_Envelope).data
    return msgspec.json.decode(body, type=Snapshot)


class RecordedBook:
    """The book of one instrument as the stream tells it: contracts by price in ticks.

    Changes older than the snapshot are ignored; after it each must follow the one before.
    """

    def __init__(self, instrument: Instrument) -> None:
        self.instrument = instrument
        self.bids: dict[int, int] = {}
        self.asks: dict[int, int] = {}
        self.update_id: int | None = None
        self._follows_snapshot = False

    @property
    def is_ready(self) -> bool:
        """Whether a change has joined the snapshot, so that the book stands at a known update."""
        return self._follows_snapshot

    def take_snapshot(self, snapshot: Snapshot) -> None:
        self.bids.clear()
        self.asks.clear()
        self._put(self.bids, snapshot.bids)
        self._put(self.asks, snapshot.asks)
        self.update_id = snapshot.last_update_id
        self._follows_snapshot = False

    def change(self, change: DepthChange) -> bool:
        """Apply a change and return whether it was applied; raise CaptureError at a gap."""
        if self.update_id is None or change.last < self.update_id:
            return False
        is_next = (
            change.previous == self.update_id
            if self._follows_snapshot
            else change.first <= self.update_id
        )
        if not is_next:
            raise CaptureError(
                f"changes are missing between update {self.update_id} and {change.first}"
            )
        self._put(self.bids, change.bids)
        self._put(self.asks, change.asks)
        self.update_id = change.last
        self._follows_snapshot = True
        return True

    def best_bid(self) -> int | None:
        return max(self.bids, default=None)

    def best_ask(self) -> int | None:
        return min(self.asks, default=None)

    def quotes(self, levels: int) -> list[Quote]:
        """Return the best `levels` of each side as the quotes of a maker, best first."""
        bids = sorted(self.bids, reverse=True)[:levels]
        asks = sorted(self.asks)[:levels]
        return [Quote(Side.BUY, price, self.bids[price]) for price in bids] + [
            Quote(Side.SELL, price, self.asks[price]) for price in asks
        ]

    def _put(self, side: dict[int, int], levels: tuple[Level, ...]) -> None:
        for price_text, quantity_text in levels:
            price = self.instrument.price_to_ticks(Decimal(price_text))
            contracts = self.instrument.contracts_from_base(Decimal(quantity_text))
            if contracts:
                side[price] = contracts
            else:
                side.pop(price, None)


def book_states(path: Path | str, instrument: Instrument) -> Iterator[tuple[int, RecordedBook]]:
    """Yield the book after every change that follows the snapshot, with the change's time in ms.

    The same book object is yielded each time, changed in between. Changes that came before the
    snapshot are held back until it is there, as the venue's documentation asks for.
    """
    book = RecordedBook(instrument)
    waiting: list[DepthChange] = []
    for message in read_capture(path):
        if isinstance(message, Snapshot):
            book.take_snapshot(message)
        elif isinstance(message, DepthChange):
            waiting.append(message)
        if book.update_id is not None:
            for change in waiting:
                if book.change(change):
                    yield change.time_ms, book
            waiting.clear()


class L2Index:
    """The middle of a recorded book as an index, step by step; a source for MarketDriver.

    Each step takes in all changes of `step_us` of the record's time. `book` is the book as it
    then stands, for the one maker who repeats it.
    """

    def __init__(self, path: Path | str, instrument: Instrument, *, step_us: int) -> None:
        """Read up to the first state of the book; raise CaptureError when there is none."""
        assert step_us > 0
        self.step_us = step_us
        self.instrument = instrument
        self._states = book_states(path, instrument)
        first = next(self._states, None)
        if first is None:
            raise CaptureError(f"{path} has no snapshot that a change follows")
        time_ms, self.book = first
        self.at = time_ms * 1000
        self._pending_at: int | None = None
        self.step_number = 0

    @property
    def prices(self) -> Mapping[str, int]:
        """The middle between best bid and ask, in ticks, rounded down."""
        bid, ask = self.book.best_bid(), self.book.best_ask()
        assert bid is not None, "a recorded book has two sides"
        assert ask is not None, "a recorded book has two sides"
        return {self.instrument.symbol: (bid + ask) // 2}

    def step(self) -> Mapping[str, int]:
        """Move on by `step_us` of the record; raise EndOfRecord when there is no more of it.

        A state is applied when it is read, so the book may stand one change past the step's end.
        """
        self.at += self.step_us
        self.step_number += 1
        while self._pending_at is None or self._pending_at <= self.at:
            state = next(self._states, None)
            if state is None:
                raise EndOfRecord
            self._pending_at = state[0] * 1000
        return self.prices


class BookRepeater:
    """A maker whose ladder is the recorded book: its best `levels` a side, to the contract."""

    def __init__(self, exchange: Exchange, account: int, index: L2Index, *, levels: int) -> None:
        self.account = account
        self.levels = levels
        self._exchange = exchange
        self._index = index

    @property
    def symbols(self) -> Collection[str]:
        return (self._index.instrument.symbol,)

    def requote(self, symbol: str, index: int) -> Requote:
        """Return the commands from his resting orders to the recorded book."""
        return requote(
            self._index.instrument,
            self.account,
            self._exchange.open_orders(self.account, symbol),
            self._index.book.quotes(self.levels),
            is_exact=True,
        )
