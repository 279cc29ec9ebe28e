"""The latest events with running numbers; a listener of the simulation."""

from collections import deque
from collections.abc import Iterator
from itertools import islice

from simexchange.core.events import Event

_KEPT = 20_000


class Chronicle:
    """Keeps the latest events, so that someone may follow them by number."""

    def __init__(self) -> None:
        self.latest = 0
        self._events: deque[Event] = deque(maxlen=_KEPT)

    def listen(self, events: list[Event]) -> None:
        self._events.extend(events)
        self.latest += len(events)

    def after(self, number: int, limit: int) -> Iterator[tuple[int, Event]]:
        """Yield events with numbers above ``number``, oldest first, at most ``limit``."""
        first = self.latest - len(self._events) + 1
        start = max(number + 1, first)
        kept = islice(self._events, start - first, start - first + limit)
        return enumerate(kept, start=start)
