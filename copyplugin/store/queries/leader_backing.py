"""What backs the leaders' positions that a follower copies (C14): where each is liquidated."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from copyplugin.domain.fill import MarginMode
from copyplugin.domain.identifiers import CopiedPositionId, FollowerId
from copyplugin.domain.leader import TradeState
from copyplugin.domain.money import Price, Ratio
from copyplugin.store.rows import (
    CopiedPositionRow,
    FollowProtectionRow,
    FollowRow,
    LeaderMarginRow,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class LeaderBacking:
    """As the venue last told. `is_mirrored` says that the follower's is changed alike."""

    liquidation_price: Price | None
    leverage: Ratio
    margin_mode: MarginMode
    is_mirrored: bool


def leader_backings(
    session: Session, follower_id: FollowerId
) -> Mapping[CopiedPositionId, LeaderBacking]:
    """Return them by the follower's open position; none where the leader's is not known yet."""
    query = (
        select(CopiedPositionRow.id, LeaderMarginRow, FollowProtectionRow.mirrors_margin)
        .join(FollowRow, FollowRow.id == CopiedPositionRow.follow_id)
        .join(
            LeaderMarginRow,
            and_(
                LeaderMarginRow.leader_id == FollowRow.leader_id,
                LeaderMarginRow.symbol == CopiedPositionRow.symbol,
                LeaderMarginRow.position_side == CopiedPositionRow.position_side,
            ),
        )
        .outerjoin(FollowProtectionRow, FollowProtectionRow.follow_id == FollowRow.id)
        .where(FollowRow.follower_id == follower_id, CopiedPositionRow.state == TradeState.OPEN)
    )
    return {
        position_id: LeaderBacking(
            liquidation_price=row.liquidation_price,
            leverage=row.leverage,
            margin_mode=row.margin_mode,
            is_mirrored=bool(mirrors),
        )
        for position_id, row, mirrors in session.execute(query)
    }
