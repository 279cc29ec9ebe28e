"""Many processes: procrastinate wakes whoever may work, in the transaction that leaves the work.

A message is only a wake-up for some keys of one name; it may be lost, repeated or late. What this
process serves itself is woken in memory, everything else through the queue.
"""

import asyncio
import logging
from collections.abc import Callable, Collection, Coroutine, Iterable, Mapping
from typing import Any

from procrastinate import App, PsycopgConnector, SyncPsycopgConnector
from sqlalchemy import text
from sqlalchemy.orm import Session

from copyplugin.dispatch.in_process import InProcessDispatcher
from copyplugin.ports import Clock

log = logging.getLogger(__name__)

SCHEMA = "procrastinate"
TASK = "wake"
KEYS_IN_ONE = 500
"""So many keys share a message, where nothing else is said: a message costs more than a key."""

POLL_SECONDS = 1.0
AGAIN_SECONDS = 0.2

Admit = Callable[[str, frozenset[int]], Coroutine[Any, Any, None]]


class DistributedDispatcher(InProcessDispatcher):
    """`conninfo` is the database as libpq writes it. Raises what psycopg raises while it is away.

    `admit` is asked to let a wake-up in, and may wait until there is room for its work; meanwhile
    other processes take the messages that follow.
    """

    def __init__(
        self, clock: Clock, conninfo: str, *, keys_in_one: Mapping[str, int] | None = None
    ) -> None:
        super().__init__(clock)
        self._keys_in_one = keys_in_one or {}
        self.admit: Admit = self._admit
        self._app = App(
            connector=PsycopgConnector(
                conninfo=conninfo, kwargs={"options": f"-c search_path={SCHEMA},public"}
            )
        )
        self._app.task(name=TASK, pass_context=False)(self._wake)
        self._within = App(connector=SyncPsycopgConnector(conninfo=conninfo))  # never opened
        self._outbox: dict[str, set[int]] = {}
        self._is_sending = False
        self._listener: asyncio.Task[None] | None = None

    def announce(self, name: str, keys: Iterable[int] = ()) -> None:
        if name in self._served:
            super().announce(name, keys)
            return
        self._outbox.setdefault(name, set()).update(keys)
        if not self._is_sending and not self._is_stopping:
            self._is_sending = True
            self.spawn("announcing", self._send_out())

    def announce_within(self, transaction: Session, name: str, keys: Collection[int]) -> None:
        if name in self._served:
            super().announce_within(transaction, name, keys)
            return
        transaction.execute(text(f"SET LOCAL search_path = public, {SCHEMA}"))
        connection = transaction.connection().connection.driver_connection
        task = self._within.configure_task(TASK, queue=name, connection=connection)
        task.batch_defer(*self._messages(name, keys))

    async def start(self) -> None:
        await self._app.open_async()
        await super().start()
        self._listener = asyncio.get_running_loop().create_task(self._listen(), name="listening")

    async def stop(self) -> None:
        if self._listener is not None:
            self._listener.cancel()
            await asyncio.gather(self._listener, return_exceptions=True)
        await super().stop()
        await self._app.close_async()

    async def _send_out(self) -> None:
        """Send what has gathered; what cannot be sent is found by the sweep."""
        try:
            while self._outbox:
                outbox, self._outbox = self._outbox, {}
                for name, keys in outbox.items():
                    task = self._app.configure_task(TASK, queue=name)
                    await task.batch_defer_async(*self._messages(name, keys))
        finally:
            self._is_sending = False

    async def _listen(self) -> None:
        """Take messages for what is served here; a worker that lost its database ends itself."""
        while not self._is_stopping:
            try:
                await self._app.run_worker_async(
                    queues=sorted(self._served),
                    concurrency=1,
                    fetch_job_polling_interval=POLL_SECONDS,
                    delete_jobs="always",
                    install_signal_handlers=False,
                    listen_notify=True,
                    update_heartbeat_interval=2.0,
                    stalled_worker_timeout=6.0,
                )
            except Exception:
                # The database is away, or was: the rows keep the work, and we listen again.
                self.errors += 1
                log.exception("listening for messages failed; it begins again")
            await asyncio.sleep(AGAIN_SECONDS)

    async def _wake(self, name: str, keys: list[int]) -> None:
        await self.admit(name, frozenset(keys))

    async def _admit(self, name: str, keys: frozenset[int]) -> None:
        super().announce(name, keys)

    def _messages(self, name: str, keys: Collection[int]) -> list[dict[str, Any]]:
        size, ordered = self._keys_in_one.get(name, KEYS_IN_ONE), sorted(keys)
        parts = [ordered[first : first + size] for first in range(0, len(ordered), size)]
        return [{"name": name, "keys": part} for part in parts or [[]]]
