"""Plan orders of one follow inside one transaction: what is known now, and what to do next.

Every plan order is a row before the venue hears of it. One that may have arrived is asked for
before it is sent again; a better one rests before the old one is withdrawn.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from copyplugin.domain.client_order_id import plan_order_id
from copyplugin.domain.command import EndHow
from copyplugin.domain.follow import ALLOWED, EndKind, FollowState
from copyplugin.domain.follow_limits import LimitHit
from copyplugin.domain.identifiers import AccountId, ClientOrderId, PlanOrderId
from copyplugin.domain.instrument import Instrument
from copyplugin.domain.money import Price, Ratio
from copyplugin.domain.order import OrderReport, OrderStatus
from copyplugin.domain.plan_order import (
    AT_VENUE,
    PlanReport,
    PlanRequest,
    PlanState,
    PlanStatus,
)
from copyplugin.domain.protection import (
    PlanKind,
    direction_of,
    trigger_price,
)
from copyplugin.domain.reject_reason import RejectReason
from copyplugin.engine.fired_orders import book_fired
from copyplugin.engine.follow_limits import words_of
from copyplugin.engine.protection_alarms import Alarms, protected_position
from copyplugin.engine.protection_steps import (
    AmendPlan,
    PlacePlan,
    PlanInDoubt,
    PlanRefused,
    PlanRests,
    PlanWithdrawn,
    Step,
    StepOutcome,
    WithdrawPlan,
)
from copyplugin.engine.surroundings import Surroundings
from copyplugin.store import follows, protection
from copyplugin.store.database import Session
from copyplugin.store.protection import Guarded, GuardedLane
from copyplugin.store.rows import CopiedPositionRow, PlanOrderRow

DOUBT_PAUSE = timedelta(seconds=1)
"""So long after an unknown outcome the venue is asked what became of it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Seen:
    """What the venue says of plan orders it was asked for, and of the orders they became.

    None: it does not know it. Whatever was not asked for is not in it.
    """

    plans: Mapping[ClientOrderId, PlanReport | None] = field(
        default_factory=dict[ClientOrderId, PlanReport | None]
    )
    orders: Mapping[ClientOrderId, OrderReport | None] = field(
        default_factory=dict[ClientOrderId, OrderReport | None]
    )


@dataclass(slots=True)
class Result:
    """What a transaction leaves to do."""

    steps: list[Step] = field(default_factory=list[Step])
    shards: set[int] = field(default_factory=set[int])  # with lanes to close
    has_ended: bool = False
    must_reconcile: bool = False
    again_at: datetime | None = None


class PlanBook:
    """`learn` or `note` what came back, then `plan`, then `finish`."""

    def __init__(
        self, session: Session, around: Surroundings, now: datetime, guarded: Guarded
    ) -> None:
        self._session = session
        self._around = around
        self._now = now
        self._guarded = guarded
        self._pause = timedelta(seconds=around.settings.protection_seconds)
        self._result = Result()
        self._unknown: set[PlanOrderId] = set()  # the venue was asked and does not know them
        self._differing: set[PlanOrderId] = set()  # they rest with other terms than asked for
        self._held: set[PlanOrderId] = set()  # just tried: nothing more is done about them now
        self._ending: str | None = None
        self._has_booked = False
        self._wanted: list[tuple[PlanOrderRow, GuardedLane, type[Step]]] = []

    # -- what came back

    def learn(self, seen: Seen) -> None:
        """Note what the venue said when it was asked."""
        for lane in self._guarded.lanes:
            for plan in lane.plans:
                if plan.client_order_id in seen.plans:
                    self._note_answer(lane, plan, seen.plans[plan.client_order_id])
                if plan.state is PlanState.FIRED:
                    self._book_fire(lane, plan, seen)

    def note(self, outcomes: Sequence[StepOutcome]) -> None:
        """Note what became of the steps taken."""
        plans = {plan.id: (lane, plan) for lane in self._guarded.lanes for plan in lane.plans}
        for outcome in outcomes:
            if outcome.plan_id not in plans:
                continue  # it was over before its answer came
            lane, plan = plans[outcome.plan_id]
            self._held.add(plan.id)
            match outcome:
                case PlanRests():
                    plan.attempts, plan.retry_at, plan.reason = 0, None, None
                    self._held.discard(plan.id)
                    self._note_report(lane, plan, outcome.report)
                case PlanRefused():
                    self._note_refusal(plan, outcome)
                case PlanInDoubt():
                    self._again(self._now + DOUBT_PAUSE)
                case PlanWithdrawn():
                    self._end_plan(plan, PlanState.WITHDRAWN, "withdrawn by us")

    def _note_answer(
        self, lane: GuardedLane, plan: PlanOrderRow, report: PlanReport | None
    ) -> None:
        if report is not None:
            self._note_report(lane, plan, report)
        elif plan.state is PlanState.SENT:
            seconds = self._around.venue.capabilities.requests_live_seconds
            plan.decided_at = min(plan.decided_at, self._now)  # the clock may have been set back
            until = plan.decided_at + timedelta(seconds=seconds)
            if until > self._now:  # it may still arrive
                self._again(until)
            else:
                self._unknown.add(plan.id)
        elif plan.state is PlanState.RESTING:
            self._end_plan(plan, PlanState.WITHDRAWN, "the venue knows it no more")

    def _note_report(self, lane: GuardedLane, plan: PlanOrderRow, report: PlanReport) -> None:
        what = f"{plan.kind.words} in {lane.lane.symbol} {lane.lane.position_side}"
        match report.status:
            case PlanStatus.RESTING:
                plan.state = PlanState.RESTING
                plan.resting_price = report.trigger_price
                plan.rested_at = plan.rested_at or self._now
                if report.contracts not in {0, plan.contracts}:
                    self._differing.add(plan.id)
            case PlanStatus.FIRED:
                if plan.state is not PlanState.FIRED:
                    plan.state, plan.ended_at = PlanState.FIRED, self._now
                    self._ending = f"{what} fired"
                    self._again(self._now)  # to learn what its order did
            case PlanStatus.FAILED:
                self._end_plan(plan, PlanState.FAILED, report.reason)
                self._ending = f"{what} fired, and the venue refused its order"
            case PlanStatus.CANCELLED:
                self._end_plan(plan, PlanState.WITHDRAWN, report.reason)

    def _note_refusal(self, plan: PlanOrderRow, outcome: PlanRefused) -> None:
        reason = f"{outcome.reason}: {outcome.sentence}"
        if outcome.reason == RejectReason.ALREADY_THROUGH:
            self._ending = f"the price had passed the {plan.kind.words} already"
        elif outcome.reason == RejectReason.NOT_FOUND:  # it fired, or somebody withdrew it
            self._again(self._now + DOUBT_PAUSE)
            return
        elif outcome.reason == RejectReason.NO_POSITION:
            self._result.must_reconcile = True
        plan.attempts += 1
        plan.reason = reason
        if plan.state is PlanState.SENT:
            plan.state = PlanState.REFUSED
            retry_at = self._now + self._pause
            plan.retry_at = retry_at
            self._again(retry_at)

    def _book_fire(self, lane: GuardedLane, plan: PlanOrderRow, seen: Seen) -> None:
        """Book what the order did that a plan order became; wait where it is not known yet."""
        report = seen.plans.get(plan.client_order_id)
        if report is None:
            return
        if report.fired_order is None:  # the fills will tell
            self._result.must_reconcile = True
            self._end_plan(plan, PlanState.BOOKED, report.reason)
            return
        order = seen.orders.get(report.fired_order)
        is_known = order is not None and order.status is OrderStatus.DONE
        if order is None or not is_known or not lane.is_idle:
            self._again(self._now + DOUBT_PAUSE)
            return
        is_booked = book_fired(
            self._session,
            lane.lane,
            lane.position,
            order,
            self._around,
            client_order_id=plan.client_order_id,
            now=self._now,
        )
        self._result.must_reconcile |= not is_booked
        self._has_booked = True
        self._end_plan(plan, PlanState.BOOKED, report.reason)

    def _end_plan(self, plan: PlanOrderRow, state: PlanState, reason: str) -> None:
        plan.state = state
        plan.reason = reason or None
        plan.ended_at = self._now

    # -- what to do next

    def heed(self, hit: LimitHit | None) -> None:
        """Do what a limit that is reached asks for, beside what it has done itself (P5)."""
        if hit is None:
            return
        if hit.ends_follow:
            self._ending = self._ending or words_of(hit)
        self._result.shards.add(self._guarded.follow.shard)

    def plan(self) -> None:
        """Decide the next step for each plan order that is not as it should be."""
        for lane in self._guarded.lanes:
            position = lane.position if lane.lane.actual > 0 else None
            for plan in list(lane.plans):
                if position is None or plan.copied_position_id != position.id:
                    self._let_go(lane, plan)
            if position is not None:
                for kind in PlanKind:
                    self._plan_kind(lane, position, kind)

    def _plan_kind(self, lane: GuardedLane, position: CopiedPositionRow, kind: PlanKind) -> None:
        plans = [
            plan
            for plan in lane.plans
            if plan.kind is kind
            and plan.copied_position_id == position.id
            and plan.state in AT_VENUE | {PlanState.REFUSED}
        ]
        instrument = self._around.instruments.get(position.symbol)
        ratio = self._ratio(kind)
        wanted = None
        if ratio is not None and instrument is not None:
            wanted = self._trigger(kind, position, instrument, ratio)
        if wanted is None:
            # A stop that no price brings about any more leaves the one that rests: it is nearer.
            if ratio is None or (kind is PlanKind.TAKE_PROFIT and instrument is not None):
                for plan in plans:
                    self._let_go(lane, plan)
        elif not plans:
            self._add_plan(lane, position, kind, wanted)
        elif plans[-1].state is PlanState.RESTING:
            self._keep_right(lane, position, plans, wanted)
        else:
            self._send_again(lane, plans[-1], wanted)

    def _keep_right(
        self,
        lane: GuardedLane,
        position: CopiedPositionRow,
        plans: Sequence[PlanOrderRow],
        wanted: Price,
    ) -> None:
        *older, current = plans
        if self._is_right(lane, current, wanted):
            for plan in older:
                self._let_go(lane, plan)
        elif (
            self._around.venue.capabilities.amends_plans
            and current.trigger_by is self._guarded.terms.trigger_by
            and not current.attempts  # it refused to: then another takes its place
        ):
            current.trigger_price, current.contracts = wanted, lane.lane.actual
            self._want(current, lane, AmendPlan)
        else:
            self._add_plan(lane, position, current.kind, wanted)

    def _is_right(self, lane: GuardedLane, plan: PlanOrderRow, wanted: Price) -> bool:
        return (
            plan.resting_price == wanted
            and plan.contracts == lane.lane.actual
            and plan.trigger_by is self._guarded.terms.trigger_by
            and plan.id not in self._differing
        )

    def _send_again(self, lane: GuardedLane, plan: PlanOrderRow, wanted: Price) -> None:
        """Send one that never arrived under its own name, one that was refused under a new one."""
        if plan.state is PlanState.SENT and plan.id not in self._unknown:
            self._again(self._now + DOUBT_PAUSE)
            return
        if plan.state is PlanState.REFUSED:
            if (
                plan.retry_at is not None
                and self._now < plan.retry_at <= self._now + self._pause
                and plan.trigger_price == wanted
            ):
                self._again(plan.retry_at)
                return
            plan.sequence = protection.next_plan_sequence(self._session, plan.lane_id)
            plan.client_order_id = self._name(plan)
        plan.state = PlanState.SENT
        plan.trigger_price, plan.contracts = wanted, lane.lane.actual
        plan.trigger_by = self._guarded.terms.trigger_by
        plan.decided_at = self._now
        self._want(plan, lane, PlacePlan)

    def _add_plan(
        self, lane: GuardedLane, position: CopiedPositionRow, kind: PlanKind, wanted: Price
    ) -> None:
        sequence = protection.next_plan_sequence(self._session, lane.lane.id)
        plan = PlanOrderRow(
            lane_id=lane.lane.id,
            copied_position_id=position.id,
            kind=kind,
            sequence=sequence,
            client_order_id=plan_order_id(
                lane.lane.id, sequence, prefix=self._around.settings.client_order_prefix
            ),
            contracts=lane.lane.actual,
            trigger_price=wanted,
            trigger_by=self._guarded.terms.trigger_by,
            direction=direction_of(kind, position.position_side),
            decided_at=self._now,
        )
        self._session.add(plan)
        self._session.flush()  # the next one's number follows from it
        lane.plans.append(plan)
        self._want(plan, lane, PlacePlan)

    def _name(self, plan: PlanOrderRow) -> ClientOrderId:
        prefix = self._around.settings.client_order_prefix
        return plan_order_id(plan.lane_id, plan.sequence, prefix=prefix)

    def _let_go(self, lane: GuardedLane, plan: PlanOrderRow) -> None:
        if plan.state is PlanState.RESTING:
            self._want(plan, lane, WithdrawPlan)
        elif plan.state is PlanState.REFUSED or plan.id in self._unknown:
            self._end_plan(plan, PlanState.WITHDRAWN, plan.reason or "never arrived")
        elif plan.state is PlanState.SENT:
            self._again(self._now + DOUBT_PAUSE)

    def _want(self, plan: PlanOrderRow, lane: GuardedLane, kind: type[Step]) -> None:
        if plan.id in self._held:
            self._again(self._now + DOUBT_PAUSE)
        else:
            self._wanted.append((plan, lane, kind))

    def _ratio(self, kind: PlanKind) -> Ratio | None:
        terms = self._guarded.terms
        return terms.take_profit if kind is PlanKind.TAKE_PROFIT else terms.stop_loss

    def _trigger(
        self, kind: PlanKind, position: CopiedPositionRow, instrument: Instrument, ratio: Ratio
    ) -> Price | None:
        return trigger_price(
            kind,
            protected_position(position),
            instrument,
            copy_amount=self._guarded.follow.copy_amount,
            ratio=ratio,
        )

    def _again(self, at: datetime) -> None:
        before = self._result.again_at
        self._result.again_at = at if before is None else min(before, at)

    # -- the end of the transaction

    def finish(self) -> Result:
        """End the follow where it is to end, raise and clear alarms, and return what is to do."""
        self._session.flush()
        self._end_follow()
        for plan, lane, kind in self._wanted:
            self._result.steps.append(_step(kind, plan, lane, self._account()))
        placed = {plan.id for plan, _, kind in self._wanted if kind is PlacePlan}
        Alarms(self._session, self._around.instruments, self._guarded, self._now).sound(placed)
        return self._result

    def _end_follow(self) -> None:
        follow = self._guarded.follow
        if self._ending is not None and FollowState.CLOSING in ALLOWED[follow.state]:
            follow.end_kind = EndKind.POSITION_CLOSED
            follows.end_follow(
                self._session,
                follow,
                EndHow.CLOSE_NOW,
                actor="engine",
                reason=self._ending,
                at=self._now,
            )
            self._result.shards.add(follow.shard)
            self._result.has_ended = True
        elif self._has_booked:
            follows.keep_states(self._session, [follow.id], at=self._now)
            self._result.has_ended = True
            self._result.shards.add(follow.shard)

    def _account(self) -> AccountId:
        account = self._guarded.follow.sub_account
        assert account is not None, "a follow without an account has no positions"
        return account


def _step(kind: type[Step], plan: PlanOrderRow, lane: GuardedLane, account: AccountId) -> Step:
    symbol = lane.lane.symbol
    if kind is WithdrawPlan:
        return WithdrawPlan(
            plan_id=plan.id,
            account=account,
            symbol=symbol,
            client_order_id=plan.client_order_id,
        )
    if kind is AmendPlan:
        return AmendPlan(
            plan_id=plan.id,
            account=account,
            symbol=symbol,
            client_order_id=plan.client_order_id,
            contracts=plan.contracts,
            trigger_price=plan.trigger_price,
        )
    side = lane.lane.position_side
    return PlacePlan(
        plan_id=plan.id,
        request=PlanRequest(
            account=account,
            symbol=symbol,
            position_side=side,
            order_side=side.closing_side,
            contracts=plan.contracts,
            trigger_price=plan.trigger_price,
            trigger_by=plan.trigger_by,
            direction=plan.direction,
            client_order_id=plan.client_order_id,
        ),
    )
