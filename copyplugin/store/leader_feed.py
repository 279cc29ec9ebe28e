"""What is kept of a leader's feed: how far it was read, each fill once, legs and signals."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import BindParameter, bindparam, func, or_, select, update
from sqlalchemy.orm import Session

from copyplugin.domain.fill import LeaderFill, PositionSide
from copyplugin.domain.identifiers import (
    AccountId,
    LeaderId,
    SignalId,
    Symbol,
    VenueFillId,
    VenueOrderId,
)
from copyplugin.domain.transition import Legs
from copyplugin.store import dialect
from copyplugin.store.rows import (
    FeedCursorRow,
    LeaderFillRow,
    LeaderPositionRow,
    LeaderRow,
    SignalRow,
)

_LEADER: BindParameter[Any] = bindparam("leader_id")
_KNOWN_FILLS = select(LeaderFillRow.venue_fill_id).where(
    LeaderFillRow.leader_id == _LEADER,
    LeaderFillRow.venue_fill_id.in_(bindparam("fill_ids", expanding=True)),
)
_FILLED = select(func.sum(LeaderFillRow.contracts)).where(
    LeaderFillRow.leader_id == _LEADER, LeaderFillRow.order_id == bindparam("order_id")
)
_LEGS = select(
    LeaderPositionRow.symbol, LeaderPositionRow.position_side, LeaderPositionRow.contracts
).where(
    LeaderPositionRow.leader_id == _LEADER,
    LeaderPositionRow.symbol.in_(bindparam("symbols", expanding=True)),
)

SEGMENT_MARK = "#"
"""Between a leader order's id and the number of its part, from the second part on."""


def leader_accounts(session: Session) -> dict[LeaderId, AccountId]:
    """Return every leader ever configured: a prohibited one's closes are still followed (L7)."""
    query = select(LeaderRow.id, LeaderRow.account).order_by(LeaderRow.id)
    return dict(iter(session.execute(query)))


def cursor(session: Session, leader_id: LeaderId) -> VenueFillId | None:
    """Return the last fill that was read; None before the first."""
    row = session.get(FeedCursorRow, leader_id)
    return None if row is None else row.cursor


def set_cursor(session: Session, leader_id: LeaderId, last: VenueFillId) -> None:
    dialect.put(session, FeedCursorRow, [{"leader_id": leader_id, "cursor": last}])


def add_new_fills(
    session: Session, leader_id: LeaderId, fills: Sequence[LeaderFill], *, received_at: datetime
) -> list[LeaderFill]:
    """Store the fills that are not stored yet and return them, in the order given."""
    ids = [fill.venue_fill_id for fill in fills]
    known = set(session.scalars(_KNOWN_FILLS, {"leader_id": leader_id, "fill_ids": ids}))
    new: list[LeaderFill] = []
    for fill in fills:
        if fill.venue_fill_id not in known:
            known.add(fill.venue_fill_id)
            new.append(fill)
    session.add_all(_row(leader_id, fill, received_at) for fill in new)
    session.flush()
    return new


def filled_of_order(session: Session, leader_id: LeaderId, order_id: VenueOrderId) -> int:
    """Return how many contracts of a leader's order are stored as filled."""
    return session.scalar(_FILLED, {"leader_id": leader_id, "order_id": order_id}) or 0


def legs(session: Session, leader_id: LeaderId, symbols: Collection[Symbol]) -> dict[Symbol, Legs]:
    """Return what the leader holds in these instruments, nothing included."""
    found = {symbol: Legs() for symbol in symbols}
    query = {"leader_id": leader_id, "symbols": list(symbols)}
    for symbol, side, contracts in session.execute(_LEGS, query):
        found[symbol] = found[symbol].with_leg(side, contracts)
    return found


def save_legs(
    session: Session,
    leader_id: LeaderId,
    before: Mapping[Symbol, Legs],
    after: Mapping[Symbol, Legs],
    *,
    at: datetime,
) -> None:
    """Write the legs that have changed."""
    changed = [
        {
            "leader_id": leader_id,
            "symbol": symbol,
            "position_side": side,
            "contracts": held.of(side),
            "updated_at": at,
        }
        for symbol, held in after.items()
        for side in PositionSide
        if held.of(side) != before.get(symbol, Legs()).of(side)
    ]
    dialect.put(session, LeaderPositionRow, changed)


def signals_of_orders(
    session: Session, leader_id: LeaderId, order_ids: Iterable[VenueOrderId]
) -> list[SignalRow]:
    """Return all parts of these orders' signals, oldest first."""
    names = [
        or_(
            SignalRow.order_id == order_id,
            SignalRow.order_id.startswith(order_id + SEGMENT_MARK, autoescape=True),
        )
        for order_id in order_ids
    ]
    if not names:
        return []
    query = (
        select(SignalRow)
        .where(SignalRow.leader_id == leader_id, or_(*names))
        .order_by(SignalRow.id)
    )
    return list(session.scalars(query))


def quiet_signals(session: Session, *, last_fill_before: datetime) -> list[SignalId]:
    """Return signals that are not final and have had no fill since that time."""
    query = (
        select(SignalRow.id)
        .where(SignalRow.final.is_(False), SignalRow.received_at < last_fill_before)
        .order_by(SignalRow.id)
    )
    return list(session.scalars(query))


def make_final(session: Session, signal_ids: Collection[SignalId]) -> None:
    session.execute(update(SignalRow).where(SignalRow.id.in_(signal_ids)).values(final=True))


def _row(leader_id: LeaderId, fill: LeaderFill, received_at: datetime) -> LeaderFillRow:
    return LeaderFillRow(
        leader_id=leader_id,
        venue_fill_id=fill.venue_fill_id,
        order_id=fill.order_id,
        symbol=fill.symbol,
        order_side=fill.side,
        position_side=fill.position_side,
        contracts=fill.contracts,
        contracts_closed=fill.contracts_closed,
        order_contracts=fill.order_contracts,
        price=fill.price,
        fee=fill.fee,
        realized_pnl=fill.realized_pnl,
        liquidity=fill.liquidity,
        leverage=fill.leverage,
        margin_mode=fill.margin_mode,
        cause=fill.cause,
        available_after=fill.available_after,
        initial_margin=fill.initial_margin,
        at=fill.at,
        received_at=received_at,
    )
