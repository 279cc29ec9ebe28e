"""Conditional orders, which the venue keeps apart from orders: own ids, own endpoints."""

from typing import Literal

from simexchange.core.commands import CancelPlanOrder, PlacePlanOrder
from simexchange.core.events import PlanOrderAccepted
from simexchange.core.types import (
    RATE_SCALE,
    OrderKind,
    TimeInForce,
    TriggerBy,
    TriggerDirection,
)
from simexchange.server.binance import errors
from simexchange.server.binance.call import (
    READ,
    TRADE,
    Call,
    Endpoint,
    by_symbol,
    client_id,
    contracts_of,
    position_side,
    price_of,
)
from simexchange.server.binance.errors import WireError, refusal_error
from simexchange.server.binance.market import OneSymbol
from simexchange.server.binance.order_queries import MaybeSymbol
from simexchange.server.binance.orders import (
    BY_SIDE,
    TIMES,
    WireLeg,
    WireSide,
    WireTime,
    check_good_till,
    good_till_us,
)
from simexchange.server.binance.parameters import (
    Params,
    WireFlag,
    at_most,
    between_us,
    decimal,
    missing,
    not_required,
)
from simexchange.server.binance.rows import GOOD_TILL, algo_row, client_id_of
from simexchange.server.records.kept import NO_WORDS
from simexchange.server.records.rows import KeptOrder, OrderState, Origin

_ROWS_MOST = 1_000
_KINDS = ("STOP", "STOP_MARKET", "TAKE_PROFIT", "TAKE_PROFIT_MARKET", "TRAILING_STOP_MARKET")


class NewAlgo(Params, frozen=True):
    algo_type: Literal["CONDITIONAL"]
    symbol: str
    side: WireSide
    type: str
    position_side: WireLeg | None = None
    time_in_force: WireTime | None = None
    quantity: str | None = None
    price: str | None = None
    trigger_price: str | None = None
    working_type: Literal["MARK_PRICE", "CONTRACT_PRICE"] = "CONTRACT_PRICE"
    price_match: str | None = None
    close_position: WireFlag | None = None
    price_protect: Literal["TRUE", "FALSE", "true", "false"] | None = None
    reduce_only: WireFlag | None = None
    activate_price: str | None = None
    activation_price: str | None = None
    callback_rate: str | None = None
    client_algo_id: str | None = None
    self_trade_prevention_mode: str | None = None
    new_order_resp_type: str | None = None
    good_till_date: int | None = None


def place(call: Call, params: NewAlgo) -> object:
    command = _command(call, params)
    words = {GOOD_TILL: str(command.expires_at // 1_000)} if command.expires_at else {}
    records = call.venue.records
    records.describe_next(call.account, words)
    try:
        events = call.venue.apply(command)
    finally:
        records.next_words = NO_WORDS
    refusal = call.venue.refusal(events)
    if refusal is not None:
        raise refusal_error(refusal.reason, refusal.message)
    [made] = [event for event in events if isinstance(event, PlanOrderAccepted)]
    return algo_row(call.records.by_plan[made.plan_id], call.grid(params.symbol))


def _command(call: Call, params: NewAlgo) -> PlacePlanOrder:
    grid = call.grid(params.symbol)
    if params.type not in _KINDS:
        raise WireError(errors.NO_SUCH_TYPE)
    side, is_trailing = BY_SIDE[params.side], params.type == "TRAILING_STOP_MARKET"
    is_limit = params.type in ("STOP", "TAKE_PROFIT")
    closes_all = params.close_position == "true"
    _check_terms(params, is_limit=is_limit, is_trailing=is_trailing, closes_all=closes_all)
    rises = params.type.startswith("TAKE_PROFIT") is (side < 0)
    activation = params.activate_price or params.activation_price
    trigger_by = TriggerBy.MARK if params.working_type == "MARK_PRICE" else TriggerBy.LAST
    return PlacePlanOrder(
        account=call.account,
        symbol=params.symbol,
        side=side,
        contracts=0 if closes_all or not params.quantity else contracts_of(grid, params.quantity),
        trigger_price=0
        if is_trailing or not params.trigger_price
        else price_of(grid, params.trigger_price, "triggerPrice"),
        trigger_by=trigger_by,
        direction=None
        if is_trailing
        else (TriggerDirection.RISES if rises else TriggerDirection.FALLS),
        kind=OrderKind.LIMIT if is_limit else OrderKind.MARKET,
        price=price_of(grid, params.price) if is_limit and params.price else None,
        time_in_force=TIMES.get(params.time_in_force or "GTC", TimeInForce.GTC),
        reduce_only=params.reduce_only == "true" or closes_all,
        position_side=position_side(params.position_side, call.position_mode),
        client_order_id=client_id(params.client_algo_id),
        close_position=closes_all,
        attached=closes_all,
        callback_rate=_callback(params.callback_rate or "") if is_trailing else None,
        activation_price=price_of(grid, activation) if is_trailing and activation else None,
        expires_at=None
        if params.good_till_date is None
        else good_till_us(call, params.good_till_date),
        refuse_if_through=_has_price(call, params.symbol, trigger_by),
        price_protect=params.price_protect in ("TRUE", "true"),
    )


def _has_price(call: Call, symbol: str, by: TriggerBy) -> bool:
    """Say whether there is a price yet that could be through a trigger."""
    exchange = call.venue.exchange
    price = exchange.mark_price(symbol) if by is TriggerBy.MARK else exchange.last_price(symbol)
    return price is not None


def _check_terms(params: NewAlgo, *, is_limit: bool, is_trailing: bool, closes_all: bool) -> None:
    """Refuse terms that lack something."""
    if closes_all:
        _check_close(params, is_market=not (is_limit or is_trailing))
    elif not params.quantity:
        raise missing("quantity")
    if is_limit and not params.price:
        raise missing("price")
    if not is_trailing and not params.trigger_price:
        raise missing("triggerPrice")
    if is_trailing and not params.callback_rate:
        raise missing("callbackRate")
    _check_extras(params, is_limit=is_limit)


def _check_close(params: NewAlgo, *, is_market: bool) -> None:
    """Refuse what does not go with an order that closes the whole position."""
    if params.quantity:
        raise WireError(errors.QUANTITY_WITH_CLOSE)
    if not is_market:
        said = f"Target strategy invalid for orderType {params.type}, closePosition true"
        raise WireError(errors.Code(-4136, said))


def _check_extras(params: NewAlgo, *, is_limit: bool) -> None:
    """Refuse terms that do not belong to this order."""
    if not is_limit and params.price:
        raise not_required("price")
    if params.reduce_only == "true" and params.position_side in ("LONG", "SHORT"):
        raise not_required("reduceonly")
    check_good_till(params.time_in_force, params.good_till_date)
    if params.good_till_date is not None and not is_limit:
        raise not_required("goodtilldate")
    if params.price_match not in (None, "NONE"):
        raise WireError(errors.UNSUPPORTED, "priceMatch is not offered here.")


def _callback(text: str) -> int:
    """Return a callback rate, which comes in per cent with one decimal, as a rate."""
    whole, _, part = decimal("callbackRate", text).partition(".")
    part = part.rstrip("0")
    if len(part) > 1:
        raise WireError(errors.Code(-2007, "Invalid callBack rate."))
    rate = (int(whole) * 10 + int(part or 0)) * (RATE_SCALE // 1_000)
    if not RATE_SCALE // 1_000 <= rate <= RATE_SCALE // 10:
        raise WireError(errors.Code(-2007, "Invalid callBack rate."))
    return rate


class AlgoName(Params, frozen=True):
    symbol: str | None = None
    algo_id: int | None = None
    client_algo_id: str | None = None


def _find(call: Call, params: AlgoName) -> KeptOrder | None:
    if params.algo_id is None and not params.client_algo_id:
        raise WireError(
            errors.MANDATORY, "Param 'clientAlgoId' or 'algoId' must be sent, but both were empty!"
        )
    order = None
    if params.algo_id is not None:
        order = call.records.order(Origin.PLAN, params.algo_id)
    elif params.client_algo_id:
        order = call.records.by_client_id.get(params.client_algo_id)
    if order is None or order.trigger is None or params.symbol not in (None, order.symbol):
        return None
    return order


def ask(call: Call, params: AlgoName) -> object:
    order = _find(call, params)
    if order is None:
        raise WireError(errors.NO_SUCH_ORDER)
    return algo_row(order, call.grid(order.symbol))


def cancel(call: Call, params: AlgoName) -> object:
    order = _find(call, params)
    if order is None or order.state is not OrderState.UNTRIGGERED:
        raise WireError(errors.CANCEL_REJECTED)
    _cancel(call, order)
    return {
        "algoId": order.number,
        "clientAlgoId": client_id_of(order),
        "code": "200",
        "msg": "success",
    }


def _cancel(call: Call, order: KeptOrder) -> None:
    command = CancelPlanOrder(call.account, order.symbol, plan_id=order.plan_id)
    refusal = call.venue.refusal(call.venue.apply(command))
    if refusal is not None:
        raise refusal_error(refusal.reason, refusal.message)


def _waiting(call: Call, symbol: str | None) -> list[KeptOrder]:
    return [
        order
        for order in reversed(call.records.newest_open_orders())
        if order.state is OrderState.UNTRIGGERED and symbol in (None, order.symbol)
    ]


def cancel_all(call: Call, params: OneSymbol) -> object:
    call.grid(params.symbol)
    for order in _waiting(call, params.symbol):
        if order.is_open:
            _cancel(call, order)
    return {"code": 200, "msg": "The operation of cancel all open order is done."}


class OpenAlgos(MaybeSymbol, frozen=True):
    algo_type: str | None = None
    algo_id: int | None = None


def open_orders(call: Call, params: OpenAlgos) -> object:
    orders = _waiting(call, params.symbol)
    return [algo_row(order, call.grid(order.symbol)) for order in orders]


class AllAlgos(Params, frozen=True):
    symbol: str
    algo_id: int | None = None
    start_time: int | None = None
    end_time: int | None = None
    page: int | None = None
    limit: int = 500


def all_orders(call: Call, params: AllAlgos) -> object:
    """Return conditional orders of one instrument, oldest first."""
    grid, limit = call.grid(params.symbol), at_most(params.limit, _ROWS_MOST)
    start, end = between_us(params.start_time, params.end_time)
    found = [
        order
        for order in reversed(list(call.records.newest_orders()))
        if order.trigger is not None
        and order.symbol == params.symbol
        and start <= order.created_at <= end
        and (params.algo_id is None or order.number >= params.algo_id)
    ]
    is_forward = params.algo_id is not None or params.start_time is not None
    if params.page is not None:
        chosen = found[(params.page - 1) * limit : params.page * limit]
    else:
        chosen = found[:limit] if is_forward else found[-limit:]
    return [algo_row(order, grid) for order in chosen]


ENDPOINTS = (
    Endpoint("POST", "/fapi/v1/algoOrder", NewAlgo, place, TRADE, 0, orders=(1, 1)),
    Endpoint("GET", "/fapi/v1/algoOrder", AlgoName, ask, READ),
    Endpoint("DELETE", "/fapi/v1/algoOrder", AlgoName, cancel, TRADE),
    Endpoint("DELETE", "/fapi/v1/algoOpenOrders", OneSymbol, cancel_all, TRADE),
    Endpoint("GET", "/fapi/v1/openAlgoOrders", OpenAlgos, open_orders, READ, by_symbol(1, 40)),
    Endpoint("GET", "/fapi/v1/allAlgoOrders", AllAlgos, all_orders, READ, 5),
)
