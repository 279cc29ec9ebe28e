"""`copyplugin engine` and `copyplugin worker`: the processes of an installation."""

import asyncio
import logging
import signal
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, ClassVar

import click

from copyplugin.collector import spare_what_lives
from copyplugin.errors import ConfigurationError
from copyplugin.ports import Venue
from copyplugin.processes import MakeVenue, run_engine, run_worker, venue_maker
from copyplugin.settings import Settings, load_settings
from copyplugin.system_clock import SystemClock
from copyplugin.venue_choice import chosen_venue
from copyplugin.venues.ccxt.dialects import DIALECTS

log = logging.getLogger(__name__)

Process = Callable[..., Coroutine[Any, Any, None]]

VENUE = click.option(
    "--venue",
    "venue_name",
    metavar="NAME",
    help=f"The venue: {', '.join(sorted(DIALECTS))}, or the async function of the settings that "
    "connects to another, as package.module:function.  [default: COPYPLUGIN_VENUE]",
)
DATABASE = click.option("--database", "database_url", metavar="URL", help="The database.")


class CannotRun(click.ClickException):
    """What was given cannot be used; the sentence says what to change."""

    exit_code: ClassVar[int] = 2


@click.command("engine")
@VENUE
@DATABASE
def engine_command(venue_name: str | None, database_url: str | None) -> None:
    """Run the engine: the feed, commands and the jobs by the clock; on SQLite the lanes too.

    Of several one is at work; another takes over when its lease runs out.
    """
    _run(run_engine, venue_name, database_url, "engine")


@click.command("worker")
@VENUE
@DATABASE
def worker_command(venue_name: str | None, database_url: str | None) -> None:
    """Steer lanes, beside any number of other workers, on PostgreSQL."""
    _run(run_worker, venue_name, database_url, "worker")


def _run(process: Process, venue_name: str | None, database_url: str | None, name: str) -> None:
    """Run a process until it is told to stop (exit code 0) or has lost what it held (1)."""
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    logging.getLogger("procrastinate").setLevel(logging.WARNING)  # it tells of every message
    given = {} if database_url is None else {"database_url": database_url}
    try:
        settings = load_settings(**given)
        was_stopped = asyncio.run(_until_stopped(process, settings, _maker(venue_name), name))
    except ConfigurationError as error:
        raise CannotRun(str(error)) from error
    if not was_stopped:
        raise click.ClickException(f"The {name}'s lease was lost: start it again.")


async def _until_stopped(
    process: Process, settings: Settings, make_venue: MakeVenue, name: str
) -> bool:
    """Return whether the process was told to stop; raises what it raised."""
    loop, stopped = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    work = loop.create_task(
        process(
            settings,
            make_venue,
            SystemClock(),
            ready=partial(_say, name),
        )
    )
    waiting = loop.create_task(stopped.wait())
    await asyncio.wait({work, waiting}, return_when=asyncio.FIRST_COMPLETED)
    was_stopped = stopped.is_set()
    waiting.cancel()
    work.cancel()
    try:
        await work
    except asyncio.CancelledError:
        log.info("the %s has stopped", name)
    return was_stopped


def _say(name: str, venue: str) -> None:
    spare_what_lives()
    click.echo(f"The copy {name} runs on {venue}. Ctrl-C ends it.")


def _maker(venue_name: str | None) -> MakeVenue:
    if venue_name is not None and ":" in venue_name:
        return venue_maker(venue_name)

    async def connect(settings: Settings) -> Venue:
        return chosen_venue(settings, venue_name)

    return connect
