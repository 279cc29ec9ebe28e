"""The books: adding an entry, asking for a balance, and proving that nothing was changed.

There is no table of balances. A balance is the sum of its postings, always.
"""

from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session

from copyplugin.domain.identifiers import LedgerEntryId
from copyplugin.domain.ledger import (
    GENESIS_HASH,
    Entry,
    LedgerAccount,
    Posting,
    is_balanced,
    is_mixed,
)
from copyplugin.domain.money import ZERO_MONEY, Money
from copyplugin.errors import LedgerBroken
from copyplugin.store.dialect import lock_ledger
from copyplugin.store.rows import LedgerEntryRow, LedgerPostingRow

_ENTRIES_AT_ONCE = 1000


@dataclass(frozen=True, kw_only=True, slots=True)
class LedgerHead:
    """Where the chain ends. Kept elsewhere, it also shows that no entry was cut off the end."""

    entries: int
    hash: str


def post(
    session: Session, *, kind: str, reference: str, postings: Sequence[Posting], at: datetime
) -> LedgerEntryId:
    """Add an entry and return its number.

    The same kind and reference again, with the same postings, adds nothing and returns the number
    it has. With other postings it is a bug, as are postings that do not sum to zero or mix real
    money with play money.
    """
    assert is_balanced(postings), f"{kind} {reference} does not balance: {postings}"
    assert not is_mixed(postings), f"{kind} {reference} mixes money: {postings}"
    lock_ledger(session)
    existing = _find(session, kind, reference)
    if existing is not None:
        assert existing.postings == tuple(postings), f"{kind} {reference} was booked differently"
        return LedgerEntryId(existing.number)
    head = ledger_head(session)
    entry = Entry(
        number=head.entries + 1, kind=kind, reference=reference, at=at, postings=tuple(postings)
    )
    entry_id = LedgerEntryId(entry.number)
    session.add(
        LedgerEntryRow(
            id=entry_id,
            kind=kind,
            reference=reference,
            at=at,
            previous_hash=head.hash,
            hash=entry.hash_after(head.hash),
        )
    )
    session.flush()  # the postings refer to it
    session.add_all(
        LedgerPostingRow(entry_id=entry_id, line=line, account=posting.account, money=posting.money)
        for line, posting in enumerate(postings, start=1)
    )
    session.flush()
    return entry_id


def is_posted(session: Session, *, kind: str, reference: str) -> bool:
    """Return whether there is an entry of that kind and reference."""
    return bool(
        session.scalar(
            select(
                exists().where(LedgerEntryRow.kind == kind, LedgerEntryRow.reference == reference)
            )
        )
    )


def balance(session: Session, account: LedgerAccount) -> Money:
    """Return the sum of the account's postings."""
    query = select(func.sum(LedgerPostingRow.money)).where(LedgerPostingRow.account == account)
    return session.scalar(query) or ZERO_MONEY


def balances(session: Session) -> dict[LedgerAccount, Money]:
    """Return every account that was ever posted to, in order of name."""
    query = (
        select(LedgerPostingRow.account, func.sum(LedgerPostingRow.money))
        .group_by(LedgerPostingRow.account)
        .order_by(LedgerPostingRow.account)
    )
    return {LedgerAccount(account): money for account, money in session.execute(query)}


def ledger_head(session: Session) -> LedgerHead:
    """Return the last entry's number and hash."""
    query = select(LedgerEntryRow).order_by(LedgerEntryRow.id.desc()).limit(1)
    last = session.scalars(query).first()
    if last is None:
        return LedgerHead(entries=0, hash=GENESIS_HASH)
    return LedgerHead(entries=last.id, hash=last.hash)


def verify(session: Session) -> LedgerHead:
    """Prove the books from the first entry to the last and return where the chain ends.

    Raises `LedgerBroken` that names the first entry which is missing, does not balance, mixes
    real money with play money, does not follow from the one before it, or is not what was written.
    """
    head = LedgerHead(entries=0, hash=GENESIS_HASH)
    with closing(_entries(session)) as entries:
        for row, postings in entries:
            entry = Entry(
                number=row.id,
                kind=row.kind,
                reference=row.reference,
                at=row.at,
                postings=tuple(postings),
            )
            fault = _fault(entry, row, head)
            if fault is not None:
                raise LedgerBroken(f"ledger entry {head.entries + 1} {fault}")
            head = LedgerHead(entries=row.id, hash=row.hash)
    _refuse_strays(session)
    return head


def _fault(entry: Entry, row: LedgerEntryRow, head: LedgerHead) -> str | None:
    if entry.number != head.entries + 1:
        return f"is missing: entry {entry.number} comes next"
    if row.previous_hash != head.hash:
        return "does not follow from the entry before it"
    if not is_balanced(entry.postings):
        return f"({row.kind} {row.reference}) does not balance"
    if is_mixed(entry.postings):
        return f"({row.kind} {row.reference}) mixes real money with play money"
    if row.hash != entry.hash_after(head.hash):
        return f"({row.kind} {row.reference}) is not what was written"
    return None


def _refuse_strays(session: Session) -> None:
    """Raise where postings belong to no entry: they would count in a balance unseen."""
    query = (
        select(LedgerPostingRow.entry_id)
        .outerjoin(LedgerEntryRow, LedgerPostingRow.entry_id == LedgerEntryRow.id)
        .where(LedgerEntryRow.id.is_(None))
        .order_by(LedgerPostingRow.entry_id)
        .limit(1)
    )
    stray = session.scalar(query)
    if stray is not None:
        raise LedgerBroken(f"ledger entry {stray} has postings and does not exist")


def _entries(session: Session) -> Generator[tuple[LedgerEntryRow, list[Posting]]]:
    """Yield every entry with its postings, in order, without holding all of them."""
    query = (
        select(LedgerEntryRow, LedgerPostingRow)
        .outerjoin(LedgerPostingRow, LedgerPostingRow.entry_id == LedgerEntryRow.id)
        .order_by(LedgerEntryRow.id, LedgerPostingRow.line)
        .execution_options(yield_per=_ENTRIES_AT_ONCE)
    )
    with session.execute(query) as found:
        for _, group in groupby(found, key=lambda pair: pair[0].id):
            pairs = [(entry, posting) for entry, posting in group]
            yield pairs[0][0], [_posting(part) for _, part in pairs if part]


def _find(session: Session, kind: str, reference: str) -> Entry | None:
    query = select(LedgerEntryRow).where(
        LedgerEntryRow.kind == kind, LedgerEntryRow.reference == reference
    )
    row = session.scalars(query).one_or_none()
    if row is None:
        return None
    parts = session.scalars(
        select(LedgerPostingRow)
        .where(LedgerPostingRow.entry_id == row.id)
        .order_by(LedgerPostingRow.line)
    )
    return Entry(
        number=row.id,
        kind=row.kind,
        reference=row.reference,
        at=row.at,
        postings=tuple(_posting(part) for part in parts),
    )


def _posting(row: LedgerPostingRow) -> Posting:
    return Posting(account=LedgerAccount(row.account), money=row.money)
