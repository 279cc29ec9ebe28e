"""`copyplugin statistics`: whether the leaders' figures are what the rows give."""

from contextlib import closing

import click

from copyplugin.command_line.base import DATABASE, database_or_refusal, settings_or_refusal
from copyplugin.store.statistics_proof import statistics_differences
from copyplugin.system_clock import SystemClock


@click.group("statistics")
def statistics_group() -> None:
    """Look after the leaders' figures."""


@statistics_group.command("verify")
@DATABASE
@click.pass_context
def statistics_verify(context: click.Context, database_url: str | None) -> None:
    """Compute the leaders' figures anew from raw rows and compare them with those that are kept."""
    zone = settings_or_refusal().zone
    with closing(database_or_refusal(database_url)) as database:
        differences = database.write_and_wait(
            lambda session: statistics_differences(session, now=SystemClock().now(), zone=zone)
        )
    for difference in differences:
        click.echo(difference, err=True)
    if differences:
        context.exit(1)
    click.echo("The leaders' figures are what the rows give.")
