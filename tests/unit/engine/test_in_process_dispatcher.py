"""The embedded dispatcher: wakes once for many, never twice at a time, and survives what fails."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from apscheduler.events import EVENT_JOB_MAX_INSTANCES
from freezegun import freeze_time

from copyplugin.dispatch.in_process import InProcessDispatcher
from copyplugin.system_clock import SystemClock


@pytest.fixture
async def dispatcher():
    made = InProcessDispatcher(SystemClock())
    yield made
    await made.stop()


class Runs:
    """What a handler was called with, and a way to wait for so many calls."""

    def __init__(self) -> None:
        self.keys: list[frozenset[int]] = []
        self._more = asyncio.Condition()

    async def note(self, keys: frozenset[int]) -> None:
        self.keys.append(keys)
        async with self._more:
            self._more.notify_all()

    async def reach(self, number: int) -> None:
        async with asyncio.timeout(20), self._more:
            await self._more.wait_for(lambda: len(self.keys) >= number)


async def test_announcements_during_a_run_are_one_run_with_all_their_keys(dispatcher):
    runs = Runs()
    gate = asyncio.Event()

    async def handler(keys: frozenset[int]) -> None:
        await runs.note(keys)
        await gate.wait()

    dispatcher.serve("lanes", handler)
    await dispatcher.start()
    dispatcher.announce("lanes", [1])
    await runs.reach(1)
    dispatcher.announce("lanes", [2])
    dispatcher.announce("lanes", [3, 2])

    gate.set()
    await runs.reach(2)

    assert runs.keys == [frozenset({1}), frozenset({2, 3})]


async def test_what_is_announced_for_later_comes_when_its_time_has_come(dispatcher):
    runs = Runs()
    dispatcher.serve("lanes", runs.note)
    await dispatcher.start()
    dispatcher.announce_at(SystemClock().now() + timedelta(milliseconds=20), "lanes", [7])
    assert runs.keys == []

    await runs.reach(1)

    assert runs.keys == [frozenset({7})]


async def test_a_handler_that_fails_is_logged_counted_and_served_again(dispatcher, caplog):
    runs = Runs()

    async def handler(keys: frozenset[int]) -> None:
        await runs.note(keys)
        if len(runs.keys) == 1:
            raise RuntimeError("a bug")

    dispatcher.serve("lanes", handler)
    await dispatcher.start()
    dispatcher.announce("lanes", [1])
    await runs.reach(1)

    dispatcher.announce("lanes", [2])
    await runs.reach(2)

    assert dispatcher.errors == 1
    assert "lanes failed; its next run tries again" in caplog.text


async def test_a_job_runs_by_the_clock_and_never_twice_at_a_time(dispatcher):
    runs = Runs()
    gate, refused = asyncio.Event(), asyncio.Event()

    async def job() -> None:
        await runs.note(frozenset())
        await gate.wait()

    dispatcher.every(1, "job", job)
    dispatcher._scheduler.add_listener(lambda _: refused.set(), EVENT_JOB_MAX_INSTANCES)
    await dispatcher.start()
    await runs.reach(1)
    async with asyncio.timeout(20):
        await refused.wait()  # a period has passed, and the first run still goes on
    once = len(runs.keys)
    gate.set()
    await runs.reach(2)

    assert once == 1


async def test_stopping_waits_for_what_runs_and_starts_nothing_more():
    dispatcher = InProcessDispatcher(SystemClock())
    done: list[str] = []

    async def handler(_: frozenset[int]) -> None:
        done.append("handler")

    async def errand() -> None:
        await asyncio.sleep(0)  # let the others go first
        done.append("errand")

    dispatcher.serve("lanes", handler)
    await dispatcher.start()
    dispatcher.spawn("errand", errand())

    await dispatcher.stop()
    dispatcher.announce("lanes", [1])
    await asyncio.sleep(0)

    assert done == ["errand"]


async def test_a_job_that_runs_when_everything_stops_is_let_to_its_end(caplog):
    dispatcher = InProcessDispatcher(SystemClock())
    started, gate = asyncio.Event(), asyncio.Event()
    ends: list[str] = []

    async def job() -> None:
        started.set()
        await gate.wait()
        ends.append("whole")

    dispatcher.every(1, "settle", job)
    await dispatcher.start()
    async with asyncio.timeout(20):
        await started.wait()
        stopping = asyncio.create_task(dispatcher.stop())
        await asyncio.sleep(0)
        gate.set()
        await stopping

    assert ends == ["whole"]
    assert dispatcher.errors == 0
    assert caplog.records == []


@pytest.mark.parametrize("jump", [timedelta(hours=-1), timedelta(hours=1)])
async def test_a_clock_that_is_set_stops_no_job(jump, caplog):
    runs = Runs()

    async def job() -> None:
        await runs.note(frozenset())

    with freeze_time(datetime(2026, 3, 29, 0, 59, tzinfo=UTC), tick=True, real_asyncio=True) as at:
        dispatcher = InProcessDispatcher(SystemClock())
        dispatcher.every(1, "job", job)
        await dispatcher.start()
        await runs.reach(1)
        at.move_to(SystemClock().now() + jump)
        await runs.reach(3)
        await dispatcher.stop()

    assert "the clock was set" in caplog.text
