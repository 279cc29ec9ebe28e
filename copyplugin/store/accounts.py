"""Which accounts at the venue are ours to look after."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from copyplugin.domain.follow import SHOWN_AS_COPYING, FollowState
from copyplugin.domain.identifiers import AccountId, FollowId
from copyplugin.store.rows import FollowerRow, FollowRow

HOLDS_MONEY = SHOWN_AS_COPYING | {FollowState.ABORTING}


def live_sub_accounts(session: Session) -> dict[FollowId, AccountId]:
    """Return the sub-account of every follow that has started and has not ended, by number."""
    query = (
        select(FollowRow.id, FollowRow.sub_account)
        .where(FollowRow.state.in_(HOLDS_MONEY), FollowRow.sub_account.is_not(None))
        .order_by(FollowRow.id)
    )
    return {
        follow_id: account for follow_id, account in session.execute(query) if account is not None
    }


def ended_sub_accounts(session: Session, *, since: datetime) -> dict[FollowId, AccountId]:
    """Return the sub-account of every follow that has ended since then, by number.

    What was handed over is its follower's own, and play money has no account at the venue.
    """
    query = (
        select(FollowRow.id, FollowRow.sub_account)
        .where(
            FollowRow.state.in_({FollowState.CLOSED, FollowState.ABORTED}),
            FollowRow.ended_at >= since,
            FollowRow.handed_over_at.is_(None),
            FollowRow.paper.is_(False),
            FollowRow.sub_account.is_not(None),
        )
        .order_by(FollowRow.id)
    )
    return {
        follow_id: account for follow_id, account in session.execute(query) if account is not None
    }


def follower_accounts(session: Session) -> list[AccountId]:
    """Return the followers' main accounts, by number of the follower."""
    return list(session.scalars(select(FollowerRow.account).order_by(FollowerRow.id)))
