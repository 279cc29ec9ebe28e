"""Leaders' own round trips, and the figures computed from them. Sums are stored, not averages."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, false, text
from sqlalchemy.orm import Mapped, mapped_column

from copyplugin.domain.fill import PositionSide
from copyplugin.domain.identifiers import LeaderId, Symbol
from copyplugin.domain.leader import TradeState
from copyplugin.domain.money import ZERO_MONEY, Contracts, Money, Ratio
from copyplugin.store.rows.base import KEY, Row

_OPEN = text("state = 'open'")
_NOT_COUNTED = text("NOT counted")


class LeaderTradeRow(Row, kw_only=True):
    """One round trip of a leader. Values are Σ price × contracts × size."""

    __tablename__ = "leader_trade"
    __table_args__ = (
        CheckConstraint("closed_contracts <= opened_contracts", "closed_within_opened"),
        Index("ix_leader_trade_leader_id_closed_at", "leader_id", "closed_at"),
        Index("ix_leader_trade_closed_at", "closed_at"),
        Index("ix_leader_trade_opened_at", "opened_at"),
        Index(
            "ix_leader_trade_not_counted",
            "leader_id",
            "closed_at",
            sqlite_where=_NOT_COUNTED,
            postgresql_where=_NOT_COUNTED,
        ),
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
    liquidated: Mapped[bool] = mapped_column(default=False, server_default=false())
    """A liquidation ended or cut it."""
    counted: Mapped[bool] = mapped_column(default=False, server_default=false())
    """It is finished and in the leader's record."""


class LeaderRecordRow(Row, kw_only=True):
    """Sums over what is finished and has been counted: his own trades, and positions copied."""

    __tablename__ = "leader_record"

    leader_id: Mapped[LeaderId] = mapped_column(ForeignKey("leader.id"), primary_key=True)
    profit: Mapped[Money] = mapped_column(default=ZERO_MONEY)
    margin: Mapped[Money] = mapped_column(default=ZERO_MONEY)
    value: Mapped[Money] = mapped_column(default=ZERO_MONEY)
    holding_microseconds: Mapped[int] = mapped_column(default=0)
    trades_closed: Mapped[int] = mapped_column(default=0)
    trades_won: Mapped[int] = mapped_column(default=0)
    losing_run: Mapped[int] = mapped_column(default=0)
    losing_run_max: Mapped[int] = mapped_column(default=0)
    liquidations: Mapped[int] = mapped_column(default=0)
    positions_copied: Mapped[int] = mapped_column(default=0)
    followers_result: Mapped[Money] = mapped_column(default=ZERO_MONEY)  # before the share


class LeaderDayRow(Row, kw_only=True):
    """What a unit of the leader's account was worth at the end of a day, or is worth today."""

    __tablename__ = "leader_day"

    leader_id: Mapped[LeaderId] = mapped_column(ForeignKey("leader.id"), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)  # of the configured time zone
    unit_value: Mapped[Ratio]


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
    # S11; what could not be told yet is None
    total_value: Mapped[Money] = mapped_column(default=ZERO_MONEY, server_default="0")
    holding_microseconds: Mapped[int] = mapped_column(default=0, server_default="0")
    losing_run_max: Mapped[int] = mapped_column(default=0, server_default="0")
    liquidations: Mapped[int] = mapped_column(default=0, server_default="0")
    daily_volatility: Mapped[Ratio | None] = mapped_column(default=None)
    sharpe_ratio: Mapped[Ratio | None] = mapped_column(default=None)
    # Σ over the follows after him: results before the share, shares, copy amounts.
    followers_result: Mapped[Money] = mapped_column(default=ZERO_MONEY, server_default="0")
    followers_share: Mapped[Money] = mapped_column(default=ZERO_MONEY, server_default="0")
    followers_amount: Mapped[Money] = mapped_column(default=ZERO_MONEY, server_default="0")
    computed_at: Mapped[datetime]


class LeaderEquityRow(Row, kw_only=True):
    """A point of the leader's equity chart."""

    __tablename__ = "leader_equity"

    leader_id: Mapped[LeaderId] = mapped_column(ForeignKey("leader.id"), primary_key=True)
    at: Mapped[datetime] = mapped_column(primary_key=True)
    equity: Mapped[Money]
    profit: Mapped[Money]  # realised since he began to lead, net of fees and funding
    # What his account's record rests on; None where the venue could not be asked consistently.
    wallet: Mapped[Money | None] = mapped_column(default=None)  # equity without open results
    flow: Mapped[Money | None] = mapped_column(default=None)  # brought in since the point before
    unit_value: Mapped[Ratio | None] = mapped_column(default=None)
    unit_value_peak: Mapped[Ratio | None] = mapped_column(default=None)
    drawdown_max: Mapped[Ratio | None] = mapped_column(default=None)
    last_fill_id: Mapped[int | None] = mapped_column(KEY, default=None)  # counted into the flow
    last_funding_at: Mapped[datetime | None] = mapped_column(default=None)


class LeaderQualityRow(Row, kw_only=True):
    """How well a leader is copied: over his followers' latest receipts and closed positions (N1).

    Both yields are realised profit over margin, net of fees and funding and before the share: of
    the followers' latest closed positions, and of the leader's trades closed in the same time.
    """

    __tablename__ = "leader_quality"

    leader_id: Mapped[LeaderId] = mapped_column(ForeignKey("leader.id"), primary_key=True)
    receipts: Mapped[int]
    copied: Mapped[int]
    exits: Mapped[int]
    exits_copied: Mapped[int]
    delay_p50_microseconds: Mapped[int | None]
    delay_p95_microseconds: Mapped[int | None]
    delay_p99_microseconds: Mapped[int | None]
    slippage_p50: Mapped[Ratio | None]
    slippage_p95: Mapped[Ratio | None]
    lanes_drifting: Mapped[int]  # that do not hold their target now
    followers_result: Mapped[Money]
    followers_margin: Mapped[Money]
    leader_profit: Mapped[Money]
    leader_margin: Mapped[Money]
