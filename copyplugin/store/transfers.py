"""Movements of money: planned before they are asked for, booked when they are known to be done."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session

from copyplugin.domain.account import TransferKind, TransferRequest, TransferState
from copyplugin.domain.identifiers import FollowId, LedgerEntryId, TransferId
from copyplugin.domain.ledger import main_account, moved, sub_account
from copyplugin.domain.money import Money
from copyplugin.domain.paper import is_paper
from copyplugin.store.followers import get_follower
from copyplugin.store.follows import get_follow
from copyplugin.store.ledger import LedgerBook
from copyplugin.store.rows import FollowRow, TransferRow

LONGEST_PAUSE = timedelta(seconds=30)
"""Between two attempts of a transfer."""

SHARES = frozenset({TransferKind.SHARE, TransferKind.SHARER, TransferKind.ESCROW})
"""Transfers of shares out of a sub-account."""

RELEASES = frozenset({TransferKind.RELEASE, TransferKind.RELEASE_SHARER})
"""Transfers of shares that were held: out of the sub-account where they were held in it."""

STILL_THERE = frozenset({TransferState.PLANNED, TransferState.OWED})
"""States of a transfer whose money is still where it came from."""


def plan_transfer(
    session: Session,
    request: TransferRequest,
    *,
    follow_id: FollowId,
    kind: TransferKind,
    at: datetime,
    ledger_entry_id: LedgerEntryId | None = None,
) -> TransferRow:
    """Write down what is to be moved; the same id again returns the row there is.

    What is booked already carries its entry's number; anything else is booked when it is done.
    """
    known = session.get(TransferRow, request.transfer_id)
    if known is not None:
        assert request_of(known) == request, f"{request.transfer_id} was planned differently"
        return known
    row = new_transfer(request, follow_id=follow_id, kind=kind, at=at)
    row.ledger_entry_id = ledger_entry_id
    session.add(row)
    session.flush()
    return row


def new_transfer(
    request: TransferRequest, *, follow_id: FollowId, kind: TransferKind, at: datetime
) -> TransferRow:
    """Return the row of a transfer; one that is booked already is given its entry's number."""
    assert is_paper(request.from_account) == is_paper(request.to_account), f"{request} mixes money"
    return TransferRow(
        id=request.transfer_id,
        follow_id=follow_id,
        kind=kind,
        from_account=request.from_account,
        from_wallet=request.from_wallet,
        to_account=request.to_account,
        to_wallet=request.to_wallet,
        money=request.money,
        created_at=at,
    )


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


@dataclass(frozen=True, slots=True)
class ShareTransfers:
    """What became of the shares of a follow: booked and still in its sub-account, and gone."""

    still_there: Mapping[TransferId, Money] = field(default_factory=dict[TransferId, Money])
    gone: int = 0
    """How many were made, or are settled otherwise; it only grows."""

    def has_missed(self, before: "ShareTransfers") -> bool:
        """Return whether some were planned and have gone since: they are in neither."""
        seen_to_go = before.still_there.keys() - self.still_there.keys()
        return self.gone - before.gone > len(seen_to_go)


NO_SHARES = ShareTransfers()


def shares_of(session: Session, follow_id: FollowId) -> ShareTransfers:
    """Return what became of one follow's shares."""
    return share_transfers(session, [follow_id]).get(follow_id, NO_SHARES)


def share_transfers(
    session: Session, follow_ids: Collection[FollowId]
) -> dict[FollowId, ShareTransfers]:
    """Return that of each of these follows; one that never paid a share is left out."""
    row = TransferRow
    of_these = and_(
        row.follow_id.in_(follow_ids),
        row.kind.in_(SHARES | RELEASES),
        row.from_account == FollowRow.sub_account,
    )
    is_its = row.follow_id == FollowRow.id
    gone = (
        select(row.follow_id, func.count())
        .join(FollowRow, is_its)
        .where(of_these, row.state.not_in(STILL_THERE))
        .group_by(row.follow_id)
    )
    counts = dict(iter(session.execute(gone)))
    there: dict[FollowId, dict[TransferId, Money]] = {}
    waiting = select(row.follow_id, row.id, row.money).join(FollowRow, is_its)
    for follow_id, transfer_id, money in session.execute(
        waiting.where(of_these, row.state.in_(STILL_THERE))
    ):
        there.setdefault(follow_id, {})[transfer_id] = money
    return {
        follow_id: ShareTransfers(there.get(follow_id, {}), counts.get(follow_id, 0))
        for follow_id in {*counts, *there}
    }


def due_transfers(
    session: Session, *, now: datetime, kinds: Collection[TransferKind] = frozenset(TransferKind)
) -> list[TransferRow]:
    """Return the transfers of these kinds that wait to be made and need not wait, oldest first.

    One that was attempted may have been carried out: the venue is asked before it is sent again.
    """
    query = select(TransferRow).where(_is_due(now), TransferRow.kind.in_(kinds))
    return list(session.scalars(query.order_by(TransferRow.created_at, TransferRow.id)))


def due_transfer_ids(session: Session, *, now: datetime) -> list[TransferId]:
    """Return the names of all that wait to be made and need not wait, oldest first."""
    query = select(TransferRow.id).where(_is_due(now))
    return list(session.scalars(query.order_by(TransferRow.created_at, TransferRow.id)))


def _is_due(now: datetime) -> ColumnElement[bool]:
    return and_(
        TransferRow.state == TransferState.PLANNED,
        or_(
            TransferRow.retry_at.is_(None),
            TransferRow.retry_at <= now,
            TransferRow.retry_at > now + LONGEST_PAUSE,  # the clock was set back since
        ),
    )


def transfers_planned(session: Session) -> int:
    """Return how many transfers are not made yet."""
    query = select(func.count()).where(TransferRow.state == TransferState.PLANNED)
    return session.scalar(query) or 0


class Attempt(NamedTuple):
    """One attempt to move money, as it is asked of the venue; the first is number 1."""

    request: TransferRequest
    number: int
    kind: TransferKind
    follow_id: FollowId


def transfers_attempted(
    session: Session, transfer_ids: Collection[TransferId]
) -> Sequence[Attempt]:
    """Count an attempt at each, before it is made, in this order; what is made is left out."""
    rows = _rows(session, transfer_ids)
    planned = [row for row in rows if row.state is TransferState.PLANNED]
    for row in planned:
        row.attempts += 1
    return [Attempt(request_of(row), row.attempts, row.kind, row.follow_id) for row in planned]


def transfer_put_off(
    session: Session, transfer_id: TransferId, *, error: str, retry_at: datetime
) -> None:
    """Remember why the outcome is not known, and when to ask again."""
    row = get_transfer(session, transfer_id)
    row.last_error = error
    row.retry_at = retry_at


def transfer_done(session: Session, transfer_id: TransferId, *, at: datetime) -> TransferRow:
    """Record that the money of one has moved, as `transfers_done` does for many."""
    (row,) = transfers_done(session, [transfer_id], at=at)
    return row


def transfers_done(
    session: Session, transfer_ids: Collection[TransferId], *, at: datetime
) -> list[TransferRow]:
    """Record that the money has moved, and book it in the same transaction; once.

    A share was booked when it was settled: its transfer carries that entry's number already.
    """
    rows = _rows(session, transfer_ids)
    moved_now = [row for row in rows if row.state is not TransferState.DONE]
    for row in moved_now:
        assert row.state is TransferState.PLANNED
        row.state = TransferState.DONE
        row.done_at = at
        row.last_error = None
    _book(session, [row for row in moved_now if row.ledger_entry_id is None], at=at)
    return rows


def _book(session: Session, rows: Sequence[TransferRow], *, at: datetime) -> None:
    """Book what goes from a follower into his follow, and back."""
    if not rows:
        return
    books = LedgerBook(session, [(row.kind, row.id) for row in rows])
    entries: list[LedgerEntryId] = []
    for row in rows:
        follow = get_follow(session, row.follow_id)
        follower = get_follower(session, follow.follower_id)
        main, sub = main_account(follower.account), sub_account(follow.id, paper=follow.paper)
        source, target = (main, sub) if row.kind is TransferKind.FUND else (sub, main)
        postings = moved(source, target, row.money)
        entries.append(books.post(kind=row.kind, reference=row.id, postings=postings, at=at))
    books.save()
    for row, entry_id in zip(rows, entries, strict=True):
        row.ledger_entry_id = entry_id


def _rows(session: Session, transfer_ids: Collection[TransferId]) -> list[TransferRow]:
    """Return these transfers in this order; each must have been planned."""
    if not transfer_ids:
        return []
    query = select(TransferRow).where(TransferRow.id.in_(transfer_ids))
    found = {row.id: row for row in session.scalars(query)}
    return [found[transfer_id] for transfer_id in transfer_ids]


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
