"""One order for each of many accounts through HTTP: our adapter beside bare ccxt, in one run.

Run: python -m tests.venues.measure_fan_out [--dialect bybit] [--accounts 10000] [--rounds 3]

The exchange is served by a process of its own. Both ways share everything but the account: one
session, one loaded instance, a clone for each account; both have 32 requests on their way at once.
Rounds alternate, so that a busy machine is busy for both. Prints one JSON object.
"""

import asyncio
import copy
import json
import multiprocessing
import resource
import statistics
import time
from collections.abc import Awaitable, Callable
from decimal import Decimal
from pathlib import Path

import aiohttp
import ccxt.async_support
import click

from copyplugin.domain.client_order_id import client_order_id
from copyplugin.domain.fill import OrderSide, PositionSide
from copyplugin.domain.identifiers import AccountId, LaneId, Symbol
from copyplugin.domain.money import Contracts
from copyplugin.domain.order import OrderRequest, TimeInForce
from copyplugin.venues.ccxt.clients import redirect
from copyplugin.venues.ccxt.config import ApiKeys, VenueConfig
from copyplugin.venues.ccxt.keys import KeysInMemory, KnownAccount
from copyplugin.venues.ccxt.venue import CcxtVenue
from simexchange.clock import SystemClock
from simexchange.core.commands import PlaceOrder, SetPositionMode
from simexchange.core.exchange import Exchange
from simexchange.core.types import OrderKind, PositionMode, Side
from simexchange.server.keys import FULL
from simexchange.server.serving import Server, ServerThread
from simexchange.server.venue import Venue, VenueSettings
from simexchange.simulation import Simulation
from tests.venues.scenery import SYMBOL, Scenery
from tests.venues.served_bench import WIRES

AT_ONCE = 32
CONTRACTS = 3
FUNDS = Decimal(1_000_000)
ROUNDS_MAX = 20
OFFER, ASK_TICKS = 100_000, 500_010
CCXT = {
    "bybit": ("bybit", {"positionIdx": 1}),
    "binance": ("binanceusdm", {"positionSide": "LONG"}),
}
CLIENT_ID = {"bybit": "orderLinkId", "binance": "newClientOrderId"}
UNIFIED = "BTC/USDT:USDT"
PAGE = resource.getpagesize()

Account = tuple[str, str, str]
"""Number, key and secret."""


def serve(dialect: str, accounts: int, told, ended) -> None:
    """Serve an exchange with so many accounts until told to end; then tell the CPU it took."""
    simulation = Simulation(Exchange(), SystemClock())
    scenery = Scenery(simulation)
    for _ in range(accounts * CONTRACTS * 2 * (ROUNDS_MAX + 1) // OFFER + 1):
        scenery.apply(
            PlaceOrder(scenery.maker, SYMBOL, Side.SELL, OFFER, OrderKind.LIMIT, ASK_TICKS)
        )
    venue = Venue(simulation, VenueSettings(seed="measure"))
    keys: list[Account] = []
    for _ in range(accounts):
        number = scenery.open_account(spot=Decimal(0), contract=FUNDS)
        scenery.apply(SetPositionMode(number, PositionMode.HEDGE))
        key = venue.keys.create(number, FULL, venue.edge_now())
        keys.append((str(number), key.key, key.secret))
    with ServerThread(lambda: Server((WIRES[dialect].serves(venue),))) as server:
        told.put((server.url, keys))
        ended.wait()
        told.put(time.process_time())


def resident() -> int:
    """Return the bytes of memory that this process holds."""
    return int(Path("/proc/self/statm").read_text("ascii").split()[1]) * PAGE


async def fan_out(place: Callable[[int], Awaitable[object]], count: int) -> dict[str, float]:
    """Place an order for each account; return seconds, and CPU microseconds of an order."""
    wall, cpu = time.perf_counter(), time.process_time()
    await asyncio.gather(*(place(number) for number in range(count)))
    return {
        "seconds": time.perf_counter() - wall,
        "cpu_us": (time.process_time() - cpu) / count * 1e6,
    }


class Bare:
    """ccxt's own way at its cheapest: clones of one loaded instance, a semaphore, no adapter."""

    def __init__(self, dialect: str, url: str, accounts: list[Account]) -> None:
        self._dialect, self._url, self._accounts = dialect, url, accounts
        self._limit = asyncio.Semaphore(AT_ONCE)

    async def open(self) -> None:
        name, self._params = CCXT[self._dialect]
        self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=AT_ONCE))
        self._loaded = getattr(ccxt.async_support, name)(
            {
                "enableRateLimit": False,
                "session": self._session,
                "options": {
                    "fetchMarkets": {"types": ["linear"]},
                    "enableUnifiedMargin": False,  # else each clone asks twice what it is
                    "enableUnifiedAccount": True,
                    "unifiedMarginStatus": 6,
                },
            }
        )
        redirect(self._loaded, self._url)
        self._loaded.number = Decimal
        _, self._loaded.apiKey, self._loaded.secret = self._accounts[0]
        await self._loaded.load_markets()
        self._clones = [self._clone(key, secret) for _, key, secret in self._accounts]

    def _clone(self, key: str, secret: str):
        made = copy.copy(self._loaded)
        made.apiKey, made.secret = key, secret
        made.options = dict(self._loaded.options)
        return made

    async def place(self, number: int, name: str) -> None:
        params = {**self._params, CLIENT_ID[self._dialect]: name}
        async with self._limit:
            await self._clones[number].create_order(
                UNIFIED, "market", "buy", CONTRACTS / 1000, None, params
            )

    async def close(self) -> None:
        for exchange in (self._loaded, *self._clones):
            exchange.session = None  # shared, and closed once
        await self._session.close()


class Ours:
    """The adapter, as the engine calls it."""

    def __init__(self, dialect: str, url: str, accounts: list[Account]) -> None:
        keys = KeysInMemory(
            *(KnownAccount(account=AccountId(a), keys=ApiKeys(k, s)) for a, k, s in accounts)
        )
        config = VenueConfig(
            dialect=dialect, address=url, requests_at_once=AT_ONCE, requests_per_second=1_000_000
        )
        self.venue = CcxtVenue(config, keys)
        self._accounts = [AccountId(number) for number, _, _ in accounts]

    async def open(self) -> int:
        """Make a client for each account; return the bytes that one takes."""
        await self.venue.instruments()
        await self.venue.client(self._accounts[0])
        before = resident()
        for account in self._accounts:
            await self.venue.client(account)
        return (resident() - before) // len(self._accounts)

    async def place(self, number: int, name: str) -> None:
        await self.venue.place_order(
            OrderRequest(
                account=self._accounts[number],
                symbol=Symbol(SYMBOL),
                order_side=OrderSide.BUY,
                position_side=PositionSide.LONG,
                contracts=Contracts(CONTRACTS),
                limit_price=None,
                time_in_force=TimeInForce.IOC,
                reduce_only=False,
                client_order_id=name,
            )
        )


async def measure(dialect: str, url: str, accounts: list[Account], rounds: int) -> dict:
    """Let both ways place one order for each account in turn."""
    ours, bare = Ours(dialect, url, accounts), Bare(dialect, url, accounts)
    clone_bytes = await ours.open()
    await bare.open()
    ways = {"bare": bare.place, "adapter": ours.place}
    taken: dict[str, list[dict[str, float]]] = {way: [] for way in ways}
    count = len(accounts)
    try:
        for turn in range(rounds + 1):
            for at, (way, place) in enumerate(ways.items()):
                name = client_order_id(LaneId(1), 1 + 2 * turn + at, prefix="fan")
                few = min(count, 200)  # the first turn opens connections
                found = await fan_out(
                    lambda n, place=place, name=name: place(n, name), count if turn else few
                )
                if turn:
                    taken[way].append(found)
    finally:
        await ours.venue.close()
        await bare.close()
    return {"clone_bytes": clone_bytes, "rounds": taken}


def report(found: dict, dialect: str, accounts: int, server_cpu: float, rounds: int) -> dict:
    """Return the medians of the rounds, and each round's ratio."""
    taken = found["rounds"]

    def median(way: str, what: str) -> float:
        return statistics.median(each[what] for each in taken[way])

    ratios = [
        ours["cpu_us"] / bare["cpu_us"]
        for ours, bare in zip(taken["adapter"], taken["bare"], strict=True)
    ]
    return {
        "dialect": dialect,
        "accounts": accounts,
        "rounds": rounds,
        "requests_at_once": AT_ONCE,
        "adapter_cpu_us_an_order": round(median("adapter", "cpu_us"), 1),
        "adapter_seconds": round(median("adapter", "seconds"), 3),
        "bare_cpu_us_an_order": round(median("bare", "cpu_us"), 1),
        "bare_seconds": round(median("bare", "seconds"), 3),
        "cpu_ratio": round(statistics.median(ratios), 3),
        "cpu_ratios": [round(ratio, 3) for ratio in ratios],
        "server_cpu_us_an_order": round(server_cpu / (2 * rounds * accounts) * 1e6, 1),
        "clone_bytes": found["clone_bytes"],
        "clones_mib": round(found["clone_bytes"] * accounts / 2**20, 1),
    }


@click.command()
@click.option("--dialect", type=click.Choice(sorted(WIRES)), default="bybit", show_default=True)
@click.option("--accounts", type=click.IntRange(1), default=10_000, show_default=True)
@click.option("--rounds", type=click.IntRange(1, ROUNDS_MAX), default=3, show_default=True)
def main(dialect: str, accounts: int, rounds: int) -> None:
    """Measure the adapter's fan-out beside bare ccxt."""
    context = multiprocessing.get_context("spawn")
    told, ended = context.Queue(), context.Event()
    server = context.Process(target=serve, args=(dialect, accounts, told, ended), daemon=True)
    server.start()
    try:
        url, keys = told.get(timeout=120)
        found = asyncio.run(measure(dialect, url, keys, rounds))
    finally:
        ended.set()
    server_cpu = told.get(timeout=60)
    server.join(60)
    click.echo(json.dumps(report(found, dialect, accounts, server_cpu, rounds), indent=2))


if __name__ == "__main__":
    main()
