"""A whole small world: an exchange, leaders, followers, the engine, and time that a test moves."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from copyplugin.dispatch.stepped import SteppedDispatcher
from copyplugin.domain.command import CommandKind
from copyplugin.domain.identifiers import AccountId, CommandId
from copyplugin.domain.money import Ratio
from copyplugin.engine.engine import Engine
from copyplugin.engine.surroundings import Surroundings, Work
from copyplugin.ports import Clock, Venue
from copyplugin.settings import Settings
from copyplugin.store import commands
from copyplugin.store import settings as stored_settings
from copyplugin.store.database import Database, open_database
from copyplugin.store.rows import CommandRow
from copyplugin.venues.paper import PaperSettings, PaperVenue
from copyplugin.venues.routed import RoutedVenue
from copyplugin.venues.simulated import SimulatedVenue
from simexchange.clock import ManualClock
from simexchange.core.commands import (
    CancelAll,
    Command,
    Deposit,
    ListInstrument,
    OpenAccount,
    PlaceOrder,
    SetIndex,
    SetLeverage,
    SetMark,
    SetPositionMode,
)
from simexchange.core.events import AccountOpened, CommandRejected, Event, OrderRejected
from simexchange.core.exchange import Exchange
from simexchange.core.instrument import Instrument
from simexchange.core.types import (
    MONEY_SCALE,
    OrderKind,
    PositionMode,
    PositionSide,
    Side,
    TimeInForce,
    Wallet,
)
from simexchange.simulation import Simulation
from tests.world_files import WorldFile, world_files

START = datetime(2026, 1, 5, 12, tzinfo=UTC)
BTC = Instrument(
    symbol="BTCUSDT", base="BTC", tick_size=Decimal("0.1"), contract_size=Decimal("0.001")
)
SOL = Instrument(
    symbol="SOLUSDT", base="SOL", tick_size=Decimal("0.01"), contract_size=Decimal("0.1")
)
PRICES = {"BTCUSDT": Decimal(60_000), "SOLUSDT": Decimal(150)}
AMPLE = 10**9 * MONEY_SCALE


class ExchangeClock:
    """The exchange's manual clock as the plugin sees it."""

    def __init__(self, clock: ManualClock) -> None:
        self._clock = clock
        self.was_set_by = timedelta(0)
        """Somebody has set the computer's clock by so much."""

    def now(self) -> datetime:
        passed = timedelta(microseconds=self._clock.now())
        return datetime(1970, 1, 1, tzinfo=UTC) + passed + self.was_set_by


class Market:
    """An exchange with two instruments, and a counterparty that offers whatever is asked for."""

    def __init__(self) -> None:
        self.clock = ManualClock(int(START.timestamp()) * 1_000_000)
        self.exchange = Exchange()
        self.simulation = Simulation(self.exchange, self.clock)
        for instrument in (BTC, SOL):
            self.apply(ListInstrument(instrument))
            self.apply(SetIndex(instrument.symbol, self.ticks(instrument.symbol)))
        self.counterparty = self.open_account("counterparty", contract=AMPLE)
        self.prices = dict(PRICES)

    def apply(self, command: Command) -> list[Event]:
        events = self.simulation.apply(command)
        refused = [event for event in events if isinstance(event, CommandRejected | OrderRejected)]
        assert not refused, refused
        return events

    def open_account(
        self,
        label: str,
        *,
        spot: int = 0,
        contract: int = 0,
        mode: PositionMode = PositionMode.HEDGE,
    ) -> int:
        opened = self.apply(OpenAccount(label=label))[0]
        assert isinstance(opened, AccountOpened)
        if spot:
            self.apply(Deposit(opened.account, Wallet.SPOT, spot))
        if contract:
            self.apply(Deposit(opened.account, Wallet.CONTRACT, contract))
        if mode is PositionMode.HEDGE:
            self.apply(SetPositionMode(opened.account, mode))
        return opened.account

    def ticks(self, symbol: str, price: Decimal | None = None) -> int:
        instrument = self.exchange.instrument(symbol)
        return instrument.price_to_ticks(PRICES[symbol] if price is None else price)

    def set_price(self, symbol: str, price: Decimal) -> None:
        """Move index and mark; the counterparty's offers stay where they are."""
        self.prices[symbol] = price
        self.apply(SetIndex(symbol, self.ticks(symbol, price)))
        self.apply(SetMark(symbol, self.ticks(symbol, price)))

    def offer(self, symbol: str, side: Side, contracts: int, price: Decimal | None = None) -> None:
        """Let the counterparty buy or sell so many contracts, at the price of now by default."""
        leg = PositionSide.LONG if side is Side.BUY else PositionSide.SHORT
        self.apply(
            PlaceOrder(
                self.counterparty,
                symbol,
                side,
                contracts,
                OrderKind.LIMIT,
                self.ticks(symbol, self.prices[symbol] if price is None else price),
                position_side=leg,
            )
        )

    def cancel_offers(self, symbol: str) -> None:
        self.apply(CancelAll(self.counterparty, symbol))

    def trade(
        self,
        account: int,
        symbol: str,
        side: Side,
        contracts: int,
        leg: PositionSide,
        *,
        price: Decimal | None = None,
        time_in_force: TimeInForce = TimeInForce.GTC,
    ) -> None:
        """Place a limit order of a leader, at the price of now by default."""
        self.apply(
            PlaceOrder(
                account,
                symbol,
                side,
                contracts,
                OrderKind.LIMIT,
                self.ticks(symbol, self.prices[symbol] if price is None else price),
                time_in_force=time_in_force,
                position_side=leg,
            )
        )

    def set_leverage(self, account: int, symbol: str, leverage: int) -> None:
        self.apply(SetLeverage(account, symbol, leverage))

    def spot(self, account: int) -> Decimal:
        return Decimal(self.exchange.account(account).spot_balance).scaleb(-8)


class Plugin:
    """The engine on a database of its own, stepped by hand.

    The database is the one at `url`, else a file that worlds share; the folder holds play money.
    """

    def __init__(
        self,
        folder: Path | None,
        market: Market,
        *,
        venue: Venue | None = None,
        paper: bool = False,
        url: str | None = None,
        make_dispatcher: Callable[[Clock], SteppedDispatcher] = SteppedDispatcher,
        **settings: object,
    ) -> None:
        self.market = market
        self.file: WorldFile | None = None
        if url is None:
            self.file = world_files().take()
            url = self.file.url
        self.url = url
        self.venue = venue or SimulatedVenue(market.simulation)
        self.settings = Settings(database_url=self.url, **settings)  # type: ignore[arg-type]
        self.clock = ExchangeClock(market.clock)
        self.make_dispatcher = make_dispatcher
        self.keys = 0
        self.paper_folder = folder / "paper" if paper else None
        self.paper: PaperVenue | None = None
        self.open()

    def open(self, wrap: Callable[[Database], Database] = lambda database: database) -> None:
        """Start a process: nothing is left of an earlier one but the rows."""
        database = self.file.hold() if self.file is not None else open_database(self.url)
        self.database: Database = wrap(database)
        self.dispatcher = self.make_dispatcher(self.clock)
        venue = self.venue
        if self.paper_folder is not None:
            self.paper = self.make_paper(self.paper_folder)
            venue = RoutedVenue(self.venue, self.paper)
        self.engine = Engine(
            Surroundings(
                settings=self.settings,
                database=self.database,
                venue=venue,
                clock=self.clock,
                dispatcher=self.dispatcher,
                has_paper=self.paper is not None,
            )
        )

    def make_paper(self, folder: Path) -> PaperVenue:
        settings = PaperSettings(directory=folder, slippage=Ratio(self.settings.paper_slippage))
        return PaperVenue(self.venue, self.clock, settings)

    async def start(self) -> None:
        self.database.write_and_wait(
            lambda s: stored_settings.put_setting(
                s, stored_settings.IS_OPEN_SCALE, "1", changed_by="test", at=START
            )
        )
        await self.engine.start()
        await self.dispatcher.settle()

    async def settle(self) -> None:
        await self.dispatcher.settle()

    async def run_jobs(self, *names: str) -> None:
        for name in names or self.dispatcher.jobs:
            await self.dispatcher.run(name)

    async def command(
        self, kind: CommandKind, *, actor: str = "administrator:test", **arguments: object
    ) -> CommandRow:
        """Submit a command and work until it is answered."""
        self.keys += 1
        row = self.database.write_and_wait(
            lambda s: commands.submit_command(
                s,
                kind,
                arguments,
                actor=actor,
                idempotency_key=f"key-{self.keys}",
                at=self.clock.now(),
            )
        )
        self.dispatcher.announce(Work.COMMANDS)
        await self.settle()
        return self.answer(row.id)

    def answer(self, command_id: CommandId) -> CommandRow:
        with self.database.read() as session:
            return commands.get_command(session, command_id)

    async def add_leader(self, account: int, **terms: object) -> int:
        given: Mapping[str, object] = {
            "nickname": f"leader {account}",
            "instruments": ["BTCUSDT", "SOLUSDT"],
            "max_copy_amount": "100000",
        } | terms
        row = await self.command(CommandKind.ADD_LEADER, account=AccountId(str(account)), **given)
        assert row.result, row.message
        return row.result["leader_id"]

    async def follow(self, leader_id: int, account: int, **terms: object) -> CommandRow:
        registered = await self.command(CommandKind.REGISTER_FOLLOWER, account=str(account))
        assert registered.result, registered.message
        given: Mapping[str, object] = {
            "mode": "fixed",
            "copy_amount": "1000",
            "instruments": ["BTCUSDT", "SOLUSDT"],
        } | terms
        return await self.command(
            CommandKind.START_FOLLOW,
            leader_id=leader_id,
            follower_id=registered.result["follower_id"],
            **given,
        )

    async def die(self) -> None:
        """End the process where it stands."""
        await self.dispatcher.kill()
        await self.engine.feed.stop()
        self._let_go()

    def close(self) -> None:
        self._let_go()
        if self.file is not None:
            world_files().give_back(self.file)

    def _let_go(self) -> None:
        self.database.close()
        if self.paper is not None:
            self.paper.close()
