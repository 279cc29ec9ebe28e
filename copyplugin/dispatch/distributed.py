"""Many processes: procrastinate wakes whoever may work, in the transaction that leaves the work.

A message is only a wake-up for some keys of one name; it may be lost, repeated or late. What this
process serves itself is woken in memory, everything else through the queue.
"""

import asyncio
import logging
from collections.abc import Callable, Collection, Coroutine, Iterable, Mapping
from typing import Any

from procrastinate import App, PsycopgConnector
from procrastinate.exceptions import ConnectorException
from sqlalchemy.orm import Session

from copyplugin.dispatch.announcing import SCHEMA, TASK, Announcer
from copyplugin.dispatch.in_process import InProcessDispatcher, end_where_cancelled
from copyplugin.ports import Clock

log = logging.getLogger(__name__)

POLL_SECONDS = 1.0
AGAIN_SECONDS = 0.2

HEARTBEAT_SECONDS = 2.0
STALLED_SECONDS = 6.0
"""A process that was silent so long is dead: what it took is for another."""

CLEAN_SECONDS = 5.0
OLD_SECONDS = 60
"""A message that nobody took for so long tells nothing that the sweep has not found."""

_FORGET_OLD = """
    DELETE FROM procrastinate_jobs WHERE id IN (
        SELECT job.id FROM procrastinate_jobs job
        JOIN procrastinate_events event ON event.job_id = job.id AND event.type = 'deferred'
        WHERE job.status = 'todo' AND event.at < NOW() - (%(seconds)s || ' SECOND')::INTERVAL
        FOR UPDATE OF job SKIP LOCKED
    )
"""

Admit = Callable[[str, frozenset[int]], Coroutine[Any, Any, None]]


class DistributedDispatcher(InProcessDispatcher):
    """`conninfo` is the database as libpq writes it. Raises what psycopg raises while it is away.

    What is `kept` (keys by name) is served by this process alone, the rest of that name by others.
    `admit` is asked to let a wake-up in, and may wait until there is room for its work; meanwhile
    other processes take the messages that follow.
    """

    def __init__(
        self,
        clock: Clock,
        conninfo: str,
        *,
        keys_in_one: Mapping[str, int] | None = None,
        kept: Mapping[str, frozenset[int]] | None = None,
    ) -> None:
        super().__init__(clock)
        self._kept = kept or {}
        self.admit: Admit = self._admit
        self._app = App(
            connector=PsycopgConnector(
                conninfo=conninfo, kwargs={"options": f"-c search_path={SCHEMA},public"}
            )
        )
        self._app.task(name=TASK, pass_context=False)(self._wake)
        self._announcer = Announcer(conninfo, keys_in_one=keys_in_one)
        self._outbox: dict[str, set[int]] = {}
        self._is_sending = False
        self._listeners: list[asyncio.Task[None]] = []

    def announce(self, name: str, keys: Iterable[int] = ()) -> None:
        wanted = frozenset(keys)
        ours, others = self._split(name, wanted)
        if ours or (name in self._served and not wanted):
            super().announce(name, ours)
        if name in self._served and not others:
            return
        self._outbox.setdefault(name, set()).update(others)
        if not self._is_sending and not self._is_stopping:
            self._is_sending = True
            self.spawn("announcing", self._send_out())

    def announce_within(self, transaction: Session, name: str, keys: Collection[int]) -> None:
        ours, others = self._split(name, frozenset(keys))
        if ours or (name in self._served and not keys):
            super().announce_within(transaction, name, ours)
        if name in self._served and not others:
            return
        self._announcer.announce_within(transaction, name, others)

    def _split(self, name: str, keys: frozenset[int]) -> tuple[frozenset[int], frozenset[int]]:
        """Return what this process serves of the keys, and what others do."""
        if name not in self._served:
            return frozenset(), keys
        kept = self._kept.get(name)
        return (keys, frozenset()) if kept is None else (keys & kept, keys - kept)

    async def start(self) -> None:
        await self._app.open_async()
        await super().start()
        loop = asyncio.get_running_loop()
        self._listeners = [
            loop.create_task(self._listen(), name="listening"),
            loop.create_task(self._clean(), name="cleaning"),
        ]

    async def stop(self) -> None:
        for listener in self._listeners:
            listener.cancel()
        await asyncio.gather(*self._listeners, return_exceptions=True)
        await super().stop()
        await self._app.close_async()

    async def _send_out(self) -> None:
        """Send what has gathered; what cannot be sent is found by the sweep."""
        try:
            while self._outbox:
                outbox, self._outbox = self._outbox, {}
                for name, keys in outbox.items():
                    task = self._app.configure_task(TASK, queue=name)
                    await task.batch_defer_async(*self._announcer.messages(name, keys))
        finally:
            self._is_sending = False

    async def _listen(self) -> None:
        """Take messages for what is served here; a worker that lost its database ends itself."""
        while not self._is_stopping:
            try:
                await self._app.run_worker_async(
                    queues=sorted(self._served.keys() - self._kept.keys()),
                    concurrency=1,
                    fetch_job_polling_interval=POLL_SECONDS,
                    delete_jobs="always",
                    install_signal_handlers=False,
                    listen_notify=True,
                    update_heartbeat_interval=HEARTBEAT_SECONDS,
                    stalled_worker_timeout=STALLED_SECONDS,
                )
            except Exception:
                # The database is away, or was: the rows keep the work, and we listen again.
                self.errors += 1
                log.exception("listening for messages failed; it begins again")
                end_where_cancelled()
            await asyncio.sleep(AGAIN_SECONDS)

    async def _clean(self) -> None:
        """Give away what dead processes had taken, and forget what nobody took."""
        while not self._is_stopping:
            try:
                await self._give_away()
            except Exception:
                # As above: what is not cleaned now is cleaned next time.
                self.errors += 1
                log.exception("cleaning the queue failed; it is tried again")
                end_where_cancelled()
            await asyncio.sleep(CLEAN_SECONDS)

    async def _give_away(self) -> None:
        queue = self._app.job_manager
        await self._app.connector.execute_query_async(_FORGET_OLD, seconds=OLD_SECONDS)
        for job in await queue.get_stalled_jobs(seconds_since_heartbeat=STALLED_SECONDS):
            try:
                await queue.retry_job(job)
            except ConnectorException as error:  # another process was first, or it is done
                log.info("message %s was taken care of meanwhile: %s", job.id, error)

    async def _wake(self, name: str, keys: list[int]) -> None:
        await self.admit(name, frozenset(keys))

    async def _admit(self, name: str, keys: frozenset[int]) -> None:
        super().announce(name, keys)
