"""How the second dialect counts requests and orders, and what it does with too many."""

from collections.abc import Iterator

import pytest

from simexchange.clock import ManualClock
from simexchange.server.limits import Bans, Quota, Windows
from tests.wire.raw import RawBinance
from tests.wire.rig import SYMBOL, Rig

START_US = 1_800_000_000_000_000
WEIGHT, TEN_SECONDS, MINUTE = (
    "X-MBX-USED-WEIGHT-1M",
    "X-MBX-ORDER-COUNT-10S",
    "X-MBX-ORDER-COUNT-1M",
)


@pytest.fixture
def limited() -> Iterator[RawBinance]:
    """Give a client of an exchange whose minute does not end while the test counts."""
    with Rig(are_limits_on=True, edge=ManualClock(START_US)) as rig:
        yield RawBinance(rig, rig.key(rig.open(contract=1_000_000)))


def used(client: RawBinance, path: str, **values: object) -> int:
    """Return what a request takes of the weight, when a minute begins with it."""
    client.rig.call(client.rig.venue.limits.forget)
    return int(client.public(path, **values).headers[WEIGHT])


@pytest.mark.parametrize(
    ("path", "values", "weight"),
    [
        ("/fapi/v1/ping", {}, 1),
        ("/fapi/v1/depth", {"symbol": SYMBOL, "limit": 5}, 2),
        ("/fapi/v1/depth", {"symbol": SYMBOL, "limit": 100}, 5),
        ("/fapi/v1/depth", {"symbol": SYMBOL}, 10),
        ("/fapi/v1/depth", {"symbol": SYMBOL, "limit": 1000}, 20),
        ("/fapi/v1/klines", {"symbol": SYMBOL, "interval": "1m", "limit": 99}, 1),
        ("/fapi/v1/klines", {"symbol": SYMBOL, "interval": "1m", "limit": 1500}, 10),
        ("/fapi/v1/ticker/24hr", {"symbol": SYMBOL}, 1),
        ("/fapi/v1/ticker/24hr", {}, 40),
        ("/fapi/v1/ticker/bookTicker", {}, 5),
        ("/fapi/v1/premiumIndex", {}, 10),
        ("/fapi/v1/aggTrades", {"symbol": SYMBOL}, 20),
    ],
)
def test_each_question_has_its_weight(
    limited: RawBinance, path: str, values: dict[str, object], weight: int
) -> None:
    assert used(limited, path, **values) == weight


def test_the_weight_of_an_address_runs_out_and_says_when_it_comes_back(limited: RawBinance) -> None:
    statuses = [limited.public("/fapi/v1/ticker/24hr").status_code for _ in range(60)]
    assert statuses == [200] * 60
    refused = limited.public("/fapi/v1/ticker/24hr")
    assert (refused.status_code, refused.json()["code"]) == (429, -1003)
    assert 1 <= int(refused.headers["Retry-After"]) <= 60
    assert refused.headers[WEIGHT] == "2400"


def test_who_does_not_stop_is_banned(limited: RawBinance) -> None:
    limited.rig.call(
        lambda: limited.rig.venue.limits.take(
            "127.0.0.1", WEIGHT, Quota(2_400, 60_000_000), limited.rig.venue.edge_now(), 2_400
        )
    )
    statuses = [limited.public("/fapi/v1/ping").status_code for _ in range(102)]
    assert statuses[:100] == [429] * 100
    assert statuses[100:] == [418, 418]
    banned = limited.public("/fapi/v1/ping")
    assert banned.json()["code"] == -1003
    assert "banned until" in banned.json()["msg"]
    assert 60 < int(banned.headers["Retry-After"]) <= 120


def test_a_second_ban_lasts_twice_as_long() -> None:
    bans = Bans(patience=1, window_us=60, first_us=100)
    for at in (0, 1):
        bans.note_refusal("a", at)
    assert bans.until("a", 1) == 101
    assert bans.until("a", 101) is None
    assert bans.until("b", 1) is None
    for at in (120, 121):
        bans.note_refusal("a", at)
    assert bans.until("a", 121) == 321


def test_orders_of_an_account_are_counted_and_bounded(limited: RawBinance) -> None:
    other = RawBinance(limited.rig, limited.rig.key(limited.rig.open(contract=1_000_000)))
    terms = {"symbol": SYMBOL, "side": "BUY", "type": "MARKET", "quantity": "0.001"}
    sent = [limited.send("POST", "/fapi/v1/order", **terms) for _ in range(305)]
    assert sent[0].headers[TEN_SECONDS] == sent[0].headers[MINUTE] == "1"
    refused = next(answer for answer in sent if answer.status_code != 200)
    assert (refused.status_code, refused.json()["code"]) == (429, -1015)
    assert 1 <= int(refused.headers["Retry-After"]) <= 10
    free = other.send("POST", "/fapi/v1/order", **terms)
    assert (free.status_code, free.headers[TEN_SECONDS]) == (200, "1")
    rows = {
        row["intervalNum"]: row["count"] for row in other.ask("GET", "/fapi/v1/rateLimit/order")
    }
    assert rows == {10: 1, 1: 1}


def test_without_limits_all_is_counted_and_nothing_refused(raw_binance: RawBinance) -> None:
    answers = [raw_binance.public("/fapi/v1/ticker/24hr") for _ in range(70)]
    assert {answer.status_code for answer in answers} == {200}
    assert all(0 < int(answer.headers[WEIGHT]) < 2_400 for answer in answers)


def test_a_window_that_is_off_always_leaves_something() -> None:
    windows = Windows(is_on=False)
    quota = Quota(3, 10)
    left = [windows.take("a", "x", quota, 0).left for _ in range(5)]
    assert left == [2, 1, 1, 1, 1]
    assert windows.take("a", "x", quota, 10).left == 2


def test_the_venues_limits_are_told_with_the_instruments(raw_binance: RawBinance) -> None:
    rows = raw_binance.public("/fapi/v1/exchangeInfo").json()["rateLimits"]
    told = {
        (row["rateLimitType"], row["intervalNum"], row["interval"], row["limit"]) for row in rows
    }
    assert told == {
        ("REQUEST_WEIGHT", 1, "MINUTE", 2400),
        ("ORDERS", 1, "MINUTE", 1200),
        ("ORDERS", 10, "SECOND", 300),
    }
