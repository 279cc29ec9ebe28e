"""Shares that the venue does not move between people: owed, then marked as paid by other ways (V6).

A payable is a transfer that is never tried: its row says whom, how much and of which follow. In the
books it stands under `payable:` until somebody says how it was paid.
"""

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from copyplugin.domain.account import TransferKind, TransferRequest, TransferState, Wallet
from copyplugin.domain.follow import TERMINAL
from copyplugin.domain.identifiers import FollowId, TransferId
from copyplugin.domain.ledger import (
    LedgerAccount,
    Posting,
    leader_account,
    main_account,
    payable_account,
    sharer_account,
    sub_account,
)
from copyplugin.domain.money import ZERO_MONEY, Money
from copyplugin.errors import LedgerBroken, Refused
from copyplugin.store.followers import get_follower
from copyplugin.store.follows import get_follow
from copyplugin.store.ledger import balances, post
from copyplugin.store.rows import TransferRow
from copyplugin.store.transfers import plan_transfer, transfers_of

PAID = "paid"
TO_SHARERS = frozenset({TransferKind.SHARER, TransferKind.RELEASE_SHARER})


def owed_in(session: Session, follow_id: FollowId) -> Money:
    """Return what waits in a follow's sub-account for those it is owed to."""
    query = select(func.sum(TransferRow.money)).where(
        TransferRow.follow_id == follow_id, TransferRow.state == TransferState.OWED
    )
    return session.scalar(query) or ZERO_MONEY


def get_payable(session: Session, transfer_id: TransferId) -> TransferRow:
    """Return what is owed; raises `Refused` where nothing is owed under this name any more."""
    row = session.get(TransferRow, transfer_id, with_for_update=True)
    if row is None or row.state not in {TransferState.OWED, TransferState.PAID}:
        raise Refused(f"Nothing is owed under the name {transfer_id}: see copyplugin payables.")
    if row.state is TransferState.PAID:
        raise Refused(
            f"{row.money.normalize():f} USDT to {row.to_account} was marked as paid on "
            f"{row.done_at:%Y-%m-%d} by {row.paid_by} ({row.paid_reference}): "
            "nothing was booked again."
        )
    return row


def mark_paid(  # noqa: PLR0913 - who paid, how, when
    session: Session,
    row: TransferRow,
    *,
    reference: str,
    is_from_sub_account: bool,
    actor: str,
    prefix: str,
    at: datetime,
) -> bool:
    """Book that it was paid; return whether what waited for it is to be sent home.

    Where the follower paid with other money, what waited in his sub-account is his again: it is
    part of a follow that runs, and goes home at once from one whose money has left or is about to.
    Where it was taken out of the sub-account by hand, it is gone from there.
    """
    follow = get_follow(session, row.follow_id)
    follower = get_follower(session, follow.follower_id)
    receiver = (sharer_account if row.kind in TO_SHARERS else leader_account)(row.to_account)
    postings = [
        Posting(account=payable_account(row.to_account), money=Money(-row.money)),
        Posting(account=receiver, money=row.money),
    ]
    if not is_from_sub_account:
        postings += [
            Posting(account=main_account(follower.account), money=Money(-row.money)),
            Posting(account=sub_account(follow.id, paper=follow.paper), money=row.money),
        ]
    post(session, kind=PAID, reference=row.id, postings=postings, at=at)
    row.state = TransferState.PAID
    row.done_at = at
    row.paid_by = actor
    row.paid_reference = reference
    row.last_error = None
    session.flush()
    has_left = follow.state in TERMINAL or transfers_of(session, follow.id, {TransferKind.RETURN})
    if is_from_sub_account or not has_left:
        return False
    assert follow.sub_account is not None
    plan_transfer(
        session,
        TransferRequest(
            transfer_id=TransferId(f"{prefix}-{TransferKind.FREED}-{row.id}"),
            from_account=follow.sub_account,
            from_wallet=Wallet.CONTRACT,
            to_account=follower.account,
            to_wallet=Wallet.SPOT,
            money=row.money,
        ),
        follow_id=follow.id,
        kind=TransferKind.FREED,
        at=at,
    )
    return True


def verify(session: Session) -> None:
    """Prove that the books owe just what the rows say; raises `LedgerBroken`."""
    owed: dict[LedgerAccount, Money] = {}
    query = (
        select(TransferRow.to_account, func.sum(TransferRow.money))
        .where(TransferRow.state == TransferState.OWED)
        .group_by(TransferRow.to_account)
    )
    for account, money in session.execute(query):
        owed[payable_account(account)] = money
    booked = {
        account: money
        for account, money in balances(session).items()
        if account.startswith(payable_account(""))
    }
    for account in sorted({*owed, *booked}):
        by_rows, by_books = owed.get(account, ZERO_MONEY), booked.get(account, ZERO_MONEY)
        if by_rows != by_books:
            raise LedgerBroken(f"{account} is {by_books:f} in the books, and rows owe {by_rows:f}")
