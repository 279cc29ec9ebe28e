"""Rows of orders, fills, positions and balances."""

from simexchange.core.types import (
    CancelReason,
    MarginMode,
    OrderKind,
    PositionSide,
    Side,
    TimeInForce,
    TriggerBy,
    TriggerDirection,
)
from simexchange.core.views import PositionView
from simexchange.server.amounts import Grid, money_text
from simexchange.server.binance.call import NAMES_BY_SIDE, Call
from simexchange.server.binance.market import Row, ms
from simexchange.server.records.rows import KeptFill, KeptOrder, OrderState

SIDES = {Side.BUY: "BUY", Side.SELL: "SELL"}
_TIMES = {
    TimeInForce.GTC: "GTC",
    TimeInForce.IOC: "IOC",
    TimeInForce.FOK: "FOK",
    TimeInForce.POST_ONLY: "GTX",
}
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
    return order.client_order_id or f"sim{order.origin[0]}{order.number}"


def order_row(order: KeptOrder, grid: Grid) -> Row:
    value = order.filled_ticks * grid.tick_value
    kind = "MARKET" if order.kind is OrderKind.MARKET else "LIMIT"
    return {
        "orderId": order.order_id,
        "symbol": order.symbol,
        "status": status_of(order),
        "clientOrderId": client_id_of(order),
        "price": grid.price(order.price) if order.price is not None else "0.00",
        "avgPrice": grid.average_price(value, order.filled) or "0.00",
        "origQty": grid.quantity(order.contracts),
        "executedQty": grid.quantity(order.filled),
        "cumQty": grid.quantity(order.filled),
        "cumQuote": money_text(value),
        "timeInForce": "GTC" if kind == "MARKET" else _TIMES[order.time_in_force],
        "type": kind,
        "reduceOnly": order.reduce_only,
        "closePosition": False,
        "side": SIDES[order.side],
        "positionSide": NAMES_BY_SIDE[order.position_side],
        "stopPrice": "0.00",
        "workingType": "CONTRACT_PRICE",
        "priceProtect": False,
        "origType": kind,
        "priceMatch": "NONE",
        "selfTradePreventionMode": "NONE",
        "goodTillDate": 0,
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
        "timeInForce": _TIMES[order.time_in_force],
        "quantity": grid.quantity(order.contracts),
        "algoStatus": _ALGO_STATES.get(order.state, "FINISHED"),
        "actualOrderId": "" if order.order_id is None else str(order.order_id),
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
        "closePosition": trigger.close_position,
        "priceProtect": False,
        "reduceOnly": order.reduce_only,
        "createTime": ms(order.created_at),
        "updateTime": ms(order.updated_at),
        "triggerTime": ms(order.updated_at) if order.order_id is not None else 0,
        "goodTillDate": 0,
    }


def fill_row(fill: KeptFill, grid: Grid) -> Row:
    return {
        "symbol": fill.symbol,
        "id": fill.number,
        "orderId": 0 if fill.order is None else fill.order.order_id,
        "side": SIDES[fill.side],
        "price": grid.price(fill.price),
        "qty": grid.quantity(fill.contracts),
        "realizedPnl": money_text(fill.realized_pnl),
        "quoteQty": money_text(fill.value),
        "commission": money_text(fill.fee),
        "commissionAsset": grid.instrument.settle,
        "time": ms(fill.at),
        "positionSide": NAMES_BY_SIDE[fill.position_side],
        "maker": fill.is_maker,
        "buyer": fill.side is Side.BUY,
    }


def signed(view: PositionView) -> int:
    return -view.contracts if view.position_side is PositionSide.SHORT else view.contracts


def position_row(call: Call, view: PositionView, grid: Grid) -> Row:
    """Return a position as version 2 has it, with leverage and margin type."""
    held, symbol = signed(view), view.symbol
    mark = call.venue.exchange.mark_price(symbol)
    notional = 0 if mark is None else grid.value(held * mark)
    kept = call.records.positions.get((symbol, view.position_side))
    isolated = view.margin if view.margin_mode is MarginMode.ISOLATED and held else 0
    quantity = grid.quantity(abs(held))
    margin = view.margin if held else 0
    return {
        "symbol": symbol,
        "positionSide": NAMES_BY_SIDE[view.position_side],
        "positionAmt": f"-{quantity}" if held < 0 else quantity,
        "entryPrice": grid.average_price(view.entry_cost, abs(held)) or "0.0",
        "breakEvenPrice": grid.average_price(view.entry_cost, abs(held)) or "0.0",
        "markPrice": grid.price(mark),
        "unRealizedProfit": money_text(view.unrealized_pnl),
        "liquidationPrice": grid.price(view.liquidation_price) if held else "0",
        "leverage": str(view.leverage),
        "maxNotionalValue": money_text(_most(view, grid)),
        "marginType": str(view.margin_mode),
        "isolated": view.margin_mode is MarginMode.ISOLATED,
        "isolatedMargin": money_text(isolated + view.unrealized_pnl if isolated else 0),
        "isAutoAddMargin": "false",
        "notional": money_text(notional),
        "marginAsset": grid.instrument.settle,
        "isolatedWallet": money_text(isolated),
        "initialMargin": money_text(margin),
        "maintMargin": money_text(view.maintenance_margin),
        "positionInitialMargin": money_text(margin),
        "openOrderInitialMargin": "0",
        "adl": call.venue.lights(call.account, symbol, view.position_side) - 1 if held else 0,
        "bidNotional": "0",
        "askNotional": "0",
        "updateTime": 0 if kept is None else ms(kept.updated_at),
    }


def _most(view: PositionView, grid: Grid) -> int:
    """Return the largest notional that the leverage allows."""
    ends = [tier.floor for tier in grid.instrument.tiers[1:]] + [10**20]
    allowed = [
        end
        for tier, end in zip(grid.instrument.tiers, ends, strict=True)
        if view.leverage <= tier.max_leverage
    ]
    return max(allowed, default=0)
