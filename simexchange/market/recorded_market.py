"""Recorded markets on the exchange, and how closely the exchange follows them."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from pathlib import Path

import msgspec

from simexchange.clock import ManualClock
from simexchange.core.commands import (
    Deposit,
    ListInstrument,
    OpenAccount,
    SetFeeTier,
    SetMarginMode,
)
from simexchange.core.config import ExchangeConfig
from simexchange.core.events import Event, Filled
from simexchange.core.exchange import Exchange
from simexchange.core.instrument import Instrument
from simexchange.core.types import (
    MONEY_SCALE,
    AccountKind,
    Liquidity,
    MarginMode,
    Side,
    Wallet,
)
from simexchange.market.audit import residue
from simexchange.market.candles import CandleIndex, CandlesError, RecordedCandle
from simexchange.market.driver import EndOfRecord, IndexSource, MarketDriver
from simexchange.market.l2 import (
    BookRepeater,
    CaptureError,
    L2Index,
    Ticker,
    book_states,
    read_capture,
)
from simexchange.market.ladder import RECORDED_LADDER
from simexchange.market.maker import MarketMaker
from simexchange.market.tape import RecordedTrade, TapeIndex, TapePlayer
from simexchange.simulation import Simulation

MAKER, TAKER = 1, 2
MAKER_MONEY = 10**9 * MONEY_SCALE
NO_FEES = (0, 0)


class CandleFigures(msgspec.Struct, frozen=True, kw_only=True):
    """A run of a maker over candles. Prices and spreads in ticks.

    `steps_astray`: steps whose best bid was above, or whose best ask was below the index.
    """

    candles: int
    steps: int
    first: int
    last: int
    low: int
    high: int
    recorded_low: int
    recorded_high: int
    spread_median: int
    spread_widest: int
    steps_astray: int
    refusals: int
    event_hash: str
    ledger_residue: int

    @property
    def follows(self) -> bool:
        """Whether the exchange went where the record went, with its books in order."""
        extremes = (self.low, self.high) == (self.recorded_low, self.recorded_high)
        return extremes and not (self.steps_astray or self.refusals or self.ledger_residue)


class BookFigures(msgspec.Struct, frozen=True, kw_only=True):
    """A recorded book, rebuilt and repeated.

    `changes` of depth were applied; after `compared` of them a best bid and ask was on record, and
    `equal` of those were the rebuilt ones. Of `steps` on the exchange `steps_equal` showed the
    recorded depth to the contract, `levels` a side.
    """

    changes: int
    compared: int
    equal: int
    steps: int
    steps_equal: int
    levels: int
    refusals: int
    event_hash: str
    ledger_residue: int

    @property
    def follows(self) -> bool:
        is_equal = self.equal == self.compared and self.steps_equal == self.steps
        return is_equal and not (self.refusals or self.ledger_residue)


class TapeFigures(msgspec.Struct, frozen=True, kw_only=True):
    """Recorded trades, traded again with nobody else in the book.

    `as_recorded` of the `trades` happened at the recorded price, for the recorded contracts and
    with the recorded taker, in the recorded order.
    """

    trades: int
    as_recorded: int
    contracts: int
    steps: int
    first: int
    last: int
    low: int
    high: int
    refusals: int
    event_hash: str
    ledger_residue: int

    @property
    def follows(self) -> bool:
        return self.as_recorded == self.trades and not (self.refusals or self.ledger_residue)


class _Market:
    """An exchange with its instruments, a maker's account and a taker's, without fees for them."""

    def __init__(self, instruments: Iterable[Instrument], at: int) -> None:
        self.clock = ManualClock(at)
        self.simulation = Simulation(Exchange(ExchangeConfig(check_every=1_000)), self.clock)
        self.exchange = self.simulation.exchange
        for instrument in instruments:
            self.simulation.apply(ListInstrument(instrument))
        for account in (MAKER, TAKER):
            self.simulation.apply(OpenAccount(kind=AccountKind.MAKER))
            self.simulation.apply(Deposit(account, Wallet.CONTRACT, MAKER_MONEY))
            self.simulation.apply(SetFeeTier(account, *NO_FEES))

    def step(self, driver: MarketDriver, index: IndexSource) -> None:
        self.clock.advance(microseconds=index.step_us)
        driver.step()


class _Walk:
    """What one instrument's book did while its candles were walked."""

    def __init__(self, exchange: Exchange, symbol: str) -> None:
        self._exchange = exchange
        self._symbol = symbol
        self.prices: list[int] = []
        self.spreads: list[int] = []
        self.astray = 0

    def look(self, price: int) -> None:
        self.prices.append(price)
        bid = self._exchange.best_bid(self._symbol)
        ask = self._exchange.best_ask(self._symbol)
        if bid is None or ask is None or not bid <= price <= ask:
            self.astray += 1
        else:
            self.spreads.append(ask - bid)


def run_candles(
    series: Mapping[str, Sequence[RecordedCandle]],
    instruments: Sequence[Instrument],
    *,
    since: int | None = None,
    until: int | None = None,
) -> dict[str, CandleFigures]:
    """Let a maker quote round the candles from `since` until before `until` (microseconds).

    Several instruments walk together, through the candles that all of them have. Raises
    CandlesError when there is none such, or an instrument cannot be listed.
    """
    for instrument in instruments:
        if problem := instrument.problem():
            raise CandlesError(problem)
    index = CandleIndex(series, since=since, until=until)
    market = _Market(instruments, index.at)
    ladders = dict.fromkeys(series, RECORDED_LADDER)
    maker = MarketMaker(market.exchange, MAKER, ladders, seed=0)
    driver = MarketDriver(market.simulation, index, [maker])
    walks = {symbol: _Walk(market.exchange, symbol) for symbol in series}
    for _ in range(index.steps):
        market.step(driver, index)
        for symbol, walk in walks.items():
            walk.look(index.prices[symbol])
    market.exchange.check()
    return {
        symbol: _candle_figures(market, driver, walk, index.walked(symbol))
        for symbol, walk in walks.items()
    }


def _candle_figures(
    market: _Market, driver: MarketDriver, walk: _Walk, walked: Sequence[RecordedCandle]
) -> CandleFigures:
    spreads = sorted(walk.spreads)
    return CandleFigures(
        candles=len(walked),
        steps=driver.steps,
        first=walk.prices[0],
        last=walk.prices[-1],
        low=min(walk.prices),
        high=max(walk.prices),
        recorded_low=min(candle.low for candle in walked),
        recorded_high=max(candle.high for candle in walked),
        spread_median=spreads[len(spreads) // 2] if spreads else 0,
        spread_widest=spreads[-1] if spreads else 0,
        steps_astray=walk.astray,
        refusals=driver.refusals.total(),
        event_hash=market.exchange.event_hash,
        ledger_residue=residue(market.exchange),
    )


def run_tape(
    trades: Sequence[RecordedTrade], instrument: Instrument, *, step_us: int
) -> TapeFigures:
    """Trade a recorded tape again, with nobody else in the book, and compare every trade.

    Raises CaptureError when the instrument cannot be listed.
    """
    if problem := instrument.problem():
        raise CaptureError(problem)
    symbol = instrument.symbol
    index = TapeIndex({symbol: trades}, step_us=step_us)
    market = _Market([instrument], index.at)
    fills: list[tuple[int, int, Side]] = []

    def note(events: list[Event]) -> None:
        fills.extend(
            (event.price, event.contracts, event.side)
            for event in events
            if isinstance(event, Filled) and event.liquidity is Liquidity.TAKER
        )

    for account in (MAKER, TAKER):
        # what the tape leaves in their hands is backed by all they have, however far prices go
        market.simulation.apply(SetMarginMode(account, symbol, MarginMode.CROSS))
    market.simulation.subscribe(note)
    player = TapePlayer(index, offers=MAKER, takes=TAKER)
    driver = MarketDriver(market.simulation, index, (), [player])
    for _ in range(index.steps):
        market.step(driver, index)
    market.exchange.check()
    recorded = [(trade.price, trade.contracts, trade.side) for trade in trades]
    prices = [trade.price for trade in trades]
    return TapeFigures(
        trades=len(trades),
        as_recorded=sum(a == b for a, b in zip(recorded, fills, strict=False)),
        contracts=sum(trade.contracts for trade in trades),
        steps=driver.steps,
        first=prices[0],
        last=prices[-1],
        low=min(prices),
        high=max(prices),
        refusals=driver.refusals.total(),
        event_hash=market.exchange.event_hash,
        ledger_residue=residue(market.exchange),
    )


def run_book(path: Path, instrument: Instrument, *, step_us: int, levels: int) -> BookFigures:
    """Rebuild a recorded book, compare it with the recorded ticker, and repeat it on the exchange.

    Raises CaptureError for a capture that cannot be used, or whose prices or quantities do not lie
    on the instrument's grid.
    """
    if problem := instrument.problem():
        raise CaptureError(problem)
    try:
        changes, compared, equal = _compare_with_ticker(path, instrument)
        index = L2Index(path, instrument, step_us=step_us)
        market = _Market([instrument], index.at)
        repeater = BookRepeater(market.exchange, MAKER, index, levels=levels)
        driver = MarketDriver(market.simulation, index, [repeater])
        steps_equal = _repeat(market, driver, index, levels)
    except CaptureError:
        raise
    except ValueError as error:  # a price or a quantity off the grid, in the instrument's words
        raise CaptureError(str(error)) from error
    market.exchange.check()
    return BookFigures(
        changes=changes,
        compared=compared,
        equal=equal,
        steps=driver.steps,
        steps_equal=steps_equal,
        levels=levels,
        refusals=driver.refusals.total(),
        event_hash=market.exchange.event_hash,
        ledger_residue=residue(market.exchange),
    )


def _repeat(market: _Market, driver: MarketDriver, index: L2Index, levels: int) -> int:
    """Step to the end of the record; return how many steps showed the recorded depth."""
    symbol = index.instrument.symbol
    steps_equal = 0
    while True:
        try:
            market.step(driver, index)
        except EndOfRecord:
            return steps_equal
        quotes = index.book.quotes(levels)
        recorded = tuple(
            [(quote.price, quote.contracts) for quote in quotes if quote.side is side]
            for side in (Side.BUY, Side.SELL)
        )
        steps_equal += market.exchange.depth(symbol, levels) == recorded


def _compare_with_ticker(path: Path, instrument: Instrument) -> tuple[int, int, int]:
    """Return how many changes there were, how many had a ticker, how many of those agreed with it.

    Tickers and changes come by different streams, so they are put together by their update ids: a
    ticker holds from its update until the next ticker's.
    """
    tickers = [message for message in read_capture(path) if isinstance(message, Ticker)]
    tickers.sort(key=lambda ticker: ticker.update_id)
    changes = place = compared = equal = 0
    for _, book in book_states(path, instrument):
        changes += 1
        assert book.update_id is not None, "a state is one after an update"
        while place < len(tickers) and tickers[place].update_id <= book.update_id:
            place += 1
        if place:
            ticker = tickers[place - 1]
            recorded = [instrument.price_to_ticks(Decimal(t)) for t in (ticker.bid, ticker.ask)]
            compared += 1
            equal += recorded == [book.best_bid(), book.best_ask()]
    return changes, compared, equal
