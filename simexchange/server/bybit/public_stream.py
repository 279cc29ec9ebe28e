"""Public topics: tickers, books, trades, candles. Nothing is computed that nobody listens to."""

import msgspec

from simexchange.core import events as e
from simexchange.server.amounts import Grid, money_text
from simexchange.server.bybit.market import INTERVALS, MONDAY_US
from simexchange.server.bybit.order_rows import SIDES, Row
from simexchange.server.bybit.ticker import ticker_row
from simexchange.server.records.tape import PublicTrade, joined
from simexchange.server.sockets import Socket
from simexchange.server.topic import Levels, SymbolTopic, changed_levels
from simexchange.server.venue import Venue

_encode = msgspec.json.encode
_TICKER_MS, _CANDLE_MS = 100, 1_000
_BOOK_MS = {1: 10, 50: 20, 200: 100, 500: 100, 1000: 200}


class TickerTopic(SymbolTopic):
    """All fields first, then those that changed."""

    def __init__(self, venue: Venue, name: str, grid: Grid) -> None:
        super().__init__(venue, name, grid, _TICKER_MS)
        self._known: Row = {}
        self._sequence = 0

    def opening(self) -> list[bytes]:
        self._known = ticker_row(self.venue, self.grid)
        return [self._message("snapshot", self._known)]

    def news(self) -> list[bytes]:
        row = ticker_row(self.venue, self.grid)
        changed = {name: value for name, value in row.items() if self._known.get(name) != value}
        self._known = row
        if not changed:
            return []
        return [self._message("delta", {"symbol": self.symbol, **changed})]

    def _message(self, kind: str, data: Row) -> bytes:
        self._sequence += 1
        return _encode(
            {
                "topic": self.name,
                "type": kind,
                "data": data,
                "cs": self._sequence,
                "ts": self.venue.now() // 1_000,
            }
        )


class BookTopic(SymbolTopic):
    """The book to some depth: whole first, then the levels that changed; 0 takes one away.

    The book of one level is sent whole each time.
    """

    def __init__(self, venue: Venue, name: str, grid: Grid, depth: int) -> None:
        super().__init__(venue, name, grid, _BOOK_MS[depth])
        self._depth = depth
        self._bids: dict[int, int] = {}
        self._asks: dict[int, int] = {}
        self._update = 1

    def opening(self) -> list[bytes]:
        bids, asks = self.venue.exchange.depth(self.symbol, self._depth)
        self._bids, self._asks = dict(bids), dict(asks)
        return [self._message("snapshot", bids, asks)]

    def news(self) -> list[bytes]:
        bids, asks = self.venue.exchange.depth(self.symbol, self._depth)
        changed_bids, changed_asks = (
            changed_levels(self._bids, bids),
            changed_levels(self._asks, asks),
        )
        if not changed_bids and not changed_asks:
            return []
        self._bids, self._asks = dict(bids), dict(asks)
        self._update += 1
        if self._depth == 1:
            return [self._message("snapshot", bids, asks)]
        return [self._message("delta", changed_bids, changed_asks)]

    def _message(self, kind: str, bids: Levels, asks: Levels) -> bytes:
        now_ms = self.venue.now() // 1_000
        return _encode(
            {
                "topic": self.name,
                "type": kind,
                "ts": now_ms,
                "data": {
                    "s": self.symbol,
                    "b": self._texts(bids),
                    "a": self._texts(asks),
                    "u": self._update,
                    "seq": self.venue.tape.of(self.symbol).book_version,
                },
                "cts": now_ms,
            }
        )

    def _texts(self, levels: Levels) -> list[list[str]]:
        grid = self.grid
        return [[grid.price(price), grid.quantity(contracts)] for price, contracts in levels]


class TradeTopic(SymbolTopic):
    """Every trade."""

    def __init__(self, venue: Venue, name: str, grid: Grid) -> None:
        super().__init__(venue, name, grid, 1)
        self._latest = self._newest()

    def _newest(self) -> int:
        trades = self.venue.tape.of(self.symbol).trades
        return trades[-1].trade_id if trades else 0

    def opening(self) -> list[bytes]:
        if not self.is_heard:
            self._latest = self._newest()
        return []

    def news(self) -> list[bytes]:
        trades = self.venue.tape.of(self.symbol).trades
        fresh = [trade for trade in trades if trade.trade_id > self._latest]
        if not fresh:
            return []
        self._latest = fresh[-1].trade_id
        return [
            _encode(
                {
                    "topic": self.name,
                    "type": "snapshot",
                    "ts": self.venue.now() // 1_000,
                    "data": [self._row(trade) for trade in fresh],
                }
            )
        ]

    def _row(self, trade: PublicTrade) -> Row:
        return {
            "T": trade.at // 1_000,
            "s": self.symbol,
            "S": SIDES[trade.side],
            "v": self.grid.quantity(trade.contracts),
            "p": self.grid.price(trade.price),
            "L": "PlusTick" if trade.is_up else "MinusTick",
            "i": str(trade.trade_id),
            "BT": False,
            "RPI": False,
            "seq": trade.trade_id,
        }


class CandleTopic(SymbolTopic):
    """The candle that is being made; confirmed once its time is over."""

    def __init__(self, venue: Venue, name: str, grid: Grid, interval: str) -> None:
        super().__init__(venue, name, grid, _CANDLE_MS)
        self._interval = interval
        self._started = 0

    def opening(self) -> list[bytes]:
        return self.news()

    def news(self) -> list[bytes]:
        length = INTERVALS[self._interval]
        offset = MONDAY_US if self._interval == "W" else 0
        bars = joined(self.venue.tape.of(self.symbol).bars, length, offset)[-2:]
        if not bars:
            return []
        finished = [bar for bar in bars[:-1] if bar.start_at == self._started]
        self._started = bars[-1].start_at
        rows = [
            {
                "start": bar.start_at // 1_000,
                "end": (bar.start_at + length) // 1_000 - 1,
                "interval": self._interval,
                "open": self.grid.price(bar.open),
                "close": self.grid.price(bar.close),
                "high": self.grid.price(bar.high),
                "low": self.grid.price(bar.low),
                "volume": self.grid.quantity(bar.contracts),
                "turnover": money_text(self.grid.value(bar.ticks)),
                "confirm": bar is not bars[-1],
                "timestamp": self.venue.now() // 1_000,
            }
            for bar in (*finished, bars[-1])
        ]
        message = {
            "topic": self.name,
            "type": "snapshot",
            "ts": self.venue.now() // 1_000,
            "data": rows,
        }
        return [_encode(message)]


class PublicTopics:
    """All topics that someone listens to or has listened to."""

    def __init__(self, venue: Venue) -> None:
        self._venue = venue
        self._topics: dict[str, SymbolTopic] = {}
        self._by_symbol: dict[str, list[SymbolTopic]] = {}
        venue.simulation.subscribe(self._listen)

    def exists(self, name: str) -> bool:
        return self._find(name) is not None

    def join(self, name: str, socket: Socket, delay_ms: int) -> None:
        topic = self._find(name)
        assert topic is not None, "only topics that exist are joined"
        topic.join(socket, delay_ms)

    def leave(self, name: str, socket: Socket) -> None:
        topic = self._topics.get(name)
        if topic is not None:
            topic.leave(socket)

    def _find(self, name: str) -> SymbolTopic | None:
        known = self._topics.get(name)
        if known is not None:
            return known
        made = self._make(name)
        if made is not None:
            self._topics[name] = made
            self._by_symbol.setdefault(made.symbol, []).append(made)
        return made

    def _make(self, name: str) -> SymbolTopic | None:
        kind, *middle = name.split(".")
        symbol = middle.pop() if middle else ""
        grid = self._venue.grid(symbol)
        if grid is None or len(middle) > 1:
            return None
        if not middle:
            if kind == "tickers":
                return TickerTopic(self._venue, name, grid)
            return TradeTopic(self._venue, name, grid) if kind == "publicTrade" else None
        if kind == "orderbook" and middle[0].isdecimal() and int(middle[0]) in _BOOK_MS:
            return BookTopic(self._venue, name, grid, int(middle[0]))
        if kind == "kline" and middle[0] in INTERVALS:
            return CandleTopic(self._venue, name, grid, middle[0])
        return None

    def _listen(self, events: list[e.Event]) -> None:
        if not self._by_symbol:
            return
        for event in events:
            if isinstance(event, _MOVING):
                for topic in self._by_symbol.get(event.symbol, ()):
                    topic.moved()


_MOVING = (e.OrderAccepted, e.OrderCancelled, e.OrderAmended, e.Filled, e.MarkPriceSet)
