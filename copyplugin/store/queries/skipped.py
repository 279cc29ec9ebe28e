"""Orders of a leader that were not copied, and why (F7)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from copyplugin.domain.fill import PositionSide
from copyplugin.domain.identifiers import FollowerId, FollowId, LeaderId, Symbol
from copyplugin.domain.money import Contracts, Price
from copyplugin.domain.skip import SkipReason
from copyplugin.domain.transition import Effect
from copyplugin.store.queries.pages import Page, page_of
from copyplugin.store.rows import (
    CopyDecisionRow,
    FollowRow,
    InstrumentRow,
    LaneRow,
    LeaderRow,
    SignalRow,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class SkippedOrder:
    decided_at: datetime
    follow_id: FollowId
    leader_id: LeaderId
    leader_nickname: str
    symbol: Symbol
    tick_size: Decimal
    position_side: PositionSide
    effect: Effect
    leader_contracts: Contracts
    leader_price: Price
    wanted: Contracts
    reason: SkipReason
    detail: Mapping[str, str]  # the numbers the reason rests on, by name


@dataclass(frozen=True, kw_only=True, slots=True)
class SkippedOrders:
    orders: tuple[SkippedOrder, ...]  # newest first, of this page
    page: Page


def skipped_orders(
    session: Session, follower: FollowerId, *, page: int, page_size: int
) -> SkippedOrders:
    """Return one page of what was not copied; a page beyond the last gives the last."""
    mine = (FollowRow.follower_id == follower, CopyDecisionRow.skip_reason.is_not(None))
    found = (
        session.scalar(
            select(func.count())
            .select_from(CopyDecisionRow)
            .join(LaneRow, LaneRow.id == CopyDecisionRow.lane_id)
            .join(FollowRow, FollowRow.id == LaneRow.follow_id)
            .where(*mine)
        )
        or 0
    )
    shown = page_of(found, wanted=page, size=page_size)
    rows = session.execute(
        select(CopyDecisionRow, SignalRow, FollowRow.id, LeaderRow, InstrumentRow.tick_size)
        .join(SignalRow, SignalRow.id == CopyDecisionRow.signal_id)
        .join(LaneRow, LaneRow.id == CopyDecisionRow.lane_id)
        .join(FollowRow, FollowRow.id == LaneRow.follow_id)
        .join(LeaderRow, LeaderRow.id == FollowRow.leader_id)
        .outerjoin(InstrumentRow, InstrumentRow.symbol == LaneRow.symbol)
        .where(*mine)
        .order_by(CopyDecisionRow.decided_at.desc(), CopyDecisionRow.signal_id.desc())
        .offset(shown.offset)
        .limit(shown.size)
    )
    return SkippedOrders(orders=tuple(_skipped(*row) for row in rows), page=shown)


def _skipped(
    decision: CopyDecisionRow,
    signal: SignalRow,
    follow_id: FollowId,
    leader: LeaderRow,
    tick_size: Decimal | None,
) -> SkippedOrder:
    assert decision.skip_reason is not None  # asked for
    detail = decision.skip_detail or {}
    return SkippedOrder(
        decided_at=decision.decided_at,
        follow_id=follow_id,
        leader_id=leader.id,
        leader_nickname=leader.nickname,
        symbol=signal.symbol,
        tick_size=tick_size if tick_size is not None else Decimal("0.01"),
        position_side=signal.position_side,
        effect=signal.effect,
        leader_contracts=signal.contracts,
        leader_price=signal.average_price,
        wanted=decision.wanted,
        reason=decision.skip_reason,
        detail={name: str(value) for name, value in detail.items()},
    )
