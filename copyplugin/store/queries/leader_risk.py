"""What a leader's record says of his risk, and how well he is copied (S11, N1)."""

from dataclasses import dataclass
from datetime import timedelta
from fractions import Fraction

from sqlalchemy.orm import Session

from copyplugin.domain.identifiers import LeaderId
from copyplugin.domain.money import Money, Ratio, money_total
from copyplugin.domain.statistics import ratio_of
from copyplugin.store.account_record import last_point
from copyplugin.store.leader_record import MICROSECOND
from copyplugin.store.rows import LeaderQualityRow, LeaderStatisticsRow


@dataclass(frozen=True, kw_only=True, slots=True)
class LeaderRisk:
    """Of the leader's own account and trades; None where it cannot be told yet."""

    unit_return: Fraction | None  # of the value of a unit since he began to lead
    drawdown_max: Ratio | None
    daily_volatility: Ratio | None
    sharpe_ratio: Ratio | None
    average_leverage: Fraction | None
    average_holding: timedelta | None
    losing_run_max: int
    liquidations: int
    followers_return: Fraction | None  # their results after the share, over their copy amounts


@dataclass(frozen=True, kw_only=True, slots=True)
class CopyQualityFigures:
    """Over his followers' latest receipts and closed positions."""

    receipts: int
    success_rate: Fraction | None
    exit_success_rate: Fraction | None
    delay_p50: timedelta | None
    delay_p95: timedelta | None
    delay_p99: timedelta | None
    slippage_p50: Ratio | None
    slippage_p95: Ratio | None
    lanes_drifting: int
    return_gap: Fraction | None  # their yield less his, before the share


def leader_risk(session: Session, leader_id: LeaderId) -> LeaderRisk | None:
    """Return the figures of the last run of the statistics; None before the first."""
    row = session.get(LeaderStatisticsRow, leader_id)
    if row is None:
        return None
    point = last_point(session, leader_id)
    unit_value = None if point is None else point.unit_value
    after_share = money_total(row.followers_result, Money(-row.followers_share))
    holding = row.holding_microseconds * MICROSECOND
    return LeaderRisk(
        unit_return=None if unit_value is None else Fraction(unit_value) - 1,
        drawdown_max=None if point is None else point.drawdown_max,
        daily_volatility=row.daily_volatility,
        sharpe_ratio=row.sharpe_ratio,
        average_leverage=ratio_of(row.total_value, row.total_margin),
        average_holding=holding / row.trades_closed if row.trades_closed else None,
        losing_run_max=row.losing_run_max,
        liquidations=row.liquidations,
        followers_return=ratio_of(after_share, row.followers_amount),
    )


def copy_quality_of(session: Session, leader_id: LeaderId) -> CopyQualityFigures | None:
    """Return the figures of the last run of the statistics; None before the first."""
    row = session.get(LeaderQualityRow, leader_id)
    if row is None:
        return None
    theirs = ratio_of(row.followers_result, row.followers_margin)
    his = ratio_of(row.leader_profit, row.leader_margin)
    return CopyQualityFigures(
        receipts=row.receipts,
        success_rate=ratio_of(row.copied, row.receipts),
        exit_success_rate=ratio_of(row.exits_copied, row.exits),
        delay_p50=_span(row.delay_p50_microseconds),
        delay_p95=_span(row.delay_p95_microseconds),
        delay_p99=_span(row.delay_p99_microseconds),
        slippage_p50=row.slippage_p50,
        slippage_p95=row.slippage_p95,
        lanes_drifting=row.lanes_drifting,
        return_gap=None if theirs is None or his is None else theirs - his,
    )


def _span(microseconds: int | None) -> timedelta | None:
    return None if microseconds is None else microseconds * MICROSECOND
