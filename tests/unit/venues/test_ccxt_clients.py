"""Where a ccxt exchange is pointed, and what clones share."""

import asyncio
from datetime import timedelta

import ccxt.pro
import pytest
from hypothesis import given
from hypothesis import strategies as st

from copyplugin.errors import ConfigurationError, VenueUnavailable
from copyplugin.venues.ccxt.clients import Client, Clients, redirect
from copyplugin.venues.ccxt.config import ApiKeys, VenueConfig
from copyplugin.venues.ccxt.dialects import DIALECTS, dialect_of
from copyplugin.venues.ccxt.doubt import CLOCKS_APART_SECONDS


def addresses(urls: object) -> list[str]:
    if isinstance(urls, dict):
        return [text for value in urls.values() for text in addresses(value)]
    return [urls] if isinstance(urls, str) else []


@pytest.mark.parametrize("dialect", sorted(DIALECTS))
@pytest.mark.parametrize(
    ("address", "starts"),
    [
        ("http://127.0.0.1:8000", ("http://127.0.0.1:8000/", "ws://127.0.0.1:8000/")),
        ("https://host.test/", ("https://host.test/", "wss://host.test/")),
    ],
)
def test_every_address_is_turned_those_of_testnets_too(dialect, address, starts) -> None:
    exchange = getattr(ccxt.pro, dialect_of(VenueConfig(dialect=dialect)).ccxt_id)()
    redirect(exchange, address)
    found = [
        text
        for section in ("api", "test", "demo")
        for text in addresses(exchange.urls.get(section, {}))
        if "://" in text
    ]
    assert found
    assert all((text + "/").startswith(starts) for text in found)


ORDERS = {
    "binance": ("order", ["fapiPrivate"]),
    "bitget": ("v2/mix/order/place-order", ["private", "mix"]),
    "bybit": ("v5/order/create", ["private"]),
    "okx": ("trade/order", ["private"]),
}
"""Where ccxt sends an order: the path, and the section of its addresses."""


@pytest.mark.parametrize("dialect", sorted(DIALECTS))
async def test_a_testnet_is_another_place_and_takes_requests(dialect) -> None:
    made = dialect_of(VenueConfig(dialect=dialect, testnet=True))
    real, trial = (getattr(ccxt.pro, made.ccxt_id)() for _ in range(2))
    made.use_testnet(trial)
    trial.apiKey = trial.secret = trial.password = "k"
    path, api = ORDERS[dialect]
    order = {"symbol": "BTCUSDT", "clOrdId": "a", "newClientOrderId": "a"}
    signed = trial.sign(path, api, "POST", order)
    assert "BTCUSDT" in signed["body"]
    is_elsewhere = not signed["url"].startswith(addresses(real.urls["api"])[0])
    says_so = any(name in signed["headers"] for name in ("x-simulated-trading", "PAPTRADING"))
    assert is_elsewhere or says_so or "x-simulated-trading" in trial.headers
    await real.close()
    await trial.close()


async def test_clones_share_everything_but_keys_and_state() -> None:
    config = VenueConfig(dialect="bybit", address="http://127.0.0.1:1")
    clients = Clients(dialect_of(config), config)
    clients._open()
    try:
        template = clients._template
        template.markets = {"BTC/USDT:USDT": {}}
        one, other = (clients._clone(template, ApiKeys(name, name)) for name in "ab")
        assert (one.apiKey, other.apiKey) == ("a", "b")
        assert one.session is other.session is template.session
        assert one.ssl_context is template.ssl_context
        assert one.markets is template.markets
        assert one.options is not other.options
        assert one.clients is not other.clients
        signed = [each.sign("v5/order/create", ["private"], "POST", {}) for each in (one, other)]
        assert [s["headers"]["X-BAPI-API-KEY"] for s in signed] == ["a", "b"]
        for each in (one, other):
            each.session = None
    finally:
        await clients.close()


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"timeout": timedelta(seconds=10)}, "less than 10 s"),
        ({"receive_window": timedelta(milliseconds=1)}, "less than 10 s"),
        ({"requests_at_once": 0}, "at least one request"),
        ({"address": "localhost:1"}, "must begin with http"),
        ({"address": "http://x", "testnet": True}, "not both"),
    ],
)
def test_a_setting_that_does_not_fit_gets_a_sentence(given, sentence) -> None:
    with pytest.raises(ConfigurationError, match=sentence):
        VenueConfig(dialect="bybit", **given)


def test_a_venue_that_is_none_of_ours_gets_their_names() -> None:
    with pytest.raises(ConfigurationError, match="binance, bitget, bybit, okx"):
        dialect_of(VenueConfig(dialect="nowhere"))


class FarVenue:
    """A venue whose clock is read after some time, and whose answer takes some time back."""

    def __init__(self, trips: list[tuple[int, int]], ahead_ms: int) -> None:
        self.trips = trips
        self.ahead_ms = ahead_ms  # how far our clock is before the venue's, in truth
        self.now_ms = 1_700_000_000_000
        self.asked = 0

    def milliseconds(self) -> int:
        return self.now_ms

    async def server_time(self, _: Client) -> int:
        there, back = self.trips[self.asked]
        self.asked += 1
        if there < 0:
            raise VenueUnavailable("it did not answer")
        self.now_ms += there
        theirs = self.now_ms - self.ahead_ms
        self.now_ms += back
        return theirs


async def measured(venue: FarVenue) -> int:
    config = VenueConfig(dialect="bybit", address="http://127.0.0.1:1")
    clients = Clients(dialect_of(config), config)
    clients._template, clients.wire = venue, venue
    await clients._set_clock()
    return clients.clock_ahead_ms


TRIP = st.tuples(st.integers(0, 9_000), st.integers(0, 9_000))


@given(trips=st.lists(TRIP, min_size=3, max_size=3), ahead_ms=st.integers(-90_000, 90_000))
def test_no_request_is_dated_further_into_the_venues_future_than_doubt_allows(trips, ahead_ms):
    venue = FarVenue(trips, ahead_ms)
    found = asyncio.run(measured(venue))
    assert ahead_ms - found <= CLOCKS_APART_SECONDS * 1000
    quickest = min(sum(trip) for trip in trips[: venue.asked])
    assert found - ahead_ms <= max(quickest // 2 + 1, quickest - CLOCKS_APART_SECONDS * 1000 + 1)


@pytest.mark.parametrize(
    ("trips", "asked", "found"),
    [
        ([(40, 40)], 1, 0),
        ([(1_800, 0), (30, 30)], 2, 0),  # the first one opened the connection
        ([(1_800, 0), (1_600, 0), (1_400, 0)], 3, -500),  # 700 off, half of the quickest
        ([(0, 1_400), (0, 1_600), (0, 1_800)], 3, 900),
        ([(1_800, 0), (-1, 0)], 2, -500),  # what was measured is better than nothing
    ],
)
async def test_a_slow_answer_is_asked_for_again_and_the_quickest_counts(trips, asked, found):
    venue = FarVenue(trips, 0)
    assert await measured(venue) == found
    assert venue.asked == asked


async def test_a_venue_that_never_tells_the_time_is_unavailable():
    with pytest.raises(VenueUnavailable):
        await measured(FarVenue([(-1, 0)], 0))
