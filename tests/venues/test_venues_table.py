"""The table of venues is what the adapters say of themselves."""

import json
from dataclasses import fields

from click.testing import CliRunner

from copyplugin.cli import main
from copyplugin.ports import VenueCapabilities
from copyplugin.venues.ccxt.dialects import DIALECTS
from copyplugin.venues.simulated import SimulatedVenue
from copyplugin.venues.table import MEANINGS, venue_lines


def run(*arguments):
    return CliRunner().invoke(main, ["venues", *arguments])


def test_every_capability_has_a_row():
    assert set(MEANINGS) == {field.name for field in fields(VenueCapabilities)}


def test_every_venue_is_in_the_table_with_how_it_is_proven():
    told = json.loads(run("--json").output)

    assert [row["venue"] for row in told] == [SimulatedVenue.name, *sorted(DIALECTS)]
    assert all(row["proven"] for row in told)
    assert {row["venue"] for row in told if "on the wire" in row["proven"]} >= {"bybit", "binance"}


def test_the_figures_are_those_of_the_adapters():
    for line, row in zip(venue_lines(), json.loads(run("--json").output), strict=True):
        for name in MEANINGS:
            assert row[name] == getattr(line.capabilities, name)


def test_people_read_a_column_for_each_venue():
    answer = run()

    assert answer.exit_code == 0
    first = answer.output.splitlines()[0].split()
    assert first == [line.name for line in venue_lines()]
    assert "own accounts" in answer.output
