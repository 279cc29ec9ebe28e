"""A market, a plugin on it, and one leader with one follow."""

import pytest

from tests.simulation.copy_world import Market, Plugin
from tests.simulation.pair import Pair


@pytest.fixture
def market():
    return Market()


@pytest.fixture
async def plugin(tmp_path, market):
    made = Plugin(tmp_path, market)
    await made.start()
    yield made
    made.close()


@pytest.fixture
async def pair(plugin, market):
    return await Pair(plugin, market).start()
