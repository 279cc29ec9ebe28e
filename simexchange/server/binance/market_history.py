"""Public questions of the past: candles, trades, funding rates."""

from collections.abc import Callable

from simexchange.core.types import HOUR_US, RATE_SCALE
from simexchange.server.amounts import Grid, money_text, rate_text
from simexchange.server.binance import errors
from simexchange.server.binance.call import KEYED, Call, Endpoint, by_limit
from simexchange.server.binance.errors import WireError
from simexchange.server.binance.market import Row, ms
from simexchange.server.binance.parameters import Params, at_most, between_us, invalid
from simexchange.server.records.tape import DAY_US, MINUTE_US, Bar, PublicTrade, joined

INTERVALS = {
    "1m": 1,
    "3m": 3,
    "5m": 5,
    "15m": 15,
    "30m": 30,
    "1h": 60,
    "2h": 120,
    "4h": 240,
    "6h": 360,
    "8h": 480,
    "12h": 720,
    "1d": 1440,
    "3d": 4320,
    "1w": 10080,
}
PERIODS = ("5m", "15m", "30m", "1h", "2h", "4h", "6h", "12h", "1d")
_MONDAY_US = 4 * DAY_US  # the epoch began on a Thursday
_CANDLES_MOST, _ROWS_MOST = 1_500, 1_000
_CANDLE_WEIGHT = by_limit(500, ((100, 1), (500, 2), (1_001, 5)), 10)


# ---------------------------------------------------------------------------- candles


class Candles(Params, frozen=True):
    symbol: str
    interval: str
    start_time: int | None = None
    end_time: int | None = None
    limit: int = 500


class PairCandles(Params, frozen=True):
    pair: str
    interval: str
    contract_type: str = "PERPETUAL"
    start_time: int | None = None
    end_time: int | None = None
    limit: int = 500


def candles(call: Call, params: Candles) -> object:
    grid = call.grid(params.symbol)
    return _candle_rows(params, grid, list(call.venue.tape.of(params.symbol).bars))


def continuous_candles(call: Call, params: PairCandles) -> object:
    """Return the candles of a pair's perpetual; other contracts of a pair have none."""
    grid = call.grid(params.pair)
    is_perpetual = params.contract_type == "PERPETUAL"
    bars = list(call.venue.tape.of(params.pair).bars) if is_perpetual else []
    return _candle_rows(params, grid, bars)


def mark_candles(call: Call, params: Candles) -> object:
    grid = call.grid(params.symbol)
    return _candle_rows(params, grid, list(call.venue.tape.of(params.symbol).mark_bars))


def index_candles(call: Call, params: PairCandles) -> object:
    grid = call.grid(params.pair)
    return _candle_rows(params, grid, list(call.venue.tape.of(params.pair).index_bars))


def premium_candles(call: Call, params: Candles) -> object:
    """Return candles of how far the book is above the index, as a rate with eight decimals."""
    grid = call.grid(params.symbol)
    return _candle_rows(
        params, grid, list(call.venue.tape.of(params.symbol).premium_bars), _premium_text
    )


def _premium_text(rate: int) -> str:
    sign = "-" if rate < 0 else ""
    return f"{sign}{abs(rate) // RATE_SCALE}.{abs(rate) % RATE_SCALE:08d}"


def candle_bars(minutes: list[Bar], interval: str) -> list[Bar]:
    """Return minutes as candles of an interval, oldest first; weeks begin on Monday."""
    length = INTERVALS[interval] * MINUTE_US
    return joined(minutes, length, _MONDAY_US if interval == "1w" else 0)


def _candle_rows(
    params: Candles | PairCandles,
    grid: Grid,
    minutes: list[Bar],
    price: Callable[[int], str] | None = None,
) -> list[list[object]]:
    """Return the candles asked for, oldest first; ``price`` writes what they are made of."""
    write = price or grid.price
    if params.interval not in INTERVALS:
        raise WireError(errors.BAD_INTERVAL)
    limit = at_most(params.limit, _CANDLES_MOST)
    start, end = between_us(params.start_time, params.end_time)
    bars = [bar for bar in candle_bars(minutes, params.interval) if start <= bar.start_at <= end]
    chosen = bars[:limit] if params.start_time is not None else bars[-limit:]
    length = INTERVALS[params.interval] * MINUTE_US
    return [
        [
            ms(bar.start_at),
            *(write(each) for each in (bar.open, bar.high, bar.low, bar.close)),
            grid.whole_quantity(bar.contracts) if bar.trades else "0",
            ms(bar.start_at + length) - 1,
            money_text(grid.value(bar.ticks)),
            bar.trades,
            grid.whole_quantity(bar.bought) if bar.trades else "0",
            money_text(grid.value(bar.bought_ticks)),
            "0",
        ]
        for bar in chosen
    ]


# ---------------------------------------------------------------------------- trades


class Trades(Params, frozen=True):
    symbol: str
    limit: int = 500


class OldTrades(Trades, frozen=True):
    from_id: int | None = None


class AggregateTrades(OldTrades, frozen=True):
    start_time: int | None = None
    end_time: int | None = None


def trades(call: Call, params: Trades) -> object:
    grid, limit = call.grid(params.symbol), at_most(params.limit, _ROWS_MOST)
    kept = list(call.venue.tape.of(params.symbol).trades)[-limit:]
    return [_trade_row(trade, grid) for trade in kept]


def old_trades(call: Call, params: OldTrades) -> object:
    """Return trades from a number on, or the latest."""
    grid, limit = call.grid(params.symbol), at_most(params.limit, _ROWS_MOST)
    kept = list(call.venue.tape.of(params.symbol).trades)
    if params.from_id is None:
        chosen = kept[-limit:]
    else:
        chosen = [trade for trade in kept if trade.trade_id >= params.from_id][:limit]
    return [_trade_row(trade, grid) for trade in chosen]


def _trade_row(trade: PublicTrade, grid: Grid) -> Row:
    return {
        "id": trade.trade_id,
        "price": grid.price(trade.price),
        "qty": grid.whole_quantity(trade.contracts),
        "quoteQty": money_text(grid.value(trade.price * trade.contracts)),
        "time": ms(trade.at),
        "isBuyerMaker": trade.side < 0,
        "isRPITrade": False,
    }


def aggregate_trades(call: Call, params: AggregateTrades) -> object:
    """Return trades from a number on, of a time, or the latest; each is its own aggregate."""
    grid, limit = call.grid(params.symbol), at_most(params.limit, _ROWS_MOST)
    start, end = between_us(params.start_time, params.end_time)
    is_span = params.start_time is not None and params.end_time is not None
    if params.from_id is not None and is_span:
        raise WireError(errors.BAD_COMBINATION)
    if is_span and end - start > HOUR_US + 999:
        raise WireError(errors.Code(-1127, "More than 1 hours between startTime and endTime."))
    found = [
        trade
        for trade in call.venue.tape.of(params.symbol).trades
        if start <= trade.at <= end and trade.trade_id >= (params.from_id or 0)
    ]
    is_forward = params.from_id is not None or params.start_time is not None
    chosen = found[:limit] if is_forward else found[-limit:]
    return [aggregate_row(trade, grid) for trade in chosen]


def aggregate_row(trade: PublicTrade, grid: Grid) -> Row:
    return {
        "a": trade.trade_id,
        "p": grid.price(trade.price),
        "q": grid.whole_quantity(trade.contracts),
        "nq": grid.whole_quantity(trade.contracts),
        "f": trade.trade_id,
        "l": trade.trade_id,
        "T": ms(trade.at),
        "m": trade.side < 0,
    }


# ---------------------------------------------------------------------------- statistics


class InterestQuery(Params, frozen=True):
    symbol: str
    period: str
    start_time: int | None = None
    end_time: int | None = None
    limit: int = 30


def open_interests(call: Call, params: InterestQuery) -> object:
    """Return the open interest at the last trade of each period, oldest first."""
    grid, limit = call.grid(params.symbol), at_most(params.limit, 500)
    if params.period not in PERIODS:
        raise invalid("period")
    start, end = between_us(params.start_time, params.end_time)
    bars = candle_bars(list(call.venue.tape.of(params.symbol).bars), params.period)
    found = [bar for bar in bars if start <= bar.start_at <= end]
    chosen = found[:limit] if params.start_time is not None else found[-limit:]
    return [
        {
            "symbol": params.symbol,
            "sumOpenInterest": grid.whole_quantity(bar.open_interest),
            "sumOpenInterestValue": money_text(grid.value(bar.open_interest * bar.close)),
            "timestamp": ms(bar.start_at),
        }
        for bar in chosen
    ]


# ---------------------------------------------------------------------------- funding


class Between(Params, frozen=True):
    symbol: str | None = None
    start_time: int | None = None
    end_time: int | None = None
    limit: int = 100


def funding_rates(call: Call, params: Between) -> object:
    limit = at_most(params.limit, _ROWS_MOST)
    start, end = between_us(params.start_time, params.end_time)
    events = [
        event
        for grid in call.grids(params.symbol)
        for event in call.venue.tape.of(grid.instrument.symbol).fundings
        if start <= event.at <= end
    ]
    events.sort(key=lambda event: event.at)
    chosen = events[:limit] if params.start_time is not None else events[-limit:]
    return [
        {
            "symbol": event.symbol,
            "fundingTime": ms(event.at),
            "fundingRate": rate_text(event.rate),
            "markPrice": call.grid(event.symbol).price(event.mark),
        }
        for event in chosen
    ]


ENDPOINTS = (
    Endpoint("GET", "/fapi/v1/klines", Candles, candles, weight=_CANDLE_WEIGHT),
    Endpoint(
        "GET", "/fapi/v1/continuousKlines", PairCandles, continuous_candles, weight=_CANDLE_WEIGHT
    ),
    Endpoint("GET", "/fapi/v1/markPriceKlines", Candles, mark_candles, weight=_CANDLE_WEIGHT),
    Endpoint("GET", "/fapi/v1/indexPriceKlines", PairCandles, index_candles, weight=_CANDLE_WEIGHT),
    Endpoint("GET", "/fapi/v1/premiumIndexKlines", Candles, premium_candles, weight=_CANDLE_WEIGHT),
    Endpoint("GET", "/fapi/v1/trades", Trades, trades, weight=5),
    Endpoint("GET", "/fapi/v1/historicalTrades", OldTrades, old_trades, KEYED, weight=20),
    Endpoint("GET", "/fapi/v1/aggTrades", AggregateTrades, aggregate_trades, weight=20),
    Endpoint("GET", "/futures/data/openInterestHist", InterestQuery, open_interests, weight=0),
    Endpoint("GET", "/fapi/v1/fundingRate", Between, funding_rates, weight=0),
)
