"""What follows have earned: cumulative results, and the mark a share above it was last paid on."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from copyplugin.domain.identifiers import CopiedPositionId, FollowerId, FollowId, LeaderId
from copyplugin.domain.leader import NOT_BOOKED, ShareBasis, TradeState
from copyplugin.domain.money import ZERO_MONEY, Money, total
from copyplugin.domain.share import position_profit
from copyplugin.store.ledger import is_posted
from copyplugin.store.rows import (
    CopiedPositionRow,
    FollowRow,
    FundingPaymentRow,
    HighWaterMarkRow,
)

RESULT = "result"
"""The kind of the entry that books what a closed position earned or lost."""


def result_reference(position_id: CopiedPositionId) -> str:
    return f"position:{position_id}"


def is_result_booked(session: Session, position_id: CopiedPositionId) -> bool:
    """Return whether the ledger has the result of that position."""
    return is_posted(session, kind=RESULT, reference=result_reference(position_id))


def booked_result(session: Session, follow_id: FollowId) -> Money:
    """Return the sum of a follow's closed positions whose results are booked."""
    return booked_results(session, [follow_id]).get(follow_id, ZERO_MONEY)


def booked_results(session: Session, follow_ids: Collection[FollowId]) -> dict[FollowId, Money]:
    """Return that sum of each of these follows; one that has none such is left out."""
    query = (
        select(
            CopiedPositionRow.follow_id,
            func.sum(CopiedPositionRow.realized_pnl),
            func.sum(CopiedPositionRow.fees),
            func.sum(CopiedPositionRow.funding),
        )
        .where(
            CopiedPositionRow.follow_id.in_(follow_ids),
            CopiedPositionRow.state == TradeState.CLOSED,
            CopiedPositionRow.share_state.not_in(NOT_BOOKED),
        )
        .group_by(CopiedPositionRow.follow_id)
    )
    return {
        follow_id: position_profit(realized_pnl=realized, fees=fees, funding=funding)
        for follow_id, realized, fees, funding in session.execute(query)
    }


def result_with(session: Session, follow: FollowRow, *, unrealized: Money) -> Money:
    """Return what the follower earned with this leader, over all his follows above a mark (M3).

    Of this follow the unrealised profit is given; another of the same two that is not yet flat
    counts with what the venue last said.
    """
    ids = list(
        session.scalars(
            select(FollowRow.id).where(
                FollowRow.leader_id == follow.leader_id,
                FollowRow.follower_id == follow.follower_id,
                FollowRow.share_basis == ShareBasis.HIGH_WATER_MARK,
            )
        )
    )
    others = [follow_id for follow_id in ids if follow_id != follow.id]
    return Money(total(_realized(session, ids), _unrealized(session, others), unrealized))


def mark_of(session: Session, follow: FollowRow, *, at: datetime) -> HighWaterMarkRow:
    """Return the mark of this follower with this leader; 0 before the first share."""
    row = find_mark(session, follow.leader_id, follow.follower_id)
    if row is None:
        row = HighWaterMarkRow(
            leader_id=follow.leader_id, follower_id=follow.follower_id, updated_at=at
        )
        session.add(row)
        session.flush()
    return row


def find_mark(
    session: Session, leader_id: LeaderId, follower_id: FollowerId
) -> HighWaterMarkRow | None:
    return session.get(HighWaterMarkRow, (leader_id, follower_id))


def _realized(session: Session, follow_ids: Collection[FollowId]) -> Money:
    """Return realised profit less fees and funding, of open positions too."""
    realized, fees = session.execute(
        select(func.sum(CopiedPositionRow.realized_pnl), func.sum(CopiedPositionRow.fees)).where(
            CopiedPositionRow.follow_id.in_(follow_ids)
        )
    ).one()
    funding = session.scalar(
        select(func.sum(FundingPaymentRow.payment)).where(
            FundingPaymentRow.follow_id.in_(follow_ids)
        )
    )
    return Money(total(realized or ZERO_MONEY, -(fees or ZERO_MONEY), -(funding or ZERO_MONEY)))


def _unrealized(session: Session, follow_ids: Collection[FollowId]) -> Money:
    query = select(func.sum(CopiedPositionRow.unrealized_pnl)).where(
        CopiedPositionRow.follow_id.in_(follow_ids), CopiedPositionRow.state == TradeState.OPEN
    )
    return session.scalar(query) or ZERO_MONEY
