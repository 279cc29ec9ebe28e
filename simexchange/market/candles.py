"""Recorded candles as an index: every candle is walked through its four prices.

A candle that rose is walked open, low, high, close; one that fell open, high, low, close. That is
the usual guess for what a candle does not say, and it touches every recorded extreme.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec

from simexchange.core.instrument import Instrument
from simexchange.core.types import SECOND_US
from simexchange.market.driver import EndOfRecord
from simexchange.market.fills import decimals_of

POINTS_PER_CANDLE = 4
COLUMNS = ("date", "open", "high", "low", "close", "volume")


class CandlesError(ValueError):
    """Recorded candles cannot be used; the message says what to change."""


class RecordedCandle(msgspec.Struct, frozen=True):
    """One candle: `start_at` in microseconds since the epoch, prices in ticks."""

    start_at: int
    open: int
    high: int
    low: int
    close: int

    @property
    def points(self) -> tuple[int, int, int, int]:
        """The four prices in the order in which they are walked."""
        if self.close >= self.open:
            return self.open, self.low, self.high, self.close
        return self.open, self.high, self.low, self.close


def read_candles(path: Path | str, instrument: Instrument) -> tuple[RecordedCandle, ...]:
    """Return the candles of a feather file (freqtrade's format) in the order of time.

    The file's prices are binary floats; each is read as the shortest decimal that means the same
    float, then taken to the nearest tick, half away from zero. Raises CandlesError for a file that
    is no such record, and where pyarrow, which reads it, is not installed.
    """
    path = Path(path)
    table = _table(path)
    missing = [column for column in COLUMNS if column not in table]
    if missing:
        raise CandlesError(f"{path} has no column {', '.join(missing)}")
    candles = tuple(_candle(path, row, instrument) for row in zip(*table.values(), strict=True))
    if not candles:
        raise CandlesError(f"{path} has no candle")
    for before, after in pairwise(candles):
        if after.start_at <= before.start_at:
            raise CandlesError(f"{path}: the candle after {moment(before.start_at)} is not later")
    return candles


def finest_tick(path: Path | str) -> Decimal:
    """Return the largest power of ten, at most 1, of which every price in the file is a multiple.

    Raises CandlesError as `read_candles` does.
    """
    table = _table(Path(path))
    prices = [
        price for column in ("open", "high", "low", "close") for price in table.get(column, [])
    ]
    places = max((decimals_of(Decimal(repr(price))) for price in prices), default=0)
    return Decimal(1).scaleb(-places)


def _table(path: Path) -> dict[str, list[Any]]:
    """Return the wanted columns; the library is optional, and it ships no types."""
    try:
        feather: Any = import_module("pyarrow.feather")
        arrow: Any = import_module("pyarrow")
    except ModuleNotFoundError as error:
        raise CandlesError(
            "reading recorded candles needs pyarrow; install it with `pip install pyarrow`"
        ) from error
    try:
        table: Any = feather.read_table(path)
        names = [name for name in COLUMNS if name in table.column_names]
        columns: dict[str, list[Any]] = {}
        for name in names:
            column = table[name]
            if name == "date":
                column = column.cast(arrow.timestamp("us", tz="UTC")).cast(arrow.int64())
            columns[name] = column.to_pylist()
    except (OSError, arrow.ArrowException) as error:
        raise CandlesError(f"{path} cannot be read as a feather file: {error}") from error
    return columns


def _candle(path: Path, row: tuple[Any, ...], instrument: Instrument) -> RecordedCandle:
    start_at, *prices, _ = row
    ticks = [_ticks(price, instrument) for price in prices]
    candle = RecordedCandle(start_at, *ticks)
    if not 0 < candle.low <= min(candle.open, candle.close):
        raise CandlesError(
            f"{path}: the low of {moment(start_at)} is not the lowest, or not above 0"
        )
    if candle.high < max(candle.open, candle.close):
        raise CandlesError(f"{path}: the high of {moment(start_at)} is not the highest")
    return candle


def _ticks(price: float, instrument: Instrument) -> int:
    number = Decimal(repr(price))
    return int((number * 2 + instrument.tick_size) // (instrument.tick_size * 2))


class CandleIndex:
    """Index prices from recorded candles of one or more instruments; a source for MarketDriver.

    Instruments walk together: the run has the candles that all of them have. One candle is four
    steps. A gap in the record is walked over at once, and `at` says where the record stands.
    """

    def __init__(
        self,
        candles: Mapping[str, Sequence[RecordedCandle]],
        *,
        since: int | None = None,
        until: int | None = None,
    ) -> None:
        """Take the candles from `since` up to but not including `until` (microseconds)."""
        by_time = {
            symbol: {
                candle.start_at: candle
                for candle in series
                if (since is None or candle.start_at >= since)
                and (until is None or candle.start_at < until)
            }
            for symbol, series in candles.items()
        }
        assert by_time, "an index needs an instrument"
        first, *others = by_time.values()
        self._times = [at for at in sorted(first) if all(at in other for other in others)]
        if not self._times:
            raise CandlesError("the instruments have no candle in common in the time asked for")
        self._by_time = by_time
        self.interval_us = min(
            (
                after - before
                for series in by_time.values()
                for before, after in pairwise(sorted(series))
            ),
            default=60 * SECOND_US,
        )
        self.step_us = self.interval_us // POINTS_PER_CANDLE
        self.step_number = 0
        self.prices: Mapping[str, int] = {
            symbol: series[self._times[0]].open for symbol, series in by_time.items()
        }

    @property
    def steps(self) -> int:
        """How many steps the record has in all."""
        return len(self._times) * POINTS_PER_CANDLE

    @property
    def at(self) -> int:
        """The record's time of the next step, in microseconds since the epoch."""
        place, point = divmod(min(self.step_number, self.steps - 1), POINTS_PER_CANDLE)
        return self._times[place] + point * self.step_us

    def walked(self, symbol: str) -> list[RecordedCandle]:
        """Return the candles of one instrument that the run goes through, in order."""
        return [self._by_time[symbol][at] for at in self._times]

    def step(self) -> Mapping[str, int]:
        """Move on by a quarter of a candle; raise EndOfRecord after the last."""
        if self.step_number >= self.steps:
            raise EndOfRecord
        place, point = divmod(self.step_number, POINTS_PER_CANDLE)
        start_at = self._times[place]
        self.prices = {
            symbol: series[start_at].points[point] for symbol, series in self._by_time.items()
        }
        self.step_number += 1
        return self.prices


def day_us(text: str) -> int:
    """Return the start of a UTC day written as 2025-05-08, in microseconds since the epoch."""
    try:
        day = datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError as error:
        raise CandlesError(f"{text!r} is not a day; write it as 2025-05-08") from error
    return int(day.timestamp()) * SECOND_US


def moment(at: int) -> str:
    """Return a time in UTC to the minute, as `2025-05-08 13:05`."""
    return datetime.fromtimestamp(at // SECOND_US, UTC).strftime("%Y-%m-%d %H:%M")
