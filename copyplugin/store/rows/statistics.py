"""Leaders' own round trips, and the figures computed from them. Sums are stored, not averages."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from copyplugin.domain.fill import PositionSide
from copyplugin.domain.identifiers import LeaderId, Symbol
from copyplugin.domain.leader import TradeState
from copyplugin.domain.money import ZERO_MONEY, Contracts, Money, Ratio
from copyplugin.store.rows.base import KEY, Row

_OPEN = text("state = 'open'")


class LeaderTradeRow(Row, kw_only=True):
    """One round trip of a leader. Values are Σ price × contracts × size."""

    __tablename__ = "leader_trade"
    __table_args__ = (
        CheckConstraint("closed_contracts <= opened_contracts", "closed_within_opened"),
        Index("ix_leader_trade_leader_id_closed_at", "leader_id", "closed_at"),
        Index(
            "uq_leader_trade_leader_id_symbol_position_side_open",
            "leader_id",
            "symbol",
            "position_side",
            unique=True,
            sqlite_where=_OPEN,
            postgresql_where=_OPEN,
        ),
    )

    id: Mapped[int] = mapped_column(KEY, primary_key=True, init=False)
    leader_id: Mapped[LeaderId] = mapped_column(ForeignKey("leader.id"))
    symbol: Mapped[Symbol]
    position_side: Mapped[PositionSide]
    state: Mapped[TradeState] = mapped_column(default=TradeState.OPEN)
    leverage: Mapped[Ratio]  # at the latest open
    opened_contracts: Mapped[Contracts]
    opened_value: Mapped[Money]
    closed_contracts: Mapped[Contracts] = mapped_column(default=Contracts(0))
    closed_value: Mapped[Money] = mapped_column(default=ZERO_MONEY)
    margin: Mapped[Money]  # Σ over opens of value / leverage, each rounded up
    realized_pnl: Mapped[Money] = mapped_column(default=ZERO_MONEY)  # before fees and funding
    fees: Mapped[Money] = mapped_column(default=ZERO_MONEY)
    funding: Mapped[Money] = mapped_column(default=ZERO_MONEY)  # positive: paid
    opened_at: Mapped[datetime]
    closed_at: Mapped[datetime | None] = mapped_column(default=None)


class LeaderStatisticsRow(Row, kw_only=True):
    """The figures of S1 to S8 as of `computed_at`; ratios are derived by `domain.statistics`."""

    __tablename__ = "leader_statistics"

    leader_id: Mapped[LeaderId] = mapped_column(ForeignKey("leader.id"), primary_key=True)
    total_profit: Mapped[Money]  # S3: closed trades, net of fees and funding
    total_margin: Mapped[Money]  # S1's divisor
    trades_closed: Mapped[int]
    trades_won: Mapped[int]
    trades_closed_14_days: Mapped[int]
    trades_won_14_days: Mapped[int]
    trades_opened: Mapped[int]  # S5: the leader's own, open ones included
    positions_copied: Mapped[int]  # S5: positions of his followers
    trade_frequency: Mapped[int]  # S8: opened plus closed in 7 days
    copiers: Mapped[int]  # S6: follows that hold a place now
    follows_ever: Mapped[int]  # S7: a user counts as often as he followed
    followers_ever: Mapped[int]  # S7: each person once
    computed_at: Mapped[datetime]


class LeaderEquityRow(Row, kw_only=True):
    """A point of the leader's equity chart."""

    __tablename__ = "leader_equity"

    leader_id: Mapped[LeaderId] = mapped_column(ForeignKey("leader.id"), primary_key=True)
    at: Mapped[datetime] = mapped_column(primary_key=True)
    equity: Mapped[Money]
    profit: Mapped[Money]  # realised since he began to lead, net of fees and funding
