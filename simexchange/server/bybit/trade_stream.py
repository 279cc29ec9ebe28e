"""Orders over a WebSocket: the same handlers as over HTTP, each answer with its request's id."""

import asyncio
import logging
from collections.abc import Callable

import msgspec

from simexchange.core.types import SECOND_US
from simexchange.server.bybit import errors
from simexchange.server.bybit.call import Answer, Call, Endpoint
from simexchange.server.bybit.errors import WireError
from simexchange.server.bybit.messages import Message
from simexchange.server.bybit.parameters import Reader
from simexchange.server.bybit.permissions import permits
from simexchange.server.bybit.socket_login import key_of
from simexchange.server.keys import ApiKey
from simexchange.server.limits import Standing
from simexchange.server.sockets import Socket
from simexchange.server.venue import Venue
from simexchange.server.wire_faults import Strike, WireFault, late_by_us

_log = logging.getLogger(__name__)
_encode = msgspec.json.encode
_PATHS = {
    f"order.{name}": f"/v5/order/{name}"
    for name in ("create", "amend", "cancel", "create-batch", "amend-batch", "cancel-batch")
}
_WINDOW_DEFAULT_MS = 5_000
_AHEAD_MS = 1_000
_IDS_KEPT = 10_000


class TradeStream:
    """One client's order socket."""

    def __init__(
        self,
        venue: Venue,
        socket: Socket,
        connection: str,
        address: str | None,
        route_of: Callable[[str], tuple[Endpoint, Reader]],
    ) -> None:
        self._venue = venue
        self._socket = socket
        self._connection = connection
        self._address = address
        self._route_of = route_of
        self._key: ApiKey | None = None
        self._request_ids: dict[str | int, None] = {}

    def closed(self) -> None:
        """Nothing is held for a client that is gone."""

    def heard(self, message: Message) -> None:
        operation = message.op
        if operation == "ping":
            now_ms = str(self._venue.edge_now() // 1_000)
            self._say({"retCode": 0, "retMsg": "OK", "op": "pong", "data": [now_ms]}, message)
        elif operation == "auth":
            self._log_in(message)
        else:
            self._order(message, operation)

    def _log_in(self, message: Message) -> None:
        try:
            self._key = key_of(self._venue, message, self._address)
        except WireError as error:
            self._say({"retCode": error.code, "retMsg": error.message, "op": "auth"}, message)
            return
        self._socket.account = self._key.account
        self._say({"retCode": 0, "retMsg": "OK", "op": "auth"}, message)

    def _say(self, answer: dict[str, object], message: Message) -> None:
        full = {**answer, "connId": self._connection}
        if message.request_id:
            full["reqId"] = message.request_id
        self._socket.answer(_encode(full), self._venue.settings.ack_delay_ms)

    # ------------------------------------------------------------------ orders

    def _order(self, message: Message, operation: str) -> None:
        strikes = self._strikes(operation)
        kinds = {strike.fault for strike in strikes}
        if WireFault.LOST_REQUEST in kinds:
            self._socket.abort()
            return
        standings: list[Standing] = []
        late_us = late_by_us(strikes)
        if late_us is not None:
            self._socket.abort()
            later = asyncio.get_running_loop().call_later
            later(late_us / SECOND_US, self._done, message, operation, kinds, standings)
            return
        code, answer = self._done(message, operation, kinds, standings)
        if WireFault.LOST_ANSWER in kinds:
            self._socket.abort()
            return
        delay_us = sum(strike.delay_us for strike in strikes)
        self._answer(message, standings, code, answer, delay_us // 1_000)

    def _done(
        self, message: Message, operation: str, kinds: set[WireFault], standings: list[Standing]
    ) -> tuple[int, Answer]:
        """Do what is asked; return the code and the answer, an error's too."""
        try:
            _refuse_by_fault(kinds)
            return 0, self._carry_out(message, operation, standings)
        except WireError as error:
            return error.code, Answer({}, {}, error.message)
        except Exception:  # noqa: BLE001 - a fault of ours is logged, and answered as the venue does
            _log.exception("%s was not answered", operation)
            return errors.INTERNAL.number, Answer({}, {}, errors.INTERNAL.message)

    def _strikes(self, operation: str) -> list[Strike]:
        """Return the faults of a request, whose path is that of the same request over HTTP."""
        if not self._venue.faults.is_on:
            return []
        account = None if self._key is None else self._key.account
        return self._venue.faults.on_request(_PATHS.get(operation, ""), account)

    def _carry_out(self, message: Message, operation: str, standings: list[Standing]) -> Answer:
        """Do what is asked; how the limit stands goes into ``standings`` even if it is refused."""
        path = _PATHS.get(operation)
        if path is None:
            raise WireError(errors.UNKNOWN_OPERATION)
        endpoint, reader = self._route_of(path)
        key = self._permitted(message, endpoint)
        now = self._venue.edge_now()
        standing = self._venue.limits.take(key.account, endpoint.path, endpoint.quota, now)
        standings.append(standing)
        if not standing.is_allowed:
            raise WireError(errors.TOO_MANY_VISITS)
        params = reader.mapping(_argument(message))
        result = endpoint.handler(Call(self._venue, key), params)
        return result if isinstance(result, Answer) else Answer(result, {})

    def _permitted(self, message: Message, endpoint: Endpoint) -> ApiKey:
        key = self._key
        if key is None:
            raise WireError(errors.NOT_AUTHENTICATED)
        if key.is_revoked:
            raise WireError(errors.INVALID_KEY)
        if not permits(key, endpoint.scope):
            raise WireError(errors.NOT_PERMITTED)
        self._check_time(message)
        request_id = message.request_id
        if request_id:
            if request_id in self._request_ids:
                raise WireError(errors.REPEATED_REQUEST_ID)
            self._request_ids[request_id] = None
            if len(self._request_ids) > _IDS_KEPT:
                del self._request_ids[next(iter(self._request_ids))]
        return key

    def _check_time(self, message: Message) -> None:
        header = message.header
        stamp = str(header.get("X-BAPI-TIMESTAMP", ""))
        window = str(header.get("X-BAPI-RECV-WINDOW", "") or _WINDOW_DEFAULT_MS)
        if not stamp.isdecimal() or not window.isdecimal():
            raise WireError(errors.PARAMETER, "X-BAPI-TIMESTAMP or X-BAPI-RECV-WINDOW invalid")
        now_ms = self._venue.edge_now() // 1_000
        if not now_ms - int(window) <= int(stamp) < now_ms + _AHEAD_MS:
            raise WireError(errors.EXPIRED_REQUEST)

    def _answer(
        self,
        message: Message,
        standings: list[Standing],
        code: int,
        said: Answer,
        delay_ms: int,
    ) -> None:
        now_ms = str(self._venue.edge_now() // 1_000)
        header = {"Timenow": now_ms, "Traceid": self._connection}
        for standing in standings:
            header["X-Bapi-Limit"] = str(standing.limit)
            header["X-Bapi-Limit-Status"] = str(standing.left)
            header["X-Bapi-Limit-Reset-Timestamp"] = str(standing.resets_at // 1_000)
        answer = {
            "reqId": message.request_id,
            "retCode": code,
            "retMsg": said.message,
            "op": message.op,
            "data": said.result,
            "retExtInfo": said.extra,
            "header": header,
            "connId": self._connection,
        }
        self._socket.answer(_encode(answer), delay_ms)


def _refuse_by_fault(kinds: set[WireFault]) -> None:
    """Raise the answer of a fault that keeps a request from being carried out."""
    if WireFault.RATE_LIMIT in kinds:
        raise WireError(errors.TOO_MANY_VISITS)
    if kinds & {WireFault.MAINTENANCE, WireFault.SERVER_ERROR}:
        raise WireError(errors.INTERNAL)


def _argument(message: Message) -> object:
    if len(message.args) != 1:
        raise WireError(errors.PARAMETER, "args takes one element")
    return message.args[0]
