"""Positions: the list, leverage, modes, margin, closed profit."""

from simexchange.core.commands import AdjustMargin, SetLeverage, SetPositionMode
from simexchange.core.types import PositionMode, PositionSide, RejectReason
from simexchange.core.views import PositionView
from simexchange.server.amounts import is_decimal, money_from, money_text
from simexchange.server.bybit import errors
from simexchange.server.bybit.account_rows import position_row
from simexchange.server.bybit.call import POSITION, READ, Call, Endpoint, require_linear
from simexchange.server.bybit.errors import WireError, refusal_error
from simexchange.server.bybit.ids import order_id_of
from simexchange.server.bybit.order_rows import SIDES, Row
from simexchange.server.bybit.paging import limited, ms, nothing, page, window
from simexchange.server.bybit.parameters import (
    Category,
    Params,
    Text,
    Whole,
    position_side,
)
from simexchange.server.bybit.stops import TradingStop, trading_stop
from simexchange.server.limits import Quota
from simexchange.server.records.rows import ClosedProfit, FillKind

_QUOTA = Quota(10)
_HEDGE = 3
_LEGS = {
    PositionMode.ONE_WAY: (PositionSide.NET,),
    PositionMode.HEDGE: (PositionSide.LONG, PositionSide.SHORT),
}


class PositionQuery(Params, frozen=True):
    category: Category
    symbol: Text = None
    base_coin: Text = None
    settle_coin: Text = None
    limit: Whole = None
    cursor: Text = None


def positions(call: Call, params: PositionQuery) -> object:
    """Return one symbol's positions, flat ones too, or all open ones of a settle coin."""
    if params.category != "linear":
        return nothing(params.category)
    most = limited(params.limit, 20, 200)
    exchange, views = call.venue.exchange, list[PositionView]()
    if params.symbol:
        call.grid(params.symbol)
        legs = _LEGS[call.position_mode]
        views = [exchange.position(call.account, params.symbol, leg) for leg in legs]
    elif params.settle_coin:
        views = [
            view
            for view in exchange.positions(call.account)
            if exchange.instrument(view.symbol).settle == params.settle_coin
        ]
    else:
        raise WireError(
            errors.PARAMETER,
            "Missing some parameters that must be filled in, symbol or settleCoin",
        )
    numbered = [(len(views) - place, view) for place, view in enumerate(views)]
    shown, cursor = page(numbered, lambda row: row[0], params.cursor, most)
    rows = [
        position_row(call.venue, call.records, view, call.grid(view.symbol)) for _, view in shown
    ]
    return {"category": params.category, "nextPageCursor": cursor, "list": rows}


class LeverageParams(Params, frozen=True):
    category: Category
    symbol: str
    buy_leverage: str
    sell_leverage: str


def set_leverage(call: Call, params: LeverageParams) -> object:
    """Set both legs; they may differ in hedge mode only."""
    require_linear(params.category)
    call.grid(params.symbol)
    buy, sell = _leverage(params.buy_leverage), _leverage(params.sell_leverage)
    if call.position_mode is PositionMode.ONE_WAY:
        if buy != sell:
            raise WireError(
                errors.PARAMETER, "buy leverage must equal sell leverage in one-way mode"
            )
        _apply_leverage(call, params.symbol, PositionSide.NET, buy)
        return {}
    wanted = {PositionSide.LONG: buy, PositionSide.SHORT: sell}
    before = {
        leg: call.venue.exchange.position(call.account, params.symbol, leg).leverage
        for leg in wanted
    }
    changes = [leg for leg in wanted if wanted[leg] != before[leg]]
    if not changes:
        raise WireError(errors.LEVERAGE_UNCHANGED)
    done: list[PositionSide] = []
    for leg in changes:
        try:
            _apply_leverage(call, params.symbol, leg, wanted[leg])
        except WireError:
            for changed in done:  # both or none
                _apply_leverage(call, params.symbol, changed, before[changed])
            raise
        done.append(leg)
    return {}


def _leverage(text: str) -> int:
    whole, _, part = text.partition(".")
    if not is_decimal(text) or part.strip("0") or int(whole) == 0:
        raise WireError(errors.PARAMETER, f"leverage invalid: {text} is not a whole number from 1")
    return int(whole)


def _apply_leverage(call: Call, symbol: str, leg: PositionSide, leverage: int) -> None:
    refusal = call.venue.refusal(call.venue.apply(SetLeverage(call.account, symbol, leverage, leg)))
    if refusal is None:
        return
    if refusal.reason is RejectReason.UNCHANGED:
        raise WireError(errors.LEVERAGE_UNCHANGED)
    code = {
        RejectReason.EXCEEDS_TIER: errors.LEVERAGE_RISK,
        RejectReason.INSUFFICIENT_MARGIN: errors.AVAILABLE_MARGIN_SHORT,
    }.get(refusal.reason)
    if code is None:
        raise refusal_error(refusal.reason, refusal.message)
    raise WireError(code, f"{code.message} ({refusal.message})")


class ModeParams(Params, frozen=True):
    category: Category
    mode: int
    symbol: Text = None
    coin: Text = None


def switch_mode(call: Call, params: ModeParams) -> object:
    """Switch the account between one net position and two legs in all instruments.

    The mode that is set already is refused for an instrument, and taken for a coin: clients set
    the mode of the coin whenever they start.
    """
    require_linear(params.category)
    if params.mode not in (0, _HEDGE):
        raise WireError(errors.PARAMETER, "params error: mode is 0 or 3")
    if not (params.symbol or params.coin):
        raise WireError(errors.PARAMETER, "params error: symbol or coin is required")
    if params.symbol:
        call.grid(params.symbol)
    mode = PositionMode.HEDGE if params.mode == _HEDGE else PositionMode.ONE_WAY
    refusal = call.venue.refusal(call.venue.apply(SetPositionMode(call.account, mode)))
    if refusal is None:
        return {}
    if refusal.reason is RejectReason.UNCHANGED:
        if not params.symbol:
            return {}
        raise WireError(errors.MODE_UNCHANGED)
    raise refusal_error(refusal.reason, refusal.message)


class MarginParams(Params, frozen=True):
    category: Category
    symbol: str
    margin: str
    position_idx: Whole = None


def add_margin(call: Call, params: MarginParams) -> object:
    """Add margin to an isolated position, or with a negative amount take some out."""
    require_linear(params.category)
    grid = call.grid(params.symbol)
    side = position_side(params.position_idx, call.position_mode)
    sign = -1 if params.margin.startswith("-") else 1
    try:
        money = sign * money_from(params.margin.removeprefix("-"))
    except ValueError as error:
        raise WireError(errors.PARAMETER, f"params error: margin invalid: {error}") from error
    command = AdjustMargin(call.account, params.symbol, side, money)
    refusal = call.venue.refusal(call.venue.apply(command))
    if refusal is not None:
        raise refusal_error(refusal.reason, refusal.message)
    view = call.venue.exchange.position(call.account, params.symbol, side)
    return {"category": "linear", **position_row(call.venue, call.records, view, grid)}


class ClosedQuery(Params, frozen=True):
    category: Category
    symbol: Text = None
    start_time: Whole = None
    end_time: Whole = None
    limit: Whole = None
    cursor: Text = None


def closed_profit(call: Call, params: ClosedQuery) -> object:
    if params.category != "linear":
        return nothing(params.category)
    if params.symbol:
        call.grid(params.symbol)
    most = limited(params.limit, 50, 100)
    start, end = window(params.start_time, params.end_time, call.venue.now())
    rows = [
        row
        for row in reversed(call.records.closed)
        if start <= row.created_at <= end and params.symbol in (None, row.symbol)
    ]
    shown, cursor = page(rows, lambda row: row.sequence, params.cursor, most)
    return {
        "category": params.category,
        "nextPageCursor": cursor,
        "list": [_closed_row(call, row) for row in shown],
    }


def _closed_row(call: Call, row: ClosedProfit) -> Row:
    grid, order = call.grid(row.symbol), row.order
    profit = row.realized_pnl - row.open_fee - row.close_fee
    is_market = order is None or order.price is None
    return {
        "symbol": row.symbol,
        "orderId": "" if order is None else order_id_of(order),
        "side": SIDES[row.side],
        "qty": grid.quantity(row.contracts if order is None else order.contracts),
        "orderPrice": "0" if order is None or order.price is None else grid.price(order.price),
        "orderType": "Market" if is_market else "Limit",
        "execType": "Trade" if row.kind is FillKind.TRADE else "BustTrade",
        "closedSize": grid.quantity(row.contracts),
        "cumEntryValue": money_text(row.entry),
        "avgEntryPrice": grid.average_price(row.entry, row.contracts),
        "cumExitValue": money_text(row.exit),
        "avgExitPrice": grid.average_price(row.exit, row.contracts),
        "closedPnl": money_text(profit),
        "fillCount": str(row.fills),
        "leverage": str(row.leverage),
        "openFee": money_text(row.open_fee),
        "closeFee": money_text(row.close_fee),
        "createdTime": ms(row.created_at),
        "updatedTime": ms(row.updated_at),
    }


ENDPOINTS = (
    Endpoint("GET", "/v5/position/list", PositionQuery, positions, READ),
    Endpoint("POST", "/v5/position/set-leverage", LeverageParams, set_leverage, POSITION, _QUOTA),
    Endpoint("POST", "/v5/position/switch-mode", ModeParams, switch_mode, POSITION, _QUOTA),
    Endpoint("POST", "/v5/position/trading-stop", TradingStop, trading_stop, POSITION, _QUOTA),
    Endpoint("POST", "/v5/position/add-margin", MarginParams, add_margin, POSITION, _QUOTA),
    Endpoint("GET", "/v5/position/closed-pnl", ClosedQuery, closed_profit, READ),
)
