"""A world of real processes for `kill-test`: exchange, database, engine and workers.

What dies is started again, as a supervisor would; nothing else helps.
"""

import asyncio
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from copyplugin.bench.crowd import add_crowd
from copyplugin.bench.exchange_process import RemoteExchange, environment
from copyplugin.bench.local_postgres import LocalPostgres
from copyplugin.bench.stage import PRICE_TICKS, SYMBOL
from copyplugin.domain.identifiers import AccountId, FollowId
from copyplugin.domain.ledger import leader_account, sub_account
from copyplugin.domain.money import MONEY_STEP, ZERO_MONEY, Money
from copyplugin.domain.order import CopyOrderState
from copyplugin.errors import LedgerBroken, VenueError, VenueUnavailable
from copyplugin.settings import PREFIX
from copyplugin.store import lane_work, ledger, settlements, transfers
from copyplugin.store.database import Database, open_database, upgrade_database
from copyplugin.system_clock import SystemClock
from simexchange.core.types import Side

LOOK_SECONDS = 0.1
LOOK_SECONDS_A_FOLLOWER = 0.0001
"""A look at 10,000 followers costs more than one at ten: it is not to be what is measured."""

PATIENCE_SECONDS = 180.0
"""So long nothing at all has changed when a world counts as stuck."""

ONE_PAYS_OF = 10
"""Every result is booked and compared; a share, which takes longer than an order, owe some."""

ROWS_TOLD, LOG_TOLD = 5, 2_000

# Whoever waits long enough gets everything: the test is of what is lost, not of what is too late.
# A lease shorter than the time a starved process waits for its turn is lost before anything is
# booked under it, again and again: on a machine that does much else nothing is ever done then.
LEASE_SECONDS = 10
SETTINGS: Mapping[str, object] = {
    "lease_seconds": LEASE_SECONDS,
    "request_timeout_seconds": 3,
    "copy_sweep_seconds": 1,
    "open_attempts": 100,
    "open_expiry_seconds": 3600,
    "signal_late_seconds": 86400,
    "unreachable_abort_seconds": 86400,
    "refusals_to_abort": 1000,
    "settle_seconds": 2,
    "position_data_seconds": 86400,
    "statistics_seconds": 86400,
    "reconcile_seconds": 86400,
    "protection_seconds": 3600,
    "ledger_seconds": 86400,
    "marks_seconds": 3600,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Unfinished:
    """What is still to be done; None where the exchange is not asked before the rest is done."""

    orders_sent: int
    lanes_marked: int
    contracts_held: int
    positions_due: int
    transfers_planned: int
    lost: int | None = None

    @property
    def is_at_rest(self) -> bool:
        open_work = (
            self.orders_sent,
            self.lanes_marked,
            self.positions_due,
            self.transfers_planned,
        )
        return not any(open_work)


@dataclass(frozen=True, kw_only=True, slots=True)
class Crew:
    """Who there is: without workers one engine on SQLite does everything."""

    followers: int
    workers: int
    forces_to_disk: bool

    @property
    def is_on_sqlite(self) -> bool:
        return self.workers == 0


class KillWorld:
    """`start`, then `trade`, `kill` and `settle` in turn, then `stop`."""

    def __init__(self, crew: Crew, stack: ExitStack) -> None:
        self.crew = crew
        self.folder = Path(
            stack.enter_context(tempfile.TemporaryDirectory(prefix="copyplugin-kill-"))
        )
        self.postgres = (
            None
            if crew.is_on_sqlite
            else stack.enter_context(LocalPostgres(forces_to_disk=crew.forces_to_disk))
        )
        self.url = (
            f"sqlite:///{self.folder / 'plugin.db'}"
            if self.postgres is None
            else self.postgres.make_database("plugin")
        )
        self.exchange = RemoteExchange(self.folder)
        self.target = 0
        self._contracts_moved = 0
        self.leader = AccountId("")
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._supervisor: asyncio.Task[None] | None = None
        self._held_down: set[str] = set()
        self._database: Database | None = None
        self._look_seconds = LOOK_SECONDS + LOOK_SECONDS_A_FOLLOWER * crew.followers

    @property
    def database(self) -> Database:
        assert self._database is not None
        return self._database

    async def start(self) -> None:
        """Make everything and let the followers trade once, unharmed."""
        await asyncio.to_thread(upgrade_database, self.url)
        self._database = await asyncio.to_thread(open_database, self.url)
        self._spawn("exchange")
        leader, accounts = await self._insist("set_up", self.crew.followers)
        self.leader = AccountId(str(leader))
        instruments = await self._insist("instruments")
        add_crowd(
            self.database,
            leader=self.leader,
            sub_accounts=[AccountId(str(account)) for account in accounts],
            instrument=instruments[SYMBOL],
            at=SystemClock().now(),
            one_pays_of=ONE_PAYS_OF,
        )
        self._spawn("engine")
        for number in range(self.crew.workers):
            self._spawn(f"worker {number}")
        self._supervisor = asyncio.get_running_loop().create_task(self._supervise())
        await self.trade(Side.BUY, 1, PRICE_TICKS)
        stuck = await self.settle()
        assert stuck is None, f"before anything was killed: {stuck}\n{self.evidence()}"

    async def trade(self, side: Side, contracts: int, ticks: int) -> None:
        """Let the leader trade at a price; the followers are to follow."""
        await self._insist("trade", int(side), contracts, ticks)
        self.target += int(side) * contracts
        self._contracts_moved = contracts * self.crew.followers

    async def reach(self, part: float) -> None:
        """Wait until such a part of the last trade is copied; from 1 to 2: of it settled."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while await self._progress() < part and time.monotonic() < deadline:  # noqa: ASYNC110 - asked
            await asyncio.sleep(LOOK_SECONDS / 5)

    async def _progress(self) -> float:
        found = await asyncio.to_thread(self._unfinished)
        missing = abs(self.target * self.crew.followers - found.contracts_held)
        copied = 1 - missing / self._contracts_moved
        if self.target or missing:
            return copied
        return 2 - found.positions_due / self.crew.followers

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
        name = _name_of(victim)
        self._held_down.add(name)
        self._processes[name].send_signal(signal.SIGKILL)
        await asyncio.sleep(stays_dead)
        self._held_down.discard(name)

    async def freeze(self, victim: str, seconds: float) -> None:
        """Hold a process still, and let it go on as if nothing had been."""
        process = self._processes[_name_of(victim)]
        process.send_signal(signal.SIGSTOP)
        await asyncio.sleep(seconds)
        process.send_signal(signal.SIGCONT)

    async def settle(self) -> Unfinished | None:
        """Wait until all is copied and settled; return what is left where nothing moves any more.

        Raises `TimeoutError` where nobody has answered for as long.
        """
        last, deadline = None, time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            found = await self._look()
            if found is not None and found.lost == 0:
                return None
            if found is not None and found != last:
                last, deadline = found, time.monotonic() + PATIENCE_SECONDS
            await asyncio.sleep(self._look_seconds)
        if last is None:
            raise TimeoutError(f"database or exchange were silent for {PATIENCE_SECONDS:.0f} s")
        return last

    async def count_lost(self) -> int:
        """Return how many followers do not hold what they should."""
        held: list[int] = await self._insist("held")
        return sum(contracts != self.target for contracts in held)

    def evidence(self) -> str:
        """Return the first rows that are open, and how the processes' logs end."""
        with self.database.read() as session:
            rows = [str(row) for row in lane_work.open_rows(session, limit=ROWS_TOLD)]
        ends = [
            f"--- {log.name}\n{log.read_text(errors='replace')[-LOG_TOLD:]}"
            for log in sorted(self.folder.glob("*.log"))
        ]
        return "\n".join([*rows, *ends])

    async def ledger_faults(self) -> list[str]:
        """Return what is wrong with the books: the chain, and where everybody is out, the money.

        Then every follower's account in the books is what his wallets gained, to the last unit,
        and the leader was paid what the books say.
        """
        with self.database.read() as session:
            try:
                ledger.verify(session)
            except LedgerBroken as error:
                return [str(error)]
            if self.target:
                return []
            booked = ledger.balances(session)
        gained, paid = await self._insist("wallets")
        faults = [
            f"follow {number}: {unit * MONEY_STEP} in its wallets, {money} in the books"
            for number, unit in enumerate(gained, start=1)
            if (money := booked.get(sub_account(FollowId(number)), ZERO_MONEY)) != unit * MONEY_STEP
        ]
        told = booked.get(leader_account(self.leader), ZERO_MONEY)
        if told != paid * MONEY_STEP:
            faults.append(f"the leader: {paid * MONEY_STEP} in his wallet, {told} in the books")
        return faults

    def settled(self) -> tuple[int, Money]:
        """Return how many shares were taken in this world, and what they come to."""
        with self.database.read() as session:
            return settlements.settled(session)

    async def _look(self) -> Unfinished | None:
        """Return what is still to be done; None where nobody can say now."""
        try:
            found = await asyncio.to_thread(self._unfinished)
            if not found.is_at_rest or found.contracts_held != self.target * self.crew.followers:
                return found
            held: list[int] = await self.exchange.call("held")
        except (VenueError, OSError):
            return None
        except SQLAlchemyError as error:  # the database was killed: it comes back
            sys.stderr.write(f"  the database does not answer: {type(error).__name__}\n")
            return None
        lost = sum(contracts != self.target for contracts in held)
        return replace(found, lost=lost)

    def _unfinished(self) -> Unfinished:
        with self.database.read() as session:
            return Unfinished(
                orders_sent=lane_work.orders_in(session, CopyOrderState.SENT),
                lanes_marked=lane_work.lanes_marked(session),
                contracts_held=lane_work.contracts_held(session),
                positions_due=settlements.positions_due(session),
                transfers_planned=transfers.transfers_planned(session),
            )

    async def _insist(self, name: str, *given: object) -> Any:
        while True:
            try:
                return await self.exchange.call(name, *given)
            except VenueUnavailable:
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


def _name_of(victim: str) -> str:
    return "worker 0" if victim == "worker" else victim
