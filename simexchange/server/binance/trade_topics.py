"""Streams of what was traded: trades, candles, liquidations."""

import msgspec

from simexchange.server.amounts import Grid, money_text
from simexchange.server.binance.market import Row, ms
from simexchange.server.binance.market_history import INTERVALS, aggregate_row, candle_bars
from simexchange.server.binance.rows import SIDES
from simexchange.server.records.tape import MINUTE_US, Bar, PublicLiquidation, PublicTrade
from simexchange.server.topic import SymbolTopic, Topic
from simexchange.server.venue import Venue

_encode = msgspec.json.encode
_CANDLE_MS = 250


class TradeTopic(SymbolTopic):
    """Every trade, as an aggregate of one or as itself."""

    def __init__(self, venue: Venue, name: str, grid: Grid, kind: str) -> None:
        super().__init__(venue, name, grid, 1)
        self._kind = kind
        self._latest = 0

    def opening(self) -> list[bytes]:
        if not self.is_heard:
            trades = self.venue.tape.of(self.symbol).trades
            self._latest = trades[-1].trade_id if trades else 0
        return []

    def news(self) -> list[bytes]:
        fresh: list[PublicTrade] = []
        for trade in reversed(self.venue.tape.of(self.symbol).trades):
            if trade.trade_id <= self._latest:
                break
            fresh.append(trade)
        if fresh:
            self._latest = fresh[0].trade_id
        return [self._message(trade) for trade in reversed(fresh)]

    def _message(self, trade: PublicTrade) -> bytes:
        head: Row = {"e": self._kind, "E": ms(self.venue.now()), "s": self.symbol}
        row = aggregate_row(trade, self.grid)
        if self._kind == "trade":
            row = {
                "T": row["T"],
                "t": trade.trade_id,
                "p": row["p"],
                "q": row["q"],
                "X": "MARKET",
                "m": row["m"],
            }
        return _encode({**head, **row})


class CandleTopic(SymbolTopic):
    """The candle that is being made, of an instrument or of a pair's perpetual."""

    def __init__(
        self, venue: Venue, name: str, grid: Grid, interval: str, *, is_pair: bool
    ) -> None:
        super().__init__(venue, name, grid, _CANDLE_MS)
        self._interval = interval
        self._is_pair = is_pair
        self._told_start = 0

    def opening(self) -> list[bytes]:
        bars = self._bars()[-1:]
        if not self.is_heard and bars:
            self._told_start = bars[0].start_at
        return [self._message(bar) for bar in bars]

    def news(self) -> list[bytes]:
        """Tell the candles since the last one that was told: that one once more, as it ended."""
        fresh = [bar for bar in self._bars() if bar.start_at >= self._told_start]
        if fresh:
            self._told_start = fresh[-1].start_at
        return [self._message(bar) for bar in fresh]

    def _bars(self) -> list[Bar]:
        return candle_bars(list(self.venue.tape.of(self.symbol).bars), self._interval)

    def _message(self, bar: Bar) -> bytes:
        grid, now = self.grid, ms(self.venue.now())
        ends = ms(bar.start_at + INTERVALS[self._interval] * MINUTE_US)
        candle: Row = {
            "t": ms(bar.start_at),
            "T": ends - 1,
            "s": self.symbol,
            "i": self._interval,
            "f": bar.first_trade,
            "L": bar.last_trade,
            "o": grid.price(bar.open),
            "c": grid.price(bar.close),
            "h": grid.price(bar.high),
            "l": grid.price(bar.low),
            "v": grid.whole_quantity(bar.contracts),
            "n": bar.trades,
            "x": now >= ends,
            "q": money_text(grid.value(bar.ticks)),
            "V": grid.whole_quantity(bar.bought),
            "Q": money_text(grid.value(bar.bought_ticks)),
            "B": "0",
        }
        if not self._is_pair:
            return _encode({"e": "kline", "E": now, "s": self.symbol, "k": candle})
        del candle["s"]
        head: Row = {"e": "continuous_kline", "E": now, "ps": self.symbol, "ct": "PERPETUAL"}
        return _encode({**head, "k": candle})


class LiquidationTopic(Topic):
    """Liquidations of one instrument, or of all."""

    def __init__(self, venue: Venue, name: str, symbol: str | None) -> None:
        super().__init__(venue, name, 1)
        self._symbol = symbol
        self._told: dict[str, int] = {}

    def _symbols(self) -> list[str]:
        if self._symbol is not None:
            return [self._symbol]
        return [instrument.symbol for instrument in self.venue.exchange.instruments]

    def opening(self) -> list[bytes]:
        if not self.is_heard:
            tape = self.venue.tape
            self._told = {symbol: tape.of(symbol).liquidated for symbol in self._symbols()}
        return []

    def news(self) -> list[bytes]:
        messages: list[bytes] = []
        for symbol in self._symbols():
            tape = self.venue.tape.of(symbol)
            count = tape.liquidated - self._told.get(symbol, 0)
            self._told[symbol] = tape.liquidated
            fresh = list(tape.liquidations)[-count:] if count else []
            messages += [self._message(symbol, event) for event in fresh]
        return messages

    def _message(self, symbol: str, event: PublicLiquidation) -> bytes:
        grid = self.venue.grid(symbol)
        assert grid is not None, f"{symbol} was liquidated without being listed"
        quantity = grid.whole_quantity(event.contracts)
        order: Row = {
            "s": symbol,
            "S": SIDES[event.side],
            "o": "LIMIT",
            "f": "IOC",
            "q": quantity,
            "p": grid.price(event.mark),
            "ap": grid.price(event.mark),
            "X": "FILLED",
            "l": quantity,
            "z": quantity,
            "T": ms(event.at),
        }
        return _encode({"e": "forceOrder", "E": ms(self.venue.now()), "o": order})
