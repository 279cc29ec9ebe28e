"""The events of the present command and the rolling hash of all."""

import hashlib

import msgspec

from simexchange.core.events import Event

LINK_BYTES = 65_536
"""How many bytes of the stream of events one link of the hash chain covers."""


class EventLog:
    """Gathers events; the hash is over each command's events as one MessagePack array.

    The hash is a chain: each link is SHA-256 over the link before and the next ``LINK_BYTES`` of
    the stream. So what is needed to go on from here, after a restart, is one link and the bytes
    since, which a running SHA-256 would not give away.
    """

    __slots__ = ("_block_bytes", "_buffer", "_encoder", "_link", "at", "events")

    def __init__(self, block_bytes: int) -> None:
        self.at = 0
        self.events: list[Event] = []
        self._block_bytes = block_bytes
        self._buffer = bytearray()
        self._link = b""
        self._encoder = msgspec.msgpack.Encoder()

    def begin(self, at: int) -> None:
        self.at = at
        self.events = []

    def seal(self) -> list[Event]:
        """Add the command's events to the hash and return them."""
        events, buffer = self.events, self._buffer
        before = len(buffer)
        try:
            self._encoder.encode_into(events, buffer, -1)
        except OverflowError:
            # MessagePack ends at 64 bits, money does not: such events count by their text
            del buffer[before:]
            buffer += repr(events).encode()
        if len(buffer) >= self._block_bytes:
            self._link_up()
        return events

    def hexdigest(self) -> str:
        self._link_up()
        return hashlib.sha256(self._link + self._buffer).hexdigest()

    def _link_up(self) -> None:
        """Put whole links of the gathered bytes into the chain."""
        buffer = self._buffer
        while len(buffer) >= LINK_BYTES:
            self._link = hashlib.sha256(self._link + buffer[:LINK_BYTES]).digest()
            del buffer[:LINK_BYTES]
