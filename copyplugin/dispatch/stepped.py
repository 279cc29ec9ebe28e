"""Everything in one hand: nothing runs until it is told to, for replays and simulations."""

import asyncio
import heapq
from collections.abc import Callable, Collection, Coroutine, Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import event
from sqlalchemy.orm import Session

from copyplugin.ports import Clock


class SteppedDispatcher:
    """A dispatcher without a clock of its own: the same calls give the same order of work.

    What fails is not caught: it reaches whoever took the step.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._handlers: dict[str, Callable[[frozenset[int]], Coroutine[Any, Any, None]]] = {}
        self._keys: dict[str, set[int]] = {}
        self._jobs: dict[str, Callable[[], Coroutine[Any, Any, None]]] = {}
        self._later: list[tuple[datetime, int, str, tuple[int, ...]]] = []
        self._announced = 0
        self._spawned: list[asyncio.Task[None]] = []

    def serve(
        self, name: str, handler: Callable[[frozenset[int]], Coroutine[Any, Any, None]]
    ) -> None:
        assert name not in self._handlers
        self._handlers[name] = handler

    def announce(self, name: str, keys: Iterable[int] = ()) -> None:
        self._keys.setdefault(name, set()).update(keys)

    def announce_within(self, transaction: Session, name: str, keys: Collection[int]) -> None:
        kept = tuple(keys)

        def committed(_: Session) -> None:  # the step waits for the transaction's thread
            self.announce(name, kept)

        event.listen(transaction, "after_commit", committed, once=True)

    def announce_at(self, at: datetime, name: str, keys: Iterable[int] = ()) -> None:
        self._announced += 1  # the order of announcing decides between equal times
        heapq.heappush(self._later, (at, self._announced, name, tuple(keys)))

    def every(self, seconds: int, name: str, job: Callable[[], Coroutine[Any, Any, None]]) -> None:
        self._jobs[name] = job

    def spawn(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        self._spawned.append(asyncio.get_running_loop().create_task(work, name=name))

    async def start(self) -> None:
        """Do nothing: `settle` and `run` are the steps."""

    async def stop(self) -> None:
        """Wait for what was spawned."""
        await self._join()

    async def kill(self) -> None:
        """End everything that was spawned where it stands, as the end of the process would."""
        tasks, self._spawned = self._spawned, []
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    @property
    def jobs(self) -> tuple[str, ...]:
        return tuple(self._jobs)

    @property
    def next_at(self) -> datetime | None:
        """Return when the next announcement for later falls due."""
        return self._later[0][0] if self._later else None

    async def run(self, job: str) -> None:
        """Run one job of the clock, and all that follows from it."""
        await self._jobs[job]()
        await self.settle()

    async def settle(self) -> None:
        """Work until nothing is left that can be done now."""
        while True:
            await self._join()
            self._take_due()
            ready = [name for name in self._handlers if name in self._keys]
            if not ready:
                return
            for name in ready:
                await self._handlers[name](frozenset(self._keys.pop(name)))

    def _take_due(self) -> None:
        now = self._clock.now()
        while self._later and self._later[0][0] <= now:
            _, _, name, keys = heapq.heappop(self._later)
            self.announce(name, keys)

    async def _join(self) -> None:
        while self._spawned:
            tasks, self._spawned = self._spawned, []
            for task in tasks:
                await task
