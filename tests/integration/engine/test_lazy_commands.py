"""Commands are found when they are called, and looking at the books imports no exchange client."""

import subprocess
import sys

import click
import pytest

from copyplugin.cli import FOUND_IN, main


@pytest.mark.parametrize("name", sorted(FOUND_IN))
def test_every_command_is_where_it_is_said_to_be(name):
    command = main.get_command(click.Context(main), name)

    assert command is not None
    assert command.name == name


def test_settings_are_printed_without_importing_a_client_of_exchanges():
    program = (
        "import sys\n"
        "from copyplugin.cli import main\n"
        "main(['settings'], standalone_mode=False)\n"
        "assert 'ccxt' not in sys.modules\n"
    )

    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
