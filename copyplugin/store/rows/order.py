"""Orders the plugin sends, written before they are sent, and what became of them."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from copyplugin.domain.fill import Liquidity, MarginMode, OrderSide
from copyplugin.domain.identifiers import (
    ClientOrderId,
    CopiedPositionId,
    CopyOrderId,
    LaneId,
    SignalId,
    VenueFillId,
    VenueOrderId,
)
from copyplugin.domain.money import ZERO_MONEY, Contracts, Money, Price, Ratio
from copyplugin.domain.order import CopyOrderState, OrderPurpose
from copyplugin.store.rows.base import Row

IS_REPAIR = text("copy_order.purpose = 'repair'")
"""In the words of its index: SQLite does not find it by a bound value, and reads all orders."""

IS_PROTECT = text("copy_order.purpose = 'protect'")
"""As above."""

_REPAIR = text("purpose = 'repair'")
_PROTECT = text("purpose = 'protect'")
_IN_FLIGHT = text("state = 'sent'")


class CopyOrderRow(Row, kw_only=True):
    __tablename__ = "copy_order"
    __table_args__ = (
        UniqueConstraint("lane_id", "sequence"),
        CheckConstraint("contracts > 0", "contracts_positive"),
        CheckConstraint("filled >= 0 AND filled <= contracts", "filled_within_order"),
        CheckConstraint("filled_value >= 0", "filled_value_not_negative"),
        Index("ix_copy_order_signal_id", "signal_id"),
        Index("ix_copy_order_copied_position_id", "copied_position_id"),
        Index(
            "ix_copy_order_repair",
            "decided_at",
            sqlite_where=_REPAIR,
            postgresql_where=_REPAIR,
        ),
        Index(
            "ix_copy_order_protect",
            "decided_at",
            sqlite_where=_PROTECT,
            postgresql_where=_PROTECT,
        ),
        # A lane has at most one order whose outcome is not known.
        Index(
            "uq_copy_order_lane_id_in_flight",
            "lane_id",
            unique=True,
            sqlite_where=_IN_FLIGHT,
            postgresql_where=_IN_FLIGHT,
        ),
    )

    id: Mapped[CopyOrderId] = mapped_column(primary_key=True, init=False)
    lane_id: Mapped[LaneId] = mapped_column(ForeignKey("lane.id"))
    sequence: Mapped[int]
    client_order_id: Mapped[ClientOrderId] = mapped_column(unique=True)
    signal_id: Mapped[SignalId | None] = mapped_column(ForeignKey("signal.id"), default=None)
    purpose: Mapped[OrderPurpose]
    order_side: Mapped[OrderSide]
    reduce_only: Mapped[bool]
    contracts: Mapped[Contracts]
    limit_price: Mapped[Price | None] = mapped_column(default=None)  # None: at market
    leverage: Mapped[Ratio | None] = mapped_column(default=None)  # of an open; set before it
    margin_mode: Mapped[MarginMode | None] = mapped_column(default=None)
    state: Mapped[CopyOrderState] = mapped_column(default=CopyOrderState.SENT)
    filled: Mapped[Contracts] = mapped_column(default=Contracts(0))
    filled_value: Mapped[Money] = mapped_column(default=ZERO_MONEY)  # Σ price × contracts × size
    fee: Mapped[Money] = mapped_column(default=ZERO_MONEY)
    realized_pnl: Mapped[Money] = mapped_column(default=ZERO_MONEY)
    venue_order_id: Mapped[VenueOrderId | None] = mapped_column(default=None)
    reject_reason: Mapped[str | None] = mapped_column(default=None)
    attempts: Mapped[int] = mapped_column(default=0)
    decided_at: Mapped[datetime]
    sent_at: Mapped[datetime | None] = mapped_column(default=None)
    acknowledged_at: Mapped[datetime | None] = mapped_column(default=None)
    filled_at: Mapped[datetime | None] = mapped_column(default=None)
    copied_position_id: Mapped[CopiedPositionId | None] = mapped_column(
        ForeignKey("copied_position.id"), default=None
    )


class OrderFillRow(Row, kw_only=True):
    """One execution of an order of ours."""

    __tablename__ = "order_fill"
    __table_args__ = (CheckConstraint("contracts > 0", "contracts_positive"),)

    order_id: Mapped[CopyOrderId] = mapped_column(ForeignKey("copy_order.id"), primary_key=True)
    venue_fill_id: Mapped[VenueFillId] = mapped_column(primary_key=True)
    contracts: Mapped[Contracts]
    price: Mapped[Price]
    fee: Mapped[Money]
    realized_pnl: Mapped[Money]
    liquidity: Mapped[Liquidity]
    at: Mapped[datetime]
