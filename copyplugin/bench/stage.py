"""A simulated exchange, a leader with a crowd behind him, and the engine between them."""

import asyncio
import time
from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager
from decimal import Decimal

from copyplugin.bench.crowd import add_crowd
from copyplugin.dispatch.in_process import InProcessDispatcher
from copyplugin.domain.identifiers import AccountId, Symbol
from copyplugin.domain.order import OrderReport, OrderRequest
from copyplugin.engine.engine import Engine
from copyplugin.engine.surroundings import Surroundings, Work
from copyplugin.settings import Settings
from copyplugin.store.database import Database, open_database, upgrade_database
from copyplugin.system_clock import SystemClock
from copyplugin.venues.simulated import SimulatedVenue
from simexchange.clock import SystemClock as ExchangeClock
from simexchange.core import commands as c
from simexchange.core import events as e
from simexchange.core import types as t
from simexchange.core.exchange import Exchange
from simexchange.core.instrument import Instrument
from simexchange.simulation import Simulation

SYMBOL = Symbol("BTCUSDT")
PRICE_TICKS = 600_000
AMPLE = 10**9 * t.MONEY_SCALE
OFFERED = 90_000  # contracts of one resting order, below the instrument's maximum
COUNTERPARTY, LEADER = "counterparty", "leader"
FAR_AWAY = 86_400  # seconds: a job of the clock that is not to run during a measurement


class BenchVenue(SimulatedVenue):
    """The exchange in this process, each order so many seconds away; it notes the last answer."""

    def __init__(self, simulation: Simulation, *, latency: float = 0.0) -> None:
        super().__init__(simulation)
        self.latency = latency
        self.answered = 0
        self.last_answer = 0.0

    async def place_order(self, request: OrderRequest) -> OrderReport:
        if self.latency:
            await asyncio.sleep(self.latency)
        report = await super().place_order(request)
        self.answered += 1
        self.last_answer = time.perf_counter()
        return report


class QuietDispatcher(InProcessDispatcher):
    """Leaves out what pages show: a measurement is of copying."""

    def announce(self, name: str, keys: Iterable[int] = ()) -> None:
        if name != Work.FIGURES:
            super().announce(name, keys)


class BenchExchange:
    """An exchange with a leader, his followers' sub-accounts, and somebody who takes any side."""

    def __init__(self, simulation: Simulation) -> None:
        self.simulation = simulation
        self.counterparty = self.leader = 0
        self.accounts: list[int] = []
        self.ticks = PRICE_TICKS

    def set_up(self, followers: int) -> None:
        """List the instrument and open accounts with more money than they need."""
        self._apply(c.ListInstrument(_instrument()))
        self._apply(c.SetIndex(SYMBOL, PRICE_TICKS))
        self.counterparty = self._account(COUNTERPARTY)
        self.leader = self._account(LEADER)
        self.accounts = [self._account(f"follower {n}") for n in range(followers)]

    def find(self) -> None:
        """Find the accounts of an exchange that was set up earlier."""
        exchange = self.simulation.exchange
        names = {number: exchange.account(number).label for number in exchange.accounts}
        roles = {name: number for number, name in names.items()}
        self.counterparty, self.leader = roles[COUNTERPARTY], roles[LEADER]
        self.accounts = [n for n, name in names.items() if name.startswith("follower ")]
        self.ticks = exchange.index_price(SYMBOL) or PRICE_TICKS

    def move_price(self, ticks: int) -> None:
        """Set index and mark: everybody trades there from now on."""
        self.ticks = ticks
        self._apply(c.SetIndex(SYMBOL, ticks))
        self._apply(c.SetMark(SYMBOL, ticks))

    def trade(self, side: t.Side, contracts: int) -> None:
        """Let the leader trade, with enough on the other side for everybody behind him."""
        ticks = self.ticks + (1 if side is t.Side.BUY else -1)
        self._offer(t.Side(-side), contracts * (len(self.accounts) + 1), ticks)
        self._apply(
            c.PlaceOrder(
                self.leader, SYMBOL, side, contracts, t.OrderKind.LIMIT, ticks,
                position_side=t.PositionSide.LONG,
            )
        )  # fmt: skip

    def offer(self, side: t.Side, contracts: int) -> None:
        """Offer so many contracts for orders that are not copied ones."""
        self._offer(side, contracts, self.ticks + (1 if side is t.Side.SELL else -1))

    def held(self) -> list[int]:
        """Return what each follower holds."""
        held = self.simulation.exchange.position
        return [held(account, SYMBOL, t.PositionSide.LONG).contracts for account in self.accounts]

    def gained(self) -> list[int]:
        """Return what each follower's wallets hold beyond what was put in, in units of money."""
        account = self.simulation.exchange.account
        return [
            account(number).spot_balance + account(number).contract_balance - AMPLE
            for number in self.accounts
        ]

    def leader_spot(self) -> int:
        """Return what the leader was paid, in units of money."""
        return self.simulation.exchange.account(self.leader).spot_balance

    def _offer(self, side: t.Side, contracts: int, ticks: int) -> None:
        leg = t.PositionSide.SHORT if side is t.Side.SELL else t.PositionSide.LONG
        while contracts > 0:
            part = min(contracts, OFFERED)
            self._apply(
                c.PlaceOrder(
                    self.counterparty, SYMBOL, side, part, t.OrderKind.LIMIT, ticks,
                    position_side=leg,
                )
            )  # fmt: skip
            contracts -= part

    def _account(self, label: str) -> int:
        opened = self._apply(c.OpenAccount(label=label))[0]
        assert isinstance(opened, e.AccountOpened)
        self._apply(c.Deposit(opened.account, t.Wallet.CONTRACT, AMPLE))
        self._apply(c.SetPositionMode(opened.account, t.PositionMode.HEDGE))
        return opened.account

    def _apply(self, command: c.Command) -> list[e.Event]:
        events = self.simulation.apply(command)
        refused = [each for each in events if isinstance(each, e.CommandRejected | e.OrderRejected)]
        assert not refused, refused
        return events


class Stage(BenchExchange):
    """That exchange in this process, a database, and the engine between them."""

    def __init__(self, url: str, followers: int, *, latency: float = 0.0) -> None:
        super().__init__(Simulation(Exchange(), ExchangeClock()))
        self.followers = followers
        self.set_up(followers)
        self.venue = BenchVenue(self.simulation, latency=latency)
        self.clock = SystemClock()
        self.url = url
        upgrade_database(url)
        self.database: Database = open_database(url)

    async def prepare(self) -> None:
        """Write leader and follows."""
        instruments = await self.venue.instruments()
        add_crowd(
            self.database,
            leader=AccountId(str(self.leader)),
            sub_accounts=[AccountId(str(number)) for number in self.accounts],
            instrument=instruments[SYMBOL],
            at=self.clock.now(),
        )

    def engine(self, **settings: object) -> Engine:
        """Make an engine, without the jobs that are not about copying."""
        given: dict[str, object] = {
            "database_url": self.url,
            "position_data_seconds": FAR_AWAY,
            "statistics_seconds": FAR_AWAY,
            "reconcile_seconds": FAR_AWAY,
            "settle_seconds": FAR_AWAY,
            "marks_seconds": 3600,
            **settings,
        }
        return Engine(
            Surroundings(
                settings=Settings.model_validate(given),
                database=self.database,
                venue=self.venue,
                clock=self.clock,
                dispatcher=QuietDispatcher(self.clock),
            )
        )

    @asynccontextmanager
    async def running(self, **settings: object) -> AsyncGenerator[Engine]:
        engine = self.engine(**settings)
        await engine.start()
        try:
            yield engine
        finally:
            await engine.stop()

    def close(self) -> None:
        self.database.close()


def _instrument() -> Instrument:
    return Instrument(
        symbol=SYMBOL, base="BTC", tick_size=Decimal("0.1"), contract_size=Decimal("0.001")
    )
