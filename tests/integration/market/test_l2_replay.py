"""The recorded book, rebuilt, equals the recorded best bid and ask, also on the exchange."""

import collections
from decimal import Decimal
from pathlib import Path

import pytest

from simexchange.clock import ManualClock
from simexchange.core.commands import Deposit, ListInstrument, OpenAccount, PlaceOrder
from simexchange.core.events import Filled
from simexchange.core.exchange import Exchange
from simexchange.core.instrument import Instrument
from simexchange.core.types import MONEY_SCALE, OrderKind, Side, Wallet
from simexchange.market.driver import EndOfRecord, MarketDriver
from simexchange.market.l2 import (
    BookRepeater,
    CaptureError,
    DepthChange,
    L2Index,
    RecordedBook,
    Snapshot,
    Ticker,
    book_states,
    read_capture,
)
from simexchange.simulation import Simulation

CAPTURE = Path(__file__).parents[4] / "shared/data/l2_book/btcusdt_20240808.gz"
needs_capture = pytest.mark.skipif(
    not CAPTURE.exists(), reason=f"the recorded book is not at {CAPTURE}"
)
BTC = Instrument(
    symbol="BTCUSDT", base="BTC", tick_size=Decimal("0.1"), contract_size=Decimal("0.001")
)


@needs_capture
@pytest.mark.slow
def test_the_rebuilt_best_bid_and_ask_equal_the_ticker_after_every_change():
    tickers = [m for m in read_capture(CAPTURE) if isinstance(m, Ticker)]
    tickers.sort(key=lambda ticker: ticker.update_id)
    place = compared = sizes = 0
    for _, book in book_states(CAPTURE, BTC):
        while place < len(tickers) and tickers[place].update_id <= book.update_id:
            place += 1
        if place == 0:
            continue
        ticker = tickers[place - 1]
        bid, ask = book.best_bid(), book.best_ask()

        assert BTC.ticks_to_price(bid) == Decimal(ticker.bid)
        assert BTC.ticks_to_price(ask) == Decimal(ticker.ask)
        if ticker.update_id == book.update_id:
            assert BTC.base_from_contracts(book.bids[bid]) == Decimal(ticker.bid_quantity)
            assert BTC.base_from_contracts(book.asks[ask]) == Decimal(ticker.ask_quantity)
            sizes += 1
        compared += 1
    assert compared == 6547
    assert sizes == 629


class Replay:
    """The recorded book on an exchange, with one trader beside it."""

    def __init__(self, step_us=1_000_000):
        self.index = L2Index(CAPTURE, BTC, step_us=step_us)
        self.clock = ManualClock(self.index.at)
        self.simulation = Simulation(Exchange(), self.clock)
        self.exchange = self.simulation.exchange
        self.simulation.apply(ListInstrument(BTC))
        for _ in range(2):
            account = self.simulation.apply(OpenAccount())[0].account
            self.simulation.apply(Deposit(account, Wallet.CONTRACT, 10**8 * MONEY_SCALE))
        repeater = BookRepeater(self.exchange, 1, self.index, levels=100)
        self.driver = MarketDriver(self.simulation, self.index, [repeater])
        self.driver.open()

    def step(self):
        self.clock.advance(microseconds=self.index.step_us)
        self.driver.step()

    def recorded_depth(self, levels):
        quotes = self.index.book.quotes(levels)
        return tuple(
            [(quote.price, quote.contracts) for quote in quotes if quote.side is side]
            for side in (Side.BUY, Side.SELL)
        )


@needs_capture
def test_the_exchange_shows_the_recorded_depth_at_every_step():
    replay = Replay()
    for _ in range(30):
        replay.step()

        assert replay.exchange.depth("BTCUSDT", 100) == replay.recorded_depth(100)
        replay.exchange.check()
    assert replay.driver.refusals == {}


@needs_capture
def test_a_market_order_pays_what_the_recorded_book_would_have_cost():
    replay = Replay()
    replay.step()
    asks = replay.recorded_depth(100)[1]
    contracts = sum(size for _, size in asks[:5]) + asks[5][1] // 2
    cost = sum(price * size for price, size in asks[:5]) + asks[5][0] * (asks[5][1] // 2)

    events = replay.simulation.apply(
        PlaceOrder(2, "BTCUSDT", Side.BUY, contracts, OrderKind.MARKET)
    )

    fills = [event for event in events if isinstance(event, Filled) and event.account == 2]
    assert sum(fill.price * fill.contracts for fill in fills) == cost
    assert len({fill.price for fill in fills}) == 6
    replay.step()
    assert replay.exchange.depth("BTCUSDT", 100) == replay.recorded_depth(100)


@needs_capture
@pytest.mark.slow
def test_the_record_ends_where_it_ends():
    index = L2Index(CAPTURE, BTC, step_us=10_000_000)
    with pytest.raises(EndOfRecord):
        collections.deque(iter(index.step, None), maxlen=0)

    assert 30 < index.step_number < 40  # 345 seconds


def change(first, last, previous, **levels):
    return DepthChange(0, first, last, previous, levels.get("bids", ()), levels.get("asks", ()))


def test_a_missing_change_is_noticed():
    book = RecordedBook(BTC)
    book.take_snapshot(Snapshot(10, (("100.0", "1.000"),), (("101.0", "1.000"),)))

    assert not book.change(change(5, 8, 4))  # older than the snapshot
    assert book.change(change(9, 12, 8, bids=(("100.0", "0.000"), ("99.0", "2.000"))))
    assert book.best_bid() == 990
    with pytest.raises(CaptureError, match="changes are missing between update 12 and 20"):
        book.change(change(20, 21, 19))


def test_a_capture_that_is_none_is_refused_with_its_line(tmp_path):
    torn = tmp_path / "torn.gz"
    torn.write_bytes(CAPTURE.read_bytes()[:5000] if CAPTURE.exists() else b"\x1f\x8b\x08")
    with pytest.raises(CaptureError, match="cannot be read after line"):
        list(read_capture(torn))

    text = tmp_path / "text"
    text.write_text('1 {"stream":"x","data":{"e":"trade"}}\n')
    with pytest.raises(CaptureError, match="line 1: Object missing required field"):
        list(read_capture(text))

    empty = tmp_path / "empty"
    empty.write_text("")
    with pytest.raises(CaptureError, match="no snapshot that a change follows"):
        L2Index(empty, BTC, step_us=1000)
