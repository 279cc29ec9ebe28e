"""Protected follows: what is open in them, the plan orders for it, and alarms about it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import exists, func, or_, select, update
from sqlalchemy.orm import Session

from copyplugin.domain.alarm import AlarmKind
from copyplugin.domain.follow import TERMINAL
from copyplugin.domain.follow_limits import FollowLimits
from copyplugin.domain.identifiers import CopiedPositionId, FollowId, LaneId
from copyplugin.domain.leader import TradeState
from copyplugin.domain.money import NO_CONTRACTS, Money, Ratio, total
from copyplugin.domain.order import CopyOrderState
from copyplugin.domain.plan_order import OPEN_PLANS, PlanState, TriggerBy
from copyplugin.domain.protection import PlanKind
from copyplugin.store.rows import (
    AlarmRow,
    CopiedPositionRow,
    CopyOrderRow,
    FollowProtectionRow,
    FollowRow,
    LaneRow,
    PlanOrderRow,
)
from copyplugin.store.statement import Statement

_PROTECTED = Statement(
    "SELECT follow_id FROM follow_protection WHERE follow_id IN :follows ORDER BY follow_id"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Protection:
    """What a follower set for his follow; ratios are parts of the copy amount (P1, P5, C14)."""

    trigger_by: TriggerBy
    take_profit: Ratio | None = None
    stop_loss: Ratio | None = None
    limits: FollowLimits = field(default_factory=FollowLimits)
    mirrors_margin: bool = False


@dataclass(slots=True, kw_only=True)
class GuardedLane:
    """One lane that holds something or has plan orders; `plans` those not over, oldest first."""

    lane: LaneRow
    position: CopiedPositionRow | None
    is_idle: bool  # no order of it is in doubt
    plans: list[PlanOrderRow] = field(default_factory=list[PlanOrderRow])


@dataclass(slots=True, kw_only=True)
class Guarded:
    """One follow with all there is to protect."""

    follow: FollowRow
    terms: FollowProtectionRow
    lanes: list[GuardedLane]

    @property
    def plans(self) -> list[PlanOrderRow]:
        return [plan for lane in self.lanes for plan in lane.plans]


def put_protection(session: Session, follow_id: FollowId, wish: Protection) -> FollowProtectionRow:
    """Set what protects a follow; what its limits are measured from stays."""
    row = session.get(FollowProtectionRow, follow_id)
    if row is None:
        row = FollowProtectionRow(follow_id=follow_id, trigger_by=wish.trigger_by)
        session.add(row)
    row.trigger_by = wish.trigger_by
    row.take_profit, row.stop_loss = wish.take_profit, wish.stop_loss
    row.max_loss, row.max_day_loss = wish.limits.max_loss, wish.limits.max_day_loss
    row.trailing_stop = wish.limits.trailing_stop
    row.losing_positions = wish.limits.losing_positions
    row.mirrors_margin = wish.mirrors_margin
    return row


def limits_of(row: FollowProtectionRow) -> FollowLimits:
    return FollowLimits(
        max_loss=row.max_loss,
        max_day_loss=row.max_day_loss,
        trailing_stop=row.trailing_stop,
        losing_positions=row.losing_positions,
    )


def protected_among(session: Session, follow_ids: Collection[int]) -> list[FollowId]:
    """Return those of the follows for which something is set, by number."""
    return [row[0] for row in _PROTECTED.run(session, follows=list(follow_ids))]


def follows_to_guard(session: Session) -> list[FollowId]:
    """Return the follows with something set and something to look at, by number.

    Something is open, a plan order is not over, or a limit is set while the follow lives.
    """
    holding = exists().where(LaneRow.follow_id == FollowRow.id, LaneRow.actual != NO_CONTRACTS)
    planned = exists().where(
        LaneRow.follow_id == FollowRow.id,
        PlanOrderRow.lane_id == LaneRow.id,
        PlanOrderRow.state.in_(OPEN_PLANS),
    )
    limited = or_(
        FollowProtectionRow.max_loss.is_not(None),
        FollowProtectionRow.max_day_loss.is_not(None),
        FollowProtectionRow.trailing_stop.is_not(None),
        FollowProtectionRow.losing_positions.is_not(None),
    )
    query = (
        select(FollowRow.id)
        .join(FollowProtectionRow, FollowProtectionRow.follow_id == FollowRow.id)
        .where(or_(planned, FollowRow.state.not_in(TERMINAL) & or_(holding, limited)))
        .order_by(FollowRow.id)
    )
    return list(session.scalars(query))


def guarded(session: Session, follow_id: FollowId, *, locked: bool = False) -> Guarded | None:
    """Return a follow with what is to be protected in it; None where nothing is set.

    Locked, nobody else changes lanes and follow until the transaction ends.
    """
    if locked:
        session.execute(
            select(LaneRow.id)
            .join(FollowRow, FollowRow.id == LaneRow.follow_id)
            .where(FollowRow.id == follow_id)
            .order_by(LaneRow.id)
            .with_for_update(of=[LaneRow, FollowRow])
        )
    follow = session.get(FollowRow, follow_id)
    terms = session.get(FollowProtectionRow, follow_id)
    if follow is None or terms is None:
        return None
    in_doubt = (
        exists()
        .where(CopyOrderRow.lane_id == LaneRow.id, CopyOrderRow.state == CopyOrderState.SENT)
        .correlate(LaneRow)
    )
    planned = exists().where(PlanOrderRow.lane_id == LaneRow.id, PlanOrderRow.state.in_(OPEN_PLANS))
    query = (
        select(LaneRow, in_doubt)
        .where(LaneRow.follow_id == follow_id, or_(LaneRow.actual != NO_CONTRACTS, planned))
        .order_by(LaneRow.id)
    )
    lanes = {
        lane.id: GuardedLane(lane=lane, position=None, is_idle=not doubt)
        for lane, doubt in session.execute(query)
    }
    _add_positions(session, lanes)
    _add_plans(session, lanes)
    return Guarded(follow=follow, terms=terms, lanes=list(lanes.values()))


def _add_positions(session: Session, lanes: dict[LaneId, GuardedLane]) -> None:
    query = select(CopiedPositionRow).where(
        CopiedPositionRow.lane_id.in_(lanes), CopiedPositionRow.state == TradeState.OPEN
    )
    for position in session.scalars(query):
        lanes[position.lane_id].position = position


def _add_plans(session: Session, lanes: dict[LaneId, GuardedLane]) -> None:
    query = (
        select(PlanOrderRow)
        .where(PlanOrderRow.lane_id.in_(lanes), PlanOrderRow.state.in_(OPEN_PLANS))
        .order_by(PlanOrderRow.sequence)
    )
    for plan in session.scalars(query):
        lanes[plan.lane_id].plans.append(plan)


def next_plan_sequence(session: Session, lane_id: LaneId) -> int:
    """Return the number of the lane's next plan order."""
    query = select(func.max(PlanOrderRow.sequence)).where(PlanOrderRow.lane_id == lane_id)
    return (session.scalar(query) or 0) + 1


def latest_results(
    session: Session, follow_id: FollowId, *, closed_after: datetime | None, most: int
) -> list[Money]:
    """Return what the latest closed positions earned after fees and funding, newest first."""
    query = (
        select(CopiedPositionRow)
        .where(
            CopiedPositionRow.follow_id == follow_id, CopiedPositionRow.state == TradeState.CLOSED
        )
        .order_by(CopiedPositionRow.closed_at.desc(), CopiedPositionRow.id.desc())
        .limit(most)
    )
    if closed_after is not None:
        query = query.where(CopiedPositionRow.closed_at > closed_after)
    return [
        Money(total(row.realized_pnl, -row.fees, -row.funding)) for row in session.scalars(query)
    ]


def raise_alarm(
    session: Session,
    kind: AlarmKind,
    position: CopiedPositionRow,
    sentence: str,
    *,
    at: datetime,
) -> bool:
    """Raise it unless it is raised already; return whether it is new."""
    query = select(AlarmRow).where(
        AlarmRow.kind == kind,
        AlarmRow.copied_position_id == position.id,
        AlarmRow.cleared_at.is_(None),
    )
    if session.scalars(query).one_or_none() is not None:
        return False
    session.add(
        AlarmRow(
            kind=kind,
            follow_id=position.follow_id,
            copied_position_id=position.id,
            sentence=sentence,
            raised_at=at,
        )
    )
    return True


def clear_alarms(
    session: Session,
    kinds: Collection[AlarmKind],
    position_ids: Collection[CopiedPositionId],
    *,
    at: datetime,
) -> None:
    """Let these alarms about these positions be over."""
    session.execute(
        update(AlarmRow)
        .where(
            AlarmRow.kind.in_(kinds),
            AlarmRow.copied_position_id.in_(position_ids),
            AlarmRow.cleared_at.is_(None),
        )
        .values(cleared_at=at)
        .execution_options(synchronize_session=False)
    )


def clear_alarms_of_closed(
    session: Session, follow_id: FollowId | None = None, *, at: datetime
) -> None:
    """Let alarms about positions that are closed be over: of one follow, or all."""
    closed = select(CopiedPositionRow.id).where(CopiedPositionRow.state == TradeState.CLOSED)
    if follow_id is not None:
        closed = closed.where(CopiedPositionRow.follow_id == follow_id)
    session.execute(
        update(AlarmRow)
        .where(AlarmRow.copied_position_id.in_(closed), AlarmRow.cleared_at.is_(None))
        .values(cleared_at=at)
        .execution_options(synchronize_session=False)
    )


def unprotected_positions(session: Session) -> Sequence[CopiedPositionId]:
    """Return the open positions whose follow has a stop loss and for which none rests now.

    Of real money only.
    From the rows alone, so that it is right when nothing is left to raise an alarm.
    """
    rests = exists().where(
        PlanOrderRow.copied_position_id == CopiedPositionRow.id,
        PlanOrderRow.kind == PlanKind.STOP_LOSS,
        PlanOrderRow.state == PlanState.RESTING,
    )
    query = (
        select(CopiedPositionRow.id)
        .join(FollowProtectionRow, FollowProtectionRow.follow_id == CopiedPositionRow.follow_id)
        .join(FollowRow, FollowRow.id == CopiedPositionRow.follow_id)
        .where(
            CopiedPositionRow.state == TradeState.OPEN,
            FollowRow.paper.is_(False),
            FollowProtectionRow.stop_loss.is_not(None),
            ~rests,
        )
    )
    return sorted(session.scalars(query))  # asked for in order, all that ever were would be read
