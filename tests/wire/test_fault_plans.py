"""Every fault of the wire in both dialects, over requests and streams; the same seed, the same."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
import requests

from simexchange.core import commands
from simexchange.core.types import RATE_SCALE, OrderKind, Side
from simexchange.server.keys import ApiKey
from simexchange.server.wire_faults import REQUEST_FAULTS, WireFault, WirePlan, WireRule
from tests.wire.raw import Raw, RawBinance, signed
from tests.wire.rig import SYMBOL, Rig

PATHS = {"bybit": "/v5/market/time", "binance": "/fapi/v1/time"}
TRADES = {
    "bybit": ("/v5/public/linear", {"op": "subscribe", "args": [f"publicTrade.{SYMBOL}"]}),
    "binance": ("/ws", {"method": "SUBSCRIBE", "params": ["btcusdt@aggTrade"], "id": 1}),
}
STREAM_FAULTS = (
    WireFault.STREAM_DROP,
    WireFault.STREAM_DUPLICATE,
    WireFault.STREAM_REORDER,
)
THIRD = RATE_SCALE // 3
ASKED = 30
STEPS = 12
QUIET_S = 0.2
APART_S = 0.03


def plan(rig: Rig, *rules: WireRule, seed: str = "a") -> None:
    rig.call(lambda: rig.venue.faults.set_plan(WirePlan(seed=seed, rules=rules)))


def outcomes(rig: Rig, path: str) -> list[object]:
    """Return what became of some requests: a status and a code, or a lost connection."""
    found: list[object] = []
    for _ in range(ASKED):
        try:
            answer = requests.get(f"{rig.url}{path}", timeout=10)
        except requests.ConnectionError:
            found.append("lost")
            continue
        is_json = answer.headers["Content-Type"].startswith("application/json")
        body = answer.json() if is_json else {}
        found.append((answer.status_code, body.get("retCode", body.get("code"))))
    return found


@pytest.mark.parametrize("dialect", ["bybit", "binance"])
@pytest.mark.parametrize("fault", REQUEST_FAULTS)
def test_a_seed_gives_the_same_faults_of_requests(rig: Rig, dialect: str, fault: WireFault) -> None:
    rule = WireRule(fault=fault, chance=THIRD, delay_us_max=1 if "late" in fault else 0)
    runs = []
    for seed in ("a", "a", "b"):
        plan(rig, rule, seed=seed)
        runs.append(outcomes(rig, PATHS[dialect]))
    assert runs[0] == runs[1] != runs[2]
    assert 0 < rig.venue.faults.struck[0] < ASKED
    assert len(set(runs[0])) == 2


async def heard(rig: Rig, dialect: str, taker: int) -> list[int]:
    """Return the contracts of each trade that is told while one more is traded each time."""
    path, request = TRADES[dialect]
    found: list[int] = []
    address = rig.url.replace("http", "ws") + path
    async with aiohttp.ClientSession() as session, session.ws_connect(address) as socket:
        await socket.send_json(request)
        await socket.receive(timeout=5)
        await asyncio.sleep(QUIET_S)
        for step in range(STEPS):
            await asyncio.to_thread(trade, rig, taker, step + 1)
            await asyncio.sleep(APART_S)  # trades that come together are told together
        while True:
            try:
                message = await socket.receive(timeout=QUIET_S)
            except TimeoutError:
                return found
            found += contracts_told(json.loads(message.data))


def trade(rig: Rig, taker: int, contracts: int) -> None:
    rig.apply(commands.PlaceOrder(taker, SYMBOL, Side.BUY, contracts, OrderKind.MARKET))


def contracts_told(message: dict[str, Any]) -> list[int]:
    rows = message.get("data", [message])
    return [round(float(row.get("v") or row.get("q") or 0) * 1_000) for row in rows]


@pytest.mark.parametrize("dialect", ["bybit", "binance"])
@pytest.mark.parametrize("fault", STREAM_FAULTS)
async def test_a_seed_gives_the_same_faults_of_streams(
    rig: Rig, dialect: str, fault: WireFault
) -> None:
    taker = await asyncio.to_thread(rig.open, 1_000_000)
    runs: list[list[int]] = []
    for seed in ("a", "a", "b"):
        await asyncio.to_thread(plan, rig, WireRule(fault=fault, chance=THIRD), seed=seed)
        runs.append(await heard(rig, dialect, taker))
        assert 0 < rig.venue.faults.struck[0] < STEPS
    assert runs[0] == runs[1] != runs[2]
    every = list(range(1, STEPS + 1))
    if fault is WireFault.STREAM_DROP:
        assert runs[0] == [number for number in every if number in runs[0]] != every
    elif fault is WireFault.STREAM_DUPLICATE:
        assert sorted(set(runs[0])) == every
        assert runs[0] == sorted(runs[0]) != every
    else:
        assert runs[0] != sorted(runs[0])


@pytest.mark.parametrize("dialect", ["bybit", "binance"])
async def test_a_half_open_socket_says_nothing_more_and_stays(rig: Rig, dialect: str) -> None:
    path, request = TRADES[dialect]
    taker = await asyncio.to_thread(rig.open, 1_000_000)
    address = rig.url.replace("http", "ws") + path
    async with aiohttp.ClientSession() as session, session.ws_connect(address) as socket:
        await socket.send_json(request)
        await socket.receive(timeout=5)
        await asyncio.sleep(QUIET_S)
        await asyncio.to_thread(plan, rig, WireRule(fault=WireFault.STREAM_SILENCE))
        await asyncio.to_thread(trade, rig, taker, 1)
        await asyncio.sleep(QUIET_S)
        await asyncio.to_thread(plan, rig)
        await asyncio.to_thread(trade, rig, taker, 1)
        with pytest.raises(TimeoutError):
            await socket.receive(timeout=QUIET_S)
        assert not socket.closed


def test_a_clock_that_is_wrong_refuses_what_is_signed_by_the_right_one(rig: Rig) -> None:
    account = rig.open()
    bybit, binance = Raw(rig, rig.key(account)), RawBinance(rig, rig.key(account))
    plan(rig, WireRule(fault=WireFault.CLOCK_SKEW, skew_us=60_000_000))
    assert bybit.order()["retCode"] == 10002
    assert binance.refused("GET", "/fapi/v3/account") == (400, -1021)
    server_ms = binance.public("/fapi/v1/time").json()["serverTime"]
    assert server_ms - rig.edge.now() // 1_000 > 59_000
    assert binance.ask("GET", "/fapi/v3/account", timestamp=server_ms)["assets"]
    plan(rig)
    assert bybit.order()["retCode"] == 0


def test_a_lost_answer_has_done_what_was_asked_and_a_lost_request_has_not(rig: Rig) -> None:
    account = rig.open()
    binance = RawBinance(rig, rig.key(account))
    for fault, held in ((WireFault.LOST_REQUEST, 0), (WireFault.LOST_ANSWER, 10)):
        plan(rig, WireRule(fault=fault, accounts=(account,), at_most=1))
        with pytest.raises(requests.ConnectionError):
            binance.order()
        positions = rig.exchange.positions(account)
        assert sum(position.contracts for position in positions) == held
    rig.apply(commands.AdvanceTime())


@asynccontextmanager
async def trading(rig: Rig, key: ApiKey) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    """Open a socket for orders of the first dialect, logged in."""
    address = rig.url.replace("http", "ws") + "/v5/trade"
    async with aiohttp.ClientSession() as session, session.ws_connect(address) as socket:
        expires = rig.edge.now() // 1_000 + 10_000
        signature = signed(key, f"GET/realtime{expires}")
        await socket.send_json({"op": "auth", "args": [key.key, expires, signature]})
        assert (await socket.receive_json())["retCode"] == 0
        yield socket


@pytest.mark.parametrize(
    ("fault", "code", "held"),
    [
        (WireFault.MAINTENANCE, 10016, 0),
        (WireFault.SERVER_ERROR, 10016, 0),
        (WireFault.RATE_LIMIT, 10006, 0),
        (WireFault.LATENCY, 0, 10),
        (WireFault.LOST_REQUEST, None, 0),
        (WireFault.LOST_ANSWER, None, 10),
    ],
)
async def test_orders_over_a_socket_meet_the_faults_of_requests(
    rig: Rig, fault: WireFault, code: int | None, held: int
) -> None:
    account = await asyncio.to_thread(rig.open)
    key = await asyncio.to_thread(rig.key, account)
    async with trading(rig, key) as socket:
        rule = WireRule(fault=fault, paths=("/v5/order/create",), delay_us_max=9_000)
        await asyncio.to_thread(plan, rig, rule)
        order = {"category": "linear", "symbol": SYMBOL, "side": "Buy"}
        order |= {"orderType": "Market", "qty": "0.01"}
        stamp = str(rig.edge.now() // 1_000)
        request = {"op": "order.create", "header": {"X-BAPI-TIMESTAMP": stamp}, "args": [order]}
        await socket.send_json(request)
        message = await socket.receive(timeout=5)
        if code is None:
            assert message.type is not aiohttp.WSMsgType.TEXT
        else:
            assert json.loads(message.data)["retCode"] == code
    positions = rig.exchange.positions(account)
    assert sum(position.contracts for position in positions) == held
