"""One contract, two dispatchers: what is announced in a transaction is served once it is there."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import text

from copyplugin.dispatch.distributed import DistributedDispatcher
from copyplugin.dispatch.in_process import InProcessDispatcher
from copyplugin.store.database import libpq_address, open_database
from copyplugin.system_clock import SystemClock

QUIET_SECONDS = 0.5


@pytest.fixture
def database(migrated_url):
    opened = open_database(migrated_url)
    yield opened
    opened.close()


@pytest.fixture
def make_dispatcher(migrated_url):
    address = libpq_address(migrated_url)

    def make():
        if address is None:
            return InProcessDispatcher(SystemClock())
        return DistributedDispatcher(SystemClock(), address, keys_in_one={"lanes": 2})

    return make


class Heard:
    """Collects what was served."""

    def __init__(self) -> None:
        self.keys: set[int] = set()
        self.running = 0
        self.at_once = 0
        self._changed = asyncio.Event()

    async def __call__(self, keys: frozenset[int]) -> None:
        self.running += 1
        self.at_once = max(self.at_once, self.running)
        await asyncio.sleep(0)
        self.keys |= keys
        self.running -= 1
        self._changed.set()

    async def until(self, keys: set[int]) -> None:
        async with asyncio.timeout(30):
            while not keys <= self.keys:
                self._changed.clear()
                await self._changed.wait()


async def test_what_commits_with_the_work_is_served_and_never_twice_at_a_time(
    database, make_dispatcher
):
    dispatcher, heard = make_dispatcher(), Heard()
    dispatcher.serve("lanes", heard)
    await dispatcher.start()

    for first in range(0, 50, 5):
        keys = set(range(first, first + 5))
        await database.write(lambda s, k=keys: dispatcher.announce_within(s, "lanes", k))
    await heard.until(set(range(50)))
    await dispatcher.stop()

    assert heard.keys == set(range(50))
    assert heard.at_once == 1


async def test_what_is_taken_back_is_announced_to_nobody(database, make_dispatcher):
    dispatcher, heard = make_dispatcher(), Heard()
    dispatcher.serve("lanes", heard)
    await dispatcher.start()

    def work(session) -> None:
        dispatcher.announce_within(session, "lanes", {1})
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await database.write(work)
    await database.write(lambda s: dispatcher.announce_within(s, "lanes", {2}))
    await heard.until({2})
    await asyncio.sleep(QUIET_SECONDS)
    await dispatcher.stop()

    assert heard.keys == {2}


async def test_a_time_to_come_is_waited_for(make_dispatcher):
    dispatcher, heard = make_dispatcher(), Heard()
    dispatcher.serve("lanes", heard)
    await dispatcher.start()

    dispatcher.announce_at(SystemClock().now() + timedelta(milliseconds=200), "lanes", (3,))
    assert heard.keys == set()
    await heard.until({3})
    await dispatcher.stop()


@pytest.mark.parametrize("kind", ["postgresql"])
async def test_another_process_serves_what_this_one_does_not(database, make_dispatcher):
    engine, worker, heard = make_dispatcher(), make_dispatcher(), Heard()
    worker.serve("lanes", heard)
    await engine.start()
    await worker.start()

    await database.write(lambda s: engine.announce_within(s, "lanes", {1, 2, 3}))
    engine.announce("lanes", {4})
    await heard.until({1, 2, 3, 4})
    await engine.stop()
    await worker.stop()


@pytest.mark.parametrize("kind", ["postgresql"])
async def test_what_a_process_keeps_is_served_by_it_alone(database, make_dispatcher, migrated_url):
    kept, sent = Heard(), Heard()
    engine = DistributedDispatcher(
        SystemClock(), libpq_address(migrated_url), kept={"lanes": frozenset({256})}
    )
    worker = make_dispatcher()
    engine.serve("lanes", kept)
    worker.serve("lanes", sent)
    await engine.start()
    await worker.start()

    await database.write(lambda s: engine.announce_within(s, "lanes", {1, 256}))
    engine.announce("lanes", {2, 256})
    engine.announce_at(SystemClock().now(), "lanes", (3, 256))
    await sent.until({1, 2, 3})
    await kept.until({256})
    await asyncio.sleep(QUIET_SECONDS)
    await engine.stop()
    await worker.stop()

    assert (kept.keys, sent.keys) == ({256}, {1, 2, 3})


@pytest.mark.parametrize("kind", ["postgresql"])
async def test_a_listener_whose_connections_were_cut_listens_again(database, make_dispatcher):
    dispatcher, heard = make_dispatcher(), Heard()
    dispatcher.serve("lanes", heard)
    await dispatcher.start()
    await database.write(lambda s: dispatcher.announce_within(s, "lanes", {1}))
    await heard.until({1})

    cut = text(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE pid <> pg_backend_pid() AND datname = current_database()"
    )
    await database.write(lambda s: s.execute(cut).all())
    await database.write(lambda s: dispatcher.announce_within(s, "lanes", {2}))
    await heard.until({2})
    await dispatcher.stop()
