"""Lanes: what a sub-account should hold and holds of one side of one instrument, and why."""

from datetime import datetime
from fractions import Fraction
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from copyplugin.domain.fill import PositionSide
from copyplugin.domain.identifiers import FollowId, LaneId, SignalId, Symbol
from copyplugin.domain.money import Contracts, Money
from copyplugin.domain.skip import SkipReason
from copyplugin.store.rows.base import Row

_OPEN_GAP = text("target <> actual")
_MARKED = text("marked")
_PENDING = text("pending")


class LaneRow(Row, kw_only=True):
    """`target` and `actual` are contracts; the executor closes the gap between them."""

    __tablename__ = "lane"
    __table_args__ = (
        UniqueConstraint("follow_id", "symbol", "position_side"),
        CheckConstraint("target >= 0 AND actual >= 0", "contracts_not_negative"),
        CheckConstraint("next_sequence >= 1", "next_sequence_positive"),
        Index(
            "ix_lane_open_gap",
            "shard",
            "id",
            sqlite_where=_OPEN_GAP,
            postgresql_where=_OPEN_GAP,
        ),
        Index("ix_lane_marked", "shard", "id", sqlite_where=_MARKED, postgresql_where=_MARKED),
    )

    id: Mapped[LaneId] = mapped_column(primary_key=True, init=False)
    follow_id: Mapped[FollowId] = mapped_column(ForeignKey("follow.id"))
    symbol: Mapped[Symbol]
    position_side: Mapped[PositionSide]
    shard: Mapped[int]  # its follow's
    target: Mapped[Contracts] = mapped_column(default=Contracts(0))
    actual: Mapped[Contracts] = mapped_column(default=Contracts(0))
    next_sequence: Mapped[int] = mapped_column(default=1)
    # The latest signal that raised the target: its price bounds the order that closes the gap.
    opening_signal_id: Mapped[SignalId | None] = mapped_column(
        ForeignKey("signal.id"), default=None
    )
    # There may be something to do: a signal to apply, a gap to close, an order in doubt.
    marked: Mapped[bool] = mapped_column(default=False)
    failures: Mapped[int] = mapped_column(default=0)  # attempts in a row that led nowhere
    retry_at: Mapped[datetime | None] = mapped_column(default=None)  # not before this
    # Contracts that opens left over because they were too small; none where the lane is flat.
    residue: Mapped[Fraction | None] = mapped_column(default=None)


class CopyDecisionRow(Row, kw_only=True):
    """What was decided for one lane on one signal; a signal that grows revises it."""

    __tablename__ = "copy_decision"
    __table_args__ = (
        Index("ix_copy_decision_lane_id", "lane_id"),
        Index(
            "ix_copy_decision_pending",
            "lane_id",
            sqlite_where=_PENDING,
            postgresql_where=_PENDING,
        ),
    )

    signal_id: Mapped[SignalId] = mapped_column(ForeignKey("signal.id"), primary_key=True)
    lane_id: Mapped[LaneId] = mapped_column(ForeignKey("lane.id"), primary_key=True)
    revision: Mapped[int]  # of the signal; 0 until the first decision
    pending: Mapped[bool] = mapped_column(default=False)  # the signal is new or has grown since
    wanted: Mapped[Contracts]  # opened or closed for this signal, before what was skipped
    skip_reason: Mapped[SkipReason | None] = mapped_column(default=None)
    skip_detail: Mapped[dict[str, Any] | None] = mapped_column(default=None)
    available_frozen: Mapped[Money | None] = mapped_column(default=None)  # at the first fill (C5)
    equity_frozen: Mapped[Money | None] = mapped_column(default=None)  # likewise
    residue: Mapped[Fraction | None] = mapped_column(default=None)  # what it added to the lane's
    # What of that the lane has forgotten since, and when it had been decided last before it first
    # did: what the order brings later is counted from there.
    forgotten: Mapped[Fraction | None] = mapped_column(default=None)
    forgotten_after: Mapped[datetime | None] = mapped_column(default=None)
    target_before: Mapped[Contracts]
    carried_before: Mapped[Fraction | None] = mapped_column(default=None)  # by the lane, then
    target_after: Mapped[Contracts]
    decided_at: Mapped[datetime]
