"""Take-profit, stop-loss and trailing stop of a position, set directly or by an order's fill."""

from typing import Literal, NamedTuple

from simexchange.core import events as e
from simexchange.core.commands import CancelPlanOrder, PlacePlanOrder, SetMarginMode
from simexchange.core.types import (
    RATE_SCALE,
    MarginMode,
    OrderKind,
    PositionSide,
    RejectReason,
    Side,
    TimeInForce,
    TriggerBy,
    TriggerDirection,
)
from simexchange.server.amounts import Grid
from simexchange.server.bybit import errors
from simexchange.server.bybit.account_rows import waiting_stops
from simexchange.server.bybit.call import Call, require_linear
from simexchange.server.bybit.errors import WireError, refusal_error
from simexchange.server.bybit.order_forms import (
    BY_TRIGGER,
    StopKind,
    StopMode,
    WireTriggerBy,
    contracts_of,
    is_zero,
    price_of,
)
from simexchange.server.bybit.order_rows import stop_type
from simexchange.server.bybit.parameters import Category, Params, Text, Whole, position_side
from simexchange.server.records.account import AccountRecords
from simexchange.server.records.kept import NO_WORDS
from simexchange.server.records.rows import KeptOrder
from simexchange.server.venue import Venue

Name = Literal["TakeProfit", "StopLoss"]
_WORD = 16  # letters of a hash that make a name
_WORDS: tuple[tuple[Name, str, str], ...] = (
    ("TakeProfit", "takeProfit", "tp"),
    ("StopLoss", "stopLoss", "sl"),
)


class Leg(NamedTuple):
    """An open position, and which way it is long."""

    account: int
    symbol: str
    side: PositionSide
    sign: int


class Stop(NamedTuple):
    """One stop. ``contracts`` None: all that the position holds when it fires."""

    name: Name
    trigger_price: int
    trigger_by: TriggerBy
    contracts: int | None = None
    limit_price: int | None = None
    group: str | None = None


def stop_command(leg: Leg, stop: Stop, *, refuse_if_through: bool) -> PlacePlanOrder:
    rises = (stop.name == "TakeProfit") is (leg.sign > 0)
    return PlacePlanOrder(
        account=leg.account,
        symbol=leg.symbol,
        side=Side(-leg.sign),
        contracts=stop.contracts or 0,
        trigger_price=stop.trigger_price,
        trigger_by=stop.trigger_by,
        direction=TriggerDirection.RISES if rises else TriggerDirection.FALLS,
        kind=OrderKind.MARKET if stop.limit_price is None else OrderKind.LIMIT,
        price=stop.limit_price,
        time_in_force=TimeInForce.GTC,
        reduce_only=True,
        position_side=leg.side,
        close_position=stop.contracts is None,
        attached=True,
        group=stop.group,
        refuse_if_through=refuse_if_through,
    )


def leg_of(venue: Venue, account: int, symbol: str, side: PositionSide) -> Leg | None:
    """Return the position, or None when it is flat."""
    held = venue.exchange.position(account, symbol, side).contracts
    if held == 0:
        return None
    sign = -1 if side is PositionSide.SHORT or held < 0 else 1
    return Leg(account, symbol, side, sign)


# ---------------------------------------------------------------------------- set directly


class TradingStop(Params, frozen=True):
    category: Category
    symbol: str
    position_idx: Whole = None
    tpsl_mode: StopMode | None = None
    take_profit: Text = None
    stop_loss: Text = None
    trailing_stop: Text = None
    tp_trigger_by: WireTriggerBy | None = None
    sl_trigger_by: WireTriggerBy | None = None
    active_price: Text = None
    tp_size: Text = None
    sl_size: Text = None
    tp_limit_price: Text = None
    sl_limit_price: Text = None
    tp_order_type: StopKind | None = None
    sl_order_type: StopKind | None = None


def trading_stop(call: Call, params: TradingStop) -> object:
    require_linear(params.category)
    grid = call.grid(params.symbol)
    side = position_side(params.position_idx, call.position_mode)
    leg = leg_of(call.venue, call.account, params.symbol, side)
    if leg is None:
        raise WireError(errors.NO_POSITION_FOR_STOPS)
    if not (params.take_profit or params.stop_loss or params.trailing_stop):
        raise WireError(errors.PARAMETER, "params error: nothing to set was given")
    if params.tpsl_mode == "Partial":
        _add_partial(call, leg, params, grid)
        return {}
    if params.tp_size or params.sl_size or params.tp_limit_price or params.sl_limit_price:
        raise WireError(
            errors.PARAMETER, "params error: sizes and limit prices go with tpslMode Partial"
        )
    if not _set_all(call, leg, params, grid):
        raise WireError(errors.TP_SL_UNCHANGED)
    return {}


def _set_all(call: Call, leg: Leg, params: TradingStop, grid: Grid) -> bool:
    """Set the stops of the whole position that were given; say whether anything changed."""
    changed = False
    asked: tuple[tuple[Name, str | None, str | None], ...] = (
        ("TakeProfit", params.take_profit, params.tp_trigger_by),
        ("StopLoss", params.stop_loss, params.sl_trigger_by),
    )
    for name, text, trigger_by in asked:
        if text:
            changed |= _set_full(call, leg, name, text, BY_TRIGGER[trigger_by or "LastPrice"], grid)
    if params.trailing_stop:
        changed |= _set_trailing(call, leg, params, grid)
    return changed


def _present(call: Call, leg: Leg, name: str) -> KeptOrder | None:
    stops = waiting_stops(call.records, leg.symbol, leg.side)
    return next((order for order in stops if stop_type(order) == name), None)


def _set_full(
    call: Call, leg: Leg, name: Name, text: str, trigger_by: TriggerBy, grid: Grid
) -> bool:
    """Set, change or take away a stop for the whole position; say whether anything changed."""
    present = _present(call, leg, name)
    if is_zero(text):
        _drop(call, present)
        return present is not None
    price = price_of(grid, text, name)
    trigger = None if present is None else present.trigger
    if trigger is not None and (trigger.price, trigger.by) == (price, trigger_by):
        return False
    _place(call, stop_command(leg, Stop(name, price, trigger_by), refuse_if_through=True), name)
    _drop(call, present)
    return True


def _place(call: Call, command: PlacePlanOrder, name: str) -> None:
    refusal = call.venue.refusal(call.venue.apply(command))
    if refusal is None:
        return
    if refusal.reason is RejectReason.WOULD_TRIGGER_NOW:
        kind = "Buy" if command.side is Side.SELL else "Sell"
        relation = "higher" if command.direction is TriggerDirection.RISES else "lower"
        raise WireError(
            errors.PARAMETER,
            f"{name}:{command.trigger_price} set for {kind} position should be {relation} than "
            f"base_price ({refusal.message})",
        )
    raise refusal_error(refusal.reason, refusal.message)


def _drop(call: Call, order: KeptOrder | None) -> None:
    if order is not None:
        call.venue.apply(CancelPlanOrder(call.account, order.symbol, plan_id=order.plan_id))


def _set_trailing(call: Call, leg: Leg, params: TradingStop, grid: Grid) -> bool:
    """Set or take away a trailing stop.

    The venue's distance is a price; the exchange's is a rate of the best price. The rate is that
    of the distance at the activation price, or at the last price, rounded down.
    """
    assert params.trailing_stop is not None
    present = _present(call, leg, "TrailingStop")
    if is_zero(params.trailing_stop):
        _drop(call, present)
        return present is not None
    distance = price_of(grid, params.trailing_stop, "trailingStop")
    activation = price_of(grid, params.active_price, "activePrice") if params.active_price else None
    reference = activation or call.venue.exchange.last_price(leg.symbol)
    reference = reference or call.venue.exchange.mark_price(leg.symbol)
    if reference is None or distance >= reference:
        raise WireError(errors.PARAMETER, "params error: trailingStop is not below the price")
    command = PlacePlanOrder(
        account=leg.account,
        symbol=leg.symbol,
        side=Side(-leg.sign),
        contracts=0,
        trigger_price=0,
        trigger_by=TriggerBy.LAST,
        reduce_only=True,
        position_side=leg.side,
        close_position=True,
        attached=True,
        callback_rate=max(1, distance * RATE_SCALE // reference),
        activation_price=activation,
    )
    call.venue.records.describe_next(call.account, {"trailingStop": params.trailing_stop})
    try:
        _place(call, command, "TrailingStop")
    finally:
        call.venue.records.describe_next(*NO_WORDS)
    _drop(call, present)
    return True


def _add_partial(call: Call, leg: Leg, params: TradingStop, grid: Grid) -> None:
    """Add a take-profit, a stop-loss or both for a part; of both one cancels the other."""
    if params.take_profit and params.stop_loss and params.tp_size != params.sl_size:
        raise WireError(errors.PARAMETER, "params error: tpSize and slSize must be the same")
    stops: list[Stop] = []
    group = f"partial-{call.venue.exchange.event_hash[:_WORD]}"
    asked: tuple[tuple[Name, str | None, str | None, str | None, str | None], ...] = (
        (
            "TakeProfit",
            params.take_profit,
            params.tp_size,
            params.tp_trigger_by,
            params.tp_limit_price,
        ),
        (
            "StopLoss",
            params.stop_loss,
            params.sl_size,
            params.sl_trigger_by,
            params.sl_limit_price,
        ),
    )
    for name, text, size, trigger_by, limit in asked:
        if not text:
            continue
        if not size:
            raise WireError(errors.PARAMETER, f"params error: {name} of a part needs its size")
        limit_price = price_of(grid, limit, f"{name} limit price") if limit else None
        stops.append(
            Stop(
                name,
                price_of(grid, text, name),
                BY_TRIGGER[trigger_by or "LastPrice"],
                contracts_of(grid, size),
                limit_price,
                group,
            )
        )
    for stop in stops:
        _place(call, stop_command(leg, stop, refuse_if_through=True), stop.name)


# ---------------------------------------------------------------------------- set by a fill


class Keeper:
    """Does what the venue does by itself: sets the stops of orders that fill, keeps margin modes.

    A listener of the simulation; its commands run when all have heard of the present one.
    """

    def __init__(self, venue: Venue) -> None:
        self._venue = venue
        venue.simulation.subscribe(self._listen, is_acting=True)
        self._listen(venue.unfinished)

    def _listen(self, events: list[e.Event]) -> None:
        for event in events:
            kind = event.__class__
            if kind is e.Filled:
                assert isinstance(event, e.Filled)
                if event.closed_contracts < event.contracts:
                    self._opened(event)
            elif kind is e.InstrumentListed:
                assert isinstance(event, e.InstrumentListed)
                for account in sorted(self._venue.cross_accounts):
                    symbol = event.instrument.symbol
                    self._venue.apply(SetMarginMode(account, symbol, MarginMode.CROSS))

    def _opened(self, event: e.Filled) -> None:
        order = self._venue.records.find_order(event.account, event.order_id)
        if order is None or not order.words:
            return
        leg = leg_of(self._venue, event.account, event.symbol, event.position_side)
        grid = self._venue.grid(event.symbol)
        if leg is None or leg.sign != event.side or grid is None:
            return
        words = order.words
        is_partial = words.get("tpslMode") == "Partial"
        opened = event.contracts - event.closed_contracts
        group = f"order-{order.sequence}-{event.execution_id}" if is_partial else None
        for name, word, short in _WORDS:
            text = words.get(word)
            if not text:
                continue
            limit = words.get(f"{short}LimitPrice")
            stop = Stop(
                name,
                grid.prices.count(text),
                BY_TRIGGER[words.get(f"{short}TriggerBy", "LastPrice")],
                opened if is_partial else None,
                grid.prices.count(limit) if limit else None,
                group,
            )
            self._set(leg, stop)

    def _set(self, leg: Leg, stop: Stop) -> None:
        records = self._venue.records.of(leg.account)
        if stop.group is not None and _is_placed(records, leg, stop):
            return
        if stop.contracts is None:
            for order in waiting_stops(records, leg.symbol, leg.side):
                trigger = order.trigger
                if stop_type(order) != stop.name or trigger is None:
                    continue
                if (trigger.price, trigger.by) == (stop.trigger_price, stop.trigger_by):
                    return
                self._venue.apply(CancelPlanOrder(leg.account, leg.symbol, plan_id=order.plan_id))
        self._venue.apply(stop_command(leg, stop, refuse_if_through=False))


def _is_placed(records: AccountRecords, leg: Leg, stop: Stop) -> bool:
    """Say whether a stop of this kind and group waits already."""
    return any(
        order.trigger is not None
        and order.trigger.group == stop.group
        and stop_type(order) == stop.name
        for order in waiting_stops(records, leg.symbol, leg.side)
    )
