"""Commands are found when they are called, and looking at the books imports no exchange client."""

import subprocess
import sys

import click
import pytest

import copyplugin.cli
import simexchange.cli

LINES = [copyplugin.cli, simexchange.cli]
COMMANDS = [(line, name) for line in LINES for name in sorted(line.PLACES)]


@pytest.mark.parametrize(("line", "name"), COMMANDS, ids=[name for _, name in COMMANDS])
def test_every_command_is_where_it_is_said_to_be(line, name):
    command = line.main.get_command(click.Context(line.main), name)

    assert command is not None
    assert command.name == name
    assert command.get_short_help_str(limit=200) == line.PLACES[name].sentence


@pytest.mark.parametrize("line", LINES, ids=["copyplugin", "simexchange"])
def test_the_list_of_commands_is_printed_without_importing_any_of_them(line):
    program = (
        "import sys\n"
        f"from {line.__name__} import PLACES, main\n"
        "main(['--help'], standalone_mode=False)\n"
        "places = {place.command.partition(':')[0] for place in PLACES.values()}\n"
        "assert not places & set(sys.modules)\n"
        "assert not {'sqlalchemy', 'aiohttp'} & set(sys.modules)\n"
    )

    answer = subprocess.run(
        [sys.executable, "-c", program], check=False, capture_output=True, text=True
    )

    assert answer.returncode == 0, answer.stderr
    told = " ".join(answer.stdout.split())
    assert all(" ".join(place.sentence.split()) in told for place in line.PLACES.values())


def test_settings_are_printed_without_importing_a_client_of_exchanges():
    program = (
        "import sys\n"
        "from copyplugin.cli import main\n"
        "main(['settings'], standalone_mode=False)\n"
        "assert 'ccxt' not in sys.modules\n"
    )

    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
