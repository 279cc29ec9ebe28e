"""Leaders' figures (S1 to S8, S11), recomputed for all leaders in a few statements.

What is finished is in the leaders' records; only what moved since, and the windows, is read.
"""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Integer,
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
from copyplugin.domain.money import ZERO_MONEY, Money, Ratio
from copyplugin.domain.statistics import (
    FREQUENCY_WINDOW,
    NO_FIGURES,
    WIN_RATE_WINDOW,
    TradeFigures,
)
from copyplugin.domain.track_record import NO_RECORD, TrackRecord
from copyplugin.domain.unit_value import daily_returns, daily_volatility, sharpe_ratio
from copyplugin.store.columns import MoneyColumn
from copyplugin.store.dialect import put
from copyplugin.store.leader_record import (
    MICROSECOND,
    followers_results,
    open_trades_by_leader,
    track_records,
)
from copyplugin.store.rows import (
    FollowRow,
    LeaderDayRow,
    LeaderRow,
    LeaderStatisticsRow,
    LeaderTradeRow,
    SettlementRow,
)

YEAR = timedelta(days=365)
ONE_DAY = timedelta(days=1)


def recompute_statistics(session: Session, *, now: datetime, today: date) -> int:
    """Write the figures of every leader as of now; return how many leaders there are."""
    session.flush()
    records = track_records(session)
    figures = trade_figures_by_leader(session, records, now=now)
    crowds = _crowds(session)
    followers = followers_results(session)
    shares = _shares(session)
    spreads = _spreads(session, today)
    leader_ids = list(session.scalars(select(LeaderRow.id).order_by(LeaderRow.id)))
    put(
        session,
        LeaderStatisticsRow,
        [
            {
                **_values(leader_id, figures.get(leader_id, NO_FIGURES)),
                **_risk(records.get(leader_id, NO_RECORD)),
                **_NO_CROWD,
                **crowds.get(leader_id, {}),
                **_NO_SPREAD,
                **spreads.get(leader_id, {}),
                "positions_copied": followers.get(leader_id, _NOTHING)[0],
                "followers_result": followers.get(leader_id, _NOTHING)[1],
                "followers_share": shares.get(leader_id, ZERO_MONEY),
                "computed_at": now,
            }
            for leader_id in leader_ids
        ],
    )
    return len(leader_ids)


def trade_figures_by_leader(
    session: Session, records: Mapping[LeaderId, TrackRecord], *, now: datetime
) -> dict[LeaderId, TradeFigures]:
    """Return what `domain.statistics.trade_figures` gives for each leader who ever traded.

    What the windows hold is looked up by time; everything older is in the records.
    """
    recent = _closed_within_14_days(session, now)
    moves = _opened_and_closed_within_7_days(session, now)
    still_open = open_trades_by_leader(session)
    return {
        leader_id: _figures(
            records.get(leader_id, NO_RECORD),
            recent.get(leader_id, (0, 0)),
            moves.get(leader_id, 0),
            still_open.get(leader_id, 0),
        )
        for leader_id in {*records, *still_open}
    }


def _figures(
    record: TrackRecord, recent: tuple[int, int], moves: int, still_open: int
) -> TradeFigures:
    return TradeFigures(
        total_profit=record.profit,
        total_margin=record.margin,
        trades_closed=record.trades_closed,
        trades_won=record.trades_won,
        trades_closed_14_days=recent[0],
        trades_won_14_days=recent[1],
        trades_opened=record.trades_closed + still_open,
        trade_frequency=moves,
    )


def _closed_within_14_days(session: Session, now: datetime) -> dict[LeaderId, tuple[int, int]]:
    trade = LeaderTradeRow
    profit = type_coerce(trade.realized_pnl - trade.fees - trade.funding, MoneyColumn())
    query = (
        select(trade.leader_id, func.count(), _count(profit > literal(ZERO_MONEY, MoneyColumn())))
        .where(trade.closed_at.between(now - WIN_RATE_WINDOW, now))
        .group_by(trade.leader_id)
    )
    return {leader_id: (closed, won) for leader_id, closed, won in session.execute(query)}


def _opened_and_closed_within_7_days(session: Session, now: datetime) -> dict[LeaderId, int]:
    moves: dict[LeaderId, int] = {}
    for moved_at in (LeaderTradeRow.opened_at, LeaderTradeRow.closed_at):
        query = (
            select(LeaderTradeRow.leader_id, func.count())
            .where(moved_at.between(now - FREQUENCY_WINDOW, now))
            .group_by(LeaderTradeRow.leader_id)
        )
        for leader_id, count in session.execute(query):
            moves[leader_id] = moves.get(leader_id, 0) + count
    return moves


_NO_CROWD: Mapping[str, Any] = {
    "copiers": 0,
    "follows_ever": 0,
    "followers_ever": 0,
    "followers_amount": ZERO_MONEY,
}
_NO_SPREAD: Mapping[str, Any] = {"daily_volatility": None, "sharpe_ratio": None}
_NOTHING = (0, ZERO_MONEY)


def _crowds(session: Session) -> dict[LeaderId, Mapping[str, Any]]:
    """Return S6 and S7: follows that copy now, follows and people that ever did."""
    query = (
        select(
            FollowRow.leader_id,
            _count(FollowRow.state.in_(HOLDS_A_PLACE)),
            func.count(),
            func.count(distinct(FollowRow.follower_id)),
            func.sum(FollowRow.copy_amount),
        )
        .where(FollowRow.state.in_(VISIBLE), FollowRow.paper.is_(False))
        .group_by(FollowRow.leader_id)
    )
    return {
        leader_id: {
            "copiers": now,
            "follows_ever": ever,
            "followers_ever": people,
            "followers_amount": amount,
        }
        for leader_id, now, ever, people, amount in session.execute(query)
    }


def _shares(session: Session) -> dict[LeaderId, Money]:
    query = (
        select(SettlementRow.leader_id, func.sum(SettlementRow.share))
        .join(FollowRow, FollowRow.id == SettlementRow.follow_id)
        .where(FollowRow.paper.is_(False))
        .group_by(SettlementRow.leader_id)
    )
    return dict(iter(session.execute(query)))


def _spreads(session: Session, today: date) -> dict[LeaderId, Mapping[str, Any]]:
    """Return volatility and Sharpe ratio over the days of the last year that are over."""
    query = (
        select(LeaderDayRow.leader_id, LeaderDayRow.unit_value)
        .where(LeaderDayRow.day.between(today - YEAR, today - ONE_DAY))
        .order_by(LeaderDayRow.leader_id, LeaderDayRow.day)
    )
    closes: dict[LeaderId, list[Ratio]] = {}
    for leader_id, unit_value in session.execute(query):
        closes.setdefault(leader_id, []).append(unit_value)
    found: dict[LeaderId, Mapping[str, Any]] = {}
    for leader_id, values in closes.items():
        returns = daily_returns(values)
        found[leader_id] = {
            "daily_volatility": daily_volatility(returns),
            "sharpe_ratio": sharpe_ratio(returns),
        }
    return found


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


def _risk(record: TrackRecord) -> dict[str, Any]:
    return {
        "total_value": record.value,
        "holding_microseconds": record.holding // MICROSECOND,
        "losing_run_max": record.losing_run_max,
        "liquidations": record.liquidations,
    }
