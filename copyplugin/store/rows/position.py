"""Copied positions, and the leader share of each."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, false, text
from sqlalchemy.orm import Mapped, mapped_column

from copyplugin.domain.fill import MarginMode, PositionSide
from copyplugin.domain.identifiers import (
    AccountId,
    CopiedPositionId,
    FollowerId,
    FollowId,
    LaneId,
    LeaderId,
    LedgerEntryId,
    Symbol,
    TransferId,
)
from copyplugin.domain.leader import ShareState, TradeState
from copyplugin.domain.money import ZERO_MONEY, Contracts, Money, Price, Ratio
from copyplugin.store.rows.base import KEY, Row

_OPEN = text("state = 'open'")
_HELD = text("held > 0")
_NOT_COUNTED = text("NOT counted")


class CopiedPositionRow(Row, kw_only=True):
    """One round trip of a lane: flat, open, flat. Values are Σ price × contracts × size."""

    __tablename__ = "copied_position"
    __table_args__ = (
        CheckConstraint("closed_contracts <= opened_contracts", "closed_within_opened"),
        CheckConstraint("opened_value >= 0 AND closed_value >= 0", "values_not_negative"),
        CheckConstraint(
            "(state = 'open') = (closed_at IS NULL)",
            "closed_at_when_closed",
        ),
        Index("ix_copied_position_follow_id_state", "follow_id", "state"),
        Index("ix_copied_position_share_state", "share_state"),
        Index(
            "ix_copied_position_not_counted",
            "follow_id",
            sqlite_where=_NOT_COUNTED,
            postgresql_where=_NOT_COUNTED,
        ),
        Index(
            "uq_copied_position_lane_id_open",
            "lane_id",
            unique=True,
            sqlite_where=_OPEN,
            postgresql_where=_OPEN,
        ),
    )

    id: Mapped[CopiedPositionId] = mapped_column(primary_key=True, init=False)
    follow_id: Mapped[FollowId] = mapped_column(ForeignKey("follow.id"))
    lane_id: Mapped[LaneId] = mapped_column(ForeignKey("lane.id"))
    symbol: Mapped[Symbol]
    position_side: Mapped[PositionSide]
    state: Mapped[TradeState] = mapped_column(default=TradeState.OPEN)
    opened_contracts: Mapped[Contracts] = mapped_column(default=Contracts(0))
    opened_value: Mapped[Money] = mapped_column(default=ZERO_MONEY)
    closed_contracts: Mapped[Contracts] = mapped_column(default=Contracts(0))
    closed_value: Mapped[Money] = mapped_column(default=ZERO_MONEY)
    realized_pnl: Mapped[Money] = mapped_column(default=ZERO_MONEY)  # before fees and funding
    fees: Mapped[Money] = mapped_column(default=ZERO_MONEY)
    funding: Mapped[Money] = mapped_column(default=ZERO_MONEY)  # positive: paid
    leverage: Mapped[Ratio]
    margin_mode: Mapped[MarginMode]
    opened_at: Mapped[datetime]
    closed_at: Mapped[datetime | None] = mapped_column(default=None)
    share_state: Mapped[ShareState] = mapped_column(default=ShareState.NONE)
    counted: Mapped[bool] = mapped_column(default=False, server_default=false())
    """It is booked and in the leader's record."""
    # What the venue last said of the open position; None until it was asked.
    margin: Mapped[Money | None] = mapped_column(default=None)
    unrealized_pnl: Mapped[Money | None] = mapped_column(default=None)
    liquidation_price: Mapped[Price | None] = mapped_column(default=None)
    data_at: Mapped[datetime | None] = mapped_column(default=None)


class SettlementRow(Row, kw_only=True):
    """A leader share: of one copied position, once, or above the high-water mark of a follow.

    Results are the follower's with this leader, before and after what the share was taken of.
    What was taken back out of escrow is not in the share any more.
    """

    __tablename__ = "settlement"
    __table_args__ = (
        CheckConstraint("share >= 0 AND leader_part >= 0 AND sharer_part >= 0", "not_negative"),
        CheckConstraint("leader_part + sharer_part = share", "parts_sum_to_share"),
        Index("ix_settlement_leader_id_at", "leader_id", "at"),
        CheckConstraint("held >= 0 AND held <= share AND taken_back >= 0", "held_within_share"),
        Index("ix_settlement_follow_id", "follow_id"),
        Index("ix_settlement_held", "release_at", sqlite_where=_HELD, postgresql_where=_HELD),
    )

    id: Mapped[int] = mapped_column(KEY, primary_key=True, init=False)
    copied_position_id: Mapped[CopiedPositionId | None] = mapped_column(
        ForeignKey("copied_position.id"), unique=True
    )
    follow_id: Mapped[FollowId] = mapped_column(ForeignKey("follow.id"))
    leader_id: Mapped[LeaderId] = mapped_column(ForeignKey("leader.id"))
    profit: Mapped[Money]
    share_ratio: Mapped[Ratio]
    share: Mapped[Money]
    sharer_account: Mapped[AccountId | None] = mapped_column(default=None)
    sharer_part: Mapped[Money] = mapped_column(default=ZERO_MONEY)
    leader_part: Mapped[Money]
    result_before: Mapped[Money] = mapped_column(default=ZERO_MONEY)
    result_after: Mapped[Money] = mapped_column(default=ZERO_MONEY)
    held: Mapped[Money] = mapped_column(default=ZERO_MONEY)  # in escrow still
    taken_back: Mapped[Money] = mapped_column(default=ZERO_MONEY)
    release_at: Mapped[datetime | None] = mapped_column(default=None)  # None: never was held
    transfer_id: Mapped[TransferId | None] = mapped_column(default=None)  # None: nothing to pay
    sharer_transfer_id: Mapped[TransferId | None] = mapped_column(default=None)
    ledger_entry_id: Mapped[LedgerEntryId | None] = mapped_column(
        ForeignKey("ledger_entry.id"), default=None
    )
    at: Mapped[datetime]


class HighWaterMarkRow(Row, kw_only=True):
    """The highest result on which a follower paid this leader a share, over all his follows."""

    __tablename__ = "high_water_mark"

    leader_id: Mapped[LeaderId] = mapped_column(ForeignKey("leader.id"), primary_key=True)
    follower_id: Mapped[FollowerId] = mapped_column(ForeignKey("follower.id"), primary_key=True)
    mark: Mapped[Money] = mapped_column(default=ZERO_MONEY)
    updated_at: Mapped[datetime]
