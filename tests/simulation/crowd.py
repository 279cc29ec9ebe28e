"""A crowd of followers behind two leaders, taken through a bad day and out of it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from random import Random

from sqlalchemy import select

from copyplugin.dispatch.stepped import SteppedDispatcher
from copyplugin.domain.account import TransferState
from copyplugin.domain.command import CommandKind, CommandState
from copyplugin.domain.follow import COPIES_OPENS, TERMINAL, FollowState
from copyplugin.domain.leader import TradeState
from copyplugin.domain.order import CopyOrderState
from copyplugin.engine.surroundings import Work
from copyplugin.ports import Clock
from copyplugin.store import commands, ledger, settlements
from copyplugin.store.rows import (
    CopiedPositionRow,
    CopyDecisionRow,
    CopyOrderRow,
    FollowRow,
    LaneRow,
    LeaderFillRow,
    LeaderPositionRow,
    LeaderRow,
    TransferRow,
)
from copyplugin.venues.simulated import SimulatedVenue
from simexchange.core.types import MONEY_SCALE, PositionSide, Side
from tests.simulation.copy_world import AMPLE, Market, Plugin
from tests.simulation.decisions_again import check_decisions_again
from tests.simulation.faults import Faults, FaultyDatabase, FaultyVenue, ProcessKilled
from tests.simulation.overlapping import OverlappingDispatcher, WorldDispatcher

JOBS = ("copy", "close ended", "settle", "reconcile")
FIGURES = ("position data", "statistics")
PAGES = (*FIGURES, "marks", "ledger")
ENDS_BY_HAND = COPIES_OPENS | {FollowState.WINDING_DOWN, FollowState.HANDED_OVER}
PASSING = frozenset(
    {FollowState.STARTING, FollowState.CLOSING, FollowState.SETTLING, FollowState.ABORTING}
)
LEGS = (PositionSide.LONG, PositionSide.SHORT)
SPOT = 10_000


@dataclass
class Crowd:
    """One world. `steps` are the leaders' moves; the same seed gives the same moves."""

    seed: int
    faults: Faults
    modes: tuple[str, ...] = ("fixed", "fixed", "proportional")
    prices_move: bool = False
    jump: int = 20  # thousandths: how far a price moves at most
    patience: bool = True  # orders do not expire, follows are not aborted
    terms: dict[str, object] = field(default_factory=dict)  # of every follow, beside its mode
    each: tuple[dict[str, object], ...] = ()  # of one follow each, in their order
    leader_terms: dict[str, object] = field(default_factory=dict)
    holds_shares: bool = False  # in escrow, for ten minutes
    url: str | None = None  # of the database; None: a file that worlds share
    shows_figures: bool = False  # what pages show is reckoned too, at every start
    overlapping: bool = False  # the engine works on while calls to the venue are out
    market: Market = field(init=False)
    plugin: Plugin = field(init=False)
    kills: int = 0

    def __post_init__(self) -> None:
        self.random = Random(self.seed)
        self.market = Market()
        for symbol in self.market.prices:
            self.stand_by(symbol)
        self.leaders = [self.market.open_account(f"leader {n}", contract=AMPLE) for n in range(2)]
        self.followers = [
            self.market.open_account(f"follower {n}", spot=SPOT * MONEY_SCALE)
            for n in range(len(self.modes))
        ]
        self.venue = FaultyVenue(SimulatedVenue(self.market.simulation), self.faults)
        lasting = (
            {
                "open_attempts": 100,
                "open_expiry_seconds": 3600,
                "signal_late_seconds": 86400,
                "unreachable_abort_seconds": 86400,
                "refusals_to_abort": 1000,
            }
            if self.patience
            else {"open_attempts": 3, "unreachable_abort_seconds": 30, "refusals_to_abort": 5}
        )
        if self.holds_shares:
            self.escrow = self.market.open_account("escrow")
            lasting |= {"share_escrow_seconds": 600, "escrow_account": str(self.escrow)}
        lasting |= {"share_period_seconds": 60}
        left_out = frozenset[str]() if self.shows_figures else frozenset({Work.FIGURES})
        make_dispatcher: Callable[[Clock], SteppedDispatcher] = partial(
            WorldDispatcher, left_out=left_out
        )
        if self.overlapping:
            pace = Random(self.seed + 2000)
            make_dispatcher = partial(OverlappingDispatcher, left_out=left_out, random=pace)
            self.faults.hold = self._hold
        self.plugin = Plugin(
            None, self.market, venue=self.venue, url=self.url, make_dispatcher=make_dispatcher,
            **lasting,
        )  # fmt: skip
        self._keys = 0

    async def _hold(self) -> None:
        assert isinstance(self.plugin.dispatcher, OverlappingDispatcher)
        await self.plugin.dispatcher.hold()

    # -- the market

    def stand_by(self, symbol: str) -> None:
        """Offer plenty, one tick beside the price, for whoever comes late."""
        price = self.market.prices[symbol]
        tick = self.market.exchange.instrument(symbol).tick_size
        self.market.offer(symbol, Side.SELL, 1_000_000, price + tick)
        self.market.offer(symbol, Side.BUY, 1_000_000, price - tick)

    def cross(self, account: int, symbol: str, side: Side, contracts: int, leg: PositionSide):
        """Trade a leader's order with what stands by: at once and whole."""
        price = self.market.prices[symbol]
        tick = self.market.exchange.instrument(symbol).tick_size
        worst = price + tick if side is Side.BUY else price - tick
        self.market.trade(account, symbol, side, contracts, leg, price=worst)

    def move(self) -> None:
        """Let one leader do something."""
        leader = self.random.choice(self.leaders)
        symbol = self.random.choice(list(self.market.prices))
        leg = self.random.choice(LEGS)
        held = self.market.exchange.position(leader, symbol, leg).contracts
        opening = Side.BUY if leg is PositionSide.LONG else Side.SELL
        if held and self.random.random() < 0.5:
            contracts = held if self.random.random() < 0.4 else self.random.randint(1, held)
            self.cross(leader, symbol, Side(-opening), contracts, leg)
        else:
            self.cross(leader, symbol, opening, self.random.randint(1, 9), leg)
        if self.prices_move and self.random.random() < 0.4:
            self.move_price(symbol)

    def move_price(self, symbol: str) -> None:
        moved = Decimal(self.random.randint(-self.jump, self.jump)) / 1000
        instrument = self.market.exchange.instrument(symbol)
        price = self.market.prices[symbol] * (1 + moved)
        price = price // instrument.tick_size * instrument.tick_size
        self.market.cancel_offers(symbol)
        self.market.set_price(symbol, price)
        self.stand_by(symbol)

    # -- the process

    async def live(self, work, *arguments) -> None:
        """Do something in the plugin's process; whenever that dies, start it again."""
        try:
            await work(*arguments)
        except ProcessKilled:
            await self.restart()

    async def restart(self) -> None:
        while True:
            self.kills += 1
            await self.plugin.die()
            self._open()
            try:
                await self.plugin.engine.start()
                await self.plugin.settle()
            except ProcessKilled:
                continue
            return

    def _open(self) -> None:
        self.plugin.open(lambda database: FaultyDatabase(database, self.faults))

    async def start(self) -> None:
        healed, self.faults.is_healed = self.faults.is_healed, True
        await self.plugin.start()
        for leader in self.leaders:
            await self.plugin.add_leader(leader, **self.leader_terms)
        await self.plugin.die()
        self.faults.is_healed = healed
        self._open()
        await self.live(self.plugin.engine.start)
        await self.live(self.plugin.settle)
        for number, (mode, follower) in enumerate(zip(self.modes, self.followers, strict=True)):
            await self.insist(CommandKind.REGISTER_FOLLOWER, account=str(follower))
            await self.insist(
                CommandKind.START_FOLLOW,
                leader_id=1 + number % 2,
                follower_id=number + 1,
                mode=mode,
                copy_amount="5000",
                instruments=["BTCUSDT", "SOLUSDT"],
                **self.terms,
                **(self.each[number] if self.each else {}),
            )

    async def insist(self, kind: CommandKind, **arguments: object) -> None:
        """Ask again with a new key while the answer is no: a bad line refuses a start at once."""
        for _ in range(100):
            if await self.submit(kind, **arguments) is CommandState.DONE:
                return
        raise AssertionError(f"{kind} never succeeded")

    async def submit(self, kind: CommandKind, **arguments: object) -> CommandState:
        """Submit a command and wait for its answer, through any number of restarts."""
        self._keys += 1
        row = self.plugin.database.write_and_wait(
            lambda s: commands.submit_command(
                s,
                kind,
                arguments,
                actor="administrator:test",
                idempotency_key=f"key {self._keys}",
                at=self.plugin.clock.now(),
            )
        )
        for _ in range(200):
            self.plugin.dispatcher.announce(Work.COMMANDS)
            await self.live(self.plugin.settle)
            state = self.plugin.answer(row.id).state
            if state is not CommandState.PENDING:
                return state
            await self.pass_time(1)
        raise AssertionError(f"{kind} was never answered")

    async def pass_time(self, seconds: int) -> None:
        self.market.clock.advance(seconds=seconds)
        await self.live(self.plugin.settle)
        await self.live(self.plugin.dispatcher.run, "copy")

    async def step(self) -> None:
        """One move of a leader, and what the plugin makes of it."""
        self.move()
        await self.live(self.plugin.settle)
        for job in (*JOBS, *FIGURES):
            if self.random.random() < 0.3 and (self.shows_figures or job not in FIGURES):
                await self.live(self.plugin.dispatcher.run, job)
        self.market.clock.advance(seconds=1)
        await self.live(self.plugin.settle)
        self.check_safety()

    async def recover(self, rounds: int = 4) -> None:
        """Heal the line and give the plugin time to catch up: no more rounds than it needs."""
        self.faults.heal()
        if isinstance(self.plugin.dispatcher, OverlappingDispatcher):
            await self.plugin.dispatcher.let_all_back()
        await self.live(self.plugin.settle)
        for _ in range(rounds):
            await self.pass_time(31)
            for job in self.plugin.dispatcher.jobs:
                if self.shows_figures or job not in PAGES:
                    await self.plugin.dispatcher.run(job)
            if self.has_recovered():
                return

    def has_recovered(self) -> bool:
        """Return whether nothing is left to be done: then another round changes nothing."""
        try:
            self.check_alive()
            self.check_feed()
        except AssertionError:
            return False
        with self.plugin.database.read() as session:
            passing = session.scalars(select(FollowRow.id).where(FollowRow.state.in_(PASSING)))
            due = settlements.positions_due(session)
            return not (list(passing) or due)

    # -- the laws

    def check_safety(self) -> None:
        """Nothing twice, the books add up, the venue holds what settled lanes say."""
        self.check_books()
        self.check_held()

    def check_books(self) -> None:
        self.market.exchange.check()
        with self.plugin.database.read() as session:
            ledger.verify(session)

    def check_held(self) -> None:
        with self.plugin.database.read() as session:
            sent = {
                order.lane_id
                for order in session.scalars(
                    select(CopyOrderRow).where(CopyOrderRow.state == CopyOrderState.SENT)
                )
            }
            lanes = session.execute(
                select(LaneRow, FollowRow).join(FollowRow, FollowRow.id == LaneRow.follow_id)
            )
            for lane, follow in lanes:
                assert follow.sub_account is not None
                if lane.id not in sent:
                    leg = PositionSide[lane.position_side.name]
                    held = self.market.exchange.position(int(follow.sub_account), lane.symbol, leg)
                    assert held.contracts == lane.actual, (lane, held)

    def check_alive(self) -> None:
        """Nothing is in doubt, everything is decided, targets are met."""
        self.check_safety()
        with self.plugin.database.read() as session:
            orders = session.scalars(
                select(CopyOrderRow).where(CopyOrderRow.state == CopyOrderState.SENT)
            )
            assert list(orders) == []
            waiting = session.scalars(select(CopyDecisionRow).where(CopyDecisionRow.pending))
            assert list(waiting) == []
            for lane in session.scalars(select(LaneRow)):
                assert lane.target == lane.actual, lane
                assert not lane.marked, lane
            planned = session.scalars(
                select(TransferRow).where(TransferRow.state == TransferState.PLANNED)
            )
            assert list(planned) == []

    def check_feed(self) -> None:
        """Every fill of every leader is stored once, and his legs are what he holds."""
        with self.plugin.database.read() as session:
            for leader in session.scalars(select(LeaderRow)):
                account = int(leader.account)
                told = {
                    str(fill.execution_id)
                    for fill in self.market.simulation.history.executions(account, limit=100_000)
                }
                stored = session.scalars(
                    select(LeaderFillRow.venue_fill_id).where(LeaderFillRow.leader_id == leader.id)
                )
                assert sorted(stored) == sorted(told)
                for row in session.scalars(
                    select(LeaderPositionRow).where(LeaderPositionRow.leader_id == leader.id)
                ):
                    leg = PositionSide[row.position_side.name]
                    held = self.market.exchange.position(account, row.symbol, leg)
                    assert held.contracts == row.contracts

    def holdings(self) -> dict[tuple[int, str, str], int]:
        """Return what each follower's lanes hold."""
        with self.plugin.database.read() as session:
            rows = session.execute(
                select(LaneRow, FollowRow.follower_id).join(
                    FollowRow, FollowRow.id == LaneRow.follow_id
                )
            )
            return {
                (follower_id, lane.symbol, lane.position_side.value): lane.actual
                for lane, follower_id in rows
                if lane.actual
            }

    def open_position(self, follow_id: int) -> int | None:
        """Return the first copied position that a follow has open."""
        with self.plugin.database.read() as session:
            return session.scalar(
                select(CopiedPositionRow.id)
                .where(
                    CopiedPositionRow.follow_id == follow_id,
                    CopiedPositionRow.state == TradeState.OPEN,
                )
                .order_by(CopiedPositionRow.id)
                .limit(1)
            )

    def live_follows(self) -> list[int]:
        """Return the follows that copy opens, by number."""
        with self.plugin.database.read() as session:
            copying = select(FollowRow.id).where(FollowRow.state.in_(COPIES_OPENS))
            return list(session.scalars(copying.order_by(FollowRow.id)))

    def check_decisions(self) -> None:
        """Every decision comes out as recorded when it is taken again, whatever failed (N12)."""
        check_decisions_again(self.plugin)

    async def end_all(self) -> None:
        with self.plugin.database.read() as session:
            ending = select(FollowRow.id).where(FollowRow.state.in_(ENDS_BY_HAND))
            ending_now = list(session.scalars(ending.order_by(FollowRow.id)))
        for follow_id in ending_now:
            await self.submit(CommandKind.END_FOLLOW, follow_id=follow_id, how="close_now")
        await self.recover()

    def check_money_home(self) -> None:
        """Every follow is over, its sub-account is empty, and the books say where all went."""
        with self.plugin.database.read() as session:
            balances = ledger.balances(session)
            for follow in session.scalars(select(FollowRow)):
                assert follow.state in TERMINAL, follow
                if follow.sub_account is not None:
                    account = self.market.exchange.account(int(follow.sub_account))
                    assert (account.spot_balance, account.contract_balance) == (0, 0)
                assert balances.get(f"sub:{follow.id}", 0) == 0
        for account in self.followers:
            assert self.market.spot(account) == SPOT + balances.get(f"main:{account}", 0)
        for account in self.leaders:
            assert self.market.spot(account) == balances.get(f"leader:{account}", 0)
