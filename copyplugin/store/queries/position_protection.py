"""What protects one copied position: its plan orders, alarms, and where it is liquidated."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from copyplugin.domain.alarm import AlarmKind
from copyplugin.domain.fill import MarginMode
from copyplugin.domain.identifiers import CopiedPositionId, FollowId
from copyplugin.domain.leader import TradeState
from copyplugin.domain.liquidation import IsolatedPosition, estimated_liquidation_price
from copyplugin.domain.money import ZERO_MONEY, Price, Ratio
from copyplugin.domain.plan_order import PlanState
from copyplugin.domain.protection import PlanKind, maintenance_rate_of
from copyplugin.domain.round_trip import RoundTrip
from copyplugin.domain.statistics import margin_of_open
from copyplugin.store.market import instrument_from
from copyplugin.store.rows import (
    AlarmRow,
    CopiedPositionRow,
    FollowProtectionRow,
    FollowRow,
    InstrumentRow,
    LeaderMarginRow,
    PlanOrderRow,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class PlanLine:
    """A plan order; `price` is where it rests, or should where it does not yet."""

    kind: PlanKind
    state: PlanState
    price: Price
    reason: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class AlarmLine:
    kind: AlarmKind
    follow_id: FollowId
    copied_position_id: CopiedPositionId
    sentence: str
    raised_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class PositionProtection:
    """Ratios are parts of the copy amount; None where nothing is set.

    `liquidation_price` is the venue's own figure, or else our estimate from margin and leverage;
    `leader_liquidation_price` is the leader's in the same instrument and side (C14).
    """

    take_profit: Ratio | None
    stop_loss: Ratio | None
    plans: tuple[PlanLine, ...]  # those not over, take profit first
    alarms: tuple[AlarmLine, ...]
    liquidation_price: Price | None
    is_estimated: bool
    leader_liquidation_price: Price | None


def position_protection(
    session: Session, position_id: CopiedPositionId
) -> PositionProtection | None:
    """Return what protects it; None where there is no such position, or it is closed."""
    position = session.get(CopiedPositionRow, position_id)
    if position is None or position.state is not TradeState.OPEN:
        return None
    terms = session.get(FollowProtectionRow, position.follow_id)
    leader = _leader_margin(session, position)
    own = position.liquidation_price
    return PositionProtection(
        take_profit=None if terms is None else terms.take_profit,
        stop_loss=None if terms is None else terms.stop_loss,
        plans=_plans(session, position_id),
        alarms=raised_alarms(session, position_id),
        liquidation_price=own or _estimate(session, position),
        is_estimated=own is None,
        leader_liquidation_price=None if leader is None else leader.liquidation_price,
    )


def raised_alarms(
    session: Session, position_id: CopiedPositionId | None = None
) -> tuple[AlarmLine, ...]:
    """Return the alarms that are not over, about one position or all; the oldest first.

    All are those about real money: nobody is called at night for play money.
    """
    query = select(AlarmRow).where(AlarmRow.cleared_at.is_(None)).order_by(AlarmRow.id)
    if position_id is not None:
        query = query.where(AlarmRow.copied_position_id == position_id)
    else:
        query = query.join(FollowRow, FollowRow.id == AlarmRow.follow_id).where(
            FollowRow.paper.is_(False)
        )
    return tuple(
        AlarmLine(
            kind=row.kind,
            follow_id=row.follow_id,
            copied_position_id=row.copied_position_id,
            sentence=row.sentence,
            raised_at=row.raised_at,
        )
        for row in session.scalars(query)
    )


def _plans(session: Session, position_id: CopiedPositionId) -> tuple[PlanLine, ...]:
    open_states = {PlanState.SENT, PlanState.RESTING, PlanState.REFUSED}
    query = (
        select(PlanOrderRow)
        .where(PlanOrderRow.copied_position_id == position_id, PlanOrderRow.state.in_(open_states))
        .order_by(PlanOrderRow.kind.desc(), PlanOrderRow.sequence)
    )
    return tuple(
        PlanLine(
            kind=row.kind,
            state=row.state,
            price=row.resting_price or row.trigger_price,
            reason=row.reason,
        )
        for row in session.scalars(query)
    )


def _leader_margin(session: Session, position: CopiedPositionRow) -> LeaderMarginRow | None:
    follow = session.get(FollowRow, position.follow_id)
    if follow is None:
        return None
    key = (follow.leader_id, position.symbol, position.position_side)
    return session.get(LeaderMarginRow, key)


def _estimate(session: Session, position: CopiedPositionRow) -> Price | None:
    """Return model C for an isolated position whose liquidation price the venue does not tell."""
    listed = session.get(InstrumentRow, position.symbol)
    trip = RoundTrip(
        position_side=position.position_side,
        opened_contracts=position.opened_contracts,
        opened_value=position.opened_value,
        closed_contracts=position.closed_contracts,
        closed_value=position.closed_value,
        realized_pnl=position.realized_pnl,
    )
    if listed is None or not trip.contracts or position.margin_mode is not MarginMode.ISOLATED:
        return None
    instrument = instrument_from(listed)
    return estimated_liquidation_price(
        IsolatedPosition(
            position_side=position.position_side,
            contracts=trip.contracts,
            entry_cost=trip.entry_cost,
            initial_margin=position.margin or margin_of_open(trip.entry_cost, position.leverage),
        ),
        instrument,
        maintenance_rate=maintenance_rate_of(instrument),
        maintenance_deduction=ZERO_MONEY,
    )
