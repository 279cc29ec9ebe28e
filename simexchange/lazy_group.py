"""A group of commands of which only the one that is called is imported.

The plugin has the same for its own: neither product leans on the other.
"""

from collections.abc import Mapping
from importlib import import_module
from typing import Any, NamedTuple

import click


class Place(NamedTuple):
    """Where a command is found, as `package.module:name`, and the sentence that tells of it."""

    command: str
    sentence: str


class LazyGroup(click.Group):
    """`places` says where the commands are; their sentences stand here too, for the list of them.

    Servers take half a second to import, and nobody who looks for the right command waits for them.
    """

    def __init__(self, *arguments: Any, places: Mapping[str, Place], **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._places = places

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(self._places)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        place = self._places.get(cmd_name)
        if place is None:
            return None
        module, _, name = place.command.partition(":")
        command = getattr(import_module(module), name)
        assert isinstance(command, click.Command), place
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(
                [(name, self._places[name].sentence) for name in sorted(self._places)]
            )
