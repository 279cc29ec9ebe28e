"""kill -9 at random moments of fan-outs: engine, worker, database, exchange; then what is true.

All processes are real ones. What dies is started again, as a supervisor would; nothing else helps.
"""

import asyncio
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from copyplugin.bench.crowd import add_crowd
from copyplugin.bench.exchange_process import (
    JOURNAL,
    RemoteExchange,
    environment,
    orders_sent_twice,
)
from copyplugin.bench.local_postgres import LocalPostgres
from copyplugin.bench.stage import SYMBOL
from copyplugin.domain.identifiers import AccountId
from copyplugin.domain.order import CopyOrderState
from copyplugin.errors import LedgerBroken, VenueError
from copyplugin.settings import PREFIX
from copyplugin.store import lane_work, ledger
from copyplugin.store.database import Database, open_database, upgrade_database
from copyplugin.system_clock import SystemClock
from simexchange.core.types import Side

MOVES = ((Side.BUY, 2), (Side.BUY, 1), (Side.SELL, 1), (Side.SELL, 2))
LOOK_SECONDS = 0.1
PATIENCE_SECONDS = 180.0

# Whoever waits long enough gets everything: the test is of what is lost, not of what is too late.
SETTINGS: Mapping[str, object] = {
    "lease_seconds": 3,
    "request_timeout_seconds": 1,
    "copy_sweep_seconds": 1,
    "open_attempts": 100,
    "open_expiry_seconds": 3600,
    "signal_late_seconds": 86400,
    "unreachable_abort_seconds": 86400,
    "refusals_to_abort": 1000,
    "position_data_seconds": 86400,
    "statistics_seconds": 86400,
    "reconcile_seconds": 86400,
    "settle_seconds": 86400,
    "protection_seconds": 3600,
    "ledger_seconds": 86400,
    "marks_seconds": 3600,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class KillTest:
    """How many worlds, how large, and with what: `postgres` None is SQLite and one engine."""

    rounds: int
    followers: int
    seed: int
    workers: int = 2
    on_sqlite: bool = False
    rounds_of_a_world: int = 8

    @property
    def victims(self) -> tuple[str, ...]:
        return ("engine", "exchange") if self.on_sqlite else ALL_VICTIMS


ALL_VICTIMS = ("engine", "worker", "database", "exchange")


@dataclass
class Tally:
    """What came of it. `lost`: followers who did not end where their leader did."""

    rounds: int = 0
    orders: int = 0
    lost: int = 0
    sent_twice: int = 0
    broken_ledgers: int = 0
    kills: Counter[str] = field(default_factory=Counter[str])
    slowest_seconds: float = 0.0

    @property
    def is_clean(self) -> bool:
        return not (self.lost or self.sent_twice or self.broken_ledgers)


async def run(test: KillTest) -> Tally:
    """Run all rounds, each world in a folder of its own that is removed after it."""
    tally, random = Tally(), Random(test.seed)  # noqa: S311 - repeatable, not secret
    while tally.rounds < test.rounds:
        with ExitStack() as stack:
            world = _World(test, stack)
            await world.start()
            try:
                for move in range(min(test.rounds_of_a_world, test.rounds - tally.rounds)):
                    await _round(world, move, random, tally)
            finally:
                await world.stop()
            tally.sent_twice += orders_sent_twice(world.folder / JOURNAL)
    return tally


async def _round(world: "_World", move: int, random: Random, tally: Tally) -> None:
    side, contracts = MOVES[move % len(MOVES)]
    victim = random.choice(world.test.victims)
    delay = random.uniform(0.0, world.fanout_seconds)
    began = time.monotonic()
    await world.exchange.call("trade", int(side), contracts)
    world.target += int(side) * contracts
    await asyncio.sleep(delay)
    await world.kill(victim, stays_dead=random.uniform(0.0, 0.5))
    lost = await world.settle()
    taken = time.monotonic() - began
    tally.rounds += 1
    tally.orders += world.test.followers
    tally.kills[victim] += 1
    tally.lost += lost
    tally.broken_ledgers += not world.is_ledger_sound()
    tally.slowest_seconds = max(tally.slowest_seconds, taken)
    sys.stderr.write(
        f"round {tally.rounds}: {victim} killed after {delay:.2f} s, all there after {taken:.1f} s,"
        f" {lost} lost\n"
    )


class _World:
    """An exchange, a database, an engine and workers, and who starts them again."""

    def __init__(self, test: KillTest, stack: ExitStack) -> None:
        self.test = test
        self.folder = Path(
            stack.enter_context(tempfile.TemporaryDirectory(prefix="copyplugin-kill-"))
        )
        self.postgres = None if test.on_sqlite else stack.enter_context(LocalPostgres())
        self.url = (
            f"sqlite:///{self.folder / 'plugin.db'}"
            if self.postgres is None
            else self.postgres.make_database("plugin")
        )
        self.exchange = RemoteExchange(self.folder)
        self.target = 0
        self.fanout_seconds = 1.0
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._supervisor: asyncio.Task[None] | None = None
        self._held_down: set[str] = set()
        self._database: Database | None = None

    @property
    def database(self) -> Database:
        assert self._database is not None
        return self._database

    async def start(self) -> None:
        await asyncio.to_thread(upgrade_database, self.url)
        self._database = await asyncio.to_thread(open_database, self.url)
        self._spawn("exchange")
        leader, accounts = await self._insist("set_up", self.test.followers)
        instruments = await self._insist("instruments")
        add_crowd(
            self.database,
            leader=AccountId(str(leader)),
            sub_accounts=[AccountId(str(account)) for account in accounts],
            instrument=instruments[SYMBOL],
            at=SystemClock().now(),
        )
        self._spawn("engine")
        for number in range(0 if self.test.on_sqlite else self.test.workers):
            self._spawn(f"worker {number}")
        self._supervisor = asyncio.get_running_loop().create_task(self._supervise())
        began = time.monotonic()
        await self._insist("trade", int(Side.BUY), 1)
        self.target += 1
        lost = await self.settle()
        assert lost == 0, f"{lost} followers were lost before anything was killed"
        self.fanout_seconds = time.monotonic() - began

    async def stop(self) -> None:
        if self._supervisor is not None:
            self._supervisor.cancel()
            await asyncio.gather(self._supervisor, return_exceptions=True)
        await self.exchange.close()
        for process in self._processes.values():
            process.kill()
            await asyncio.to_thread(process.wait)
        await asyncio.to_thread(self.database.close)

    async def kill(self, victim: str, *, stays_dead: float) -> None:
        """Kill without a word, and have it back a little later."""
        if victim == "database":
            assert self.postgres is not None
            self.postgres.kill()
            await asyncio.sleep(stays_dead)
            await asyncio.to_thread(self.postgres.start)
            return
        name = "worker 0" if victim == "worker" else victim
        self._held_down.add(name)
        self._processes[name].send_signal(signal.SIGKILL)
        await asyncio.sleep(stays_dead)
        self._held_down.discard(name)

    async def settle(self) -> int:
        """Wait until every follower holds what he should; return how many never do."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            wrong = await self._wrong()
            if wrong == 0 or time.monotonic() > deadline:
                return self.test.followers if wrong is None else wrong
            await asyncio.sleep(LOOK_SECONDS)

    def is_ledger_sound(self) -> bool:
        try:
            with self.database.read() as session:
                ledger.verify(session)
        except LedgerBroken:
            return False
        return True

    async def _wrong(self) -> int | None:
        """Return how many followers are not there yet; None where nobody can say now."""
        try:
            held: list[int] = await self.exchange.call("held")
            with self.database.read() as session:
                if lane_work.orders_in(session, CopyOrderState.SENT):
                    return None
                if lane_work.contracts_held(session) != sum(held):
                    return None
        except (VenueError, OSError):
            return None
        except Exception as error:  # noqa: BLE001 - the database was killed: it comes back
            sys.stderr.write(f"  the database does not answer: {type(error).__name__}\n")
            return None
        return sum(contracts != self.target for contracts in held)

    async def _insist(self, name: str, *given: object) -> Any:
        while True:
            try:
                return await self.exchange.call(name, *given)
            except VenueError:
                await asyncio.sleep(LOOK_SECONDS)

    async def _supervise(self) -> None:
        while True:
            for name, process in list(self._processes.items()):
                if process.poll() is not None and name not in self._held_down:
                    self._spawn(name)
            await asyncio.sleep(LOOK_SECONDS)

    def _spawn(self, name: str) -> None:
        kind = name.split(maxsplit=1)[0]
        words = (
            ["-m", "copyplugin.bench.exchange_process", str(self.folder)]
            if kind == "exchange"
            else ["-m", "copyplugin.bench.process", kind]
        )
        given = {f"{PREFIX}{key.upper()}": str(value) for key, value in SETTINGS.items()}
        variables = {**environment(self.folder), **given, f"{PREFIX}DATABASE_URL": self.url}
        with (self.folder / f"{name}.log").open("ab") as log:
            self._processes[name] = subprocess.Popen(  # noqa: S603 - this program
                [sys.executable, *words], env=variables, stdout=log, stderr=log
            )
