"""Orders: place, amend, cancel one, cancel all."""

from typing import Literal

from simexchange.core.commands import AmendOrder, CancelOrder, PlaceOrder
from simexchange.core.events import OrderAccepted
from simexchange.core.types import (
    SECOND_US,
    CancelReason,
    OrderKind,
    RejectReason,
    SelfTradePrevention,
    Side,
    TimeInForce,
)
from simexchange.server.amounts import Grid
from simexchange.server.binance import errors
from simexchange.server.binance.call import (
    TRADE,
    Call,
    Endpoint,
    client_id,
    contracts_of,
    position_side,
    price_of,
)
from simexchange.server.binance.errors import WireError, refusal_error
from simexchange.server.binance.market import OneSymbol
from simexchange.server.binance.order_queries import OrderName, find, in_book
from simexchange.server.binance.parameters import Params, WireFlag, missing, not_required
from simexchange.server.binance.rows import GOOD_TILL, order_row
from simexchange.server.records.kept import NO_WORDS
from simexchange.server.records.rows import KeptOrder

BY_SIDE = {"BUY": Side.BUY, "SELL": Side.SELL}
TIMES = {
    "GTC": TimeInForce.GTC,
    "IOC": TimeInForce.IOC,
    "FOK": TimeInForce.FOK,
    "GTX": TimeInForce.POST_ONLY,
    "GTD": TimeInForce.GTC,
}
_LEAST_LIFE_US = 600 * SECOND_US
_LATEST_MS = 253_402_300_799_000
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
WireMatch = Literal[
    "NONE",
    "OPPONENT",
    "OPPONENT_5",
    "OPPONENT_10",
    "OPPONENT_20",
    "QUEUE",
    "QUEUE_5",
    "QUEUE_10",
    "QUEUE_20",
]


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
    price_match: WireMatch = "NONE"
    self_trade_prevention_mode: (
        Literal["NONE", "EXPIRE_TAKER", "EXPIRE_MAKER", "EXPIRE_BOTH"] | None
    ) = None
    good_till_date: int | None = None


def place(call: Call, params: NewOrder) -> object:
    records = call.venue.records
    command = _command(call, params)
    records.describe_next(call.account, _words(call, params))
    try:
        order = call.records.by_order[_accepted(call, command)]
    finally:
        records.next_words = NO_WORDS
    if order.cancel_reason is CancelReason.FILL_OR_KILL:
        raise WireError(errors.FILL_OR_KILL)
    row = order_row(order, call.grid(params.symbol))
    if params.new_order_resp_type == "ACK":
        nothing = call.grid(params.symbol).whole_quantity(0)
        row |= {"status": "NEW", "executedQty": nothing, "cumQty": nothing, "cumQuote": "0"}
        row["avgPrice"] = "0.00"
    return row


def good_till_us(call: Call, date_ms: int) -> int:
    """Return when an order is to end; of what is sent only whole seconds count."""
    if not call.venue.now() + _LEAST_LIFE_US < date_ms * 1_000 < _LATEST_MS * 1_000:
        raise WireError(errors.BAD_GOOD_TILL)
    return date_ms // 1_000 * SECOND_US


def _words(call: Call, params: NewOrder) -> dict[str, str]:
    """Return the terms that are the venue's own."""
    words: dict[str, str] = {}
    if params.price_match != "NONE":
        words["priceMatch"] = params.price_match
    if params.good_till_date is not None:
        words[GOOD_TILL] = str(good_till_us(call, params.good_till_date) // 1_000)
    if params.self_trade_prevention_mode:
        words["selfTradePreventionMode"] = params.self_trade_prevention_mode
    return words


def test(call: Call, params: NewOrder) -> object:
    """Check an order's parameters without placing it."""
    _command(call, params)
    return {}


def _command(call: Call, params: NewOrder) -> PlaceOrder:
    grid = call.grid(params.symbol)
    if params.type in _CONDITIONAL:
        raise WireError(errors.USE_ALGO)
    if params.type not in ("LIMIT", "MARKET"):
        raise WireError(errors.NO_SUCH_TYPE)
    is_limit = params.type == "LIMIT"
    if not params.quantity:
        raise missing("quantity")
    _check_time_in_force(params, is_limit=is_limit)
    if params.reduce_only == "true" and params.position_side in ("LONG", "SHORT"):
        raise not_required("reduceonly")
    return PlaceOrder(
        call.account,
        params.symbol,
        BY_SIDE[params.side],
        contracts_of(grid, params.quantity),
        OrderKind.LIMIT if is_limit else OrderKind.MARKET,
        _price(call, grid, params, is_limit=is_limit),
        TIMES[params.time_in_force or "GTC"] if is_limit else TimeInForce.IOC,
        params.reduce_only == "true",
        position_side(params.position_side, call.position_mode),
        client_id(params.new_client_order_id),
        _PREVENTION[params.self_trade_prevention_mode or "NONE"],
        expires_at=None
        if params.good_till_date is None
        else good_till_us(call, params.good_till_date),
    )


def _check_time_in_force(params: NewOrder, *, is_limit: bool) -> None:
    if is_limit and not params.time_in_force:
        raise missing("timeinforce")
    if not is_limit and params.time_in_force:
        raise not_required("timeinforce")
    check_good_till(params.time_in_force, params.good_till_date)


def check_good_till(time_in_force: str | None, good_till_date: int | None) -> None:
    """Refuse a date without its time in force, and the other way round."""
    if time_in_force == "GTD" and good_till_date is None:
        raise missing("goodtilldate")
    if time_in_force != "GTD" and good_till_date is not None:
        raise not_required("goodtilldate")


def _price(call: Call, grid: Grid, params: NewOrder, *, is_limit: bool) -> int | None:
    """Return the price of a limit order: the one that is sent, or one that the book has."""
    if not is_limit:
        if params.price:
            raise not_required("price")
        if params.price_match != "NONE":
            raise WireError(errors.MATCH_WITHOUT_LIMIT)
        return None
    if params.price_match == "NONE":
        if not params.price:
            raise missing("price")
        return price_of(grid, params.price)
    if params.price:
        raise not_required("price")
    return _matched_price(call, params)


def _matched_price(call: Call, params: NewOrder) -> int:
    """Return the price of the level that is named, on the other side or on one's own."""
    name, _, place_text = params.price_match.partition("_")
    level = int(place_text or 1)
    bids, asks = call.venue.exchange.depth(params.symbol, level)
    levels = asks if (params.side == "BUY") is (name == "OPPONENT") else bids
    if len(levels) < level:
        raise WireError(errors.NO_DEPTH)
    return levels[level - 1][0]


def _accepted(call: Call, command: PlaceOrder) -> int:
    """Apply ``command`` and return the order's number, or raise what refused it."""
    made = call.venue.place(command)
    if isinstance(made, OrderAccepted):
        return made.order_id
    if made.reason is RejectReason.PRICE_OUTSIDE_BAND:
        mark = call.venue.exchange.mark_price(command.symbol) or 0
        code = errors.PRICE_HIGH if (command.price or 0) > mark else errors.PRICE_LOW
        raise WireError(code, f"{code.message} ({made.message})")
    raise refusal_error(made.reason, made.message)


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
    price: str
    order_id: int | None = None
    orig_client_order_id: str | None = None


def amend(call: Call, params: AmendParams) -> object:
    """Change price or quantity of a resting order; an order that fails to change stays."""
    grid = call.grid(params.symbol)
    name = OrderName(params.symbol, params.order_id, params.orig_client_order_id)
    order = find(call, name)
    if order is None or not order.is_open:
        raise WireError(errors.NO_SUCH_ORDER)
    if order.side is not BY_SIDE[params.side]:
        raise WireError(errors.BAD_SIDE)
    command = AmendOrder(
        call.account,
        params.symbol,
        order_id=order.order_id,
        price=price_of(grid, params.price),
        contracts=contracts_of(grid, params.quantity),
    )
    refusal = call.venue.refusal(call.venue.apply(command))
    if refusal is not None:
        raise refusal_error(refusal.reason, refusal.message)
    return order_row(order, grid)


def cancel_all(call: Call, params: OneSymbol) -> object:
    call.grid(params.symbol)
    cancel_open(call, params.symbol)
    return {"code": 200, "msg": "The operation of cancel all open order is done."}


def cancel_open(call: Call, symbol: str) -> None:
    """Cancel all orders of an account in one book."""
    for order in in_book(call, symbol):
        if order.is_open:
            _cancel(call, order)


ENDPOINTS = (
    Endpoint("POST", "/fapi/v1/order", NewOrder, place, TRADE, 0, orders=(1, 1)),
    Endpoint("POST", "/fapi/v1/order/test", NewOrder, test, TRADE, 0),
    Endpoint("PUT", "/fapi/v1/order", AmendParams, amend, TRADE, 0, orders=(1, 1)),
    Endpoint("DELETE", "/fapi/v1/order", OrderName, cancel, TRADE),
    Endpoint("DELETE", "/fapi/v1/allOpenOrders", OneSymbol, cancel_all, TRADE),
)
