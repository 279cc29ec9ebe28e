"""The command that serves an exchange."""

import asyncio
import logging
import secrets
import signal
from ipaddress import ip_address
from pathlib import Path

import click

from simexchange.clock import SystemClock
from simexchange.core.commands import ListInstrument
from simexchange.core.config import ExchangeConfig
from simexchange.core.exchange import Exchange
from simexchange.faults import FaultySimulation
from simexchange.journal.journaled import JournaledExchange
from simexchange.journal.records import JournalError
from simexchange.journal.writer import Durability
from simexchange.market.driver import EndOfRecord, MarketDriver
from simexchange.market.world import INSTRUMENTS, build_world
from simexchange.output import BadInput
from simexchange.server.binance.dialect import BinanceDialect
from simexchange.server.bybit.dialect import BybitDialect
from simexchange.server.clock import SteeredClock
from simexchange.server.operator.api import KEY_HEADER, PREFIX, OperatorApi
from simexchange.server.serving import Dialect, Server
from simexchange.server.venue import Venue, VenueSettings

DIALECTS = {"binance": BinanceDialect, "bybit": BybitDialect}
_CHECK_EVERY = 10_000


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
@click.option("--seed", type=int, default=0, show_default=True, help="Of market, keys and faults.")
@click.option(
    "--market",
    type=click.Choice(["synthetic", "still"]),
    default="synthetic",
    show_default=True,
    help="A market that moves, or instruments without anyone who trades.",
)
@click.option("--speed", type=click.IntRange(0), default=1, help="Of time; 0: frozen.")
@click.option(
    "--journal",
    type=click.Path(path_type=Path),
    help="Write every command to this new file, for `simexchange replay`.",
)
@click.option("--operator-key", help="Key of the operator API. On loopback one is made up.")
@click.option("--limits/--no-limits", default=False, help="Enforce the venue's rate limits.")
@click.option(
    "--ignore-unknown",
    is_flag=True,
    help="Ignore parameters that the venue does not document, instead of refusing them.",
)
def serve_command(  # noqa: PLR0913, PLR0917 - the options of the command
    dialects: tuple[str, ...],
    host: str,
    port: int,
    seed: int,
    market: str,
    speed: int,
    journal: Path | None,
    operator_key: str | None,
    limits: bool,  # noqa: FBT001 - a switch
    ignore_unknown: bool,  # noqa: FBT001 - a switch
) -> None:
    """Serve an exchange over HTTP and WebSocket until Ctrl-C.

    Clients of the venue trade on it unchanged. Accounts and keys are made through the operator
    API, which is on by default on this machine only.
    """
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    clock = SteeredClock(SystemClock(), speed=speed)
    simulation = FaultySimulation(_exchange(journal), clock)
    driver: MarketDriver | None = None
    if market == "synthetic":
        driver = build_world(simulation, seed=seed).driver
    else:
        for instrument in INSTRUMENTS:
            simulation.apply(ListInstrument(instrument))
    settings = VenueSettings(
        seed=str(seed), are_limits_on=limits, refuses_unknown_parameters=not ignore_unknown
    )
    venue = Venue(simulation, settings)
    key = operator_key or (secrets.token_urlsafe(24) if _is_loopback(host) else None)
    served: list[Dialect] = [DIALECTS[name](venue) for name in dialects]
    if key is not None:
        served.append(OperatorApi(venue, key, journal))
    asyncio.run(_serve(Server(tuple(served)), host, port, clock, driver, key))


def _exchange(journal: Path | None) -> Exchange:
    """Return a new exchange, with a journal where one is asked for."""
    config = ExchangeConfig(check_every=_CHECK_EVERY)
    if journal is None:
        return Exchange(config)
    try:
        exchange = JournaledExchange(journal, config, durability=Durability.SYSTEM)
    except JournalError as error:
        raise BadInput(str(error)) from error
    if exchange.sequence:
        exchange.close()
        raise BadInput(f"{journal} already holds a run; name a new file")
    return exchange


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


async def _serve(
    server: Server,
    host: str,
    port: int,
    clock: SteeredClock,
    driver: MarketDriver | None,
    key: str | None,
) -> None:
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
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for signal_number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(signal_number, stop.set)
    try:
        await _run_until(stop, driver, clock)
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
        due = clock.now() + driver.index.step_us
        try:
            driver.step()
        except EndOfRecord:
            return
        await asyncio.sleep(0)  # requests go between two steps, however far behind the market is
        await clock.reach(due)
