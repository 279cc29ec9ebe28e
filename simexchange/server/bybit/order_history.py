"""Questions about orders and executions."""

from simexchange.server.bybit import errors
from simexchange.server.bybit.call import READ, Call, Endpoint
from simexchange.server.bybit.errors import WireError
from simexchange.server.bybit.order_rows import STATES, execution_row, order_row
from simexchange.server.bybit.orders import find_order
from simexchange.server.bybit.paging import limited, nothing, page, window
from simexchange.server.bybit.parameters import Category, Params, Text, Whole
from simexchange.server.records.rows import FillKind, KeptFill, KeptOrder, OrderState

_RECENT = 500


class OrderQuery(Params, frozen=True):
    category: Category
    symbol: Text = None
    base_coin: Text = None
    settle_coin: Text = None
    order_id: Text = None
    order_link_id: Text = None
    open_only: Whole = None
    order_filter: Text = None
    order_status: Text = None
    start_time: Whole = None
    end_time: Whole = None
    limit: Whole = None
    cursor: Text = None


def realtime(call: Call, params: OrderQuery) -> object:
    """Return open orders; with an id, or asked for, also those that ended lately."""
    if params.category != "linear":
        return nothing(params.category)
    if not (params.symbol or params.base_coin or params.settle_coin):
        raise WireError(
            errors.PARAMETER,
            "Missing some parameters that must be filled in, symbol or settleCoin or baseCoin",
        )
    if params.symbol:
        call.grid(params.symbol)
    most = limited(params.limit, 20, 50)
    rows: list[KeptOrder]
    if params.order_id or params.order_link_id:
        found = find_order(call, params.order_id, params.order_link_id)
        rows = [] if found is None else [found]
    elif params.open_only in (None, 0):
        rows = call.records.newest_open_orders()
    else:
        rows = [order for order in call.records.newest_orders() if not order.is_open][:_RECENT]
    return _answer(call, params, [order for order in rows if _matches(call, order, params)], most)


def history(call: Call, params: OrderQuery) -> object:
    """Return orders that ended, by the time they were created."""
    if params.category != "linear":
        return nothing(params.category)
    most = limited(params.limit, 20, 50)
    start, end = window(params.start_time, params.end_time, call.venue.now())
    if params.order_id or params.order_link_id:
        start = -1
    states = (params.order_status,) if params.order_status else tuple(STATES.values())
    rows = [
        order
        for order in call.records.newest_orders()
        if not order.is_open
        and start <= order.created_at <= end
        and STATES[order.state] in states
        and _matches(call, order, params)
        and _has_id(call, order, params)
    ]
    return _answer(call, params, rows, most)


def _has_id(call: Call, order: KeptOrder, params: OrderQuery) -> bool:
    if not (params.order_id or params.order_link_id):
        return True
    return order is find_order(call, params.order_id, params.order_link_id)


def _matches(call: Call, order: KeptOrder, params: OrderQuery) -> bool:
    instrument = call.grid(order.symbol).instrument
    is_stop = order.trigger is not None and (
        order.order_id is None or order.state is OrderState.UNTRIGGERED
    )
    fits = {"Order": not is_stop, "StopOrder": is_stop}.get(params.order_filter or "", True)
    if params.order_filter == "tpslOrder":
        fits = order.trigger is not None and order.trigger.attached
    return (
        fits
        and params.symbol in (None, order.symbol)
        and params.base_coin in (None, instrument.base)
        and params.settle_coin in (None, instrument.settle)
    )


def _answer(call: Call, params: OrderQuery, rows: list[KeptOrder], most: int) -> object:
    shown, cursor = page(rows, lambda order: order.sequence, params.cursor, most)
    return {
        "category": params.category,
        "nextPageCursor": cursor,
        "list": [order_row(order, call.grid(order.symbol)) for order in shown],
    }


class ExecutionQuery(Params, frozen=True):
    category: Category
    symbol: Text = None
    order_id: Text = None
    order_link_id: Text = None
    base_coin: Text = None
    settle_coin: Text = None
    start_time: Whole = None
    end_time: Whole = None
    exec_type: Text = None
    limit: Whole = None
    cursor: Text = None


_KINDS = {
    "Trade": (FillKind.TRADE,),
    "Funding": (FillKind.FUNDING,),
    "BustTrade": (FillKind.LIQUIDATION, FillKind.TAKEOVER),
    "AdlTrade": (FillKind.DELEVERAGING,),
}


def executions(call: Call, params: ExecutionQuery) -> object:
    if params.category != "linear":
        return nothing(params.category)
    most = limited(params.limit, 50, 100)
    start, end = window(params.start_time, params.end_time, call.venue.now())
    kinds = _KINDS.get(params.exec_type, ()) if params.exec_type else tuple(FillKind)
    wanted = None
    by_order = bool(params.order_id or params.order_link_id)
    if by_order:
        wanted = find_order(call, params.order_id, params.order_link_id)
        start = -1

    def fits(fill: KeptFill) -> bool:
        instrument = call.grid(fill.symbol).instrument
        return (
            start <= fill.at <= end
            and fill.kind in kinds
            and params.symbol in (None, fill.symbol)
            and params.base_coin in (None, instrument.base)
            and (not by_order or (wanted is not None and fill.order is wanted))
        )

    rows = filter(fits, reversed(call.records.fills))
    shown, cursor = page(rows, lambda fill: fill.sequence, params.cursor, most)
    return {
        "category": params.category,
        "nextPageCursor": cursor,
        "list": [execution_row(fill, call.grid(fill.symbol)) for fill in shown],
    }


ENDPOINTS = (
    Endpoint("GET", "/v5/order/realtime", OrderQuery, realtime, READ),
    Endpoint("GET", "/v5/order/history", OrderQuery, history, READ),
    Endpoint("GET", "/v5/execution/list", ExecutionQuery, executions, READ),
)
