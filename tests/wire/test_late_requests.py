"""Requests that a fault carries out later than their sender can know, in both dialects."""

import asyncio
import threading

import pytest
import requests

from simexchange.server.wire_faults import WireFault, WireRule
from tests.wire.raw import Raw, RawBinance
from tests.wire.rig import SYMBOL, Rig
from tests.wire.test_binance_socket_api import ORDER, talking
from tests.wire.test_fault_plans import plan, trading

LATE_US = 250_000


def late(rig: Rig, delay_us: int = LATE_US) -> None:
    rule = WireRule(
        fault=WireFault.LATE_REQUEST, at_most=1, delay_us_min=delay_us, delay_us_max=delay_us
    )
    plan(rig, rule)


def held(rig: Rig, account: int) -> int:
    positions = rig.call(lambda: rig.exchange.positions(account))
    return sum(position.contracts for position in positions)


def comes(rig: Rig, account: int) -> bool:
    """Say whether the account comes to hold something, having waited well beyond the delay."""
    come = threading.Event()

    def look(_: object = None) -> None:
        if rig.exchange.positions(account):
            come.set()

    def begin() -> None:
        rig.simulation.subscribe(look)
        look()

    rig.call(begin)
    return come.wait(5 * LATE_US / 1_000_000)


@pytest.mark.parametrize("dialect", ["bybit", "binance"])
def test_it_is_done_after_the_connection_has_ended(rig: Rig, dialect: str) -> None:
    key = rig.key(rig.open())
    client = Raw(rig, key) if dialect == "bybit" else RawBinance(rig, key)
    late(rig)
    with pytest.raises(requests.ConnectionError):
        client.order()
    assert held(rig, key.account) == 0
    assert comes(rig, key.account)
    assert held(rig, key.account) == 10


@pytest.mark.parametrize("dialect", ["bybit", "binance"])
def test_it_is_never_done_once_its_receive_window_has_passed(rig: Rig, dialect: str) -> None:
    key = rig.key(rig.open())
    body = {"category": "linear", "symbol": SYMBOL, "side": "Buy"}
    body |= {"orderType": "Market", "qty": "0.01"}
    sends = {
        "bybit": lambda: Raw(rig, key).post("/v5/order/create", body, {"window": "100"}),
        "binance": lambda: RawBinance(rig, key).order(recvWindow=100),
    }
    late(rig)
    with pytest.raises(requests.ConnectionError):
        sends[dialect]()
    assert not comes(rig, key.account)


async def test_over_sockets_too(rig: Rig) -> None:
    key = await asyncio.to_thread(lambda: rig.key(rig.open()))
    async with trading(rig, key) as socket:
        await asyncio.to_thread(late, rig)
        order = {"category": "linear", "symbol": SYMBOL, "side": "Buy"}
        order |= {"orderType": "Market", "qty": "0.01"}
        stamp = str(rig.edge.now() // 1_000)
        request = {"op": "order.create", "header": {"X-BAPI-TIMESTAMP": stamp}, "args": [order]}
        await socket.send_json(request)
        await socket.receive(timeout=5)
        assert socket.closed
    assert await asyncio.to_thread(comes, rig, key.account)
    other = await asyncio.to_thread(lambda: RawBinance(rig, rig.key(rig.open())))
    async with talking(other) as talker:
        await asyncio.to_thread(late, rig)
        with pytest.raises((TypeError, ConnectionError)):
            await talker.signed("order.place", **ORDER)
    assert await asyncio.to_thread(comes, rig, other.key.account)
