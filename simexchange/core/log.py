"""The events of the present command and the rolling hash of all."""

import msgspec

from simexchange.core.chain import HashChain
from simexchange.core.events import Event


class EventLog:
    """Gathers events; the hash is over each command's events as one MessagePack array."""

    __slots__ = ("_block_bytes", "_buffer", "_digest", "_encoder", "at", "events")

    def __init__(self, block_bytes: int) -> None:
        self.at = 0
        self.events: list[Event] = []
        self._block_bytes = block_bytes
        self._buffer = bytearray()
        self._digest = HashChain()  # unlike hashlib's, it goes into a snapshot
        self._encoder = msgspec.msgpack.Encoder()

    def seal(self, events: list[Event]) -> None:
        """Add a command's events to the hash."""
        buffer = self._buffer
        before = len(buffer)
        try:
            self._encoder.encode_into(events, buffer, -1)
        except OverflowError:
            # MessagePack ends at 64 bits, money does not: such events count by their text
            del buffer[before:]
            buffer += repr(events).encode()
        if before >= self._block_bytes:
            self._digest.update(buffer)
            buffer.clear()

    def hexdigest(self) -> str:
        digest = self._digest.copy()
        digest.update(self._buffer)
        return digest.hexdigest()
