"""The ccxt adapter over HTTP and WebSocket keeps what any venue must keep, with faults on."""

import pytest

from copyplugin.venues.conformance.suite import VenueConformance
from tests.venues.served_bench import ServedBench


@pytest.mark.slow
class TestBybitOverHttp(VenueConformance):
    @pytest.fixture
    async def bench(self):
        async with ServedBench("bybit") as bench:
            yield bench


@pytest.mark.slow
class TestBinanceOverHttp(VenueConformance):
    @pytest.fixture
    async def bench(self):
        async with ServedBench("binance") as bench:
            yield bench
