"""Orders past ccxt's machinery end as those that ccxt sends: same answers, same errors."""

from datetime import timedelta

import pytest

from copyplugin.errors import (
    CopyPluginError,
    OrderRejected,
    OutcomeUnknown,
    VenueUnavailable,
)
from copyplugin.venues.ccxt.keys import KeysInMemory
from copyplugin.venues.ccxt.venue import CcxtVenue
from simexchange.core import commands
from simexchange.core.types import PositionMode
from simexchange.server.wire_faults import WireFault, WirePlan, WireRule
from tests.wire.ccxt_venue.stage import Stage, config_for
from tests.wire.rig import Rig

PATHS = {"bybit": ("/v5/order/create",), "binance": ("/fapi/v1/order",)}
FAULTS = {
    WireFault.LOST_REQUEST: OutcomeUnknown,
    WireFault.LOST_ANSWER: OutcomeUnknown,
    WireFault.SERVER_ERROR: OutcomeUnknown,
    WireFault.MAINTENANCE: OutcomeUnknown,
    WireFault.RATE_LIMIT: VenueUnavailable,
}


@pytest.fixture(params=[True, False], ids=["lean", "ccxt sends"])
async def sender(request, served: Rig, dialect: str):
    made = Stage(served, dialect, is_lean=request.param, timeout=timedelta(milliseconds=500))
    served.apply(commands.SetPositionMode(int(made.owner), PositionMode.HEDGE))
    yield made
    await made.venue.close()


async def failure(stage: Stage, name: str, **terms: object) -> CopyPluginError:
    with pytest.raises(CopyPluginError) as caught:
        await stage.venue.place_order(stage.order(name, **terms))
    return caught.value


def strike(served: Rig, dialect: str, fault: WireFault, **more: int) -> None:
    rule = WireRule(fault=fault, paths=PATHS[dialect], at_most=1, **more)
    served.call(lambda: served.venue.faults.set_plan(WirePlan(rules=(rule,))))


@pytest.mark.parametrize("fault", list(FAULTS))
async def test_a_fault_means_the_same(
    sender: Stage, served: Rig, dialect: str, fault: WireFault
) -> None:
    await sender.venue.instruments()
    strike(served, dialect, fault)
    assert type(await failure(sender, "f-1")) is FAULTS[fault]


async def test_an_answer_that_comes_too_late_leaves_a_doubt(
    sender: Stage, served: Rig, dialect: str
) -> None:
    await sender.venue.instruments()
    late = {"delay_us_min": 900_000, "delay_us_max": 900_000}
    strike(served, dialect, WireFault.LATENCY, **late)
    error = await failure(sender, "late-1")
    assert type(error) is OutcomeUnknown
    assert "RequestTimeout" in str(error)
    assert (await sender.ended(sender.order("late-1"))).filled == 10


@pytest.mark.parametrize(
    ("terms", "reason"),
    [
        ({"closes": True}, "reduce_only_rejected"),
        ({"contracts": 10_000}, "insufficient_margin"),
        ({"limit": "4000"}, "price_outside_band"),
    ],
)
async def test_a_refusal_means_the_same(sender: Stage, terms, reason) -> None:
    error = await failure(sender, "r-1", **terms)
    assert isinstance(error, OrderRejected)
    assert error.reason == reason
    assert "code " in error.sentence


async def test_a_wrong_secret_is_refused(sender: Stage, served: Rig, dialect: str) -> None:
    known = sender.known(sender.owner)
    wrong = KeysInMemory(sender.known(sender.owner))
    object.__setattr__(known.keys, "secret", "wrong")
    wrong.keep(known)
    venue = CcxtVenue(config_for(served, dialect, is_lean=sender.venue.config.is_lean), wrong)
    try:
        client = await venue.client(sender.owner)
        request = sender.order("w-1")
        instrument = (await sender.venue.instruments())[request.symbol]
        with pytest.raises(OrderRejected) as caught:
            await venue.dialect.place_order(client, request, instrument)
        assert caught.value.reason == "keys_refused"
    finally:
        await venue.close()


async def test_a_server_that_is_gone_was_never_reached(sender: Stage, served: Rig) -> None:
    await sender.venue.instruments()
    client = await sender.venue.client(sender.owner)
    urls = client.ccxt.urls
    nowhere = {"api": dict.fromkeys(urls["api"], "http://127.0.0.1:1")}
    client.ccxt.urls = {**urls, **nowhere}
    assert type(await failure(sender, "n-1")) is VenueUnavailable


async def test_an_order_is_traded(sender: Stage) -> None:
    report = await sender.trade(sender.order("t-1"))
    assert report.filled == 10
