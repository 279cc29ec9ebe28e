"""Public facts of each instrument: trades, candles, the last day, funding rates."""

from collections import deque
from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from simexchange.core import events as e
from simexchange.core.exchange import Exchange
from simexchange.core.types import HOUR_US, SECOND_US, Liquidity, PositionSide, Side

MINUTE_US = 60 * SECOND_US
DAY_US = 24 * HOUR_US
_TRADES, _MINUTES, _FUNDINGS = 1_000, 7 * 24 * 60, 10_000
_TAKER = Liquidity.TAKER


class PublicTrade(msgspec.Struct, frozen=True, gc=False):
    """One trade; ``side`` is the taker's. ``is_up``: the price rose, or rose last."""

    trade_id: int
    at: int
    side: Side
    price: int
    contracts: int
    is_up: bool


class Bar(msgspec.Struct, gc=False):
    """Prices (or premiums) from ``start_at`` on. ``ticks`` is Σ price × contracts.

    ``bought`` and ``bought_ticks`` are of the trades whose taker bought.
    """

    start_at: int
    open: int
    high: int
    low: int
    close: int
    contracts: int = 0
    ticks: int = 0
    trades: int = 0
    bought: int = 0
    bought_ticks: int = 0
    first_trade: int = 0
    last_trade: int = 0
    open_interest: int = 0  # after the last trade

    def add(self, price: int) -> None:
        self.high = max(self.high, price)
        self.low = min(self.low, price)
        self.close = price

    def add_trade(self, trade: PublicTrade) -> None:
        self.add(trade.price)
        self.contracts += trade.contracts
        self.ticks += trade.price * trade.contracts
        if trade.side > 0:
            self.bought += trade.contracts
            self.bought_ticks += trade.price * trade.contracts
        self.trades += 1
        self.first_trade = self.first_trade or trade.trade_id
        self.last_trade = trade.trade_id

    def join(self, later: "Bar") -> None:
        self.high = max(self.high, later.high)
        self.low = min(self.low, later.low)
        self.close = later.close
        self.contracts += later.contracts
        self.ticks += later.ticks
        self.trades += later.trades
        self.bought += later.bought
        self.bought_ticks += later.bought_ticks
        self.first_trade = self.first_trade or later.first_trade
        self.last_trade = later.last_trade or self.last_trade
        self.open_interest = later.open_interest


class PublicLiquidation(msgspec.Struct, frozen=True, gc=False):
    """A forced close of so many contracts; ``side`` is of the order that closed them."""

    at: int
    side: Side
    contracts: int
    mark: int


class DayStatistics(msgspec.Struct, frozen=True):
    """The last 24 hours and the price an hour ago; None where nothing was traded."""

    first: int | None
    high: int | None
    low: int | None
    hour_ago: int | None
    contracts: int
    ticks: int
    trades: int = 0
    first_trade: int = 0
    last_trade: int = 0


class SymbolTape:
    """The tape of one instrument."""

    def __init__(self) -> None:
        self.trades: deque[PublicTrade] = deque(maxlen=_TRADES)
        self.bars: deque[Bar] = deque(maxlen=_MINUTES)
        self.mark_bars: deque[Bar] = deque(maxlen=_MINUTES)
        self.index_bars: deque[Bar] = deque(maxlen=_MINUTES)
        self.premium_bars: deque[Bar] = deque(maxlen=_MINUTES)  # rates in 10⁻⁸
        self.fundings: deque[e.FundingSettled] = deque(maxlen=_FUNDINGS)
        self.liquidations: deque[PublicLiquidation] = deque(maxlen=_TRADES)
        self.liquidated = 0  # how many there have been
        self.version = 0  # grows with every change of a price
        self.book_version = 1  # grows with every change of the book
        self._day: tuple[tuple[int, int], Bar | None, int | None] | None = None

    def day(self, now: int) -> DayStatistics:
        """Return the statistics of the last day; what lies before this minute is kept."""
        if not self.bars:
            return DayStatistics(None, None, None, None, 0, 0)
        key = (now // MINUTE_US, self.bars[-1].start_at)
        if self._day is None or self._day[0] != key:
            self._day = (key, *self._past(now))
        _, past, hour_ago = self._day
        latest = self.bars[-1]
        if latest.start_at <= now - DAY_US:
            return DayStatistics(None, None, None, None, 0, 0)
        whole = msgspec.structs.replace(latest if past is None else past)
        if past is not None:
            whole.join(latest)
        return DayStatistics(
            first=whole.open,
            high=whole.high,
            low=whole.low,
            hour_ago=latest.open if hour_ago is None else hour_ago,
            contracts=whole.contracts,
            ticks=whole.ticks,
            trades=whole.trades,
            first_trade=whole.first_trade,
            last_trade=whole.last_trade,
        )

    def _past(self, now: int) -> tuple[Bar | None, int | None]:
        """Return the day's bars but the latest as one, and the price an hour ago if one says."""
        bars = [bar for bar in self.bars if bar.start_at > now - DAY_US][:-1]
        if not bars:
            return None, None
        whole = msgspec.structs.replace(bars[0])
        for bar in bars[1:]:
            whole.join(bar)
        hour = next((bar for bar in bars if bar.start_at > now - HOUR_US), None)
        return whole, None if hour is None else hour.open


class Tape:
    """Listens to the exchange and keeps the tapes of all instruments."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._symbols: dict[str, SymbolTape] = {}
        self._closing = Side.SELL  # the side of the liquidation that is under way
        for instrument in exchange.instruments:
            self.of(instrument.symbol)
        self._handlers: dict[type, Callable[[Any], None]] = {
            e.Filled: self._note_fill,
            e.OrderAccepted: self._note_book,
            e.OrderCancelled: self._note_book,
            e.OrderAmended: self._note_book,
            e.MarkPriceSet: self._note_mark,
            e.FundingSettled: self._note_funding,
            e.LiquidationStarted: self._note_liquidation_start,
            e.PositionLiquidated: self._note_liquidation,
        }

    def of(self, symbol: str) -> SymbolTape:
        found = self._symbols.get(symbol)
        if found is None:
            found = self._symbols[symbol] = SymbolTape()
        return found

    def listen(self, events: list[e.Event]) -> None:
        for event in events:
            handler = self._handlers.get(event.__class__)
            if handler is not None:
                handler(event)

    def _note_book(self, event: e.OrderAccepted | e.OrderCancelled | e.OrderAmended) -> None:
        self.of(event.symbol).book_version += 1

    def _note_funding(self, event: e.FundingSettled) -> None:
        if not event.skipped:
            self.of(event.symbol).fundings.append(event)

    def _note_liquidation_start(self, event: e.LiquidationStarted) -> None:
        is_short = event.position_side is PositionSide.SHORT or event.contracts < 0
        self._closing = Side.BUY if is_short else Side.SELL

    def _note_liquidation(self, event: e.PositionLiquidated) -> None:
        tape = self.of(event.symbol)
        tape.liquidations.append(
            PublicLiquidation(event.at, self._closing, event.contracts, event.mark)
        )
        tape.liquidated += 1

    def _note_fill(self, event: e.Filled) -> None:
        if event.liquidity is _TAKER:
            self._note_trade(event)

    def _note_trade(self, event: e.Filled) -> None:
        tape = self.of(event.symbol)
        is_up = True
        if tape.trades:
            latest = tape.trades[-1]
            is_up = latest.is_up if event.price == latest.price else event.price > latest.price
        trade = PublicTrade(
            event.trade_id, event.at, event.side, event.price, event.contracts, is_up
        )
        tape.trades.append(trade)
        bar = _bar(tape.bars, event.at, event.price)
        bar.add_trade(trade)
        bar.open_interest = self._exchange.open_interest(event.symbol)
        tape.version += 1
        tape.book_version += 1

    def _note_mark(self, event: e.MarkPriceSet) -> None:
        tape = self.of(event.symbol)
        _bar(tape.mark_bars, event.at, event.mark).add(event.mark)
        if event.index is not None:
            _bar(tape.index_bars, event.at, event.index).add(event.index)
        premium = self._exchange.premium(event.symbol)
        if premium is not None:
            _bar(tape.premium_bars, event.at, premium).add(premium)
        tape.version += 1


def _bar(bars: deque[Bar], at: int, price: int) -> Bar:
    """Return the bar of a moment, which begins with ``price`` if it is new."""
    start_at = at - at % MINUTE_US
    if not bars or bars[-1].start_at != start_at:
        bars.append(Bar(start_at, price, price, price, price))
    return bars[-1]


def joined(bars: Iterable[Bar], interval_us: int, offset_us: int = 0) -> list[Bar]:
    """Return the bars put together to longer ones, oldest first.

    ``offset_us`` moves the boundaries, for weeks that start on Monday.
    """
    longer: list[Bar] = []
    for bar in bars:
        start_at = bar.start_at - (bar.start_at - offset_us) % interval_us
        if longer and longer[-1].start_at == start_at:
            longer[-1].join(bar)
        else:
            longer.append(msgspec.structs.replace(bar, start_at=start_at))
    return longer
