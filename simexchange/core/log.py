"""The events of the present command and the rolling hash of all."""

import msgspec

from simexchange.core.chain import HashChain
from simexchange.core.events import Event

GROUP_EVENTS = 64
"""How many events, at least, are encoded at once; part of what the hash means."""

NO_EVENTS = (None,)
"""What stands in a group for a command that had no events: it, too, changes the hash."""


class EventLog:
    """Gathers events; the hash is over them in groups, each as one MessagePack array.

    A group ends with the first command that brings it to ``GROUP_EVENTS`` events, so the hash
    follows from the run alone. Who gathers a command's events in ``unsealed`` seals a full group.
    """

    __slots__ = ("_block_bytes", "_buffer", "_digest", "_encoder", "at", "events", "unsealed")

    def __init__(self, block_bytes: int) -> None:
        self.at = 0
        self.events: list[Event] = []
        self.unsealed: list[Event | None] = []  # of the group that is not yet full
        self._block_bytes = block_bytes
        self._buffer = bytearray()
        self._digest = HashChain()  # unlike hashlib's, it goes into a snapshot
        self._encoder = msgspec.msgpack.Encoder()

    def seal(self) -> None:
        """Add the group of events to the hash and begin the next."""
        buffer = self._buffer
        self._write_group(buffer)
        self.unsealed.clear()
        if len(buffer) >= self._block_bytes:
            self._digest.update(buffer)
            buffer.clear()

    def hexdigest(self) -> str:
        digest = self._digest.copy()
        rest = self._buffer.copy()
        if self.unsealed:
            self._write_group(rest)
        digest.update(rest)
        return digest.hexdigest()

    def _write_group(self, buffer: bytearray) -> None:
        before = len(buffer)
        try:
            self._encoder.encode_into(self.unsealed, buffer, -1)
        except OverflowError:
            # MessagePack ends at 64 bits, money does not: such events count by their text
            del buffer[before:]
            buffer += repr(self.unsealed).encode()
