"""What the executor needs to know of lanes with open work, loaded set by set."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from sqlalchemy import exists, func, or_, select, text, true
from sqlalchemy.orm import InstrumentedAttribute, Session

from copyplugin.domain.account import TransferState
from copyplugin.domain.fill import PositionSide
from copyplugin.domain.identifiers import (
    CopiedPositionId,
    FollowId,
    LaneId,
    SignalId,
    Symbol,
    VenueFillId,
)
from copyplugin.domain.leader import NOT_BOOKED, TradeState
from copyplugin.domain.money import NO_CONTRACTS, Contracts
from copyplugin.domain.order import CopyOrderState
from copyplugin.errors import UnknownPosition
from copyplugin.store.rows import (
    CopiedPositionRow,
    CopyDecisionRow,
    CopyOrderRow,
    FollowRow,
    LaneRow,
    OrderFillRow,
    Row,
    SignalRow,
    TransferRow,
)
from copyplugin.store.statement import Statement

_ANY_SENT = Statement("SELECT id FROM copy_order WHERE state = 'sent' LIMIT 1")


@dataclass(slots=True)
class LaneWork:
    """One marked lane. `undecided` are its pending decisions with their signals, oldest first.

    `has_increase`: one of these signals increases.
    """

    lane: LaneRow
    follow: FollowRow
    in_doubt: CopyOrderRow | None = None
    undecided: list[tuple[CopyDecisionRow, SignalRow]] = field(
        default_factory=list[tuple[CopyDecisionRow, SignalRow]]
    )
    has_increase: bool = False
    opening: SignalRow | None = None
    is_configured: bool = False
    is_chosen: bool = False


def lanes_marked(session: Session) -> int:
    """Return how many lanes have, or may have, open work."""
    query = select(func.count()).select_from(LaneRow).where(text("lane.marked"))  # as its index
    return session.scalar(query) or 0


def lanes(session: Session, lane_ids: Collection[LaneId]) -> dict[LaneId, LaneRow]:
    return _by_id(session, LaneRow, LaneRow.id, lane_ids)


def signals(session: Session, signal_ids: Collection[SignalId]) -> dict[SignalId, SignalRow]:
    return _by_id(session, SignalRow, SignalRow.id, signal_ids)


def open_positions(
    session: Session, lane_ids: Collection[LaneId]
) -> dict[LaneId, CopiedPositionRow]:
    """Return the round trip each lane is in; none where it is flat."""
    query = select(CopiedPositionRow).where(
        CopiedPositionRow.lane_id.in_(lane_ids), CopiedPositionRow.state == TradeState.OPEN
    )
    return {row.lane_id: row for row in session.scalars(query)}


def get_position(session: Session, position_id: CopiedPositionId) -> CopiedPositionRow:
    """Return the copied position; raises `UnknownPosition`."""
    row = session.get(CopiedPositionRow, position_id)
    if row is None:
        raise UnknownPosition(f"There is no position number {position_id}.")
    return row


def open_positions_of(session: Session, follow_id: FollowId) -> list[CopiedPositionRow]:
    """Return the round trips of a follow that are open, by number."""
    query = (
        select(CopiedPositionRow)
        .where(CopiedPositionRow.follow_id == follow_id, CopiedPositionRow.state == TradeState.OPEN)
        .order_by(CopiedPositionRow.id)
    )
    return list(session.scalars(query))


@dataclass(frozen=True, kw_only=True, slots=True)
class LaneBelief:
    """What we believe of one lane; `is_idle` where no order of it is in doubt."""

    lane_id: LaneId
    actual: Contracts
    next_sequence: int
    is_idle: bool


def beliefs(session: Session, follow_id: FollowId) -> dict[tuple[Symbol, PositionSide], LaneBelief]:
    """Return a follow's lanes by symbol and side."""
    return all_beliefs(session, [follow_id]).get(follow_id, {})


def all_beliefs(
    session: Session, follow_ids: Collection[FollowId]
) -> dict[FollowId, dict[tuple[Symbol, PositionSide], LaneBelief]]:
    """Return the lanes of these follows by symbol and side; one without lanes is left out."""
    in_doubt = (
        exists()
        .where(CopyOrderRow.lane_id == LaneRow.id, CopyOrderRow.state == CopyOrderState.SENT)
        .correlate(LaneRow)
    )
    query = select(
        LaneRow.follow_id,
        LaneRow.symbol,
        LaneRow.position_side,
        LaneRow.id,
        LaneRow.actual,
        LaneRow.next_sequence,
        in_doubt,
    ).where(LaneRow.follow_id.in_(follow_ids))
    found: dict[FollowId, dict[tuple[Symbol, PositionSide], LaneBelief]] = {}
    for follow_id, symbol, side, lane_id, actual, next_sequence, doubt in session.execute(query):
        found.setdefault(follow_id, {})[symbol, side] = LaneBelief(
            lane_id=lane_id, actual=actual, next_sequence=next_sequence, is_idle=not doubt
        )
    return found


def lock_lanes(session: Session, follow_id: FollowId) -> None:
    """Let nobody else change a follow's lanes until this transaction ends."""
    lock_all_lanes(session, [follow_id])


def lock_all_lanes(session: Session, follow_ids: Collection[FollowId]) -> None:
    """Let nobody else change these follows' lanes until this transaction ends."""
    if follow_ids:
        session.execute(
            select(LaneRow.id)
            .where(LaneRow.follow_id.in_(follow_ids))
            .order_by(LaneRow.id)
            .with_for_update()
        ).all()


def fill_ids(session: Session, lane_id: LaneId) -> set[VenueFillId]:
    """Return every execution that is booked for a lane."""
    query = (
        select(OrderFillRow.venue_fill_id)
        .join(CopyOrderRow, CopyOrderRow.id == OrderFillRow.order_id)
        .where(CopyOrderRow.lane_id == lane_id)
    )
    return set(session.scalars(query))


def filled_orders(
    session: Session, position_id: CopiedPositionId, *, until: datetime
) -> list[CopyOrderRow]:
    """Return the orders of a copied position that were filled by then, in that order."""
    query = (
        select(CopyOrderRow)
        .where(
            CopyOrderRow.copied_position_id == position_id,
            CopyOrderRow.filled > 0,
            CopyOrderRow.filled_at <= until,
        )
        .order_by(CopyOrderRow.filled_at, CopyOrderRow.id)
    )
    return list(session.scalars(query))


def quiet_mark(session: Session, follow_id: FollowId) -> int | None:
    """Return how many transfers of a follow are done; None where its books are not complete.

    They are complete when nothing is open or due and no money is on its way. The same mark before
    and after the venue was asked says that no money moved meanwhile.
    """
    unfinished = session.scalar(
        select(func.count())
        .select_from(CopiedPositionRow)
        .where(
            CopiedPositionRow.follow_id == follow_id,
            or_(
                CopiedPositionRow.state == TradeState.OPEN,
                CopiedPositionRow.share_state.in_(NOT_BOOKED),
            ),
        )
    )
    states = list(
        session.scalars(select(TransferRow.state).where(TransferRow.follow_id == follow_id))
    )
    if unfinished or TransferState.PLANNED in states:
        return None
    return states.count(TransferState.DONE)


def is_flat(session: Session, follow_id: FollowId) -> bool:
    """Return whether no lane of the follow holds anything and no order of it is in doubt."""
    holding = exists().where(LaneRow.follow_id == follow_id, LaneRow.actual != NO_CONTRACTS)
    in_doubt = (
        exists()
        .where(CopyOrderRow.lane_id == LaneRow.id)
        .where(LaneRow.follow_id == follow_id, CopyOrderRow.state == CopyOrderState.SENT)
    )
    return not session.scalar(select(or_(holding, in_doubt)))


def decision(session: Session, signal_id: SignalId, lane_id: LaneId) -> CopyDecisionRow | None:
    return session.get(CopyDecisionRow, (signal_id, lane_id))


R = TypeVar("R")
K = TypeVar("K")


def _by_id(
    session: Session, row: type[R], key: InstrumentedAttribute[K], keys: Collection[K]
) -> dict[K, R]:
    if not keys:
        return {}
    found = session.execute(select(key, row).where(key.in_(keys)))
    return dict(iter(found))


def orders_in(session: Session, state: CopyOrderState) -> int:
    """Return how many orders are in a state."""
    query = select(func.count()).select_from(CopyOrderRow).where(CopyOrderRow.state == state)
    return session.scalar(query) or 0


def is_any_in_doubt(session: Session) -> bool:
    """Return whether the outcome of any order is not known."""
    return bool(_ANY_SENT.run(session))


def contracts_held(session: Session) -> int:
    """Return the contracts of all lanes together."""
    return int(session.scalar(select(func.sum(LaneRow.actual))) or 0)


def open_rows(session: Session, *, limit: int) -> list[Row]:
    """Return the first lanes that are marked and the first orders in doubt."""
    lanes_first = select(LaneRow).where(LaneRow.marked == true()).order_by(LaneRow.id)
    doubtful = select(CopyOrderRow).where(CopyOrderRow.state == CopyOrderState.SENT)
    return [
        *session.scalars(lanes_first.limit(limit)),
        *session.scalars(doubtful.order_by(CopyOrderRow.id).limit(limit)),
    ]
