"""What the venue took of copied positions, told to their followers (U7)."""

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from copyplugin.domain.fill import FillCause
from copyplugin.domain.lost_position import taken_by
from copyplugin.domain.notice import Audience, NoticeKind
from copyplugin.store import notices
from copyplugin.store.notices import News
from copyplugin.store.rows import CopyOrderRow, FollowerRow, FollowRow, LaneRow, LeaderRow
from copyplugin.store.rows.order import IS_REPAIR

WORDS = {
    taken_by(FillCause.LIQUIDATION): "liquidated",
    taken_by(FillCause.TAKEOVER): "liquidated",
    taken_by(FillCause.DELEVERAGING): "closed against a liquidated account (deleveraging)",
}
"""What happened, by what the order says; a close by the follower's own hand he knows of."""


def tell_of_taken(session: Session, *, after: datetime) -> int:
    """Tell followers of every liquidation and deleveraging that was found since then, once."""
    query = (
        select(
            CopyOrderRow,
            LaneRow,
            func.coalesce(FollowerRow.paper_of, FollowerRow.id),
            FollowRow.paper,
            LeaderRow.nickname,
        )
        .join(LaneRow, LaneRow.id == CopyOrderRow.lane_id)
        .join(FollowRow, FollowRow.id == LaneRow.follow_id)
        .join(FollowerRow, FollowerRow.id == FollowRow.follower_id)
        .join(LeaderRow, LeaderRow.id == FollowRow.leader_id)
        .where(
            IS_REPAIR,
            CopyOrderRow.decided_at >= after,
            CopyOrderRow.reject_reason.in_(WORDS),
        )
    )
    # Asked for in order, all orders there ever were would be read.
    found = sorted(session.execute(query), key=lambda row: row[0].id)

    def news() -> Iterator[News]:
        for order, lane, follower_id, paper, nickname in found:
            money = "With play money: the" if paper else "The"
            yield News(
                audience=Audience.FOLLOWER,
                audience_id=follower_id,
                kind=NoticeKind.TAKEN,
                subject=f"order:{order.id}",
                sentence=f"{money} venue {WORDS[order.reject_reason or '']} {order.filled} "
                f"contracts of your {lane.position_side.value} position in {lane.symbol}, copied "
                f"from {nickname}: result {order.realized_pnl.normalize():f} USDT, fee "
                f"{order.fee.normalize():f} USDT. What was lost is not bought back.",
                at=order.decided_at,
                follow_id=lane.follow_id,
                is_event=True,
            )

    return notices.tell(session, news())
