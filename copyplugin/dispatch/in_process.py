"""One process, one event loop: asyncio wakes, APScheduler keeps the clock."""

import asyncio
import logging
from collections.abc import Callable, Collection, Coroutine, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from sqlalchemy import event
from sqlalchemy.orm import Session

from copyplugin.ports import Clock

log = logging.getLogger(__name__)

WATCH_SECONDS = 1.0
JUMP_SECONDS = 2.0
"""A clock that is off by so much after one look was set: periods are counted anew from there."""


def end_where_cancelled() -> None:
    """Raise `CancelledError` where this task was cancelled: for whoever goes on after any error.

    What ends in a cancelled task may fail, as does a farewell to a database that is gone; such an
    error takes the place of the cancellation, which would then be forgotten.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


@dataclass
class _Served:
    handler: Callable[[frozenset[int]], Coroutine[Any, Any, None]]
    keys: set[int] = field(default_factory=set[int])
    woken: asyncio.Event = field(default_factory=asyncio.Event)


class InProcessDispatcher:
    """The embedded default (design §7). Everything runs on the loop that `start` was called on."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._served: dict[str, _Served] = {}
        self._servers: list[asyncio.Task[None]] = []
        self._spawned: set[asyncio.Task[None]] = set()
        self._timers: set[asyncio.TimerHandle] = set()
        self._is_stopping = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._watch: asyncio.Task[None] | None = None
        self._periods: dict[str, int] = {}
        # APScheduler ships no types. One run at a time, and a late run counts once.
        self._scheduler: Any = AsyncIOScheduler(
            job_defaults={"max_instances": 1, "coalesce": True, "misfire_grace_time": None},
            timezone="UTC",
        )
        self.errors = 0

    def serve(
        self, name: str, handler: Callable[[frozenset[int]], Coroutine[Any, Any, None]]
    ) -> None:
        assert name not in self._served
        self._served[name] = _Served(handler)

    def announce(self, name: str, keys: Iterable[int] = ()) -> None:
        served = self._served[name]
        served.keys.update(keys)
        served.woken.set()

    def announce_within(self, transaction: Session, name: str, keys: Collection[int]) -> None:
        loop, kept = self._loop, tuple(keys)
        if loop is None:  # not started: whoever starts looks at all rows
            return

        def committed(_: Session) -> None:
            loop.call_soon_threadsafe(self.announce, name, kept)

        event.listen(transaction, "after_commit", committed, once=True)

    def announce_at(self, at: datetime, name: str, keys: Iterable[int] = ()) -> None:
        seconds = max(0.0, (at - self._clock.now()).total_seconds())
        kept = tuple(keys)

        def due() -> None:
            self._timers.discard(timer)
            self.announce(name, kept)

        timer = asyncio.get_running_loop().call_later(seconds, due)
        self._timers.add(timer)

    def every(self, seconds: int, name: str, job: Callable[[], Coroutine[Any, Any, None]]) -> None:
        async def run() -> None:
            if not self._is_stopping:
                await self._tracked(name, job())

        self._periods[name] = seconds
        self._scheduler.add_job(run, "interval", seconds=seconds, id=name, name=name)

    def spawn(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        self._tracked(name, work)

    async def start(self) -> None:
        loop = self._loop = asyncio.get_running_loop()
        for name, served in self._served.items():
            self._servers.append(loop.create_task(self._serve(name, served), name=name))
        self._scheduler.start()
        self._watch = loop.create_task(self._watch_clock(), name="clock")

    async def stop(self) -> None:
        self._is_stopping = True
        if self._scheduler.running:
            self._scheduler.pause()  # shutting it down now would cancel the job that runs
        for timer in self._timers:
            timer.cancel()
        if self._watch is not None:
            self._watch.cancel()
            await asyncio.gather(self._watch, return_exceptions=True)
        for served in self._served.values():
            served.woken.set()
        if self._servers:
            await asyncio.gather(*self._servers, return_exceptions=True)  # errors are logged
        while self._spawned:
            await asyncio.gather(*self._spawned, return_exceptions=True)
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)

    async def _watch_clock(self) -> None:
        """Begin all periods anew when the computer's clock is set.

        The scheduler counts to a time of day: set back by an hour, it would wait that hour.
        """
        loop = asyncio.get_running_loop()
        wall, steady = self._clock.now(), loop.time()
        while True:
            await asyncio.sleep(WATCH_SECONDS)
            now, passed = self._clock.now(), loop.time() - steady
            if abs((now - wall).total_seconds() - passed) > JUMP_SECONDS:
                log.warning("the clock was set by %s: periods begin anew", now - wall)
                for name, seconds in self._periods.items():
                    self._scheduler.reschedule_job(name, trigger="interval", seconds=seconds)
            wall, steady = now, loop.time()

    def _tracked(self, name: str, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(self._guarded(name, work), name=name)
        self._spawned.add(task)
        task.add_done_callback(self._spawned.discard)
        return task

    async def _serve(self, name: str, served: _Served) -> None:
        while not self._is_stopping:
            await served.woken.wait()
            served.woken.clear()
            keys, served.keys = frozenset(served.keys), set()
            if not self._is_stopping:
                await self._guarded(name, served.handler(keys))

    async def _guarded(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except Exception:
            # The edge of the scheduler: one failed run must not end the process. It is logged
            # with its trace and counted, and the next run tries again from the rows.
            self.errors += 1
            log.exception("%s failed; its next run tries again", name)
            end_where_cancelled()
