"""The venue's WebSockets: single and combined market streams, and the user stream."""

from typing import Any
from urllib.parse import parse_qs

import msgspec
from aiohttp import WSMsgType, web

from simexchange.server.binance import errors
from simexchange.server.binance.errors import WireError
from simexchange.server.binance.listen_keys import ListenKeys
from simexchange.server.binance.market_streams import MarketTopics
from simexchange.server.binance.user_stream import UserStream
from simexchange.server.sockets import Socket
from simexchange.server.venue import Venue

_encode = msgspec.json.encode
_GROUPS = ("public", "market", "private")
_FORMS = ("ws", "stream")
_HALF = 2


class Request(msgspec.Struct, frozen=True):
    """What a client says on a socket."""

    method: str
    id: Any = None
    params: list[Any] = []


class Connection:
    """One socket and the streams it hears. On a combined one each message names its stream."""

    def __init__(self, streams: "Streams", socket: Socket, *, is_combined: bool) -> None:
        self._streams = streams
        self._socket = socket
        self._is_combined = is_combined
        self._names: list[str] = []
        self._users: dict[str, UserStream] = {}

    @property
    def is_closed(self) -> bool:
        return self._socket.is_closed

    def publish(self, topic: str, message: bytes) -> None:
        if self._is_combined:
            message = b'{"stream":"' + topic.encode() + b'","data":' + message + b"}"
        self._socket.publish(topic, message)

    def join(self, name: str) -> bool:
        """Hear a stream from now on; say whether there is one of this name."""
        if name in self._names or name in self._users:
            return True
        account = self._streams.listen_keys.join(name, self)
        if account is not None:
            self._socket.account = account
            self._users[name] = UserStream(self._streams.venue, account, self, name)
            return True
        if not self._streams.topics.join(name, self):
            return False
        self._names.append(name)
        return True

    def leave(self, name: str) -> None:
        if name in self._names:
            self._names.remove(name)
            self._streams.topics.leave(name, self)
        user = self._users.pop(name, None)
        if user is not None:
            user.close()
            self._streams.listen_keys.leave(name, self)

    def hear(self, text: str) -> None:
        """Carry out what the client says."""
        try:
            request = msgspec.json.decode(text, type=Request)
        except msgspec.MsgspecError:
            self._answer({"error": {"code": 2, "msg": "Invalid request: not a request"}})
            return
        try:
            self._answer({"result": self._carry_out(request), "id": request.id})
        except WireError as error:
            said = {"code": error.code, "msg": error.message}
            self._answer({"error": said, "id": request.id})

    def _carry_out(self, request: Request) -> object:
        names = [str(name) for name in request.params]
        if request.method == "SUBSCRIBE":
            unknown = [name for name in names if not self.join(name)]
            if unknown:
                raise WireError(errors.Code(2, f"Invalid request: unknown streams {unknown}"))
            return None
        if request.method == "UNSUBSCRIBE":
            for name in names:
                self.leave(name)
            return None
        if request.method == "LIST_SUBSCRIPTIONS":
            return [*self._names, *self._users]
        raise WireError(errors.Code(2, f"Invalid request: unknown method {request.method}"))

    def _answer(self, answer: dict[str, object]) -> None:
        self._socket.answer(_encode(answer), self._streams.venue.settings.ack_delay_ms)

    def closed(self) -> None:
        for name in (*self._names, *self._users):
            self.leave(name)


class Streams:
    """Accepts sockets on all forms of address that the venue has."""

    prefixes = ("/public/", "/market/", "/private/", "/ws", "/stream")

    def __init__(self, venue: Venue) -> None:
        self.venue = venue
        self.listen_keys = ListenKeys(venue)
        self.topics = MarketTopics(venue)

    async def serve(self, request: web.BaseRequest) -> web.StreamResponse:
        """Talk to one client until it goes."""
        if request.headers.get("Upgrade", "").lower() != "websocket":
            return web.Response(status=400, text="this path speaks WebSocket")
        path, _, query = request.raw_path.partition("?")
        parts = [part for part in path.split("/") if part]
        if parts[0] in _GROUPS:
            parts = parts[1:]
        if not parts or parts[0] not in _FORMS:
            return web.Response(status=404)
        socket = Socket(request, self.venue.faults, self.venue.settings.socket_backlog)
        await socket.open()
        connection = Connection(self, socket, is_combined=parts[0] == "stream")
        names = parts[1:] if len(parts) >= _HALF and not parts[1].isdecimal() else []
        asked = parse_qs(query)
        names += [n for text in asked.get("streams", []) for n in text.split("/")]
        names += asked.get("listenKey", [])
        try:
            for name in names:
                connection.join(name)
            async for message in socket.socket:
                if message.type is WSMsgType.TEXT:
                    connection.hear(message.data)
        finally:
            connection.closed()
        return socket.socket
