"""Time is a parameter: moved by the test, or the computer's and frozen by freezegun."""

import pytest
from freezegun import freeze_time

BTC = {"tick": "0.1", "face": "0.001", "mark": "65000"}


@pytest.mark.simexchange(instruments={"BTCUSDT": BTC}, start="2026-03-01 09:59:30")
def test_time_moves_when_the_test_says_so(exchange):
    assert exchange.now == "2026-03-01 09:59:30"

    exchange.advance(seconds=29)
    exchange.advance(until="10:00:00")

    assert exchange.now == "2026-03-01 10:00:00"


@pytest.mark.simexchange(instruments={"BTCUSDT": BTC}, clock="system")
@freeze_time("2026-03-01 10:00:00")
def test_time_is_the_computers_and_stands_still_with_freezegun(exchange):
    alice = exchange.account("alice", deposit="1000")

    exchange.assert_event("AccountOpened", account=alice, at="2026-03-01 10:00:00")


@pytest.mark.simexchange(instruments={"BTCUSDT": BTC}, clock="system")
def test_frozen_time_that_ticks_is_noticed(exchange):
    with freeze_time("2026-03-01 10:00:00") as frozen:
        exchange.account("alice", deposit="1000")
        frozen.tick(30)

        assert exchange.advance() == "2026-03-01 10:00:30"
