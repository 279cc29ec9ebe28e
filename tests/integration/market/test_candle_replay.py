"""Recorded candles as an index: the violent days, and what cannot be read."""

import sys
from decimal import Decimal
from pathlib import Path

import pytest

from simexchange.clock import ManualClock
from simexchange.core.commands import Deposit, ListInstrument, OpenAccount
from simexchange.core.exchange import Exchange
from simexchange.core.instrument import Instrument
from simexchange.core.types import MONEY_SCALE, AccountKind, Wallet
from simexchange.market.candles import (
    CandleIndex,
    CandlesError,
    RecordedCandle,
    day_us,
    finest_tick,
    read_candles,
)
from simexchange.market.driver import EndOfRecord, MarketDriver
from simexchange.market.ladder import LadderShape
from simexchange.market.maker import MarketMaker
from simexchange.simulation import Simulation

KLINES = Path(__file__).parents[4] / "shared/data/klines"
needs_klines = pytest.mark.skipif(not KLINES.exists(), reason=f"no recorded candles at {KLINES}")
MINUTE_US = 60_000_000
DAY_US = 24 * 60 * MINUTE_US
BTC = Instrument(
    symbol="BTCUSDT", base="BTC", tick_size=Decimal("0.1"), contract_size=Decimal("0.001")
)
ETH = Instrument(
    symbol="ETHUSDT", base="ETH", tick_size=Decimal("0.01"), contract_size=Decimal("0.01")
)


def candle(start_at, *prices):
    return RecordedCandle(start_at, *prices)


@pytest.mark.parametrize(
    ("prices", "points"),
    [
        ((10, 15, 5, 12), (10, 5, 15, 12)),
        ((12, 15, 5, 10), (12, 15, 5, 10)),
        ((7, 7, 7, 7), (7,) * 4),
    ],
)
def test_a_candle_is_walked_through_its_extremes(prices, points):
    assert candle(0, *prices).points == points


def test_instruments_walk_their_common_candles_together():
    index = CandleIndex(
        {
            "A": [candle(m * MINUTE_US, 10, 12, 9, 11) for m in (0, 1, 3)],
            "B": [candle(m * MINUTE_US, 20, 22, 19, 21) for m in (1, 2, 3)],
        }
    )
    walked = [(index.at, *index.step().values()) for _ in range(index.steps)]

    assert [row[0] // 1_000_000 for row in walked] == [60, 75, 90, 105, 180, 195, 210, 225]
    assert walked[0][1:] == (10, 20)
    assert walked[7][1:] == (11, 21)
    with pytest.raises(EndOfRecord):
        index.step()


def test_no_common_candle_is_refused():
    with pytest.raises(CandlesError, match="no candle in common"):
        CandleIndex({"A": [candle(0, 1, 1, 1, 1)], "B": [candle(60, 1, 1, 1, 1)]})


@needs_klines
@pytest.mark.parametrize(
    ("file", "instrument", "day", "move_percent"),
    [
        ("ETH_USDT_USDT-1m-futures.feather", ETH, "2025-05-08", 22),
        ("BTC_USDT_USDT-5m-futures.feather", BTC, "2025-04-09", 12),
    ],
)
def test_a_violent_day_is_walked_to_its_extremes(file, instrument, day, move_percent):
    candles = read_candles(KLINES / file, instrument)
    since = day_us(day)
    of_day = [c for c in candles if since <= c.start_at < since + DAY_US]
    index = CandleIndex({instrument.symbol: candles}, since=since, until=since + DAY_US)
    prices = [index.step()[instrument.symbol] for _ in range(index.steps)]

    assert (min(prices), max(prices)) == (min(c.low for c in of_day), max(c.high for c in of_day))
    assert prices[0] == of_day[0].open
    assert prices[-1] == of_day[-1].close
    assert 100 * (max(prices) - min(prices)) // min(prices) >= move_percent - 1
    with pytest.raises(EndOfRecord):
        index.step()


@needs_klines
def test_makers_quote_through_the_worst_hours_and_the_ledger_balances():
    candles = read_candles(KLINES / "BTC_USDT_USDT-5m-futures.feather", BTC)
    since = day_us("2025-04-09")
    index = CandleIndex({"BTCUSDT": candles}, since=since, until=since + DAY_US)
    clock = ManualClock(since)
    simulation = Simulation(Exchange(), clock)
    simulation.apply(ListInstrument(BTC))
    simulation.apply(OpenAccount(kind=AccountKind.MAKER))
    simulation.apply(Deposit(1, Wallet.CONTRACT, 10**8 * MONEY_SCALE))
    maker = MarketMaker(simulation.exchange, 1, {"BTCUSDT": LadderShape()}, seed=1)
    driver = MarketDriver(simulation, index, [maker])
    for _ in range(index.steps):
        clock.advance(microseconds=index.step_us)
        driver.step()

        bid = simulation.exchange.best_bid("BTCUSDT")
        ask = simulation.exchange.best_ask("BTCUSDT")
        assert bid < index.prices["BTCUSDT"] < ask
    simulation.exchange.check()


@needs_klines
def test_prices_are_read_to_the_tick():
    first = read_candles(KLINES / "ETH_USDT_USDT-1m-futures.feather", ETH)[0]

    assert (first.open, first.high, first.low, first.close) == (182729, 182768, 182727, 182753)


@pytest.mark.parametrize("text", ["08.05.2025", "2025-13-01", "yesterday"])
def test_a_day_that_is_none_is_refused(text):
    with pytest.raises(CandlesError, match="is not a day; write it as 2025-05-08"):
        day_us(text)


def test_a_file_that_is_no_feather_file_is_refused(tmp_path):
    path = tmp_path / "candles.feather"
    path.write_text("open,high,low,close")

    with pytest.raises(CandlesError, match="cannot be read as a feather file"):
        read_candles(path, BTC)


def test_without_pyarrow_a_sentence_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow.feather", None)

    with pytest.raises(CandlesError, match="needs pyarrow; install it with `pip install pyarrow`"):
        read_candles(tmp_path / "candles.feather", BTC)


@pytest.fixture
def feather(tmp_path):
    """Write candles as (minute, open, high, low, close) into a feather file."""
    arrow = pytest.importorskip("pyarrow", reason="pyarrow reads and writes recorded candles")
    from pyarrow import feather as files  # noqa: PLC0415 - optional

    def write(*rows, without=None):
        columns = {
            "date": arrow.array([row[0] * MINUTE_US for row in rows], arrow.timestamp("us", "UTC")),
            **{
                name: arrow.array([row[place] for row in rows], arrow.float64())
                for place, name in enumerate(("open", "high", "low", "close"), start=1)
            },
            "volume": arrow.array([0.0] * len(rows), arrow.float64()),
        }
        columns.pop(without, None)
        path = tmp_path / "made.feather"
        files.write_feather(arrow.table(columns), path)
        return path

    return write


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        ([], "has no candle"),
        ([(1, 10, 12, 11, 11)], "the low of 1970-01-01 00:01 is not the lowest"),
        ([(1, 10, 10, 0, 10)], "the low of 1970-01-01 00:01 is not the lowest, or not above 0"),
        ([(1, 10, 11, 9, 12)], "the high of 1970-01-01 00:01 is not the highest"),
        (
            [(2, 10, 12, 9, 11), (1, 10, 12, 9, 11)],
            "after 1970-01-01 00:02 is not later",
        ),
    ],
)
def test_candles_that_cannot_be_are_refused_with_their_time(feather, rows, sentence):
    with pytest.raises(CandlesError, match=sentence):
        read_candles(feather(*rows), BTC)


def test_a_missing_column_is_named(feather):
    with pytest.raises(CandlesError, match="has no column high"):
        read_candles(feather((1, 10, 12, 9, 11), without="high"), BTC)


def test_prices_off_the_tick_go_to_the_nearest_and_the_finest_tick_is_found(feather):
    path = feather((1, 10.04, 12.25, 9.06, 11.0))
    candle = read_candles(path, BTC)[0]

    assert (candle.open, candle.high, candle.low, candle.close) == (100, 123, 91, 110)
    assert finest_tick(path) == Decimal("0.01")
