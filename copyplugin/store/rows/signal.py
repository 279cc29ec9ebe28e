"""Signals: what one leader order did to one side of his position, growing while it fills."""

from datetime import datetime
from decimal import Decimal

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from copyplugin.domain.fill import MarginMode, PositionSide
from copyplugin.domain.identifiers import LeaderId, SignalId, Symbol, VenueOrderId
from copyplugin.domain.money import Contracts, Money, Price, Ratio
from copyplugin.domain.transition import Effect
from copyplugin.store.rows.base import Row


class SignalRow(Row, kw_only=True):
    """`effect` may grow from reduce to close as the order fills; `increases` never changes.

    `contracts` is how many of this order's fills fell to this side, `price_sum` is Σ contracts ×
    price over them: the average is derived.
    """

    __tablename__ = "signal"
    __table_args__ = (
        UniqueConstraint("leader_id", "order_id", "symbol", "position_side", "increases"),
        CheckConstraint("contracts > 0", "contracts_positive"),
        CheckConstraint("contracts_before >= 0 AND contracts_after >= 0", "leg_not_negative"),
        Index("ix_signal_leader_id_last_fill_at", "leader_id", "last_fill_at"),
        Index("ix_signal_final", "final"),
    )

    id: Mapped[SignalId] = mapped_column(primary_key=True, init=False)
    leader_id: Mapped[LeaderId] = mapped_column(ForeignKey("leader.id"))
    order_id: Mapped[VenueOrderId]
    symbol: Mapped[Symbol]
    position_side: Mapped[PositionSide]
    effect: Mapped[Effect]
    increases: Mapped[bool]
    contracts_before: Mapped[Contracts]
    contracts_after: Mapped[Contracts]
    contracts: Mapped[Contracts]
    price_sum: Mapped[Decimal]
    leverage: Mapped[Ratio]
    margin_mode: Mapped[MarginMode]
    leader_balance_before: Mapped[Money | None] = mapped_column(default=None)  # C5's B, frozen
    leader_equity: Mapped[Money | None] = mapped_column(default=None)  # where a mode rests on it
    initial_margin: Mapped[Money | None] = mapped_column(default=None)  # of what has filled
    order_contracts: Mapped[Contracts | None] = mapped_column(default=None)
    first_fill_at: Mapped[datetime]
    last_fill_at: Mapped[datetime]
    received_at: Mapped[datetime]
    revision: Mapped[int] = mapped_column(default=1)
    final: Mapped[bool] = mapped_column(default=False)

    @property
    def average_price(self) -> Price:
        """Return the average price of the leader's fills, to 28 digits: for show."""
        return Price(self.price_sum / self.contracts)
