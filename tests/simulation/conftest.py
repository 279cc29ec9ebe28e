"""A market, a plugin on it, and one leader with one follow."""

import pytest

from copyplugin.venues.simulated import SimulatedVenue
from tests.simulation.copy_world import Market, Plugin
from tests.simulation.pair import Pair


@pytest.fixture
def market():
    return Market()


@pytest.fixture
def venue(market):
    """Return the venue of the plugin, which tests replace by one that fails."""
    return SimulatedVenue(market.simulation)


@pytest.fixture
async def plugin(tmp_path, market, venue):
    made = Plugin(tmp_path, market, venue=venue)
    await made.start()
    yield made
    made.close()


@pytest.fixture
async def pair(plugin, market):
    return await Pair(plugin, market).start()
