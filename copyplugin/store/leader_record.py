"""Leaders' records: what is finished is counted once, the rest is looked at each time."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from copyplugin.domain.identifiers import LeaderId
from copyplugin.domain.leader import NOT_BOOKED, TradeState
from copyplugin.domain.money import ZERO_MONEY, Money, money_total
from copyplugin.domain.share import position_profit
from copyplugin.domain.statistics import Trade
from copyplugin.domain.track_record import NO_RECORD, TrackRecord
from copyplugin.store.rows import CopiedPositionRow, FollowRow, LeaderRecordRow, LeaderTradeRow

FUNDING_GRACE = timedelta(minutes=5)
"""A payment of funding may be told so long after it was made."""

POSITIONS_A_STATEMENT = 5_000
MICROSECOND = timedelta(microseconds=1)


def count_trades(session: Session, asked_at: Mapping[LeaderId, datetime]) -> None:
    """Add finished trades to the records of leaders whose funding is booked up to that time."""
    for leader_id, until in asked_at.items():
        finished = session.scalars(
            select(LeaderTradeRow)
            .where(
                LeaderTradeRow.leader_id == leader_id,
                LeaderTradeRow.counted.is_(False),
                LeaderTradeRow.closed_at < until - FUNDING_GRACE,
            )
            .order_by(LeaderTradeRow.closed_at, LeaderTradeRow.id)
        ).all()
        if not finished:
            continue
        row = _record_row(session, leader_id)
        record = _record_from(row)
        for trade in finished:
            record = record.after(trade_from(trade))
            trade.counted = True
        _write(row, record)


def count_positions(session: Session) -> None:
    """Add booked copied positions to the records of the leaders they were copied from.

    Those of paper follows are done with, and add nothing.
    """
    booked = (
        select(CopiedPositionRow.id)
        .where(
            CopiedPositionRow.counted.is_(False),
            CopiedPositionRow.state == TradeState.CLOSED,
            CopiedPositionRow.share_state.not_in(NOT_BOOKED),
        )
        .limit(POSITIONS_A_STATEMENT)
    )
    while ids := session.scalars(booked).all():
        sums = session.execute(
            select(
                FollowRow.leader_id,
                func.count(),
                func.sum(CopiedPositionRow.realized_pnl),
                func.sum(CopiedPositionRow.fees),
                func.sum(CopiedPositionRow.funding),
            )
            .join(FollowRow, FollowRow.id == CopiedPositionRow.follow_id)
            .where(CopiedPositionRow.id.in_(ids), FollowRow.paper.is_(False))
            .group_by(FollowRow.leader_id)
        ).all()
        for leader_id, count, realized_pnl, fees, funding in sums:
            row = _record_row(session, leader_id)
            result = position_profit(realized_pnl=realized_pnl, fees=fees, funding=funding)
            row.positions_copied += count
            row.followers_result = money_total(row.followers_result, result)
        session.execute(
            update(CopiedPositionRow).where(CopiedPositionRow.id.in_(ids)).values(counted=True)
        )
        session.flush()


def take_from_result(session: Session, leader_id: LeaderId, payment: Money) -> None:
    """Correct the followers' result for a payment told after its position had been counted."""
    row = _record_row(session, leader_id)
    row.followers_result = money_total(row.followers_result, Money(-payment))


def track_records(session: Session) -> dict[LeaderId, TrackRecord]:
    """Return every leader's record up to now: what is counted, and what closed since."""
    records = {row.leader_id: _record_from(row) for row in session.scalars(select(LeaderRecordRow))}
    since = (
        select(LeaderTradeRow)
        .where(LeaderTradeRow.counted.is_(False), LeaderTradeRow.state == TradeState.CLOSED)
        .order_by(LeaderTradeRow.leader_id, LeaderTradeRow.closed_at, LeaderTradeRow.id)
    )
    for row in session.scalars(since):
        known = records.get(row.leader_id, NO_RECORD)
        records[row.leader_id] = known.after(trade_from(row))
    return records


def open_trades_by_leader(session: Session) -> dict[LeaderId, int]:
    """Return how many round trips of each leader are not finished."""
    query = (
        select(LeaderTradeRow.leader_id, func.count())
        .where(LeaderTradeRow.state == TradeState.OPEN, LeaderTradeRow.counted.is_(False))
        .group_by(LeaderTradeRow.leader_id)
    )
    return dict(iter(session.execute(query)))


def followers_results(session: Session) -> dict[LeaderId, tuple[int, Money]]:
    """Return how many positions were copied from each leader, and what they came to.

    Realised, net of fees and funding, before the share; of open ones what is realised so far.
    """
    found = {
        leader_id: (count, result)
        for leader_id, count, result in session.execute(
            select(
                LeaderRecordRow.leader_id,
                LeaderRecordRow.positions_copied,
                LeaderRecordRow.followers_result,
            )
        )
    }
    since = (
        select(
            FollowRow.leader_id,
            func.count(),
            func.sum(CopiedPositionRow.realized_pnl),
            func.sum(CopiedPositionRow.fees),
            func.sum(CopiedPositionRow.funding),
        )
        .join(FollowRow, FollowRow.id == CopiedPositionRow.follow_id)
        .where(CopiedPositionRow.counted.is_(False), FollowRow.paper.is_(False))
        .group_by(FollowRow.leader_id)
    )
    for leader_id, count, realized_pnl, fees, funding in session.execute(since):
        known, result = found.get(leader_id, (0, ZERO_MONEY))
        more = position_profit(realized_pnl=realized_pnl, fees=fees, funding=funding)
        found[leader_id] = (known + count, money_total(result, more))
    return found


def trade_from(row: LeaderTradeRow) -> Trade:
    profit = position_profit(realized_pnl=row.realized_pnl, fees=row.fees, funding=row.funding)
    return Trade(
        opened_at=row.opened_at,
        closed_at=row.closed_at,
        profit=profit if row.state is TradeState.CLOSED else ZERO_MONEY,
        margin=row.margin,
        value=row.opened_value,
        liquidated=row.liquidated,
    )


def _record_row(session: Session, leader_id: LeaderId) -> LeaderRecordRow:
    row = session.get(LeaderRecordRow, leader_id)
    if row is None:
        row = LeaderRecordRow(leader_id=leader_id)
        session.add(row)
    return row


_SAME_NAMES = (
    "profit",
    "margin",
    "value",
    "trades_closed",
    "trades_won",
    "losing_run",
    "losing_run_max",
    "liquidations",
)


def _record_from(row: LeaderRecordRow) -> TrackRecord:
    values: dict[str, Any] = {name: getattr(row, name) for name in _SAME_NAMES}
    return TrackRecord(**values, holding=timedelta(microseconds=row.holding_microseconds))


def _write(row: LeaderRecordRow, record: TrackRecord) -> None:
    for name in _SAME_NAMES:
        setattr(row, name, getattr(record, name))
    row.holding_microseconds = record.holding // MICROSECOND
