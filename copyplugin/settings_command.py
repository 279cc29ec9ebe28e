"""`copyplugin settings`: what is set, and what it means."""

import click

from copyplugin.command_base import settings_or_refusal
from copyplugin.settings import PREFIX, Settings


@click.command("settings")
def settings_command() -> None:
    """Print every setting with its value and meaning."""
    settings = settings_or_refusal()
    for name, field in Settings.model_fields.items():
        value = getattr(settings, name)
        mark = "" if value == field.default else f" (default {field.default})"
        click.echo(f"{PREFIX}{name.upper()}={value}{mark}")
        click.echo(f"    {field.description}")
