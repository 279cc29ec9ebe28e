"""What the executor needs to know of lanes with open work, loaded set by set."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import BindParameter, and_, bindparam, exists, func, or_, select, true
from sqlalchemy.orm import InstrumentedAttribute, Session

from copyplugin.domain.account import TransferState
from copyplugin.domain.fill import PositionSide
from copyplugin.domain.identifiers import (
    CopiedPositionId,
    CopyOrderId,
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
    FollowInstrumentRow,
    FollowRow,
    LaneRow,
    LeaderInstrumentRow,
    OrderFillRow,
    Row,
    SignalRow,
    TransferRow,
)

T = TypeVar("T")

# The statements of every order are built once: building one takes as long as running it.
_LANE_IDS: BindParameter[Any] = bindparam("lane_ids", expanding=True)
_MARKED = (
    select(LaneRow, FollowRow)
    .join(FollowRow, FollowRow.id == LaneRow.follow_id)
    .where(
        LaneRow.marked == true(),
        or_(LaneRow.retry_at.is_(None), LaneRow.retry_at <= bindparam("now")),
        LaneRow.id > bindparam("after"),
        LaneRow.id.not_in(bindparam("busy", expanding=True)),
    )
    .order_by(LaneRow.id)
    .limit(bindparam("most"))
)
_MARKED_IN_SHARDS = _MARKED.where(LaneRow.shard.in_(bindparam("shards", expanding=True)))
_MARKED_ONE = _MARKED.where(LaneRow.id == bindparam("lane_id"))
_AT_HAND = (
    select(LaneRow, FollowRow, CopiedPositionRow)
    .join(FollowRow, FollowRow.id == LaneRow.follow_id)
    .outerjoin(
        CopiedPositionRow,
        and_(
            CopiedPositionRow.lane_id == LaneRow.id,
            CopiedPositionRow.state == TradeState.OPEN,
        ),
    )
    .where(LaneRow.id.in_(_LANE_IDS))
)
_IN_DOUBT = select(CopyOrderRow).where(
    CopyOrderRow.state == CopyOrderState.SENT, CopyOrderRow.lane_id.in_(_LANE_IDS)
)
_UNDECIDED = (
    select(CopyDecisionRow, SignalRow)
    .join(SignalRow, SignalRow.id == CopyDecisionRow.signal_id)
    .where(CopyDecisionRow.pending == true(), CopyDecisionRow.lane_id.in_(_LANE_IDS))
    .order_by(CopyDecisionRow.signal_id)
)
_FOLLOW_IDS: BindParameter[Any] = bindparam("follow_ids", expanding=True)
_SENT_BY_FOLLOW = (
    select(LaneRow.follow_id, LaneRow.id, func.coalesce(CopyOrderRow.signal_id, 0))
    .join(CopyOrderRow, CopyOrderRow.lane_id == LaneRow.id)
    .where(CopyOrderRow.state == CopyOrderState.SENT, LaneRow.follow_id.in_(_FOLLOW_IDS))
)
_PENDING_BY_FOLLOW = (
    select(LaneRow.follow_id, LaneRow.id, func.min(CopyDecisionRow.signal_id))
    .join(CopyDecisionRow, CopyDecisionRow.lane_id == LaneRow.id)
    .where(CopyDecisionRow.pending == true(), LaneRow.follow_id.in_(_FOLLOW_IDS))
    .group_by(LaneRow.follow_id, LaneRow.id)
)
_ORDERS = select(CopyOrderRow).where(CopyOrderRow.id.in_(bindparam("order_ids", expanding=True)))


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


def marked_lanes(  # noqa: PLR0913 - which lanes, in so many respects
    session: Session,
    shards: Collection[int],
    *,
    lane_id: LaneId | None,
    after: LaneId | None,
    busy: Collection[LaneId],
    now: datetime,
    limit: int,
) -> list[LaneWork]:
    """Return marked lanes that need not wait, by number: of these shards, or one.

    Without the busy, above the number `after`, and at most so many.
    """
    if not shards and lane_id is None:
        return []
    found = session.execute(
        _MARKED_IN_SHARDS if lane_id is None else _MARKED_ONE,
        {
            "shards": list(shards),
            "lane_id": lane_id,
            "after": after or 0,
            "busy": list(busy),
            "now": now,
            "most": limit,
        },
    )
    return [LaneWork(lane=lane, follow=follow) for lane, follow in found]


def complete(session: Session, works: Collection[LaneWork]) -> None:
    """Add to each lane its order in doubt, its pending decisions, and what they rest on."""
    by_id = {work.lane.id: work for work in works}
    if by_id:
        _add_orders_in_doubt(session, by_id)
        _add_undecided(session, by_id)
        _add_openings(session, by_id)
        _add_choices(session, by_id)


@dataclass(slots=True, kw_only=True)
class LaneAtHand:
    """One lane whose errand is back: what booking it may change."""

    lane: LaneRow
    follow: FollowRow
    position: CopiedPositionRow | None


def lanes_at_hand(session: Session, lane_ids: Collection[LaneId]) -> dict[LaneId, LaneAtHand]:
    """Return these lanes with their follows and the round trips they are in."""
    if not lane_ids:
        return {}
    found = session.execute(_AT_HAND, {"lane_ids": list(lane_ids)})
    return {
        lane.id: LaneAtHand(lane=lane, follow=follow, position=position)
        for lane, follow, position in found
    }


def marked_lane_ids(session: Session, shards: Collection[int]) -> list[LaneId]:
    query = select(LaneRow.id).where(LaneRow.marked == true(), LaneRow.shard.in_(shards))
    return list(session.scalars(query.order_by(LaneRow.id)))


def open_work(
    session: Session, follow_ids: Collection[FollowId]
) -> dict[FollowId, dict[LaneId, SignalId]]:
    """Return the earliest signal that a lane has an order in doubt or no decision for, by follow.

    0 stands for an order that follows no signal. Lanes with nothing to do are left out.
    """
    names = {"follow_ids": list(follow_ids)}
    found: dict[FollowId, dict[LaneId, SignalId]] = {follow_id: {} for follow_id in follow_ids}
    for query in (_SENT_BY_FOLLOW, _PENDING_BY_FOLLOW):
        for follow_id, lane_id, signal_id in session.execute(query, names):
            known = found[follow_id].get(lane_id, signal_id)
            found[follow_id][lane_id] = min(known, signal_id)
    return found


def lanes_marked(session: Session) -> int:
    """Return how many lanes have, or may have, open work."""
    query = select(func.count()).select_from(LaneRow).where(LaneRow.marked == true())
    return session.scalar(query) or 0


def orders(session: Session, order_ids: Collection[CopyOrderId]) -> dict[CopyOrderId, CopyOrderRow]:
    if not order_ids:
        return {}
    return {row.id: row for row in session.scalars(_ORDERS, {"order_ids": list(order_ids)})}


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
    in_doubt = (
        exists()
        .where(CopyOrderRow.lane_id == LaneRow.id, CopyOrderRow.state == CopyOrderState.SENT)
        .correlate(LaneRow)
    )
    query = select(
        LaneRow.symbol,
        LaneRow.position_side,
        LaneRow.id,
        LaneRow.actual,
        LaneRow.next_sequence,
        in_doubt,
    ).where(LaneRow.follow_id == follow_id)
    return {
        (symbol, side): LaneBelief(
            lane_id=lane_id,
            actual=actual,
            next_sequence=next_sequence,
            is_idle=not doubt,
        )
        for symbol, side, lane_id, actual, next_sequence, doubt in session.execute(query)
    }


def lock_lanes(session: Session, follow_id: FollowId) -> None:
    """Let nobody else change a follow's lanes until this transaction ends."""
    session.execute(
        select(LaneRow.id)
        .where(LaneRow.follow_id == follow_id)
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
    for order in session.scalars(_IN_DOUBT, {"lane_ids": list(works)}):
        works[order.lane_id].in_doubt = order


def _add_undecided(session: Session, works: dict[LaneId, LaneWork]) -> None:
    for row, signal in session.execute(_UNDECIDED, {"lane_ids": list(works)}):
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
    return set(session.execute(query))


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
