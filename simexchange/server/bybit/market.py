"""Public questions: time, instruments, prices, book, candles, trades, funding."""

from collections.abc import Iterable
from typing import Literal

from simexchange.core.types import RATE_SCALE
from simexchange.server.amounts import Grid, money_text, rate_text
from simexchange.server.bybit import errors
from simexchange.server.bybit.account_rows import NO_LIMIT
from simexchange.server.bybit.call import Call, Endpoint
from simexchange.server.bybit.errors import WireError
from simexchange.server.bybit.order_rows import SIDES, Row
from simexchange.server.bybit.paging import DAY_US, limited, ms
from simexchange.server.bybit.parameters import Category, Nothing, Params, Text, Whole
from simexchange.server.bybit.ticker import ticker_row
from simexchange.server.records.tape import MINUTE_US, Bar, joined

_PRICES_MOST = 20_000_000  # ticks: the highest price that is said to be allowed
MONDAY_US = 4 * DAY_US  # the epoch was a Thursday
INTERVALS = {
    **{str(minutes): minutes * MINUTE_US for minutes in (1, 3, 5, 15, 30, 60, 120, 240, 360, 720)},
    "D": DAY_US,
    "W": 7 * DAY_US,
}


def time_of(call: Call, _: Nothing) -> object:
    now = call.venue.edge_now()
    return {"timeSecond": str(now // 1_000_000), "timeNano": str(now * 1_000)}


class Instruments(Params, frozen=True):
    category: Category
    symbol: Text = None
    symbol_type: Text = None
    status: Text = None
    base_coin: Text = None
    limit: Whole = None
    cursor: Text = None


def instruments(call: Call, params: Instruments) -> object:
    most = limited(params.limit, 500, 1000)
    rows: list[Row] = []
    is_open = params.status in (None, "Trading")
    if params.category == "linear" and is_open:
        if params.symbol:
            call.grid(params.symbol)
        for instrument in call.venue.exchange.instruments:
            wanted = params.symbol in (None, instrument.symbol)
            if wanted and params.base_coin in (None, instrument.base):
                rows.append(_instrument_row(call.grid(instrument.symbol)))
    start = _offset(params.cursor)
    following = "" if start + most >= len(rows) else f"page{start + most}"
    return {
        "category": params.category,
        "nextPageCursor": following,
        "list": rows[start : start + most],
    }


def _offset(cursor: str | None) -> int:
    if not cursor:
        return 0
    number = cursor.removeprefix("page")
    if not cursor.startswith("page") or not number.isdecimal():
        raise WireError(errors.PARAMETER, "params error: cursor invalid")
    return int(number)


def _instrument_row(grid: Grid) -> Row:
    instrument = grid.instrument
    funding = instrument.funding
    minutes = 480 if funding is None else funding.interval_us // MINUTE_US
    cap = rate_text(0 if funding is None else funding.cap)
    least, most = instrument.min_contracts, instrument.max_contracts
    return {
        "symbol": instrument.symbol,
        "symbolId": 0,
        "symbolType": "",
        "contractType": "LinearPerpetual",
        "status": "Trading",
        "baseCoin": instrument.base,
        "quoteCoin": instrument.quote,
        "settleCoin": instrument.settle,
        "launchTime": "1577836800000",
        "deliveryTime": "0",
        "deliveryFeeRate": "",
        "priceScale": str(grid.prices.places),
        "leverageFilter": {
            "minLeverage": "1",
            "maxLeverage": f"{instrument.max_leverage}.00",
            "leverageStep": "1",
        },
        "priceFilter": {
            "minPrice": grid.prices.text(1),
            "maxPrice": grid.prices.text(_PRICES_MOST),
            "tickSize": grid.prices.text(1),
        },
        "lotSizeFilter": {
            "minOrderQty": grid.quantities.text(least),
            "maxOrderQty": grid.quantities.text(most),
            "maxMktOrderQty": grid.quantities.text(min(most, instrument.max_market_contracts)),
            "qtyStep": grid.quantities.text(instrument.contracts_step),
            "postOnlyMaxOrderQty": grid.quantities.text(most),
            "minNotionalValue": money_text(instrument.min_notional),
        },
        "unifiedMarginTrade": True,
        "fundingInterval": minutes,
        "copyTrading": "both",
        "upperFundingRate": cap,
        "lowerFundingRate": f"-{cap}" if cap != "0" else cap,
        "isPreListing": False,
        "preListingInfo": None,
        "riskParameters": {
            "priceLimitRatioX": rate_text(instrument.price_band or RATE_SCALE),
            "priceLimitRatioY": rate_text(instrument.price_band or RATE_SCALE),
        },
        "displayName": "",
        "forbidUplWithdrawal": True,
        "skipCallAuction": False,
    }


class Tickers(Params, frozen=True):
    category: Category
    symbol: Text = None
    base_coin: Text = None
    exp_date: Text = None


def tickers(call: Call, params: Tickers) -> object:
    rows: list[Row] = []
    if params.category == "linear":
        if params.symbol:
            rows.append(ticker_row(call.venue, call.grid(params.symbol)))
        else:
            rows.extend(
                ticker_row(call.venue, call.grid(instrument.symbol))
                for instrument in call.venue.exchange.instruments
                if params.base_coin in (None, instrument.base)
            )
    return {"category": params.category, "list": rows}


class Book(Params, frozen=True):
    category: Category
    symbol: str
    limit: Whole = None


def book(call: Call, params: Book) -> object:
    _require_listed(params.category)
    grid = call.grid(params.symbol)
    levels = limited(params.limit, 25, 1000)
    bids, asks = call.venue.exchange.depth(params.symbol, levels)
    now_ms = call.venue.now() // 1_000
    sequence = call.venue.tape.of(params.symbol).book_version
    return {
        "s": params.symbol,
        "b": [[grid.price(price), grid.quantity(size)] for price, size in bids],
        "a": [[grid.price(price), grid.quantity(size)] for price, size in asks],
        "ts": now_ms,
        "u": sequence,
        "seq": sequence,
        "cts": now_ms,
    }


def _require_listed(category: str) -> None:
    if category != "linear":
        raise WireError(errors.PARAMETER, errors.SYMBOL_INVALID)


class FundingHistory(Params, frozen=True):
    category: Literal["linear", "inverse"]
    symbol: str
    start_time: Whole = None
    end_time: Whole = None
    limit: Whole = None


def funding_history(call: Call, params: FundingHistory) -> object:
    _require_listed(params.category)
    call.grid(params.symbol)
    if params.start_time is not None and params.end_time is None:
        raise WireError(errors.PARAMETER, "params error: startTime needs endTime")
    start = -1 if params.start_time is None else params.start_time * 1_000
    end = 2**62 if params.end_time is None else params.end_time * 1_000 + 999
    most = limited(params.limit, 200, 200)
    rows = [
        {
            "symbol": params.symbol,
            "fundingRate": rate_text(event.rate),
            "fundingRateTimestamp": ms(event.at),
        }
        for event in reversed(call.venue.tape.of(params.symbol).fundings)
        if start <= event.at <= end
    ]
    return {"category": params.category, "list": rows[:most]}


class RiskLimit(Params, frozen=True):
    category: Literal["linear", "inverse"]
    symbol: Text = None
    cursor: Text = None


def risk_limit(call: Call, params: RiskLimit) -> object:
    rows: list[Row] = []
    if params.category == "linear":
        symbols = [params.symbol] if params.symbol else _symbols(call)
        for symbol in symbols:
            rows.extend(_tier_rows(call.grid(symbol)))
    return {"category": params.category, "list": rows, "nextPageCursor": ""}


def _symbols(call: Call) -> list[str]:
    return [instrument.symbol for instrument in call.venue.exchange.instruments]


def _tier_rows(grid: Grid) -> list[Row]:
    tiers = grid.instrument.tiers
    ends = [tier.floor for tier in tiers[1:]] + [NO_LIMIT]
    return [
        {
            "id": number,
            "symbol": grid.instrument.symbol,
            "riskLimitValue": money_text(end),
            "maintenanceMargin": rate_text(tier.maintenance_rate),
            "initialMargin": rate_text(-(-RATE_SCALE // tier.max_leverage)),
            "isLowestRisk": 1 if number == 1 else 0,
            "maxLeverage": f"{tier.max_leverage}.00",
            "mmDeduction": money_text(tier.deduction) if tier.deduction else "",
        }
        for number, (tier, end) in enumerate(zip(tiers, ends, strict=True), start=1)
    ]


class Candles(Params, frozen=True):
    symbol: str
    interval: str
    category: Category = "linear"
    start: Whole = None
    end: Whole = None
    limit: Whole = None


def candles(call: Call, params: Candles) -> object:
    grid = call.grid(params.symbol)
    bars = _bars(params, call.venue.tape.of(params.symbol).bars)
    rows = [
        [
            *_prices(grid, bar),
            grid.quantity(bar.contracts),
            money_text(grid.value(bar.ticks)),
        ]
        for bar in bars
    ]
    return {"symbol": params.symbol, "category": params.category, "list": rows}


def mark_candles(call: Call, params: Candles) -> object:
    grid = call.grid(params.symbol)
    bars = _bars(params, call.venue.tape.of(params.symbol).mark_bars)
    rows = [_prices(grid, bar) for bar in bars]
    return {"symbol": params.symbol, "category": params.category, "list": rows}


def index_candles(call: Call, params: Candles) -> object:
    grid = call.grid(params.symbol)
    bars = _bars(params, call.venue.tape.of(params.symbol).index_bars)
    rows = [_prices(grid, bar) for bar in bars]
    return {"symbol": params.symbol, "category": params.category, "list": rows}


def premium_candles(call: Call, params: Candles) -> object:
    """Return candles of how far the book is above the index, as a rate."""
    call.grid(params.symbol)
    bars = _bars(params, call.venue.tape.of(params.symbol).premium_bars)
    rows = [
        [ms(bar.start_at), *map(rate_text, (bar.open, bar.high, bar.low, bar.close))]
        for bar in bars
    ]
    return {"symbol": params.symbol, "category": params.category, "list": rows}


def _prices(grid: Grid, bar: Bar) -> list[str]:
    prices = (bar.open, bar.high, bar.low, bar.close)
    return [ms(bar.start_at), *(grid.price(price) for price in prices)]


def _bars(params: Candles, minutes: Iterable[Bar]) -> list[Bar]:
    """Return the candles asked for, newest first."""
    _require_listed(params.category)
    interval = INTERVALS.get(params.interval)
    if interval is None:
        raise WireError(errors.PARAMETER, f"Invalid period: {params.interval}")
    most = limited(params.limit, 200, 1000)
    start = -1 if params.start is None else params.start * 1_000
    end = 2**62 if params.end is None else params.end * 1_000
    bars = joined(minutes, interval, MONDAY_US if params.interval == "W" else 0)
    return [bar for bar in reversed(bars) if start <= bar.start_at <= end][:most]


class RecentTrades(Params, frozen=True):
    category: Category
    symbol: Text = None
    base_coin: Text = None
    option_type: Text = None
    limit: Whole = None


def recent_trades(call: Call, params: RecentTrades) -> object:
    _require_listed(params.category)
    grid = call.grid(params.symbol)
    most = limited(min(params.limit or 500, 1000), 500, 1000)
    trades = call.venue.tape.of(grid.instrument.symbol).trades
    rows = [
        {
            "execId": str(trade.trade_id),
            "symbol": grid.instrument.symbol,
            "price": grid.price(trade.price),
            "size": grid.quantity(trade.contracts),
            "side": SIDES[trade.side],
            "time": ms(trade.at),
            "isBlockTrade": False,
            "isRPITrade": False,
            "seq": str(trade.trade_id),
        }
        for trade in reversed(trades)
    ]
    return {"category": params.category, "list": rows[:most]}


class PriceLimit(Params, frozen=True):
    symbol: str
    category: Category = "linear"


def price_limit(call: Call, params: PriceLimit) -> object:
    """Return the highest price of a buy and the lowest of a sell."""
    _require_listed(params.category)
    grid = call.grid(params.symbol)
    highest, lowest = _PRICES_MOST, 1
    mark, band = call.venue.exchange.mark_price(params.symbol), grid.instrument.price_band
    if mark is not None and band is not None:
        highest = min(highest, mark + mark * band // RATE_SCALE)
        lowest = max(lowest, mark - mark * band // RATE_SCALE)
    return {
        "symbol": params.symbol,
        "buyLmt": grid.price(highest),
        "sellLmt": grid.price(lowest),
        "ts": ms(call.venue.now()),
    }


def price_problem(price: int) -> str | None:
    """Return what is wrong with a price of an order, in the words of the price filter."""
    if price < 1:
        return "Order price is too low"
    return "Order price is too high" if price > _PRICES_MOST else None


ENDPOINTS = (
    Endpoint("GET", "/v5/market/time", Nothing, time_of),
    Endpoint("GET", "/v5/market/instruments-info", Instruments, instruments),
    Endpoint("GET", "/v5/market/tickers", Tickers, tickers),
    Endpoint("GET", "/v5/market/orderbook", Book, book),
    Endpoint("GET", "/v5/market/funding/history", FundingHistory, funding_history),
    Endpoint("GET", "/v5/market/risk-limit", RiskLimit, risk_limit),
    Endpoint("GET", "/v5/market/kline", Candles, candles),
    Endpoint("GET", "/v5/market/mark-price-kline", Candles, mark_candles),
    Endpoint("GET", "/v5/market/index-price-kline", Candles, index_candles),
    Endpoint("GET", "/v5/market/premium-index-price-kline", Candles, premium_candles),
    Endpoint("GET", "/v5/market/recent-trade", RecentTrades, recent_trades),
    Endpoint("GET", "/v5/market/price-limit", PriceLimit, price_limit),
)
