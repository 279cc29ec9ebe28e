"""Liquidation, an insurance fund and a winner on the other side, each at an exact price."""

from decimal import Decimal

import pytest

BTC = {"tick": "0.1", "face": "0.001", "maker_fee": "0%", "taker_fee": "0%", "mark": "65000"}


@pytest.mark.simexchange(instruments={"BTCUSDT": BTC}, insurance_fund="1000")
def test_a_short_is_liquidated_at_its_reported_price(exchange):
    bob = exchange.account("bob", deposit="100000")
    alice = exchange.account("alice", deposit="100", leverage=20)
    bob.buy("BTCUSDT", contracts=10, price="65000")
    alice.sell("BTCUSDT", contracts=10)
    price = alice.position("BTCUSDT").liquidation_price

    exchange.mark("BTCUSDT", price - Decimal("0.1"))
    exchange.assert_no_event("LiquidationStarted")

    exchange.mark("BTCUSDT", price)
    exchange.assert_event("LiquidationStarted", account=alice, mark=price, times=1)
    alice.assert_position("BTCUSDT", contracts=0)
    alice.assert_balance(contract="67.5")
