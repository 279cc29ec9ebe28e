"""Requests over a WebSocket: the same handlers as over HTTP, each answer with its request's id."""

from collections.abc import Callable
from typing import Any

import msgspec
from aiohttp import WSMsgType, web

from simexchange.server.binance import errors
from simexchange.server.binance.errors import WireError
from simexchange.server.sockets import Socket
from simexchange.server.venue import Venue

_encode = msgspec.json.Encoder(decimal_format="number").encode
METHODS = {
    "ping": ("GET", "/fapi/v1/ping"),
    "time": ("GET", "/fapi/v1/time"),
    "order.place": ("POST", "/fapi/v1/order"),
    "order.modify": ("PUT", "/fapi/v1/order"),
    "order.cancel": ("DELETE", "/fapi/v1/order"),
    "order.status": ("GET", "/fapi/v1/order"),
    "algoOrder.place": ("POST", "/fapi/v1/algoOrder"),
    "algoOrder.cancel": ("DELETE", "/fapi/v1/algoOrder"),
    "account.status": ("GET", "/fapi/v2/account"),
    "v2/account.status": ("GET", "/fapi/v3/account"),
    "account.balance": ("GET", "/fapi/v2/balance"),
    "v2/account.balance": ("GET", "/fapi/v3/balance"),
    "account.position": ("GET", "/fapi/v2/positionRisk"),
    "v2/account.position": ("GET", "/fapi/v3/positionRisk"),
}
CarryOut = Callable[[str, str, dict[str, str], str | None], object]
"""Carries out (method, path, parameters with key and signature, address)."""


class Request(msgspec.Struct, frozen=True):
    id: str | int | None = None
    method: str = ""
    params: dict[str, Any] = {}


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


class SocketApi:
    """Answers requests on sockets."""

    path = "/ws-fapi/v1"

    def __init__(self, venue: Venue, carry_out: CarryOut) -> None:
        self._venue = venue
        self._carry_out = carry_out

    async def serve(self, request: web.BaseRequest) -> web.StreamResponse:
        """Talk to one client until it goes."""
        if request.headers.get("Upgrade", "").lower() != "websocket":
            return web.Response(status=400, text="this path speaks WebSocket")
        socket = Socket(request, self._venue.faults, self._venue.settings.socket_backlog)
        await socket.open()
        async for message in socket.socket:
            if message.type is WSMsgType.TEXT:
                socket.answer(_encode(self._answer(message.data, request.remote)))
        return socket.socket

    def _answer(self, text: str, address: str | None) -> dict[str, object]:
        try:
            request = msgspec.json.decode(text, type=Request)
        except msgspec.MsgspecError as error:
            return _refused(None, errors.Code(-1135, f"Invalid JSON Request: {error}"), "")
        found = METHODS.get(request.method)
        if found is None:
            return _refused(request.id, errors.Code(-1101, "Unknown method."), "")
        values = {name: _text(value) for name, value in request.params.items()}
        try:
            result = self._carry_out(*found, values, address)
        except WireError as error:
            code = errors.Code(error.code, error.message, error.status)
            return _refused(request.id, code, error.message)
        return {"id": request.id, "status": 200, "result": result, "rateLimits": []}


def _refused(number: object, code: errors.Code, said: str) -> dict[str, object]:
    error = {"code": code.number, "msg": said or code.message}
    return {"id": number, "status": code.status, "error": error, "rateLimits": []}
