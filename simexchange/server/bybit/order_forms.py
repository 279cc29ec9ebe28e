"""What a request for an order asks the exchange for."""

from typing import Literal

from simexchange.core.commands import PlaceOrder, PlacePlanOrder
from simexchange.core.types import (
    OrderKind,
    PositionSide,
    SelfTradePrevention,
    Side,
    TimeInForce,
    TriggerBy,
    TriggerDirection,
)
from simexchange.server.amounts import Grid
from simexchange.server.bybit import errors
from simexchange.server.bybit.call import Call, require_linear
from simexchange.server.bybit.errors import WireError
from simexchange.server.bybit.market import price_problem
from simexchange.server.bybit.parameters import (
    Category,
    Flag,
    Params,
    Text,
    Whole,
    link_id,
    position_side,
)

WireSide = Literal["Buy", "Sell"]
WireTriggerBy = Literal["LastPrice", "MarkPrice", "IndexPrice"]
StopMode = Literal["Full", "Partial"]
StopKind = Literal["Market", "Limit"]

BY_SIDE = {"Buy": Side.BUY, "Sell": Side.SELL}
BY_TRIGGER = {
    "LastPrice": TriggerBy.LAST,
    "MarkPrice": TriggerBy.MARK,
    "IndexPrice": TriggerBy.INDEX,
}
_BY_TIME_IN_FORCE = {
    "GTC": TimeInForce.GTC,
    "IOC": TimeInForce.IOC,
    "FOK": TimeInForce.FOK,
    "PostOnly": TimeInForce.POST_ONLY,
    "RPI": TimeInForce.POST_ONLY,
}
_BY_PREVENTION = {
    "None": SelfTradePrevention.NONE,
    "CancelTaker": SelfTradePrevention.TAKER,
    "CancelMaker": SelfTradePrevention.MAKER,
    "CancelBoth": SelfTradePrevention.BOTH,
}


class CreateOrder(Params, frozen=True):
    category: Category
    symbol: str
    side: WireSide
    order_type: Literal["Market", "Limit"]
    qty: str
    is_leverage: Whole = None
    market_unit: Text = None
    slippage_tolerance_type: Text = None
    slippage_tolerance: Text = None
    price: Text = None
    trigger_direction: Whole = None
    order_filter: Text = None
    trigger_price: Text = None
    trigger_by: WireTriggerBy | None = None
    order_iv: Text = None
    time_in_force: Literal["GTC", "IOC", "FOK", "PostOnly", "RPI"] | None = None
    position_idx: Whole = None
    order_link_id: Text = None
    take_profit: Text = None
    stop_loss: Text = None
    tp_trigger_by: WireTriggerBy | None = None
    sl_trigger_by: WireTriggerBy | None = None
    reduce_only: Flag = None
    close_on_trigger: Flag = None
    smp_type: Literal["None", "CancelTaker", "CancelMaker", "CancelBoth"] | None = None
    mmp: Flag = None
    tpsl_mode: StopMode | None = None
    tp_limit_price: Text = None
    sl_limit_price: Text = None
    tp_order_type: StopKind | None = None
    sl_order_type: StopKind | None = None
    bbo_side_type: Text = None
    bbo_level: Text = None


def price_of(grid: Grid, text: str, name: str = "price") -> int:
    """Return a price text in ticks; errors are the client's."""
    try:
        ticks = grid.prices.count(text)
    except ValueError as error:
        raise WireError(errors.PARAMETER, f"params error: {name} invalid: {error}") from error
    problem = price_problem(ticks)
    if problem is not None:
        raise WireError(errors.PRICE_RANGE, f"{errors.PRICE_RANGE.message} ({name}: {problem})")
    return ticks


def contracts_of(grid: Grid, text: str, name: str = "qty") -> int:
    """Return a base quantity in contracts; errors are the client's."""
    try:
        contracts = grid.quantities.count(text)
    except ValueError as error:
        raise WireError(errors.PARAMETER, f"Qty invalid ({name}: {error})") from error
    if contracts % grid.instrument.contracts_step:
        raise WireError(errors.PARAMETER, f"Qty invalid ({name}: {text} is off the quantity step)")
    return contracts


def command_from(call: Call, params: CreateOrder) -> PlaceOrder | PlacePlanOrder:
    """Return the command that a request means; refuses what contradicts itself."""
    require_linear(params.category)
    grid = call.grid(params.symbol)
    leg = position_side(params.position_idx, call.position_mode)
    is_limit = params.order_type == "Limit"
    if is_limit and not params.price:
        raise WireError(errors.PARAMETER, "params error: price is required for a limit order")
    price = price_of(grid, params.price) if is_limit and params.price else None
    side = BY_SIDE[params.side]
    contracts = contracts_of(grid, params.qty)
    closes_all = contracts == 0 and bool(params.reduce_only and params.close_on_trigger)
    if contracts == 0 and not closes_all:
        raise WireError(errors.PARAMETER, errors.QUANTITY_INVALID)
    time_in_force = TimeInForce.IOC
    if is_limit:
        time_in_force = _BY_TIME_IN_FORCE[params.time_in_force or "GTC"]
    if params.trigger_price:
        return _plan(call, params, grid, leg, price, contracts, time_in_force)
    if closes_all:
        contracts = closable(call, params.symbol, leg, side)
    return PlaceOrder(
        call.account,
        params.symbol,
        side,
        contracts,
        OrderKind.LIMIT if is_limit else OrderKind.MARKET,
        price,
        time_in_force,
        bool(params.reduce_only or params.close_on_trigger),
        leg,
        link_id(params.order_link_id),
        _BY_PREVENTION[params.smp_type or "None"],
        bool(params.close_on_trigger),
    )


def _plan(  # noqa: PLR0913, PLR0917 - what was read of the request so far
    call: Call,
    params: CreateOrder,
    grid: Grid,
    leg: PositionSide,
    price: int | None,
    contracts: int,
    time_in_force: TimeInForce,
) -> PlacePlanOrder:
    if params.trigger_direction not in (1, 2):
        raise WireError(errors.PARAMETER, "TriggerDirection invalid")
    assert params.trigger_price is not None
    return PlacePlanOrder(
        account=call.account,
        symbol=params.symbol,
        side=BY_SIDE[params.side],
        contracts=contracts,
        trigger_price=price_of(grid, params.trigger_price, "triggerPrice"),
        trigger_by=BY_TRIGGER[params.trigger_by or "LastPrice"],
        direction=(
            TriggerDirection.RISES if params.trigger_direction == 1 else TriggerDirection.FALLS
        ),
        kind=OrderKind.MARKET if price is None else OrderKind.LIMIT,
        price=price,
        time_in_force=time_in_force,
        reduce_only=bool(params.reduce_only or params.close_on_trigger),
        position_side=leg,
        client_order_id=link_id(params.order_link_id),
        close_position=contracts == 0,
        refuse_if_through=True,
        close_on_trigger=bool(params.close_on_trigger),
    )


def closable(call: Call, symbol: str, leg: PositionSide, side: Side) -> int:
    """Return the contracts that an order of ``side`` could close."""
    held = call.venue.exchange.position(call.account, symbol, leg).contracts
    signed = -held if leg is PositionSide.SHORT else held
    if signed * side >= 0:
        raise WireError(errors.REDUCE_ONLY)
    return abs(held)


def words_of(call: Call, params: CreateOrder) -> dict[str, str]:
    """Return the terms that the exchange does not know: stops to set when the order fills."""
    words = _plain_words(params)
    if not (params.take_profit or params.stop_loss):
        return words
    grid = call.grid(params.symbol)
    check_stops(call, params, grid)
    mode = params.tpsl_mode or "Full"
    words["tpslMode"] = mode
    for name, price, trigger_by, limit_price, kind in (
        (
            "tp",
            params.take_profit,
            params.tp_trigger_by,
            params.tp_limit_price,
            params.tp_order_type,
        ),
        ("sl", params.stop_loss, params.sl_trigger_by, params.sl_limit_price, params.sl_order_type),
    ):
        if not price or is_zero(price):
            continue
        words["takeProfit" if name == "tp" else "stopLoss"] = price
        words[f"{name}TriggerBy"] = trigger_by or "LastPrice"
        if kind == "Limit" or limit_price:
            if mode != "Partial" or not limit_price:
                raise WireError(
                    errors.PARAMETER,
                    f"params error: {name}LimitPrice goes with tpslMode Partial and "
                    f"{name}OrderType Limit",
                )
            price_of(grid, limit_price, f"{name}LimitPrice")
            words[f"{name}LimitPrice"] = limit_price
    return words


def _plain_words(params: CreateOrder) -> dict[str, str]:
    words: dict[str, str] = {}
    if params.close_on_trigger:
        words["closeOnTrigger"] = "true"
    if params.smp_type:
        words["smpType"] = params.smp_type
    if params.trigger_price and params.time_in_force and params.order_type == "Limit":
        words["timeInForce"] = params.time_in_force
    return words


def is_zero(text: str) -> bool:
    return not text.strip("0.")


def check_stops(call: Call, params: CreateOrder, grid: Grid) -> None:
    """Refuse a take-profit or stop-loss on the wrong side of the price."""
    base = call.venue.exchange.last_price(params.symbol)
    if base is None:
        base = call.venue.exchange.mark_price(params.symbol)
    if params.order_type == "Limit" and params.price:
        base = price_of(grid, params.price)
    if params.trigger_price:
        base = price_of(grid, params.trigger_price, "triggerPrice")
    for name, text, up in (
        ("TakeProfit", params.take_profit, 1),
        ("StopLoss", params.stop_loss, -1),
    ):
        if not text or is_zero(text) or base is None:
            continue
        stop = price_of(grid, text, name)
        sign = BY_SIDE[params.side] * up
        if (stop - base) * sign <= 0:
            relation = "higher" if sign > 0 else "lower"
            raise WireError(
                errors.PARAMETER,
                f"{name}:{text} set for {params.side} position should be {relation} than "
                f"base_price:{grid.price(base)}",
            )
