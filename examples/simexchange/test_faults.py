"""Things go wrong on purpose, the same way at every run."""

import pytest

BTC = {"tick": "0.1", "face": "0.001", "mark": "65000"}


@pytest.mark.simexchange(instruments={"BTCUSDT": BTC}, seed=7)
def test_a_client_gets_only_a_part_and_tries_again(exchange):
    exchange.quote("BTCUSDT", around="65000", contracts=10, levels=3)
    alice = exchange.account("alice", deposit="10000")
    exchange.use_faults("- partial_fills: {at_most: 1}")

    first = alice.buy("BTCUSDT", contracts=20)
    rest = alice.buy("BTCUSDT", contracts=20 - first.filled)

    assert 0 < first.filled < 20
    assert first.filled + rest.filled == 20
    alice.assert_position("BTCUSDT", contracts=20)


@pytest.mark.simexchange(instruments={"BTCUSDT": BTC}, seed=7)
def test_a_price_that_comes_late_is_not_seen_before_its_time(exchange):
    exchange.use_faults("- late_marks: {delay: 5s}")

    exchange.mark("BTCUSDT", "60000")

    exchange.assert_price("BTCUSDT", mark="65000")
    exchange.advance(seconds=5)
    exchange.assert_price("BTCUSDT", mark="60000")
