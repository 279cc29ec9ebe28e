"""The command that serves an exchange."""

import asyncio
import logging
import secrets
import signal
from ipaddress import ip_address
from pathlib import Path
from typing import NamedTuple

import click

from simexchange.clock import SystemClock
from simexchange.collector import spare_what_lives
from simexchange.core.commands import ListInstrument
from simexchange.core.config import ExchangeConfig
from simexchange.core.exchange import Exchange
from simexchange.core.types import SECOND_US
from simexchange.faults import FaultySimulation
from simexchange.journal.records import JournalError
from simexchange.market.driver import EndOfRecord, MarketDriver
from simexchange.market.resumed import resume_world
from simexchange.market.world import INSTRUMENTS, build_world
from simexchange.output import BadInput
from simexchange.server.binance.dialect import BinanceDialect
from simexchange.server.bybit.dialect import BybitDialect
from simexchange.server.clock import SteeredClock
from simexchange.server.notes import Begun
from simexchange.server.operator.api import KEY_HEADER, PREFIX, OperatorApi
from simexchange.server.resuming import Home
from simexchange.server.serving import Dialect, Server
from simexchange.server.venue import Venue, VenueSettings

DIALECTS = {"binance": BinanceDialect, "bybit": BybitDialect}
_CHECK_EVERY = 10_000
_SEEDS = 1_000_003
"""A prime far above the seeds that people give, so that no two continuations share one."""


class _Asked(NamedTuple):
    """What the command was asked for."""

    seed: int | None
    market: str | None
    speed: int | None
    rate_limits: bool
    ignores_unknown: bool
    listen_key_s: int


class _Built(NamedTuple):
    """What is served, and what moves and closes it."""

    venue: Venue
    clock: SteeredClock
    driver: MarketDriver | None
    home: Home | None


@click.command("serve")
@click.option(
    "--dialect",
    "dialects",
    type=click.Choice(sorted(DIALECTS)),
    multiple=True,
    default=("bybit",),
    help="Whose wire protocol to speak; may be given twice.",
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=click.IntRange(0, 65_535), default=0, help="0: a free port.")
@click.option("--seed", type=int, help="Of market, keys and faults; 0 unless it is given.")
@click.option(
    "--market",
    type=click.Choice(["synthetic", "still"]),
    help="A market that moves (the default), or instruments without anyone who trades.",
)
@click.option("--speed", type=click.IntRange(0), help="Of time, 1 by default; 0: frozen.")
@click.option(
    "--journal",
    type=click.Path(path_type=Path),
    help="Write everything into this directory, and come back from it as it was.",
)
@click.option("--operator-key", help="Key of the operator API. On loopback one is made up.")
@click.option(
    "--rate-limits",
    type=click.Choice(["venue", "off"]),
    default="off",
    show_default=True,
    help="Enforce the venue's limits of requests and orders, or only count them.",
)
@click.option(
    "--listen-key-seconds",
    type=click.IntRange(1),
    default=3_600,
    show_default=True,
    help="How long the key of a Binance user stream is good.",
)
@click.option(
    "--ignore-unknown",
    is_flag=True,
    help="Ignore parameters that the venue does not document, instead of refusing them.",
)
def serve_command(  # noqa: PLR0913, PLR0917 - the options of the command
    dialects: tuple[str, ...],
    host: str,
    port: int,
    seed: int | None,
    market: str | None,
    speed: int | None,
    journal: Path | None,
    operator_key: str | None,
    rate_limits: str,
    listen_key_seconds: int,
    ignore_unknown: bool,  # noqa: FBT001 - a switch
) -> None:
    """Serve an exchange over HTTP and WebSocket until Ctrl-C.

    Clients of the venue trade on it unchanged. Accounts and keys are made through the operator
    API, which is on by default on this machine only. With --journal the exchange, its accounts and
    its keys are there again when the command is given again, however it ended.
    """
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    asked = _Asked(seed, market, speed, rate_limits == "venue", ignore_unknown, listen_key_seconds)
    built = _built(asked, journal)
    key = operator_key or (secrets.token_urlsafe(24) if _is_loopback(host) else None)
    served: list[Dialect] = [DIALECTS[name](built.venue) for name in dialects]
    if key is not None:
        file = None if built.home is None else built.home.journal
        served.append(OperatorApi(built.venue, key, file))
    spare_what_lives()
    try:
        asyncio.run(_serve(Server(tuple(served)), host, port, built, key))
    finally:
        if built.home is not None:
            built.home.close()


def _built(asked: _Asked, journal: Path | None) -> _Built:
    """Return a new exchange, or the one that lives in the journal."""
    config = ExchangeConfig(check_every=_CHECK_EVERY)
    if journal is None:
        clock = SteeredClock(SystemClock(), speed=1 if asked.speed is None else asked.speed)
        venue = _venue(asked, FaultySimulation(Exchange(config), clock), str(asked.seed or 0))
        return _Built(venue, clock, _opened(asked, venue), None)
    try:
        home = Home(journal, config)
        clock = home.clock(SystemClock(), asked.speed)
        begun = home.begun
        _refuse_another(asked, begun, journal)
        seed = str(asked.seed or 0) if begun is None else begun.seed
        venue = _venue(asked, FaultySimulation(home.exchange, clock), seed)
        home.restore(venue)
    except JournalError as error:
        raise BadInput(str(error)) from error
    if begun is None:
        driver = _opened(asked, venue)
        venue.note(Begun(seed=seed, market=asked.market or "synthetic"))
    else:
        driver = _resumed(begun, venue, home.exchange.sequence)
        click.echo(f"Came back with {home.exchange.sequence} commands from {journal}.")
    venue.note(clock.steered())
    return _Built(venue, clock, driver, home)


def _refuse_another(asked: _Asked, begun: Begun | None, journal: Path) -> None:
    """Refuse to go on as another exchange than the one that lives here."""
    if begun is None:
        return
    for name, wanted, found in (
        ("seed", asked.seed if asked.seed is None else str(asked.seed), begun.seed),
        ("market", asked.market, begun.market),
    ):
        if wanted is not None and wanted != found:
            raise BadInput(
                f"{journal} was begun with --{name} {found}; leave --{name} out, or name a new "
                "directory"
            )


def _venue(asked: _Asked, simulation: FaultySimulation, seed: str) -> Venue:
    settings = VenueSettings(
        seed=seed,
        are_limits_on=asked.rate_limits,
        refuses_unknown_parameters=not asked.ignores_unknown,
        listen_key_us=asked.listen_key_s * SECOND_US,
    )
    return Venue(simulation, settings)


def _opened(asked: _Asked, venue: Venue) -> MarketDriver | None:
    """List the instruments and open the market; return what moves it."""
    if asked.market != "still":
        return build_world(venue.simulation, seed=asked.seed or 0).driver
    for instrument in INSTRUMENTS:
        venue.apply(ListInstrument(instrument))
    return None


def _resumed(begun: Begun, venue: Venue, commands: int) -> MarketDriver | None:
    """Return what moves the market on; its chance follows from the seed and how far it came."""
    if begun.market == "still":
        return None
    return resume_world(venue.simulation, seed=int(begun.seed) + _SEEDS * commands)


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


async def _serve(
    server: Server,
    host: str,
    port: int,
    built: _Built,
    key: str | None,
) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    # Before anybody is told that it listens: who hears of it may end it at once.
    for signal_number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(signal_number, stop.set)
    try:
        await server.start(host, port)
    except OSError as error:
        raise BadInput(
            f"cannot listen on {host} port {port}: {error.strerror}; choose another with --port"
        ) from error
    address = f"http://{host}:{server.port}"
    click.echo(f"The exchange listens on {address} (WebSocket: ws://{host}:{server.port}).")
    if key is None:
        click.echo("The operator API is off; give --operator-key to switch it on beyond loopback.")
    else:
        click.echo(f"Operator API: {address}{PREFIX}status with the header {KEY_HEADER}: {key}")
        click.echo(f"Watch it: {address}{PREFIX}watch")
    try:
        await _run_until(stop, built.driver, built.clock)
    finally:
        await server.stop()


async def _run_until(stop: asyncio.Event, driver: MarketDriver | None, clock: SteeredClock) -> None:
    """Return when ``stop`` is set; a market that fails ends the server, and says why."""
    if driver is None:
        await stop.wait()
        return
    waiting = asyncio.create_task(stop.wait())
    moving = asyncio.create_task(_move(driver, clock))
    await asyncio.wait((waiting, moving), return_when=asyncio.FIRST_COMPLETED)
    if moving.done():
        moving.result()
        await waiting
    moving.cancel()


async def _move(driver: MarketDriver, clock: SteeredClock) -> None:
    """Step the market at the pace of the exchange's clock."""
    while True:
        await clock.reach(clock.now() + driver.index.step_us)
        try:
            driver.step()
        except EndOfRecord:
            return
        await asyncio.sleep(0)  # requests go between two steps, however far behind the market is
