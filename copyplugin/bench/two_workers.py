"""One worker beside two, on PostgreSQL, with a venue that takes as many orders as come."""

import asyncio
import os
import signal
import statistics
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from copyplugin.bench.filling_venue import LATENCY_VARIABLE
from copyplugin.bench.local_postgres import LocalPostgres
from copyplugin.bench.stage import Stage
from copyplugin.dispatch.distributed import DistributedDispatcher
from copyplugin.domain.order import CopyOrderState
from copyplugin.engine.engine import Engine
from copyplugin.engine.surroundings import Surroundings, Work
from copyplugin.processes import KEPT, SPLIT
from copyplugin.settings import PREFIX, load_settings
from copyplugin.store import lane_work
from copyplugin.store.database import libpq_address
from simexchange.core.types import Side

LOOK_SECONDS = 0.02
PATIENCE_SECONDS = 120
IN_FLIGHT = 20
"""Orders on their way to the venue at once, of one worker: what bounds it, not the processor."""

QUIET = ("position_data", "statistics", "reconcile", "settle", "marks", "protection", "margin")


class _QuietDispatcher(DistributedDispatcher):
    """Leaves out what pages show, as the measurements in one process do."""

    def announce(self, name: str, keys: Iterable[int] = ()) -> None:
        if name != Work.FIGURES:
            super().announce(name, keys)


@dataclass(slots=True)
class Taken:
    """Seconds of each fan-out, and CPU seconds of the workers for it."""

    seconds: list[float] = field(default_factory=list[float])
    cpu: list[float] = field(default_factory=list[float])

    def cpu_us(self, orders: int) -> float:
        return statistics.median(self.cpu) / orders * 1_000_000


async def one_and_two(followers: int, *, latency_ms: int, rounds: int) -> tuple[Taken, Taken]:
    """Measure fan-outs of one worker and of two in turn, on one database."""
    one, two = Taken(), Taken()
    with LocalPostgres() as postgres:
        url = postgres.make_database("plugin")
        stage = Stage(url, followers)
        try:
            await stage.prepare()
            async with _engine(stage), _worker(url, latency_ms) as first:
                fanouts = _Fanouts(stage)
                await fanouts.measure([first], Taken())  # makes lanes, opens connections
                for _ in range(rounds):
                    await fanouts.measure([first], one)
                    async with _worker(url, latency_ms) as second:
                        await fanouts.measure([first, second], two)
        finally:
            stage.close()
    return one, two


class _Fanouts:
    """Fan-outs one after the other: the leader buys once more, all his followers do."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._done = 0

    async def measure(self, workers: list[Process], taken: Taken) -> None:
        stage = self._stage
        self._done += stage.followers
        cpu, began = _cpu_seconds(workers), time.perf_counter()
        stage.trade(Side.BUY, 1)
        async with asyncio.timeout(PATIENCE_SECONDS):
            while await asyncio.to_thread(self._orders_done) < self._done:  # noqa: ASYNC110 - rows tell nobody
                await asyncio.sleep(LOOK_SECONDS)
        taken.seconds.append(time.perf_counter() - began)
        taken.cpu.append(_cpu_seconds(workers) - cpu)

    def _orders_done(self) -> int:
        with self._stage.database.read() as session:
            return lane_work.orders_in(session, CopyOrderState.DONE)


@asynccontextmanager
async def _engine(stage: Stage) -> AsyncGenerator[None]:
    """Run the engine that hears the leader; his followers' lanes are left to workers."""
    settings = load_settings(database_url=stage.url, **{f"{name}_seconds": 3600 for name in QUIET})
    address = libpq_address(stage.url)
    assert address is not None
    engine = Engine(
        Surroundings(
            settings=settings,
            database=stage.database,
            venue=stage.venue,
            clock=stage.clock,
            dispatcher=_QuietDispatcher(stage.clock, address, keys_in_one=SPLIT, kept=KEPT),
        )
    )
    await engine.start()
    try:
        yield
    finally:
        await engine.stop()


@asynccontextmanager
async def _worker(url: str, latency_ms: int) -> AsyncGenerator[Process]:
    """Run a worker; it is at work when this is entered."""
    given = {"DATABASE_URL": url, "ORDERS_IN_FLIGHT_MAX": str(IN_FLIGHT)}
    variables = {
        **os.environ,
        **{f"{PREFIX}{name}": value for name, value in given.items()},
        LATENCY_VARIABLE: str(latency_ms),
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "copyplugin.bench.process", "filling-worker",
        env=variables, stdout=PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            line = await process.stdout.readline()
        assert line, "the worker did not start"
        yield process
    finally:
        process.send_signal(signal.SIGINT)  # it drops its leases: nobody waits for them
        await process.wait()


def _cpu_seconds(processes: list[Process]) -> float:
    """Return what the processes have used of the processor, as the kernel counts it."""
    ticks = 0
    for each in processes:
        words = (
            Path(f"/proc/{each.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        )
        ticks += int(words[11]) + int(words[12])  # of user and of system
    return ticks / os.sysconf("SC_CLK_TCK")
