"""The exchange, the plugin and the market, each on an event loop in a thread.

The simulated exchange belongs to the thread that made it, and so does the plugin's engine: all that
touches them is sent to that thread's loop. In one process without sockets it is one thread.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from copyplugin.domain.fill import PositionSide
from copyplugin.domain.identifiers import AccountId, Symbol
from copyplugin.domain.money import Contracts, Money
from copyplugin.plugin import CopyPlugin
from copyplugin.ports import Venue
from copyplugin.settings import Settings
from copyplugin.system_clock import SystemClock
from copyplugin.venues.simulated import SimulatedVenue
from simexchange.clock import SystemClock as ExchangeClock
from simexchange.core.commands import CancelAll, Command, Deposit, OpenAccount
from simexchange.core.config import ExchangeConfig
from simexchange.core.events import AccountOpened, CommandRejected, Event
from simexchange.core.exchange import Exchange
from simexchange.core.types import MONEY_SCALE, Wallet
from simexchange.market.audit import residue
from simexchange.market.world import World, build_world
from simexchange.simulation import Simulation
from web.demo.cast import LEADERS
from web.demo.served import HostVenue, ServedExchange
from web.demo.threads import LoopThread

CHECK_EVERY_COMMANDS = 100_000


@dataclass(frozen=True, kw_only=True)
class VenuesWord:
    """What the exchange says, to be compared with our books; all of the same moment."""

    held: Mapping[tuple[AccountId, Symbol, PositionSide], Contracts]
    owned: Mapping[AccountId, Money]
    leader_fills: Mapping[AccountId, int]
    residue: int
    event_hash: str


class Stage:
    """Opened, started and closed in the order of its methods."""

    def __init__(self, settings: Settings, *, seed: int, over_http: str | None = None) -> None:
        """Take the dialect in which exchange and plugin talk; None: they call each other."""
        self._settings = settings
        self._seed = seed
        self.over_http = over_http
        self._thread = LoopThread("engine")
        self._exchange_thread = self._thread if over_http is None else LoopThread("exchange")
        self._world: World | None = None
        self._venue: SimulatedVenue | None = None
        self._served: ServedExchange | None = None
        self._wired: HostVenue | None = None
        self._plugin: CopyPlugin | None = None
        self._market: asyncio.Task[None] | None = None
        self._stop_market: asyncio.Event | None = None

    # -- up

    def open_exchange(self) -> None:
        """Open exchange, accounts and books; nothing moves yet."""
        self._exchange_thread.run(self._open_exchange())

    async def _open_exchange(self) -> None:
        config = ExchangeConfig(check_every=CHECK_EVERY_COMMANDS)
        simulation = Simulation(Exchange(config), ExchangeClock())
        self._world = build_world(simulation, seed=self._seed, leaders=LEADERS)
        self._venue = SimulatedVenue(simulation)
        if self.over_http is None:
            return
        self._served = ServedExchange(simulation, self.over_http, seed=self._seed)
        await self._served.open()
        for number in self._world.leaders.values():
            self._served.give_key(number, may_trade=False)

    def start_plugin(self) -> CopyPlugin:
        async def start() -> CopyPlugin:
            assert self._venue is not None
            venue: Venue = self._venue
            if self._served is not None:
                venue = self._wired = self._served.venue()
            plugin = CopyPlugin(self._settings, venue, SystemClock())
            await plugin.start()
            return plugin

        self._plugin = self._thread.run(start())
        return self._plugin

    def start_market(self) -> None:
        """Let prices move and everybody trade, at the pace of the clock."""
        self._exchange_thread.call(self._start_market)

    def _start_market(self) -> None:
        self._stop_market = asyncio.Event()
        self._market = asyncio.create_task(self.world.driver.run(self._stop_market))

    # -- while it runs

    @property
    def world(self) -> World:
        assert self._world is not None, "the exchange is not open"
        return self._world

    @property
    def failure(self) -> BaseException | None:
        """Return what the market broke on; None while it moves."""
        if self._market is None or not self._market.done() or self._market.cancelled():
            return None
        return self._market.exception()

    def open_account(self, label: str, spot: Money) -> AccountId:
        """Open an account with money in its spot wallet."""
        return self._exchange_thread.call(lambda: self._open_account(label, spot))

    def _open_account(self, label: str, spot: Money) -> AccountId:
        opened = self._apply(OpenAccount(label=label))[0]
        assert isinstance(opened, AccountOpened)
        self._apply(Deposit(opened.account, Wallet.SPOT, int(spot) * MONEY_SCALE))
        if self._served is not None:
            self._served.give_key(opened.account, may_trade=True)
        return AccountId(str(opened.account))

    def stop_leaders(self) -> None:
        """Let the leaders trade no more; the others and the prices go on."""
        self._exchange_thread.call(self._stop_leaders)

    def _stop_leaders(self) -> None:
        driver = self.world.driver
        leaders = set(self.world.leaders.values())
        driver.traders = tuple(trader for trader in driver.traders if trader.account not in leaders)
        for account in leaders:
            self._apply(CancelAll(account))

    def leader_fills(self) -> Mapping[AccountId, int]:
        """Return how many fills each leader has had."""
        return self._exchange_thread.run(self._leader_fills())

    async def _leader_fills(self) -> dict[AccountId, int]:
        assert self._venue is not None
        leaders = [AccountId(str(number)) for number in self.world.leaders.values()]
        return {account: len(await self._venue.leader_fills(account, None)) for account in leaders}

    def venues_word(self) -> VenuesWord:
        """Return what the exchange says of every account, after checking all its invariants."""
        return self._exchange_thread.run(self._venues_word())

    async def _venues_word(self) -> VenuesWord:
        assert self._venue is not None
        exchange = self.world.simulation.exchange
        exchange.check()
        subs = [
            AccountId(str(number))
            for number in exchange.accounts
            if exchange.account(number).owner is not None
        ]
        balances = {account: await self._venue.balance(account) for account in subs}
        return VenuesWord(
            held={
                (account, position.symbol, position.position_side): position.contracts
                for account in subs
                for position in await self._venue.positions(account)
                if position.contracts
            },
            owned={account: balance.contract_wallet for account, balance in balances.items()},
            leader_fills=await self._leader_fills(),
            residue=residue(exchange),
            event_hash=exchange.event_hash,
        )

    # -- down

    def stop_plugin(self) -> None:
        if self._plugin is not None:
            self._thread.run(self._plugin.stop())
            self._plugin = None
        if self._wired is not None:
            self._thread.run(self._wired.close())
            self._wired = None

    def close_exchange(self) -> None:
        self._exchange_thread.run(self._close_exchange())
        for thread in {self._thread, self._exchange_thread}:
            thread.stop()

    async def _close_exchange(self) -> None:
        if self._market is not None and self._stop_market is not None:
            self._stop_market.set()
            await asyncio.wait([self._market])
        if self._served is not None:
            await self._served.close()
        if self._venue is not None:
            self._venue.close()

    def _apply(self, command: Command) -> list[Event]:
        events = self.world.simulation.apply(command)
        for event in events:
            assert not isinstance(event, CommandRejected), event.message
        return events
