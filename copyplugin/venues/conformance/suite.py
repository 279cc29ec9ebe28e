"""The whole suite: what any `Venue` must keep.

    class TestMyVenue(VenueConformance):
        @pytest_asyncio.fixture
        async def bench(self):
            async with my_bench() as bench:
                yield bench

Tests of what a venue says that it cannot do are skipped with a sentence; so are tests of faults
that the bench cannot inject.
"""

import pytest

from copyplugin.venues.conformance.accounts import AccountConformance, TransferConformance
from copyplugin.venues.conformance.bench import VenueBench
from copyplugin.venues.conformance.faults import DoubtConformance, StormConformance
from copyplugin.venues.conformance.fills import FillConformance, FundingConformance
from copyplugin.venues.conformance.latency import ClockConformance, LatencyConformance
from copyplugin.venues.conformance.orders import OrderConformance, RefusalConformance
from copyplugin.venues.conformance.partial_fills import PartialFillConformance
from copyplugin.venues.conformance.plans import PlanConformance
from copyplugin.venues.conformance.steps import Trial
from copyplugin.venues.conformance.streams import StreamConformance


@pytest.mark.asyncio
class VenueConformance(
    AccountConformance,
    TransferConformance,
    OrderConformance,
    RefusalConformance,
    FillConformance,
    StreamConformance,
    FundingConformance,
    PlanConformance,
    PartialFillConformance,
    DoubtConformance,
    LatencyConformance,
    ClockConformance,
    StormConformance,
):
    """Needs a fixture `bench` that gives an open `VenueBench` and closes it afterwards."""

    @pytest.fixture
    def trial(self, bench: VenueBench) -> Trial:
        return Trial(bench)
