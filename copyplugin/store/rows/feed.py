"""What the venue told of the leaders: their fills, how far they were read, what they hold."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from copyplugin.domain.fill import FillCause, Liquidity, MarginMode, OrderSide, PositionSide
from copyplugin.domain.identifiers import LeaderId, Symbol, VenueFillId, VenueOrderId
from copyplugin.domain.money import Contracts, Money, Price, Ratio
from copyplugin.store.rows.base import KEY, Row


class LeaderPositionRow(Row, kw_only=True):
    """One side of what a leader holds, as his fills made it."""

    __tablename__ = "leader_position"
    __table_args__ = (CheckConstraint("contracts >= 0", "contracts_not_negative"),)

    leader_id: Mapped[LeaderId] = mapped_column(ForeignKey("leader.id"), primary_key=True)
    symbol: Mapped[Symbol] = mapped_column(primary_key=True)
    position_side: Mapped[PositionSide] = mapped_column(primary_key=True)
    contracts: Mapped[Contracts]
    updated_at: Mapped[datetime]


class LeaderFillRow(Row, kw_only=True):
    """One fill of a leader, stored once however often it is told."""

    __tablename__ = "leader_fill"
    __table_args__ = (
        UniqueConstraint("leader_id", "venue_fill_id"),
        CheckConstraint("contracts > 0", "contracts_positive"),
        Index("ix_leader_fill_leader_id_order_id", "leader_id", "order_id"),
        Index("ix_leader_fill_leader_id_at", "leader_id", "at"),
    )

    id: Mapped[int] = mapped_column(KEY, primary_key=True, init=False)
    leader_id: Mapped[LeaderId] = mapped_column(ForeignKey("leader.id"))
    venue_fill_id: Mapped[VenueFillId]
    order_id: Mapped[VenueOrderId]
    symbol: Mapped[Symbol]
    order_side: Mapped[OrderSide]
    position_side: Mapped[PositionSide | None]  # None: one-way mode
    contracts: Mapped[Contracts]
    contracts_closed: Mapped[Contracts | None] = mapped_column(default=None)
    order_contracts: Mapped[Contracts | None] = mapped_column(default=None)
    price: Mapped[Price]
    fee: Mapped[Money]
    realized_pnl: Mapped[Money]
    liquidity: Mapped[Liquidity]
    leverage: Mapped[Ratio]
    margin_mode: Mapped[MarginMode]
    cause: Mapped[FillCause] = mapped_column(default=FillCause.TRADE)
    available_after: Mapped[Money | None] = mapped_column(default=None)
    initial_margin: Mapped[Money | None] = mapped_column(default=None)
    at: Mapped[datetime]
    received_at: Mapped[datetime]


class FeedCursorRow(Row, kw_only=True):
    """The last fill of a leader that is stored; the feed resumes after it."""

    __tablename__ = "feed_cursor"

    leader_id: Mapped[LeaderId] = mapped_column(ForeignKey("leader.id"), primary_key=True)
    cursor: Mapped[VenueFillId]
