"""`copyplugin bench-venue`: what trading through ccxt costs, as one JSON object."""

import asyncio
import json
from collections.abc import Callable, Coroutine
from typing import Any

import click

from copyplugin.bench import venue_measures as measures
from copyplugin.bench.venue_server import VenueServer

Figures = dict[str, float]
Measure = Callable[[VenueServer, int], Coroutine[Any, Any, Figures]]


@click.command("bench-venue")
@click.option("--accounts", type=click.IntRange(1), default=10_000, show_default=True)
@click.option("--sockets", type=click.IntRange(0), default=4_000, show_default=True)
@click.option("--at-once", type=click.IntRange(1), default=32, show_default=True)
def bench_venue_command(*, accounts: int, sockets: int, at_once: int) -> None:
    """Measure clients, orders and streams through ccxt against a served exchange.

    The exchange has a process of its own. Orders go to as many accounts, once
    through our adapter and once through bare ccxt in the same run.
    """
    figures: Figures = {}
    figures |= _apart(measures.clones, accounts, at_once)
    figures |= _apart(measures.fan_out, accounts, at_once)
    if sockets:
        figures |= _apart(measures.sockets, sockets, at_once)
    click.echo(json.dumps(figures, indent=2))


def _apart(measure: Measure, accounts: int, at_once: int) -> Figures:
    with VenueServer(accounts) as server:
        return asyncio.run(measure(server, at_once))
