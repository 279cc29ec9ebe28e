"""Orders: create, amend, cancel, one by one, in batches, all at once."""

from collections.abc import Callable
from typing import Any, Literal

from simexchange.core.commands import (
    AmendOrder,
    AmendPlanOrder,
    CancelOrder,
    CancelPlanOrder,
    PlaceOrder,
    PlacePlanOrder,
)
from simexchange.core.events import OrderAccepted, PlanOrderAccepted
from simexchange.core.types import CancelReason, RejectReason, TriggerDirection
from simexchange.server.bybit import errors
from simexchange.server.bybit.call import ORDER, Answer, Call, Endpoint, require_linear
from simexchange.server.bybit.errors import WireError, refusal_error
from simexchange.server.bybit.ids import order_from_id, order_id_of, order_id_text
from simexchange.server.bybit.order_forms import (
    CreateOrder,
    StopMode,
    WireTriggerBy,
    command_from,
    contracts_of,
    is_zero,
    price_of,
    words_of,
)
from simexchange.server.bybit.parameters import Category, Params, Reader, Text
from simexchange.server.limits import Quota
from simexchange.server.records.kept import NO_WORDS
from simexchange.server.records.order_notes import refused_order
from simexchange.server.records.rows import KeptOrder, OrderState, Origin
from simexchange.server.venue import Refused

_BATCH_MOST = 20
_QUOTA = Quota(20)


def create(call: Call, params: CreateOrder) -> object:
    command = command_from(call, params)
    words = words_of(call, params)
    records = call.venue.records
    if words:
        records.describe_next(call.account, words)
    try:
        if isinstance(command, PlacePlanOrder):
            return _create_plan(call, command)
        made = call.venue.place(command)
    finally:
        records.describe_next(*NO_WORDS)
    if not isinstance(made, OrderAccepted):
        return _refused(call, command, made)
    return _ids(order_id_text(Origin.ORDER, made.order_id), made.client_order_id)


def _create_plan(call: Call, command: PlacePlanOrder) -> object:
    events = call.venue.apply(command)
    refusal = call.venue.refusal(events)
    if refusal is not None:
        raise _plan_error(call, command, refusal)
    [made] = [event for event in events if isinstance(event, PlanOrderAccepted)]
    return _ids(order_id_text(Origin.PLAN, made.plan_id), made.client_order_id)


def _ids(order_id: str, client_order_id: str | None) -> dict[str, str]:
    return {"orderId": order_id, "orderLinkId": client_order_id or ""}


def _refused(call: Call, command: PlaceOrder, refusal: Refused) -> object:
    """Answer a refusal: the venue takes a post-only order that would trade, and cancels it."""
    if refusal.reason is not RejectReason.POST_ONLY_WOULD_CROSS:
        raise refusal_error(refusal.reason, refusal.message)
    order = refused_order(
        call.venue.records,
        account=call.account,
        symbol=command.symbol,
        side=command.side,
        position_side=command.position_side,
        price=command.price,
        contracts=command.contracts,
        time_in_force=command.time_in_force,
        client_order_id=command.client_order_id,
        at=call.venue.exchange.now,
        reason=refusal.reason,
        cancel_reason=CancelReason.POST_ONLY,
    )
    call.venue.records.keep_refused(order)
    return _ids(order_id_of(order), command.client_order_id)


def _plan_error(call: Call, command: PlacePlanOrder, refusal: Refused) -> WireError:
    if refusal.reason is RejectReason.NO_POSITION:
        return WireError(errors.REDUCE_ONLY)
    if refusal.reason is not RejectReason.WOULD_TRIGGER_NOW:
        return refusal_error(refusal.reason, refusal.message)
    rises = command.direction is TriggerDirection.RISES
    code = errors.TRIGGER_RISING if rises else errors.TRIGGER_FALLING
    trigger = call.grid(command.symbol).price(command.trigger_price)
    relation = "<=" if rises else ">="
    return WireError(code, f"{code.message}, but trigger_price[{trigger}] {relation} current")


# ---------------------------------------------------------------------------- amend and cancel


class AmendParams(Params, frozen=True):
    category: Category
    symbol: str
    order_id: Text = None
    order_link_id: Text = None
    order_iv: Text = None
    trigger_price: Text = None
    qty: Text = None
    price: Text = None
    tpsl_mode: StopMode | None = None
    take_profit: Text = None
    stop_loss: Text = None
    tp_trigger_by: WireTriggerBy | None = None
    sl_trigger_by: WireTriggerBy | None = None
    trigger_by: WireTriggerBy | None = None
    tp_limit_price: Text = None
    sl_limit_price: Text = None


def amend(call: Call, params: AmendParams) -> object:
    order = _open_order(call, params.category, params.symbol, params.order_id, params.order_link_id)
    grid = call.grid(params.symbol)
    contracts = contracts_of(grid, params.qty) if params.qty else None
    price = price_of(grid, params.price) if params.price else None
    trigger = price_of(grid, params.trigger_price, "triggerPrice") if params.trigger_price else None
    if contracts is not None and contracts <= order.filled:
        raise WireError(
            errors.Code(110064, "The quantity must be larger than what has been filled.")
        )
    words = _amended_words(params)
    if contracts is None and price is None and trigger is None:
        if not words:
            raise WireError(errors.PARAMETER, "params error: nothing to amend was given")
    else:
        command: AmendOrder | AmendPlanOrder
        if order.state is OrderState.UNTRIGGERED:
            command = AmendPlanOrder(
                call.account,
                params.symbol,
                plan_id=order.plan_id,
                trigger_price=trigger,
                price=price,
                contracts=contracts,
            )
        else:
            command = AmendOrder(
                call.account,
                params.symbol,
                order_id=order.order_id,
                price=price,
                contracts=contracts,
            )
        refusal = call.venue.refusal(call.venue.apply(command))
        if refusal is not None:
            raise refusal_error(refusal.reason, refusal.message)
    order.words = {**order.words, **words}
    return _ids(order_id_of(order), order.client_order_id)


def _amended_words(params: AmendParams) -> dict[str, str]:
    given = {
        "takeProfit": params.take_profit,
        "stopLoss": params.stop_loss,
        "tpTriggerBy": params.tp_trigger_by,
        "slTriggerBy": params.sl_trigger_by,
        "tpLimitPrice": params.tp_limit_price,
        "slLimitPrice": params.sl_limit_price,
        "tpslMode": params.tpsl_mode,
    }
    return {name: "" if is_zero(text) else text for name, text in given.items() if text}


class CancelParams(Params, frozen=True):
    category: Category
    symbol: str
    order_id: Text = None
    order_link_id: Text = None
    order_filter: Text = None


def cancel(call: Call, params: CancelParams) -> object:
    order = _open_order(call, params.category, params.symbol, params.order_id, params.order_link_id)
    cancel_order(call, order)
    return _ids(order_id_of(order), order.client_order_id)


def cancel_order(call: Call, order: KeptOrder) -> None:
    """Cancel an order or plan order that was open a moment ago."""
    if order.state is OrderState.UNTRIGGERED:
        command = CancelPlanOrder(call.account, order.symbol, plan_id=order.plan_id)
    else:
        command = CancelOrder(call.account, order.symbol, order_id=order.order_id)
    refusal = call.venue.refusal(call.venue.apply(command))
    if refusal is not None:
        raise refusal_error(refusal.reason, refusal.message)


def _open_order(
    call: Call, category: str, symbol: str, order_id: str | None, link: str | None
) -> KeptOrder:
    require_linear(category)
    call.grid(symbol)
    if not order_id and not link:
        raise WireError(errors.PARAMETER, "params error: orderId or orderLinkId is required")
    order = find_order(call, order_id, link)
    if order is None or not order.is_open or order.symbol != symbol:
        raise WireError(errors.ORDER_NOT_FOUND)
    return order


def find_order(call: Call, order_id: str | None, link: str | None) -> KeptOrder | None:
    """Return the order of an id, which goes first, or of a client's id."""
    if order_id:
        place = order_from_id(order_id)
        return None if place is None else call.records.order(*place)
    return call.records.by_client_id.get(link or "")


# ---------------------------------------------------------------------------- all, batches


class CancelAllParams(Params, frozen=True):
    category: Category
    symbol: Text = None
    base_coin: Text = None
    settle_coin: Text = None
    order_filter: Literal["Order", "StopOrder", "tpslOrder", "OpenOrder"] | None = None
    stop_order_type: Text = None


def cancel_all(call: Call, params: CancelAllParams) -> object:
    require_linear(params.category)
    if not (params.symbol or params.base_coin or params.settle_coin):
        raise WireError(
            errors.PARAMETER,
            "Missing some parameters that must be filled in, symbol or settleCoin or baseCoin",
        )
    if params.symbol:
        call.grid(params.symbol)
    rows: list[dict[str, str]] = []
    for order in call.records.newest_open_orders():
        if not _is_meant(call, order, params):
            continue
        if order.is_open:  # an earlier cancel may have taken its sibling along
            cancel_order(call, order)
        rows.append(_ids(order_id_of(order), order.client_order_id))
    return {"list": rows, "success": "1"}


def _is_meant(call: Call, order: KeptOrder, params: CancelAllParams) -> bool:
    instrument = call.grid(order.symbol).instrument
    waits = order.state is OrderState.UNTRIGGERED
    is_attached = order.trigger is not None and order.trigger.attached
    wanted = {
        None: True,
        "Order": not waits,
        "OpenOrder": not waits,
        "StopOrder": waits and not (is_attached and params.stop_order_type == "Stop"),
        "tpslOrder": waits and is_attached,
    }[params.order_filter]
    return (
        wanted
        and params.symbol in (None, order.symbol)
        and params.base_coin in (None, instrument.base)
        and params.settle_coin in (None, instrument.settle)
    )


class Batch(Params, frozen=True):
    category: Category
    request: list[dict[str, Any]]


_CREATE = Reader(CreateOrder, refuses_unknown=True)
_AMEND = Reader(AmendParams, refuses_unknown=True)
_CANCEL = Reader(CancelParams, refuses_unknown=True)


def create_batch(call: Call, params: Batch) -> object:
    def leg(values: dict[str, Any]) -> dict[str, object]:
        made = create(call, _CREATE.mapping(values))  # pyright: ignore[reportArgumentType] - reads it
        assert isinstance(made, dict)
        return {**made, "createAt": str(call.venue.now() // 1_000)}

    return _each(params, leg)


def amend_batch(call: Call, params: Batch) -> object:
    return _each(params, lambda values: amend(call, _AMEND.mapping(values)))  # type: ignore[arg-type]


def cancel_batch(call: Call, params: Batch) -> object:
    return _each(params, lambda values: cancel(call, _CANCEL.mapping(values)))  # type: ignore[arg-type]


def _each(params: Batch, do: Callable[[dict[str, Any]], object]) -> Answer:
    """Do one leg after the other; each succeeds or is refused on its own."""
    require_linear(params.category)
    if not 1 <= len(params.request) <= _BATCH_MOST:
        raise WireError(errors.PARAMETER, f"params error: request takes 1 to {_BATCH_MOST} orders")
    rows: list[dict[str, object]] = []
    outcomes: list[dict[str, object]] = []
    for values in params.request:
        row: dict[str, object] = {
            "category": params.category,
            "symbol": values.get("symbol", ""),
            "orderId": values.get("orderId", ""),
            "orderLinkId": values.get("orderLinkId", ""),
        }
        try:
            done = do({"category": params.category, **values})
            assert isinstance(done, dict)
            row |= done
            outcomes.append({"code": 0, "msg": "OK"})
        except WireError as error:
            outcomes.append({"code": error.code, "msg": error.message})
        rows.append(row)
    return Answer({"list": rows}, {"list": outcomes})


ENDPOINTS = (
    Endpoint("POST", "/v5/order/create", CreateOrder, create, ORDER, _QUOTA),
    Endpoint("POST", "/v5/order/amend", AmendParams, amend, ORDER, _QUOTA),
    Endpoint("POST", "/v5/order/cancel", CancelParams, cancel, ORDER, _QUOTA),
    Endpoint("POST", "/v5/order/cancel-all", CancelAllParams, cancel_all, ORDER, _QUOTA),
    Endpoint("POST", "/v5/order/create-batch", Batch, create_batch, ORDER, _QUOTA),
    Endpoint("POST", "/v5/order/amend-batch", Batch, amend_batch, ORDER, _QUOTA),
    Endpoint("POST", "/v5/order/cancel-batch", Batch, cancel_batch, ORDER, _QUOTA),
)
