"""A share that was booked while it was there and is there no more: it is cut to what is left.

Between booking and transfer a loss may take the money. While the follow goes on, the share waits
for what is earned; at its end nothing will be, and it must not keep the follow from its end.
"""

from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from copyplugin.domain.account import TransferKind, TransferRequest, TransferState
from copyplugin.domain.identifiers import TransferId
from copyplugin.domain.ledger import (
    LedgerAccount,
    escrow_account,
    leader_account,
    moved,
    sharer_account,
    sub_account,
)
from copyplugin.domain.money import ZERO_MONEY, Money, Ratio, total, truncate_money
from copyplugin.domain.share import SHARE_PLACES, split_share
from copyplugin.store.follows import get_follow
from copyplugin.store.ledger import post
from copyplugin.store.rows import FollowRow, SettlementRow, TransferRow
from copyplugin.store.transfers import get_transfer, plan_transfer, request_of, transfer_refused

SHARE_CUT = "share_cut"


def cut_share(
    session: Session, transfer_id: TransferId, *, left: Money, reason: str, at: datetime
) -> bool:
    """Cut a share that the venue has refused to move to what is left; return whether it was.

    The part that is not there is booked back, what is there is planned under a name of its own.
    """
    row = get_transfer(session, transfer_id)
    payable = max(truncate_money(left, SHARE_PLACES), ZERO_MONEY)
    if row.state is not TransferState.PLANNED or payable >= row.money:
        return False
    follow, missing = get_follow(session, row.follow_id), Money(total(row.money, -payable))
    post(
        session,
        kind=SHARE_CUT,
        reference=row.id,
        postings=moved(_receiver(follow, row), sub_account(follow.id, paper=follow.paper), missing),
        at=at,
    )
    transfer_refused(session, transfer_id, reason=reason, at=at)
    rest = _plan_rest(session, row, payable, at=at) if payable else None
    _correct(session, follow, row, missing, rest)
    session.flush()
    return True


def _receiver(follow: FollowRow, row: TransferRow) -> LedgerAccount:
    if row.kind is TransferKind.ESCROW:
        return escrow_account(follow.id, paper=follow.paper)
    return (sharer_account if row.kind is TransferKind.SHARER else leader_account)(row.to_account)


def _plan_rest(session: Session, row: TransferRow, payable: Money, *, at: datetime) -> TransferId:
    request = request_of(row)
    rest = TransferRequest(
        transfer_id=TransferId(f"{row.id}-rest"),
        from_account=request.from_account,
        from_wallet=request.from_wallet,
        to_account=request.to_account,
        to_wallet=request.to_wallet,
        money=payable,
    )
    plan_transfer(
        session,
        rest,
        follow_id=row.follow_id,
        kind=row.kind,
        at=at,
        ledger_entry_id=row.ledger_entry_id,
    )
    return rest.transfer_id


def _correct(
    session: Session,
    follow: FollowRow,
    row: TransferRow,
    missing: Money,
    rest: TransferId | None,
) -> None:
    """Let the settlement say what is paid in the end."""
    of_this = or_(SettlementRow.transfer_id == row.id, SettlementRow.sharer_transfer_id == row.id)
    share = session.scalars(select(SettlementRow).where(of_this)).one()
    share.share = Money(total(share.share, -missing))
    if row.kind is TransferKind.SHARER:
        share.sharer_part = Money(total(share.sharer_part, -missing))
        share.sharer_transfer_id = rest
        return
    share.transfer_id = rest
    if row.kind is TransferKind.ESCROW:
        share.held = Money(total(share.held, -missing))
        share.leader_part, share.sharer_part = split_share(
            share.share, follow.sharer_ratio or Ratio(ZERO_MONEY)
        )
    else:
        share.leader_part = Money(total(share.leader_part, -missing))
