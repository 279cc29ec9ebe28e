"""How a follow sizes its orders where it does more than its mode says: numbers and caps (C7)."""

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from copyplugin.domain.copy_rule import BelowMinimum, CopyMode
from copyplugin.domain.fill import MarginMode
from copyplugin.domain.identifiers import FollowId, SignalId, Symbol
from copyplugin.domain.money import Money, Ratio
from copyplugin.store.rows.base import Row

EVERY_INSTRUMENT = Symbol("")
"""Stands for the symbol in the rule of all instruments that have none of their own."""


class FollowRuleRow(Row, kw_only=True):
    """One whole rule: nothing is taken from another row. A plain follow has none.

    A follow whose settings were changed has several sets of them: each counts for leader orders
    numbered above `after_signal_id`, until the next set. A set that followed on a change has a
    rule of all instruments; 0 is the set that the follow began with.
    """

    __tablename__ = "follow_rule"
    __table_args__ = (
        CheckConstraint("order_margin > 0", "order_margin_positive"),
        CheckConstraint("order_margin_max > 0", "order_margin_max_positive"),
        CheckConstraint("instrument_value_max > 0", "instrument_value_max_positive"),
        CheckConstraint("total_value_max > 0", "total_value_max_positive"),
        CheckConstraint("open_positions_max > 0", "open_positions_max_positive"),
        CheckConstraint("orders_per_day_max > 0", "orders_per_day_max_positive"),
    )

    follow_id: Mapped[FollowId] = mapped_column(ForeignKey("follow.id"), primary_key=True)
    symbol: Mapped[Symbol] = mapped_column(primary_key=True)
    after_signal_id: Mapped[SignalId] = mapped_column(
        primary_key=True, autoincrement=False, default=SignalId(0)
    )
    mode: Mapped[CopyMode]
    factor: Mapped[Ratio | None] = mapped_column(default=None)
    order_margin: Mapped[Money | None] = mapped_column(default=None)
    below_minimum: Mapped[BelowMinimum] = mapped_column(default=BelowMinimum.SKIP)
    leverage: Mapped[Ratio | None] = mapped_column(default=None)  # None: the leader's
    margin_mode: Mapped[MarginMode | None] = mapped_column(default=None)  # None: the leader's
    order_margin_max: Mapped[Money | None] = mapped_column(default=None)
    instrument_value_max: Mapped[Money | None] = mapped_column(default=None)
    total_value_max: Mapped[Money | None] = mapped_column(default=None)
    leverage_max: Mapped[Ratio | None] = mapped_column(default=None)
    open_positions_max: Mapped[int | None] = mapped_column(default=None)
    orders_per_day_max: Mapped[int | None] = mapped_column(default=None)
