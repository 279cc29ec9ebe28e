"""Leaders' figures (S1 to S8), recomputed for all leaders in a few statements."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Integer,
    and_,
    case,
    cast,
    distinct,
    func,
    literal,
    select,
    type_coerce,
)
from sqlalchemy.orm import Session

from copyplugin.domain.follow import HOLDS_A_PLACE, VISIBLE
from copyplugin.domain.identifiers import LeaderId
from copyplugin.domain.leader import TradeState
from copyplugin.domain.money import ZERO_MONEY, Money
from copyplugin.domain.statistics import (
    FREQUENCY_WINDOW,
    NO_FIGURES,
    WIN_RATE_WINDOW,
    TradeFigures,
)
from copyplugin.store.columns import MoneyColumn
from copyplugin.store.dialect import put
from copyplugin.store.rows import (
    CopiedPositionRow,
    FollowRow,
    LeaderEquityRow,
    LeaderRow,
    LeaderStatisticsRow,
    LeaderTradeRow,
)


def recompute_statistics(session: Session, *, now: datetime) -> int:
    """Write the figures of every leader as of now; return how many leaders there are."""
    session.flush()
    figures = trade_figures_by_leader(session, now=now)
    crowds = _crowds(session)
    copied = _positions_copied(session)
    leader_ids = list(session.scalars(select(LeaderRow.id).order_by(LeaderRow.id)))
    put(
        session,
        LeaderStatisticsRow,
        [
            {
                **_values(leader_id, figures.get(leader_id, NO_FIGURES)),
                **crowds.get(leader_id, _NO_CROWD),
                "positions_copied": copied.get(leader_id, 0),
                "computed_at": now,
            }
            for leader_id in leader_ids
        ],
    )
    return len(leader_ids)


def trade_figures_by_leader(session: Session, *, now: datetime) -> dict[LeaderId, TradeFigures]:
    """Return what `domain.statistics.trade_figures` gives for each leader who ever traded."""
    trade = LeaderTradeRow
    nothing = literal(ZERO_MONEY, MoneyColumn())
    profit = type_coerce(trade.realized_pnl - trade.fees - trade.funding, MoneyColumn())
    closed = trade.state == TradeState.CLOSED
    recent = and_(closed, trade.closed_at.between(now - WIN_RATE_WINDOW, now))
    since = now - FREQUENCY_WINDOW
    query = select(
        trade.leader_id,
        func.sum(case((closed, profit), else_=nothing)),
        func.sum(case((closed, trade.margin), else_=nothing)),
        _count(closed),
        _count(and_(closed, profit > nothing)),
        _count(recent),
        _count(and_(recent, profit > nothing)),
        func.count(),
        _count(trade.opened_at.between(since, now))
        + _count(and_(closed, trade.closed_at.between(since, now))),
    ).group_by(trade.leader_id)
    return {
        row[0]: TradeFigures(
            total_profit=row[1],
            total_margin=row[2],
            trades_closed=row[3],
            trades_won=row[4],
            trades_closed_14_days=row[5],
            trades_won_14_days=row[6],
            trades_opened=row[7],
            trade_frequency=row[8],
        )
        for row in session.execute(query)
    }


def put_equity(
    session: Session, leader_id: LeaderId, *, equity: Money, profit: Money, at: datetime
) -> None:
    """Add a point to the leader's equity chart."""
    values = {"leader_id": leader_id, "at": at, "equity": equity, "profit": profit}
    put(session, LeaderEquityRow, [values])


_NO_CROWD: Mapping[str, int] = {"copiers": 0, "follows_ever": 0, "followers_ever": 0}


def _crowds(session: Session) -> dict[LeaderId, Mapping[str, int]]:
    """Return S6 and S7: follows that copy now, follows and people that ever did."""
    query = (
        select(
            FollowRow.leader_id,
            _count(FollowRow.state.in_(HOLDS_A_PLACE)),
            func.count(),
            func.count(distinct(FollowRow.follower_id)),
        )
        .where(FollowRow.state.in_(VISIBLE))
        .group_by(FollowRow.leader_id)
    )
    return {
        leader_id: {"copiers": now, "follows_ever": ever, "followers_ever": people}
        for leader_id, now, ever, people in session.execute(query)
    }


def _positions_copied(session: Session) -> dict[LeaderId, int]:
    query = (
        select(FollowRow.leader_id, func.count())
        .join(CopiedPositionRow, CopiedPositionRow.follow_id == FollowRow.id)
        .group_by(FollowRow.leader_id)
    )
    return {row[0]: row[1] for row in session.execute(query)}


def _count(condition: ColumnElement[bool]) -> ColumnElement[int]:
    # Both databases sum a CASE; they do not both sum a truth.
    return cast(func.sum(case((condition, 1), else_=0)), Integer)


def _values(leader_id: LeaderId, figures: TradeFigures) -> dict[str, Any]:
    return {
        "leader_id": leader_id,
        "total_profit": figures.total_profit,
        "total_margin": figures.total_margin,
        "trades_closed": figures.trades_closed,
        "trades_won": figures.trades_won,
        "trades_closed_14_days": figures.trades_closed_14_days,
        "trades_won_14_days": figures.trades_won_14_days,
        "trades_opened": figures.trades_opened,
        "trade_frequency": figures.trade_frequency,
    }
