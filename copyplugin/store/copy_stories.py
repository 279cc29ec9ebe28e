"""What was recorded of follows, put together as values for a dry run (N12)."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from fractions import Fraction
from functools import partial

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from copyplugin.domain.copy_rule import CopyRule
from copyplugin.domain.copy_story import (
    FollowStory,
    LaneStart,
    Leg,
    Made,
    OpeningOrder,
    OtherStep,
    Seen,
    SignalStep,
    Step,
    Taken,
    count_of,
)
from copyplugin.domain.days import day_of
from copyplugin.domain.identifiers import CopyOrderId, FollowId, LaneId, LeaderId, SignalId, Symbol
from copyplugin.domain.instrument import Instrument
from copyplugin.domain.money import Contracts, Price
from copyplugin.domain.open_size import NOTHING
from copyplugin.domain.order import CopyOrderState
from copyplugin.store import market
from copyplugin.store.decisions import UNDECIDED, decision_from
from copyplugin.store.follow_rules import RuleBook, rules_of
from copyplugin.store.leader_moves import moves_as_known, signals_since
from copyplugin.store.rows import (
    CopyDecisionRow,
    CopyOrderRow,
    FollowRow,
    LaneRow,
    OrderFillRow,
    SignalRow,
)

FOLLOWS_AT_ONCE = 200
HELD_AT_START = "held#"
"""How the order of a signal is called that opens what the leader held (L2)."""

Key = tuple[datetime, int, int]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Leader:
    """What all follows of one leader share."""

    since: datetime
    signals: Sequence[SignalRow]
    seen: Mapping[SignalId, tuple[Seen, ...]]
    instruments: Mapping[Symbol, Instrument]
    marks: Mapping[Symbol, Price]
    zone: tzinfo


@dataclass(frozen=True, kw_only=True, slots=True)
class _Lane:
    """What was recorded of one lane."""

    row: LaneRow
    taken: Mapping[SignalId, CopyDecisionRow]
    orders: Sequence[CopyOrderRow]
    opened_at: Fraction | None


def copy_stories(
    session: Session,
    leader_id: LeaderId,
    *,
    since: datetime,
    zone: tzinfo,
    follow_id: FollowId | None = None,
) -> Iterator[FollowStory]:
    """Yield the stories of the leader's follows of which anything was decided since then.

    Real money only. `since` is the start of a day where caps of a day are to count.
    """
    signals = signals_since(session, leader_id, since)
    instruments = market.instruments(session)
    leader = _Leader(
        since=since,
        signals=signals,
        seen=moves_as_known(session, leader_id, signals, instruments),
        instruments=instruments,
        marks=market.marks(session),
        zone=zone,
    )
    query = (
        select(FollowRow.id)
        .where(
            FollowRow.leader_id == leader_id,
            FollowRow.paper.is_(False),
            FollowRow.id == follow_id if follow_id is not None else FollowRow.id > 0,
        )
        .order_by(FollowRow.id)
    )
    follow_ids = list(session.scalars(query)) if signals else []
    for first in range(0, len(follow_ids), FOLLOWS_AT_ONCE):
        yield from _stories(session, leader, follow_ids[first : first + FOLLOWS_AT_ONCE])
        session.expunge_all()


def _stories(
    session: Session, leader: _Leader, follow_ids: Sequence[FollowId]
) -> Iterator[FollowStory]:
    lanes = _lanes(session, leader, follow_ids)
    book = rules_of(session, follow_ids)
    fills = _fills(session, [order for lane in lanes for order in lane.orders])
    by_follow = defaultdict[FollowId, list[_Lane]](list)
    for lane in lanes:
        by_follow[lane.row.follow_id].append(lane)
    follows = select(FollowRow).where(FollowRow.id.in_(by_follow)).order_by(FollowRow.id)
    for follow in session.scalars(follows):
        of_it = by_follow[follow.id]
        if any(lane.taken for lane in of_it):
            yield _story(leader, follow, of_it, book, fills)


def _story(
    leader: _Leader,
    follow: FollowRow,
    lanes: Sequence[_Lane],
    book: RuleBook,
    fills: Mapping[CopyOrderId, tuple[Made, ...]],
) -> FollowStory:
    steps: list[tuple[Key, Step]] = []
    starts: dict[Leg, LaneStart] = {}
    for lane in lanes:
        of_lane = _steps(leader, lane, fills)
        steps += of_lane
        starts[lane.row.symbol, lane.row.position_side] = _start(lane, fills)
    return FollowStory(
        follow_id=follow.id,
        leader_id=follow.leader_id,
        follower_id=follow.follower_id,
        rule_of=partial(_rule_of, book, follow),
        day_of=partial(day_of, zone=leader.zone),
        price_protection=follow.price_protection,
        open_held=follow.open_held,
        instruments=leader.instruments,
        marks=leader.marks,
        steps=tuple(step for _, step in _in_order(steps)),
        starts=starts,
    )


def _rule_of(book: RuleBook, follow: FollowRow, signal_id: SignalId, symbol: Symbol) -> CopyRule:
    return book.rule_of(follow, symbol, signal_id)


def _steps(
    leader: _Leader, lane: _Lane, fills: Mapping[CopyOrderId, tuple[Made, ...]]
) -> list[tuple[Key, Step]]:
    leg = (lane.row.symbol, lane.row.position_side)
    of_signal = defaultdict[SignalId, list[CopyOrderRow]](list)
    found: list[tuple[Key, Step]] = []
    mine = {signal.id for signal in leader.signals if signal.id in lane.taken}
    for order in lane.orders:
        if order.signal_id is not None and order.signal_id in mine:
            of_signal[order.signal_id].append(order)
        elif fills[order.id]:
            at = order.filled_at or order.decided_at
            step = OtherStep(leg=leg, reduces=order.reduce_only, made=fills[order.id])
            found.append(((at, order.id, 0), step))
    for signal in leader.signals:
        if (signal.symbol, signal.position_side) != leg:
            continue
        row = lane.taken.get(signal.id)
        orders = of_signal[signal.id]
        taken = None if row is None else _taken(row, orders, fills)
        seen = leader.seen[signal.id]
        if row is not None and row.pending:  # what came since is not decided yet
            seen = tuple(each for each in seen if each.known_at <= row.decided_at) or seen[:1]
        at = seen[0].known_at if taken is None else taken.times[0]
        step = SignalStep(
            signal_id=signal.id,
            leg=leg,
            seen=seen,
            taken=taken,
            first_fill_at=signal.first_fill_at,
            is_held_at_start=signal.order_id.startswith(HELD_AT_START),
        )
        first = min((order.id for order in orders), default=0)
        found.append(((at, first, signal.id), step))
    return found


def _in_order(steps: Sequence[tuple[Key, Step]]) -> list[tuple[Key, Step]]:
    """Put signals in the order of their numbers, and other orders between them by their time."""
    signals = sorted(
        (each for each in steps if isinstance(each[1], SignalStep)), key=lambda each: each[0][2]
    )
    placed: list[tuple[Key, Step]] = []
    latest: tuple[datetime, int] | None = None
    for (at, order, number), step in signals:
        now = (at, order) if latest is None else max(latest, (at, order))
        latest = now
        placed.append(((*now, number), step))
    others = [each for each in steps if isinstance(each[1], OtherStep)]
    return sorted([*placed, *others], key=lambda each: each[0])


def _taken(
    row: CopyDecisionRow,
    orders: Sequence[CopyOrderRow],
    fills: Mapping[CopyOrderId, tuple[Made, ...]],
) -> Taken:
    return Taken(
        decision=decision_from(row),
        decided_at=row.decided_at,
        available=row.available_frozen,
        equity=row.equity_frozen,
        carried=row.carried_before or NOTHING,
        opened=tuple(
            OpeningOrder(
                decided_at=order.decided_at,
                limit_price=order.limit_price,
                made=fills[order.id],
            )
            for order in orders
            if not order.reduce_only
        ),
        closed=tuple(made for order in orders if order.reduce_only for made in fills[order.id]),
        forgotten_after=row.forgotten_after,
    )


def _start(lane: _Lane, fills: Mapping[CopyOrderId, tuple[Made, ...]]) -> LaneStart:
    """Return what the lane had before the first of what was loaded."""
    row, taken = lane.row, [lane.taken[number] for number in sorted(lane.taken)]
    moved = sum(
        (-1 if order.reduce_only else 1) * count_of(fills[order.id]) for order in lane.orders
    )
    return LaneStart(
        target=taken[0].target_before if taken else row.target,
        held=Contracts(max(0, row.actual - moved)),
        opened_at=lane.opened_at,
    )


def _lanes(session: Session, leader: _Leader, follow_ids: Sequence[FollowId]) -> list[_Lane]:
    rows = list(
        session.scalars(
            select(LaneRow).where(LaneRow.follow_id.in_(follow_ids)).order_by(LaneRow.id)
        )
    )
    lane_ids = [row.id for row in rows]
    taken = defaultdict[LaneId, dict[SignalId, CopyDecisionRow]](dict)
    decisions = select(CopyDecisionRow).where(
        CopyDecisionRow.lane_id.in_(lane_ids),
        CopyDecisionRow.signal_id >= leader.signals[0].id,
        CopyDecisionRow.revision != UNDECIDED,
    )
    for decision in session.scalars(decisions):
        taken[decision.lane_id][decision.signal_id] = decision
    orders = defaultdict[LaneId, list[CopyOrderRow]](list)
    sent = (
        select(CopyOrderRow)
        .where(
            CopyOrderRow.lane_id.in_(lane_ids),
            CopyOrderRow.decided_at >= leader.since,
            CopyOrderRow.state != CopyOrderState.SENT,
        )
        .order_by(CopyOrderRow.id)
    )
    for order in session.scalars(sent):
        orders[order.lane_id].append(order)
    prices = _opened_before(session, lane_ids, leader.signals[0].id)
    return [
        _Lane(
            row=row,
            taken=taken[row.id],
            orders=orders[row.id],
            opened_at=prices.get(row.id),
        )
        for row in rows
    ]


def _opened_before(
    session: Session, lane_ids: Sequence[LaneId], first: SignalId
) -> dict[LaneId, Fraction]:
    """Return at which price of the leader each lane was opened last before this signal."""
    latest = (
        select(CopyDecisionRow.lane_id, func.max(CopyDecisionRow.signal_id).label("signal_id"))
        .join(SignalRow, SignalRow.id == CopyDecisionRow.signal_id)
        .where(
            CopyDecisionRow.lane_id.in_(lane_ids),
            CopyDecisionRow.signal_id < first,
            CopyDecisionRow.wanted > 0,
            SignalRow.increases,
        )
        .group_by(CopyDecisionRow.lane_id)
        .subquery()
    )
    query = select(latest.c.lane_id, SignalRow.price_sum, SignalRow.contracts).join(
        SignalRow, SignalRow.id == latest.c.signal_id
    )
    return {
        lane_id: Fraction(price_sum) / contracts
        for lane_id, price_sum, contracts in session.execute(query)
    }


def _fills(session: Session, orders: Sequence[CopyOrderRow]) -> dict[CopyOrderId, tuple[Made, ...]]:
    """Return what each order traded, execution by execution, as it was booked."""
    found = defaultdict[CopyOrderId, list[Made]](list)
    query = (
        select(OrderFillRow)
        .where(OrderFillRow.order_id.in_([order.id for order in orders if order.filled]))
        .order_by(OrderFillRow.order_id, OrderFillRow.at, OrderFillRow.venue_fill_id)
    )
    for fill in session.scalars(query):
        made = Made(contracts=fill.contracts, price=fill.price, fee=Fraction(fill.fee))
        found[fill.order_id].append(made)
    for order in orders:
        known = count_of(found[order.id])
        assert known == order.filled, f"order {order.id}: {known} of {order.filled} are told"
    return {order.id: tuple(found[order.id]) for order in orders}
