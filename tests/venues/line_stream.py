"""A stream of fills over a bad line: what adapters do about it, in small.

A message wakes; what is told is read from the list, so that nothing which befalls a message matters
but the moment. A connection that has ended, or says nothing, is opened anew.
"""

import asyncio
from collections.abc import Callable, Collection

from copyplugin.domain.fill import LeaderFill
from copyplugin.domain.identifiers import AccountId, VenueFillId
from copyplugin.ports import Subscription, Venue
from copyplugin.venues.conformance.bench import Fault

STREAM_FAULTS = frozenset(fault for fault in Fault if fault.value.startswith("stream_"))
SILENCE_S = 0.05
DELAY_S = 0.02
OnFill = Callable[[LeaderFill], None]


class _Connection:
    """One connection; faults strike its messages, and its pings stop with it."""

    def __init__(self, hear: Callable[[], None], strike: Callable[[], Fault | None]) -> None:
        self._hear = hear
        self._strike = strike
        self._has_held = False
        self.is_alive = True

    def message(self, _: LeaderFill) -> None:
        if not self.is_alive:
            return
        fault = self._strike()
        if fault in {Fault.STREAM_CLOSE, Fault.STREAM_SILENCE}:
            self.is_alive = False
        elif fault is Fault.STREAM_DROP:
            return
        elif fault is Fault.STREAM_DELAY:
            asyncio.get_running_loop().call_later(DELAY_S, self._hear)
        elif fault is Fault.STREAM_REORDER and not self._has_held:
            self._has_held = True
        else:
            times = 1 + self._has_held + (fault is Fault.STREAM_DUPLICATE)
            self._has_held = False
            for _ in range(times):
                self._hear()


class LineStream:
    def __init__(
        self,
        venue: Venue,
        accounts: Collection[AccountId],
        on_fill: OnFill,
        strike: Callable[[], Fault | None],
    ) -> None:
        self._venue = venue
        self._accounts = accounts
        self._on_fill = on_fill
        self._strike = strike
        self._news = asyncio.Event()
        self._last: dict[AccountId, VenueFillId | None] = dict.fromkeys(accounts)
        self._tasks: list[asyncio.Task[None]] = []
        self._inner: Subscription | None = None
        self._connection: _Connection | None = None

    async def open(self) -> None:
        for account in self._accounts:
            await self._read(account, lambda _: None)
        await self._connect()
        self._tasks = [asyncio.create_task(self._guard()), asyncio.create_task(self._tell())]

    def stop_guarding(self) -> None:
        """Do not look any more whether the connection lives."""
        self._tasks[0].cancel()

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._inner is not None:
            await self._inner.close()

    async def _connect(self) -> None:
        if self._inner is not None:
            await self._inner.close()
        self._connection = _Connection(self._news.set, self._strike)
        self._inner = await self._venue.subscribe(self._accounts, self._connection.message)
        self._news.set()  # what came meanwhile was missed

    async def _guard(self) -> None:
        """Ask now and then whether the connection lives, as a ping does."""
        while True:
            await asyncio.sleep(SILENCE_S)
            if self._connection is None or not self._connection.is_alive:
                await self._connect()

    async def _tell(self) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            for account in self._accounts:
                await self._read(account, self._on_fill)

    async def _read(self, account: AccountId, on_fill: OnFill) -> None:
        while fills := await self._venue.leader_fills(account, self._last[account]):
            self._last[account] = fills[-1].venue_fill_id
            for fill in fills:
                on_fill(fill)
