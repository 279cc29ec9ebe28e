"""A group of commands of which only the one that is called is imported."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import click


class LazyGroup(click.Group):
    """`found_in` says which module holds a command, as `package.module:name`.

    What trades on real venues takes seconds to import; looking at the books must not wait for it.
    """

    def __init__(self, *arguments: Any, found_in: Mapping[str, str], **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._found_in = found_in

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted({*super().list_commands(ctx), *self._found_in})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        place = self._found_in.get(cmd_name)
        if place is None:
            return super().get_command(ctx, cmd_name)
        module, _, name = place.partition(":")
        command = getattr(import_module(module), name)
        assert isinstance(command, click.Command), place
        return command
