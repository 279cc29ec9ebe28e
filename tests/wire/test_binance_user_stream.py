"""The user stream word for word: which messages, in which order, with which numbers."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest

from simexchange.core import commands
from simexchange.server.wire_faults import WireFault, WirePlan, WireRule
from tests.wire.raw import RawBinance
from tests.wire.rig import SYMBOL, Rig

LISTEN_KEY = "/fapi/v1/listenKey"
QUIET_S = 0.15


class Listener:
    """One socket of a user stream."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket

    async def heard(self, quiet_s: float = QUIET_S) -> list[dict[str, Any]]:
        """Return what comes until nothing has come for a while."""
        messages: list[dict[str, Any]] = []
        while True:
            try:
                message = await self.socket.receive(timeout=quiet_s)
            except TimeoutError:
                return messages
            if message.type is not aiohttp.WSMsgType.TEXT:
                return messages
            messages.append(json.loads(message.data))


@asynccontextmanager
async def listening(client: RawBinance, form: str = "/ws/{}") -> AsyncIterator[Listener]:
    word = (await asyncio.to_thread(client.ask, "POST", LISTEN_KEY))["listenKey"]
    address = client.rig.url.replace("http", "ws") + form.format(word)
    async with aiohttp.ClientSession() as session, session.ws_connect(address) as socket:
        yield Listener(socket)


def short(message: dict[str, Any]) -> tuple[object, ...]:
    """Return what matters of a message."""
    if message["e"] == "ORDER_TRADE_UPDATE":
        order = message["o"]
        return (order["x"], order["X"], order["l"], order["z"], order["rp"])
    if message["e"] == "ACCOUNT_UPDATE":
        change = message["a"]
        return (change["m"], change["B"][0]["wb"], [row["pa"] for row in change["P"]])
    return (message["e"],)


@pytest.mark.parametrize("form", ["/ws/{}", "/private/ws?listenKey={}", "/stream?streams={}"])
async def test_a_market_order_is_new_then_booked_then_filled(
    raw_binance: RawBinance, form: str
) -> None:
    async with listening(raw_binance, form) as listener:
        made = await asyncio.to_thread(raw_binance.order)
        messages = await listener.heard()
    if form.startswith("/stream"):
        assert {len(message["stream"]) for message in messages} == {64}
        messages = [message["data"] for message in messages]
    assert [short(message) for message in messages] == [
        ("NEW", "NEW", "0", "0", "0"),
        ("TRADE_LITE",),
        ("ORDER", "9999.7249945", ["0.010"]),
        ("TRADE", "FILLED", "0.010", "0.010", "0"),
    ]
    filled = messages[-1]["o"]
    assert (filled["i"], filled["L"], filled["n"]) == (made["orderId"], "50001.0", "0.2750055")
    assert messages[2]["a"]["P"][0]["iw"] == "50.001"
    lite = dict(messages[1])
    assert (lite.pop("E"), lite.pop("T")) == (messages[-1]["T"], messages[-1]["T"])
    assert lite == {
        "e": "TRADE_LITE",
        "s": SYMBOL,
        "q": "0.010",
        "p": "0",
        "m": False,
        "c": made["clientOrderId"],
        "S": "BUY",
        "L": "50001.0",
        "l": "0.010",
        "t": filled["t"],
        "i": made["orderId"],
    }


async def test_a_resting_order_is_told_from_placing_to_cancelling(raw_binance: RawBinance) -> None:
    async with listening(raw_binance) as listener:
        made = await asyncio.to_thread(raw_binance.limit_order, "40000")
        name = {"symbol": SYMBOL, "orderId": made["orderId"]}
        change = {**name, "side": "BUY", "quantity": "0.02", "price": "41000"}
        await asyncio.to_thread(raw_binance.ask, "PUT", "/fapi/v1/order", **change)
        await asyncio.to_thread(raw_binance.ask, "DELETE", "/fapi/v1/order", **name)
        messages = await listener.heard()
    assert [short(message) for message in messages] == [
        ("NEW", "NEW", "0", "0", "0"),
        ("AMENDMENT", "NEW", "0", "0", "0"),
        ("CANCELED", "CANCELED", "0", "0", "0"),
    ]
    assert [(m["o"]["p"], m["o"]["q"]) for m in messages[1:]] == [("41000.0", "0.020")] * 2


async def test_what_an_order_did_not_fill_expires_after_its_fill(raw_binance: RawBinance) -> None:
    raw_binance.rig.quote(SYMBOL, "49999", "50001", "0.004")
    async with listening(raw_binance) as listener:
        terms = {"type": "LIMIT", "timeInForce": "IOC", "price": "50001"}
        made = await asyncio.to_thread(raw_binance.order, **terms)
        messages = await listener.heard()
    assert (made["status"], made["executedQty"]) == ("EXPIRED", "0.004")
    assert [short(m) for m in messages if m["e"] == "ORDER_TRADE_UPDATE"] == [
        ("NEW", "NEW", "0", "0", "0"),
        ("TRADE", "PARTIALLY_FILLED", "0.004", "0.004", "0"),
        ("EXPIRED", "EXPIRED", "0", "0.004", "0"),
    ]


async def test_a_conditional_order_is_told_beside_the_order_it_becomes(
    raw_binance: RawBinance,
) -> None:
    await asyncio.to_thread(raw_binance.order)
    stop = {"symbol": SYMBOL, "side": "SELL", "type": "STOP_MARKET", "quantity": "0.01"}
    stop |= {"triggerPrice": "48000", "workingType": "MARK_PRICE", "algoType": "CONDITIONAL"}
    async with listening(raw_binance) as listener:
        made = await asyncio.to_thread(raw_binance.ask, "POST", "/fapi/v1/algoOrder", **stop)
        await asyncio.to_thread(raw_binance.rig.set_price, SYMBOL, "47999")
        messages = await listener.heard()
    algo = [m["o"] for m in messages if m["e"] == "ALGO_UPDATE"]
    assert [(row["aid"], row["X"]) for row in algo] == [
        (made["algoId"], "NEW"),
        (made["algoId"], "FINISHED"),
    ]
    orders = [m["o"] for m in messages if m["e"] == "ORDER_TRADE_UPDATE"]
    assert [(row["x"], row["X"]) for row in orders] == [("NEW", "NEW"), ("TRADE", "FILLED")]
    assert algo[-1]["ai"] == str(orders[0]["i"])
    assert orders[-1]["rp"] == "-0.02"


async def test_leverage_margin_money_and_funding_are_told(raw_binance: RawBinance) -> None:
    rig = raw_binance.rig
    await asyncio.to_thread(raw_binance.order)
    moves = {"type": "MAIN_UMFUTURE", "asset": "USDT", "amount": "5"}
    async with listening(raw_binance) as listener:
        leverage = {"symbol": SYMBOL, "leverage": 20}
        await asyncio.to_thread(raw_binance.ask, "POST", "/fapi/v1/leverage", **leverage)
        margin = {"symbol": SYMBOL, "amount": "3", "type": 1}
        await asyncio.to_thread(raw_binance.ask, "POST", "/fapi/v1/positionMargin", **margin)
        await asyncio.to_thread(raw_binance.ask, "POST", "/sapi/v1/asset/transfer", **moves)
        rig.apply(commands.SetFundingRate(SYMBOL, 10_000))
        rig.call(lambda: rig.clock.advance(8 * 3_600 * 1_000_000))
        rig.apply(commands.AdvanceTime())
        messages = await listener.heard()
    assert messages[0]["ac"] == {"s": SYMBOL, "l": 20}
    changes = [m["a"] for m in messages if m["e"] == "ACCOUNT_UPDATE"]
    assert [change["m"] for change in changes] == ["MARGIN_TRANSFER", "DEPOSIT", "FUNDING_FEE"]
    assert [change["B"][0]["bc"] for change in changes] == ["0", "5", "0"]
    assert changes[-1]["B"][0]["wb"] == "10004.6749945"


async def test_a_liquidation_is_told_to_its_account(rig: Rig) -> None:
    client = RawBinance(rig, rig.key(rig.open(contract=100)))
    await asyncio.to_thread(client.order)
    async with listening(client) as listener:
        await asyncio.to_thread(rig.set_price, SYMBOL, "45000")
        messages = await listener.heard()
    orders = [m["o"] for m in messages if m["e"] == "ORDER_TRADE_UPDATE"]
    assert orders[0]["c"].startswith("autoclose-")
    assert orders[-1]["X"] == "FILLED"
    [account] = [m["a"] for m in messages if m["e"] == "ACCOUNT_UPDATE"]
    assert account["P"][0]["pa"] == "0"
    [forced] = client.ask("GET", "/fapi/v1/forceOrders")
    assert (forced["side"], forced["executedQty"]) == ("SELL", "0.010")


# ---------------------------------------------------------------------------- listen keys


async def test_a_listen_key_ends_unless_it_is_kept() -> None:
    with Rig(listen_key_us=2_400_000) as short_lived:
        client = RawBinance(short_lived, short_lived.key(short_lived.open()))
        async with listening(client) as listener:
            first = (await asyncio.to_thread(client.ask, "PUT", LISTEN_KEY))["listenKey"]
            await asyncio.sleep(1.5)
            again = (await asyncio.to_thread(client.ask, "PUT", LISTEN_KEY))["listenKey"]
            assert again == first
            await asyncio.sleep(1.5)
            await asyncio.to_thread(client.order)
            messages = await listener.heard(3)
            ended = messages[-1]
            assert [m["e"] for m in messages[:4]] == [
                "ORDER_TRADE_UPDATE",
                "TRADE_LITE",
                "ACCOUNT_UPDATE",
                "ORDER_TRADE_UPDATE",
            ]
            assert (ended["e"], ended["listenKey"]) == ("listenKeyExpired", first)
            assert await asyncio.to_thread(client.refused, "PUT", LISTEN_KEY) == (400, -1125)
            await asyncio.to_thread(client.order)
            assert await listener.heard() == []
        fresh = (await asyncio.to_thread(client.ask, "POST", LISTEN_KEY))["listenKey"]
        assert fresh != first


async def test_a_closed_listen_key_tells_nothing_more(raw_binance: RawBinance) -> None:
    async with listening(raw_binance) as listener:
        await asyncio.to_thread(raw_binance.ask, "DELETE", LISTEN_KEY)
        await asyncio.to_thread(raw_binance.order)
        assert await listener.heard() == []


# ---------------------------------------------------------------------------- faults


@pytest.mark.parametrize(
    ("fault", "count"),
    [
        (WireFault.STREAM_DROP, 0),
        (WireFault.STREAM_DUPLICATE, 8),
        (WireFault.STREAM_DELAY, 4),
        (WireFault.STREAM_REORDER, 4),
        (WireFault.STREAM_SILENCE, 0),
        (WireFault.STREAM_CLOSE, 0),
    ],
)
async def test_faults_strike_the_user_stream(
    raw_binance: RawBinance, fault: WireFault, count: int
) -> None:
    rig = raw_binance.rig
    async with listening(raw_binance) as listener:
        rule = WireRule(fault=fault, delay_us_min=1_000, delay_us_max=2_000)
        rig.call(lambda: rig.venue.faults.set_plan(WirePlan(rules=(rule,))))
        await asyncio.to_thread(raw_binance.order)
        messages = await listener.heard()
        assert len(messages) == count
        assert listener.socket.closed is (fault is WireFault.STREAM_CLOSE)
