"""The venue in this process keeps what any venue must keep, on a good line and on a bad one."""

import pytest

from copyplugin.venues.conformance.suite import VenueConformance
from tests.venues.simulated_bench import SimulatedBench


class TestTheSimulatedVenue(VenueConformance):
    @pytest.fixture
    async def bench(self):
        async with SimulatedBench() as bench:
            yield bench
