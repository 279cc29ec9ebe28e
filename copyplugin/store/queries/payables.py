"""Shares that no venue moves: what is owed and what was marked as paid, as it is shown."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from copyplugin.domain.account import TransferState
from copyplugin.domain.identifiers import AccountId, FollowerId, FollowId, LeaderId, TransferId
from copyplugin.domain.money import ZERO_MONEY, Money, money_total
from copyplugin.store.payables import TO_SHARERS
from copyplugin.store.rows import FollowerRow, FollowRow, LeaderRow, TransferRow


@dataclass(frozen=True, kw_only=True, slots=True)
class Payable:
    """One share that a follower owes, to his leader or to whoever brought him (`to_sharer`)."""

    transfer_id: TransferId
    follow_id: FollowId
    follower_account: AccountId
    sub_account: AccountId | None
    leader_nickname: str
    to_account: AccountId
    to_sharer: bool
    money: Money
    since: datetime
    paid_at: datetime | None
    paid_by: str | None
    reference: str | None


def owed(session: Session) -> tuple[Payable, ...]:
    """Return everything that is owed, oldest first."""
    return _payables(session, TransferRow.state == TransferState.OWED)


def owed_and_paid(session: Session) -> tuple[Payable, ...]:
    return _payables(session, TransferRow.state.in_({TransferState.OWED, TransferState.PAID}))


def owed_by(session: Session, follower_id: FollowerId) -> tuple[Payable, ...]:
    """Return what a follower owes, oldest first."""
    is_owed = TransferRow.state == TransferState.OWED
    return _payables(session, is_owed & (FollowRow.follower_id == follower_id))


def owed_to_leader(session: Session, leader_id: LeaderId) -> Money:
    """Return what a leader was not paid yet of his shares; play money is not in it."""
    found = _payables(
        session,
        (TransferRow.state == TransferState.OWED)
        & (FollowRow.leader_id == leader_id)
        & FollowRow.paper.is_(False)
        & TransferRow.kind.not_in(TO_SHARERS),
    )
    return total_of(found)


def total_of(payables: Sequence[Payable]) -> Money:
    return money_total(ZERO_MONEY, *(each.money for each in payables))


def _payables(session: Session, condition: ColumnElement[bool]) -> tuple[Payable, ...]:
    query = (
        select(TransferRow, FollowRow, FollowerRow.account, LeaderRow.nickname)
        .join(FollowRow, FollowRow.id == TransferRow.follow_id)
        .join(FollowerRow, FollowerRow.id == FollowRow.follower_id)
        .join(LeaderRow, LeaderRow.id == FollowRow.leader_id)
        .where(condition)
        .order_by(TransferRow.created_at, TransferRow.id)
    )
    return tuple(
        Payable(
            transfer_id=row.id,
            follow_id=follow.id,
            follower_account=account,
            sub_account=follow.sub_account,
            leader_nickname=nickname,
            to_account=row.to_account,
            to_sharer=row.kind in TO_SHARERS,
            money=row.money,
            since=row.created_at,
            paid_at=row.done_at,
            paid_by=row.paid_by,
            reference=row.paid_reference,
        )
        for row, follow, account, nickname in session.execute(query)
    )
