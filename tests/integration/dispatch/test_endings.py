"""A process whose database is lost ends, so that whoever keeps it running can start it anew."""

import asyncio

import pytest

from copyplugin.dispatch.distributed import DistributedDispatcher
from copyplugin.dispatch.in_process import InProcessDispatcher
from copyplugin.processes import run_engine
from copyplugin.settings import Settings
from copyplugin.store.database import libpq_address
from copyplugin.system_clock import SystemClock
from copyplugin.venues.simulated import SimulatedVenue
from tests.simulation.copy_world import Market

END_SECONDS = 20


class DatabaseLost(Exception):
    """What a library raises that has to say goodbye to a database that is gone."""


async def until_lost(lost: asyncio.Event) -> None:
    """Wait, and when cancelled raise something else, as whoever cannot sign off does."""
    try:
        await lost.wait()
    finally:
        raise DatabaseLost


async def test_what_is_served_ends_when_cancelled_though_its_handler_raises_something_else():
    dispatcher, begun = InProcessDispatcher(SystemClock()), asyncio.Event()

    async def handler(_: frozenset[int]) -> None:
        begun.set()
        await until_lost(asyncio.Event())

    dispatcher.serve("lanes", handler)
    before = asyncio.all_tasks()
    await dispatcher.start()
    dispatcher.announce("lanes", {1})
    await begun.wait()
    servers = [task for task in asyncio.all_tasks() - before if task.get_name() == "lanes"]
    for server in servers:
        server.cancel()
    _, alive = await asyncio.wait(servers, timeout=END_SECONDS)
    for server in alive:
        server.cancel()
    await dispatcher.stop()

    assert len(servers) == 1
    assert not alive


@pytest.mark.parametrize("kind", ["postgresql"])
async def test_listening_ends_when_cancelled_though_the_database_is_gone(migrated_url, monkeypatch):
    address = libpq_address(migrated_url)
    assert address is not None
    dispatcher, listens = DistributedDispatcher(SystemClock(), address), asyncio.Event()

    async def run_worker(**_: object) -> None:
        listens.set()
        await until_lost(asyncio.Event())

    monkeypatch.setattr(dispatcher._app, "run_worker_async", run_worker)
    await dispatcher.start()
    await listens.wait()
    async with asyncio.timeout(END_SECONDS):
        await dispatcher.stop()


class Shared:
    """The exchange of this process."""

    def __init__(self) -> None:
        self.market = Market()

    async def __call__(self, settings: Settings) -> SimulatedVenue:
        return SimulatedVenue(self.market.simulation)


async def test_an_engine_that_cannot_start_leaves_nothing_running(migrated_url, monkeypatch):
    async def cannot_start(_: object) -> None:
        raise DatabaseLost

    monkeypatch.setattr("copyplugin.engine.feed.Feed.start", cannot_start)
    before = asyncio.all_tasks()
    with pytest.raises(DatabaseLost):
        await run_engine(Settings(database_url=migrated_url), Shared(), SystemClock())
    async with asyncio.timeout(END_SECONDS):
        left = asyncio.all_tasks() - before
        if left:
            await asyncio.wait(left, timeout=1)

    assert not [task for task in asyncio.all_tasks() - before if not task.done()]
