"""Requests over HTTP: faults, signature, permission, limits, parameters, handler, envelope."""

import asyncio
import logging

import msgspec
from aiohttp import web

from simexchange.core.types import SECOND_US
from simexchange.server.bybit import errors
from simexchange.server.bybit.call import PUBLIC, READ, Answer, Call, Endpoint
from simexchange.server.bybit.endpoints import ENDPOINTS
from simexchange.server.bybit.errors import WireError
from simexchange.server.bybit.parameters import Reader
from simexchange.server.bybit.permissions import permits
from simexchange.server.bybit.stops import Keeper
from simexchange.server.bybit.streams import Streams
from simexchange.server.keys import ApiKey
from simexchange.server.limits import Quota, Standing
from simexchange.server.venue import Venue
from simexchange.server.wire_faults import Strike, WireFault, late_by_us

_log = logging.getLogger(__name__)
_ADDRESS_QUOTA = Quota(600, 5 * SECOND_US)
_BODY_MOST = 1_000_000
_WINDOW_DEFAULT_MS = 5_000
_AHEAD_MS = 1_000
_encode = msgspec.json.Encoder().encode


class _Route:
    __slots__ = ("endpoint", "reader")

    def __init__(self, endpoint: Endpoint, *, refuses_unknown: bool) -> None:
        self.endpoint = endpoint
        self.reader = Reader(endpoint.params, refuses_unknown=refuses_unknown)


class BybitDialect:
    """Answers the venue's paths."""

    prefixes = ("/v5/",)

    def __init__(self, venue: Venue) -> None:
        self.venue = venue
        strict = venue.settings.refuses_unknown_parameters
        self._routes = {
            (endpoint.method, endpoint.path): _Route(endpoint, refuses_unknown=strict)
            for endpoint in ENDPOINTS
        }
        Keeper(venue)
        self.streams = Streams(venue, self._route_of)

    def _route_of(self, path: str) -> tuple[Endpoint, Reader]:
        route = self._routes["POST", path]
        return route.endpoint, route.reader

    async def respond(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request; its errors are answers too."""
        path, _, query = request.raw_path.partition("?")
        if path in self.streams.paths:
            return await self.streams.serve(request, path)
        route = self._routes.get((request.method, path))
        if route is None:
            return self._refused(WireError(errors.UNKNOWN_PATH, status=404), [])
        body = await request.read() if request.method == "POST" else b""
        venue = self.venue
        if not venue.faults.is_on:
            return self._answer(request, route, query, body)
        return await self._answer_faultily(request, route, query, body)

    # ------------------------------------------------------------------ faults

    async def _answer_faultily(
        self, request: web.BaseRequest, route: _Route, query: str, body: bytes
    ) -> web.StreamResponse:
        key = self.venue.keys.find(request.headers.get("X-BAPI-API-KEY", ""))
        account = None if key is None else key.account
        strikes = self.venue.faults.on_request(route.endpoint.path, account)
        response = self._struck(request, strikes)
        late_us = late_by_us(strikes)
        if response is None and late_us is not None:
            hang_up(request)
            await asyncio.sleep(late_us / SECOND_US)
            return self._answer(request, route, query, body)
        if response is None:
            response = self._answer(request, route, query, body)
        delay_us = sum(strike.delay_us for strike in strikes)
        if delay_us:
            await asyncio.sleep(delay_us / SECOND_US)
        if any(strike.fault is WireFault.LOST_ANSWER for strike in strikes):
            hang_up(request)
        return response

    def _struck(self, request: web.BaseRequest, strikes: list[Strike]) -> web.StreamResponse | None:
        """Return the answer of a fault that keeps a request from being carried out."""
        for strike in strikes:
            if strike.fault is WireFault.MAINTENANCE:
                return web.Response(status=503, text="Service Temporarily Unavailable")
            if strike.fault is WireFault.SERVER_ERROR:
                return web.Response(
                    status=502, text="<html><h1>Bad Gateway</h1></html>", content_type="text/html"
                )
            if strike.fault is WireFault.RATE_LIMIT:
                now = self.venue.edge_now()
                standing = Standing(is_allowed=False, limit=10, left=0, resets_at=now + SECOND_US)
                return self._refused(WireError(errors.TOO_MANY_VISITS), [standing])
            if strike.fault is WireFault.LOST_REQUEST:
                hang_up(request)
                return web.Response()
        return None

    # ------------------------------------------------------------------ the request

    def _answer(
        self, request: web.BaseRequest, route: _Route, query: str, body: bytes
    ) -> web.StreamResponse:
        standings: list[Standing] = []
        try:
            answer = self._carry_out(request, route, query, body, standings)
        except WireError as error:
            return self._refused(error, standings)
        except Exception:  # noqa: BLE001 - a fault of ours is logged, and answered as the venue does
            _log.exception("%s %s was not answered", request.method, route.endpoint.path)
            return self._refused(WireError(errors.INTERNAL), standings)
        return self._response(0, answer, standings)

    def _carry_out(
        self,
        request: web.BaseRequest,
        route: _Route,
        query: str,
        body: bytes,
        standings: list[Standing],
    ) -> Answer:
        """Do what is asked; how the limit stands goes into ``standings`` even if it is refused."""
        venue, endpoint, is_post = self.venue, route.endpoint, request.method == "POST"
        if venue.limits.is_on:
            self._count_address(request)
        key = None
        if endpoint.scope != PUBLIC:
            key = self._authenticate(request, body if is_post else query.encode())
            if endpoint.scope != READ and not permits(key, endpoint.scope):
                raise WireError(errors.NOT_PERMITTED)
            now = venue.edge_now()
            standing = venue.limits.take(key.account, endpoint.path, endpoint.quota, now)
            standings.append(standing)
            if not standing.is_allowed:
                raise WireError(errors.TOO_MANY_VISITS)
        params = route.reader.body(body) if is_post else route.reader.query(query)
        result = endpoint.handler(Call(venue, key), params)
        return result if isinstance(result, Answer) else Answer(result, {})

    def _count_address(self, request: web.BaseRequest) -> None:
        standing = self.venue.limits.take(
            request.remote, "address", _ADDRESS_QUOTA, self.venue.edge_now()
        )
        if not standing.is_allowed:
            raise WireError(errors.ADDRESS_LIMIT, "access too frequent.", status=403)

    def _authenticate(self, request: web.BaseRequest, payload: bytes) -> ApiKey:
        """Return the key that signed a request."""
        headers = request.headers
        name = headers.get("X-BAPI-API-KEY")
        signature = headers.get("X-BAPI-SIGN")
        stamp = headers.get("X-BAPI-TIMESTAMP")
        if not name or not signature or not stamp:
            raise WireError(errors.NOT_AUTHENTICATED, status=401)
        receive_window = headers.get("X-BAPI-RECV-WINDOW", "")
        self.check_time(stamp, receive_window)
        key = self.venue.keys.find(name)
        if key is None:
            raise WireError(errors.INVALID_KEY)
        signed = f"{stamp}{name}{receive_window}".encode() + payload
        if not key.has_signed(signed, signature):
            raise WireError(errors.INVALID_SIGNATURE)
        check_key(self.venue, key, request.remote)
        return key

    def check_time(self, stamp: str, receive_window: str) -> None:
        """Refuse a request that is too old, or from the future."""
        if not stamp.isdecimal() or (receive_window and not receive_window.isdecimal()):
            raise WireError(errors.PARAMETER, "params error: timestamp or recv_window invalid")
        now_ms = self.venue.edge_now() // 1_000
        window_ms = int(receive_window) if receive_window else _WINDOW_DEFAULT_MS
        if not now_ms - window_ms <= int(stamp) < now_ms + _AHEAD_MS:
            raise WireError(
                errors.EXPIRED_REQUEST,
                "invalid request, please check your server timestamp or recv_window param. "
                f"req_timestamp[{stamp}],server_timestamp[{now_ms}],recv_window[{window_ms}]",
            )

    # ------------------------------------------------------------------ the answer

    def _refused(self, error: WireError, standings: list[Standing]) -> web.Response:
        result: object = {} if error.result is None else error.result
        return self._response(
            error.code, Answer(result, {}, error.message), standings, error.status
        )

    def _response(
        self, code: int, answer: Answer, standings: list[Standing], status: int = 200
    ) -> web.Response:
        body = _encode(
            {
                "retCode": code,
                "retMsg": answer.message,
                "result": answer.result,
                "retExtInfo": answer.extra,
                "time": self.venue.edge_now() // 1_000,
            }
        )
        response = web.Response(body=body, status=status, content_type="application/json")
        headers = response.headers
        for standing in standings:
            headers["X-Bapi-Limit"] = str(standing.limit)
            headers["X-Bapi-Limit-Status"] = str(standing.left)
            headers["X-Bapi-Limit-Reset-Timestamp"] = str(standing.resets_at // 1_000)
        return response


def check_key(venue: Venue, key: ApiKey, address: str | None) -> None:
    """Refuse a key that has expired or comes from an address it is not bound to."""
    if key.account in venue.members.frozen:
        raise WireError(errors.FROZEN)
    if key.expires_at <= venue.edge_now():
        raise WireError(errors.EXPIRED_KEY)
    if address is not None and not key.may_come_from(address):
        raise WireError(errors.UNMATCHED_ADDRESS)


def hang_up(request: web.BaseRequest) -> None:
    """End the connection without an answer."""
    if request.transport is not None:
        request.transport.abort()
