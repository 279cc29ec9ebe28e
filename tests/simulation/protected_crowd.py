"""A crowd whose follows have a stop loss, and the laws that hold for it at every step."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction

from sqlalchemy import select

from copyplugin.domain.order import CopyOrderState
from copyplugin.domain.plan_order import OPEN_PLANS
from copyplugin.store.rows import (
    AlarmRow,
    CopyOrderRow,
    FollowRow,
    LaneRow,
    PlanOrderRow,
)
from simexchange.core.commands import CancelPlanOrder, ForceReject
from simexchange.core.types import PositionSide
from simexchange.core.views import PlanView
from tests.simulation.crowd import JOBS, LEGS, Crowd

AMOUNT = 5000
NEVER_LONGER = timedelta(seconds=5)


@dataclass
class ProtectedCrowd(Crowd):
    """Stops lie near, so that they fire; the venue or somebody else takes plans away at times."""

    take_profit: str = "0.0004"
    stop_loss: str = "0.0001"
    disturbances: bool = True
    venue_answers: bool = True  # at once, so that a stop is never missing for long
    bare_since: dict[tuple[int, str, PositionSide], datetime] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.terms = {"take_profit": self.take_profit, "stop_loss": self.stop_loss}
        for leader in self.leaders:  # no stop lies beyond liquidation
            for symbol in self.market.prices:
                self.market.set_leverage(leader, symbol, 2)

    async def step(self) -> None:
        if self.disturbances:
            self.disturb()
        for _ in range(3):
            await self.second()
        self.move()
        await self.live(self.plugin.settle)
        for job in JOBS:
            if self.random.random() < 0.3:
                await self.live(self.plugin.dispatcher.run, job)
        await self.second()

    async def second(self) -> None:
        """Let a second pass; the job of protection runs every fifth."""
        self.market.clock.advance(seconds=1)
        await self.live(self.plugin.settle)
        if int(self.plugin.clock.now().timestamp()) % 5 == 0:
            await self.live(self.plugin.dispatcher.run, "protect")
        self.check_safety()
        if self.venue_answers:
            self.watch_stops()

    def disturb(self) -> None:
        accounts = self.sub_accounts()
        if not accounts:
            return
        account = self.random.choice(accounts)
        chance = self.random.random()
        if chance < 0.15:
            self.market.apply(ForceReject(account, "fire", 1))
        elif chance < 0.3:
            for view in self.market.exchange.open_plans(account)[:1]:
                self.market.apply(CancelPlanOrder(account, view.symbol, view.plan_id))

    def sub_accounts(self) -> list[int]:
        with self.plugin.database.read() as session:
            found = session.scalars(select(FollowRow.sub_account).order_by(FollowRow.id))
            return [int(account) for account in found if account is not None]

    # -- the laws

    def stops(self, account: int, symbol: str, leg: PositionSide) -> list[int]:
        """Return the triggers, in ticks, of what would stop a loss of this position."""
        position = self.market.exchange.position(account, symbol, leg)
        entry = position.average_entry_price
        assert entry is not None
        falls = leg is PositionSide.LONG
        return [
            view.trigger_price
            for view in self.market.exchange.open_plans(account, symbol)
            if view.position_side is leg and (view.trigger_price < entry) is falls
        ]

    def watch_stops(self) -> None:
        """A position is never without its stop for longer than the job's period."""
        now, bare = self.plugin.clock.now(), dict(self.bare_since)
        self.bare_since = {}
        for account in self.sub_accounts():
            for symbol in self.market.prices:
                for leg in LEGS:
                    held = self.market.exchange.position(account, symbol, leg).contracts
                    if held and not self.stops(account, symbol, leg):
                        key = (account, symbol, leg)
                        self.bare_since[key] = bare.get(key, now)
                        assert now - self.bare_since[key] <= NEVER_LONGER, key

    def check_safety(self) -> None:
        """Nothing at the venue could open; lanes are what the venue holds, but for unread fires."""
        self.market.exchange.check()
        for account in self.sub_accounts():
            for view in self.market.exchange.open_plans(account):
                assert view.close_position
                position = self.market.exchange.position(account, view.symbol, view.position_side)
                assert position.contracts * int(view.position_side) * view.side < 0
        with self.plugin.database.read() as session:
            plans: dict[int, list[str]] = {}
            for plan in session.scalars(
                select(PlanOrderRow).where(PlanOrderRow.state.in_(OPEN_PLANS))
            ):
                plans.setdefault(plan.lane_id, []).append(plan.client_order_id)
            sent = set(
                session.scalars(
                    select(CopyOrderRow.lane_id).where(CopyOrderRow.state == CopyOrderState.SENT)
                )
            )
            for lane, follow in session.execute(
                select(LaneRow, FollowRow).join(FollowRow, FollowRow.id == LaneRow.follow_id)
            ):
                account, leg = int(follow.sub_account), PositionSide[lane.position_side.name]
                held = self.market.exchange.position(account, lane.symbol, leg).contracts
                if held == lane.actual or lane.id in sent:
                    continue
                fires = [
                    self.market.exchange.order_by_client_id(account, name)
                    for name in plans.get(lane.id, [])
                ]
                unread = sum(order.filled for order in fires if order is not None)
                assert lane.actual - held == unread, (lane, held, unread)

    def check_protected(self) -> None:
        """Each open position has one stop and one take profit, where its own fills put them.

        A long whose stop no price brings about any more, because so little of it is left, may keep
        the nearer one of before.
        """
        for account in self.sub_accounts():
            seen = []
            for position in self.market.exchange.positions(account):
                instrument = self.market.exchange.instrument(position.symbol)
                base = abs(position.contracts) * Fraction(instrument.contract_size)
                entry = position.average_entry_price
                assert entry is not None
                rises = position.position_side is PositionSide.LONG
                for ratio, up in ((self.take_profit, rises), (self.stop_loss, not rises)):
                    distance = AMOUNT * Fraction(ratio) / base / Fraction(instrument.tick_size)
                    exact = entry + (distance if up else -distance)
                    trigger = exact // 1 if up else -(-exact // 1)
                    if trigger > 0:
                        seen.append((position.symbol, position.position_side, trigger))
            resting = [
                (view.symbol, view.position_side, view.trigger_price)
                for view in self.resting_plans(account)
            ]
            assert sorted(resting) == sorted(seen), account

    def resting_plans(self, account: int) -> list[PlanView]:
        """Return what rests, but for stops of before of longs that no price above 0 can stop."""
        below = dict[tuple[str, PositionSide], Fraction]()
        for position in self.market.exchange.positions(account):
            instrument = self.market.exchange.instrument(position.symbol)
            base = abs(position.contracts) * Fraction(instrument.contract_size)
            entry = position.average_entry_price
            distance = AMOUNT * Fraction(self.stop_loss) / base / Fraction(instrument.tick_size)
            if position.position_side is PositionSide.LONG and entry is not None:
                below[position.symbol, position.position_side] = (
                    entry if entry <= distance else Fraction(0)
                )
        return [
            view
            for view in self.market.exchange.open_plans(account)
            if view.trigger_price >= below.get((view.symbol, view.position_side), 0)
        ]

    def has_recovered(self) -> bool:
        if not super().has_recovered():
            return False
        try:
            self.check_protected()
            self.check_no_alarm()
        except AssertionError:
            return False
        return True

    def count_fires(self) -> int:
        with self.plugin.database.read() as session:
            reasons = session.scalars(select(FollowRow.end_reason))
            return sum("stop loss" in (r or "") or "take profit" in (r or "") for r in reasons)

    def check_no_alarm(self) -> None:
        with self.plugin.database.read() as session:
            alarms = session.scalars(select(AlarmRow).where(AlarmRow.cleared_at.is_(None)))
            assert list(alarms) == []

    def resting(self) -> dict[tuple[int, str, str], set[Decimal]]:
        """Return the triggers that rest, by follower, symbol and side."""
        found: dict[tuple[int, str, str], set[Decimal]] = {}
        for number, account in enumerate(self.sub_accounts()):
            for view in self.resting_plans(account):
                key = (number, view.symbol, view.position_side.name)
                price = self.market.exchange.instrument(view.symbol).ticks_to_price(
                    view.trigger_price
                )
                found.setdefault(key, set()).add(price)
        return found
