"""A first test: an exchange, an account, an order, and what became of it."""

from decimal import Decimal


def test_alice_buys_at_the_best_ask(exchange):
    exchange.list("BTCUSDT", tick="0.1", face="0.001", taker_fee="0.05%", mark="65000")
    exchange.quote("BTCUSDT", around="65000", contracts=10, step="1")
    alice = exchange.account("alice", deposit="1000")

    order = alice.buy("BTCUSDT", contracts=3)

    assert order.filled == 3
    assert order.average_price == Decimal(65001)
    alice.assert_position("BTCUSDT", contracts=3, entry_price="65001", leverage=10)
    alice.assert_balance(contract="980.4021985")


def test_an_order_that_is_too_large_is_refused(exchange):
    exchange.list("BTCUSDT", tick="0.1", face="0.001", mark="65000")
    alice = exchange.account("alice", deposit="10", leverage=10)

    alice.buy("BTCUSDT", contracts=100, price="65000", rejected="insufficient_margin")

    alice.assert_balance(available="10")
    exchange.assert_no_event("OrderAccepted")
