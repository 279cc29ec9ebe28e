"""Public questions beside prices: open interest over time, and whether the venue is open."""

from simexchange.core.types import HOUR_US
from simexchange.server.bybit import errors
from simexchange.server.bybit.call import Call, Endpoint, require_linear
from simexchange.server.bybit.errors import WireError
from simexchange.server.bybit.paging import ms, page
from simexchange.server.bybit.parameters import Category, Nothing, Params, Text, Whole
from simexchange.server.records.tape import DAY_US, MINUTE_US, joined

_INTERVALS = {
    "5min": 5 * MINUTE_US,
    "15min": 15 * MINUTE_US,
    "30min": 30 * MINUTE_US,
    "1h": HOUR_US,
    "4h": 4 * HOUR_US,
    "1d": DAY_US,
}
_ROWS, _ROWS_MOST = 50, 200


class OpenInterest(Params, frozen=True):
    category: Category
    symbol: str
    interval_time: str
    start_time: Whole = None
    end_time: Whole = None
    limit: Whole = None
    cursor: Text = None


def open_interest(call: Call, params: OpenInterest) -> object:
    """Return the open interest at the last trade of each interval, newest first."""
    require_linear(params.category)
    grid = call.grid(params.symbol)
    interval = _INTERVALS.get(params.interval_time)
    if interval is None:
        raise WireError(errors.PARAMETER, f"Invalid period: {params.interval_time}")
    start = -1 if params.start_time is None else params.start_time * 1_000
    end = 2**62 if params.end_time is None else params.end_time * 1_000
    bars = joined(call.venue.tape.of(params.symbol).bars, interval)
    found = (bar for bar in reversed(bars) if start <= bar.start_at <= end)
    limit = min(params.limit or _ROWS, _ROWS_MOST)
    chosen, cursor = page(found, lambda bar: bar.start_at, params.cursor, limit)
    rows = [
        {"openInterest": grid.quantity(bar.open_interest), "timestamp": ms(bar.start_at)}
        for bar in chosen
    ]
    return {
        "symbol": params.symbol,
        "category": params.category,
        "list": rows,
        "nextPageCursor": cursor,
    }


class Maintenance(Nothing, frozen=True):
    id: Text = None
    state: Text = None


def system_status(_: Call, __: Maintenance) -> object:
    """Return the maintenance that is planned: none."""
    return {"list": []}


ENDPOINTS = (
    Endpoint("GET", "/v5/market/open-interest", OpenInterest, open_interest),
    Endpoint("GET", "/v5/system/status", Maintenance, system_status),
)
