"""Funding payments of sub-accounts: each is booked to its position once."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from copyplugin.domain.account import FundingPayment
from copyplugin.domain.identifiers import FollowId
from copyplugin.domain.leader import NOT_BOOKED, TradeState
from copyplugin.domain.ledger import moved, result_account, sub_account
from copyplugin.domain.money import Money, total
from copyplugin.store.leader_record import FUNDING_GRACE, take_from_result
from copyplugin.store.ledger import post
from copyplugin.store.results import is_result_booked
from copyplugin.store.rows import CopiedPositionRow, FollowRow, FundingPaymentRow


def funding_asked_from(session: Session, follow_id: FollowId) -> datetime | None:
    """Return where to ask from; None where there is no such follow."""
    return all_asked_from(session, [follow_id]).get(follow_id)


def all_asked_from(session: Session, follow_ids: Collection[FollowId]) -> dict[FollowId, datetime]:
    """Return where to ask from: a while before the latest payment that is stored.

    Another instrument's payment of that time may be told after it. Never before the follow's
    beginning: its sub-account is its own from then on; what a venue lists before is somebody
    else's, and to list it takes a venue many requests.
    """
    latest = (
        select(FundingPaymentRow.follow_id, func.max(FundingPaymentRow.at))
        .where(FundingPaymentRow.follow_id.in_(follow_ids))
        .group_by(FundingPaymentRow.follow_id)
    )
    known = dict(iter(session.execute(latest)))
    began = select(FollowRow.id, FollowRow.created_at).where(FollowRow.id.in_(follow_ids))
    return {
        follow_id: max(at, known[follow_id] - FUNDING_GRACE) if follow_id in known else at
        for follow_id, at in session.execute(began)
    }


def book_funding(
    session: Session, follow_id: FollowId, payments: Sequence[FundingPayment], *, at: datetime
) -> int:
    """Book the payments of one follow, as `book_all_funding` does for many."""
    return book_all_funding(session, {follow_id: payments}, at=at)


def book_all_funding(
    session: Session, told: Mapping[FollowId, Sequence[FundingPayment]], *, at: datetime
) -> int:
    """Book the payments that are new and return how many were; told again, they change nothing.

    A payment belongs to the position of its instrument and side that was open then. One that comes
    after the position's result was booked, or that belongs to none, has an entry of its own.
    """
    known = _known(session, told)
    booked = 0
    for follow_id, payments in told.items():
        for payment in payments:
            name = (follow_id, payment.venue_payment_id)
            if name not in known:
                known.add(name)
                _book(session, follow_id, payment, at=at)
                booked += 1
    if booked:
        session.flush()
    return booked


def _known(
    session: Session, told: Mapping[FollowId, Sequence[FundingPayment]]
) -> set[tuple[FollowId, str]]:
    """Return which of these payments are stored."""
    names = {payment.venue_payment_id for some in told.values() for payment in some}
    if not names:
        return set()
    row = FundingPaymentRow
    query = select(row.follow_id, row.venue_payment_id).where(
        row.follow_id.in_([each for each, some in told.items() if some]),
        row.venue_payment_id.in_(names),
    )
    return {(follow_id, name) for follow_id, name in session.execute(query)}


def _book(session: Session, follow_id: FollowId, payment: FundingPayment, *, at: datetime) -> None:
    position = _position_then(session, follow_id, payment)
    session.add(
        FundingPaymentRow(
            follow_id=follow_id,
            venue_payment_id=payment.venue_payment_id,
            copied_position_id=None if position is None else position.id,
            symbol=payment.symbol,
            position_side=payment.position_side,
            payment=payment.payment,
            at=payment.at,
        )
    )
    if position is not None:
        position.funding = Money(total(position.funding, payment.payment))
        if position.counted:
            _correct_record(session, follow_id, payment.payment)
    if position is None or _is_booked(session, position):
        _book_alone(session, follow_id, payment, at=at)


def _position_then(
    session: Session, follow_id: FollowId, payment: FundingPayment
) -> CopiedPositionRow | None:
    query = (
        select(CopiedPositionRow)
        .where(
            CopiedPositionRow.follow_id == follow_id,
            CopiedPositionRow.symbol == payment.symbol,
            CopiedPositionRow.position_side == payment.position_side,
            CopiedPositionRow.opened_at <= payment.at,
            or_(CopiedPositionRow.closed_at.is_(None), CopiedPositionRow.closed_at >= payment.at),
        )
        .order_by(CopiedPositionRow.id)
        .limit(1)
    )
    return session.scalars(query).first()


def _correct_record(session: Session, follow_id: FollowId, payment: Money) -> None:
    """Correct the leader's record for a payment of a position that was counted in it."""
    follow = session.get_one(FollowRow, follow_id)
    if not follow.paper:
        take_from_result(session, follow.leader_id, payment)


def _is_booked(session: Session, position: CopiedPositionRow) -> bool:
    """Return whether the position's result is in the ledger; its share may still be due."""
    if position.state is TradeState.OPEN:
        return False
    return position.share_state not in NOT_BOOKED or is_result_booked(session, position.id)


def _book_alone(
    session: Session, follow_id: FollowId, payment: FundingPayment, *, at: datetime
) -> None:
    if payment.payment == 0:
        return
    paper = session.get_one(FollowRow, follow_id).paper
    sub, result = sub_account(follow_id, paper=paper), result_account(follow_id, paper=paper)
    postings = (
        moved(sub, result, payment.payment)
        if payment.payment > 0
        else moved(result, sub, Money(-payment.payment))
    )
    reference = f"{follow_id}:{payment.venue_payment_id}"
    post(session, kind="funding", reference=reference, postings=postings, at=at)
