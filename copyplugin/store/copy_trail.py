"""All that was decided and done for one follow, signal by signal: what an account is given of."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from copyplugin.domain.fill import PositionSide
from copyplugin.domain.identifiers import FollowId, LaneId, LeaderId, SignalId, Symbol
from copyplugin.domain.money import NO_CONTRACTS, ZERO_MONEY, Contracts, Money, money_total
from copyplugin.store.rows import (
    CopiedPositionRow,
    CopyDecisionRow,
    CopyOrderRow,
    LaneRow,
    LeaderFillRow,
    SettlementRow,
    SignalRow,
)

Leg = tuple[Symbol, PositionSide]


@dataclass(frozen=True, kw_only=True, slots=True)
class TrailStep:
    """One signal and what one lane made of it. `filled_value` is Σ price × contracts × size."""

    signal: SignalRow
    decision: CopyDecisionRow
    orders: int
    filled: Contracts
    filled_value: Money


@dataclass(frozen=True, kw_only=True, slots=True)
class TrailMove:
    """A move of the leader with what one follow made of it, or an `order` that follows none.

    No step: nothing was decided for the follow.
    """

    leg: Leg
    signal: SignalRow | None = None
    step: TrailStep | None = None
    order: CopyOrderRow | None = None

    @property
    def filled(self) -> Contracts:
        if self.order is not None:
            return self.order.filled
        return NO_CONTRACTS if self.step is None else self.step.filled

    @property
    def filled_value(self) -> Money:
        if self.order is not None:
            return self.order.filled_value
        return ZERO_MONEY if self.step is None else self.step.filled_value


def moves_of(session: Session, leader_id: LeaderId, follow_id: FollowId) -> list[TrailMove]:
    """Return all moves of the leader in their order, the follow's other orders in between."""
    steps = {
        (step.signal.id, step.signal.position_side): step for step in trail_of(session, follow_id)
    }
    signals = select(SignalRow).where(SignalRow.leader_id == leader_id).order_by(SignalRow.id)
    moves: list[tuple[datetime, int, int, TrailMove]] = []
    at = datetime.min.replace(tzinfo=UTC)
    for signal in session.scalars(signals):
        at = max(at, signal.first_fill_at)
        leg = (signal.symbol, signal.position_side)
        step = steps.get((signal.id, signal.position_side))
        move = TrailMove(leg=leg, signal=signal, step=step)
        moves.append((at, 1, signal.id, move))
    decided = {step.decision.lane_id: set[SignalId]() for step in steps.values()}
    for step in steps.values():
        decided[step.decision.lane_id].add(step.signal.id)
    lanes = {
        lane.id: (lane.symbol, lane.position_side)
        for lane in session.scalars(select(LaneRow).where(LaneRow.follow_id == follow_id))
    }
    for order in orders_of(session, follow_id):
        if order.signal_id is None or order.signal_id not in decided.get(order.lane_id, ()):
            # A liquidation comes with the price of the move that is told next.
            at = order.filled_at or order.decided_at
            moves.append((at, 0, order.id, TrailMove(leg=lanes[order.lane_id], order=order)))
    return [move for *_, move in sorted(moves, key=lambda entry: entry[:3])]


def trail_of(session: Session, follow_id: FollowId) -> list[TrailStep]:
    """Return the follow's steps in the order of the leader's moves."""
    orders: dict[tuple[SignalId, LaneId], list[CopyOrderRow]] = defaultdict(list)
    for order in orders_of(session, follow_id):
        if order.signal_id is not None:
            orders[order.signal_id, order.lane_id].append(order)
    query = (
        select(SignalRow, CopyDecisionRow)
        .join(CopyDecisionRow, CopyDecisionRow.signal_id == SignalRow.id)
        .join(LaneRow, LaneRow.id == CopyDecisionRow.lane_id)
        .where(LaneRow.follow_id == follow_id)
        .order_by(SignalRow.id, LaneRow.id)
    )
    return [
        _step(signal, decision, orders.get((signal.id, decision.lane_id), ()))
        for signal, decision in session.execute(query)
    ]


def orders_of(session: Session, follow_id: FollowId) -> list[CopyOrderRow]:
    """Return every order sent for the follow, oldest first."""
    query = (
        select(CopyOrderRow)
        .join(LaneRow, LaneRow.id == CopyOrderRow.lane_id)
        .where(LaneRow.follow_id == follow_id)
        .order_by(CopyOrderRow.id)
    )
    return list(session.scalars(query))


def positions_of(session: Session, follow_id: FollowId) -> list[CopiedPositionRow]:
    """Return the follow's copied positions, oldest first."""
    query = (
        select(CopiedPositionRow)
        .where(CopiedPositionRow.follow_id == follow_id)
        .order_by(CopiedPositionRow.id)
    )
    return list(session.scalars(query))


def shares_of(session: Session, follow_id: FollowId) -> Money:
    """Return what was taken as leader shares of the follow."""
    query = select(SettlementRow.share).where(SettlementRow.follow_id == follow_id)
    return money_total(ZERO_MONEY, *session.scalars(query))


def fills_known(session: Session, leader_id: LeaderId) -> int:
    """Return how many of the leader's fills the feed has stored."""
    query = (
        select(func.count()).select_from(LeaderFillRow).where(LeaderFillRow.leader_id == leader_id)
    )
    return session.scalar(query) or 0


def leader_orders_known(session: Session, leader_id: LeaderId) -> int:
    """Return how many orders the leader's fills belong to."""
    query = select(func.count(LeaderFillRow.order_id.distinct())).where(
        LeaderFillRow.leader_id == leader_id
    )
    return session.scalar(query) or 0


def _step(
    signal: SignalRow, decision: CopyDecisionRow, orders: Sequence[CopyOrderRow]
) -> TrailStep:
    return TrailStep(
        signal=signal,
        decision=decision,
        orders=len(orders),
        filled=Contracts(sum(order.filled for order in orders)),
        filled_value=money_total(ZERO_MONEY, *(order.filled_value for order in orders)),
    )
