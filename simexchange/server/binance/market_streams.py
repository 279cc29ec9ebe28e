"""Market streams: books, and all others by name. Nothing is computed that nobody hears."""

import msgspec

from simexchange.core import events as e
from simexchange.server.amounts import Grid
from simexchange.server.binance.market import ms
from simexchange.server.binance.market_history import INTERVALS
from simexchange.server.binance.row_topics import EVENTS, AllRowsTopic, RowTopic
from simexchange.server.binance.trade_topics import CandleTopic, LiquidationTopic, TradeTopic
from simexchange.server.topic import Levels, Listener, SymbolTopic, Topic, changed_levels
from simexchange.server.venue import Venue

_encode = msgspec.json.encode
_DEPTH = 1_000
_MOVING = (
    e.OrderAccepted,
    e.OrderCancelled,
    e.OrderAmended,
    e.Filled,
    e.MarkPriceSet,
    e.PositionLiquidated,
)


class DepthTopic(SymbolTopic):
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


class PartialDepthTopic(SymbolTopic):
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
    return [[grid.price(price), grid.whole_quantity(contracts)] for price, contracts in levels]


class MarketTopics:
    """All topics that someone listens to or has listened to."""

    def __init__(self, venue: Venue) -> None:
        self._venue = venue
        self._topics: dict[str, Topic] = {}
        self._by_symbol: dict[str, list[Topic]] = {}
        self._of_all: list[Topic] = []
        venue.simulation.subscribe(self._listen)

    def join(self, name: str, listener: Listener) -> bool:
        """Let someone listen; say whether there is such a stream."""
        topic = self._topics.get(name)
        if topic is None:
            topic = self._made(name)
            if topic is None:
                return False
            self._topics[name] = topic
        topic.join(listener, self._venue.settings.ack_delay_ms)
        return True

    def leave(self, name: str, listener: Listener) -> None:
        topic = self._topics.get(name)
        if topic is not None:
            topic.leave(listener)

    def _made(self, name: str) -> Topic | None:
        """Return a new topic, entered where it hears what moves it."""
        if name.startswith("!"):
            topic = self._make_of_all(name)
            if topic is not None:
                self._of_all.append(topic)
            return topic
        first, _, rest = name.partition("@")
        kind, _, speed = rest.partition("@")
        pair, _, contract = first.partition("_")
        grid = self._venue.grid(pair.upper())
        if grid is None or contract not in ("", "perpetual"):
            return None
        topic = (
            self._make_of_pair(name, grid, kind)
            if contract
            else self._make(name, grid, kind, speed)
        )
        if topic is not None:
            self._by_symbol.setdefault(grid.instrument.symbol, []).append(topic)
        return topic

    def _make_of_all(self, name: str) -> Topic | None:
        kind, _, rest = name[1:].partition("@")
        if name == "!forceOrder@arr":
            return LiquidationTopic(self._venue, name, None)
        if name == "!bookTicker":
            return AllRowsTopic(self._venue, name, kind, is_list=False)
        if kind in EVENTS and kind != "bookTicker" and rest in ("arr", "arr@1s"):
            return AllRowsTopic(self._venue, name, kind, is_list=True)
        return None

    def _make_of_pair(self, name: str, grid: Grid, kind: str) -> Topic | None:
        interval = kind.removeprefix("continuousKline_")
        if interval == kind or interval not in INTERVALS:
            return None
        return CandleTopic(self._venue, name, grid, interval, is_pair=True)

    def _make(self, name: str, grid: Grid, kind: str, speed: str) -> Topic | None:
        if kind in EVENTS:
            return RowTopic(self._venue, name, grid, kind)
        if kind in ("aggTrade", "trade"):
            return TradeTopic(self._venue, name, grid, kind)
        if kind == "forceOrder":
            return LiquidationTopic(self._venue, name, grid.instrument.symbol)
        interval = kind.removeprefix("kline_")
        if kind.startswith("kline_") and interval in INTERVALS:
            return CandleTopic(self._venue, name, grid, interval, is_pair=False)
        return self._make_book(name, grid, kind, speed)

    def _make_book(self, name: str, grid: Grid, kind: str, speed: str) -> Topic | None:
        period_ms = int(speed.removesuffix("ms")) if speed in ("0ms", "100ms", "500ms") else 250
        if kind == "depth":
            return DepthTopic(self._venue, name, grid, period_ms)
        if kind in ("depth5", "depth10", "depth20"):
            levels = int(kind.removeprefix("depth"))
            return PartialDepthTopic(self._venue, name, grid, period_ms, levels)
        return None

    def _listen(self, events: list[e.Event]) -> None:
        if not self._topics:
            return
        for event in events:
            if isinstance(event, _MOVING):
                for topic in self._by_symbol.get(event.symbol, ()):
                    topic.moved()
                for topic in self._of_all:
                    topic.moved()
