"""One topic of a public stream, whatever the dialect: who listens, and when there is news."""

import asyncio
from abc import ABC, abstractmethod
from typing import Protocol

from simexchange.server.amounts import Grid
from simexchange.server.venue import Venue

Levels = list[tuple[int, int]]


class Listener(Protocol):
    """Whoever gets the messages of a topic."""

    @property
    def is_closed(self) -> bool: ...

    def publish(self, topic: str, message: bytes) -> None: ...


class Topic(ABC):
    """One topic and its listeners; looks for news some milliseconds after something moved."""

    def __init__(self, venue: Venue, name: str, period_ms: int) -> None:
        self.venue = venue
        self.name = name
        self._period_ms = period_ms
        self._listeners: list[Listener] = []
        self._is_due = False

    @property
    def is_heard(self) -> bool:
        return bool(self._listeners)

    def join(self, listener: Listener, delay_ms: int) -> None:
        """Add a listener, who first hears how things stand."""
        asyncio.get_running_loop().call_later(delay_ms / 1_000, self._enter, listener)

    def _enter(self, listener: Listener) -> None:
        if listener.is_closed:
            return
        self.tell()  # the others are up to date before the new one starts with them
        for message in self.opening():
            listener.publish(self.name, message)
        self._listeners.append(listener)

    def leave(self, listener: Listener) -> None:
        if listener in self._listeners:
            self._listeners.remove(listener)

    def moved(self) -> None:
        """Say that there may be news."""
        if self._listeners and not self._is_due:
            self._is_due = True
            asyncio.get_running_loop().call_later(self._period_ms / 1_000, self.tell)

    def tell(self) -> None:
        """Send the news to all listeners."""
        self._is_due = False
        if self._listeners:
            for message in self.news():
                for listener in tuple(self._listeners):
                    listener.publish(self.name, message)

    @abstractmethod
    def opening(self) -> list[bytes]:
        """Return what a new listener hears first."""

    @abstractmethod
    def news(self) -> list[bytes]:
        """Return what changed since the last call."""


class SymbolTopic(Topic):
    """A topic of one instrument."""

    def __init__(self, venue: Venue, name: str, grid: Grid, period_ms: int) -> None:
        super().__init__(venue, name, period_ms)
        self.grid = grid
        self.symbol = grid.instrument.symbol


def changed_levels(known: dict[int, int], levels: Levels) -> Levels:
    """Return the levels that are new or changed, and with 0 those that are gone."""
    changed = [(price, size) for price, size in levels if known.get(price) != size]
    present = {price for price, _ in levels}
    changed.extend((price, 0) for price in known if price not in present)
    return changed
