"""Followers, and what each has running."""

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased

from copyplugin.domain.follow import SHOWN_AS_COPYING
from copyplugin.domain.identifiers import AccountId, FollowerId
from copyplugin.domain.money import Money
from copyplugin.store.rows import FollowerRow, FollowRow, WalletSnapshotRow


@dataclass(frozen=True, kw_only=True, slots=True)
class Follower:
    follower_id: FollowerId
    account: AccountId
    name: str
    follows_running: int
    spot_available: Money | None  # None: the venue has not told yet
    paper_id: FollowerId | None = None  # who stands for him in his paper follows


def followers(session: Session) -> tuple[Follower, ...]:
    """Return everybody who follows or may, the longest known first."""
    return tuple(_follower(*row) for row in session.execute(_statement()))


def follower(session: Session, follower_id: FollowerId) -> Follower | None:
    row = session.execute(_statement().where(FollowerRow.id == follower_id)).one_or_none()
    return None if row is None else _follower(*row)


def _statement():  # noqa: ANN202 - the type of a select says nothing to a reader
    running = (
        select(func.count())
        .where(FollowRow.follower_id == FollowerRow.id, FollowRow.state.in_(SHOWN_AS_COPYING))
        .correlate(FollowerRow)
        .scalar_subquery()
    )
    twin = aliased(FollowerRow)
    return (
        select(FollowerRow, running, WalletSnapshotRow.spot_available, twin.id)
        .outerjoin(WalletSnapshotRow, WalletSnapshotRow.account == FollowerRow.account)
        .outerjoin(twin, twin.paper_of == FollowerRow.id)
        .where(FollowerRow.paper_of.is_(None))
        .order_by(FollowerRow.id)
    )


def _follower(
    row: FollowerRow, running: int, spot_available: Money | None, paper_id: FollowerId | None
) -> Follower:
    return Follower(
        follower_id=row.id,
        account=row.account,
        name=row.name,
        follows_running=running,
        spot_available=spot_available,
        paper_id=paper_id,
    )
