"""Work that is due at a time: it is done before the first command at or after that time."""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush

NEVER = 2**62
"""A time that does not come."""

Alarm = Callable[[object], None]


class Timers:
    """Alarms in order of time, equal times in the order in which they were set.

    Those of a quiet kind only look: they change nothing that anything else can see, and come after
    the others of their time.
    """

    __slots__ = ("_alarms", "_heap", "_quiet", "_quiet_kinds", "_sequence", "next_at", "until")

    def __init__(self) -> None:
        self._alarms: dict[str, Alarm] = {}
        self._heap: list[tuple[int, int, str, object]] = []
        self._quiet: list[tuple[int, int, str, object]] = []
        self._quiet_kinds: list[str] = []
        self._sequence = 0
        self.next_at = NEVER
        self.until = 0  # time of the command before which alarms are running

    @property
    def next_change_at(self) -> int:
        """Return when the next alarm rings that may change something."""
        return self._heap[0][0] if self._heap else NEVER

    def handle(self, kind: str, alarm: Alarm, *, quiet: bool = False) -> None:
        """Let ``alarm`` be called with the thing that an alarm of ``kind`` was set for."""
        self._alarms[kind] = alarm
        if quiet:
            self._quiet_kinds.append(kind)

    def set(self, at: int, kind: str, thing: object) -> None:
        self._sequence += 1
        heap = self._quiet if kind in self._quiet_kinds else self._heap
        heappush(heap, (at, self._sequence, kind, thing))
        self.next_at = min(self.next_at, at)

    def run_next(self) -> None:
        """Call the first alarm; an alarm that no longer matters does nothing."""
        quiet = self._quiet
        heap = quiet if quiet and quiet[0][0] < self.next_change_at else self._heap
        _, _, kind, thing = heappop(heap)
        self.next_at = min(self.next_change_at, quiet[0][0] if quiet else NEVER)
        self._alarms[kind](thing)
