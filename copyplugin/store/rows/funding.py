"""Funding payments of sub-accounts, each booked to its copied position once."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from copyplugin.domain.fill import PositionSide
from copyplugin.domain.identifiers import CopiedPositionId, FollowId, Symbol
from copyplugin.domain.money import Money
from copyplugin.store.rows.base import Row


class FundingPaymentRow(Row, kw_only=True):
    """`payment` is positive where the sub-account paid; no position: none of ours was open."""

    __tablename__ = "funding_payment"
    __table_args__ = (Index("ix_funding_payment_copied_position_id", "copied_position_id"),)

    follow_id: Mapped[FollowId] = mapped_column(ForeignKey("follow.id"), primary_key=True)
    venue_payment_id: Mapped[str] = mapped_column(String(128), primary_key=True)
    copied_position_id: Mapped[CopiedPositionId | None] = mapped_column(
        ForeignKey("copied_position.id")
    )
    symbol: Mapped[Symbol]
    position_side: Mapped[PositionSide]
    payment: Mapped[Money]
    at: Mapped[datetime]
