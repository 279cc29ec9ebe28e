"""Orders: place, amend, cancel, ask; one by one, in batches, all at once."""

from collections.abc import Callable
from typing import Any, Literal

import msgspec

from simexchange.core.commands import AmendOrder, CancelOrder, PlaceOrder
from simexchange.core.events import OrderAccepted
from simexchange.core.types import OrderKind, SelfTradePrevention, Side, TimeInForce
from simexchange.server.binance import errors
from simexchange.server.binance.call import (
    READ,
    TRADE,
    Call,
    Endpoint,
    Params,
    Reader,
    client_id,
    contracts_of,
    position_side,
    price_of,
)
from simexchange.server.binance.errors import WireError, refusal_error
from simexchange.server.binance.rows import fill_row, order_row
from simexchange.server.records.rows import FillKind, KeptOrder, OrderState

_BATCH_MOST = 5
_WEEK_MS = 7 * 24 * 3_600 * 1_000
BY_SIDE = {"BUY": Side.BUY, "SELL": Side.SELL}
TIMES = {
    "GTC": TimeInForce.GTC,
    "IOC": TimeInForce.IOC,
    "FOK": TimeInForce.FOK,
    "GTX": TimeInForce.POST_ONLY,
}
_PREVENTION = {
    "NONE": SelfTradePrevention.NONE,
    "EXPIRE_TAKER": SelfTradePrevention.TAKER,
    "EXPIRE_MAKER": SelfTradePrevention.MAKER,
    "EXPIRE_BOTH": SelfTradePrevention.BOTH,
}
_CONDITIONAL = frozenset(
    {"STOP", "STOP_MARKET", "TAKE_PROFIT", "TAKE_PROFIT_MARKET", "TRAILING_STOP_MARKET"}
)
WireSide = Literal["BUY", "SELL"]
WireLeg = Literal["BOTH", "LONG", "SHORT"]
WireTime = Literal["GTC", "IOC", "FOK", "GTX", "GTD"]
WireFlag = Literal["true", "false"]


class NewOrder(Params, frozen=True):
    symbol: str
    side: WireSide
    type: str
    position_side: WireLeg | None = None
    time_in_force: WireTime | None = None
    quantity: str | None = None
    reduce_only: WireFlag | None = None
    price: str | None = None
    new_client_order_id: str | None = None
    new_order_resp_type: Literal["ACK", "RESULT"] = "ACK"
    price_match: str | None = None
    self_trade_prevention_mode: (
        Literal["NONE", "EXPIRE_TAKER", "EXPIRE_MAKER", "EXPIRE_BOTH"] | None
    ) = None
    good_till_date: int | None = None


def place(call: Call, params: NewOrder) -> object:
    order = call.records.by_order[_accepted(call, _command(call, params))]
    row = order_row(order, call.grid(params.symbol))
    if params.new_order_resp_type == "ACK":
        row |= {"status": "NEW", "executedQty": "0", "cumQty": "0", "cumQuote": "0"}
        row["avgPrice"] = "0.00"
    return row


def _command(call: Call, params: NewOrder) -> PlaceOrder:
    grid = call.grid(params.symbol)
    if params.type in _CONDITIONAL:
        raise WireError(errors.USE_ALGO)
    if params.type not in ("LIMIT", "MARKET"):
        raise WireError(errors.NO_SUCH_TYPE)
    is_limit = params.type == "LIMIT"
    if not params.quantity:
        raise WireError(errors.MANDATORY, "Mandatory parameter 'quantity' was not sent.")
    if is_limit and not (params.price and params.time_in_force):
        raise WireError(errors.MANDATORY, "A limit order needs 'price' and 'timeInForce'.")
    if not is_limit and params.price:
        raise WireError(errors.Code(-1106, "Parameter 'price' sent when not required."))
    if params.time_in_force == "GTD":
        raise WireError(errors.MANDATORY, "timeInForce GTD is not offered here.")
    if params.reduce_only == "true" and params.position_side in ("LONG", "SHORT"):
        raise WireError(errors.Code(-1106, "Parameter 'reduceonly' sent when not required."))
    return PlaceOrder(
        call.account,
        params.symbol,
        BY_SIDE[params.side],
        contracts_of(grid, params.quantity),
        OrderKind.LIMIT if is_limit else OrderKind.MARKET,
        price_of(grid, params.price) if is_limit and params.price else None,
        TIMES[params.time_in_force or "GTC"] if is_limit else TimeInForce.IOC,
        params.reduce_only == "true",
        position_side(params.position_side, call.position_mode),
        client_id(params.new_client_order_id),
        _PREVENTION[params.self_trade_prevention_mode or "NONE"],
    )


def _accepted(call: Call, command: PlaceOrder) -> int:
    """Apply ``command`` and return the order's number, or raise what refused it."""
    made = call.venue.place(command)
    if isinstance(made, OrderAccepted):
        return made.order_id
    raise refusal_error(made.reason, made.message)


class OrderName(Params, frozen=True):
    symbol: str
    order_id: int | None = None
    orig_client_order_id: str | None = None


def find(call: Call, params: OrderName) -> KeptOrder | None:
    """Return the order of a number, which goes first, or of a client's id."""
    call.grid(params.symbol)
    if params.order_id is None and not params.orig_client_order_id:
        raise WireError(errors.MANDATORY, "Either orderId or origClientOrderId must be sent.")
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


def cancel(call: Call, params: OrderName) -> object:
    order = find(call, params)
    if order is None or not order.is_open:
        raise WireError(errors.CANCEL_REJECTED)
    _cancel(call, order)
    return order_row(order, call.grid(order.symbol))


def _cancel(call: Call, order: KeptOrder) -> None:
    command = CancelOrder(call.account, order.symbol, order_id=order.order_id)
    refusal = call.venue.refusal(call.venue.apply(command))
    if refusal is not None:
        raise refusal_error(refusal.reason, refusal.message)


class AmendParams(Params, frozen=True):
    symbol: str
    side: WireSide
    quantity: str
    price: str | None = None
    order_id: int | None = None
    orig_client_order_id: str | None = None
    price_match: str | None = None


def amend(call: Call, params: AmendParams) -> object:
    grid = call.grid(params.symbol)
    name = OrderName(params.symbol, params.order_id, params.orig_client_order_id)
    order = find(call, name)
    if order is None or not order.is_open:
        raise WireError(errors.NO_SUCH_ORDER)
    command = AmendOrder(
        call.account,
        params.symbol,
        order_id=order.order_id,
        price=price_of(grid, params.price) if params.price else None,
        contracts=contracts_of(grid, params.quantity),
    )
    refusal = call.venue.refusal(call.venue.apply(command))
    if refusal is not None:
        raise refusal_error(refusal.reason, refusal.message)
    return order_row(order, grid)


class OneSymbol(Params, frozen=True):
    symbol: str


def cancel_all(call: Call, params: OneSymbol) -> object:
    call.grid(params.symbol)
    for order in _open(call, params.symbol):
        if order.is_open:
            _cancel(call, order)
    return {"code": 200, "msg": "The operation of cancel all open order is done."}


class MaybeSymbol(Params, frozen=True):
    symbol: str | None = None


def open_orders(call: Call, params: MaybeSymbol) -> object:
    if params.symbol:
        call.grid(params.symbol)
    orders = _open(call, params.symbol)
    return [order_row(order, call.grid(order.symbol)) for order in orders]


def _open(call: Call, symbol: str | None) -> list[KeptOrder]:
    """Return orders in the book, oldest first."""
    return [
        order
        for order in reversed(call.records.newest_open_orders())
        if order.state is not OrderState.UNTRIGGERED and symbol in (None, order.symbol)
    ]


class OrderQuery(Params, frozen=True):
    symbol: str
    order_id: int | None = None
    start_time: int | None = None
    end_time: int | None = None
    limit: int = 500


def window(call: Call, start_ms: int | None, end_ms: int | None) -> tuple[int, int]:
    """Return the time asked for in microseconds; at most a week, the latest by default."""
    now_ms = call.venue.now() // 1_000
    if start_ms is not None and end_ms is not None and not 0 <= end_ms - start_ms <= _WEEK_MS:
        raise WireError(errors.Code(-4166, "Search window is restricted to recent 7 days."))
    if start_ms is None:
        start_ms = (now_ms if end_ms is None else end_ms) - _WEEK_MS
    if end_ms is None:
        end_ms = start_ms + _WEEK_MS
    return start_ms * 1_000, end_ms * 1_000 + 999


def all_orders(call: Call, params: OrderQuery) -> object:
    """Return orders, oldest first: those from a number on, or the latest of a time."""
    grid = call.grid(params.symbol)
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
    chosen = found[: params.limit] if is_forward else found[-params.limit :]
    return [order_row(order, grid) for order in chosen]


class FillQuery(Params, frozen=True):
    symbol: str
    order_id: int | None = None
    start_time: int | None = None
    end_time: int | None = None
    from_id: int | None = None
    limit: int = 500


def fills(call: Call, params: FillQuery) -> object:
    grid = call.grid(params.symbol)
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
    chosen = found[: params.limit] if is_forward else found[-params.limit :]
    return [fill_row(fill, grid) for fill in chosen]


class Batch(Params, frozen=True):
    batch_orders: str


class CancelBatch(Params, frozen=True):
    symbol: str
    order_id_list: str | None = None
    orig_client_order_id_list: str | None = None


_NEW = Reader(NewOrder, refuses_unknown=True)


def place_batch(call: Call, params: Batch) -> object:
    def leg(values: dict[str, Any]) -> object:
        texts = {name: _text(value) for name, value in values.items()}
        order = _NEW.read(texts)
        assert isinstance(order, NewOrder)
        return place(call, order)

    return _each(_list(params.batch_orders), leg)


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _list(text: str) -> list[Any]:
    try:
        return msgspec.json.decode(text, type=list[Any])
    except msgspec.MsgspecError as error:
        raise WireError(errors.MANDATORY, f"a list in JSON is expected: {error}") from error


def _each(legs: list[Any], do: Callable[[Any], object]) -> list[object]:
    """Do one leg after the other; each succeeds or is refused on its own."""
    if not 1 <= len(legs) <= max(_BATCH_MOST, 10):
        raise WireError(errors.Code(-4082, "Invalid number of batch place orders."))
    answers: list[object] = []
    for leg in legs:
        try:
            answers.append(do(leg))
        except WireError as error:
            answers.append({"code": error.code, "msg": error.message})
    return answers


def cancel_batch(call: Call, params: CancelBatch) -> object:
    symbol = params.symbol
    names = [OrderName(symbol, int(number)) for number in _list(params.order_id_list or "[]")]
    names += [
        OrderName(symbol, None, str(text))
        for text in _list(params.orig_client_order_id_list or "[]")
    ]
    return _each(names, lambda name: cancel(call, name))


ENDPOINTS = (
    Endpoint("POST", "/fapi/v1/order", NewOrder, place, TRADE, 0, is_order=True),
    Endpoint("PUT", "/fapi/v1/order", AmendParams, amend, TRADE, 1, is_order=True),
    Endpoint("GET", "/fapi/v1/order", OrderName, ask, READ),
    Endpoint("DELETE", "/fapi/v1/order", OrderName, cancel, TRADE),
    Endpoint("GET", "/fapi/v1/openOrder", OrderName, ask_open, READ),
    Endpoint("GET", "/fapi/v1/openOrders", MaybeSymbol, open_orders, READ),
    Endpoint("GET", "/fapi/v1/allOrders", OrderQuery, all_orders, READ, 5),
    Endpoint("DELETE", "/fapi/v1/allOpenOrders", OneSymbol, cancel_all, TRADE),
    Endpoint("POST", "/fapi/v1/batchOrders", Batch, place_batch, TRADE, 5, is_order=True),
    Endpoint("DELETE", "/fapi/v1/batchOrders", CancelBatch, cancel_batch, TRADE),
    Endpoint("GET", "/fapi/v1/userTrades", FillQuery, fills, READ, 5),
)
