"""Two hours of a day of outages; the whole day is a command with a seed and a count."""

import pytest

from tests.venues.outage_day import live_through


@pytest.mark.slow
@pytest.mark.parametrize("dialect", ["bybit", "binance"])
async def test_after_outages_of_every_kind_our_books_are_the_venues(dialect):
    report = await live_through(dialect, hours=2, seed=4)

    assert report["faults"] == []
    assert report["orders_in_doubt"] == 0
    assert report["orders_copied"] > 0
    assert len(report["outages"]) > 5
