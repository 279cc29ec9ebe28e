"""The served exchange of a test: its clients, its keys, its faults, its failures."""

from collections.abc import Iterator

import ccxt
import pytest
import requests

from simexchange.pytest_plugin.making import make_clock, make_exchange
from simexchange.pytest_plugin.served import ServedExchange
from simexchange.server.wire_faults import WireFault, WireRule

SYMBOL, UNIFIED = "BTCUSDT", "BTC/USDT:USDT"
BTC = {"tick": "0.1", "face": "0.001", "taker_fee": "0.05%", "mark": "65000"}


@pytest.fixture
def served() -> Iterator[ServedExchange]:
    settings = {"instruments": {SYMBOL: BTC}, "seed": 7}
    with ServedExchange(make_exchange(settings, make_clock(settings))) as made:
        made.exchange.quote(SYMBOL, around="65000", contracts=10, step="1")
        yield made


def bybit(served: ServedExchange, account) -> ccxt.bybit:
    client = ccxt.bybit({"options": {"fetchMarkets": {"types": ["linear"]}}})
    served.point(client, account)
    return client


def test_time_prices_and_assertions_are_the_tests_own(served: ServedExchange) -> None:
    alice = served.exchange.account("alice", deposit="1000")
    client = bybit(served, alice)
    client.create_order(UNIFIED, "market", "buy", 0.003)
    served.exchange.mark(SYMBOL, "66000")
    alice.assert_position(SYMBOL, contracts=3, unrealized_pnl="2.997")
    assert client.fetch_positions()[0]["unrealizedPnl"] == 2.997
    assert served.exchange.now == "2026-01-01 00:00:00"
    assert served.exchange.advance(hours=1) == "2026-01-01 01:00:00"
    served.exchange.assert_event("Filled", account=alice, contracts=3, times=1)


def test_accounts_are_handed_to_accounts(served: ServedExchange) -> None:
    alice = served.exchange.account("alice", deposit="10")
    bob = served.exchange.account("bob")
    alice.transfer("4", bob)
    bob.assert_balance(equity="4")
    assert repr(alice) == "<account alice>"


def test_a_wrong_expectation_fails_with_the_whole_picture(served: ServedExchange) -> None:
    alice = served.exchange.account("alice", deposit="10")
    with pytest.raises(AssertionError, match=r"expected 11, found 10(?s:.*)ledger:"):
        alice.assert_balance(equity="11")


def test_a_mistake_of_the_test_is_raised_in_the_test(served: ServedExchange) -> None:
    served.exchange.account("alice", deposit="10")
    with pytest.raises(ValueError, match="open already"):
        served.exchange.account("alice", deposit="10")


def test_keys_do_what_they_are_made_for(served: ServedExchange) -> None:
    alice = served.exchange.account("alice", deposit="1000")
    reader = served.credentials(alice, trade=False)
    client = bybit(served, None)
    client.apiKey, client.secret = reader
    assert client.fetch_balance()["USDT"]["free"] == 1000
    with pytest.raises(ccxt.PermissionDenied):
        client.create_order(UNIFIED, "market", "buy", 0.003)


def test_faults_of_the_wire_repeat_with_the_seed(served: ServedExchange) -> None:
    rule = WireRule(fault=WireFault.SERVER_ERROR, chance=30_000_000)

    def statuses() -> list[int]:
        served.use_wire_faults(rule)
        return [
            requests.get(f"{served.url}/v5/market/time", timeout=5).status_code for _ in range(30)
        ]

    first = statuses()
    assert set(first) == {200, 502}
    assert served.wire_faults_struck == [first.count(502)]
    assert statuses() == first
    served.stop_wire_faults()
    assert requests.get(f"{served.url}/v5/market/time", timeout=5).status_code == 200


def test_the_operator_api_is_open_to_the_test(served: ServedExchange) -> None:
    answer = requests.get(
        f"{served.operator_url}ledger", headers=served.operator_headers, timeout=5
    )
    assert answer.json()["balanced"] is True
    assert served.socket_url.startswith("ws://127.0.0.1:")
