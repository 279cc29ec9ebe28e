"""The host's messages as they came, each account's in its own order."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from copyplugin.domain.identifiers import AccountId, VenueFillId
from copyplugin.store import dialect
from copyplugin.store.rows import HostFillRow, HostMessageRow


def last_number(session: Session, account: AccountId) -> int:
    """Return the number of the account's newest message; 0 before the first."""
    query = select(func.max(HostMessageRow.number)).where(HostMessageRow.account == account)
    return session.scalar(query) or 0


def body(session: Session, account: AccountId, number: int) -> str | None:
    """Return a message as it came; None where there is none of this number."""
    row = session.get(HostMessageRow, (account, number))
    return None if row is None else row.body


def bodies(session: Session, account: AccountId, *, first: int, limit: int) -> Sequence[str]:
    """Return messages with fills from that number on, in order, at most so many."""
    with_fills = select(HostFillRow.number).where(
        HostFillRow.account == account, HostFillRow.number >= first
    )
    query = (
        select(HostMessageRow.body)
        .where(HostMessageRow.account == account, HostMessageRow.number.in_(with_fills))
        .order_by(HostMessageRow.number)
        .limit(limit)
    )
    return session.scalars(query).all()


def bodies_since(session: Session, account: AccountId, since: datetime | None) -> Sequence[str]:
    """Return the messages that came at or after that time, in order."""
    query = select(HostMessageRow.body).where(HostMessageRow.account == account)
    if since is not None:
        query = query.where(HostMessageRow.received_at >= since)
    return session.scalars(query.order_by(HostMessageRow.number)).all()


def number_of_fill(session: Session, account: AccountId, fill_id: VenueFillId) -> int | None:
    """Return which message told this fill; None where none did."""
    query = select(HostFillRow.number).where(
        HostFillRow.account == account, HostFillRow.venue_fill_id == fill_id
    )
    return session.scalar(query)


def told_twice(
    session: Session, account: AccountId, fill_ids: Sequence[VenueFillId]
) -> VenueFillId | None:
    """Return one of these fills that an earlier message told, if any."""
    query = select(HostFillRow.venue_fill_id).where(
        HostFillRow.account == account, HostFillRow.venue_fill_id.in_(fill_ids)
    )
    return session.scalars(query.limit(1)).first()


def add(
    session: Session,
    account: AccountId,
    number: int,
    *,
    text: str,
    fill_ids: Sequence[VenueFillId],
    at: datetime,
) -> bool:
    """Store the next message; return False where another process stored this number meanwhile."""
    table = HostMessageRow.metadata.tables[HostMessageRow.__tablename__]
    statement = dialect.insert(session, table).on_conflict_do_nothing()
    row = {"account": account, "number": number, "body": text, "received_at": at}
    stored = session.execute(statement.returning(table.c.number), [row]).all()
    if not stored:
        return False
    session.add_all(
        HostFillRow(account=account, number=number, venue_fill_id=each) for each in fill_ids
    )
    session.flush()
    return True
