"""The queue on PostgreSQL: commands wake the engine, dead processes leave nothing behind."""

import asyncio
from functools import partial

import pytest
from procrastinate import App, PsycopgConnector
from sqlalchemy import text

from copyplugin.dispatch.announcing import SCHEMA, TASK, Announcer
from copyplugin.dispatch.distributed import DistributedDispatcher
from copyplugin.domain.command import CommandKind, CommandState
from copyplugin.engine.surroundings import Work
from copyplugin.plugin import Commands
from copyplugin.settings import Settings
from copyplugin.store.database import libpq_address, open_database
from copyplugin.system_clock import SystemClock
from tests.integration.dispatch.test_dispatchers import Heard

pytestmark = pytest.mark.parametrize("kind", ["postgresql"])


@pytest.fixture
def database(migrated_url):
    opened = open_database(migrated_url)
    yield opened
    opened.close()


@pytest.fixture
async def dispatcher(migrated_url):
    made = DistributedDispatcher(SystemClock(), libpq_address(migrated_url))
    yield made
    await made.stop()


async def test_a_command_of_the_pages_wakes_the_engine_without_its_sweep(
    database, dispatcher, migrated_url
):
    settings = Settings(database_url=migrated_url, command_wait_milliseconds=0)
    pages = Commands(database, SystemClock(), settings)
    woken = asyncio.Event()

    async def serve(_: frozenset[int]) -> None:
        woken.set()

    dispatcher.serve(Work.COMMANDS, serve)
    await dispatcher.start()
    submit = partial(
        pages.submit,
        CommandKind.HALT_COPYING,
        {"scope": "global"},
        actor="test",
        idempotency_key="one",
    )

    answer = await asyncio.get_running_loop().run_in_executor(None, submit)

    async with asyncio.timeout(10):
        await woken.wait()
    assert answer.state is CommandState.PENDING


async def test_a_message_that_a_dead_process_had_taken_is_served_by_another(
    database, dispatcher, migrated_url
):
    await announce(database, migrated_url, "lanes", {7})
    await take_and_die(database, migrated_url, "lanes")
    heard = Heard()
    dispatcher.serve("lanes", heard)

    await dispatcher.start()
    await heard.until({7})
    await until_left(database, 0)


async def test_messages_that_nobody_takes_are_forgotten(database, dispatcher, migrated_url):
    await announce(database, migrated_url, "nobody", {1})
    await announce(database, migrated_url, "nobody", {2})
    await database.write(
        lambda s: s.execute(
            text(
                f"UPDATE {SCHEMA}.procrastinate_events SET at = now() - interval '1 hour'"
                f" WHERE job_id = (SELECT min(id) FROM {SCHEMA}.procrastinate_jobs)"
            )
        )
    )

    await dispatcher.start()

    await until_left(database, 1)
    assert [each["keys"] for each in await messages(database)] == [[2]]


async def announce(database, url, name, keys):
    announcer = Announcer(libpq_address(url))
    await database.write(lambda session: announcer.announce_within(session, name, keys))


async def take_and_die(database, url, name):
    """Take the next message as a process does that is killed with it in hand, an hour ago."""
    connector = PsycopgConnector(
        conninfo=libpq_address(url), kwargs={"options": f"-c search_path={SCHEMA},public"}
    )
    app = App(connector=connector)
    app.task(name=TASK)(print)
    async with app.open_async():
        worker = await app.job_manager.register_worker()
        job = await app.job_manager.fetch_job([name], worker)
        assert job is not None
    died = f"UPDATE {SCHEMA}.procrastinate_workers SET last_heartbeat = now() - interval '1 hour'"
    await database.write(lambda session: session.execute(text(died)))


async def messages(database):
    query = text(f"SELECT args FROM {SCHEMA}.procrastinate_jobs ORDER BY id")
    return await database.write(lambda session: list(session.scalars(query)))


async def until_left(database, number):
    async with asyncio.timeout(10):
        while len(await messages(database)) > number:  # noqa: ASYNC110 - another process's row
            await asyncio.sleep(0.05)
