"""The leaders' figures once more, slowly and from raw rows: they must be those that are kept."""

from collections.abc import Iterator
from datetime import date, datetime, tzinfo
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from copyplugin.domain.days import day_of
from copyplugin.domain.follow import HOLDS_A_PLACE, VISIBLE
from copyplugin.domain.identifiers import LeaderId
from copyplugin.domain.money import Ratio, money_total
from copyplugin.domain.share import position_profit
from copyplugin.domain.statistics import trade_figures
from copyplugin.domain.track_record import track_record
from copyplugin.domain.unit_value import (
    EquityFlow,
    daily_returns,
    daily_volatility,
    sharpe_ratio,
    unit_values,
)
from copyplugin.store.leader_record import MICROSECOND, trade_from
from copyplugin.store.rows import (
    CopiedPositionRow,
    FollowRow,
    LeaderDayRow,
    LeaderEquityRow,
    LeaderRow,
    LeaderStatisticsRow,
    LeaderTradeRow,
    SettlementRow,
)
from copyplugin.store.statistics import YEAR, recompute_statistics


def statistics_differences(session: Session, *, now: datetime, zone: tzinfo) -> list[str]:
    """Recompute the figures both ways; return a sentence for each figure that differs."""
    recompute_statistics(session, now=now, today=day_of(now, zone))
    session.flush()
    session.expire_all()
    return [
        f"leader {leader_id}: {name} is kept as {kept}, the rows give {found}"
        for leader_id in session.scalars(select(LeaderRow.id).order_by(LeaderRow.id))
        for name, kept, found in _differences(session, leader_id, now, zone)
    ]


def _differences(
    session: Session, leader_id: LeaderId, now: datetime, zone: tzinfo
) -> Iterator[tuple[str, object, object]]:
    kept = session.get_one(LeaderStatisticsRow, leader_id)
    points = _points(session, leader_id)
    found = {
        **_of_trades(session, leader_id, now),
        **_of_followers(session, leader_id),
        **_of_days(points, now, zone),
    }
    for name, value in found.items():
        if getattr(kept, name) != value:
            yield name, getattr(kept, name), value
    yield from _differences_of_points(points)
    days = {
        row.day: row.unit_value
        for row in session.scalars(select(LeaderDayRow).where(LeaderDayRow.leader_id == leader_id))
    }
    if days != _closes(points, zone):
        yield "the unit value at the ends of days", days, _closes(points, zone)


def _of_trades(session: Session, leader_id: LeaderId, now: datetime) -> dict[str, Any]:
    rows = session.scalars(
        select(LeaderTradeRow)
        .where(LeaderTradeRow.leader_id == leader_id)
        .order_by(LeaderTradeRow.closed_at, LeaderTradeRow.id)
    )
    trades = [trade_from(row) for row in rows]
    figures, record = trade_figures(trades, now=now), track_record(trades)
    return {
        "total_profit": figures.total_profit,
        "total_margin": figures.total_margin,
        "trades_closed": figures.trades_closed,
        "trades_won": figures.trades_won,
        "trades_closed_14_days": figures.trades_closed_14_days,
        "trades_won_14_days": figures.trades_won_14_days,
        "trades_opened": figures.trades_opened,
        "trade_frequency": figures.trade_frequency,
        "total_value": record.value,
        "holding_microseconds": record.holding // MICROSECOND,
        "losing_run_max": record.losing_run_max,
        "liquidations": record.liquidations,
    }


def _of_followers(session: Session, leader_id: LeaderId) -> dict[str, Any]:
    real = (FollowRow.leader_id == leader_id, FollowRow.paper.is_(False))
    follows = session.scalars(select(FollowRow).where(*real)).all()
    shown = [follow for follow in follows if follow.state in VISIBLE]
    positions = session.scalars(
        select(CopiedPositionRow)
        .join(FollowRow, FollowRow.id == CopiedPositionRow.follow_id)
        .where(*real)
    ).all()
    shares = session.scalars(
        select(SettlementRow.share)
        .join(FollowRow, FollowRow.id == SettlementRow.follow_id)
        .where(*real)
    ).all()
    results = [
        position_profit(realized_pnl=row.realized_pnl, fees=row.fees, funding=row.funding)
        for row in positions
    ]
    return {
        "copiers": sum(follow.state in HOLDS_A_PLACE for follow in shown),
        "follows_ever": len(shown),
        "followers_ever": len({follow.follower_id for follow in shown}),
        "followers_amount": money_total(*(follow.copy_amount for follow in shown)),
        "positions_copied": len(positions),
        "followers_result": money_total(*results),
        "followers_share": money_total(*shares),
    }


def _points(session: Session, leader_id: LeaderId) -> list[LeaderEquityRow]:
    return list(
        session.scalars(
            select(LeaderEquityRow)
            .where(LeaderEquityRow.leader_id == leader_id, LeaderEquityRow.unit_value.is_not(None))
            .order_by(LeaderEquityRow.at)
        )
    )


def _differences_of_points(
    points: list[LeaderEquityRow],
) -> Iterator[tuple[str, object, object]]:
    flows = [
        EquityFlow(equity=point.equity, flow=point.flow)
        for point in points
        if point.flow is not None
    ]
    for point, unit in zip(points, unit_values(flows), strict=True):
        kept = (point.unit_value, point.unit_value_peak, point.drawdown_max)
        found = (unit.value, unit.peak, unit.drawdown_max)
        if kept != found:
            yield f"the unit value of {point.at}", kept, found


def _closes(points: list[LeaderEquityRow], zone: tzinfo) -> dict[date, Ratio]:
    return {
        day_of(point.at, zone): point.unit_value for point in points if point.unit_value is not None
    }


def _of_days(points: list[LeaderEquityRow], now: datetime, zone: tzinfo) -> dict[str, Any]:
    today = day_of(now, zone)
    closes = _closes(points, zone)
    over = [closes[day] for day in sorted(closes) if today - YEAR <= day < today]
    returns = daily_returns(over)
    return {
        "daily_volatility": daily_volatility(returns),
        "sharpe_ratio": sharpe_ratio(returns),
    }
