"""Keeps the records of all accounts that people trade with; a listener of the simulation."""

from collections.abc import Callable

from simexchange.core import events as e
from simexchange.core.exchange import Exchange
from simexchange.server.notes import Described, Note, Refused
from simexchange.server.records.account import RecordLimits
from simexchange.server.records.fill_notes import FillNotes
from simexchange.server.records.kept import Kept
from simexchange.server.records.money_notes import MoneyNotes
from simexchange.server.records.order_notes import OrderNotes
from simexchange.server.records.rows import KeptOrder


def _tell_nobody(_: Note) -> None:
    """Write nothing down."""


class Records(Kept):
    """Listens to the exchange and keeps rows for questions, per account.

    Market makers are not kept unless ``track`` asks for it: they would fill the memory.
    """

    def __init__(
        self,
        exchange: Exchange,
        limits: RecordLimits | None = None,
        *,
        tell: Callable[[Note], None] = _tell_nobody,
    ) -> None:
        """Begin with the accounts there are; ``tell`` hears of what no event says."""
        super().__init__(exchange, limits or RecordLimits())
        self._tell = tell
        self._handlers = (
            OrderNotes(self).handlers() | FillNotes(self).handlers() | MoneyNotes(self).handlers()
        )

    def listen(self, events: list[e.Event]) -> None:
        """Take note of the events of one command."""
        handlers = self._handlers
        for event in events:
            handler = handlers.get(event.__class__)
            if handler is not None:
                handler(event)
        if self.doubtful:
            self.count_anew()
        if self.touched:
            touched, self.touched = self.touched, {}
            for records in touched.values():
                for watcher in records.watchers:
                    watcher.command_done()
        if self.forced:
            self.forced.clear()

    def keep_refused(self, order: KeptOrder) -> None:
        """Keep an order that the wire acknowledged and the exchange refused."""
        records = self.of(order.account)
        records.keep_order(order)
        self.changed(records, order)
        for watcher in records.watchers:
            watcher.command_done()
        self.touched.pop(order.account, None)
        self._tell(Refused(order=order))

    def describe_next(self, account: int, words: dict[str, str]) -> None:
        """Keep ``words`` with the next order that ``account`` places; the caller takes it back."""
        self.next_words = (account, words)
        if words:
            self._tell(Described(account=account, words=words))
