"""The section ``market``: prices that move for some instruments, and makers who quote round them.

Prices come from a seeded walk (``start``), from recorded candles (``candles``) or from recorded
trades (``trades``); all instruments of a section from the same kind.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from simexchange.core.instrument import Instrument
from simexchange.core.types import HOUR_US, SECOND_US
from simexchange.market.candles import (
    CandleIndex,
    CandlesError,
    RecordedCandle,
    day_us,
    read_candles,
)
from simexchange.market.l2 import CaptureError
from simexchange.market.ladder import LadderShape
from simexchange.market.synthetic import IndexShape
from simexchange.market.tape import RecordedTrade, read_trades
from simexchange.scenario.amounts import (
    contracts_of,
    duration_us,
    money_of,
    price_of,
    rate_of,
    whole_of,
)
from simexchange.scenario.document import Value
from simexchange.scenario.fields import Fields, converted
from simexchange.scenario.model import CandleMarket, MovingMarket, SyntheticMarket, TapeMarket
from simexchange.scenario.problem import refuse
from simexchange.scenario.reading import Reading

_T = TypeVar("_T")

_LADDER = {
    "levels": ("levels", contracts_of),
    "half_spread": ("half_spread", rate_of),
    "reach": ("reach", rate_of),
    "size": ("size", money_of),
    "inventory_limit": ("inventory_limit", money_of),
}
_KINDS = ("start", "candles", "trades")
_WALK_WORDS = ("volatility", "jump", "jumps_per_million")
_DAY_US = 24 * HOUR_US


def market_section(reading: Reading, value: Value, seed: int) -> MovingMarket:
    """Read ``market``; files that it names stand beside the file it is in."""
    fields = Fields(
        value, "market", optional=("seed", "step", "maker", "taker", "day", "instruments")
    )
    if "instruments" not in fields:
        raise refuse(fields.place, "market needs instruments, each with its start price")
    step_us = _step_us(fields)
    own = [
        (instrument, _instrument_fields(instrument, detail))
        for instrument, detail in reading.by_symbol(fields.value("instruments"), "instruments")
    ]
    if not own:
        raise refuse(fields.place, "market names no instrument")
    kinds = {_kind(each) for _, each in own}
    if len(kinds) > 1:
        raise refuse(
            fields.place,
            f"the prices of a market are all of one kind, not {' and '.join(sorted(kinds))}",
        )
    kind = kinds.pop()
    for word, needed in (("day", "candles"), ("taker", "trades")):
        if word in fields and kind != needed:
            raise refuse(fields.place_of(word), f"{word} goes with {needed}")
    reading.market_symbols.extend(instrument.symbol for instrument, _ in own)
    makers: dict[str, Callable[[], MovingMarket]] = {
        "start": lambda: _synthetic(reading, fields, own, _seed(fields, seed), step_us),
        "candles": lambda: _candles(reading, fields, own, _seed(fields, seed)),
        "trades": lambda: _tape(reading, fields, own, step_us),
    }
    return makers[kind]()


def _instrument_fields(instrument: Instrument, value: Value) -> Fields:
    return Fields(
        value, f"market of {instrument.symbol}", optional=(*_KINDS, *_WALK_WORDS, "quotes")
    )


def _kind(fields: Fields) -> str:
    given = [kind for kind in _KINDS if kind in fields]
    if len(given) != 1:
        raise refuse(fields.place, f"{fields.what} needs start, or candles, or trades")
    strange = [word for word in _WALK_WORDS if word in fields]
    if given[0] != "start" and strange:
        raise refuse(fields.place_of(strange[0]), f"{strange[0]} goes with start")
    if given[0] == "trades" and "quotes" in fields:
        raise refuse(fields.place_of("quotes"), "a tape brings its own offers; leave quotes out")
    return given[0]


# --------------------------------------------------------------------------- a seeded walk


def _synthetic(
    reading: Reading,
    fields: Fields,
    own: list[tuple[Instrument, Fields]],
    seed: int,
    step_us: int,
) -> SyntheticMarket:
    ladders, maker = _quotes(reading, fields, own)
    return SyntheticMarket(
        place=fields.place,
        shapes=tuple(_shape(instrument, each) for instrument, each in own),
        ladders=ladders,
        maker=maker,
        seed=seed,
        step_us=step_us,
    )


def _shape(instrument: Instrument, fields: Fields) -> IndexShape:
    defaults = IndexShape(symbol=instrument.symbol, start=1)
    return IndexShape(
        symbol=instrument.symbol,
        start=converted(fields.text("start"), lambda text: price_of(text, instrument, "start")),
        volatility=fields.get("volatility", rate_of, defaults.volatility),
        jump=fields.get("jump", rate_of, defaults.jump),
        jumps_per_million=fields.get(
            "jumps_per_million",
            lambda text: whole_of(text, "jumps_per_million"),
            defaults.jumps_per_million,
        ),
    )


# --------------------------------------------------------------------------- records


def _candles(
    reading: Reading, fields: Fields, own: list[tuple[Instrument, Fields]], seed: int
) -> CandleMarket:
    if "step" in fields:
        raise refuse(fields.place_of("step"), "the candles say how long a step is")
    since = fields.maybe("day", day_us)
    ladders, maker = _quotes(reading, fields, own)
    candles: dict[str, tuple[RecordedCandle, ...]] = {
        instrument.symbol: _read(
            each, "candles", lambda path, on=instrument: read_candles(path, on)
        )
        for instrument, each in own
    }
    until = None if since is None else since + _DAY_US
    try:
        CandleIndex(candles, since=since, until=until)
    except CandlesError as error:
        raise refuse(fields.place, str(error)) from error
    return CandleMarket(
        place=fields.place,
        candles=candles,
        since=since,
        until=until,
        ladders=ladders,
        maker=maker,
        seed=seed,
    )


def _tape(
    reading: Reading, fields: Fields, own: list[tuple[Instrument, Fields]], step_us: int
) -> TapeMarket:
    if "maker" not in fields or "taker" not in fields:
        raise refuse(fields.place, "trades need a maker, who offers them, and a taker")
    maker, taker = reading.account(fields, "maker"), reading.account(fields, "taker")
    if maker == taker:
        raise refuse(fields.place_of("taker"), "maker and taker are two accounts")
    trades: dict[str, tuple[RecordedTrade, ...]] = {
        instrument.symbol: _read(each, "trades", lambda path, on=instrument: read_trades(path, on))
        for instrument, each in own
    }
    return TapeMarket(place=fields.place, trades=trades, maker=maker, taker=taker, step_us=step_us)


def _read(fields: Fields, word: str, read: Callable[[Path], _T]) -> _T:
    text = fields.text(word)
    path = Path(text.place.file).parent / text.text
    if not path.is_file():
        raise refuse(text.place, f"there is no file {path}")
    try:
        return read(path)
    except (CandlesError, CaptureError) as error:
        raise refuse(text.place, str(error)) from error


# --------------------------------------------------------------------------- what all may say


def _seed(fields: Fields, seed: int) -> int:
    return fields.get("seed", lambda text: whole_of(text, "seed"), seed)


def _step_us(fields: Fields) -> int:
    step_us = fields.get("step", duration_us, SECOND_US)
    if step_us == 0:
        raise refuse(fields.place, "step must be longer than nothing")
    return step_us


def _quotes(
    reading: Reading, fields: Fields, own: list[tuple[Instrument, Fields]]
) -> tuple[dict[str, LadderShape], int | None]:
    ladders = {
        instrument.symbol: _ladder(each.value("quotes"))
        for instrument, each in own
        if "quotes" in each
    }
    if ladders and "maker" not in fields:
        raise refuse(fields.place, "a quoted ladder needs maker, the account that quotes it")
    return ladders, reading.account(fields, "maker") if "maker" in fields else None


def _ladder(value: Value) -> LadderShape:
    fields = Fields(value, "quotes", optional=_LADDER)
    given = {
        name: converted(fields.text(word), conversion)
        for word, (name, conversion) in _LADDER.items()
        if word in fields
    }
    try:
        return LadderShape(**given)
    except ValueError as error:
        raise refuse(fields.place, str(error)) from error
