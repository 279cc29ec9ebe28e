"""What the commands that read or write the database share: its option, and words for bad input."""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import ClassVar

import click

from copyplugin.errors import ConfigurationError, UnknownFollow, UnknownLeader
from copyplugin.settings import PREFIX, Settings, load_settings
from copyplugin.store.database import Database, open_database

DATABASE = click.option(
    "--database",
    "database_url",
    metavar="URL",
    help=f"The database, for example sqlite:///copyplugin.db.  [default: {PREFIX}DATABASE_URL]",
)


class BadInput(click.ClickException):
    """What was given cannot be used; the sentence says what to change."""

    exit_code: ClassVar[int] = 2


@contextmanager
def opened(database_url: str | None) -> Generator[tuple[Database, Settings]]:
    """Yield the database and the settings; raises `BadInput` for what cannot be used."""
    try:
        settings = load_settings()
        database = open_database(database_url or settings.database_url)
    except ConfigurationError as error:
        raise BadInput(str(error)) from error
    try:
        yield database, settings
    except (UnknownFollow, UnknownLeader) as error:
        raise BadInput(error.sentence) from error
    finally:
        database.close()


def print_table(rows: Sequence[Sequence[str]]) -> None:
    """Print rows of text in columns, the first row being the titles."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        click.echo("  ".join(cells).rstrip())
