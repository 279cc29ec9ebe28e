"""What went as it was meant to, told to followers: stops that closed, shares that moved (U7)."""

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from copyplugin.domain.account import TransferKind, TransferState
from copyplugin.domain.notice import Audience, NoticeKind
from copyplugin.store import notices
from copyplugin.store.notices import News
from copyplugin.store.rows import (
    CopyOrderRow,
    FollowerRow,
    FollowRow,
    LaneRow,
    LeaderRow,
    TransferRow,
)
from copyplugin.store.rows.order import IS_PROTECT

_PERSON = func.coalesce(FollowerRow.paper_of, FollowerRow.id)
"""Who reads it: whoever follows with play money stands for somebody."""

_MOVED = {
    TransferKind.SHARE: "{money} USDT of your profit went to {nickname} as the leader's share.",
    TransferKind.SHARER: "{money} USDT of your profit went to who brought you to {nickname}.",
    TransferKind.ESCROW: "{money} USDT of your profit are held as the share of {nickname}.",
    TransferKind.TAKE_BACK: "{money} USDT that were held as the share of {nickname} are yours.",
}
"""What happened to his money; who holds it already may pass it on without a word to him."""


def tell_of_protection(session: Session, *, after: datetime) -> int:
    """Tell followers, once, of what their stop losses and take profits have closed since then."""
    query = (
        select(CopyOrderRow, LaneRow, _PERSON, FollowRow.paper, LeaderRow.nickname)
        .join(LaneRow, LaneRow.id == CopyOrderRow.lane_id)
        .join(FollowRow, FollowRow.id == LaneRow.follow_id)
        .join(FollowerRow, FollowerRow.id == FollowRow.follower_id)
        .join(LeaderRow, LeaderRow.id == FollowRow.leader_id)
        .where(IS_PROTECT, CopyOrderRow.decided_at >= after, CopyOrderRow.filled > 0)
    )
    # Asked for in order, all orders there ever were would be read.
    found = sorted(session.execute(query), key=lambda row: row[0].id)

    def news() -> Iterator[News]:
        for order, lane, follower_id, paper, nickname in found:
            yield News(
                audience=Audience.FOLLOWER,
                audience_id=follower_id,
                kind=NoticeKind.PROTECTION_FIRED,
                subject=f"order:{order.id}",
                sentence=f"{_money(paper)}Your stop loss or take profit closed {order.filled} "
                f"contracts of your {lane.position_side.value} position in {lane.symbol}, copied "
                f"from {nickname}: result {order.realized_pnl.normalize():f} USDT, fee "
                f"{order.fee.normalize():f} USDT.",
                at=order.decided_at,
                follow_id=lane.follow_id,
                is_event=True,
            )

    return notices.tell(session, news())


def tell_of_settled(session: Session, *, after: datetime) -> int:
    """Tell followers, once, of shares that were paid, held or given back since then."""
    query = (
        select(TransferRow, _PERSON, FollowRow.paper, LeaderRow.nickname)
        .join(FollowRow, FollowRow.id == TransferRow.follow_id)
        .join(FollowerRow, FollowerRow.id == FollowRow.follower_id)
        .join(LeaderRow, LeaderRow.id == FollowRow.leader_id)
        .where(
            TransferRow.done_at >= after,
            TransferRow.state.in_((TransferState.DONE, TransferState.PAID)),
            TransferRow.kind.in_(_MOVED),
        )
    )
    found = sorted(session.execute(query), key=lambda row: (row[0].created_at, row[0].id))

    def news() -> Iterator[News]:
        for transfer, follower_id, paper, nickname in found:
            moved = _MOVED[transfer.kind].format(
                money=f"{transfer.money.normalize():f}", nickname=nickname
            )
            yield News(
                audience=Audience.FOLLOWER,
                audience_id=follower_id,
                kind=NoticeKind.SHARE_SETTLED,
                subject=f"transfer:{transfer.id}",
                sentence=_money(paper) + moved,
                at=transfer.done_at or transfer.created_at,
                follow_id=transfer.follow_id,
                is_event=True,
            )

    return notices.tell(session, news())


def _money(paper: bool) -> str:  # noqa: FBT001 - a column's value
    return "With play money: " if paper else ""
