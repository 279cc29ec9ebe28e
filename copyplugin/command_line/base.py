"""What the commands that read or write the database share: its option, and words for bad input."""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar

import click

from copyplugin.domain.identifiers import NUMBER_MAX
from copyplugin.errors import ConfigurationError, Refused
from copyplugin.settings import PREFIX, Settings, load_settings
from copyplugin.store.database import Database, open_database

DATABASE = click.option(
    "--database",
    "database_url",
    metavar="URL",
    help=f"The database, for example sqlite:///copyplugin.db.  [default: {PREFIX}DATABASE_URL]",
)


class _RowNumber(click.types.IntParamType):
    """Refuses what no column holds; a range would stand in the help of every command."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        number: int = super().convert(value, param, ctx)
        if abs(number) > NUMBER_MAX:
            self.fail(f"{number} is not in the range of numbers that a row can have.", param, ctx)
        return number


NUMBER = _RowNumber()
"""The number of a row; that there is none of it is said by whoever looks."""


class BadInput(click.ClickException):
    """What was given cannot be used; the sentence says what to change."""

    exit_code: ClassVar[int] = 2


def settings_or_refusal() -> Settings:
    """Return what is set; raises `BadInput` for what cannot be used."""
    try:
        return load_settings()
    except ConfigurationError as error:
        raise BadInput(str(error)) from error


def url_or_refusal(given: str | None) -> str:
    """Return the address that was given, else the one that is set: who gives one needs no other."""
    return given if given is not None else settings_or_refusal().database_url


def database_or_refusal(given: str | None) -> Database:
    """Open the database that was given, else the one that is set; raises `BadInput`."""
    try:
        return open_database(url_or_refusal(given))
    except ConfigurationError as error:
        raise BadInput(str(error)) from error


@contextmanager
def opened(database_url: str | None) -> Generator[tuple[Database, Settings]]:
    """Yield the database and the settings; raises `BadInput` for what cannot be used."""
    settings = settings_or_refusal()
    database = database_or_refusal(database_url or settings.database_url)
    try:
        yield database, settings
    except Refused as error:
        raise BadInput(error.sentence) from error
    finally:
        database.close()


def print_table(rows: Sequence[Sequence[str]]) -> None:
    """Print rows of text in columns, the first row being the titles."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        click.echo("  ".join(cells).rstrip())
