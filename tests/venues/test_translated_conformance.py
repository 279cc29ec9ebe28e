"""Dialects without a served exchange, before fakes of their venues, keep what any venue must."""

import pytest

from copyplugin.venues.conformance.suite import VenueConformance
from tests.venues.translated.bench import TranslatedBench


@pytest.mark.slow
class TestBitgetTranslated(VenueConformance):
    @pytest.fixture
    async def bench(self):
        async with TranslatedBench("bitget") as bench:
            yield bench


@pytest.mark.slow
class TestOkxTranslated(VenueConformance):
    @pytest.fixture
    async def bench(self):
        async with TranslatedBench("okx") as bench:
            yield bench
