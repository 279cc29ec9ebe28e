"""The receipts of one follow, page by page (N1, C13): what became of each order of its leader."""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from copyplugin.domain.identifiers import FollowerId, FollowId, LeaderId, SignalId
from copyplugin.store.queries.pages import Page, page_of
from copyplugin.store.receipts import (
    Receipt,
    count_receipts,
    receipt_of,
    receipts_of_follow,
    some_receipts_of_follow,
)
from copyplugin.store.rows import FollowRow, LeaderRow


@dataclass(frozen=True, kw_only=True, slots=True)
class FollowReceipts:
    follow_id: FollowId
    leader_id: LeaderId
    leader_nickname: str
    receipts: tuple[Receipt, ...]  # newest first, of this page
    page: Page


def follow_receipts(
    session: Session, follower_id: FollowerId, follow_id: FollowId, *, page: int, page_size: int
) -> FollowReceipts | None:
    """Return one page of the receipts of this follower's follow; None where it is not his."""
    follow = follow_of(session, follower_id, follow_id)
    if follow is None:
        return None
    shown = page_of(count_receipts(session, follow_id), wanted=page, size=page_size)
    found = some_receipts_of_follow(session, follow_id, offset=shown.offset, limit=shown.size)
    leader = session.get_one(LeaderRow, follow.leader_id)
    return FollowReceipts(
        follow_id=follow_id,
        leader_id=leader.id,
        leader_nickname=leader.nickname,
        receipts=tuple(found),
        page=shown,
    )


def follow_receipt(
    session: Session, follower_id: FollowerId, follow_id: FollowId, signal_id: SignalId
) -> Receipt | None:
    """Return one receipt; None where the follow is not this follower's or has none for it."""
    if follow_of(session, follower_id, follow_id) is None:
        return None
    return receipt_of(session, follow_id, signal_id)


def all_receipts(
    session: Session, follower_id: FollowerId, follow_id: FollowId
) -> tuple[Receipt, ...] | None:
    """Return every receipt of this follower's follow, newest first; None where it is not his."""
    if follow_of(session, follower_id, follow_id) is None:
        return None
    return tuple(receipts_of_follow(session, follow_id))


def follow_of(session: Session, follower_id: FollowerId, follow_id: FollowId) -> FollowRow | None:
    """Return this follower's follow; None where it is not his."""
    follow = session.get(FollowRow, follow_id)
    return follow if follow is not None and follow.follower_id == follower_id else None
