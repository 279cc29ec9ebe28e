"""Lanes in a process of their own: leases of shards are taken, worked on, and dropped when idle."""

import asyncio
import logging
import time
from collections.abc import Collection, Mapping
from datetime import timedelta

from copyplugin.engine.executor import Executor
from copyplugin.engine.held_lease import HeldLease
from copyplugin.engine.surroundings import Surroundings, Work
from copyplugin.store import leases, market
from copyplugin.store.database import Session

log = logging.getLogger(__name__)

LOOK_SECONDS = 0.1
"""How often leases are looked after."""

INSTRUMENTS_SECONDS = 60

GATHER_SECONDS = 0.02
"""Beside a database server a transaction costs as much as many orders."""


class LaneWorker:
    """Any number of them share the shards; `owner` is the name of this process among them."""

    def __init__(self, around: Surroundings, owner: str) -> None:
        self._around = around
        self._owner = owner
        self._length = timedelta(seconds=around.settings.lease_seconds)
        self._held: dict[int, HeldLease] = {}
        self._room = asyncio.Condition()
        self._keeper: asyncio.Task[None] | None = None
        around.fence = self
        self.executor = Executor(around, gather_seconds=GATHER_SECONDS)
        around.dispatcher.serve(Work.LANES, self.turn)

    @property
    def held(self) -> frozenset[int]:
        return frozenset(self._held)

    # -- what the executor asks

    def confirm(self, session: Session, shards: Collection[int]) -> Mapping[int, int]:
        return leases.confirm(session, shards, owner=self._owner)

    def may_send(self, shard: int, epoch: int) -> bool:
        """Return whether an order that is sent now is answered or dead before its lease runs out.

        Never under one that is lost, nor under one that was another's in between.
        """
        lease = self._held.get(shard)
        if lease is None or lease.epoch != epoch:
            return False
        return lease.outlasts_a_request(self._around.settings, now=time.monotonic())

    # -- work

    async def start(self) -> None:
        await self._learn_instruments()
        self._around.dispatcher.every(INSTRUMENTS_SECONDS, "instruments", self._learn_instruments)
        await self._around.dispatcher.start()
        self._keeper = asyncio.get_running_loop().create_task(self._keep(), name="leases")

    async def stop(self) -> None:
        """Finish what is under way and drop all leases."""
        await self._around.dispatcher.stop()
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.gather(self._keeper, return_exceptions=True)
        held = self.held
        if held:
            await self._around.database.write(
                lambda session: leases.drop(session, held, owner=self._owner)
            )

    async def admit(self, name: str, keys: frozenset[int]) -> None:
        """Let a wake-up in once there is room: shards beyond it are left to other processes."""
        assert name == Work.LANES
        most = self._around.settings.shards_at_once
        async with self._room:
            await self._room.wait_for(lambda: len(self._held) < most)
        await self._take(keys)
        self._around.dispatcher.announce(Work.LANES, keys)

    async def _learn_instruments(self) -> None:
        """Read what the venue trades, as the engine has learnt it."""
        with self._around.database.read() as session:
            self._around.learn_instruments(session)

    async def turn(self, shards: frozenset[int]) -> None:
        """Steer the lanes of those shards that are ours or free."""
        await self._take(shards)
        if shards and self._has_news():
            await self._learn_instruments()
        await self.executor.turn(shards & self.held)

    def _has_news(self) -> bool:
        """Return whether an instrument was stored since: a lane may be of that one."""
        with self._around.database.read() as session:
            return market.instruments_stored(session) != len(self._around.instruments)

    async def _take(self, shards: frozenset[int]) -> None:
        wanted = shards - self.held
        if not wanted:
            return
        before = time.monotonic()
        taken = await self._around.database.write(
            lambda session: leases.take(session, wanted, owner=self._owner, length=self._length),
            urgent=True,
        )
        for shard, epoch in taken.items():
            self._held[shard] = HeldLease(epoch, before)

    async def _keep(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                await self._look_after()
            except Exception:
                # The database is away: leases run out by themselves, and `may_send` knows.
                log.exception("leases could not be looked after; it is tried again")

    async def _look_after(self) -> None:
        """Hold on to the leases, drop those with nothing to do, look at what was marked since."""
        if not self._held:
            return
        oldest = min(lease.since for lease in self._held.values())
        if time.monotonic() - oldest > self._length.total_seconds() / 5:
            await self._hold_on()
        idle = self.held - self.executor.busy_shards()
        if not idle:
            return
        dropped = await self._around.database.write(
            lambda session: leases.drop_idle(session, idle, owner=self._owner), urgent=True
        )
        await self._forget(dropped)
        if idle - dropped:
            self._around.dispatcher.announce(Work.LANES, idle - dropped)

    async def _hold_on(self) -> None:
        before, held = time.monotonic(), self.held
        kept = await self._around.database.write(
            lambda session: leases.keep(session, held, owner=self._owner, length=self._length),
            urgent=True,
        )
        for shard in kept:
            self._held[shard] = self._held[shard]._replace(since=before)
        await self._forget(held - kept)

    async def _forget(self, shards: Collection[int]) -> None:
        """Count these as another's from now on, and let those in who wait for room."""
        for shard in shards:
            del self._held[shard]
        async with self._room:
            self._room.notify_all()
