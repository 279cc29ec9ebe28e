"""Telling people: what the rows say is written down for each, and sent out until it is taken."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

from copyplugin.domain.notice import Channel, Message
from copyplugin.engine.attempts import attempt_all
from copyplugin.engine.surroundings import Surroundings
from copyplugin.errors import DeliveryFailed
from copyplugin.store import news, notices, venue_closes
from copyplugin.store.database import Session

LOOKS_BACK = timedelta(days=1)
"""How old what happened to a follow may be to be told after a start."""

OVERLAP = timedelta(minutes=5)
"""How much of what is told by its time is read again: another transaction may come later."""

STRAGGLERS = 200
"""Rows that are read again: another transaction may have taken its number and come later."""


class Herald:
    """`run` is the job. The row goes before the message: what was in flight is sent again."""

    def __init__(self, around: Surroundings) -> None:
        self._around = around
        self._history_read: int | None = None
        self._told_until: datetime | None = None

    async def run(self) -> int:
        """Tell what is new, send what is due; return how many messages wait.

        Each kind of news in a transaction of its own: a leader's fill waits for the shortest.
        """
        now, settings = self._around.clock.now(), self._around.settings
        # a clock that was set back leaves nothing out
        happened_after = min(self._told_until or now - LOOKS_BACK, now) - OVERLAP
        looks: tuple[Callable[[Session], object], ...] = (
            partial(news.tell_of_alarms, at=now),
            partial(news.tell_of_halts, at=now),
            partial(news.tell_of_orphans, at=now),
            partial(venue_closes.tell_of_taken, after=now - LOOKS_BACK),
            partial(news.tell_of_shares, at=now),
            partial(venue_closes.tell_of_protection, after=happened_after),
            partial(news.tell_of_settled, after=happened_after),
            partial(news.tell_of_jobs, backlog_max=settings.backlog_alarm, at=now),
            partial(self._tell_of_history, now),
            partial(notices.dispatch, channels=self._around.notifiers.keys(), at=now),
        )
        for look in looks:
            await self._around.database.write(look)
        self._told_until = now
        await self._send()
        with self._around.database.read() as session:
            return notices.deliveries_waiting(session)

    def _tell_of_history(self, now: datetime, session: Session) -> None:
        if self._history_read is None:
            self._history_read = news.history_begins(session, after=now - LOOKS_BACK)
        after = max(0, self._history_read - STRAGGLERS)
        self._history_read = news.tell_of_history(session, after=after)

    async def _send(self) -> None:
        with self._around.database.read() as session:
            due = notices.due_deliveries(
                session, list(self._around.notifiers), now=self._around.clock.now()
            )
        await attempt_all(due, lambda item: self._deliver(*item))

    async def _deliver(self, channel: Channel, message: Message) -> None:
        try:
            await self._around.notifiers[channel].send(message)
        except DeliveryFailed as failure:
            work = partial(
                notices.not_delivered,
                number=message.number,
                reason=str(failure),
                attempts_max=self._around.settings.notify_attempts_max,
                at=self._around.clock.now(),
            )
        else:
            work = partial(notices.delivered, number=message.number, at=self._around.clock.now())
        await self._around.database.write(work)
