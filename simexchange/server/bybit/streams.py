"""The venue's three WebSockets: public market data, private news, orders."""

import logging
from collections.abc import Callable

import msgspec
from aiohttp import WSMsgType, web

from simexchange.server.bybit import errors
from simexchange.server.bybit.call import Endpoint
from simexchange.server.bybit.messages import Message, message_from
from simexchange.server.bybit.parameters import Reader
from simexchange.server.bybit.private_stream import PrivateStream
from simexchange.server.bybit.public_stream import PublicTopics
from simexchange.server.bybit.trade_stream import TradeStream
from simexchange.server.sockets import Socket
from simexchange.server.venue import Venue

_log = logging.getLogger(__name__)
_encode = msgspec.json.encode
PUBLIC_PATH, PRIVATE_PATH, TRADE_PATH = "/v5/public/linear", "/v5/private", "/v5/trade"
_EMPTY_PATHS = ("/v5/public/inverse", "/v5/public/spot", "/v5/public/option")


class Streams:
    """Accepts sockets and hands their messages to the stream of their path."""

    paths = frozenset({PUBLIC_PATH, PRIVATE_PATH, TRADE_PATH, *_EMPTY_PATHS})

    def __init__(self, venue: Venue, route_of: Callable[[str], tuple[Endpoint, Reader]]) -> None:
        self._venue = venue
        self._route_of = route_of
        self._topics = PublicTopics(venue)
        self._opened = 0

    async def serve(self, request: web.BaseRequest, path: str) -> web.StreamResponse:
        """Talk to one client until it goes."""
        if request.headers.get("Upgrade", "").lower() != "websocket":
            return web.Response(status=400, text="this path speaks WebSocket")
        socket = Socket(request, self._venue.faults, self._venue.settings.socket_backlog)
        await socket.open()
        self._opened += 1
        stream = self._stream(path, socket, f"{self._opened:012x}-sim", request.remote)
        try:
            async for message in socket.socket:
                if message.type is WSMsgType.TEXT:
                    self._hear(stream, socket, message.data)
        except Exception:
            _log.exception("a socket of %s ended", path)
            raise
        finally:
            stream.closed()
        return socket.socket

    def _stream(
        self, path: str, socket: Socket, connection: str, address: str | None
    ) -> "PublicStream | PrivateStream | TradeStream":
        if path == PRIVATE_PATH:
            return PrivateStream(self._venue, socket, connection, address)
        if path == TRADE_PATH:
            return TradeStream(self._venue, socket, connection, address, self._route_of)
        return PublicStream(self._venue, socket, connection, self._topics, path == PUBLIC_PATH)

    def _hear(
        self, stream: "PublicStream | PrivateStream | TradeStream", socket: Socket, text: str
    ) -> None:
        message = message_from(text)
        if message is None:
            refused = {"success": False, "ret_msg": "Invalid json or op", "op": ""}
            socket.answer(_encode({**refused, "retCode": errors.PARAMETER.number}))
            return
        stream.heard(message)


class PublicStream:
    """One client of market data."""

    def __init__(
        self,
        venue: Venue,
        socket: Socket,
        connection: str,
        topics: PublicTopics,
        has_topics: bool,  # noqa: FBT001 - the path says it
    ) -> None:
        self._venue = venue
        self._socket = socket
        self._connection = connection
        self._topics = topics
        self._has_topics = has_topics
        self._names: list[str] = []

    def heard(self, message: Message) -> None:
        operation = message.op
        if operation == "ping":
            self._answer(message, "pong", success=True)
        elif operation in ("subscribe", "unsubscribe"):
            self._subscribe(message, operation)
        else:
            self._answer(message, "error:unknown op", success=False)

    def _subscribe(self, message: Message, operation: str) -> None:
        names = message.args
        if not names:
            self._answer(message, "error:no topic", success=False)
            return
        for name in names:
            if not (self._has_topics and isinstance(name, str) and self._topics.exists(name)):
                self._answer(message, f"error:handler not found,topic:{name}", success=False)
                return
        delay_ms = self._venue.settings.ack_delay_ms
        self._answer(message, "" if operation == "unsubscribe" else "subscribe", success=True)
        for name in names:
            if operation == "unsubscribe":
                self._topics.leave(name, self._socket)
                self._names = [kept for kept in self._names if kept != name]
            elif name not in self._names:
                self._names.append(name)
                self._topics.join(name, self._socket, delay_ms)

    def _answer(self, message: Message, said: str, *, success: bool) -> None:
        answer = {
            "success": success,
            "ret_msg": said,
            "conn_id": self._connection,
            "req_id": message.req_id,
            "op": message.op,
        }
        self._socket.answer(_encode(answer), self._venue.settings.ack_delay_ms)

    def closed(self) -> None:
        for name in self._names:
            self._topics.leave(name, self._socket)
