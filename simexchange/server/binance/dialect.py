"""Requests over HTTP: faults, signature, permission, limits, parameters, handler, answer."""

import asyncio
import logging
from urllib.parse import parse_qsl

import msgspec
from aiohttp import web

from simexchange.core.types import SECOND_US
from simexchange.server.binance import errors
from simexchange.server.binance.call import PUBLIC, SIGNED, Call, Endpoint
from simexchange.server.binance.countdown import Countdowns
from simexchange.server.binance.doorkeeper import admit, check_signature, check_time
from simexchange.server.binance.endpoints import ENDPOINTS
from simexchange.server.binance.errors import WireError
from simexchange.server.binance.metering import Meter, Usage
from simexchange.server.binance.parameters import Nothing, Reader
from simexchange.server.binance.socket_api import SESSIONS, Asked, SocketApi
from simexchange.server.binance.streams import Streams
from simexchange.server.keys import ApiKey
from simexchange.server.venue import Venue
from simexchange.server.wire_faults import Strike, WireFault, late_by_us

_log = logging.getLogger(__name__)
_OWN = ("timestamp", "recvWindow", "signature")
_OWN_ON_SOCKETS = (*_OWN, "apiKey", "returnRateLimits")
_encode = msgspec.json.Encoder(decimal_format="number").encode


class _Route:
    __slots__ = ("endpoint", "reader")

    def __init__(self, endpoint: Endpoint, *, refuses_unknown: bool) -> None:
        self.endpoint = endpoint
        self.reader = Reader(endpoint.params, refuses_unknown=refuses_unknown)


class BinanceDialect:
    """Answers the venue's paths."""

    prefixes = (
        "/fapi/",
        "/sapi/",
        "/api/v3/",
        "/dapi/",
        "/futures/data/",
        *Streams.prefixes,
        SocketApi.path,
    )

    def __init__(self, venue: Venue) -> None:
        self.venue = venue
        self.streams = Streams(venue)
        self._meter = Meter(venue)
        self._socket_api = SocketApi(venue, self._carry_out_message)
        strict = venue.settings.refuses_unknown_parameters
        own = Endpoint("GET", "/fapi/v1/rateLimit/order", Nothing, self._order_limits, "read")
        self._routes = {
            (endpoint.method, endpoint.path): _Route(endpoint, refuses_unknown=strict)
            for endpoint in (
                *ENDPOINTS,
                *self.streams.listen_keys.endpoints(),
                *Countdowns(venue).endpoints(),
                *SESSIONS,
                own,
            )
        }

    def _order_limits(self, call: Call, _: Nothing) -> object:
        return self._meter.standing_orders(call.account)

    async def respond(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request; its errors are answers too."""
        if request.raw_path.startswith(SocketApi.path):
            return await self._socket_api.serve(request)
        if request.raw_path.startswith(Streams.prefixes):
            return await self.streams.serve(request)
        path, _, query = request.raw_path.partition("?")
        route = self._routes.get((request.method, path))
        if route is None:
            return web.Response(status=404, text="<html><h1>Not Found</h1></html>")
        body = (await request.read()).decode("utf-8", "replace") if request.can_read_body else ""
        if not self.venue.faults.is_on:
            return self._answer(request, route, query, body)
        return await self._answer_faultily(request, route, query, body)

    async def _answer_faultily(
        self, request: web.BaseRequest, route: _Route, query: str, body: str
    ) -> web.StreamResponse:
        key = self.venue.keys.find(request.headers.get("X-MBX-APIKEY", ""))
        strikes = self.venue.faults.on_request(
            route.endpoint.path, None if key is None else key.account
        )
        response, late_us = _struck(request, strikes), late_by_us(strikes)
        if response is None and late_us is not None:
            _hang_up(request)
            await asyncio.sleep(late_us / SECOND_US)
            return self._answer(request, route, query, body)
        if response is None:
            response = self._answer(request, route, query, body)
        delay_us = sum(strike.delay_us for strike in strikes)
        if delay_us:
            await asyncio.sleep(delay_us / SECOND_US)
        if any(strike.fault is WireFault.LOST_ANSWER for strike in strikes):
            _hang_up(request)
        return response

    def _answer(
        self, request: web.BaseRequest, route: _Route, query: str, body: str
    ) -> web.StreamResponse:
        usage = Usage()
        try:
            return _response(self._carry_out(request, route, query, body, usage), 200, usage)
        except WireError as error:
            return _response({"code": error.code, "msg": error.message}, error.status, usage)
        except Exception:  # noqa: BLE001 - a fault of ours is logged, and answered as the venue does
            _log.exception("%s %s was not answered", request.method, route.endpoint.path)
            unknown = errors.UNKNOWN
            return _response({"code": unknown.number, "msg": unknown.message}, 500, usage)

    def _carry_out(
        self, request: web.BaseRequest, route: _Route, query: str, body: str, usage: Usage
    ) -> object:
        """Do what is asked; how the limits stand goes into ``usage`` even if refused."""
        endpoint = route.endpoint
        values = dict(parse_qsl(query, keep_blank_values=True))
        if body:
            values |= dict(parse_qsl(body, keep_blank_values=True))
        self._meter.take_weight(endpoint, request.remote, endpoint.weight_of(values), usage)
        key = None
        if endpoint.scope != PUBLIC:
            name = request.headers.get("X-MBX-APIKEY", "")
            key = admit(self.venue, name, request.remote, endpoint)
            if endpoint.scope in SIGNED:
                check_signature(self.venue, key, values, _unsigned(query) + _unsigned(body))
        return self._handle(route, key, values, _OWN, usage)

    def _handle(
        self,
        route: _Route,
        key: ApiKey | None,
        values: dict[str, str],
        own: tuple[str, ...],
        usage: Usage,
    ) -> object:
        if key is not None and route.endpoint.orders != (0, 0):
            self._meter.take_orders(route.endpoint, key.account, usage)
        for name in own:  # clients sign more than they must
            values.pop(name, None)
        return route.endpoint.handler(Call(self.venue, key), route.reader.read(values))

    def _carry_out_message(
        self, path: tuple[str, str], values: dict[str, str], address: str | None, asked: Asked
    ) -> object:
        """Do what is asked on a socket; there parameters are signed in order of their names.

        A request without a key is that of the key which logged on, and is not signed again.
        """
        route, usage = self._routes[path], asked.usage
        endpoint = route.endpoint
        self._meter.take_weight(endpoint, address, endpoint.weight_of(values), usage)
        key = None
        if endpoint.scope != PUBLIC:
            own = values.get("apiKey", "")
            key = admit(self.venue, own or asked.logged_on, address, endpoint)
            if endpoint.scope in SIGNED and not own and asked.logged_on:
                check_time(self.venue, values)
            elif endpoint.scope in SIGNED:
                signed = sorted(name for name in values if name != "signature")
                payload = "&".join(f"{name}={values[name]}" for name in signed)
                check_signature(self.venue, key, values, payload)
        return self._handle(route, key, values, _OWN_ON_SOCKETS, usage)


def _unsigned(text: str) -> str:
    """Return a query or body as it was signed."""
    return "&".join(part for part in text.split("&") if not part.startswith("signature="))


def _struck(request: web.BaseRequest, strikes: list[Strike]) -> web.StreamResponse | None:
    """Return the answer of a fault that keeps a request from being carried out."""
    for strike in strikes:
        if strike.fault is WireFault.MAINTENANCE:
            return web.Response(status=503, text="Service Unavailable")
        if strike.fault is WireFault.SERVER_ERROR:
            return web.Response(status=502, text="<html><h1>Bad Gateway</h1></html>")
        if strike.fault is WireFault.RATE_LIMIT:
            usage, code = Usage(), errors.TOO_MANY_REQUESTS
            usage.retry_after_s = 1
            return _response({"code": code.number, "msg": code.message}, code.status, usage)
        if strike.fault is WireFault.LOST_REQUEST:
            _hang_up(request)
            return web.Response()
    return None


def _hang_up(request: web.BaseRequest) -> None:
    if request.transport is not None:
        request.transport.abort()


def _response(answer: object, status: int, usage: Usage) -> web.Response:
    return web.Response(
        body=_encode(answer),
        status=status,
        content_type="application/json",
        charset="utf-8",
        headers=usage.headers(),
    )
