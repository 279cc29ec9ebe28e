"""Shares in escrow: taken back where the result fell, released when their time is over (M9)."""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from copyplugin.domain.account import TransferKind, Wallet
from copyplugin.domain.high_water_mark import taken_back
from copyplugin.domain.identifiers import AccountId, FollowId, TransferId
from copyplugin.domain.ledger import (
    escrow_account,
    is_escrow,
    main_account,
    moved,
    sub_account,
)
from copyplugin.domain.money import ZERO_MONEY, Money, Ratio, money_total
from copyplugin.domain.share import split_share
from copyplugin.errors import LedgerBroken
from copyplugin.store.followers import get_follower
from copyplugin.store.ledger import LedgerBook, balances, post
from copyplugin.store.rows import FollowRow, LeaderRow, SettlementRow
from copyplugin.store.shares import (
    RELEASE,
    Claim,
    Payment,
    Purse,
    book_payments,
    payee_of,
    payments_of,
    plan_payments,
)

TAKE_BACK = "take_back"


def due_releases(session: Session, *, now: datetime) -> list[FollowId]:
    """Return the follows with a held share whose time is over."""
    query = (
        select(SettlementRow.follow_id)
        .where(SettlementRow.held > ZERO_MONEY, SettlementRow.release_at <= now)
        .distinct()
        .order_by(SettlementRow.follow_id)
    )
    return list(session.scalars(query))


def in_window(
    session: Session, follow_ids: Collection[FollowId], *, now: datetime
) -> set[FollowId]:
    """Return those of these follows with shares that are held or may be taken back still."""
    query = select(SettlementRow.follow_id).where(
        SettlementRow.follow_id.in_(follow_ids), _is_in_window(now)
    )
    return set(session.scalars(query))


def take_back(
    session: Session, follow: FollowRow, purse: Purse, *, result: Money, at: datetime
) -> Money:
    """Return to the follower what is held too much at this result; returns how much that is.

    The floor is the result before the oldest share whose time is not over, whether anything of it
    is still held or not.
    """
    open_ones = _in_window(session, follow.id, now=at)
    held = [row for row in open_ones if row.held > 0]
    if not held:
        return ZERO_MONEY
    parts = taken_back(
        [row.held for row in held],
        floor=open_ones[0].result_before,
        result=result,
        share_ratio=follow.share_ratio,
    )
    for row, part in zip(held, parts, strict=True):
        if part > 0:
            _take_back(session, follow, row, part, purse, at=at)
    return money_total(ZERO_MONEY, *parts)


def held_in_place(session: Session, follow_id: FollowId) -> Money:
    """Return what is held of a follow's shares in its own sub-account."""
    return all_held_in_place(session, [follow_id]).get(follow_id, ZERO_MONEY)


def all_held_in_place(session: Session, follow_ids: Collection[FollowId]) -> dict[FollowId, Money]:
    """Return that of each of these follows; one of which nothing was ever held is left out."""
    query = (
        select(SettlementRow.follow_id, func.sum(SettlementRow.held))
        .where(SettlementRow.follow_id.in_(follow_ids), SettlementRow.transfer_id.is_(None))
        .group_by(SettlementRow.follow_id)
    )
    return dict(iter(session.execute(query)))


def verify(session: Session) -> None:
    """Prove that the books hold just what the rows say; raises `LedgerBroken`."""
    query = (
        select(FollowRow.id, FollowRow.paper, func.sum(SettlementRow.held))
        .join(SettlementRow, SettlementRow.follow_id == FollowRow.id)
        .group_by(FollowRow.id, FollowRow.paper)
    )
    held = {
        escrow_account(follow_id, paper=paper): money
        for follow_id, paper, money in session.execute(query)
    }
    booked = {account: money for account, money in balances(session).items() if is_escrow(account)}
    for account in sorted({*held, *booked}):
        by_rows, by_books = held.get(account, ZERO_MONEY), booked.get(account, ZERO_MONEY)
        if by_rows != by_books:
            raise LedgerBroken(f"{account} is {by_books:f} in the books, and rows hold {by_rows:f}")


def floor_of(session: Session, follow_id: FollowId, *, now: datetime) -> Money | None:
    """Return the result above which shares are held or were taken back; None without any."""
    rows = _in_window(session, follow_id, now=now)
    return rows[0].result_before if rows else None


def release(
    session: Session, follow: FollowRow, purse: Purse, *, is_over: bool, at: datetime
) -> int:
    """Pay out the held shares whose time is over, or all of a follow that is; return how many."""
    query = select(SettlementRow).where(
        SettlementRow.follow_id == follow.id, SettlementRow.held > ZERO_MONEY
    )
    if not is_over:
        query = query.where(SettlementRow.release_at <= at)
    rows = list(session.scalars(query.order_by(SettlementRow.id)))
    for row in rows:
        _release(session, follow, row, purse, at=at)
    return len(rows)


def _in_window(session: Session, follow_id: FollowId, *, now: datetime) -> Sequence[SettlementRow]:
    query = (
        select(SettlementRow)
        .where(SettlementRow.follow_id == follow_id, _is_in_window(now))
        .order_by(SettlementRow.id)
    )
    return list(session.scalars(query))


def _is_in_window(now: datetime) -> ColumnElement[bool]:
    return or_(SettlementRow.release_at > now, SettlementRow.held > ZERO_MONEY)


def _take_back(
    session: Session,
    follow: FollowRow,
    row: SettlementRow,
    part: Money,
    purse: Purse,
    *,
    at: datetime,
) -> None:
    row.held = Money(row.held - part)
    row.taken_back = Money(row.taken_back + part)
    row.share = Money(row.share - part)
    row.leader_part, row.sharer_part = split_share(
        row.share, follow.sharer_ratio or Ratio(ZERO_MONEY)
    )
    # What was taken back of one share in all names the step: it only grows.
    name = f"{row.id}-{row.taken_back.normalize():f}"
    if _is_in_place(row):  # it is in the sub-account, and part of the follow again
        sub = sub_account(follow.id, paper=follow.paper)
        postings = moved(escrow_account(follow.id, paper=follow.paper), sub, part)
        post(session, kind=TAKE_BACK, reference=name, postings=postings, at=at)
        session.flush()
        return
    account = get_follower(session, follow.follower_id).account
    payment = Payment(
        kind=TransferKind.TAKE_BACK,
        transfer_id=TransferId(f"{purse.transfer_prefix}-{TransferKind.TAKE_BACK}-{name}"),
        account=account,
        ledger_account=main_account(account),
        money=part,
    )
    _pay(
        session,
        follow,
        [payment],
        kind=TAKE_BACK,
        reference=name,
        source=_operators_wallet(follow, purse),
        at=at,
    )


def _release(
    session: Session, follow: FollowRow, row: SettlementRow, purse: Purse, *, at: datetime
) -> None:
    leader = session.get_one(LeaderRow, follow.leader_id)
    claim = Claim(
        follow=follow,
        reference=f"settlement:{row.id}",
        copied_position_id=None,
        profit=row.profit,
        share=row.held,
        result_before=row.result_before,
        result_after=row.result_after,
    )
    payments = payments_of(row.held, claim, leader, purse, is_release=True)
    row.held = ZERO_MONEY
    if _is_in_place(row):
        assert follow.sub_account is not None
        source = (follow.sub_account, Wallet.CONTRACT)
    else:
        source = _operators_wallet(follow, purse)
    _pay(
        session,
        follow,
        payments,
        kind=RELEASE,
        reference=claim.reference,
        source=source,
        at=at,
    )


def _is_in_place(row: SettlementRow) -> bool:
    """Return whether a held share never left the sub-account: then no transfer took it away."""
    return row.transfer_id is None


def _operators_wallet(follow: FollowRow, purse: Purse) -> tuple[AccountId, Wallet]:
    assert purse.escrow is not None, "what is held is held somewhere"
    return (payee_of(follow, purse.escrow), Wallet.SPOT)


def _pay(  # noqa: PLR0913 - one entry in all its parts
    session: Session,
    follow: FollowRow,
    payments: Sequence[Payment],
    *,
    kind: str,
    reference: str,
    source: tuple[AccountId, Wallet],
    at: datetime,
) -> None:
    held = escrow_account(follow.id, paper=follow.paper)
    books = LedgerBook(session)
    assert not books.has(kind, reference), f"{kind} {reference} happens once"
    entry_id = book_payments(books, kind, reference, source=held, payments=payments, at=at)
    plan_payments(books, follow, payments, source=source, entry_id=entry_id, at=at)
    books.save()
