"""Orders that are good till a date, on the wire of the second dialect."""

import asyncio

import pytest

from simexchange.core import commands
from simexchange.core.types import SECOND_US
from tests.wire.raw import RawBinance
from tests.wire.rig import SYMBOL, Rig
from tests.wire.test_binance_user_stream import listening, short

HOUR_S = 3_600


def date_ms(rig: Rig, seconds: int) -> int:
    """Return a date so far from the exchange's now, with milliseconds that do not count."""
    return rig.call(rig.venue.now) // SECOND_US * 1_000 + seconds * 1_000 + 345


def pass_time(rig: Rig, seconds: int) -> None:
    rig.call(lambda: rig.clock.advance(seconds * SECOND_US))
    rig.apply(commands.AdvanceTime())


def good_till(client: RawBinance, seconds: int = HOUR_S) -> dict[str, object]:
    terms = {"timeInForce": "GTD", "goodTillDate": date_ms(client.rig, seconds)}
    return client.order(type="LIMIT", price="40000", **terms)


def test_it_rests_till_its_date_and_has_expired_then(raw_binance: RawBinance) -> None:
    made = good_till(raw_binance)
    assert (made["status"], made["timeInForce"]) == ("NEW", "GTD")
    assert made["goodTillDate"] % 1_000 == 0
    assert 0 <= date_ms(raw_binance.rig, HOUR_S) - made["goodTillDate"] < 20_000
    name = {"symbol": SYMBOL, "orderId": made["orderId"]}

    pass_time(raw_binance.rig, HOUR_S - 30)
    [still] = raw_binance.ask("GET", "/fapi/v1/openOrders", symbol=SYMBOL)
    assert (still["timeInForce"], still["goodTillDate"]) == ("GTD", made["goodTillDate"])
    pass_time(raw_binance.rig, 31)

    assert raw_binance.ask("GET", "/fapi/v1/openOrders", symbol=SYMBOL) == []
    ended = raw_binance.ask("GET", "/fapi/v1/order", **name)
    assert (ended["status"], ended["executedQty"]) == ("EXPIRED", "0.000")
    assert ended["updateTime"] == made["goodTillDate"]
    assert raw_binance.ask("GET", "/fapi/v2/account")["totalOpenOrderInitialMargin"] == "0"


def test_a_date_is_at_least_ten_minutes_away(raw_binance: RawBinance) -> None:
    for seconds, fits in ((590, False), (615, True)):
        date = date_ms(raw_binance.rig, seconds)
        terms = {"symbol": SYMBOL, "side": "BUY", "type": "LIMIT", "quantity": "0.01"}
        terms |= {"price": "40000", "timeInForce": "GTD", "goodTillDate": date}
        answer = raw_binance.send("POST", "/fapi/v1/order", **terms)
        assert answer.status_code == (200 if fits else 400)
        if not fits:
            assert answer.json()["code"] == -5040
    assert len(raw_binance.ask("GET", "/fapi/v1/openOrders", symbol=SYMBOL)) == 1


async def test_its_stream_tells_the_date_and_the_end(raw_binance: RawBinance) -> None:
    async with listening(raw_binance) as listener:
        made = await asyncio.to_thread(good_till, raw_binance)
        await asyncio.to_thread(pass_time, raw_binance.rig, HOUR_S + 1)
        messages = await listener.heard()
    assert [short(message) for message in messages] == [
        ("NEW", "NEW", "0", "0", "0"),
        ("EXPIRED", "EXPIRED", "0", "0", "0"),
    ]
    for message in messages:
        assert (message["o"]["f"], message["o"]["gtd"]) == ("GTD", made["goodTillDate"])
    assert messages[-1]["o"]["er"] == "0"


def test_an_amended_order_keeps_its_date(raw_binance: RawBinance) -> None:
    made = good_till(raw_binance)
    change = {"symbol": SYMBOL, "orderId": made["orderId"], "side": "BUY"}
    raw_binance.ask("PUT", "/fapi/v1/order", quantity="0.02", price="41000", **change)
    pass_time(raw_binance.rig, HOUR_S + 1)
    [ended] = raw_binance.ask("GET", "/fapi/v1/allOrders", symbol=SYMBOL)
    assert (ended["status"], ended["origQty"], ended["price"]) == ("EXPIRED", "0.020", "41000.0")


@pytest.mark.parametrize("fires", [False, True])
def test_a_conditional_order_ends_at_its_date_and_so_does_what_it_became(
    raw_binance: RawBinance, *, fires: bool
) -> None:
    rig = raw_binance.rig
    terms = {"symbol": SYMBOL, "side": "BUY", "type": "TAKE_PROFIT", "quantity": "0.01"}
    terms |= {"price": "40000", "triggerPrice": "45000", "algoType": "CONDITIONAL"}
    terms |= {"workingType": "MARK_PRICE", "timeInForce": "GTD"}
    terms |= {"goodTillDate": date_ms(rig, HOUR_S)}
    made = raw_binance.ask("POST", "/fapi/v1/algoOrder", **terms)
    assert (made["timeInForce"], made["goodTillDate"] % 1_000) == ("GTD", 0)
    if fires:
        rig.set_price(SYMBOL, "44999")
        [resting] = raw_binance.ask("GET", "/fapi/v1/openOrders", symbol=SYMBOL)
        assert (resting["timeInForce"], resting["goodTillDate"]) == ("GTD", made["goodTillDate"])
    pass_time(rig, HOUR_S + 1)
    asked = raw_binance.ask("GET", "/fapi/v1/algoOrder", algoId=made["algoId"])
    assert raw_binance.ask("GET", "/fapi/v1/openAlgoOrders") == []
    assert raw_binance.ask("GET", "/fapi/v1/openOrders", symbol=SYMBOL) == []
    assert asked["algoStatus"] == ("FINISHED" if fires else "EXPIRED")
