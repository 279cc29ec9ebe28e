"""`copyplugin venues` and `copyplugin doctor`."""

import asyncio
import json
from pathlib import Path

import click

from copyplugin.ports import Clock
from copyplugin.venues.ccxt.config import VenueConfig
from copyplugin.venues.connections import Connection, read_connections
from copyplugin.venues.doctor.examine import examine
from copyplugin.venues.table import table_of, venue_lines


def print_venues(*, as_json: bool) -> None:
    """Print what each venue can and cannot do."""
    lines = venue_lines()
    if as_json:
        click.echo(json.dumps([line.as_json() for line in lines], indent=2))
    else:
        click.echo("\n".join(table_of(lines)))


def run_doctor(config: VenueConfig, accounts: Path | None, clock: Clock, *, as_json: bool) -> bool:
    """Examine venue and accounts and print what was found; return whether all is well.

    Raises `ConfigurationError` for what cannot be used.
    """
    connections: list[Connection] = [] if accounts is None else read_connections(accounts)
    diagnosis = asyncio.run(examine(config, connections, now=clock.now()))
    if as_json:
        click.echo(json.dumps(diagnosis.as_json(), indent=2))
    else:
        click.echo("\n".join(diagnosis.lines()))
    return diagnosis.is_healthy
