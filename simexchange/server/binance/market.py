"""Public questions of the moment: time, instruments, prices, book, marks, open interest."""

from fractions import Fraction

from simexchange.core.types import HOUR_US, RATE_SCALE
from simexchange.server.amounts import Grid, fraction_text, money_text, rate_text
from simexchange.server.binance import errors
from simexchange.server.binance.call import Call, Endpoint, by_limit, by_symbol
from simexchange.server.binance.errors import WireError
from simexchange.server.binance.metering import ORDERS_MINUTE, ORDERS_TEN_SECONDS, WEIGHT
from simexchange.server.binance.parameters import Nothing, Params

Row = dict[str, object]
_PRICES_MOST = 20_000_000
_DEPTHS = (5, 10, 20, 50, 100, 500, 1000)
_DEPTH_WEIGHTS = ((51, 2), (101, 5), (501, 10))
_ORDER_TYPES = (
    "LIMIT",
    "MARKET",
    "STOP",
    "STOP_MARKET",
    "TAKE_PROFIT",
    "TAKE_PROFIT_MARKET",
    "TRAILING_STOP_MARKET",
)


def ms(at: int) -> int:
    return at // 1_000


def ping(_: Call, __: Nothing) -> object:
    return {}


def time_of(call: Call, _: Nothing) -> object:
    return {"serverTime": ms(call.venue.edge_now())}


def exchange_info(call: Call, _: Nothing) -> object:
    return {
        "timezone": "UTC",
        "serverTime": ms(call.venue.edge_now()),
        "futuresType": "U_MARGINED",
        "rateLimits": [
            _limit_row("REQUEST_WEIGHT", "MINUTE", 1, WEIGHT.limit),
            _limit_row("ORDERS", "MINUTE", 1, ORDERS_MINUTE.limit),
            _limit_row("ORDERS", "SECOND", 10, ORDERS_TEN_SECONDS.limit),
        ],
        "exchangeFilters": [],
        "assets": [{"asset": "USDT", "marginAvailable": True, "autoAssetExchange": "0"}],
        "symbols": [_symbol_row(grid) for grid in call.grids(None)],
    }


def _limit_row(kind: str, interval: str, number: int, limit: int) -> Row:
    return {
        "rateLimitType": kind,
        "interval": interval,
        "intervalNum": number,
        "limit": limit,
    }


class SpotInfo(Params, frozen=True):
    symbol: str | None = None
    symbols: str | None = None
    permissions: str | None = None
    show_permission_sets: str | None = None


def no_symbols(call: Call, _: Params) -> object:
    """Return the exchange information of a market that is not served."""
    info: Row = {"timezone": "UTC", "serverTime": ms(call.venue.edge_now()), "rateLimits": []}
    return {**info, "exchangeFilters": [], "symbols": []}


def _symbol_row(grid: Grid) -> Row:
    instrument = grid.instrument
    quantities = grid.quantities
    lot = {
        "minQty": quantities.text(instrument.min_contracts),
        "maxQty": quantities.text(instrument.max_contracts),
        "stepSize": quantities.text(instrument.contracts_step),
    }
    market_most = min(instrument.max_contracts, instrument.max_market_contracts)
    band = instrument.price_band
    highest = Fraction(RATE_SCALE + (band or RATE_SCALE * 9), RATE_SCALE)
    lowest = Fraction(RATE_SCALE - (band or RATE_SCALE), RATE_SCALE)
    return {
        "symbol": instrument.symbol,
        "pair": instrument.symbol,
        "contractType": "PERPETUAL",
        "deliveryDate": 4133404800000,
        "onboardDate": 1577836800000,
        "status": "TRADING",
        "maintMarginPercent": "2.5000",
        "requiredMarginPercent": "5.0000",
        "baseAsset": instrument.base,
        "quoteAsset": instrument.quote,
        "marginAsset": instrument.settle,
        "pricePrecision": grid.prices.places,
        "quantityPrecision": quantities.places,
        "baseAssetPrecision": 8,
        "quotePrecision": 8,
        "underlyingType": "COIN",
        "underlyingSubType": ["CRYPTO"],
        "settlePlan": 0,
        "triggerProtect": rate_text(instrument.trigger_protect),
        "liquidationFee": rate_text(instrument.liquidation_fee),
        "marketTakeBound": "0.05",
        "maxMoveOrderLimit": 10000,
        "filters": [
            {
                "filterType": "PRICE_FILTER",
                "minPrice": grid.prices.text(1),
                "maxPrice": grid.prices.text(_PRICES_MOST),
                "tickSize": grid.prices.text(1),
            },
            {"filterType": "LOT_SIZE", **lot},
            {"filterType": "MARKET_LOT_SIZE", **lot, "maxQty": quantities.text(market_most)},
            {"filterType": "MAX_NUM_ORDERS", "limit": min(10_000, instrument.max_open_orders)},
            {"filterType": "MAX_NUM_ALGO_ORDERS", "limit": min(10_000, instrument.max_open_plans)},
            {"filterType": "MIN_NOTIONAL", "notional": money_text(instrument.min_notional)},
            {
                "filterType": "PERCENT_PRICE",
                "multiplierUp": fraction_text(highest, 4),
                "multiplierDown": fraction_text(lowest, 4),
                "multiplierDecimal": "4",
            },
        ],
        "orderTypes": _ORDER_TYPES,
        "timeInForce": ["GTC", "IOC", "FOK", "GTX"],
    }


class Symbol(Params, frozen=True):
    symbol: str | None = None


class OneSymbol(Params, frozen=True):
    symbol: str


class Depth(Params, frozen=True):
    symbol: str
    limit: int = 500


def depth(call: Call, params: Depth) -> object:
    grid = call.grid(params.symbol)
    if params.limit not in _DEPTHS:
        raise WireError(errors.BAD_DEPTH, f"'{params.limit}' is not valid depth limit.")
    bids, asks = call.venue.exchange.depth(params.symbol, params.limit)
    now = ms(call.venue.now())
    return {
        "lastUpdateId": call.venue.tape.of(params.symbol).book_version,
        "E": now,
        "T": now,
        "bids": [[grid.price(price), grid.whole_quantity(size)] for price, size in bids],
        "asks": [[grid.price(price), grid.whole_quantity(size)] for price, size in asks],
    }


def _one_or_all(symbol: str | None, rows: list[Row]) -> object:
    return rows[0] if symbol else rows


def day_ticker(call: Call, params: Symbol) -> object:
    rows = [_day_row(call, grid) for grid in call.grids(params.symbol)]
    return _one_or_all(params.symbol, rows)


def _day_row(call: Call, grid: Grid) -> Row:
    symbol, now = grid.instrument.symbol, call.venue.now()
    tape = call.venue.tape.of(symbol)
    day = tape.day(now)
    last = _last(call, symbol)
    first = day.first if day.first is not None else last
    change = (last or 0) - (first or 0)
    percent = "0" if not first else fraction_text(abs(Fraction(change * 100, first)), 3)
    sign = "-" if change < 0 else ""
    return {
        "symbol": symbol,
        "priceChange": sign + grid.prices.text(abs(change)),
        "priceChangePercent": sign + percent,
        "weightedAvgPrice": grid.average_price(grid.value(day.ticks), day.contracts) or "0",
        "lastPrice": grid.price(last),
        "lastQty": grid.whole_quantity(tape.trades[-1].contracts) if tape.trades else "0",
        "openPrice": grid.price(first),
        "highPrice": grid.price(day.high if day.high is not None else last),
        "lowPrice": grid.price(day.low if day.low is not None else last),
        "volume": grid.whole_quantity(day.contracts),
        "quoteVolume": money_text(grid.value(day.ticks)),
        "openTime": ms(now) - 86_400_000,
        "closeTime": ms(now),
        "firstId": day.first_trade,
        "lastId": day.last_trade,
        "count": day.trades,
    }


def _last(call: Call, symbol: str) -> int | None:
    last = call.venue.exchange.last_price(symbol)
    return last if last is not None else call.venue.exchange.mark_price(symbol)


def price_ticker(call: Call, params: Symbol) -> object:
    rows: list[Row] = [
        {
            "symbol": grid.instrument.symbol,
            "price": grid.price(_last(call, grid.instrument.symbol)),
            "time": ms(call.venue.now()),
        }
        for grid in call.grids(params.symbol)
    ]
    return _one_or_all(params.symbol, rows)


def book_ticker(call: Call, params: Symbol) -> object:
    rows: list[Row] = []
    for grid in call.grids(params.symbol):
        bids, asks = call.venue.exchange.depth(grid.instrument.symbol, 1)
        rows.append(
            {
                "symbol": grid.instrument.symbol,
                "bidPrice": grid.price(bids[0][0]) if bids else "0",
                "bidQty": grid.whole_quantity(bids[0][1]) if bids else "0",
                "askPrice": grid.price(asks[0][0]) if asks else "0",
                "askQty": grid.whole_quantity(asks[0][1]) if asks else "0",
                "lastUpdateId": call.venue.tape.of(grid.instrument.symbol).book_version,
                "time": ms(call.venue.now()),
            }
        )
    return _one_or_all(params.symbol, rows)


def premium_index(call: Call, params: Symbol) -> object:
    rows: list[Row] = []
    for grid in call.grids(params.symbol):
        symbol, exchange = grid.instrument.symbol, call.venue.exchange
        mark, index = exchange.mark_price(symbol), exchange.index_price(symbol)
        funding, rules = exchange.funding(symbol), grid.instrument.funding
        shown = grid.price(index if index is not None else mark)
        rows.append(
            {
                "symbol": symbol,
                "markPrice": grid.price(mark),
                "indexPrice": shown,
                "estimatedSettlePrice": shown,
                "lastFundingRate": rate_text(0 if funding is None else funding.rate),
                "interestRate": rate_text(0 if rules is None else rules.interest_rate),
                "nextFundingTime": ms(0 if funding is None else funding.next_funding_at),
                "time": ms(call.venue.now()),
            }
        )
    return _one_or_all(params.symbol, rows)


def open_interest(call: Call, params: OneSymbol) -> object:
    grid = call.grid(params.symbol)
    contracts = call.venue.exchange.open_interest(params.symbol)
    return {
        "openInterest": grid.whole_quantity(contracts),
        "symbol": params.symbol,
        "time": ms(call.venue.now()),
    }


def funding_info(call: Call, _: Nothing) -> object:
    """Return how funding is settled, of the instruments that have it."""
    rows: list[Row] = []
    for grid in call.grids(None):
        rules = grid.instrument.funding
        if rules is None:
            continue
        held = call.venue.exchange.funding(grid.instrument.symbol)
        interval_us = rules.interval_us if held is None else held.interval_us
        rows.append(
            {
                "symbol": grid.instrument.symbol,
                "adjustedFundingRateCap": rate_text(rules.cap),
                "adjustedFundingRateFloor": rate_text(-rules.cap),
                "fundingIntervalHours": interval_us // HOUR_US,
                "disclaimer": False,
                "updateTime": 0,
            }
        )
    return rows


def system_status(_: Call, __: Nothing) -> object:
    return {"status": 0, "msg": "normal"}


ENDPOINTS = (
    Endpoint("GET", "/fapi/v1/ping", Nothing, ping),
    Endpoint("GET", "/api/v3/ping", Nothing, ping),
    Endpoint("GET", "/fapi/v1/time", Nothing, time_of),
    Endpoint("GET", "/api/v3/time", Nothing, time_of),
    Endpoint("GET", "/fapi/v1/exchangeInfo", Nothing, exchange_info),
    Endpoint("GET", "/api/v3/exchangeInfo", SpotInfo, no_symbols),
    Endpoint("GET", "/dapi/v1/exchangeInfo", Nothing, no_symbols),
    Endpoint("GET", "/sapi/v1/system/status", Nothing, system_status),
    Endpoint("GET", "/fapi/v1/depth", Depth, depth, weight=by_limit(500, _DEPTH_WEIGHTS, 20)),
    Endpoint("GET", "/fapi/v1/ticker/24hr", Symbol, day_ticker, weight=by_symbol(1, 40)),
    Endpoint("GET", "/fapi/v1/ticker/price", Symbol, price_ticker, weight=by_symbol(1, 2)),
    Endpoint("GET", "/fapi/v2/ticker/price", Symbol, price_ticker, weight=by_symbol(1, 2)),
    Endpoint("GET", "/fapi/v1/ticker/bookTicker", Symbol, book_ticker, weight=by_symbol(2, 5)),
    Endpoint("GET", "/fapi/v1/premiumIndex", Symbol, premium_index, weight=by_symbol(1, 10)),
    Endpoint("GET", "/fapi/v1/openInterest", OneSymbol, open_interest),
    Endpoint("GET", "/fapi/v1/fundingInfo", Nothing, funding_info, weight=0),
)
