"""Rows of orders and executions, with all fields that the venue documents."""

from simexchange.core.types import (
    CancelReason,
    OrderKind,
    RejectReason,
    Side,
    TimeInForce,
    TriggerBy,
    TriggerDirection,
)
from simexchange.server.amounts import Grid, money_text, rate_text
from simexchange.server.bybit.ids import execution_id_of, order_id_of
from simexchange.server.bybit.paging import ms
from simexchange.server.bybit.parameters import position_index
from simexchange.server.records.rows import FillKind, KeptFill, KeptOrder, OrderState

Row = dict[str, object]

SIDES = {Side.BUY: "Buy", Side.SELL: "Sell"}
STATES = {
    OrderState.UNTRIGGERED: "Untriggered",
    OrderState.TRIGGERED: "Triggered",
    OrderState.NEW: "New",
    OrderState.PARTIALLY_FILLED: "PartiallyFilled",
    OrderState.FILLED: "Filled",
    OrderState.CANCELLED: "Cancelled",
    OrderState.REJECTED: "Rejected",
    OrderState.DEACTIVATED: "Deactivated",
}
TIMES_IN_FORCE = {
    TimeInForce.GTC: "GTC",
    TimeInForce.IOC: "IOC",
    TimeInForce.FOK: "FOK",
    TimeInForce.POST_ONLY: "PostOnly",
}
TRIGGERS_BY = {
    TriggerBy.LAST: "LastPrice",
    TriggerBy.MARK: "MarkPrice",
    TriggerBy.INDEX: "IndexPrice",
}
_CANCEL_TYPES = {
    CancelReason.REQUESTED: "CancelByUser",
    CancelReason.REDUCE_ONLY: "CancelByReduceOnly",
    CancelReason.SELF_TRADE: "CancelBySmp",
    CancelReason.LIQUIDATION: "CancelAllBeforeLiq",
    CancelReason.DELEVERAGED: "CancelAllBeforeAdl",
    CancelReason.POSITION_CLOSED: "CancelByTpSlTsClear",
    CancelReason.SIBLING_FIRED: "CancelByTpSlTsClear",
    CancelReason.INSUFFICIENT_MARGIN: "CancelByPrepareLiq",
    CancelReason.CLOSE_ON_TRIGGER: "CancelByReduceOnly",
}
_REJECT_REASONS = {
    CancelReason.REQUESTED: "EC_PerCancelRequest",
    CancelReason.NO_LIQUIDITY: "EC_NoImmediateQtyToFill",
    CancelReason.IMMEDIATE_OR_CANCEL: "EC_NoImmediateQtyToFill",
    CancelReason.FILL_OR_KILL: "EC_CancelForNoFullFill",
    CancelReason.POST_ONLY: "EC_PostOnlyWillTakeLiquidity",
    CancelReason.SELF_TRADE: "EC_CancelBySmp",
    CancelReason.INSUFFICIENT_MARGIN: "EC_QtyCannotBeZero",
}
_REFUSALS = {
    RejectReason.POST_ONLY_WOULD_CROSS: "EC_PostOnlyWillTakeLiquidity",
    RejectReason.INSUFFICIENT_MARGIN: "EC_AbNotEnoughForNewOrder",
    RejectReason.REDUCE_ONLY_REJECTED: "EC_ReachMaxReduceOnlyQty",
    RejectReason.NO_POSITION: "EC_PositionIsZero",
}
_FILL_KINDS = {
    FillKind.TRADE: "Trade",
    FillKind.FUNDING: "Funding",
    FillKind.LIQUIDATION: "BustTrade",
    FillKind.TAKEOVER: "BustTrade",
    FillKind.DELEVERAGING: "AdlTrade",
}


def stop_type(order: KeptOrder) -> str:
    """Return the kind of stop order, empty for a plain one.

    A stop that belongs to a position takes profit when it waits for the price to move in the
    position's favour.
    """
    trigger = order.trigger
    if trigger is None:
        return ""
    if not trigger.attached:
        return "Stop"
    if trigger.callback_rate is not None:
        return "TrailingStop"
    rises_for_profit = order.side is Side.SELL
    takes_profit = (trigger.direction is TriggerDirection.RISES) is rises_for_profit
    name = "TakeProfit" if takes_profit else "StopLoss"
    return name if trigger.close_position else f"Partial{name}"


def _create_type(order: KeptOrder) -> str:
    if order.is_forced:
        return "CreateByLiq"
    kind = stop_type(order)
    if kind in ("", "Stop"):
        return "CreateByUser"
    return f"CreateBy{kind}"


def order_row(order: KeptOrder, grid: Grid) -> Row:
    leaves, fee = order.remaining, money_text(order.fee)
    value = order.filled_ticks * grid.tick_value
    shown_price = order.price if order.price is not None else 0
    return {
        "orderId": order_id_of(order),
        "orderLinkId": order.client_order_id or "",
        "blockTradeId": "",
        "symbol": order.symbol,
        "category": "linear",
        "price": grid.prices.text(shown_price) if shown_price else "0",
        "qty": grid.quantity(order.contracts),
        "side": SIDES[order.side],
        "isLeverage": "",
        "positionIdx": position_index(order.position_side),
        "orderStatus": STATES[order.state],
        "createType": _create_type(order),
        "cancelType": _cancel_type(order),
        "rejectReason": _reject_reason(order),
        "avgPrice": grid.average_price(value, order.filled),
        "leavesQty": grid.quantity(leaves),
        "leavesValue": money_text(leaves * shown_price * grid.tick_value),
        "cumExecQty": grid.quantity(order.filled),
        "cumExecValue": money_text(value),
        "cumExecFee": fee,
        "cumFeeDetail": {grid.instrument.settle: fee} if order.filled else {},
        "timeInForce": order.words.get("timeInForce") or TIMES_IN_FORCE[order.time_in_force],
        "orderType": "Market" if order.kind is OrderKind.MARKET else "Limit",
        "orderIv": "",
        "marketUnit": "",
        "slippageToleranceType": "UNKNOWN",
        "slippageTolerance": "",
        **_stop_fields(order, grid),
        "lastPriceOnCreated": grid.price(order.last_price),
        "reduceOnly": order.reduce_only,
        "placeType": "",
        "smpType": order.words.get("smpType", "None"),
        "smpGroup": 0,
        "smpOrderId": "",
        "createdTime": ms(order.created_at),
        "updatedTime": ms(order.updated_at),
    }


def _stop_fields(order: KeptOrder, grid: Grid) -> Row:
    """Return what fires the order, and the stops it sets when it fills."""
    trigger, words = order.trigger, order.words
    direction = 0
    if trigger is not None:
        direction = 1 if trigger.direction is TriggerDirection.RISES else 2
    return {
        "stopOrderType": stop_type(order),
        "ocoTriggerBy": "",
        "triggerPrice": "" if trigger is None or not trigger.price else grid.price(trigger.price),
        "triggerDirection": direction,
        "triggerBy": "" if trigger is None else TRIGGERS_BY[trigger.by],
        "closeOnTrigger": "closeOnTrigger" in words
        or (trigger is not None and trigger.close_position),
        "takeProfit": words.get("takeProfit", ""),
        "stopLoss": words.get("stopLoss", ""),
        "tpslMode": words.get("tpslMode", ""),
        "tpTriggerBy": words.get("tpTriggerBy", ""),
        "slTriggerBy": words.get("slTriggerBy", ""),
        "tpLimitPrice": words.get("tpLimitPrice", ""),
        "slLimitPrice": words.get("slLimitPrice", ""),
    }


def _cancel_type(order: KeptOrder) -> str:
    if order.cancel_reason is None:
        return "UNKNOWN"
    return _CANCEL_TYPES.get(order.cancel_reason, "UNKNOWN")


def _reject_reason(order: KeptOrder) -> str:
    if order.reject_reason is not None:
        return _REFUSALS.get(order.reject_reason, "EC_Others")
    if order.cancel_reason is not None:
        return _REJECT_REASONS.get(order.cancel_reason, "EC_NoError")
    return "EC_NoError"


def pushed_order_row(order: KeptOrder, grid: Grid) -> Row:
    """Return the row as the order stream has it."""
    row = order_row(order, grid)
    row["feeCurrency"] = grid.instrument.settle
    row["closedPnl"] = money_text(order.realized_pnl)
    return row


def execution_row(fill: KeptFill, grid: Grid) -> Row:
    order = fill.order
    leaves = fill.order_contracts - fill.order_filled
    order_price = fill.order_price
    is_market = order is None or order.kind is OrderKind.MARKET
    return {
        "symbol": fill.symbol,
        "orderId": "" if order is None else order_id_of(order),
        "orderLinkId": "" if order is None else order.client_order_id or "",
        "side": SIDES[fill.side],
        "orderPrice": grid.price(order_price) if order_price else "0",
        "orderQty": grid.quantity(fill.order_contracts),
        "leavesQty": grid.quantity(leaves),
        "createType": "CreateByUser" if order is None else _create_type(order),
        "orderType": "UNKNOWN" if fill.kind is FillKind.FUNDING else _order_type(is_market),
        "stopOrderType": "" if order is None else stop_type(order),
        "execFee": money_text(fill.fee),
        "execFeeV2": "",
        "execId": execution_id_of(fill),
        "execPrice": grid.price(fill.price),
        "execQty": grid.quantity(fill.contracts),
        "execType": _FILL_KINDS[fill.kind],
        "execValue": money_text(fill.value),
        "execTime": ms(fill.at),
        "execPnl": money_text(fill.realized_pnl),
        "feeCurrency": grid.instrument.settle,
        "feeRate": rate_text(fill.fee_rate),
        "isMaker": fill.is_maker,
        "tradeIv": "",
        "markIv": "",
        "markPrice": grid.price(fill.mark),
        "indexPrice": grid.price(fill.index),
        "underlyingPrice": "",
        "blockTradeId": "",
        "closedSize": grid.quantity(fill.closed_contracts),
        "extraFees": "",
        "seq": fill.sequence,
    }


def pushed_execution_row(fill: KeptFill, grid: Grid) -> Row:
    """Return the row as the execution stream has it."""
    row = execution_row(fill, grid)
    row["category"] = "linear"
    row["isLeverage"] = "0"
    return row


_FAST = ("symbol", "execId", "execPrice", "execQty", "orderId", "isMaker", "orderLinkId", "side")


def fast_execution_row(fill: KeptFill, grid: Grid) -> Row:
    """Return the little that the fast execution stream has."""
    row = execution_row(fill, grid)
    fast: Row = {"category": "linear"}
    fast.update((name, row[name]) for name in (*_FAST, "execTime", "seq"))
    return fast


def _order_type(is_market: bool) -> str:  # noqa: FBT001 - a name for each of two values
    return "Market" if is_market else "Limit"
