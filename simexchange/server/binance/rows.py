"""Rows of orders, conditional orders, their changes, and fills."""

from simexchange.core.types import (
    RATE_SCALE,
    CancelReason,
    OrderKind,
    Side,
    TimeInForce,
    TriggerBy,
    TriggerDirection,
)
from simexchange.server.amounts import Grid, money_text
from simexchange.server.binance.call import NAMES_BY_SIDE
from simexchange.server.binance.market import Row, ms
from simexchange.server.records.rows import Amendment, KeptFill, KeptOrder, OrderState

SIDES = {Side.BUY: "BUY", Side.SELL: "SELL"}
_TIMES = {
    TimeInForce.GTC: "GTC",
    TimeInForce.IOC: "IOC",
    TimeInForce.FOK: "FOK",
    TimeInForce.POST_ONLY: "GTX",
}
GOOD_TILL = "goodTillDate"
"""The word of an order that ends at a date, with that date in milliseconds."""
_WORKING = {
    TriggerBy.LAST: "CONTRACT_PRICE",
    TriggerBy.MARK: "MARK_PRICE",
    TriggerBy.INDEX: "MARK_PRICE",
}
_STATES = {
    OrderState.NEW: "NEW",
    OrderState.PARTIALLY_FILLED: "PARTIALLY_FILLED",
    OrderState.FILLED: "FILLED",
    OrderState.REJECTED: "REJECTED",
    OrderState.TRIGGERED: "NEW",
}
_EXPIRED = {
    CancelReason.NO_LIQUIDITY,
    CancelReason.IMMEDIATE_OR_CANCEL,
    CancelReason.FILL_OR_KILL,
    CancelReason.REDUCE_ONLY,
    CancelReason.POST_ONLY,
    CancelReason.EXPIRED,
}


def status_of(order: KeptOrder) -> str:
    known = _STATES.get(order.state)
    if known is not None:
        return known
    if order.cancel_reason is CancelReason.SELF_TRADE:
        return "EXPIRED_IN_MATCH"
    return "EXPIRED" if order.cancel_reason in _EXPIRED else "CANCELED"


def client_id_of(order: KeptOrder) -> str:
    """Return the client's id, or the one that the venue gives an order without."""
    if order.is_forced:
        return f"autoclose-{order.number}"
    return order.client_order_id or f"sim{order.origin[0]}{order.number}"


def good_till_ms(order: KeptOrder) -> int:
    """Return when an order is to end, 0 for one that rests until it is filled or cancelled."""
    return int(order.words.get(GOOD_TILL, "0"))


def _time_in_force(order: KeptOrder) -> str:
    return "GTD" if GOOD_TILL in order.words else _TIMES[order.time_in_force]


def order_row(order: KeptOrder, grid: Grid) -> Row:
    words = order.words
    value = order.filled_ticks * grid.tick_value
    kind = "MARKET" if order.kind is OrderKind.MARKET else "LIMIT"
    return {
        "orderId": order.order_id,
        "symbol": order.symbol,
        "status": status_of(order),
        "clientOrderId": client_id_of(order),
        "price": grid.price(order.price) if order.price is not None else "0.00",
        "avgPrice": grid.average_price(value, order.filled) or "0.00",
        "origQty": grid.whole_quantity(order.contracts),
        "executedQty": grid.whole_quantity(order.filled),
        "cumQty": grid.whole_quantity(order.filled),
        "cumQuote": money_text(value),
        "timeInForce": "GTC" if kind == "MARKET" else _time_in_force(order),
        "type": kind,
        "reduceOnly": order.reduce_only,
        "closePosition": False,
        "side": SIDES[order.side],
        "positionSide": NAMES_BY_SIDE[order.position_side],
        "stopPrice": "0.00",
        "workingType": "CONTRACT_PRICE",
        "priceProtect": False,
        "origType": kind,
        "priceMatch": words.get("priceMatch", "NONE"),
        "selfTradePreventionMode": words.get("selfTradePreventionMode", "NONE"),
        "goodTillDate": good_till_ms(order),
        "time": ms(order.created_at),
        "updateTime": ms(order.updated_at),
    }


def algo_type(order: KeptOrder) -> str:
    """Return the kind of a conditional order: whether it waits for a profit or for a loss."""
    trigger = order.trigger
    assert trigger is not None, "only conditional orders have a kind"
    if trigger.callback_rate is not None:
        return "TRAILING_STOP_MARKET"
    waits_higher = trigger.direction is TriggerDirection.RISES
    takes_profit = waits_higher is (order.side is Side.SELL)
    name = "TAKE_PROFIT" if takes_profit else "STOP"
    return name if order.kind is OrderKind.LIMIT else f"{name}_MARKET"


_ALGO_STATES = {
    OrderState.UNTRIGGERED: "NEW",
    OrderState.TRIGGERED: "TRIGGERED",
    OrderState.DEACTIVATED: "CANCELED",
    OrderState.REJECTED: "REJECTED",
}


def _algo_status(order: KeptOrder) -> str:
    if order.order_id is None and order.cancel_reason is CancelReason.EXPIRED:
        return "EXPIRED"
    return _ALGO_STATES.get(order.state, "FINISHED")


def algo_row(order: KeptOrder, grid: Grid) -> Row:
    trigger = order.trigger
    assert trigger is not None, "only conditional orders are algo orders"
    value = order.filled_ticks * grid.tick_value
    return {
        "algoId": order.number,
        "clientAlgoId": client_id_of(order),
        "algoType": "CONDITIONAL",
        "orderType": algo_type(order),
        "symbol": order.symbol,
        "side": SIDES[order.side],
        "positionSide": NAMES_BY_SIDE[order.position_side],
        "timeInForce": _time_in_force(order),
        "quantity": grid.whole_quantity(order.contracts),
        "algoStatus": _algo_status(order),
        "actualOrderId": "" if order.order_id is None else str(order.order_id),
        "actualQty": grid.whole_quantity(order.filled),
        "actualType": "MARKET" if order.kind is OrderKind.MARKET else "LIMIT",
        "actualPrice": grid.average_price(value, order.filled) or "0.00",
        "triggerPrice": grid.price(trigger.price),
        "price": grid.price(order.price) if order.price is not None else "0.00",
        "icebergQuantity": None,
        "tpTriggerPrice": "0.000",
        "tpPrice": "0.000",
        "slTriggerPrice": "0.000",
        "slPrice": "0.000",
        "tpOrderType": "",
        "selfTradePreventionMode": "NONE",
        "workingType": _WORKING[trigger.by],
        "priceMatch": "NONE",
        "activatePrice": grid.price(trigger.price) if trigger.callback_rate is not None else "",
        "callbackRate": _percent(trigger.callback_rate),
        "closePosition": trigger.close_position,
        "priceProtect": trigger.price_protect,
        "reduceOnly": order.reduce_only,
        "createTime": ms(order.created_at),
        "updateTime": ms(order.updated_at),
        "triggerTime": ms(order.updated_at) if order.order_id is not None else 0,
        "goodTillDate": good_till_ms(order),
    }


def _percent(rate: int | None) -> str:
    """Return a callback rate in per cent with one decimal; empty for what does not trail."""
    if rate is None:
        return ""
    tenths = rate * 1_000 // RATE_SCALE
    return f"{tenths // 10}.{tenths % 10}"


def amendment_row(change: Amendment, grid: Grid) -> Row:
    order = change.order
    return {
        "amendmentId": change.number,
        "symbol": order.symbol,
        "pair": order.symbol,
        "orderId": order.order_id,
        "clientOrderId": client_id_of(order),
        "time": ms(change.at),
        "amendment": {
            "price": {"before": grid.price(change.price_before), "after": grid.price(change.price)},
            "origQty": {
                "before": grid.whole_quantity(change.contracts_before),
                "after": grid.whole_quantity(change.contracts),
            },
            "count": change.count,
        },
        "priceMatch": order.words.get("priceMatch", "NONE"),
    }


def fill_row(fill: KeptFill, grid: Grid) -> Row:
    return {
        "symbol": fill.symbol,
        "id": fill.number,
        "orderId": 0 if fill.order is None else fill.order.order_id,
        "side": SIDES[fill.side],
        "price": grid.price(fill.price),
        "qty": grid.whole_quantity(fill.contracts),
        "realizedPnl": money_text(fill.realized_pnl),
        "quoteQty": money_text(fill.value),
        "commission": money_text(fill.fee),
        "commissionAsset": grid.instrument.settle,
        "time": ms(fill.at),
        "positionSide": NAMES_BY_SIDE[fill.position_side],
        "maker": fill.is_maker,
        "buyer": fill.side is Side.BUY,
    }
