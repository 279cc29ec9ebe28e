"""One WebSocket of a client: sends in order, waits for nobody, gives up on who is too slow."""

import asyncio
from collections import deque

from aiohttp import WSMsgType, web

from simexchange.core.types import SECOND_US
from simexchange.server.wire_faults import Strike, WireFault, WireFaults


class Socket:
    """Sends messages without ever blocking the exchange.

    Messages wait in a queue while the client's connection is full; when ``backlog`` of them wait,
    the client is disconnected. An idle socket has no task and no queue of its own to pay for.
    """

    __slots__ = (
        "_backlog",
        "_faults",
        "_held",
        "_is_silent",
        "_loop",
        "_request",
        "_sender",
        "_waiting",
        "account",
        "socket",
    )

    def __init__(
        self, request: web.BaseRequest, faults: WireFaults, backlog: int, max_message: int = 2**20
    ) -> None:
        self.socket = web.WebSocketResponse(
            compress=False, heartbeat=None, autoping=True, max_msg_size=max_message
        )
        self.account: int | None = None
        self._request = request
        self._faults = faults
        self._backlog = backlog
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[bytes] = deque()
        self._sender: asyncio.Task[None] | None = None
        self._held: bytes | None = None  # a message that a fault lets come after the next
        self._is_silent = False

    @property
    def is_closed(self) -> bool:
        return self.socket.closed

    async def open(self) -> None:
        await self.socket.prepare(self._request)

    def answer(self, message: bytes, delay_ms: int = 0) -> None:
        """Send an answer to the client's own message, after ``delay_ms``."""
        if delay_ms:
            self._loop.call_later(delay_ms / 1_000, self._put, message)
        else:
            self._put(message)

    def publish(self, topic: str, message: bytes) -> None:
        """Send a message of a stream, as the faults let it."""
        if self._faults.is_on:
            strikes = self._faults.on_message(topic, self.account)
            if strikes:
                self._publish_faultily(message, strikes)
                return
        self._put(message)
        self._release()

    def _publish_faultily(self, message: bytes, strikes: list[Strike]) -> None:
        kinds = {strike.fault for strike in strikes}
        if WireFault.STREAM_SILENCE in kinds:
            self._fall_silent()
        elif WireFault.STREAM_CLOSE in kinds:
            self.abort()
        elif WireFault.STREAM_DROP in kinds:
            self._release()
        elif WireFault.STREAM_DELAY in kinds:
            delay_us = sum(strike.delay_us for strike in strikes)
            self._loop.call_later(delay_us / SECOND_US, self._put, message)
            self._release()
        elif WireFault.STREAM_REORDER in kinds and self._held is None:
            self._held = message
        else:
            for _ in range(2 if WireFault.STREAM_DUPLICATE in kinds else 1):
                self._put(message)
            self._release()

    def _release(self) -> None:
        held, self._held = self._held, None
        if held is not None:
            self._put(held)

    def _put(self, message: bytes) -> None:
        if self.socket.closed or self._is_silent:
            return
        if len(self._waiting) >= self._backlog:
            self.abort()
            return
        self._waiting.append(message)
        if self._sender is None:
            self._sender = self._loop.create_task(self._send())

    async def _send(self) -> None:
        try:
            while self._waiting and not self.socket.closed:
                await self.socket.send_frame(self._waiting.popleft(), WSMsgType.TEXT)
        except ConnectionError:
            self._waiting.clear()  # the client is gone; its reader ends by itself
        finally:
            self._sender = None

    def _fall_silent(self) -> None:
        """Be half-open: nothing is sent, and nothing heard, not even a ping."""
        self._is_silent = True
        if self._request.transport is not None:
            self._request.transport.pause_reading()

    def abort(self) -> None:
        """End the connection at once, without a closing handshake."""
        self._waiting.clear()
        if self._request.transport is not None:
            self._request.transport.abort()
