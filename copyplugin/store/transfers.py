"""Movements of money: planned before they are asked for, booked when they are known to be done."""

from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from copyplugin.domain.account import TransferKind, TransferRequest, TransferState
from copyplugin.domain.identifiers import FollowId, LedgerEntryId, TransferId
from copyplugin.domain.ledger import main_account, moved, sub_account
from copyplugin.domain.paper import is_paper
from copyplugin.store.followers import get_follower
from copyplugin.store.follows import get_follow
from copyplugin.store.ledger import post
from copyplugin.store.rows import TransferRow

LONGEST_PAUSE = timedelta(seconds=30)
"""Between two attempts of a transfer."""


def plan_transfer(  # noqa: PLR0913 - what a transfer is
    session: Session,
    request: TransferRequest,
    *,
    follow_id: FollowId,
    kind: TransferKind,
    at: datetime,
    ledger_entry_id: LedgerEntryId | None = None,
    state: TransferState = TransferState.PLANNED,
) -> TransferRow:
    """Write down what is to be moved; the same id again returns the row there is.

    What is booked already carries its entry's number; anything else is booked when it is done.
    """
    assert is_paper(request.from_account) == is_paper(request.to_account), f"{request} mixes money"
    known = session.get(TransferRow, request.transfer_id)
    if known is not None:
        assert request_of(known) == request, f"{request.transfer_id} was planned differently"
        return known
    row = TransferRow(
        id=request.transfer_id,
        follow_id=follow_id,
        kind=kind,
        from_account=request.from_account,
        from_wallet=request.from_wallet,
        to_account=request.to_account,
        to_wallet=request.to_wallet,
        money=request.money,
        ledger_entry_id=ledger_entry_id,
        state=state,
        created_at=at,
    )
    session.add(row)
    session.flush()
    return row


def get_transfer(session: Session, transfer_id: TransferId) -> TransferRow:
    row = session.get(TransferRow, transfer_id)
    assert row is not None, f"transfer {transfer_id} was never planned"
    return row


def transfers_of(
    session: Session, follow_id: FollowId, kinds: Collection[TransferKind]
) -> list[TransferRow]:
    """Return the follow's transfers of these kinds, oldest first."""
    query = (
        select(TransferRow)
        .where(TransferRow.follow_id == follow_id, TransferRow.kind.in_(kinds))
        .order_by(TransferRow.created_at, TransferRow.id)
    )
    return list(session.scalars(query))


def due_transfers(
    session: Session, *, now: datetime, kinds: Collection[TransferKind] = frozenset(TransferKind)
) -> list[TransferRow]:
    """Return the transfers of these kinds that wait to be made and need not wait, oldest first.

    One that was attempted may have been carried out: the venue is asked before it is sent again.
    """
    query = (
        select(TransferRow)
        .where(
            TransferRow.state == TransferState.PLANNED,
            TransferRow.kind.in_(kinds),
            or_(
                TransferRow.retry_at.is_(None),
                TransferRow.retry_at <= now,
                TransferRow.retry_at > now + LONGEST_PAUSE,  # the clock was set back since
            ),
        )
        .order_by(TransferRow.created_at, TransferRow.id)
    )
    return list(session.scalars(query))


def transfers_planned(session: Session) -> int:
    """Return how many transfers are not made yet."""
    query = select(func.count()).where(TransferRow.state == TransferState.PLANNED)
    return session.scalar(query) or 0


def transfer_attempted(session: Session, transfer_id: TransferId) -> TransferRequest:
    """Count an attempt, before it is made, and return what to ask of the venue."""
    row = get_transfer(session, transfer_id)
    assert row.state is TransferState.PLANNED
    row.attempts += 1
    return request_of(row)


def transfer_put_off(
    session: Session, transfer_id: TransferId, *, error: str, retry_at: datetime
) -> None:
    """Remember why the outcome is not known, and when to ask again."""
    row = get_transfer(session, transfer_id)
    row.last_error = error
    row.retry_at = retry_at


def transfer_done(session: Session, transfer_id: TransferId, *, at: datetime) -> TransferRow:
    """Record that the money has moved, and book it in the same transaction; once.

    A share was booked when it was settled: its transfer carries that entry's number already.
    """
    row = get_transfer(session, transfer_id)
    if row.state is TransferState.DONE:
        return row
    assert row.state is TransferState.PLANNED
    row.state = TransferState.DONE
    row.done_at = at
    row.last_error = None
    if row.ledger_entry_id is None:
        follow = get_follow(session, row.follow_id)
        follower = get_follower(session, follow.follower_id)
        main, sub = main_account(follower.account), sub_account(follow.id, paper=follow.paper)
        source, target = (main, sub) if row.kind is TransferKind.FUND else (sub, main)
        row.ledger_entry_id = post(
            session,
            kind=row.kind,
            reference=row.id,
            postings=moved(source, target, row.money),
            at=at,
        )
    return row


def transfer_refused(
    session: Session, transfer_id: TransferId, *, reason: str, at: datetime
) -> TransferRow:
    """Record that the venue said no and nothing has moved."""
    row = get_transfer(session, transfer_id)
    assert row.state is TransferState.PLANNED
    row.state = TransferState.REFUSED
    row.last_error = reason
    row.done_at = at
    return row


def request_of(row: TransferRow) -> TransferRequest:
    return TransferRequest(
        transfer_id=row.id,
        from_account=row.from_account,
        from_wallet=row.from_wallet,
        to_account=row.to_account,
        to_wallet=row.to_wallet,
        money=row.money,
    )
