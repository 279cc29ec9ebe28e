"""Questions about an account's orders and fills."""

from typing import Literal

from simexchange.server.binance import errors
from simexchange.server.binance.call import READ, Call, Endpoint, by_symbol
from simexchange.server.binance.errors import WireError
from simexchange.server.binance.parameters import Params, at_most, between_us
from simexchange.server.binance.rows import amendment_row, fill_row, order_row
from simexchange.server.records.rows import FillKind, KeptOrder, OrderState

_WEEK_MS = 7 * 24 * 3_600 * 1_000
_ROWS_MOST, _FORCED_MOST, _AMENDED_MOST = 1_000, 100, 100


class OrderName(Params, frozen=True):
    symbol: str
    order_id: int | None = None
    orig_client_order_id: str | None = None


class MaybeSymbol(Params, frozen=True):
    symbol: str | None = None


def find(call: Call, params: OrderName) -> KeptOrder | None:
    """Return the order of a number, which goes first, or of a client's id."""
    call.grid(params.symbol)
    if params.order_id is None and not params.orig_client_order_id:
        raise WireError(
            errors.MANDATORY,
            "Param 'origClientOrderId' or 'orderId' must be sent, but both were empty/null!",
        )
    if params.order_id is not None:
        order = call.records.by_order.get(params.order_id)
    else:
        order = call.records.by_client_id.get(params.orig_client_order_id or "")
    is_right = order is not None and order.symbol == params.symbol and order.order_id is not None
    return order if is_right else None


def ask(call: Call, params: OrderName) -> object:
    order = find(call, params)
    if order is None:
        raise WireError(errors.NO_SUCH_ORDER)
    return order_row(order, call.grid(order.symbol))


def ask_open(call: Call, params: OrderName) -> object:
    order = find(call, params)
    if order is None or not order.is_open:
        raise WireError(errors.NO_SUCH_ORDER)
    return order_row(order, call.grid(order.symbol))


def open_orders(call: Call, params: MaybeSymbol) -> object:
    if params.symbol:
        call.grid(params.symbol)
    orders = in_book(call, params.symbol)
    return [order_row(order, call.grid(order.symbol)) for order in orders]


def in_book(call: Call, symbol: str | None) -> list[KeptOrder]:
    """Return orders in the book, oldest first."""
    return [
        order
        for order in reversed(call.records.newest_open_orders())
        if order.state is not OrderState.UNTRIGGERED and symbol in (None, order.symbol)
    ]


def window(call: Call, start_ms: int | None, end_ms: int | None) -> tuple[int, int]:
    """Return the time asked for in microseconds; at most a week, the latest by default."""
    now_ms = call.venue.now() // 1_000
    if start_ms is not None and end_ms is not None:
        if start_ms > end_ms:
            raise WireError(errors.START_AFTER_END)
        if end_ms - start_ms > _WEEK_MS:
            raise WireError(errors.INTERVAL_TOO_LONG)
    if start_ms is None:
        start_ms = (now_ms if end_ms is None else end_ms) - _WEEK_MS
    if end_ms is None:
        end_ms = start_ms + _WEEK_MS
    return start_ms * 1_000, end_ms * 1_000 + 999


class OrderQuery(Params, frozen=True):
    symbol: str
    order_id: int | None = None
    start_time: int | None = None
    end_time: int | None = None
    limit: int = 500


def all_orders(call: Call, params: OrderQuery) -> object:
    """Return orders, oldest first: those from a number on, or the latest of a time."""
    grid, limit = call.grid(params.symbol), at_most(params.limit, _ROWS_MOST)
    start, end = window(call, params.start_time, params.end_time)
    found = [
        order
        for order in reversed(list(call.records.newest_orders()))
        if order.symbol == params.symbol
        and order.order_id is not None
        and (
            order.order_id >= params.order_id
            if params.order_id is not None
            else start <= order.created_at <= end
        )
    ]
    is_forward = params.order_id is not None or params.start_time is not None
    chosen = found[:limit] if is_forward else found[-limit:]
    return [order_row(order, grid) for order in chosen]


class FillQuery(Params, frozen=True):
    symbol: str
    order_id: int | None = None
    start_time: int | None = None
    end_time: int | None = None
    from_id: int | None = None
    limit: int = 500


def fills(call: Call, params: FillQuery) -> object:
    """Return fills, oldest first: those from a number on, or the latest of a time."""
    grid, limit = call.grid(params.symbol), at_most(params.limit, _ROWS_MOST)
    has_time = params.start_time is not None or params.end_time is not None
    if params.from_id is not None and has_time:
        raise WireError(errors.BAD_COMBINATION)
    start, end = window(call, params.start_time, params.end_time)
    found = [
        fill
        for fill in call.records.fills
        if fill.symbol == params.symbol
        and fill.kind is not FillKind.FUNDING
        and (
            params.order_id is None
            or (fill.order is not None and fill.order.order_id == params.order_id)
        )
        and (
            fill.number >= params.from_id if params.from_id is not None else start <= fill.at <= end
        )
    ]
    is_forward = params.from_id is not None or params.start_time is not None
    chosen = found[:limit] if is_forward else found[-limit:]
    return [fill_row(fill, grid) for fill in chosen]


class ForcedQuery(Params, frozen=True):
    symbol: str | None = None
    auto_close_type: Literal["LIQUIDATION", "ADL"] | None = None
    start_time: int | None = None
    end_time: int | None = None
    limit: int = 50


def forced_orders(call: Call, params: ForcedQuery) -> object:
    """Return the orders with which the exchange liquidated this account, newest first.

    Deleveraging closes positions here without an order, so there are none of that kind.
    """
    limit = at_most(params.limit, _FORCED_MOST)
    start, end = between_us(params.start_time, params.end_time)
    if params.symbol:
        call.grid(params.symbol)
    found = [
        order
        for order in call.records.newest_orders()
        if order.is_forced
        and params.auto_close_type != "ADL"
        and params.symbol in (None, order.symbol)
        and start <= order.created_at <= end
    ]
    return [order_row(order, call.grid(order.symbol)) for order in found[:limit]]


class AmendmentQuery(Params, frozen=True):
    symbol: str
    order_id: int | None = None
    orig_client_order_id: str | None = None
    start_time: int | None = None
    end_time: int | None = None
    limit: int = 50


def amendments(call: Call, params: AmendmentQuery) -> object:
    """Return what was changed in resting orders, newest first."""
    grid, limit = call.grid(params.symbol), at_most(params.limit, _AMENDED_MOST)
    start, end = between_us(params.start_time, params.end_time)
    found = [
        change
        for change in reversed(call.records.amendments)
        if change.order.symbol == params.symbol
        and start <= change.at <= end
        and params.order_id in (None, change.order.order_id)
        and params.orig_client_order_id in (None, change.order.client_order_id)
    ]
    return [amendment_row(change, grid) for change in found[:limit]]


ENDPOINTS = (
    Endpoint("GET", "/fapi/v1/order", OrderName, ask, READ),
    Endpoint("GET", "/fapi/v1/openOrder", OrderName, ask_open, READ),
    Endpoint("GET", "/fapi/v1/openOrders", MaybeSymbol, open_orders, READ, by_symbol(1, 40)),
    Endpoint("GET", "/fapi/v1/allOrders", OrderQuery, all_orders, READ, 5),
    Endpoint("GET", "/fapi/v1/userTrades", FillQuery, fills, READ, 5),
    Endpoint("GET", "/fapi/v1/forceOrders", ForcedQuery, forced_orders, READ, by_symbol(20, 50)),
    Endpoint("GET", "/fapi/v1/orderAmendment", AmendmentQuery, amendments, READ),
)
