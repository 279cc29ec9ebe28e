"""The books: adding an entry, asking for a balance, and proving that nothing was changed.

There is no table of balances. A balance is the sum of its postings, always.
"""

from collections.abc import Collection, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from sqlalchemy import and_, func, or_, select
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
from copyplugin.store.records import RecordTable
from copyplugin.store.rows import LedgerEntryRow, LedgerPostingRow, Row

Reference = tuple[str, str]
"""What an entry is for: its kind, and its name among those of the kind."""

_ENTRIES_AT_ONCE = 1000
_ENTRIES = RecordTable(LedgerEntryRow)
_POSTINGS = RecordTable(LedgerPostingRow)


@dataclass(frozen=True, kw_only=True, slots=True)
class LedgerHead:
    """Where the chain ends. Kept elsewhere, it also shows that no entry was cut off the end."""

    entries: int
    hash: str


class LedgerBook:
    """Entries that one transaction adds: numbered when they are made, written by `save`.

    Nobody else adds to the ledger from its opening to the transaction's end, nor may the same
    transaction by other ways before `save`.
    """

    def __init__(self, session: Session, references: Collection[Reference] = ()) -> None:
        """Look up at once whether these were booked already."""
        lock_ledger(session)
        self.session = session
        self._head = ledger_head(session)
        self._known: dict[Reference, Entry | None] = dict.fromkeys(references)
        self._known |= _find(session, references)
        self._entries: list[LedgerEntryRow] = []
        self._postings: list[LedgerPostingRow] = []
        self._rows: list[Row] = []

    def has(self, kind: str, reference: str) -> bool:
        """Return whether this is booked."""
        return self._entry(kind, reference) is not None

    def post(
        self, *, kind: str, reference: str, postings: Sequence[Posting], at: datetime
    ) -> LedgerEntryId:
        """Make an entry and return its number; `post` says what happens to one that is there."""
        assert is_balanced(postings), f"{kind} {reference} does not balance: {postings}"
        assert not is_mixed(postings), f"{kind} {reference} mixes money: {postings}"
        existing = self._entry(kind, reference)
        if existing is not None:
            assert existing.postings == tuple(postings), (
                f"{kind} {reference} was booked differently"
            )
            return LedgerEntryId(existing.number)
        before = self._head
        entry = Entry(
            number=before.entries + 1, kind=kind, reference=reference, at=at,
            postings=tuple(postings),
        )  # fmt: skip
        self._head = LedgerHead(entries=entry.number, hash=entry.hash_after(before.hash))
        self._known[kind, reference] = entry
        self._take_in(entry, before)
        return LedgerEntryId(entry.number)

    def add(self, row: Row) -> None:
        """Take in a row that refers to an entry: it is written after it."""
        self._rows.append(row)

    def save(self) -> None:
        """Write the entries, then what refers to them."""
        _ENTRIES.insert(self.session, self._entries)
        _POSTINGS.insert(self.session, self._postings)
        self.session.add_all(self._rows)
        self.session.flush()
        self._entries, self._postings, self._rows = [], [], []

    def _entry(self, kind: str, reference: str) -> Entry | None:
        key = (kind, reference)
        if key not in self._known:
            self._known[key] = _find(self.session, [key]).get(key)
        return self._known[key]

    def _take_in(self, entry: Entry, before: LedgerHead) -> None:
        entry_id = LedgerEntryId(entry.number)
        self._entries.append(
            _ENTRIES.record(
                id=entry_id,
                kind=entry.kind,
                reference=entry.reference,
                at=entry.at,
                previous_hash=before.hash,
                hash=self._head.hash,
            )
        )
        self._postings += [
            _POSTINGS.record(
                entry_id=entry_id, line=line, account=posting.account, money=posting.money
            )
            for line, posting in enumerate(entry.postings, start=1)
        ]


def post(
    session: Session, *, kind: str, reference: str, postings: Sequence[Posting], at: datetime
) -> LedgerEntryId:
    """Add an entry and return its number.

    The same kind and reference again, with the same postings, adds nothing and returns the number
    it has. With other postings it is a bug, as are postings that do not sum to zero or mix real
    money with play money.
    """
    book = LedgerBook(session)
    entry_id = book.post(kind=kind, reference=reference, postings=postings, at=at)
    book.save()
    return entry_id


def is_posted(session: Session, *, kind: str, reference: str) -> bool:
    """Return whether there is an entry of that kind and reference."""
    return bool(_find(session, [(kind, reference)]))


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
            entry = _entry_from(row, postings)
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


def _find(session: Session, references: Collection[Reference]) -> dict[Reference, Entry]:
    """Return those of these entries that are there."""
    if not references:
        return {}
    by_kind: dict[str, list[str]] = {}
    for kind, reference in references:
        by_kind.setdefault(kind, []).append(reference)
    wanted = [
        and_(LedgerEntryRow.kind == kind, LedgerEntryRow.reference.in_(some))
        for kind, some in by_kind.items()
    ]
    query = (
        select(LedgerEntryRow, LedgerPostingRow)
        .join(LedgerPostingRow, LedgerPostingRow.entry_id == LedgerEntryRow.id)
        .where(or_(*wanted))
        .order_by(LedgerEntryRow.id, LedgerPostingRow.line)
    )
    found: dict[Reference, Entry] = {}
    for _, group in groupby(session.execute(query), key=lambda pair: pair[0].id):
        pairs = list(group)
        row = pairs[0][0]
        found[row.kind, row.reference] = _entry_from(row, [_posting(part) for _, part in pairs])
    return found


def _entry_from(row: LedgerEntryRow, postings: Sequence[Posting]) -> Entry:
    return Entry(
        number=row.id,
        kind=row.kind,
        reference=row.reference,
        at=row.at,
        postings=tuple(postings),
    )


def _posting(row: LedgerPostingRow) -> Posting:
    return Posting(account=LedgerAccount(row.account), money=row.money)
