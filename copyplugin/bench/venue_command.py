"""`copyplugin bench-venue`: what trading through ccxt costs, as one JSON object."""

import asyncio
import json
from collections.abc import Callable, Coroutine
from typing import Any

import click

from copyplugin.bench import venue_measures as measures
from copyplugin.bench.venue_server import SERVED, VenueServer

Figures = dict[str, Any]
Measure = Callable[[VenueServer], Coroutine[Any, Any, Figures]]


@click.command("bench-venue")
@click.option("--dialect", type=click.Choice(sorted(SERVED)), default="bybit", show_default=True)
@click.option("--accounts", type=click.IntRange(1), default=10_000, show_default=True)
@click.option("--sockets", type=click.IntRange(0), default=4_000, show_default=True)
@click.option("--at-once", type=click.IntRange(1), default=32, show_default=True)
@click.option(
    "--rounds",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    help="So often each account orders in each way; medians are printed.",
)
def bench_venue_command(
    *, dialect: str, accounts: int, sockets: int, at_once: int, rounds: int
) -> None:
    """Measure clients, orders and streams through ccxt against a served exchange.

    The exchange has a process of its own. Orders go to as many accounts, through
    our adapter and through bare ccxt in turn.
    """

    def apart(measure: Measure, count: int) -> Figures:
        with VenueServer(count, dialect) as server:
            return asyncio.run(measure(server))

    figures: Figures = {"dialect": dialect}
    figures |= apart(lambda server: measures.clones(server, at_once), accounts)
    figures |= apart(lambda server: measures.fan_out(server, at_once, rounds), accounts)
    if sockets:
        figures |= apart(lambda server: measures.sockets(server, at_once), sockets)
    click.echo(json.dumps(figures, indent=2))
