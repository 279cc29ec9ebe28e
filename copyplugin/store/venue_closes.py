"""What the venue closed of copied positions by itself, told to their followers (U7)."""

from collections.abc import Callable, Iterator
from datetime import datetime

from sqlalchemy import ColumnElement, TextClause, func, select
from sqlalchemy.orm import Session

from copyplugin.domain.fill import FillCause
from copyplugin.domain.lost_position import taken_by
from copyplugin.domain.notice import Audience, NoticeKind
from copyplugin.store import notices
from copyplugin.store.notices import News
from copyplugin.store.rows import CopyOrderRow, FollowerRow, FollowRow, LaneRow, LeaderRow
from copyplugin.store.rows.order import IS_PROTECT, IS_REPAIR

WORDS = {
    taken_by(FillCause.LIQUIDATION): "liquidated",
    taken_by(FillCause.TAKEOVER): "liquidated",
    taken_by(FillCause.DELEVERAGING): "closed against a liquidated account (deleveraging)",
}
"""What happened, by what the order says; a close by the follower's own hand he knows of."""


def tell_of_taken(session: Session, *, after: datetime) -> int:
    """Tell followers of every liquidation and deleveraging that was found since then, once."""
    return _tell(
        session,
        NoticeKind.TAKEN,
        (IS_REPAIR, CopyOrderRow.reject_reason.in_(WORDS), CopyOrderRow.decided_at >= after),
        lambda order: f"the venue {WORDS[order.reject_reason or '']}",
        " What was lost is not bought back.",
    )


def tell_of_protection(session: Session, *, after: datetime) -> int:
    """Tell followers, once, of what their stop losses and take profits have closed since then."""
    return _tell(
        session,
        NoticeKind.PROTECTION_FIRED,
        (IS_PROTECT, CopyOrderRow.filled > 0, CopyOrderRow.decided_at >= after),
        lambda _: "your stop loss or take profit closed",
    )


def _tell(
    session: Session,
    kind: NoticeKind,
    conditions: tuple[TextClause | ColumnElement[bool], ...],
    what: Callable[[CopyOrderRow], str],
    ending: str = "",
) -> int:
    """Tell the follower of each order what it closed, beginning with ``what``."""
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
        .where(*conditions)
    )
    # Asked for in order, all orders there ever were would be read.
    found = sorted(session.execute(query), key=lambda row: row[0].id)

    def news() -> Iterator[News]:
        for order, lane, follower_id, paper, nickname in found:
            begins = what(order)
            begins = f"With play money: {begins}" if paper else begins[0].upper() + begins[1:]
            yield News(
                audience=Audience.FOLLOWER,
                audience_id=follower_id,
                kind=kind,
                subject=f"order:{order.id}",
                sentence=f"{begins} {order.filled} contracts of your {lane.position_side.value} "
                f"position in {lane.symbol}, copied from {nickname}: result "
                f"{order.realized_pnl.normalize():f} USDT, fee {order.fee.normalize():f} USDT."
                f"{ending}",
                at=order.decided_at,
                follow_id=lane.follow_id,
                is_event=True,
            )

    return notices.tell(session, news())
