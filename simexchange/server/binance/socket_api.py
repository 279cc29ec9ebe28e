"""Requests over a WebSocket: the same handlers as over HTTP, each answer with its request's id."""

import logging
from collections.abc import Callable
from typing import Any

import msgspec
from aiohttp import WSMsgType, web

from simexchange.server.binance import errors
from simexchange.server.binance.errors import WireError
from simexchange.server.binance.metering import Usage
from simexchange.server.sockets import Socket
from simexchange.server.venue import Venue
from simexchange.server.wire_faults import Strike, WireFault

_log = logging.getLogger(__name__)
_encode = msgspec.json.Encoder(decimal_format="number").encode
METHODS = {
    "ping": ("GET", "/fapi/v1/ping"),
    "time": ("GET", "/fapi/v1/time"),
    "exchangeInfo": ("GET", "/fapi/v1/exchangeInfo"),
    "depth": ("GET", "/fapi/v1/depth"),
    "ticker.price": ("GET", "/fapi/v2/ticker/price"),
    "ticker.book": ("GET", "/fapi/v1/ticker/bookTicker"),
    "userDataStream.start": ("POST", "/fapi/v1/listenKey"),
    "userDataStream.ping": ("PUT", "/fapi/v1/listenKey"),
    "userDataStream.stop": ("DELETE", "/fapi/v1/listenKey"),
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
CarryOut = Callable[[str, str, dict[str, str], str | None, Usage], object]
"""Carries out (method, path, parameters with key and signature, address, usage to fill in)."""


_FAULTS = {
    WireFault.MAINTENANCE: errors.Code(-1016, "This service is no longer available.", 503),
    WireFault.SERVER_ERROR: errors.Code(-1000, errors.UNKNOWN.message, 502),
    WireFault.RATE_LIMIT: errors.TOO_MANY_REQUESTS,
}


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
        connected_ms = self._venue.edge_now() // 1_000
        async for message in socket.socket:
            if message.type is WSMsgType.TEXT:
                self._hear(socket, message.data, request.remote, connected_ms)
        return socket.socket

    def _hear(self, socket: Socket, text: str, address: str | None, connected_ms: int) -> None:
        """Answer one message, as the faults let it."""
        try:
            request = msgspec.json.decode(text, type=Request)
        except msgspec.MsgspecError as error:
            code = errors.Code(-1135, f"Invalid JSON Request: {error}")
            socket.answer(_encode(_refused(None, code, Usage())))
            return
        values = {name: _text(value) for name, value in request.params.items()}
        strikes = self._strikes(request, values)
        kinds = {strike.fault for strike in strikes}
        if WireFault.LOST_REQUEST in kinds:
            socket.abort()
            return
        code = next((_FAULTS[kind] for kind in kinds if kind in _FAULTS), None)
        if code is not None:
            answer = _refused(request.id, code, Usage())
        else:
            answer = self._answer(request, values, address, connected_ms)
        if WireFault.LOST_ANSWER in kinds:
            socket.abort()
            return
        delay_us = sum(strike.delay_us for strike in strikes)
        socket.answer(_encode(answer), delay_us // 1_000)

    def _strikes(self, request: Request, values: dict[str, str]) -> list[Strike]:
        """Return the faults of a request, whose path is that of the same request over HTTP."""
        if not self._venue.faults.is_on:
            return []
        path = METHODS.get(request.method, ("", self.path))[1]
        key = self._venue.keys.find(values.get("apiKey", ""))
        return self._venue.faults.on_request(path, None if key is None else key.account)

    def _answer(
        self, request: Request, values: dict[str, str], address: str | None, connected_ms: int
    ) -> dict[str, object]:
        usage = Usage()
        if request.method.startswith("session."):
            return self._session(request, connected_ms)
        found = METHODS.get(request.method)
        if found is None:
            return _refused(request.id, errors.Code(-1101, "Unknown method."), usage)
        shows_limits = values.get("returnRateLimits") != "false"
        try:
            result = self._carry_out(*found, values, address, usage)
        except WireError as error:
            code = errors.Code(error.code, error.message, error.status)
            return _refused(request.id, code, usage)
        except Exception:  # noqa: BLE001 - a fault of ours is logged, and answered as the venue does
            _log.exception("%s was not answered", request.method)
            return _refused(request.id, errors.UNKNOWN, usage)
        answer: dict[str, object] = {"id": request.id, "status": 200, "result": result}
        return {**answer, "rateLimits": usage.rows()} if shows_limits else answer

    def _session(self, request: Request, connected_ms: int) -> dict[str, object]:
        """Answer about logging in, which the venue offers to Ed25519 keys only."""
        if request.method == "session.logon":
            return _refused(request.id, errors.HMAC_KEY, Usage())
        status = {
            "apiKey": None,
            "authorizedSince": None,
            "connectedSince": connected_ms,
            "returnRateLimits": True,
            "serverTime": self._venue.edge_now() // 1_000,
        }
        return {"id": request.id, "status": 200, "result": status, "rateLimits": []}


def _refused(number: object, code: errors.Code, usage: Usage) -> dict[str, object]:
    return {
        "id": number,
        "status": code.status,
        "error": {"code": code.number, "msg": code.message},
        "rateLimits": usage.rows(),
    }
