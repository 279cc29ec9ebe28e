"""The double-entry ledger: rows are only ever added, which triggers in the database enforce."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from copyplugin.domain.identifiers import LedgerEntryId
from copyplugin.domain.money import Money
from copyplugin.store.rows.base import Row


class LedgerEntryRow(Row, kw_only=True):
    """One event that moved money. Numbers have no gaps; each hash covers the one before it."""

    __tablename__ = "ledger_entry"
    __table_args__ = (
        UniqueConstraint("kind", "reference"),
        UniqueConstraint("previous_hash"),  # the chain has no branches
    )

    id: Mapped[LedgerEntryId] = mapped_column(primary_key=True, autoincrement=False)
    kind: Mapped[str] = mapped_column(String(32))
    reference: Mapped[str] = mapped_column(String(128))
    at: Mapped[datetime]
    previous_hash: Mapped[str] = mapped_column(String(64))
    hash: Mapped[str] = mapped_column(String(64))


class LedgerPostingRow(Row, kw_only=True):
    """One account's part of an entry: positive is credited to it, negative taken from it."""

    __tablename__ = "ledger_posting"
    __table_args__ = (
        CheckConstraint("money <> 0", "money_not_zero"),
        Index("ix_ledger_posting_account", "account"),
    )

    entry_id: Mapped[LedgerEntryId] = mapped_column(ForeignKey("ledger_entry.id"), primary_key=True)
    line: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)  # 1, 2, …
    account: Mapped[str] = mapped_column(String(128))
    money: Mapped[Money]
