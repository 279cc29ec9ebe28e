"""Several orders in one request; each succeeds or is refused on its own."""

from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

from simexchange.server.binance import errors
from simexchange.server.binance.call import TRADE, Call, Endpoint
from simexchange.server.binance.errors import WireError
from simexchange.server.binance.order_queries import OrderName
from simexchange.server.binance.orders import AmendParams, NewOrder, amend, cancel, place
from simexchange.server.binance.parameters import Params, Reader, invalid

T = TypeVar("T")
_PLACED_MOST, _CANCELLED_MOST = 5, 10
_NEW = Reader(NewOrder, refuses_unknown=True)
_AMEND = Reader(AmendParams, refuses_unknown=True)


class Batch(Params, frozen=True):
    batch_orders: str


class CancelBatch(Params, frozen=True):
    symbol: str
    order_id_list: str | None = None
    orig_client_order_id_list: str | None = None


def place_batch(call: Call, params: Batch) -> object:
    def leg(terms: dict[str, Any]) -> object:
        order = _NEW.read(_texts(terms))
        assert isinstance(order, NewOrder)
        return place(call, order)

    return _each(_legs(params), leg, _PLACED_MOST)


def amend_batch(call: Call, params: Batch) -> object:
    def leg(terms: dict[str, Any]) -> object:
        change = _AMEND.read(_texts(terms))
        assert isinstance(change, AmendParams)
        return amend(call, change)

    return _each(_legs(params), leg, _PLACED_MOST)


def _texts(terms: dict[str, Any]) -> dict[str, str]:
    """Return the terms of one order as they would come in a request of its own."""
    return {name: _text(value) for name, value in terms.items()}


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _legs(params: Batch) -> list[dict[str, Any]]:
    return _list("batchOrders", params.batch_orders, dict[str, Any])


def _list(name: str, text: str, kind: type[T]) -> list[T]:
    """Return a list in JSON whose elements are of a kind."""
    try:
        return msgspec.json.decode(text, type=list[kind])
    except msgspec.MsgspecError as error:
        raise invalid(name) from error


def _each(legs: list[T], do: Callable[[T], object], most: int) -> list[object]:
    """Do one leg after the other."""
    if not 1 <= len(legs) <= most:
        raise WireError(errors.BATCH_SIZE)
    answers: list[object] = []
    for leg in legs:
        try:
            answers.append(do(leg))
        except WireError as error:
            answers.append({"code": error.code, "msg": error.message})
    return answers


def cancel_batch(call: Call, params: CancelBatch) -> object:
    symbol = params.symbol
    call.grid(symbol)
    numbers = _list("orderIdList", params.order_id_list or "[]", int)
    names = [OrderName(symbol, number) for number in numbers]
    texts = _list("origClientOrderIdList", params.orig_client_order_id_list or "[]", str)
    names += [OrderName(symbol, None, text) for text in texts]
    return _each(names, lambda name: cancel(call, name), _CANCELLED_MOST)


ENDPOINTS = (
    Endpoint("POST", "/fapi/v1/batchOrders", Batch, place_batch, TRADE, 5, orders=(5, 1)),
    Endpoint("PUT", "/fapi/v1/batchOrders", Batch, amend_batch, TRADE, 5, orders=(5, 1)),
    Endpoint("DELETE", "/fapi/v1/batchOrders", CancelBatch, cancel_batch, TRADE),
)
