"""The processes of an installation on many machines: engines, of which one is at work, and workers.

Each is a coroutine that ends when it is cancelled, or when what it held was lost: whoever keeps
processes running then starts it anew.
"""

import asyncio
import os
import secrets
import socket
import time
from collections.abc import Awaitable, Callable, Collection, Mapping
from contextlib import AsyncExitStack
from datetime import timedelta
from importlib import import_module
from typing import Protocol, cast

from copyplugin.dispatch.distributed import DistributedDispatcher
from copyplugin.dispatch.in_process import InProcessDispatcher
from copyplugin.engine.engine import Engine
from copyplugin.engine.held_lease import HeldLease
from copyplugin.engine.lane_worker import LaneWorker
from copyplugin.engine.surroundings import Surroundings, Work
from copyplugin.errors import ConfigurationError
from copyplugin.host.feed import open_host_feed
from copyplugin.notify.ways_out import ways_out
from copyplugin.plugin import with_paper
from copyplugin.ports import Clock, Venue
from copyplugin.settings import Settings
from copyplugin.store import leases
from copyplugin.store.database import Database, Session, libpq_address, open_database
from copyplugin.store.dialect import is_sqlite
from copyplugin.store.places import PAPER_SHARD
from copyplugin.venues.host_fed import HostFedVenue

LOOK_SECONDS = 0.2

SPLIT: Mapping[str, int] = {Work.LANES: 8}
"""Shards that share a message: few enough that several workers find some."""

KEPT: Mapping[str, frozenset[int]] = {Work.LANES: frozenset({PAPER_SHARD})}
"""What the engine steers itself beside workers: only it has the play money."""


class MakeVenue(Protocol):
    """Connects to a venue; what it returns is closed with `close`, where it has one."""

    def __call__(self, settings: Settings, /) -> Awaitable[Venue]: ...


def venue_maker(name: str) -> MakeVenue:
    """Return the function that `package.module:function` names.

    Raises `ConfigurationError` where there is none.
    """
    module, _, function = name.partition(":")
    try:
        found = getattr(import_module(module), function)
    except (ImportError, AttributeError, ValueError) as error:
        raise ConfigurationError(
            f"{name!r} names no venue: write package.module:function ({error})"
        ) from error
    return cast("MakeVenue", found)


async def run_engine(
    settings: Settings,
    make_venue: MakeVenue,
    clock: Clock,
    *,
    ready: Callable[[str], None] = lambda _: None,
) -> None:
    """Wait for the engine's lease, then run the engine until it is lost or this is cancelled.

    On SQLite it steers the lanes too; on PostgreSQL workers do, but for those of paper follows.
    """
    async with AsyncExitStack() as stack:
        database = _opened(settings, stack)
        venue = await _connected(settings, make_venue, stack)
        host_feed = open_host_feed(database, clock, settings)
        if host_feed is not None:
            venue = HostFedVenue(venue, host_feed)
        lease = EngineLease(database, settings)
        await lease.wait()
        stack.push_async_callback(lease.drop)
        routed = with_paper(venue, settings, clock)
        if routed is not None:
            stack.callback(routed.close)
        address = libpq_address(settings.database_url)
        dispatcher = (
            InProcessDispatcher(clock)
            if address is None
            else DistributedDispatcher(clock, address, keys_in_one=SPLIT, kept=KEPT)
        )
        engine = Engine(
            Surroundings(
                settings=settings, database=database, venue=routed or venue, clock=clock,
                dispatcher=dispatcher, has_paper=routed is not None,
                notifiers=ways_out(settings, clock),
                fence=lease, is_at_work=lease.outlasts_a_request,
            ),
        )  # fmt: skip
        stack.push_async_callback(engine.stop)  # what began is stopped where the rest cannot begin
        keeping = asyncio.create_task(lease.keep(), name="lease")  # a start may take long
        stack.push_async_callback(_ended, keeping)
        await engine.start()
        ready(venue.name)
        await keeping


async def run_worker(
    settings: Settings,
    make_venue: MakeVenue,
    clock: Clock,
    *,
    ready: Callable[[str], None] = lambda _: None,
) -> None:
    """Steer lanes until this is cancelled.

    Raises `ConfigurationError` on a database that is one process's own.
    """
    address = libpq_address(settings.database_url)
    if address is None:
        raise ConfigurationError("workers need PostgreSQL: on SQLite the engine does all by itself")
    async with AsyncExitStack() as stack:
        database = _opened(settings, stack)
        venue = await _connected(settings, make_venue, stack)
        dispatcher = DistributedDispatcher(clock, address, keys_in_one=SPLIT)
        around = Surroundings(
            settings=settings, database=database, venue=venue, clock=clock, dispatcher=dispatcher
        )
        worker = LaneWorker(around, process_name())
        dispatcher.admit = worker.admit
        stack.push_async_callback(worker.stop)  # as above
        await worker.start()
        ready(venue.name)
        await asyncio.Event().wait()


def process_name() -> str:
    """Return a name that no other process has, or had."""
    return f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"


class EngineLease:
    """One engine is at work; the others wait for its lease. The fence of the lanes it steers."""

    def __init__(
        self,
        database: Database,
        settings: Settings,
        *,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        """`steady` is a clock in seconds that nobody sets."""
        self._database = database
        self._settings = settings
        self._length = timedelta(seconds=settings.lease_seconds)
        self._owner = process_name()
        self._steady = steady
        self._held: HeldLease | None = None

    async def wait(self) -> None:
        while not await self._take():  # noqa: ASYNC110 - its holder tells nobody
            await asyncio.sleep(LOOK_SECONDS)

    async def keep(self) -> None:
        """Hold on to it; return when it was lost."""
        while await self._take():  # noqa: ASYNC110 - as above
            await asyncio.sleep(self._length.total_seconds() / 5)

    async def drop(self) -> None:
        await self._database.write(
            lambda session: leases.drop(session, [leases.ENGINE], owner=self._owner)
        )

    def outlasts_a_request(self) -> bool:
        """Return whether a request that is sent now is answered or dead before the lease ends."""
        held = self._held
        return held is not None and held.outlasts_a_request(self._settings, now=self._steady())

    # -- what the executor asks of lanes that the engine steers itself

    def confirm(self, session: Session, shards: Collection[int]) -> Mapping[int, int]:
        """Return the epochs of these, all or none; nobody takes them before the transaction ends.

        On SQLite a comparison says so: whoever writes is alone, and the lease is taken by writing.
        """
        held = self._held
        if held is None or not held.lasts(self._settings, now=self._steady()):
            return {}
        if not is_sqlite(session):
            epochs = leases.confirm(session, [leases.ENGINE], owner=self._owner)
            return dict.fromkeys(shards, epochs[leases.ENGINE]) if epochs else {}
        return dict.fromkeys(shards, held.epoch)

    def may_send(self, shard: int, epoch: int) -> bool:
        """Return whether an order that is sent now is answered or dead before the lease runs out.

        Never one that was claimed before it was lost, though it is ours again.
        """
        del shard  # one lease is that of all
        held = self._held
        return held is not None and held.epoch == epoch and self.outlasts_a_request()

    async def _take(self) -> bool:
        asked = self._steady()  # the lease may count from then on, never from earlier
        taken = await self._database.write(
            lambda session: leases.take(
                session, [leases.ENGINE], owner=self._owner, length=self._length
            ),
            urgent=True,
        )
        epoch = taken.get(leases.ENGINE)
        self._held = None if epoch is None else HeldLease(epoch, asked)
        return epoch is not None


async def _ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def _opened(settings: Settings, stack: AsyncExitStack) -> Database:
    database = open_database(settings.database_url)
    stack.callback(database.close)
    return database


async def _connected(settings: Settings, make_venue: MakeVenue, stack: AsyncExitStack) -> Venue:
    venue = await make_venue(settings)
    close = getattr(venue, "close", None)
    if close is not None:
        stack.push_async_callback(_closed, close)
    return venue


async def _closed(close: Callable[[], Awaitable[None] | None]) -> None:
    waiting = close()
    if waiting is not None:
        await waiting
