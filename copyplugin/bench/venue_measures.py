"""What a real venue costs on our side: memory of a client, CPU of an order, memory of a stream."""

import asyncio
import time
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from statistics import median
from typing import Any

from copyplugin.bench.venue_server import SYMBOL, ServedKey, VenueServer, resident_bytes
from copyplugin.domain.fill import LeaderFill, OrderSide, PositionSide
from copyplugin.domain.identifiers import AccountId, ClientOrderId, Symbol
from copyplugin.domain.money import Contracts
from copyplugin.domain.order import OrderRequest, TimeInForce
from copyplugin.venues.ccxt.config import ApiKeys, VenueConfig
from copyplugin.venues.ccxt.keys import KeysInMemory, KnownAccount
from copyplugin.venues.ccxt.venue import CcxtVenue

CHUNK = 500
UNIFIED = "BTC/USDT:USDT"
UNLIMITED = 1_000_000
LONG: Mapping[str, Mapping[str, object]] = {
    "binance": {"positionSide": "LONG"},
    "bybit": {"positionIdx": 1},
}
"""How each venue is told which side of a hedged account an order is for."""

MICROSECONDS = 1_000_000
KIB, MIB = 1024, 1024 * 1024


@dataclass(slots=True)
class Spent:
    """Wall and CPU time of some orders."""

    orders: int = 0
    wall: float = 0.0
    cpu: float = 0.0

    async def on(self, count: int, work: Coroutine[Any, Any, object]) -> None:
        wall, cpu = time.perf_counter(), time.process_time()
        await work
        self.wall += time.perf_counter() - wall
        self.cpu += time.process_time() - cpu
        self.orders += count

    @property
    def cpu_us(self) -> float:
        return self.cpu / self.orders * MICROSECONDS


@dataclass(slots=True)
class Round:
    """One order for each account in each of the three ways."""

    ours: Spent = field(default_factory=Spent)
    whole: Spent = field(default_factory=Spent)
    bare: Spent = field(default_factory=Spent)

    async def through_all(
        self, lean: CcxtVenue, full: CcxtVenue, some: Sequence[ServedKey], name: str, at_once: int
    ) -> None:
        """Send some of them, one way after the other: a busy machine is busy for all."""
        count = len(some)
        await self.bare.on(count, _through_ccxt(lean, some, f"bare{name}", at_once))
        await self.whole.on(count, _through_adapter(full, some, f"full{name}"))
        await self.ours.on(count, _through_adapter(lean, some, f"ours{name}"))


def venue_on(server: VenueServer, at_once: int, *, is_lean: bool = True) -> CcxtVenue:
    """Return our adapter for every account of the server; rates are the server's business."""
    config = VenueConfig(
        dialect=server.dialect,
        address=server.url,
        requests_at_once=at_once,
        requests_per_second=UNLIMITED,
        socket_silence=timedelta(seconds=60),
        is_lean=is_lean,
    )
    known = (
        KnownAccount(account=AccountId(each.account), keys=ApiKeys(each.key, each.secret))
        for each in server.keys
    )
    return CcxtVenue(config, KeysInMemory(*known))


async def clones(server: VenueServer, at_once: int) -> dict[str, float]:
    """Measure the clients of all accounts, before their first request."""
    venue = venue_on(server, at_once)
    try:
        await venue.instruments()
        before, cpu = resident_bytes(), time.process_time()
        for each in server.keys:
            await venue.client(AccountId(each.account))
        spent, memory = time.process_time() - cpu, resident_bytes() - before
    finally:
        await venue.close()
    count = len(server.keys)
    return {
        "clients": count,
        "client_kib": round(memory / count / KIB, 2),
        "client_us": round(spent / count * MICROSECONDS, 1),
        "all_clients_gib": round(memory / KIB / MIB, 3),
    }


async def fan_out(server: VenueServer, at_once: int, rounds: int) -> dict[str, Any]:
    """Send an order for each account in three ways, in turns: medians of the rounds.

    Through the adapter as it is, through the adapter with ccxt sending everything, and through bare
    ccxt.
    """
    venue, full = venue_on(server, at_once), venue_on(server, at_once, is_lean=False)
    taken: list[Round] = []
    try:
        for each in (venue, full):
            await each.instruments()
            await asyncio.gather(*(each.client(AccountId(e.account)) for e in server.keys))
            await _through_adapter(each, server.keys[:CHUNK], f"warm{id(each)}")
        await _through_ccxt(venue, server.keys[:CHUNK], "warmb", at_once)
        served, _ = server.used()
        for number in range(rounds):
            taken.append(Round())
            for first in range(0, len(server.keys), CHUNK):
                some = server.keys[first : first + CHUNK]
                await taken[-1].through_all(venue, full, some, f"{number}x", at_once)
        served = server.used()[0] - served
    finally:
        await venue.close()
        await full.close()
    orders = len(server.keys)
    ratios = [each.ours.cpu_us / each.bare.cpu_us for each in taken]
    return {
        "orders": orders,
        "at_once": at_once,
        "rounds": rounds,
        "adapter_wall_seconds": round(median(each.ours.wall for each in taken), 3),
        "adapter_cpu_us_per_order": round(median(each.ours.cpu_us for each in taken), 1),
        "adapter_ccxt_sends_cpu_us_per_order": round(median(e.whole.cpu_us for e in taken), 1),
        "bare_ccxt_wall_seconds": round(median(each.bare.wall for each in taken), 3),
        "bare_ccxt_cpu_us_per_order": round(median(each.bare.cpu_us for each in taken), 1),
        "wall_ratio": round(median(each.ours.wall / each.bare.wall for each in taken), 3),
        "cpu_ratio": round(median(ratios), 3),
        "cpu_ratios": [round(ratio, 3) for ratio in ratios],
        "server_cpu_us_per_order": round(served / (3 * rounds * orders) * MICROSECONDS, 1),
    }


async def _through_adapter(venue: CcxtVenue, keys: Sequence[ServedKey], name: str) -> None:
    async def order(each: ServedKey) -> None:
        await venue.place_order(
            OrderRequest(
                account=AccountId(each.account),
                symbol=Symbol(SYMBOL),
                order_side=OrderSide.BUY,
                position_side=PositionSide.LONG,
                contracts=Contracts(1),
                limit_price=None,
                time_in_force=TimeInForce.IOC,
                reduce_only=False,
                client_order_id=ClientOrderId(f"{name}{each.account}"),
            )
        )

    await asyncio.gather(*(order(each) for each in keys))


async def _through_ccxt(
    venue: CcxtVenue, keys: Sequence[ServedKey], name: str, at_once: int
) -> None:
    """Send the same through ccxt's own `create_order`, as many at once."""
    room, side = asyncio.Semaphore(at_once), LONG[venue.name]

    async def order(each: ServedKey) -> None:
        client = await venue.client(AccountId(each.account))
        async with room:
            terms = {**side, "clientOrderId": f"{name}{each.account}"}
            await client.ccxt.create_order(UNIFIED, "market", "buy", "0.001", None, terms)

    await asyncio.gather(*(order(each) for each in keys))


async def sockets(server: VenueServer, at_once: int) -> dict[str, float]:
    """Open a stream for each account, and see that a fill is told on the last of them."""
    venue = venue_on(server, at_once)
    told, heard = asyncio.Event(), 0.0
    last = AccountId(server.keys[-1].account)

    def on_fill(fill: LeaderFill) -> None:
        if fill.account == last:
            told.set()

    try:
        await venue.instruments()
        await asyncio.gather(*(venue.client(AccountId(e.account)) for e in server.keys))
        ours, (_, theirs) = resident_bytes(), server.used()
        started, cpu = time.perf_counter(), time.process_time()
        subscription = await venue.subscribe([AccountId(e.account) for e in server.keys], on_fill)
        async with asyncio.timeout(300):
            while any(w.subscriptions == 0 for w in subscription.watchers):  # noqa: ASYNC110 - thousands
                await asyncio.sleep(0.05)
        wall, spent = time.perf_counter() - started, time.process_time() - cpu
        ours, theirs = resident_bytes() - ours, server.used()[1] - theirs
        for _ in range(2):  # the first one waits for the reading that each new stream begins with
            told.clear()
            started = time.perf_counter()
            await asyncio.to_thread(server.trade, last)
            async with asyncio.timeout(60):
                await told.wait()
            heard = time.perf_counter() - started
    finally:
        await venue.close()
    count = len(server.keys)
    return {
        "sockets": count,
        "client_kib_per_socket": round(ours / count / KIB, 1),
        "server_kib_per_socket": round(theirs / count / KIB, 1),
        "open_all_seconds": round(wall, 2),
        "open_cpu_ms_per_socket": round(spent / count * 1000, 2),
        "fill_told_ms": round(heard * 1000, 1),
    }
