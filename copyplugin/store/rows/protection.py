"""Protection of copied positions: what a follower set, plan orders, halts and alarms."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from copyplugin.domain.alarm import AlarmKind
from copyplugin.domain.fill import MarginMode, PositionSide
from copyplugin.domain.halt import HaltScope
from copyplugin.domain.identifiers import (
    ClientOrderId,
    CopiedPositionId,
    FollowId,
    LaneId,
    LeaderId,
    PlanOrderId,
    Symbol,
)
from copyplugin.domain.money import Contracts, Money, Price, Ratio
from copyplugin.domain.plan_order import PlanState, TriggerBy, TriggerDirection
from copyplugin.domain.protection import PlanKind
from copyplugin.store.rows.base import KEY, Row

_OPEN_PLAN = text("state IN ('sent', 'resting', 'refused', 'fired')")
_RAISED = text("cleared_at IS NULL")
_IN_FORCE = text("lifted_at IS NULL")


class FollowProtectionRow(Row, kw_only=True):
    """What a follower set for one follow, and the values his limits are measured from."""

    __tablename__ = "follow_protection"

    follow_id: Mapped[FollowId] = mapped_column(ForeignKey("follow.id"), primary_key=True)
    take_profit: Mapped[Ratio | None] = mapped_column(default=None)  # of the copy amount
    stop_loss: Mapped[Ratio | None] = mapped_column(default=None)
    trigger_by: Mapped[TriggerBy]
    max_loss: Mapped[Money | None] = mapped_column(default=None)
    max_day_loss: Mapped[Money | None] = mapped_column(default=None)
    trailing_stop: Mapped[Ratio | None] = mapped_column(default=None)  # of the highest value
    losing_positions: Mapped[int | None] = mapped_column(default=None)
    mirrors_margin: Mapped[bool] = mapped_column(default=False)  # else he is told (C14)
    peak_value: Mapped[Money | None] = mapped_column(default=None)  # trading value (P5)
    day: Mapped[str | None] = mapped_column(String(10), default=None)  # ISO, of the time zone
    day_start_value: Mapped[Money | None] = mapped_column(default=None)
    last_value: Mapped[Money | None] = mapped_column(default=None)
    runs_counted_from: Mapped[datetime | None] = mapped_column(default=None)


class PlanOrderRow(Row, kw_only=True):
    """One plan order, written before it is sent. `resting_price` is what the venue has said."""

    __tablename__ = "plan_order"
    __table_args__ = (
        UniqueConstraint("lane_id", "sequence"),
        CheckConstraint("contracts > 0", "contracts_positive"),
        Index(
            "ix_plan_order_open", "lane_id", sqlite_where=_OPEN_PLAN, postgresql_where=_OPEN_PLAN
        ),
        Index("ix_plan_order_copied_position_id", "copied_position_id"),
    )

    id: Mapped[PlanOrderId] = mapped_column(primary_key=True, init=False)
    lane_id: Mapped[LaneId] = mapped_column(ForeignKey("lane.id"))
    copied_position_id: Mapped[CopiedPositionId] = mapped_column(ForeignKey("copied_position.id"))
    kind: Mapped[PlanKind]
    sequence: Mapped[int]
    client_order_id: Mapped[ClientOrderId] = mapped_column(unique=True)
    state: Mapped[PlanState] = mapped_column(default=PlanState.SENT)
    contracts: Mapped[Contracts]
    trigger_price: Mapped[Price]
    trigger_by: Mapped[TriggerBy]
    direction: Mapped[TriggerDirection]
    resting_price: Mapped[Price | None] = mapped_column(default=None)
    attempts: Mapped[int] = mapped_column(default=0)
    retry_at: Mapped[datetime | None] = mapped_column(default=None)  # not before this
    reason: Mapped[str | None] = mapped_column(default=None)  # why it was refused, or ended
    decided_at: Mapped[datetime]
    rested_at: Mapped[datetime | None] = mapped_column(default=None)
    ended_at: Mapped[datetime | None] = mapped_column(default=None)


class AlarmRow(Row, kw_only=True):
    """Something an operator has to see; raised once, until it is over."""

    __tablename__ = "alarm"
    __table_args__ = (
        Index("ix_alarm_follow_id", "follow_id"),
        Index(
            "uq_alarm_kind_copied_position_id_raised",
            "kind",
            "copied_position_id",
            unique=True,
            sqlite_where=_RAISED,
            postgresql_where=_RAISED,
        ),
    )

    id: Mapped[int] = mapped_column(KEY, primary_key=True, init=False)
    kind: Mapped[AlarmKind]
    follow_id: Mapped[FollowId] = mapped_column(ForeignKey("follow.id"))
    copied_position_id: Mapped[CopiedPositionId] = mapped_column(ForeignKey("copied_position.id"))
    sentence: Mapped[str]
    raised_at: Mapped[datetime]
    cleared_at: Mapped[datetime | None] = mapped_column(default=None)


class HaltRow(Row, kw_only=True):
    """Opens halted for a follow, a leader or everybody; `until` None: until somebody resumes."""

    __tablename__ = "halt"
    __table_args__ = (
        CheckConstraint("(scope = 'global') = (scope_id = 0)", "global_has_no_number"),
        Index(
            "uq_halt_scope_scope_id_in_force",
            "scope",
            "scope_id",
            unique=True,
            sqlite_where=_IN_FORCE,
            postgresql_where=_IN_FORCE,
        ),
    )

    id: Mapped[int] = mapped_column(KEY, primary_key=True, init=False)
    scope: Mapped[HaltScope]
    scope_id: Mapped[int]  # of the follow or leader; 0 for all
    actor: Mapped[str]
    reason: Mapped[str]
    halted_at: Mapped[datetime]
    until: Mapped[datetime | None] = mapped_column(default=None)
    lifted_at: Mapped[datetime | None] = mapped_column(default=None)
    lifted_by: Mapped[str | None] = mapped_column(default=None)
    lift_reason: Mapped[str | None] = mapped_column(default=None)  # None: nobody gave one


class LeaderMarginRow(Row, kw_only=True):
    """What backs one position of a leader, as the venue last said (C14)."""

    __tablename__ = "leader_margin"

    leader_id: Mapped[LeaderId] = mapped_column(ForeignKey("leader.id"), primary_key=True)
    symbol: Mapped[Symbol] = mapped_column(primary_key=True)
    position_side: Mapped[PositionSide] = mapped_column(primary_key=True)
    contracts: Mapped[Contracts]
    entry_cost: Mapped[Money]
    margin: Mapped[Money]
    leverage: Mapped[Ratio]
    margin_mode: Mapped[MarginMode]
    liquidation_price: Mapped[Price | None] = mapped_column(default=None)
    changes: Mapped[int] = mapped_column(default=0)  # of margin or leverage, this round trip
    at: Mapped[datetime]


class MarginMirrorRow(Row, kw_only=True):
    """Margin one copied position should have beyond its initial margin, as its leader's has."""

    __tablename__ = "margin_mirror"

    copied_position_id: Mapped[CopiedPositionId] = mapped_column(
        ForeignKey("copied_position.id"), primary_key=True
    )
    wanted_extra: Mapped[Money]  # negative: less than the initial margin
    wanted_leverage: Mapped[Ratio]
    contracts: Mapped[Contracts | None] = mapped_column(default=None)  # that it is wanted for
    is_done: Mapped[bool] = mapped_column(default=False)
    decided_at: Mapped[datetime]


class MarginAttemptRow(Row, kw_only=True):
    """A change of margin whose outcome is not known; written before the venue is asked for it.

    `money` is added (positive) or taken out; the rest is how the position stood before.
    """

    __tablename__ = "margin_attempt"

    copied_position_id: Mapped[CopiedPositionId] = mapped_column(
        ForeignKey("copied_position.id"), primary_key=True
    )
    money: Mapped[Money]
    contracts: Mapped[Contracts]
    entry_cost: Mapped[Money]
    margin: Mapped[Money]
    leverage: Mapped[Ratio]
    margin_mode: Mapped[MarginMode]
    decided_at: Mapped[datetime]
    sent_at: Mapped[datetime | None] = mapped_column(default=None)  # the latest it left at
