"""Followers: whose main accounts pay for follows."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from copyplugin.domain.identifiers import AccountId, FollowerId
from copyplugin.errors import Refused, UnknownFollower
from copyplugin.store.rows import FollowerRow


def get_follower(session: Session, follower_id: FollowerId) -> FollowerRow:
    """Return the follower; raises `UnknownFollower`."""
    row = session.get(FollowerRow, follower_id)
    if row is None:
        raise UnknownFollower(f"There is no follower number {follower_id}.")
    return row


def find_follower(session: Session, account: AccountId) -> FollowerRow | None:
    return session.scalars(select(FollowerRow).where(FollowerRow.account == account)).one_or_none()


def register_follower(
    session: Session, account: AccountId, *, name: str, at: datetime
) -> FollowerRow:
    """Return the follower of this account, adding him where he is new; a known name stays."""
    if not account.strip():
        raise Refused("The follower's account (UID) is missing.")
    known = find_follower(session, account)
    if known is not None:
        return known
    row = FollowerRow(account=account, name=name, created_at=at)
    session.add(row)
    session.flush()
    return row
