"""How well each leader is copied, from his followers' latest receipts and closed positions."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from copyplugin.domain.copy_quality import CopyQuality, copy_quality
from copyplugin.domain.identifiers import LeaderId
from copyplugin.domain.leader import TradeState
from copyplugin.domain.money import ZERO_MONEY, Money, Ratio, money_total
from copyplugin.domain.share import position_profit
from copyplugin.domain.statistics import margin_of_open
from copyplugin.store.dialect import put
from copyplugin.store.leader_record import MICROSECOND
from copyplugin.store.receipts import latest_receipts
from copyplugin.store.rows import (
    CopiedPositionRow,
    FollowRow,
    LaneRow,
    LeaderQualityRow,
    LeaderRow,
    LeaderTradeRow,
)

RECEIPTS_A_SAMPLE = 2_000
POSITIONS_A_SAMPLE = 1_000
SLIPPAGE_PLACES = 12

_Yields = dict[str, Money]


def quality_rows(session: Session) -> list[dict[str, Any]]:
    """Return the values of every leader's row; reads only."""
    drifting = _drifting(session)
    rows: list[dict[str, Any]] = []
    for leader_id in session.scalars(select(LeaderRow.id).order_by(LeaderRow.id)):
        receipts = latest_receipts(session, leader_id, RECEIPTS_A_SAMPLE)
        rows.append(
            {
                "leader_id": leader_id,
                **_values(copy_quality(receipt.outcome for receipt in receipts)),
                "lanes_drifting": drifting.get(leader_id, 0),
                **_yields(session, leader_id),
            }
        )
    return rows


def put_quality(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    put(session, LeaderQualityRow, rows)


def _values(quality: CopyQuality) -> dict[str, Any]:
    return {
        "receipts": quality.receipts,
        "copied": quality.copied,
        "exits": quality.exits,
        "exits_copied": quality.exits_copied,
        "delay_p50_microseconds": _microseconds(quality.delay_p50),
        "delay_p95_microseconds": _microseconds(quality.delay_p95),
        "delay_p99_microseconds": _microseconds(quality.delay_p99),
        "slippage_p50": _ratio(quality.slippage_p50),
        "slippage_p95": _ratio(quality.slippage_p95),
    }


def _drifting(session: Session) -> dict[LeaderId, int]:
    query = (
        select(FollowRow.leader_id, func.count())
        .join(LaneRow, LaneRow.follow_id == FollowRow.id)
        .where(LaneRow.target != LaneRow.actual, FollowRow.paper.is_(False))
        .group_by(FollowRow.leader_id)
    )
    return dict(iter(session.execute(query)))


def _yields(session: Session, leader_id: LeaderId) -> _Yields:
    positions = session.scalars(
        select(CopiedPositionRow)
        .join(FollowRow, FollowRow.id == CopiedPositionRow.follow_id)
        .where(
            FollowRow.leader_id == leader_id,
            FollowRow.paper.is_(False),
            CopiedPositionRow.state == TradeState.CLOSED,
        )
        .order_by(CopiedPositionRow.id.desc())
        .limit(POSITIONS_A_SAMPLE)
    ).all()
    if not positions:
        return dict.fromkeys(
            ("followers_result", "followers_margin", "leader_profit", "leader_margin"), ZERO_MONEY
        )
    ends = [position.closed_at for position in positions if position.closed_at is not None]
    profit, margin = _of_leader(session, leader_id, min(ends), max(ends))
    return {
        "followers_result": money_total(
            *(
                position_profit(realized_pnl=row.realized_pnl, fees=row.fees, funding=row.funding)
                for row in positions
            )
        ),
        "followers_margin": money_total(
            *(margin_of_open(row.opened_value, row.leverage) for row in positions)
        ),
        "leader_profit": profit,
        "leader_margin": margin,
    }


def _of_leader(
    session: Session, leader_id: LeaderId, since: datetime, until: datetime
) -> tuple[Money, Money]:
    trade = LeaderTradeRow
    realized_pnl, fees, funding, margin = session.execute(
        select(
            func.sum(trade.realized_pnl),
            func.sum(trade.fees),
            func.sum(trade.funding),
            func.sum(trade.margin),
        ).where(trade.leader_id == leader_id, trade.closed_at.between(since, until))
    ).one()
    sums = [money or ZERO_MONEY for money in (realized_pnl, fees, funding)]  # none: of no rows
    profit = position_profit(realized_pnl=sums[0], fees=sums[1], funding=sums[2])
    return profit, margin or ZERO_MONEY


def _microseconds(span: timedelta | None) -> int | None:
    return None if span is None else span // MICROSECOND


def _ratio(value: Fraction | None) -> Ratio | None:
    if value is None:
        return None
    units = round(value * 10**SLIPPAGE_PLACES)
    return Ratio(Decimal(units).scaleb(-SLIPPAGE_PLACES))
