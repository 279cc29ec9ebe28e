"""An exchange that lives in a process: commands get their time here, listeners hear the events."""

from collections.abc import Callable

from simexchange.clock import Clock
from simexchange.core.commands import Command
from simexchange.core.events import Event
from simexchange.core.exchange import Exchange
from simexchange.history import History

Listener = Callable[[list[Event]], None]


class Simulation:
    """An exchange with a clock, listeners and a history. One thread owns it; it has no lock.

    A listener is called after each command with that command's events, in order of subscription.
    A command that a listener applies waits until every listener has heard of the present one;
    its events go to the listeners as usual, and ``apply`` returns an empty list to the listener.
    """

    def __init__(self, exchange: Exchange, clock: Clock, history: History | None = None) -> None:
        self.exchange = exchange
        self.clock = clock
        self.history = history or History()
        self._listeners: list[Listener] = [self.history.listen]
        self._acting: list[Listener] = []
        self._queue: list[Command] = []
        self._is_publishing = False

    def apply(self, command: Command) -> list[Event]:
        """Apply ``command`` at the clock's time and return its events."""
        return self._apply_at(command, self.clock.now())

    def _apply_at(self, command: Command, at: int) -> list[Event]:
        """Apply ``command`` at a time that is not later than the clock's."""
        if self._is_publishing:
            self._queue.append(command)
            return []
        events = self._apply_and_publish(command, at)
        while self._queue:
            self._apply_and_publish(self._queue.pop(0), self.clock.now())
        return events

    def subscribe(self, listener: Listener, *, is_acting: bool = False) -> Callable[[], None]:
        """Call ``listener`` after each command; returns the function that ends it.

        ``is_acting``: it answers events with commands, and so hears nothing twice.
        """
        self._listeners.append(listener)
        if is_acting:
            self._acting.append(listener)
        return lambda: self._listeners.remove(listener)

    def hear_again(self, events: list[Event]) -> None:
        """Tell events of a command that was applied before to all who only take note of them."""
        for listener in self._listeners:
            if listener not in self._acting:
                listener(events)

    def _apply_and_publish(self, command: Command, at: int) -> list[Event]:
        events = self.exchange.apply(command, at)
        self._is_publishing = True
        try:
            for listener in tuple(self._listeners):
                listener(events)
        finally:
            self._is_publishing = False
        return events
