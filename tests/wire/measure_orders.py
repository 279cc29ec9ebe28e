"""CPU of the served exchange for one signed order over HTTP, with a client in another process.

Run: python -m tests.wire.measure_orders [orders] [connections]
"""

import asyncio
import hashlib
import hmac
import json
import multiprocessing
import sys
import time
from decimal import Decimal

import aiohttp

from simexchange.clock import SystemClock
from simexchange.core import commands as c
from simexchange.core.exchange import Exchange
from simexchange.core.instrument import Instrument
from simexchange.core.types import MONEY_SCALE, AccountKind, OrderKind, Side, Wallet
from simexchange.server.bybit.dialect import BybitDialect
from simexchange.server.keys import FULL
from simexchange.server.serving import Server, ServerThread
from simexchange.server.venue import Venue, VenueSettings
from simexchange.simulation import Simulation

ACCOUNTS = 200
ORDER = {
    "category": "linear",
    "symbol": "BTCUSDT",
    "side": "Buy",
    "orderType": "Market",
    "qty": "0.001",
}


def build() -> tuple[Venue, list[tuple[str, str]]]:
    simulation = Simulation(Exchange(), SystemClock())
    instrument = Instrument(
        symbol="BTCUSDT", base="BTC", tick_size=Decimal("0.1"), contract_size=Decimal("0.001")
    )
    simulation.apply(c.ListInstrument(instrument))
    simulation.apply(c.OpenAccount(kind=AccountKind.MAKER))
    simulation.apply(c.Deposit(1, Wallet.CONTRACT, 10**10 * MONEY_SCALE))
    simulation.apply(c.SetIndex("BTCUSDT", 500_000))
    for side, price in ((Side.BUY, 499_990), (Side.SELL, 500_010)):
        simulation.apply(c.PlaceOrder(1, "BTCUSDT", side, 10**6, OrderKind.LIMIT, price))
    venue = Venue(simulation, VenueSettings(seed="measure"))
    keys = []
    for account in range(2, ACCOUNTS + 2):
        simulation.apply(c.OpenAccount())
        simulation.apply(c.Deposit(account, Wallet.CONTRACT, 10**6 * MONEY_SCALE))
        key = venue.keys.create(account, FULL, venue.now())
        keys.append((key.key, key.secret))
    return venue, keys


def signed(name: str, secret: str, body: bytes) -> dict[str, str]:
    stamp = str(time.time_ns() // 1_000_000)  # noqa: TID251 - a client's own time
    payload = f"{stamp}{name}5000".encode() + body
    return {
        "X-BAPI-API-KEY": name,
        "X-BAPI-SIGN": hmac.new(secret.encode(), payload, hashlib.sha256).hexdigest(),
        "X-BAPI-TIMESTAMP": stamp,
        "X-BAPI-RECV-WINDOW": "5000",
    }


async def drive(url: str, keys: list[tuple[str, str]], orders: int, connections: int) -> float:
    """Send the orders and return the seconds they took."""
    body = json.dumps(ORDER).encode()
    limit = asyncio.Semaphore(connections)
    connector = aiohttp.TCPConnector(limit=connections)
    async with aiohttp.ClientSession(connector=connector) as session:

        async def order(number: int) -> None:
            async with limit:
                headers = signed(*keys[number % len(keys)], body)
                address = f"{url}/v5/order/create"
                async with session.post(address, data=body, headers=headers) as answer:
                    assert (await answer.json())["retCode"] == 0

        await order(0)
        started = time.perf_counter()
        await asyncio.gather(*(order(number) for number in range(orders)))
        return time.perf_counter() - started


def client(url, keys, orders, connections, done) -> None:
    done.put(asyncio.run(drive(url, keys, orders, connections)))


def main() -> None:
    orders = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    connections = int(sys.argv[2]) if len(sys.argv) > 2 else 32
    venue, keys = build()
    context = multiprocessing.get_context("spawn")
    done = context.Queue()
    with ServerThread(lambda: Server((BybitDialect(venue),))) as server:
        arguments = (server.url, keys, orders, connections, done)
        process = context.Process(target=client, args=arguments)
        process.start()
        before = time.process_time()
        wall = done.get()
        cpu = time.process_time() - before
        process.join()
    print(  # noqa: T201 - the answer
        f"{orders} signed market orders over {connections} connections: "
        f"{cpu / orders * 1e6:.0f} µs of server CPU each, {orders / wall:,.0f} a second"
    )


if __name__ == "__main__":
    main()
