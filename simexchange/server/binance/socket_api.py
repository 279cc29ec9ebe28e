"""Requests over a WebSocket: the same handlers as over HTTP, each answer with its request's id.

A key whose owner signs with Ed25519 may log on once; what is asked without a key is then its own.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

import msgspec
from aiohttp import WSMsgType, web

from simexchange.core.types import SECOND_US
from simexchange.server.binance import errors
from simexchange.server.binance.call import PUBLIC, READ, Call, Endpoint
from simexchange.server.binance.errors import WireError
from simexchange.server.binance.metering import Usage
from simexchange.server.binance.parameters import Nothing
from simexchange.server.signatures import KeyKind
from simexchange.server.sockets import Socket
from simexchange.server.venue import Venue
from simexchange.server.wire_faults import Strike, WireFault, late_by_us

_log = logging.getLogger(__name__)
_encode = msgspec.json.Encoder(decimal_format="number").encode
_PREFIX = "/ws-fapi/v1/"
METHODS = {
    "session.logon": ("POST", f"{_PREFIX}session.logon"),
    "session.status": ("GET", f"{_PREFIX}session.status"),
    "session.logout": ("POST", f"{_PREFIX}session.logout"),
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


class Asked(NamedTuple):
    """What a request on a socket brings along: who logged on there, and usage to fill in."""

    logged_on: str
    usage: Usage


CarryOut = Callable[[tuple[str, str], dict[str, str], str | None, Asked], object]
"""Carries out ((method, path), parameters with key and signature, address, what comes along)."""


def _logged_on(call: Call, _: Nothing) -> object:
    """Return the name of the key that has signed, which must be of the kind that may log on."""
    if call.key.kind is not KeyKind.ED25519:
        raise WireError(errors.HMAC_KEY)
    return call.key.key


def _done(_: Call, __: Nothing) -> object:
    return None


SESSIONS = (
    Endpoint(*METHODS["session.logon"], Nothing, _logged_on, READ, 2),
    Endpoint(*METHODS["session.status"], Nothing, _done, PUBLIC, 2),
    Endpoint(*METHODS["session.logout"], Nothing, _done, PUBLIC, 2),
)


_FAULTS = {
    WireFault.MAINTENANCE: errors.Code(-1016, "This service is no longer available.", 503),
    WireFault.SERVER_ERROR: errors.Code(-1000, errors.UNKNOWN.message, 502),
    WireFault.RATE_LIMIT: errors.TOO_MANY_REQUESTS,
}


class Request(msgspec.Struct, frozen=True):
    id: str | int | None = None
    method: str = ""
    params: dict[str, Any] = {}


class Session(msgspec.Struct, kw_only=True):
    """One connection; ``key`` is the name of the key that logged on, or empty."""

    connected_ms: int
    address: str | None
    shows_limits: bool
    key: str = ""
    authorized_ms: int | None = None


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
        query = dict(parse_qsl(request.raw_path.partition("?")[2]))
        socket = Socket(request, self._venue.faults, self._venue.settings.socket_backlog)
        await socket.open()
        session = Session(
            connected_ms=self._now_ms(),
            address=request.remote,
            shows_limits=query.get("returnRateLimits") != "false",
        )
        async for message in socket.socket:
            if message.type is WSMsgType.TEXT:
                self._hear(socket, message.data, session)
        return socket.socket

    def _now_ms(self) -> int:
        return self._venue.edge_now() // 1_000

    def _hear(self, socket: Socket, text: str, session: Session) -> None:
        """Answer one message, as the faults let it."""
        try:
            request = msgspec.json.decode(text, type=Request)
        except msgspec.MsgspecError as error:
            code = errors.Code(-1135, f"Invalid JSON Request: {error}")
            socket.answer(_encode(_refused(None, code, Usage())))
            return
        values = {name: _text(value) for name, value in request.params.items()}
        strikes = self._strikes(request, values, session)
        kinds = {strike.fault for strike in strikes}
        if WireFault.LOST_REQUEST in kinds:
            socket.abort()
            return
        late_us = late_by_us(strikes)
        if late_us is not None:
            socket.abort()
            later = asyncio.get_running_loop().call_later
            later(late_us / SECOND_US, self._answer, request, values, session)
            return
        code = next((_FAULTS[kind] for kind in kinds if kind in _FAULTS), None)
        if code is not None:
            answer = _refused(request.id, code, Usage())
        else:
            answer = self._answer(request, values, session)
        if WireFault.LOST_ANSWER in kinds:
            socket.abort()
            return
        delay_us = sum(strike.delay_us for strike in strikes)
        socket.answer(_encode(answer), delay_us // 1_000)

    def _strikes(self, request: Request, values: dict[str, str], session: Session) -> list[Strike]:
        """Return the faults of a request, whose path is that of the same request over HTTP."""
        if not self._venue.faults.is_on:
            return []
        path = METHODS.get(request.method, ("", self.path))[1]
        key = self._venue.keys.find(values.get("apiKey", "") or session.key)
        return self._venue.faults.on_request(path, None if key is None else key.account)

    def _answer(
        self, request: Request, values: dict[str, str], session: Session
    ) -> dict[str, object]:
        usage = Usage()
        found = METHODS.get(request.method)
        if found is None:
            return _refused(request.id, errors.Code(-1101, "Unknown method."), usage)
        wanted = values.get("returnRateLimits")
        try:
            asked = Asked(session.key, usage)
            result = self._carry_out(found, values, session.address, asked)
        except WireError as error:
            code = errors.Code(error.code, error.message, error.status)
            return _refused(request.id, code, usage)
        except Exception:  # noqa: BLE001 - a fault of ours is logged, and answered as the venue does
            _log.exception("%s was not answered", request.method)
            return _refused(request.id, errors.UNKNOWN, usage)
        if request.method.startswith("session."):
            result = self._session(request.method, result, session)
        answer: dict[str, object] = {"id": request.id, "status": 200, "result": result}
        is_shown = session.shows_limits if wanted is None else wanted != "false"
        return {**answer, "rateLimits": usage.rows()} if is_shown else answer

    def _session(self, method: str, key: object, session: Session) -> dict[str, object]:
        """Let a key log on or off, and say who is logged on."""
        if method == "session.logon":
            session.key, session.authorized_ms = str(key), self._now_ms()
        elif method == "session.logout":
            session.key, session.authorized_ms = "", None
        return {
            "apiKey": session.key or None,
            "authorizedSince": session.authorized_ms,
            "connectedSince": session.connected_ms,
            "returnRateLimits": session.shows_limits,
            "serverTime": self._now_ms(),
        }


def _refused(number: object, code: errors.Code, usage: Usage) -> dict[str, object]:
    return {
        "id": number,
        "status": code.status,
        "error": {"code": code.number, "msg": code.message},
        "rateLimits": usage.rows(),
    }
