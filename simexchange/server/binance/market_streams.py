"""Market streams: books, tickers, marks, trades, candles. Nothing is computed that nobody hears."""

import msgspec

from simexchange.core import events as e
from simexchange.server.amounts import Grid, money_text, rate_text
from simexchange.server.binance.market import INTERVALS, Row, ms
from simexchange.server.records.tape import MINUTE_US, joined
from simexchange.server.topic import Levels, Listener, Topic, changed_levels
from simexchange.server.venue import Venue

_encode = msgspec.json.encode
_DEPTH = 1_000
_MOVING = (e.OrderAccepted, e.OrderCancelled, e.OrderAmended, e.Filled, e.MarkPriceSet)


class DepthTopic(Topic):
    """Levels that changed, each message naming the update it follows."""

    def __init__(self, venue: Venue, name: str, grid: Grid, period_ms: int) -> None:
        super().__init__(venue, name, grid, period_ms)
        self._version = 0
        self._bids: dict[int, int] = {}
        self._asks: dict[int, int] = {}

    def opening(self) -> list[bytes]:
        """Start from the book as it stands; the client asks for it over HTTP."""
        if not self.is_heard:
            bids, asks = self.venue.exchange.depth(self.symbol, _DEPTH)
            self._bids, self._asks = dict(bids), dict(asks)
            self._version = self.venue.tape.of(self.symbol).book_version
        return []

    def news(self) -> list[bytes]:
        version = self.venue.tape.of(self.symbol).book_version
        bids, asks = self.venue.exchange.depth(self.symbol, _DEPTH)
        changed = changed_levels(self._bids, bids), changed_levels(self._asks, asks)
        if version == self._version:
            return []
        self._bids, self._asks = dict(bids), dict(asks)
        before, self._version = self._version, version
        now = ms(self.venue.now())
        message = {
            "e": "depthUpdate",
            "E": now,
            "T": now,
            "s": self.symbol,
            "U": before + 1,
            "u": version,
            "pu": before,
            "b": texts(self.grid, changed[0]),
            "a": texts(self.grid, changed[1]),
        }
        return [_encode(message)]


class PartialDepthTopic(Topic):
    """The best levels, whole."""

    def __init__(self, venue: Venue, name: str, grid: Grid, period_ms: int, levels: int) -> None:
        super().__init__(venue, name, grid, period_ms)
        self._levels = levels
        self._version = 0

    def opening(self) -> list[bytes]:
        return self.news()

    def news(self) -> list[bytes]:
        version = self.venue.tape.of(self.symbol).book_version
        bids, asks = self.venue.exchange.depth(self.symbol, self._levels)
        before, self._version = self._version, version
        now = ms(self.venue.now())
        message = {
            "e": "depthUpdate",
            "E": now,
            "T": now,
            "s": self.symbol,
            "U": before + 1,
            "u": version,
            "pu": before,
            "b": texts(self.grid, bids),
            "a": texts(self.grid, asks),
        }
        return [_encode(message)]


def texts(grid: Grid, levels: Levels) -> list[list[str]]:
    return [[grid.price(price), grid.quantity(contracts)] for price, contracts in levels]


class RowTopic(Topic):
    """One row that is sent when it changed."""

    def __init__(self, venue: Venue, name: str, grid: Grid, kind: str) -> None:
        super().__init__(venue, name, grid, 100 if kind != "markPrice" else 1_000)
        self._kind = kind
        self._known: Row = {}

    def opening(self) -> list[bytes]:
        self._known = self._row()
        return [self._message()]

    def news(self) -> list[bytes]:
        row = self._row()
        if row == self._known:
            return []
        self._known = row
        return [self._message()]

    def _message(self) -> bytes:
        now = ms(self.venue.now())
        return _encode({"e": _EVENTS[self._kind], "E": now, "s": self.symbol, **self._known})

    def _row(self) -> Row:
        if self._kind == "markPrice":
            return self._mark()
        return self._book() if self._kind == "bookTicker" else self._day()

    def _mark(self) -> Row:
        exchange, symbol = self.venue.exchange, self.symbol
        funding = exchange.funding(symbol)
        index = self.grid.price(exchange.index_price(symbol))
        return {
            "p": self.grid.price(exchange.mark_price(symbol)),
            "i": index,
            "P": index,
            "r": rate_text(0 if funding is None else funding.rate),
            "T": ms(0 if funding is None else funding.next_funding_at),
        }

    def _book(self) -> Row:
        bids, asks = self.venue.exchange.depth(self.symbol, 1)
        version = self.venue.tape.of(self.symbol).book_version
        return {
            "u": version,
            "b": self.grid.price(bids[0][0]) if bids else "0",
            "B": self.grid.quantity(bids[0][1]) if bids else "0",
            "a": self.grid.price(asks[0][0]) if asks else "0",
            "A": self.grid.quantity(asks[0][1]) if asks else "0",
            "T": ms(self.venue.exchange.now),
        }

    def _day(self) -> Row:
        grid, exchange = self.grid, self.venue.exchange
        day = self.venue.tape.of(self.symbol).day(self.venue.now())
        last = exchange.last_price(self.symbol)
        last = last if last is not None else exchange.mark_price(self.symbol)
        first = day.first if day.first is not None else last
        row: Row = {
            "c": grid.price(last),
            "o": grid.price(first),
            "h": grid.price(day.high if day.high is not None else last),
            "l": grid.price(day.low if day.low is not None else last),
            "v": grid.quantity(day.contracts),
            "q": money_text(grid.value(day.ticks)),
        }
        if self._kind == "ticker":
            row["w"] = grid.average_price(grid.value(day.ticks), day.contracts) or "0"
            row["p"] = grid.prices.text((last or 0) - (first or 0))
            row["Q"] = "0"
        return row


_EVENTS = {
    "markPrice": "markPriceUpdate",
    "bookTicker": "bookTicker",
    "miniTicker": "24hrMiniTicker",
    "ticker": "24hrTicker",
}


class AggregateTradeTopic(Topic):
    """Every trade."""

    def __init__(self, venue: Venue, name: str, grid: Grid) -> None:
        super().__init__(venue, name, grid, 1)
        self._latest = 0

    def opening(self) -> list[bytes]:
        if not self.is_heard:
            trades = self.venue.tape.of(self.symbol).trades
            self._latest = trades[-1].trade_id if trades else 0
        return []

    def news(self) -> list[bytes]:
        trades = self.venue.tape.of(self.symbol).trades
        fresh = [trade for trade in trades if trade.trade_id > self._latest]
        if fresh:
            self._latest = fresh[-1].trade_id
        return [
            _encode(
                {
                    "e": "aggTrade",
                    "E": ms(self.venue.now()),
                    "s": self.symbol,
                    "a": trade.trade_id,
                    "p": self.grid.price(trade.price),
                    "q": self.grid.quantity(trade.contracts),
                    "f": trade.trade_id,
                    "l": trade.trade_id,
                    "T": ms(trade.at),
                    "m": trade.side < 0,
                }
            )
            for trade in fresh
        ]


class CandleTopic(Topic):
    """The candle that is being made."""

    def __init__(self, venue: Venue, name: str, grid: Grid, interval: str) -> None:
        super().__init__(venue, name, grid, 250)
        self._interval = interval

    def opening(self) -> list[bytes]:
        return self.news()

    def news(self) -> list[bytes]:
        length = INTERVALS[self._interval] * MINUTE_US
        bars = joined(self.venue.tape.of(self.symbol).bars, length)[-1:]
        now, grid = ms(self.venue.now()), self.grid
        return [
            _encode(
                {
                    "e": "kline",
                    "E": now,
                    "s": self.symbol,
                    "k": {
                        "t": ms(bar.start_at),
                        "T": ms(bar.start_at + length) - 1,
                        "s": self.symbol,
                        "i": self._interval,
                        "o": grid.price(bar.open),
                        "c": grid.price(bar.close),
                        "h": grid.price(bar.high),
                        "l": grid.price(bar.low),
                        "v": grid.quantity(bar.contracts),
                        "x": now >= ms(bar.start_at + length),
                        "q": money_text(grid.value(bar.ticks)),
                    },
                }
            )
            for bar in bars
        ]


class MarketTopics:
    """All topics that someone listens to or has listened to."""

    def __init__(self, venue: Venue) -> None:
        self._venue = venue
        self._topics: dict[str, Topic] = {}
        self._by_symbol: dict[str, list[Topic]] = {}
        venue.simulation.subscribe(self._listen)

    def join(self, name: str, listener: Listener) -> bool:
        """Let someone listen; say whether there is such a stream."""
        topic = self._topics.get(name) or self._make(name)
        if topic is None:
            return False
        if name not in self._topics:
            self._topics[name] = topic
            self._by_symbol.setdefault(topic.symbol, []).append(topic)
        topic.join(listener, self._venue.settings.ack_delay_ms)
        return True

    def leave(self, name: str, listener: Listener) -> None:
        topic = self._topics.get(name)
        if topic is not None:
            topic.leave(listener)

    def _make(self, name: str) -> Topic | None:
        symbol, _, rest = name.partition("@")
        kind, _, speed = rest.partition("@")
        grid = self._venue.grid(symbol.upper())
        if grid is None:
            return None
        period_ms = int(speed.removesuffix("ms")) if speed in ("100ms", "500ms") else 250
        if kind in _EVENTS:
            return RowTopic(self._venue, name, grid, kind)
        if kind in ("aggTrade", "trade"):
            return AggregateTradeTopic(self._venue, name, grid)
        interval = kind.removeprefix("kline_")
        if kind.startswith("kline_") and interval in INTERVALS:
            return CandleTopic(self._venue, name, grid, interval)
        return self._depth(name, grid, kind, period_ms)

    def _depth(self, name: str, grid: Grid, kind: str, period_ms: int) -> Topic | None:
        if kind == "depth":
            return DepthTopic(self._venue, name, grid, period_ms)
        if kind in ("depth5", "depth10", "depth20"):
            levels = int(kind.removeprefix("depth"))
            return PartialDepthTopic(self._venue, name, grid, period_ms, levels)
        return None

    def _listen(self, events: list[e.Event]) -> None:
        if not self._by_symbol:
            return
        for event in events:
            if isinstance(event, _MOVING):
                for topic in self._by_symbol.get(event.symbol, ()):
                    topic.moved()
