"""Follows: one follower copying one leader with one amount, from start to end."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, false, text
from sqlalchemy.orm import Mapped, mapped_column

from copyplugin.domain.copy_rule import CopyMode
from copyplugin.domain.fill import PositionSide
from copyplugin.domain.follow import HOLDS_A_PLACE, EndKind, FollowState
from copyplugin.domain.identifiers import AccountId, FollowerId, FollowId, LeaderId, Symbol
from copyplugin.domain.leader import ShareBasis
from copyplugin.domain.money import Contracts, Money, Ratio
from copyplugin.store.columns import literals
from copyplugin.store.rows.base import KEY, Row

_HOLDS_A_PLACE = text(f"state IN ({literals(HOLDS_A_PLACE)})")


class FollowRow(Row, kw_only=True):
    __tablename__ = "follow"
    __table_args__ = (
        CheckConstraint("copy_amount > 0", "copy_amount_positive"),
        Index("ix_follow_leader_id_state", "leader_id", "state"),
        Index("ix_follow_follower_id_state", "follower_id", "state"),
        Index("ix_follow_state_shard", "state", "shard"),
        # Nobody follows the same leader twice at once, however often the button is pressed.
        Index(
            "uq_follow_leader_id_follower_id_live",
            "leader_id",
            "follower_id",
            unique=True,
            sqlite_where=_HOLDS_A_PLACE,
            postgresql_where=_HOLDS_A_PLACE,
        ),
    )

    id: Mapped[FollowId] = mapped_column(primary_key=True, init=False)
    leader_id: Mapped[LeaderId] = mapped_column(ForeignKey("leader.id"))
    follower_id: Mapped[FollowerId] = mapped_column(ForeignKey("follower.id"))
    sub_account: Mapped[AccountId | None] = mapped_column(unique=True, default=None)
    state: Mapped[FollowState] = mapped_column(default=FollowState.STARTING)
    mode: Mapped[CopyMode]
    copy_amount: Mapped[Money]
    # With play money: in no total, limit or public figure, and never in one entry with real money.
    paper: Mapped[bool] = mapped_column(default=False, server_default=false())
    share_ratio: Mapped[Ratio]  # agreed at the start, whatever the leader asks later (K3)
    share_basis: Mapped[ShareBasis] = mapped_column(default=ShareBasis.PER_POSITION)
    # How far from the leader's entry what he held at the start may be opened; None: it is not.
    open_held: Mapped[Ratio | None] = mapped_column(default=None)
    escrow_seconds: Mapped[int | None] = mapped_column(default=None)  # a share is held so long
    share_settled_at: Mapped[datetime | None] = mapped_column(default=None)  # at a set period (M3)
    share_owed: Mapped[Money | None] = mapped_column(default=None)  # at a hand-over, not paid yet
    handed_over_at: Mapped[datetime | None] = mapped_column(default=None)
    sharer_account: Mapped[AccountId | None] = mapped_column(default=None)
    sharer_ratio: Mapped[Ratio | None] = mapped_column(default=None)
    price_protection: Mapped[Ratio | None] = mapped_column(default=None)  # None: the setting's
    shard: Mapped[int]
    refusals_in_a_row: Mapped[int] = mapped_column(default=0)  # certain ones of the venue (L11)
    unreachable_since: Mapped[datetime | None] = mapped_column(default=None)
    created_at: Mapped[datetime]
    started_at: Mapped[datetime | None] = mapped_column(default=None)  # the amount had been moved
    ended_at: Mapped[datetime | None] = mapped_column(default=None)  # settled, money home
    end_kind: Mapped[EndKind | None] = mapped_column(default=None)
    end_reason: Mapped[str | None] = mapped_column(default=None)


class FollowInstrumentRow(Row, kw_only=True):
    """One instrument the follower chose out of the leader's."""

    __tablename__ = "follow_instrument"

    follow_id: Mapped[FollowId] = mapped_column(ForeignKey("follow.id"), primary_key=True)
    symbol: Mapped[Symbol] = mapped_column(primary_key=True)


class FollowHistoryRow(Row, kw_only=True):
    """One change of a follow's state; rows are never changed or removed."""

    __tablename__ = "follow_history"
    __table_args__ = (Index("ix_follow_history_follow_id", "follow_id"),)

    id: Mapped[int] = mapped_column(KEY, primary_key=True, init=False)
    follow_id: Mapped[FollowId] = mapped_column(ForeignKey("follow.id"))
    at: Mapped[datetime]
    from_state: Mapped[FollowState | None]  # None: the follow was made
    to_state: Mapped[FollowState]
    actor: Mapped[str]
    reason: Mapped[str]


class FollowBaselineRow(Row, kw_only=True):
    """What the leader held when the follow started (L14)."""

    __tablename__ = "follow_baseline"
    __table_args__ = (CheckConstraint("contracts > 0", "contracts_positive"),)

    follow_id: Mapped[FollowId] = mapped_column(ForeignKey("follow.id"), primary_key=True)
    symbol: Mapped[Symbol] = mapped_column(primary_key=True)
    position_side: Mapped[PositionSide] = mapped_column(primary_key=True)
    contracts: Mapped[Contracts]
