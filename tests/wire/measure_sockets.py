"""Thousands of private sockets at once: memory, processor time, and whether each is told.

`python -m tests.wire.measure_sockets [bybit|binance] [--sockets N]` starts a server of its own,
opens one private socket for each of N accounts, places one order for each, waits until every
socket has heard of its own order, and prints JSON.
"""

import argparse
import asyncio
import hashlib
import hmac
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import aiohttp
import requests

from simexchange.clock import SystemClock
from tests.wire.process import OPERATOR_KEY, Served

PARALLEL = 64
PATIENCE_S = 120
SYMBOL = "BTCUSDT"
PRICE, QUANTITY = "40000", "0.001"


def now_ms() -> int:
    return SystemClock().now() // 1_000


class Follower:
    """One account with its key and its socket."""

    def __init__(self, number: int, key: str, secret: str) -> None:
        self.number = number
        self.key = key
        self.secret = secret
        self.socket: aiohttp.ClientWebSocketResponse | None = None
        self.told_s: float | None = None

    def sign(self, text: str) -> str:
        return hmac.new(self.secret.encode(), text.encode(), hashlib.sha256).hexdigest()


def followers(served: Served, count: int) -> list[Follower]:
    """Open accounts with money and a key each."""
    session = requests.Session()
    session.headers["X-Operator-Key"] = OPERATOR_KEY
    base = f"{served.url}/operator/v1/"
    made: list[Follower] = []
    for _ in range(count):
        account = session.post(base + "accounts", json={"contract": "100"}, timeout=30).json()
        key = session.post(base + "keys", json={"account": account["account"]}, timeout=30).json()
        made.append(Follower(account["account"], key["key"], key["secret"]))
    return made


async def open_bybit(session: aiohttp.ClientSession, url: str, one: Follower) -> None:
    one.socket = await session.ws_connect(f"{url}/v5/private", compress=0)
    expires = now_ms() + 60_000
    signature = one.sign(f"GET/realtime{expires}")
    await one.socket.send_json({"op": "auth", "args": [one.key, expires, signature]})
    assert (await one.socket.receive_json())["success"] is True
    await one.socket.send_json({"op": "subscribe", "args": ["order", "execution", "wallet"]})
    assert (await one.socket.receive_json())["success"] is True


async def open_binance(session: aiohttp.ClientSession, url: str, one: Follower) -> None:
    address = url.replace("ws", "http", 1) + "/fapi/v1/listenKey"
    async with session.post(address, headers={"X-MBX-APIKEY": one.key}) as answer:
        word = (await answer.json())["listenKey"]
    one.socket = await session.ws_connect(f"{url}/ws/{word}", compress=0)


async def order_bybit(session: aiohttp.ClientSession, url: str, one: Follower) -> None:
    body = json.dumps(
        {
            "category": "linear",
            "symbol": SYMBOL,
            "side": "Buy",
            "orderType": "Limit",
            "qty": QUANTITY,
            "price": PRICE,
            "orderLinkId": f"mine-{one.number}",
        }
    )
    stamp = str(now_ms())
    headers = {
        "X-BAPI-API-KEY": one.key,
        "X-BAPI-TIMESTAMP": stamp,
        "X-BAPI-RECV-WINDOW": "20000",
        "X-BAPI-SIGN": one.sign(f"{stamp}{one.key}20000{body}"),
        "Content-Type": "application/json",
    }
    async with session.post(f"{url}/v5/order/create", data=body, headers=headers) as answer:
        assert (await answer.json())["retCode"] == 0


async def order_binance(session: aiohttp.ClientSession, url: str, one: Follower) -> None:
    text = (
        f"symbol={SYMBOL}&side=BUY&type=LIMIT&timeInForce=GTC&quantity={QUANTITY}&price={PRICE}"
        f"&newClientOrderId=mine-{one.number}&recvWindow=20000&timestamp={now_ms()}"
    )
    address = f"{url}/fapi/v1/order?{text}&signature={one.sign(text)}"
    async with session.post(address, headers={"X-MBX-APIKEY": one.key}) as answer:
        assert answer.status == 200, await answer.text()


WAYS = {"bybit": (open_bybit, order_bybit), "binance": (open_binance, order_binance)}


async def hear_own(one: Follower) -> None:
    """Wait until the socket tells of the follower's own order, and of nobody else's."""
    assert one.socket is not None
    async for message in one.socket:
        if "mine-" in message.data:
            assert f'"mine-{one.number}"' in message.data
            one.told_s = time.monotonic()
            return


async def each(work: Any, those: list[Follower], *arguments: Any) -> None:
    gate = asyncio.Semaphore(PARALLEL)

    async def one_by_one(one: Follower) -> None:
        async with gate:
            await work(*arguments, one)

    await asyncio.gather(*(one_by_one(one) for one in those))


def resident_kib(process: int | str) -> int:
    text = Path(f"/proc/{process}/status").read_text(encoding="ascii")
    return int(next(line for line in text.splitlines() if line.startswith("VmRSS")).split()[1])


def cpu_s(process: int | str) -> float:
    fields = Path(f"/proc/{process}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


async def measure(served: Served, dialect: str, count: int) -> dict[str, Any]:
    those = await asyncio.to_thread(followers, served, count)
    opening, ordering = WAYS[dialect]
    server = served.process.pid
    before = resident_kib(server), resident_kib("self"), cpu_s(server), cpu_s("self")
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector) as session:
        started = time.monotonic()
        await each(opening, those, session, served.url.replace("http", "ws", 1))
        opened = time.monotonic()
        memory = resident_kib(server) - before[0], resident_kib("self") - before[1]
        cpu = cpu_s(server) - before[2], cpu_s("self") - before[3]
        hearing = [asyncio.create_task(hear_own(one)) for one in those]
        begun = cpu_s(server)
        async with asyncio.timeout(PATIENCE_S):
            await each(ordering, those, session, served.url)
            sent = time.monotonic()
            await asyncio.gather(*hearing)
        order_cpu = cpu_s(server) - begun
        told = sorted(one.told_s - opened for one in those if one.told_s is not None)
    return {
        "dialect": dialect,
        "sockets": count,
        "told_of_their_own_order": len(told),
        "opened_in_s": round(opened - started, 2),
        "server_kib_each": round(memory[0] / count, 1),
        "client_kib_each": round(memory[1] / count, 1),
        "server_cpu_us_to_open_each": round(cpu[0] / count * 1e6),
        "client_cpu_us_to_open_each": round(cpu[1] / count * 1e6),
        "orders_sent_in_s": round(sent - opened, 2),
        "last_told_after_s": round(told[-1], 2) if told else None,
        "server_cpu_us_per_order_and_message": round(order_cpu / count * 1e6),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("dialects", nargs="*", default=sorted(WAYS))
    parser.add_argument("--sockets", type=int, default=4_000)
    asked = parser.parse_args()
    if len(asked.dialects) > 1:  # memory is compared with that of a fresh process
        for dialect in asked.dialects:
            again = [sys.executable, "-m", "tests.wire.measure_sockets", dialect]
            subprocess.run([*again, "--sockets", str(asked.sockets)], check=True)
        return
    with Served("--market", "still") as served:
        served.operate("POST", "prices", {"symbol": SYMBOL, "index": "50000", "mark": "50000"})
        result = asyncio.run(measure(served, asked.dialects[0], asked.sockets))
    sys.stdout.write(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
