"""`copyplugin db`: the tables themselves."""

import click

from copyplugin.command_line.base import DATABASE, BadInput, database_or_refusal, url_or_refusal
from copyplugin.errors import ConfigurationError
from copyplugin.store.database import upgrade_database


@click.group("db")
def database_group() -> None:
    """Make the database, bring it up to date, look whether it is."""


@database_group.command("upgrade")
@DATABASE
def database_upgrade(database_url: str | None) -> None:
    """Make the tables, or bring them to what this program needs."""
    url = url_or_refusal(database_url)
    try:
        upgrade_database(url)
    except ConfigurationError as error:
        raise BadInput(str(error)) from error
    click.echo("The database is up to date.")


@database_group.command("check")
@DATABASE
def database_check(database_url: str | None) -> None:
    """Say whether the database is what this program needs."""
    database_or_refusal(database_url).close()
    click.echo("The database is what this program needs.")
