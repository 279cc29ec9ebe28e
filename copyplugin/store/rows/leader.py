"""Leaders as the operator configured them."""

from datetime import datetime
from decimal import Decimal

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from copyplugin.domain.identifiers import AccountId, LeaderId, Symbol
from copyplugin.domain.leader import LeaderKind, LeaderStatus, ShareBasis
from copyplugin.domain.money import Money, Ratio
from copyplugin.store.rows.base import Row


class LeaderRow(Row, kw_only=True):
    __tablename__ = "leader"
    __table_args__ = (
        CheckConstraint("min_copy_amount > 0", "min_copy_amount_positive"),
        CheckConstraint("min_copy_amount <= max_copy_amount", "copy_amounts_ordered"),
        CheckConstraint("max_followers > 0", "max_followers_positive"),
    )

    id: Mapped[LeaderId] = mapped_column(primary_key=True, init=False)
    account: Mapped[AccountId] = mapped_column(unique=True)
    nickname: Mapped[str]
    signature: Mapped[str] = mapped_column(default="")
    kind: Mapped[LeaderKind] = mapped_column(default=LeaderKind.TRADER)
    status: Mapped[LeaderStatus] = mapped_column(default=LeaderStatus.ACTIVE)
    pinned_at: Mapped[datetime | None] = mapped_column(default=None)
    share_ratio: Mapped[Ratio]  # what a follow that starts now agrees to
    share_basis: Mapped[ShareBasis] = mapped_column(default=ShareBasis.PER_POSITION)
    sharer_ratio: Mapped[Ratio] = mapped_column(default=Ratio(Decimal(0)))  # of the share
    min_copy_amount: Mapped[Money]
    max_copy_amount: Mapped[Money]
    total_copy_amount: Mapped[Money | None] = mapped_column(default=None)
    max_followers: Mapped[int | None] = mapped_column(default=None)
    leading_since: Mapped[datetime]
    created_at: Mapped[datetime]


class LeaderInstrumentRow(Row, kw_only=True):
    """One instrument the leader may be followed in."""

    __tablename__ = "leader_instrument"

    leader_id: Mapped[LeaderId] = mapped_column(ForeignKey("leader.id"), primary_key=True)
    symbol: Mapped[Symbol] = mapped_column(primary_key=True)


class LeaderBlacklistRow(Row, kw_only=True):
    """One account that may not follow the leader."""

    __tablename__ = "leader_blacklist"

    leader_id: Mapped[LeaderId] = mapped_column(ForeignKey("leader.id"), primary_key=True)
    account: Mapped[AccountId] = mapped_column(primary_key=True)
