"""The commands that say what venues can do, and whether one is ready for the first order."""

import asyncio
import json

import click

from copyplugin.command_line.keys import VENUE, CannotRun
from copyplugin.errors import ConfigurationError
from copyplugin.settings import load_settings
from copyplugin.system_clock import SystemClock
from copyplugin.venue_choice import venue_config, venue_keys
from copyplugin.venues.doctor.examine import examine
from copyplugin.venues.doctor.findings import Diagnosis
from copyplugin.venues.table import table_of, venue_lines

JSON = click.option("--json", "as_json", is_flag=True, help="For programs.")


@click.command("venues")
@JSON
def venues_command(*, as_json: bool) -> None:
    """Print what each venue can and cannot do, and how that is proven."""
    lines = venue_lines()
    if as_json:
        click.echo(json.dumps([line.as_json() for line in lines], indent=2))
    else:
        click.echo("\n".join(table_of(lines)))


@click.command("doctor")
@VENUE
@JSON
@click.pass_context
def doctor_command(context: click.Context, dialect: str | None, *, as_json: bool) -> None:
    """Look at the venue and the connected accounts before the first order; change nothing.

    Exit code 0: ready; 1: something is to be mended first; 2: what was given cannot be used.
    """
    try:
        diagnosis = _diagnosis(dialect)
    except ConfigurationError as error:
        raise CannotRun(str(error)) from error
    if as_json:
        click.echo(json.dumps(diagnosis.as_json(), indent=2))
    else:
        click.echo("\n".join(diagnosis.lines()))
    context.exit(0 if diagnosis.is_healthy else 1)


def _diagnosis(dialect: str | None) -> Diagnosis:
    settings = load_settings()
    config = venue_config(settings, dialect)
    accounts = venue_keys(settings).accounts()
    return asyncio.run(examine(config, accounts, now=SystemClock().now()))
