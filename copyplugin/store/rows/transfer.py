"""Movements of money between accounts at the venue, written before they are asked for."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from copyplugin.domain.account import TransferKind, TransferState, Wallet
from copyplugin.domain.identifiers import AccountId, FollowId, LedgerEntryId, TransferId
from copyplugin.domain.money import Money
from copyplugin.store.rows.base import Row


class TransferRow(Row, kw_only=True):
    __tablename__ = "transfer"
    __table_args__ = (
        CheckConstraint("money > 0", "money_positive"),
        Index("ix_transfer_follow_id", "follow_id"),
        Index("ix_transfer_state", "state"),
        Index("ix_transfer_done_at", "done_at"),
    )

    id: Mapped[TransferId] = mapped_column(primary_key=True)
    follow_id: Mapped[FollowId] = mapped_column(ForeignKey("follow.id"))
    kind: Mapped[TransferKind]
    from_account: Mapped[AccountId]
    from_wallet: Mapped[Wallet]
    to_account: Mapped[AccountId]
    to_wallet: Mapped[Wallet]
    money: Mapped[Money]
    state: Mapped[TransferState] = mapped_column(default=TransferState.PLANNED)
    ledger_entry_id: Mapped[LedgerEntryId | None] = mapped_column(
        ForeignKey("ledger_entry.id"), default=None
    )
    attempts: Mapped[int] = mapped_column(default=0)
    last_error: Mapped[str | None] = mapped_column(default=None)
    retry_at: Mapped[datetime | None] = mapped_column(default=None)  # not before this
    created_at: Mapped[datetime]
    done_at: Mapped[datetime | None] = mapped_column(default=None)
    # Of what the venue does not move: who said that it was paid by other ways, and how.
    paid_by: Mapped[str | None] = mapped_column(default=None)
    paid_reference: Mapped[str | None] = mapped_column(default=None)
