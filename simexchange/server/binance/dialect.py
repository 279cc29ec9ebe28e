"""Requests over HTTP: faults, signature, permission, limits, parameters, handler, answer."""

import asyncio
import logging
from urllib.parse import parse_qsl

import msgspec
from aiohttp import web

from simexchange.core.types import SECOND_US
from simexchange.server.binance import errors
from simexchange.server.binance.call import (
    PUBLIC,
    SIGNED,
    TRADE,
    TRANSFER,
    Call,
    Endpoint,
    Reader,
)
from simexchange.server.binance.endpoints import ENDPOINTS
from simexchange.server.binance.errors import WireError
from simexchange.server.binance.socket_api import SocketApi
from simexchange.server.binance.streams import Streams
from simexchange.server.keys import ApiKey
from simexchange.server.limits import Quota, Standing
from simexchange.server.venue import Venue
from simexchange.server.wire_faults import Strike, WireFault

_log = logging.getLogger(__name__)
_MINUTE = Quota(2_400, 60 * SECOND_US)
_ORDERS = Quota(1_200, 60 * SECOND_US)
_WINDOW_DEFAULT_MS, _WINDOW_MOST_MS, _AHEAD_MS = 5_000, 60_000, 1_000
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

    prefixes = ("/fapi/", "/sapi/", "/api/v3/", "/dapi/", *Streams.prefixes, SocketApi.path)

    def __init__(self, venue: Venue) -> None:
        self.venue = venue
        self.streams = Streams(venue)
        self._socket_api = SocketApi(venue, self._carry_out_message)
        strict = venue.settings.refuses_unknown_parameters
        self._routes = {
            (endpoint.method, endpoint.path): _Route(endpoint, refuses_unknown=strict)
            for endpoint in (*ENDPOINTS, *self.streams.listen_keys.endpoints())
        }

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
        key = self.venue.keys.find(request.headers.get("X-MBX-APIKEY", ""))
        strikes = self.venue.faults.on_request(path, None if key is None else key.account)
        response = _struck(request, strikes) or self._answer(request, route, query, body)
        delay_us = sum(strike.delay_us for strike in strikes)
        if delay_us:
            await asyncio.sleep(delay_us / SECOND_US)
        if any(strike.fault is WireFault.LOST_ANSWER for strike in strikes):
            _hang_up(request)
        return response

    def _answer(
        self, request: web.BaseRequest, route: _Route, query: str, body: str
    ) -> web.StreamResponse:
        standings: dict[str, Standing] = {}
        try:
            return _response(
                self._carry_out(request, route, query, body, standings), 200, standings
            )
        except WireError as error:
            answer = {"code": error.code, "msg": error.message}
            return _response(answer, error.status, standings)
        except Exception:  # noqa: BLE001 - a fault of ours is logged, and answered as the venue does
            _log.exception("%s %s was not answered", request.method, route.endpoint.path)
            unknown = errors.UNKNOWN
            return _response({"code": unknown.number, "msg": unknown.message}, 500, standings)

    def _carry_out(
        self,
        request: web.BaseRequest,
        route: _Route,
        query: str,
        body: str,
        standings: dict[str, Standing],
    ) -> object:
        """Do what is asked; how the limits stand goes into ``standings`` even if refused."""
        venue, endpoint = self.venue, route.endpoint
        now = venue.edge_now()
        used = venue.limits.take(request.remote, "weight", _MINUTE, now, endpoint.weight)
        standings["X-MBX-USED-WEIGHT-1M"] = used
        if not used.is_allowed:
            raise WireError(errors.TOO_MANY_REQUESTS)
        values = dict(parse_qsl(query, keep_blank_values=True))
        values |= dict(parse_qsl(body, keep_blank_values=True))
        key = None
        if endpoint.scope != PUBLIC:
            name = request.headers.get("X-MBX-APIKEY", "")
            key = self._key(name, request.remote, endpoint)
        if key is not None and endpoint.scope in SIGNED:
            self._check_signature(key, values, _unsigned(query) + _unsigned(body))
            if endpoint.is_order:
                sent = venue.limits.take(key.account, "orders", _ORDERS, now)
                standings["X-MBX-ORDER-COUNT-1M"] = sent
                if not sent.is_allowed:
                    raise WireError(errors.TOO_MANY_ORDERS_SENT)
        for name in _OWN:  # clients sign more than they must
            values.pop(name, None)
        return endpoint.handler(Call(venue, key), route.reader.read(values))

    def _carry_out_message(
        self, method: str, path: str, values: dict[str, str], address: str | None
    ) -> object:
        """Do what is asked on a socket; there parameters are signed in order of their names."""
        route = self._routes[method, path]
        key = None
        if route.endpoint.scope != PUBLIC:
            key = self._key(values.get("apiKey", ""), address, route.endpoint)
            signed = sorted(name for name in values if name != "signature")
            payload = "&".join(f"{name}={values[name]}" for name in signed)
            self._check_signature(key, values, payload)
        asked = {name: text for name, text in values.items() if name not in _OWN_ON_SOCKETS}
        return route.endpoint.handler(Call(self.venue, key), route.reader.read(asked))

    def _key(self, name: str, address: str | None, endpoint: Endpoint) -> ApiKey:
        """Return the key of a request, if it may do this from where it comes."""
        if not name:
            raise WireError(errors.BAD_KEY_FORMAT)
        key = self.venue.keys.find(name)
        if key is None or key.expires_at <= self.venue.edge_now():
            raise WireError(errors.REJECTED_KEY)
        if key.account in self.venue.members.frozen:
            raise WireError(errors.REJECTED_KEY)
        if address is not None and not key.may_come_from(address):
            raise WireError(errors.REJECTED_KEY)
        grant = key.grant
        if (endpoint.scope == TRADE and not grant.trade) or (
            endpoint.scope == TRANSFER and not grant.transfer
        ):
            raise WireError(errors.REJECTED_KEY)
        return key

    def _check_signature(self, key: ApiKey, values: dict[str, str], payload: str) -> None:
        stamp, window = values.get("timestamp", ""), values.get("recvWindow", "")
        if not stamp.isdecimal() or (window and not window.partition(".")[0].isdecimal()):
            raise WireError(errors.MANDATORY, "Mandatory parameter 'timestamp' was not sent.")
        if not values.get("signature"):
            raise WireError(errors.MANDATORY, "Mandatory parameter 'signature' was not sent.")
        if not key.has_signed(payload.encode(), values["signature"]):
            raise WireError(errors.INVALID_SIGNATURE)
        window_ms = int(window.partition(".")[0]) if window else _WINDOW_DEFAULT_MS
        now_ms = self.venue.edge_now() // 1_000
        if not now_ms - min(window_ms, _WINDOW_MOST_MS) <= int(stamp) < now_ms + _AHEAD_MS:
            raise WireError(errors.OUTSIDE_WINDOW)


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
            code = errors.TOO_MANY_REQUESTS
            answer = {"code": code.number, "msg": code.message}
            response = _response(answer, code.status, {})
            response.headers["Retry-After"] = "1"
            return response
        if strike.fault is WireFault.LOST_REQUEST:
            _hang_up(request)
            return web.Response()
    return None


def _hang_up(request: web.BaseRequest) -> None:
    if request.transport is not None:
        request.transport.abort()


def _response(answer: object, status: int, standings: dict[str, Standing]) -> web.Response:
    response = web.Response(
        body=_encode(answer), status=status, content_type="application/json", charset="utf-8"
    )
    for name, standing in standings.items():
        response.headers[name] = str(standing.limit - standing.left)
    return response
