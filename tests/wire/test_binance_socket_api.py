"""Requests over a WebSocket in the second dialect, written by hand."""

import asyncio
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest

from simexchange.server.wire_faults import WireFault, WirePlan, WireRule
from tests.wire.raw import RawBinance
from tests.wire.rig import SYMBOL

ORDER = {"symbol": SYMBOL, "side": "BUY", "type": "MARKET", "quantity": "0.01"}


class Talker:
    """One socket of requests."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, client: RawBinance) -> None:
        self.socket = socket
        self.client = client
        self.number = 0

    async def ask(self, method: str, **params: object) -> dict[str, Any]:
        self.number += 1
        await self.socket.send_json({"id": self.number, "method": method, "params": params})
        answer = json.loads((await self.socket.receive(timeout=5)).data)
        assert answer["id"] == self.number
        return answer

    async def signed(self, method: str, **params: object) -> dict[str, Any]:
        key = self.client.key
        values = {"apiKey": key.key, "timestamp": self.client.rig.edge.now() // 1_000, **params}
        text = "&".join(f"{name}={values[name]}" for name in sorted(values))
        values["signature"] = hmac.new(
            key.secret.encode(), text.encode(), hashlib.sha256
        ).hexdigest()
        return await self.ask(method, **values)


@asynccontextmanager
async def talking(client: RawBinance, query: str = "") -> AsyncIterator[Talker]:
    address = client.rig.url.replace("http", "ws") + "/ws-fapi/v1" + query
    async with aiohttp.ClientSession() as session, session.ws_connect(address) as socket:
        yield Talker(socket, client)


async def test_an_order_is_placed_asked_for_and_told_with_its_limits(
    raw_binance: RawBinance,
) -> None:
    async with talking(raw_binance) as talker:
        placed = await talker.signed("order.place", **ORDER, newOrderRespType="RESULT")
        assert placed["status"] == 200
        assert placed["result"]["status"] == "FILLED"
        assert [row["rateLimitType"] for row in placed["rateLimits"]] == [
            "REQUEST_WEIGHT",
            "ORDERS",
            "ORDERS",
        ]
        number = placed["result"]["orderId"]
        asked = await talker.signed(
            "order.status", symbol=SYMBOL, orderId=number, returnRateLimits="false"
        )
        assert asked["result"]["avgPrice"] == "50001"
        assert "rateLimits" not in asked
        position = await talker.signed("v2/account.position", symbol=SYMBOL)
        assert position["result"][0]["positionAmt"] == "0.010"
        balance = await talker.signed("v2/account.balance")
        assert balance["result"][0]["balance"] == "9999.7249945"


async def test_public_questions_need_no_key(raw_binance: RawBinance) -> None:
    async with talking(raw_binance) as talker:
        assert (await talker.ask("ping"))["result"] == {}
        assert (await talker.ask("time"))["result"]["serverTime"] > 0
        depth = await talker.ask("depth", symbol=SYMBOL, limit=5)
        assert depth["result"]["bids"] == [["49999.0", "20.000"]]
        price = await talker.ask("ticker.price", symbol=SYMBOL)
        assert price["result"]["price"] == "50000.0"
        book = await talker.ask("ticker.book", symbol=SYMBOL)
        assert book["result"]["askPrice"] == "50001.0"


async def test_mistakes_get_status_and_code(raw_binance: RawBinance) -> None:
    async with talking(raw_binance) as talker:
        unknown = await talker.ask("order.dance")
        assert (unknown["status"], unknown["error"]["code"]) == (400, -1101)
        keyless = await talker.ask("order.place", **ORDER)
        assert (keyless["status"], keyless["error"]["code"]) == (401, -2014)
        key = raw_binance.key.key
        now = raw_binance.rig.edge.now() // 1_000
        forged = await talker.ask("order.place", **ORDER, apiKey=key, timestamp=now, signature="00")
        assert (forged["status"], forged["error"]["code"]) == (400, -1022)
        wrong = await talker.signed("order.place", **{**ORDER, "side": "HOLD"})
        assert (wrong["status"], wrong["error"]["code"]) == (400, -1117)
        await talker.socket.send_str("no request")
        answer = json.loads((await talker.socket.receive(timeout=5)).data)
        assert (answer["id"], answer["error"]["code"]) == (None, -1135)


async def test_user_streams_are_opened_and_closed_here_too(raw_binance: RawBinance) -> None:
    async with talking(raw_binance) as talker:
        key = raw_binance.key.key
        opened = await talker.ask("userDataStream.start", apiKey=key)
        word = opened["result"]["listenKey"]
        kept = await talker.ask("userDataStream.ping", apiKey=key)
        assert kept["result"]["listenKey"] == word
        assert (await talker.ask("userDataStream.stop", apiKey=key))["result"] == {}
        gone = await talker.ask("userDataStream.ping", apiKey=key)
        assert gone["error"]["code"] == -1125


async def test_sessions_are_for_other_kinds_of_keys(raw_binance: RawBinance) -> None:
    async with talking(raw_binance) as talker:
        refused = await talker.signed("session.logon")
        assert refused["error"]["code"] == -4056
        assert (await talker.ask("session.status"))["result"]["apiKey"] is None


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        (WireFault.MAINTENANCE, 503),
        (WireFault.SERVER_ERROR, 502),
        (WireFault.RATE_LIMIT, 429),
        (WireFault.LATENCY, 200),
    ],
)
async def test_faults_strike_requests_on_sockets(
    raw_binance: RawBinance, fault: WireFault, status: int
) -> None:
    rig = raw_binance.rig
    rule = WireRule(
        fault=fault, paths=("/fapi/v1/order",), delay_us_min=50_000, delay_us_max=50_000
    )
    rig.call(lambda: rig.venue.faults.set_plan(WirePlan(rules=(rule,))))
    async with talking(raw_binance) as talker:
        started = asyncio.get_running_loop().time()
        answer = await talker.signed("order.place", **ORDER)
        assert answer["status"] == status
        held = rig.exchange.positions(raw_binance.key.account)
        assert bool(held) is (fault is WireFault.LATENCY)
        if fault is WireFault.LATENCY:
            assert asyncio.get_running_loop().time() - started >= 0.05


@pytest.mark.parametrize("fault", [WireFault.LOST_REQUEST, WireFault.LOST_ANSWER])
async def test_a_lost_request_does_nothing_and_a_lost_answer_has_done_it(
    raw_binance: RawBinance, fault: WireFault
) -> None:
    rig = raw_binance.rig
    rule = WireRule(fault=fault, paths=("/fapi/v1/order",))
    rig.call(lambda: rig.venue.faults.set_plan(WirePlan(rules=(rule,))))
    async with talking(raw_binance) as talker:
        with pytest.raises((TypeError, ConnectionError)):
            await talker.signed("order.place", **ORDER)
        assert talker.socket.closed
    held = rig.exchange.positions(raw_binance.key.account)
    assert bool(held) is (fault is WireFault.LOST_ANSWER)
