"""The events of the present command and the rolling hash of all."""

import msgspec

from simexchange.core.chain import HashChain
from simexchange.core.events import Event

GROUP_EVENTS = 128
"""How many events, at least, are encoded at once; part of what the hash means."""

NO_EVENTS = (None,)
"""What stands in a group for a command that had no events: it, too, changes the hash."""


class EventLog:
    """Gathers events; the hash is over them in groups, each as one MessagePack array.

    A group ends with the first command that brings it to ``GROUP_EVENTS`` events, so the hash
    follows from the run alone. Who gathers a command's events in ``unsealed`` seals a full group.
    """

    __slots__ = ("_digest", "_encoded", "_encoder", "at", "events", "unsealed")

    def __init__(self) -> None:
        self.at = 0
        self.events: list[Event] = []
        self.unsealed: list[Event | None] = []  # of the group that is not yet full
        self._digest = HashChain()  # unlike hashlib's, it goes into a snapshot
        self._encoder = msgspec.msgpack.Encoder()
        self._encoded = bytearray()  # the last group: the next one takes its place in memory

    def seal(self) -> None:
        """Add the group of events to the hash and begin the next."""
        self._encode(self._encoded)
        self._digest.update(self._encoded)
        self.unsealed.clear()

    def hexdigest(self) -> str:
        digest = self._digest.copy()
        if self.unsealed:
            rest = bytearray()
            self._encode(rest)
            digest.update(rest)
        return digest.hexdigest()

    def _encode(self, into: bytearray) -> None:
        try:
            self._encoder.encode_into(self.unsealed, into)
        except OverflowError:
            # MessagePack ends at 64 bits, money does not: such events count by their text
            into[:] = repr(self.unsealed).encode()
