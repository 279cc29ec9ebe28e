"""The exchange of the kill test, spoken to from another process."""

from copyplugin.bench.exchange_process import RemoteExchange
from copyplugin.ports import RemembersInstruments, TellsFunding
from copyplugin.venues.simulated import SimulatedVenue
from tests.simulation.copy_world import Market


def test_it_can_what_the_venue_behind_it_can_and_nothing_else(tmp_path):
    here, there = SimulatedVenue(Market().simulation), RemoteExchange(tmp_path)

    for ability in (RemembersInstruments, TellsFunding):
        assert isinstance(there, ability) == isinstance(here, ability)
