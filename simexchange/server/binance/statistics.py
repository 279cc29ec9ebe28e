"""Figures beside trading: the fund, what an index is made of, basis, who bought from whom."""

from fractions import Fraction
from typing import Literal

from simexchange.core.accounts import INSURANCE_FUND
from simexchange.server.amounts import fraction_text, money_text
from simexchange.server.binance.call import Call, Endpoint
from simexchange.server.binance.market import OneSymbol, Row, Symbol, ms
from simexchange.server.binance.market_history import PERIODS, candle_bars
from simexchange.server.binance.parameters import Params, at_most, between_us, invalid
from simexchange.server.records.tape import Bar

_ROWS_MOST = 500


def insurance(call: Call, params: Symbol) -> object:
    """Return what the insurance fund holds, for all instruments together."""
    exchange = call.venue.exchange
    balance = money_text(exchange.equity(INSURANCE_FUND))
    asset = {"asset": "USDT", "marginBalance": balance, "updateTime": ms(exchange.now)}
    symbols = [instrument.symbol for instrument in exchange.instruments]
    row = {"symbols": symbols, "assets": [asset]}
    if not params.symbol:
        return [row]
    call.grid(params.symbol)
    return row


def no_indices(_: Call, __: Symbol) -> object:
    """Return an empty list: no instrument is on a basket."""
    return []


def constituents(call: Call, params: OneSymbol) -> object:
    """Return the one source of an index: the exchange's own price."""
    grid, exchange = call.grid(params.symbol), call.venue.exchange
    price = grid.price(exchange.index_price(params.symbol)) or "0"
    source = {
        "exchange": "simexchange",
        "symbol": params.symbol,
        "price": price,
        "weight": "1.00000000",
    }
    return {"symbol": params.symbol, "time": ms(exchange.now), "constituents": [source]}


class Period(Params, frozen=True):
    symbol: str
    period: str
    start_time: int | None = None
    end_time: int | None = None
    limit: int = 30


def taker_volumes(call: Call, params: Period) -> object:
    """Return how much takers bought and sold in each period, oldest first."""
    grid = call.grid(params.symbol)
    bars = _asked(list(call.venue.tape.of(params.symbol).bars), params)
    rows: list[Row] = []
    for bar in bars:
        sold = bar.contracts - bar.bought
        ratio = fraction_text(Fraction(bar.bought, sold), 4) if sold else "0"
        rows.append(
            {
                "buySellRatio": ratio,
                "buyVol": grid.whole_quantity(bar.bought),
                "sellVol": grid.whole_quantity(sold),
                "timestamp": ms(bar.start_at),
            }
        )
    return rows


class PairPeriod(Params, frozen=True):
    pair: str
    contract_type: Literal["PERPETUAL", "CURRENT_QUARTER", "NEXT_QUARTER"]
    period: str
    start_time: int | None = None
    end_time: int | None = None
    limit: int = 30


def basis(call: Call, params: PairPeriod) -> object:
    """Return how far the mark price was from the index at the end of each period."""
    grid, tape = call.grid(params.pair), call.venue.tape.of(params.pair)
    is_traded = params.contract_type == "PERPETUAL"
    indices = {bar.start_at: bar for bar in _asked(list(tape.index_bars), params)}
    marks = _asked(list(tape.mark_bars), params) if is_traded else []
    rows: list[Row] = []
    for mark in marks:
        index = indices.get(mark.start_at)
        if index is None:
            continue
        away = mark.close - index.close
        sign = "-" if away < 0 else ""
        rows.append(
            {
                "pair": params.pair,
                "contractType": params.contract_type,
                "indexPrice": grid.price(index.close),
                "futuresPrice": grid.price(mark.close),
                "basis": grid.price(away),
                "basisRate": sign + fraction_text(Fraction(abs(away), index.close), 4),
                "annualizedBasisRate": "",
                "timestamp": ms(mark.start_at),
            }
        )
    return rows


def _asked(minutes: list[Bar], params: Period | PairPeriod) -> list[Bar]:
    """Return the periods asked for, oldest first."""
    if params.period not in PERIODS:
        raise invalid("period")
    limit = at_most(params.limit, _ROWS_MOST)
    start, end = between_us(params.start_time, params.end_time)
    found = [bar for bar in candle_bars(minutes, params.period) if start <= bar.start_at <= end]
    return found[:limit] if params.start_time is not None else found[-limit:]


ENDPOINTS = (
    Endpoint("GET", "/fapi/v1/insuranceBalance", Symbol, insurance),
    Endpoint("GET", "/fapi/v1/indexInfo", Symbol, no_indices),
    Endpoint("GET", "/fapi/v1/constituents", OneSymbol, constituents, weight=2),
    Endpoint("GET", "/futures/data/takerlongshortRatio", Period, taker_volumes, weight=0),
    Endpoint("GET", "/futures/data/basis", PairPeriod, basis, weight=0),
)
