"""What the executor needs to know of lanes with open work, loaded set by set."""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import TypeVar

from sqlalchemy import ColumnElement, and_, or_, select, true
from sqlalchemy.orm import InstrumentedAttribute, Session

from copyplugin.domain.identifiers import CopyOrderId, FollowId, LaneId, SignalId
from copyplugin.domain.leader import TradeState
from copyplugin.domain.order import CopyOrderState
from copyplugin.store.rows import (
    CopiedPositionRow,
    CopyDecisionRow,
    CopyOrderRow,
    FollowInstrumentRow,
    FollowRow,
    LaneRow,
    LeaderInstrumentRow,
    SignalRow,
)

T = TypeVar("T")


@dataclass(slots=True, kw_only=True)
class LaneWork:
    """One marked lane. `undecided` are its pending decisions with their signals, oldest first."""

    lane: LaneRow
    follow: FollowRow
    in_doubt: CopyOrderRow | None = None
    undecided: list[tuple[CopyDecisionRow, SignalRow]] = field(
        default_factory=list[tuple[CopyDecisionRow, SignalRow]]
    )
    opening: SignalRow | None = None
    is_configured: bool = False
    is_chosen: bool = False


def lanes_with_work(
    session: Session,
    *,
    shards: Collection[int],
    lane_ids: Collection[LaneId],
    busy: Collection[LaneId],
    limit: int,
) -> list[LaneWork]:
    """Return marked lanes of these shards and these lanes themselves, by number, without the busy.

    More than `limit` of the marked ones are left for the next call.
    """
    wanted: ColumnElement[bool] = LaneRow.id.in_(lane_ids)
    if shards:
        wanted = or_(wanted, and_(LaneRow.marked == true(), LaneRow.shard.in_(shards)))
    query = (
        select(LaneRow, FollowRow)
        .join(FollowRow, FollowRow.id == LaneRow.follow_id)
        .where(wanted)
        .order_by(LaneRow.id)
        .limit(limit)
    )
    if busy:
        query = query.where(LaneRow.id.not_in(busy))
    works = {
        lane.id: LaneWork(lane=lane, follow=follow)
        for lane, follow in session.execute(query).tuples()
    }
    if works:
        _add_orders_in_doubt(session, works)
        _add_undecided(session, works)
        _add_openings(session, works)
        _add_choices(session, works)
    return list(works.values())


def orders(session: Session, order_ids: Collection[CopyOrderId]) -> dict[CopyOrderId, CopyOrderRow]:
    return _by_id(session, CopyOrderRow, CopyOrderRow.id, order_ids)


def lanes(session: Session, lane_ids: Collection[LaneId]) -> dict[LaneId, LaneRow]:
    return _by_id(session, LaneRow, LaneRow.id, lane_ids)


def follows_by_id(
    session: Session, follow_ids: Collection[FollowId]
) -> dict[FollowId, FollowRow]:
    return _by_id(session, FollowRow, FollowRow.id, follow_ids)


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


def decision(session: Session, signal_id: SignalId, lane_id: LaneId) -> CopyDecisionRow | None:
    return session.get(CopyDecisionRow, (signal_id, lane_id))


def pending_increase(session: Session, lane_id: LaneId) -> list[CopyDecisionRow]:
    """Return the lane's opens that await a decision, oldest first."""
    query = (
        select(CopyDecisionRow)
        .join(SignalRow, SignalRow.id == CopyDecisionRow.signal_id)
        .where(
            CopyDecisionRow.lane_id == lane_id,
            CopyDecisionRow.pending == true(),
            SignalRow.increases == true(),
        )
        .order_by(CopyDecisionRow.signal_id)
    )
    return list(session.scalars(query))


def _add_orders_in_doubt(session: Session, works: dict[LaneId, LaneWork]) -> None:
    query = select(CopyOrderRow).where(
        CopyOrderRow.state == CopyOrderState.SENT, CopyOrderRow.lane_id.in_(works)
    )
    for order in session.scalars(query):
        works[order.lane_id].in_doubt = order


def _add_undecided(session: Session, works: dict[LaneId, LaneWork]) -> None:
    query = (
        select(CopyDecisionRow, SignalRow)
        .join(SignalRow, SignalRow.id == CopyDecisionRow.signal_id)
        .where(CopyDecisionRow.pending == true(), CopyDecisionRow.lane_id.in_(works))
        .order_by(CopyDecisionRow.signal_id)
    )
    for row, signal in session.execute(query).tuples():
        works[row.lane_id].undecided.append((row, signal))


def _add_openings(session: Session, works: dict[LaneId, LaneWork]) -> None:
    wanted = {
        work.lane.opening_signal_id
        for work in works.values()
        if work.lane.opening_signal_id is not None and work.lane.target > work.lane.actual
    }
    found = signals(session, wanted)
    for work in works.values():
        if work.lane.opening_signal_id is not None:
            work.opening = found.get(work.lane.opening_signal_id)


def _add_choices(session: Session, works: dict[LaneId, LaneWork]) -> None:
    opening = [
        work for work in works.values() if any(signal.increases for _, signal in work.undecided)
    ]
    if not opening:
        return
    symbols = {work.lane.symbol for work in opening}
    configured = _pairs(
        session,
        LeaderInstrumentRow.leader_id,
        LeaderInstrumentRow.symbol,
        {work.follow.leader_id for work in opening},
        symbols,
    )
    chosen = _pairs(
        session,
        FollowInstrumentRow.follow_id,
        FollowInstrumentRow.symbol,
        {work.follow.id for work in opening},
        symbols,
    )
    for work in opening:
        work.is_configured = (work.follow.leader_id, work.lane.symbol) in configured
        work.is_chosen = (work.follow.id, work.lane.symbol) in chosen


def _pairs(
    session: Session,
    owner: InstrumentedAttribute[T],
    symbol: InstrumentedAttribute[str],
    owners: Collection[T],
    symbols: Collection[str],
) -> set[tuple[T, str]]:
    query = select(owner, symbol).where(owner.in_(owners), symbol.in_(symbols))
    return set(session.execute(query).tuples())


R = TypeVar("R")
K = TypeVar("K")


def _by_id(
    session: Session, row: type[R], key: InstrumentedAttribute[K], keys: Collection[K]
) -> dict[K, R]:
    if not keys:
        return {}
    found = session.execute(select(key, row).where(key.in_(keys))).tuples()
    return dict(iter(found))
