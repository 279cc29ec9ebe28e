"""Streams of rows that change: tickers, best prices, marks; of one instrument or of all."""

from fractions import Fraction

import msgspec

from simexchange.server.amounts import Grid, fraction_text, money_text, rate_text
from simexchange.server.binance.market import Row, ms
from simexchange.server.topic import SymbolTopic, Topic
from simexchange.server.venue import Venue

_encode = msgspec.json.encode
EVENTS = {
    "markPrice": "markPriceUpdate",
    "bookTicker": "bookTicker",
    "miniTicker": "24hrMiniTicker",
    "ticker": "24hrTicker",
}
_SLOW = {"markPrice": 1_000}
_FAST_MS, _ALL_MS = 100, 1_000


def row_of(venue: Venue, grid: Grid, kind: str) -> Row:
    """Return what a row says at the moment, without the time of telling it."""
    if kind == "markPrice":
        return _mark(venue, grid)
    return _book(venue, grid) if kind == "bookTicker" else _day(venue, grid, kind)


def _mark(venue: Venue, grid: Grid) -> Row:
    exchange, symbol = venue.exchange, grid.instrument.symbol
    funding = exchange.funding(symbol)
    index = grid.price(exchange.index_price(symbol))
    return {
        "p": grid.price(exchange.mark_price(symbol)),
        "i": index,
        "P": index,
        "r": rate_text(0 if funding is None else funding.rate),
        "T": ms(0 if funding is None else funding.next_funding_at),
    }


def _book(venue: Venue, grid: Grid) -> Row:
    symbol = grid.instrument.symbol
    bids, asks = venue.exchange.depth(symbol, 1)
    return {
        "u": venue.tape.of(symbol).book_version,
        "b": grid.price(bids[0][0]) if bids else "0",
        "B": grid.whole_quantity(bids[0][1]) if bids else "0",
        "a": grid.price(asks[0][0]) if asks else "0",
        "A": grid.whole_quantity(asks[0][1]) if asks else "0",
        "T": ms(venue.exchange.now),
    }


def _day(venue: Venue, grid: Grid, kind: str) -> Row:
    exchange, symbol = venue.exchange, grid.instrument.symbol
    tape = venue.tape.of(symbol)
    day = tape.day(venue.now())
    last = exchange.last_price(symbol)
    last = last if last is not None else exchange.mark_price(symbol)
    first = day.first if day.first is not None else last
    row: Row = {
        "c": grid.price(last),
        "o": grid.price(first),
        "h": grid.price(day.high if day.high is not None else last),
        "l": grid.price(day.low if day.low is not None else last),
        "v": grid.whole_quantity(day.contracts),
        "q": money_text(grid.value(day.ticks)),
    }
    if kind == "miniTicker":
        return row
    change = (last or 0) - (first or 0)
    percent = fraction_text(abs(Fraction(change * 100, first)), 3) if first else "0"
    return {
        **row,
        "p": grid.prices.text(change),
        "P": f"-{percent}" if change < 0 else percent,
        "w": grid.average_price(grid.value(day.ticks), day.contracts) or "0",
        "Q": grid.whole_quantity(tape.trades[-1].contracts) if tape.trades else "0",
        "F": day.first_trade,
        "L": day.last_trade,
        "n": day.trades,
    }


def _told(venue: Venue, grid: Grid, kind: str, row: Row) -> Row:
    """Return a row with its event, its time and its instrument."""
    now = ms(venue.now())
    told: Row = {"e": EVENTS[kind], "E": now, "s": grid.instrument.symbol, **row}
    if kind == "ticker":
        told |= {"O": now - 86_400_000, "C": now}
    return told


class RowTopic(SymbolTopic):
    """One row that is sent when it changed."""

    def __init__(self, venue: Venue, name: str, grid: Grid, kind: str) -> None:
        super().__init__(venue, name, grid, _SLOW.get(kind, _FAST_MS))
        self._kind = kind
        self._known: Row = {}

    def opening(self) -> list[bytes]:
        self._known = row_of(self.venue, self.grid, self._kind)
        return [self._message()]

    def news(self) -> list[bytes]:
        row = row_of(self.venue, self.grid, self._kind)
        if row == self._known:
            return []
        self._known = row
        return [self._message()]

    def _message(self) -> bytes:
        return _encode(_told(self.venue, self.grid, self._kind, self._known))


class AllRowsTopic(Topic):
    """The rows of all instruments that changed: in one list, or each as a message of its own."""

    def __init__(self, venue: Venue, name: str, kind: str, *, is_list: bool) -> None:
        super().__init__(venue, name, _ALL_MS if is_list else _FAST_MS)
        self._kind = kind
        self._is_list = is_list
        self._known: dict[str, Row] = {}

    def opening(self) -> list[bytes]:
        if not self.is_heard:
            self._known = {}
            return self.news()
        return self._messages([*self._known])

    def news(self) -> list[bytes]:
        changed: list[str] = []
        for instrument in self.venue.exchange.instruments:
            row = row_of(self.venue, self._grid(instrument.symbol), self._kind)
            if self._known.get(instrument.symbol) != row:
                self._known[instrument.symbol] = row
                changed.append(instrument.symbol)
        return self._messages(changed)

    def _messages(self, symbols: list[str]) -> list[bytes]:
        rows = [
            _told(self.venue, self._grid(symbol), self._kind, self._known[symbol])
            for symbol in symbols
        ]
        if self._is_list:
            return [_encode(rows)] if rows else []
        return [_encode(row) for row in rows]

    def _grid(self, symbol: str) -> Grid:
        grid = self.venue.grid(symbol)
        assert grid is not None, f"{symbol} is listed"
        return grid
