"""The leaders' own round trips, as their fills make them."""

from collections.abc import Collection

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session

from copyplugin.domain.fill import PositionSide
from copyplugin.domain.identifiers import LeaderId, Symbol
from copyplugin.domain.leader import TradeState
from copyplugin.domain.money import Ratio
from copyplugin.store.rows import LeaderTradeRow

_OPEN_TRADES = select(LeaderTradeRow).where(
    LeaderTradeRow.leader_id == bindparam("leader_id"),
    LeaderTradeRow.state == TradeState.OPEN,
    LeaderTradeRow.symbol.in_(bindparam("symbols", expanding=True)),
)

TradeKey = tuple[Symbol, PositionSide]


def open_trades(
    session: Session, leader_id: LeaderId, symbols: Collection[Symbol]
) -> dict[TradeKey, LeaderTradeRow]:
    """Return the round trips that are not finished, at most one a side."""
    found = session.scalars(_OPEN_TRADES, {"leader_id": leader_id, "symbols": list(symbols)})
    return {(row.symbol, row.position_side): row for row in found}


def latest_leverages(session: Session, leader_id: LeaderId) -> dict[Symbol, Ratio]:
    """Return the leverage of the leader's latest round trip in each instrument he has traded."""
    latest = (
        select(func.max(LeaderTradeRow.id))
        .where(LeaderTradeRow.leader_id == leader_id)
        .group_by(LeaderTradeRow.symbol)
    )
    rows = session.scalars(select(LeaderTradeRow).where(LeaderTradeRow.id.in_(latest)))
    return {row.symbol: row.leverage for row in rows}


def unfunded_trades(session: Session, leader_id: LeaderId) -> list[LeaderTradeRow]:
    """Return round trips whose funding may not be complete, oldest first.

    They are those that have not been counted into the leader's record.
    """
    query = (
        select(LeaderTradeRow)
        .where(LeaderTradeRow.leader_id == leader_id, LeaderTradeRow.counted.is_(False))
        .order_by(LeaderTradeRow.opened_at, LeaderTradeRow.id)
    )
    return list(session.scalars(query))
