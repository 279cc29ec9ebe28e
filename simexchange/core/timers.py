"""Work that is due at a time: it is done before the first command at or after that time."""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush

NEVER = 2**62
"""A time that does not come."""

Alarm = Callable[[object], None]


class Timers:
    """Alarms in order of time, equal times in the order in which they were set."""

    __slots__ = ("_alarms", "_heap", "_sequence", "next_at", "until")

    def __init__(self) -> None:
        self._alarms: dict[str, Alarm] = {}
        self._heap: list[tuple[int, int, str, object]] = []
        self._sequence = 0
        self.next_at = NEVER
        self.until = 0  # time of the command before which alarms are running

    def handle(self, kind: str, alarm: Alarm) -> None:
        """Let ``alarm`` be called with the thing that an alarm of ``kind`` was set for."""
        self._alarms[kind] = alarm

    def set(self, at: int, kind: str, thing: object) -> None:
        self._sequence += 1
        heappush(self._heap, (at, self._sequence, kind, thing))
        self.next_at = self._heap[0][0]

    def run_next(self) -> None:
        """Call the first alarm; an alarm that no longer matters does nothing."""
        _, _, kind, thing = heappop(self._heap)
        self.next_at = self._heap[0][0] if self._heap else NEVER
        self._alarms[kind](thing)
