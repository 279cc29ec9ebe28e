"""A process sends nothing whose answer might come when the lease is another's."""

import asyncio
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from freezegun import freeze_time

from copyplugin.engine.lane_worker import LaneWorker
from copyplugin.engine.surroundings import Work
from copyplugin.settings import Settings

LEASE, ANSWER = 20, 10
"""How long a lease lasts, and how long an answer may take, in seconds."""


class Writes:
    """A database that takes, keeps and drops as it is asked, each when it is let."""

    def __init__(self) -> None:
        self.asked: asyncio.Queue[asyncio.Future[object]] = asyncio.Queue()

    async def write(self, _work: object, *, urgent: bool = False) -> object:
        del urgent
        answer: asyncio.Future[object] = asyncio.get_running_loop().create_future()
        self.asked.put_nowait(answer)
        return await answer


class World:
    """A worker of leases, and the time that passes around it."""

    def __init__(self, time) -> None:
        self.time = time
        self.database = Writes()
        self.worker = LaneWorker(
            SimpleNamespace(
                settings=Settings(lease_seconds=LEASE, request_timeout_seconds=ANSWER),
                database=self.database,
                dispatcher=SimpleNamespace(serve=lambda *_: None, announce=lambda *_: None),
                fence=None,
            ),
            "a",
        )

    def may_send(self, shard: int = 1, epoch: int = 1) -> bool:
        return self.worker.may_send(shard, epoch)

    def wait(self, seconds: float) -> None:
        self.time.tick(seconds)

    async def begin(self, work):
        """Begin to take, keep or drop; return what ends it with an answer of the database."""
        task = asyncio.create_task(work)
        answer = await asyncio.wait_for(self.database.asked.get(), 5)

        async def end(value: object) -> None:
            answer.set_result(value)
            await asyncio.wait_for(task, 5)

        return end

    def take(self, shard: int):
        return self.begin(self.worker._take(frozenset({shard})))

    async def keep(self):
        """Begin to hold on to what is held; nothing of it is idle."""
        self.worker.executor.busy_shards = lambda: self.worker.held
        return await self.begin(self.worker._look_after())


@pytest.fixture
async def world():
    with freeze_time(datetime(2026, 1, 5, tzinfo=UTC), real_asyncio=True) as time:
        yield World(time)


async def test_a_lease_outlasts_the_answer_to_what_is_sent_under_it(world):
    await (await world.take(1))({1: 1})
    world.wait(LEASE - ANSWER - 1)
    assert world.may_send()

    world.wait(1)

    assert not world.may_send()


async def test_a_lease_that_is_kept_lasts_from_when_that_was_asked_for(world):
    await (await world.take(1))({1: 1})
    world.wait(5)
    kept = await world.keep()
    world.wait(4)
    await kept(frozenset({1}))
    world.wait(5)
    assert world.may_send()

    world.wait(1)

    assert not world.may_send()


async def test_a_lease_counts_from_before_it_was_asked_for_however_long_the_answer_took(world):
    taken = await world.take(1)
    world.wait(LEASE - ANSWER)

    await taken({1: 1})

    assert not world.may_send()


async def test_each_lease_counts_from_its_own_beginning(world):
    older = await world.take(1)
    world.wait(5)
    await (await world.take(2))({2: 1})
    await older({1: 1})

    world.wait(LEASE - ANSWER - 5)

    assert (world.may_send(1), world.may_send(2)) == (False, True)


async def test_a_lease_that_was_taken_while_others_were_kept_is_not_kept_with_them(world):
    await (await world.take(1))({1: 1})
    world.wait(5)
    taken = await world.take(2)
    world.wait(3)
    kept = await world.keep()
    await taken({2: 1})
    await kept(frozenset({1}))

    world.wait(LEASE - ANSWER - 3)

    assert (world.may_send(1), world.may_send(2)) == (True, False)
    assert world.worker.held == {1, 2}


async def test_nothing_is_sent_under_a_lease_that_was_lost_nor_after_it_was_anothers(world):
    await (await world.take(1))({1: 1})
    world.wait(LEASE + 1)
    await (await world.keep())(frozenset())
    assert not world.may_send(1)

    await (await world.take(1))({1: 3})

    assert not world.may_send(1, epoch=1)
    assert world.may_send(1, epoch=3)


async def test_a_wake_up_that_waits_for_room_comes_in_when_leases_are_lost(world):
    world.worker._around.settings = Settings(shards_at_once=1)
    await (await world.take(1))({1: 1})
    waiting = asyncio.create_task(world.worker.admit(Work.LANES, frozenset({2})))
    world.wait(LEASE + 1)

    await (await world.keep())(frozenset())
    answer = await asyncio.wait_for(world.database.asked.get(), 5)
    answer.set_result({2: 1})
    await asyncio.wait_for(waiting, 5)

    assert world.worker.held == {2}
