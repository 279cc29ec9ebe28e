"""The leaders' own round trips, as their fills make them."""

from collections.abc import Collection

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from copyplugin.domain.fill import PositionSide
from copyplugin.domain.identifiers import LeaderId, Symbol
from copyplugin.domain.leader import TradeState
from copyplugin.store.rows import LeaderStatisticsRow, LeaderTradeRow

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


def unfunded_trades(session: Session, leader_id: LeaderId) -> list[LeaderTradeRow]:
    """Return round trips whose funding may not be complete, oldest first.

    The open ones, and those closed since the figures were last computed.
    """
    computed = session.get(LeaderStatisticsRow, leader_id)
    query = select(LeaderTradeRow).where(LeaderTradeRow.leader_id == leader_id)
    if computed is not None:
        query = query.where(
            (LeaderTradeRow.state == TradeState.OPEN)
            | (LeaderTradeRow.closed_at >= computed.computed_at)
        )
    return list(session.scalars(query.order_by(LeaderTradeRow.opened_at, LeaderTradeRow.id)))
